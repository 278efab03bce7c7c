"""What stops sending and holds messages back: the simulator, which sees every request, says
how much was posted all the same."""

import json
import time
import urllib.parse

import pytest

from api import fresh_number, request
from stack import metric, stays_true, wait_until

NAME = "account/simulator"
OTHER = "+15005550001"  # not a sender that this simulator owns
MINE = "+14155550177"


@pytest.fixture
def held(smsq):
    """The stack; in the end nothing is held any more, and nothing goes wrong."""
    yield smsq
    fault(smsq, "DELETE")
    smsq.stack.smsq("switch", "emergency-only", "off")
    smsq.db.rows("delete from switches")  # and how often it had opened


def fault(system, method="POST", **form):
    answer = request(f"{system.sim.url}/_sim/faults", method,
                     urllib.parse.urlencode(form) if form else None,
                     {"Content-Type": "application/x-www-form-urlencoded"})
    assert answer.status in (200, 201, 204), answer
    return answer


def bitten(system):
    """How many requests met the fault: each is one that a worker really sent."""
    rules = request(f"{system.sim.url}/_sim/faults").json["rules"]
    return sum(rule["bitten"] for rule in rules)


def switch(system, *words):
    done = system.stack.smsq("switch", *words, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["switches"]


def state(system, name=NAME):
    rows = system.db.rows("select state from switches where name = %s", name)
    return rows[0][0] if rows else "closed"


def send_many(api, count, **fields):
    return [api.accepted(**fields) for _ in range(count)]


def workers(system):
    return [system.stack.admin_url(name) for name in ("worker-1", "worker-2")]


def in_status(system, ids, *statuses):
    return system.db.one("select count(*) from messages where message_id = any (%s::uuid[])"
                         " and status = any (%s)", ids, list(statuses))


def wait_all(system, ids, within=60):
    wait_until(lambda: in_status(system, ids, "queued", "sending", "sent", "delivered")
               == len(ids), within, "all are sent")


@pytest.mark.parametrize(("kind", "form"), [
    ("a token that was revoked", {"kind": "error", "status": 401, "error_code": 20003}),
    ("a suspended account", {"kind": "error", "status": 403, "error_code": 20005}),
    ("a proxy's page", {"kind": "html", "status": 404}),
    ("a way to another host", {"kind": "redirect"}),
])
def test_a_refused_account_stops_all_workers_and_burns_nothing(held, api, kind, form):
    ids = send_many(api, 20)
    wait_all(held, ids)
    fault(held, **form)
    ids = send_many(api, 60)
    wait_until(lambda: state(held) == "open", 10, f"{kind} stops the account")
    time.sleep(1.2)  # the other worker has read it now
    posted = bitten(held)
    late = send_many(api, 60)
    time.sleep(4)
    probes = bitten(held) - posted
    assert probes <= 2, "two seconds, then four: no more than two probes"
    assert held.db.one("select count(*) from messages where message_id = any (%s::uuid[])",
                       late) <= probes, "what came later stays in its lane"
    assert all(metric(url, 'smsq_breaker_open{account="simulator"}') == 1
               for url in workers(held))
    told = request(workers(held)[0] + "/readyz")
    assert told.status == 503 and "Twilio answered" in told.json["reason"]
    fault(held, "DELETE")
    (row,) = switch(held, "account", "on", "simulator")  # probes at once
    assert row["state"] == "open"
    wait_all(held, ids + late)
    assert state(held) == "closed"
    assert held.db.one("select max(tries) from messages where message_id = any (%s::uuid[])",
                       ids + late) == 0
    held.sim.by_message_id()


def test_a_storm_holds_the_account_and_a_probe_ends_it(held, api):
    fault(held, kind="error", status=503, error_code=20503)
    ids = send_many(api, 300)
    wait_until(lambda: state(held) == "open", 20, "the storm opens it")
    time.sleep(1.5)
    posted = bitten(held)
    assert posted < 300
    stays_true(lambda: bitten(held) <= posted + 2, 3, "probes only")
    fault(held, "DELETE")
    wait_until(lambda: state(held) == "closed", 30, "a probe goes well")
    wait_until(lambda: in_status(held, ids, "queued", "sending", "sent", "delivered",
                                 "in_doubt") == 300, 60, "all others are sent")
    assert posted <= in_status(held, ids, "in_doubt") <= posted + 5


def test_what_is_switched_off_waits_for_on(held, api):
    (row,) = switch(held, "account", "off", "simulator", "--reason", "the token is changed")
    assert row["reason"] == "the token is changed" and "@" in row["changed_by"]
    time.sleep(1.2)
    before = held.sim.ledger()["creates"]
    ids = send_many(api, 50)
    stays_true(lambda: held.sim.ledger()["creates"] == before, 3, "nothing is posted")
    assert [row["name"] for row in switch(held, "list")] == [NAME]
    switch(held, "account", "on", "simulator")
    wait_all(held, ids)
    assert switch(held, "list") == []


def test_a_sender_is_stopped_and_others_flow(held, api):
    switch(held, "sender", OTHER, "off")
    time.sleep(1.2)
    stopped, flows = [], []
    for _ in range(20):
        flows.append(api.accepted())
        stopped.append(api.accepted(**{"from": OTHER}))
    wait_all(held, flows)
    wait_until(lambda: in_status(held, stopped, "waiting") == 20, 10, "they are held")
    assert api.status(stopped[0]).json["status"] == "held"
    assert held.db.one("select count(*) from attempts where message_id = any (%s::uuid[])",
                       stopped) == 0
    assert sum(metric(url, "smsq_senders_stopped") for url in workers(held)) == 2
    switch(held, "sender", OTHER, "on")
    wait_until(lambda: in_status(held, stopped, "waiting") == 0, 30, "they go on")


def posted_by(system, sender):
    return sum(row["from"] == sender for row in system.sim.messages())


@pytest.mark.parametrize("code", [21659, 21660, 21667])
def test_a_code_about_a_sender_stops_that_sender_only(held, api, code):
    name = f"sender/{MINE}"
    fault(held, kind="error", status=400, error_code=code, **{"from": MINE})
    stopped = [api.accepted(**{"from": MINE}) for _ in range(10)]
    wait_until(lambda: state(held, name) == "open", 10, "it is stopped")
    time.sleep(1.2)
    tries = bitten(held)
    flows = send_many(api, 10)
    stopped += [api.accepted(**{"from": MINE}) for _ in range(10)]
    wait_all(held, flows)
    wait_until(lambda: in_status(held, stopped, "waiting") == 20, 10, "they are held")
    assert state(held) == "closed" and bitten(held) <= tries + 3
    (row,) = switch(held, "list")
    assert (row["name"], row["code"]) == (name, code)
    assert held.db.one("select max(tries) from messages where message_id = any (%s::uuid[])",
                       stopped) == 0
    fault(held, "DELETE")
    switch(held, "sender", MINE, "on")  # a probe finds out
    wait_all(held, stopped, within=120)
    assert state(held, name) == "closed"
    assert posted_by(held, MINE) == 20


def test_a_full_queue_at_twilio_stops_nobody(held, api):
    fault(held, kind="error", status=429, error_code=21611, retry_after=2, count=3,
          **{"from": MINE})
    ids = [api.accepted(**{"from": MINE}) for _ in range(6)]
    wait_all(held, ids)
    assert state(held, f"sender/{MINE}") == state(held) == "closed"
    assert held.db.one("select max(tries) from messages where message_id = any (%s::uuid[])",
                       ids) == 0


@pytest.mark.parametrize(("code", "name", "words"), [
    (30034, f"sender/{MINE}", ("sender", MINE, "on")),
    (30032, f"sender/{MINE}", ("sender", MINE, "on")),
    (30002, NAME, ("account", "on", "simulator")),
    (30037, NAME, ("account", "on", "simulator")),
])
def test_a_failure_reported_later_turns_it_off(held, api, code, name, words):
    to = fresh_number()
    fault(held, kind="undelivered", error_code=code, to=to, count=1)
    first = api.accepted(to=to, **{"from": MINE})
    wait_until(lambda: state(held, name) == "off", 20, "it is off")
    assert api.wait_for(first, "undelivered")["error_code"] == code
    (row,) = switch(held, "list")
    assert (row["name"], row["code"], row["changed_by"]) == (name, code, "smsq-status-consumer")
    assert str(code) in row["reason"]
    time.sleep(1.2)  # both workers have read it
    mine = [api.accepted(**{"from": MINE}) for _ in range(10)]
    if name != NAME:  # the others flow, and their 201s lift nothing
        wait_all(held, send_many(api, 10))
    stays_true(lambda: posted_by(held, MINE) == 1 and state(held, name) == "off", 3,
               "nothing of it is posted, and no probe")
    switch(held, *words)
    wait_all(held, mine)
    assert posted_by(held, MINE) == 11 and state(held, name) == "closed"


def test_emergency_only_holds_thousands_and_loses_none(held):
    api = held.new_api()
    switch(held, "emergency-only", "on", "--reason", "a flood")
    time.sleep(1.2)
    classes = ("transactional", "marketing", "otp")
    ids = [answer.json["id"] for answer in api.send_many(
        {"to": fresh_number(), "body": "hello", "class": classes[i % 3]} for i in range(3000))]
    emergencies = send_many(api, 20, **{"class": "emergency"})
    wait_all(held, emergencies, within=20)
    assert held.sim.ledger()["creates"] == 20
    assert held.db.one("select count(*) from messages where class <> 'otp'"
                       " and message_id = any (%s::uuid[])", ids) == 0, "lanes are not read"
    assert all(metric(url, "smsq_emergency_only") == 1 for url in workers(held))
    switch(held, "emergency-only", "off")
    wait_all(held, ids, within=90)
    assert held.sim.ledger()["creates"] == 3020
    held.sim.by_message_id()
