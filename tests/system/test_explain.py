"""smsq explain tells what became of one message, smsq status how everything stands."""

import json
import time
import urllib.parse
import uuid

import pytest

from api import fresh_number, request
from stack import wait_until


@pytest.fixture
def told(smsq):
    """The output of a command, as JSON or text; in the end no fault and no switch is left."""
    def run(*words, as_json=True, code=0):
        done = smsq.stack.smsq(*words, *(["--json"] if as_json else []),
                               SMSQ_RECEIVER_URL=smsq.stack.env["SMSQ_RECEIVER_URL"])
        assert done.returncode == code, done.stdout + done.stderr
        return json.loads(done.stdout) if as_json else done.stdout
    yield run
    assert request(f"{smsq.sim.url}/_sim/faults", "DELETE").status in (200, 204)
    smsq.db.rows("delete from switches")


def fault(smsq, **form):
    answer = request(f"{smsq.sim.url}/_sim/faults", "POST", urllib.parse.urlencode(form),
                     {"Content-Type": "application/x-www-form-urlencoded"})
    assert answer.status in (200, 201), answer


def status_of(smsq, message_id):
    rows = smsq.db.rows("select status, turn from messages where message_id = %s", message_id)
    return rows[0] if rows else None


def resend(smsq, message_id):
    """As the sweep does with what is left in doubt."""
    smsq.db.rows(
        "with m as (update messages set status = 'waiting', turn = turn + 1, rank = 0,"
        "                  claimed_epoch = null where message_id = %s and status = 'in_doubt'"
        "           returning message_id, turn, lane),"
        " d as (insert into delayed (message_id, turn, due, lane, kind)"
        "       select message_id, turn, now(), lane, 'doubt' from m)"
        " insert into decisions (message_id, turn, kind, reason, due, decided_by)"
        " select message_id, turn - 1, 'resend', 'asked for', now(), 'a test' from m",
        message_id)


def lived_through_much(smsq, api):
    number = fresh_number()
    fault(smsq, kind="error", to=number, status=429, error_code=20429, retry_after=0, count=1)
    fault(smsq, kind="cut", to=number, accepts="no", count=1)
    fault(smsq, kind="reordered", to=number)
    message_id = api.accepted(to=number, reference="order 7")
    wait_until(lambda: status_of(smsq, message_id) == ("in_doubt", 2), 20, "in doubt")
    resend(smsq, message_id)
    api.wait_for(message_id)
    wait_until(lambda: smsq.db.one("select count(*) from receipts where message_id = %s",
                                   message_id) >= 2, 20, "its callbacks came")
    return message_id, number


def test_the_story_of_a_message_that_lived_through_much(smsq, api, told):
    message_id, number = lived_through_much(smsq, api)
    story = told("explain", message_id)
    events = story["events"]
    assert [event["at"] for event in events] == sorted(event["at"] for event in events)
    assert events[0]["event"] == "accepted" and events[0]["reference"] == "order 7"
    answers = [event for event in events if event["event"] == "answer"]
    assert [(event["turn"], event["outcome"]) for event in answers] == [
        (1, "not_processed"), (2, "in_doubt"), (3, "accepted")]
    assert (answers[0]["http_status"], answers[0]["error_code"]) == (429, 20429)
    decisions = [event["decision"] for event in events if event["event"] == "decision"]
    assert decisions[0] == "retry" and decisions[-1] == "resend"
    callbacks = [event["status"] for event in events if event["event"] == "callback"]
    assert "delivered" in callbacks and len(callbacks) >= 2
    (cost,) = [event for event in events if event["event"] == "cost"]
    assert cost["kind"] == "estimate" and cost["amount"] > 0 and cost["twilio_sid"]
    assert (story["now"]["status"], story["now"]["turn"]) == ("delivered", 3)
    assert "ended" in story["next"]
    assert told("explain", answers[2]["twilio_sid"]) == story, "the SID names it too"
    text = told("explain", message_id, as_json=False)
    assert "not_processed" in text and "now   delivered" in text
    assert number not in text + json.dumps(story) and "hello" not in text


def test_a_message_that_no_worker_has_seen_yet(smsq, api, told):
    told("switch", "account", "off")
    time.sleep(1.5)
    message_id = api.accepted()
    story = told("explain", message_id)
    assert story["now"] is None and "Kafka" in story["next"] and story["events"] == []
    assert "now   accepted, of client" in told("explain", message_id, as_json=False)
    told("switch", "account", "on")
    api.wait_for(message_id)
    assert told("explain", message_id)["now"]["status"] == "delivered"


def test_ids_of_nobody_are_not_found(told):
    told("explain", "01a1fe2f-5a5b-7c3d-8e9f-0123456789ab", as_json=False, code=3)
    told("explain", "SM" + 32 * "0", as_json=False, code=3)
    told("explain", str(uuid.uuid4()), as_json=False, code=2)


def test_status_shows_the_whole_system(smsq, api, told):
    api.wait_for(api.accepted())
    screen = told("status")
    assert {row["name"]: row["ready"] for row in screen["programs"]} == {
        "producer": True, "receiver": True}
    assert len(screen["workers"]) >= 2 and screen["switches"] == []
    assert all({"host", "pid", "beat_age_s"} <= set(row) for row in screen["workers"])
    told("switch", "emergency-only", "on", "--reason", "a flood")
    time.sleep(1.5)
    message_id = api.accepted(**{"class": "otp"})
    wait_until(lambda: (status_of(smsq, message_id) or ("",))[0] == "waiting", 10, "it waits")
    screen = told("status")
    (switch,) = screen["switches"]
    assert (switch["name"], switch["state"], switch["reason"]) == (
        "emergency_only", "on", "a flood")
    assert any(row["status"] == "waiting" and row["kind"] == "hold" and row["lane"] == "urgent"
               for row in screen["messages"])
    assert "emergency" in told("explain", message_id)["next"]
    text = told("status", as_json=False)
    assert "emergency_only on for" in text and "receiver ready" in text
