"""send_at, DELETE and PATCH /sms/{id}: what waits can be scheduled, canceled, rescheduled."""

import contextlib
import datetime
import json
import os
import signal
import time
import uuid

import pytest

from api import request
from stack import stays_true, wait_until
from test_garbage import record_of
from test_openapi import answer_is_documented

PATH = "/sms/{id}"


def moment(seconds):
    """The time so many seconds from now."""
    return datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)


def ahead(seconds):
    return moment(seconds).isoformat()


def told(answer):
    return datetime.datetime.fromisoformat(answer.replace("Z", "+00:00"))


def cancel(api, name):
    answer = request(f"{api.url}/sms/{name}", "DELETE", headers=api.authorization)
    answer_is_documented(answer, PATH, "delete")
    return answer


def patch(api, name, body):
    answer = request(f"{api.url}/sms/{name}", "PATCH", body,
                     {"Content-Type": "application/json", **api.authorization})
    answer_is_documented(answer, PATH, "patch")
    return answer


def reschedule(api, name, send_at):
    return patch(api, name, json.dumps({"send_at": send_at}))


def scheduled(api, seconds=3600, **fields):
    """The id of a message that waits in the tables for its time."""
    answer = api.send(send_at=ahead(seconds), **fields)
    answer_is_documented(answer, "/sms/send", "post")
    assert (answer.status, answer.json["status"]) == (202, "scheduled"), answer
    assert answer.json["message"] == "SMS scheduled"
    api.wait_for(answer.json["id"], "scheduled")
    return answer.json["id"]


def decisions(smsq, message_id):
    return [tuple(row) for row in smsq.db.rows(
        "select kind, reason, split_part(decided_by, ' ', 1) from decisions"
        " where message_id = %s and decided_by like 'client%%' order by decided_at", message_id)]


def due_rows(smsq, message_id):
    return smsq.db.rows("select turn, kind from delayed where message_id = %s order by turn",
                        message_id)


@contextlib.contextmanager
def frozen(smsq, *names):
    """Programs of these kinds stand still."""
    pids = [pid for name, pid in smsq.stack.pids.items() if name.startswith(names)]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def publish_again(smsq, tmp_path, record):
    path = tmp_path / "record"
    path.write_text(json.dumps(record))
    for partition in range(len(smsq.kafka.ends("sms.jobs.normal"))):
        smsq.kafka.publish("sms.jobs.normal", partition, "key", path)
    wait_until(lambda: smsq.kafka.lag() == 0, 30, "the repeats are done")


def test_a_scheduled_message_goes_at_its_time(smsq, api):
    began = time.monotonic()
    message_id = scheduled(api, 3, expires_in=60)
    shown = api.status(message_id).json
    assert (shown["status"], shown["detail"], shown["turn"]) == ("scheduled", "waiting", 2)
    assert told(shown["expires_at"]) - told(shown["send_at"]) == datetime.timedelta(seconds=60)
    api.wait_for(message_id)
    assert time.monotonic() - began > 2.5
    assert smsq.sim.ledger()["creates"] == 1


def test_a_time_that_is_just_over_means_now(smsq, api):
    answer = api.send(send_at=ahead(-120))
    assert answer.json["status"] == "queued"
    assert api.wait_for(answer.json["id"])["send_at"] is None


@pytest.mark.parametrize(("send_at", "code"), [
    (-301, "in_the_past"), (35 * 86400 + 60, "too_far_ahead"),
    ("2026-11-21T18:00:00", "wrong_value"), (True, "wrong_type")])
def test_a_time_that_cannot_be_is_422(smsq, api, send_at, code):
    if not isinstance(send_at, bool) and isinstance(send_at, int):
        send_at = ahead(send_at)
    for answer in (api.send(send_at=send_at), api.post(
            json.dumps({"to": "+14155550123", "body": "hi", "send_at": send_at}),
            **{"Idempotency-Key": uuid.uuid4().hex})):
        answer_is_documented(answer, "/sms/send", "post")
        assert (answer.status, answer.json["code"], answer.json["field"]) == (
            422, code, "send_at")
    message_id = scheduled(api)
    answer = reschedule(api, message_id, send_at)
    assert (answer.status, answer.json["code"]) == (422, code)
    assert cancel(api, message_id).status == 200


def test_a_repeat_after_its_time_gets_the_first_answer(smsq, api):
    body = json.dumps({"to": "+14155550123", "body": "hi", "send_at": ahead(1)})
    first = api.post(body, **{"Idempotency-Key": "scheduled"})
    api.wait_for(first.json["id"])
    again = api.post(body, **{"Idempotency-Key": "scheduled"})
    assert (again.status, again.body) == (202, first.body)
    assert first.json["status"] == "scheduled"
    other = api.post(body.replace("send_at", "reference"), **{"Idempotency-Key": "scheduled"})
    assert other.json["code"] == "idempotency_key_reused"


def test_a_canceled_message_never_goes(smsq, api, tmp_path):
    message_id = scheduled(api, 2)
    record = record_of(smsq, "sms.jobs.normal", message_id)
    answer = cancel(api, message_id)
    assert (answer.status, answer.json["status"], answer.json["reason"]) == (
        200, "canceled", "by_client")
    assert cancel(api, message_id).status == 200
    assert reschedule(api, message_id, ahead(60)).status == 409
    assert decisions(smsq, message_id) == [("canceled", "by_client", "client")]
    assert due_rows(smsq, message_id) == []
    for turn in (1, 2):
        publish_again(smsq, tmp_path, {**record, "turn": turn, "send_at": None})
    stays_true(lambda: smsq.sim.ledger()["creates"] == 0, 3, "nothing is sent")
    assert api.status(message_id).json["status"] == "canceled"


def test_a_rescheduled_message_goes_once_at_the_last_time(smsq, api, tmp_path):
    message_id = scheduled(api, 3600)
    record = record_of(smsq, "sms.jobs.normal", message_id)
    for seconds in (7200, 1800, 900):
        answer = reschedule(api, message_id, ahead(seconds))
        assert (answer.status, answer.json["status"]) == (200, "scheduled")
    assert due_rows(smsq, message_id) == [(5, "schedule")]
    for turn in (1, 2, 4):
        publish_again(smsq, tmp_path, {**record, "turn": turn, "send_at": None})
    assert smsq.sim.ledger()["creates"] == 0
    assert reschedule(api, message_id, ahead(0)).status == 200
    api.wait_for(message_id)
    assert smsq.sim.ledger()["creates"] == 1
    assert [kind for kind, _, _ in decisions(smsq, message_id)] == 4 * ["rescheduled"]


def test_a_message_that_no_worker_has_seen_can_be_canceled(smsq, api):
    with frozen(smsq, "worker"):
        message_id = api.accepted()
        shown = cancel(api, message_id).json
        assert (shown["status"], shown["turn"], shown["class"]) == ("canceled", 0, None)
        assert cancel(api, message_id).status == 200
        assert reschedule(api, message_id, ahead(60)).status == 409
    wait_until(lambda: api.status(message_id).json["turn"] == 2, 20, "its record was read")
    shown = api.status(message_id).json
    assert (shown["status"], shown["class"]) == ("canceled", "transactional")
    assert smsq.sim.ledger()["creates"] == 0


def test_a_message_that_no_worker_has_seen_can_be_rescheduled(smsq, api):
    with frozen(smsq, "worker"):
        message_id = api.accepted(expires_in=100)
        shown = reschedule(api, message_id, ahead(60)).json
        assert (shown["status"], shown["turn"]) == ("scheduled", 0)
        assert reschedule(api, message_id, ahead(5)).json["status"] == "scheduled"
    wait_until(lambda: due_rows(smsq, message_id) == [(2, "schedule")], 20, "it waits")
    shown = api.wait_for(message_id)
    useful = told(shown["expires_at"]) - told(shown["send_at"])
    assert abs(useful.total_seconds() - 100) < 0.01
    assert smsq.sim.ledger()["creates"] == 1


def test_a_wait_for_another_try_can_be_canceled(smsq, api):
    with frozen(smsq, "scheduler"):
        answer = request(f"{smsq.sim.url}/_sim/faults", "POST",
                         "kind=error&status=429&retry_after=1&count=1",
                         {"Content-Type": "application/x-www-form-urlencoded"})
        assert answer.status == 200, answer
        message_id = api.accepted()
        wait_until(lambda: api.status(message_id).json["detail"] == "waiting", 20, "it waits")
        assert cancel(api, message_id).json["status"] == "canceled"
    stays_true(lambda: api.status(message_id).json["status"] == "canceled", 2, "it stays so")


def test_what_is_sent_is_409_and_the_status_is_named(smsq, api):
    message_id = api.accepted()
    api.wait_for(message_id)
    for answer in (cancel(api, message_id), reschedule(api, message_id, ahead(60))):
        assert (answer.status, answer.json["code"]) == (409, "message_not_waiting")
        assert "the message is delivered" in answer.json["detail"]


def test_a_message_of_another_client_is_404(smsq, api):
    message_id = scheduled(api)
    other = smsq.new_api()
    for name in (message_id, str(uuid.uuid4()), "x", "status", "SM" + 32 * "0"):
        assert cancel(other, name).status == 404
        assert reschedule(other, name, ahead(60)).status == 404
    assert api.status(message_id).json["status"] == "scheduled"
    assert cancel(api, message_id).status == 200


def test_what_a_change_is_refused_with_is_described(smsq, api):
    message_id = scheduled(api)
    blind = smsq.new_api("view_sms_history")
    assert cancel(blind, message_id).status == 403
    assert reschedule(blind, message_id, ahead(60)).status == 403
    for body, status, code in (
            ("", 400, "malformed_json"), ("[]", 400, "malformed_json"),
            ("{}", 422, "missing"), ('{"to": "+14155550123"}', 422, "unknown_field"),
            ('{"send_at": null}', 422, "wrong_type"),
            ('{"send_at":"2036-01-01T00:00:00Z","send_at":"2036-01-01T00:00:00Z"}', 422,
             "given_twice")):
        answer = patch(api, message_id, body)
        assert (answer.status, answer.json["code"]) == (status, code), body
    assert patch(api, message_id, 2000 * " ").status == 413
    assert cancel(api, message_id).status == 200


def test_the_command_line_schedules_reschedules_and_cancels(smsq, api):
    def smsq_json(*arguments):
        done = smsq.stack.smsq(*arguments, "--json", token=api.token)
        return done.returncode, json.loads(done.stdout or "null"), done.stderr

    code, sent, _ = smsq_json("send", "+14155550123", "--message", "hi", "--at", ahead(3600))
    assert (code, sent["status"]) == (0, "scheduled")
    api.wait_for(sent["id"], "scheduled")
    code, shown, _ = smsq_json("reschedule", sent["id"], "--at", ahead(7200))
    assert (code, shown["status"], shown["turn"]) == (0, "scheduled", 3)
    code, shown, _ = smsq_json("cancel", sent["id"])
    assert (code, shown["status"]) == (0, "canceled")
    code, shown, _ = smsq_json("reschedule", sent["id"], "--at", ahead(7200))
    assert code == 4 and shown["code"] == "message_not_waiting"
    assert smsq.stack.smsq("reschedule", sent["id"], token=api.token).returncode == 2
