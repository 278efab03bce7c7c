"""What Twilio answers or reports later, through all programs: another turn, doubt, or the
end, as the table of error codes says."""

import json
import os
import re
import signal
import time
import urllib.parse

import pytest

from api import fresh_number, request
from stack import TREE, stays_true, wait_until
from test_outages import assert_costs_are_the_bill

HELD = "+14155550178"  # a sender
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
def arm(smsq):
    """Adds a fault rule of the simulator; all are gone afterwards."""
    url = smsq.sim.url + "/_sim/faults"

    def add(**rule):
        assert request(url, "POST", urllib.parse.urlencode(rule), FORM).status in (200, 201)
    yield add
    assert request(url, "DELETE").status in (200, 204)


@pytest.fixture
def change(smsq):
    """smsq codes set, taken back in the end; waits until each worker has read the table."""
    kept = smsq.db.one("select json_agg(e)::text from error_codes e")
    workers = [part for part in smsq.stack.parts() if part.startswith("worker")]

    def loads():
        return [sum(line["event"] == "error_codes_loaded" for line in smsq.stack.log_lines(name))
                for name in workers]

    def wait_for_workers(before):
        wait_until(lambda: all(now > then for now, then in zip(loads(), before)), 30,
                   "the workers have read the table again")

    def set_code(code, *options):
        before = loads()
        done = smsq.stack.smsq("codes", "set", str(code), *options, "--json")
        assert done.returncode == 0, done.stderr
        wait_for_workers(before)
        return json.loads(done.stdout)
    yield set_code
    before = loads()
    smsq.db.rows(
        "update error_codes e set action = k.action, least_wait_s = k.least_wait_s,"
        " advice = k.advice, changed_at = k.changed_at, changed_by = k.changed_by"
        "  from json_populate_recordset(null::error_codes, %s::json) k where k.code = e.code"
        "   and e.changed_at is distinct from k.changed_at", kept)
    wait_for_workers(before)


def stand(smsq, message_id):
    rows = smsq.db.rows("select status, turn, tries, reason from messages where message_id = %s",
                        message_id)
    return rows[0] if rows else (None, 0, 0, None)


def decided(smsq, message_id):
    return smsq.db.rows("select turn, kind, reason from decisions where message_id = %s"
                        " order by decided_at", message_id)


def posts(smsq, to):
    return [row for row in smsq.sim.messages() if row["to"] == to]


def replay(smsq, tmp_path, message_id, topic):
    """Publishes the message's first record once more, as it was, to its lane."""
    record = next(r for r in smsq.kafka.records(topic)
                  if r.value and message_id.encode() in r.value and r.json["message_id"] == message_id and r.json["turn"] == 1)
    (tmp_path / "old").write_bytes(record.value)
    before = smsq.kafka.lag()
    smsq.kafka.publish(topic, record.partition, "x", tmp_path / "old")
    wait_until(lambda: smsq.kafka.lag() <= before, 20, "it was read")


def test_429_waits_as_told_and_burns_no_try(smsq, api, arm):
    to = fresh_number()
    arm(kind="error", status=429, error_code=20429, retry_after=1, count=2, to=to)
    message_id = api.accepted(to=to)
    api.wait_for(message_id)
    assert stand(smsq, message_id) == ("delivered", 3, 0, None)
    assert [row[:2] for row in decided(smsq, message_id)] == [(1, "retry"), (2, "retry")]
    assert smsq.db.rows(
        "select turn, outcome, posted_at <= answered_at, claimed_at <= posted_at,"
        " epoch is not null from attempts where message_id = %s order by turn", message_id) == [
            (1, "not_processed", True, True, True), (2, "not_processed", True, True, True),
            (3, "accepted", True, True, True)]
    assert smsq.db.one("select bool_and(b.posted_at - a.answered_at >= interval '1 s')"
                       "  from attempts a join attempts b using (message_id)"
                       " where b.turn = a.turn + 1 and message_id = %s", message_id)
    assert len(posts(smsq, to)) == 1


@pytest.mark.parametrize("accepts", ["yes", "no"])
def test_a_5xx_is_in_doubt_and_is_not_sent_again(smsq, api, arm, accepts):
    to = fresh_number()
    arm(kind="error", status=503, error_code=20503, accepts=accepts, count=1, to=to)
    message_id = api.accepted(to=to)
    if accepts == "yes":  # its callback tells
        api.wait_for(message_id)
    else:
        api.wait_for(message_id, "sending")
        told = api.status(message_id).json
        assert (told["error_code"], told["error_meaning"][:6]) == (20503, "Twilio")
    assert decided(smsq, message_id)[0] == (1, "in_doubt", "in_doubt, HTTP 503, code 20503")
    assert len(posts(smsq, to)) == (accepts == "yes")


def test_libcurls_second_try_never_leaves(smsq, api, arm):
    to = fresh_number()
    api.wait_for(api.accepted())  # a connection that had an answer stands
    arm(kind="cut_reused", count=4, to=to)
    message_id = api.accepted(to=to)
    wait_until(lambda: stand(smsq, message_id)[0] in ("in_doubt", "sent", "delivered"), 10,
               "it has an end or a doubt")
    assert ("in_doubt" in [row[1] for row in decided(smsq, message_id)]
            or stand(smsq, message_id)[0] != "in_doubt")
    assert len(posts(smsq, to)) <= 1


@pytest.mark.parametrize(("code", "kind"), [(30008, "failed"), (30001, "failed"),
                                            (30003, "undelivered")])
def test_a_failure_reported_later_is_tried_again(smsq, api, arm, change, code, kind):
    to = fresh_number()
    change(code, "--least-wait", "1")
    arm(kind=kind, error_code=code, count=1, to=to)
    message_id = api.accepted(to=to)
    api.wait_for(message_id, within=30)
    assert stand(smsq, message_id) == ("delivered", 2, 1, None)
    assert decided(smsq, message_id) == [(1, "retry", f"provider_failed, code {code}")]
    assert len(posts(smsq, to)) == 2
    if kind == "undelivered":  # Twilio bills it; a failed one is put right by its price
        assert_costs_are_the_bill(smsq, {message_id})


def test_tries_end_and_say_so(smsq, api, arm, change):
    to = fresh_number()
    change(30008, "--least-wait", "1")
    arm(kind="failed", error_code=30008, to=to)
    message_id = api.accepted(to=to)
    told = api.wait_for(message_id, "failed", within=30)
    assert (told["reason"], told["error_code"], told["turn"]) == ("tries_used_up", 30008, 2)
    assert told["error_meaning"] and told["error_advice"]
    assert decided(smsq, message_id)[-1] == (2, "failed", "tries_used_up, code 30008")


def test_a_failure_that_cannot_be_tried_in_time_ends(smsq, api, arm):
    to = fresh_number()
    arm(kind="undelivered", error_code=30003, to=to)  # hours apart
    message_id = api.accepted(to=to, **{"class": "otp"})
    told = api.wait_for(message_id, "undelivered")
    assert (told["reason"], told["turn"]) == ("too_late", 1)


def test_a_changed_row_takes_effect_without_a_restart(smsq, api, change):
    answer = {"to": "+15005550009"}  # 21614, as an answer
    assert api.wait_for(api.accepted(**answer), "failed")["error_code"] == 21614
    told = change(21614, "--action", "retry", "--least-wait", "600", "--advice", "Be patient.")
    assert (told["action"], told["least_wait_s"], told["advice"]) == ("retry", 600, "Be patient.")
    message_id = api.accepted(**answer)
    wait_until(lambda: stand(smsq, message_id) == ("waiting", 2, 1, "rejected"), 10, "it waits")
    assert api.status(message_id).json["error_advice"] == "Be patient."
    change(21614, "--action", "slow_down")
    message_id = api.accepted(**answer)
    wait_until(lambda: stand(smsq, message_id) == ("waiting", 2, 0, "not_processed"), 10,
               "it waits")


def test_an_opt_out_is_noted(smsq, api):
    message_id = api.accepted(to="+15005550004")
    api.wait_for(message_id, "failed")
    assert decided(smsq, message_id) == [(1, "opt_out", "rejected, HTTP 400, code 21610")]
    assert any(line["event"] == "opt_out_reported" and line["message_id"] == message_id
               for name in smsq.stack.parts() if name.startswith("worker")
               for line in smsq.stack.log_lines(name))


def wait_by_retry(smsq, api, arm, to):
    arm(kind="undelivered", error_code=30003, count=1, to=to)
    return api.accepted(to=to)


def wait_by_hold(smsq, api, arm, to):
    assert smsq.stack.smsq("switch", "sender", HELD, "off").returncode == 0
    time.sleep(1.2)  # both workers have read it
    return api.accepted(to=to, **{"from": HELD})


def wait_by_schedule(smsq, api, arm, to):
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
    return api.accepted(to=to, send_at=at)


def wait_by_doubt(smsq, api, arm, to):
    """It is sent again after 30 s, were it not for the mover, who stands still."""
    arm(kind="reset", count=1, to=to)
    return api.accepted(to=to, **{"class": "emergency"})


@pytest.fixture
def frozen_mover(smsq):
    """Nothing that is due goes out, whatever its cause."""
    os.kill(smsq.stack.pids["scheduler"], signal.SIGSTOP)
    yield
    os.kill(smsq.stack.pids["scheduler"], signal.SIGCONT)
    smsq.stack.smsq("switch", "sender", HELD, "on")
    smsq.db.rows("delete from switches")


@pytest.mark.parametrize(("kind", "begin", "lane", "sent"), [
    ("retry", wait_by_retry, "normal", 1), ("hold", wait_by_hold, "normal", 0),
    ("schedule", wait_by_schedule, "normal", 0), ("doubt", wait_by_doubt, "urgent", 0)])
def test_an_old_record_during_any_wait_changes_nothing(smsq, api, arm, tmp_path, frozen_mover,
                                                       kind, begin, lane, sent):
    to = fresh_number()
    message_id = begin(smsq, api, arm, to)
    wait_until(lambda: stand(smsq, message_id)[:2] == ("waiting", 2), 60, "it waits")
    assert smsq.db.rows("select turn, kind from delayed where message_id = %s",
                        message_id) == [(2, kind)]
    tables = "select m::text, (select d::text from delayed d where d.message_id = m.message_id)," \
             " (select string_agg(a::text, ' ') from attempts a" \
             "   where a.message_id = m.message_id) from messages m where m.message_id = %s"
    before = smsq.db.rows(tables, message_id)
    replay(smsq, tmp_path, message_id, "sms.jobs." + lane)
    stays_true(lambda: smsq.db.rows(tables, message_id) == before, 1, "nothing has changed")
    assert len(posts(smsq, to)) == sent


def test_the_page_of_codes_is_the_table(smsq):
    page = (TREE / "docs" / "error_codes.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+) \| (\w+) \| (\w+) \| (\d*) \| (\d*) \| (yes)? ?\| (.*) \| (.*) \|$",
                      page, re.MULTILINE)
    assert rows == [tuple("" if cell is None else str(cell) for cell in row)
                    for row in smsq.db.rows(
        "select code, shows, action, least_wait_s, tries_max,"
        " case when opt_out then 'yes' end, meaning, advice from error_codes order by code")]
