"""What the simulator does wrong on purpose: each fault by rule, by number, by chance."""

import base64
import http.client
import json
import re
import socket
import time
import urllib.parse

import pytest
from twilio.request_validator import RequestValidator

from simulator import (  # receiver is a fixture
    ACCOUNT, SERVICE, TOKEN, TREE, Simulator, receiver, wait_for)
from test_simulator import CALM, check_error


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    simulator = Simulator(tmp_path_factory.mktemp("simulator"), seed="faults",
                          callback_retry_delay="50ms")
    yield simulator
    assert simulator.stop() == 0


@pytest.fixture
def sim(shared):
    shared.ask("DELETE", "/_sim/faults", user=None)
    shared.reset()
    shared.switch(**CALM)
    return shared


def arm(sim, **rule):
    answer = sim.ask("POST", "/_sim/faults", rule, user=None)
    assert answer.status == 200, answer.body
    return answer.json["rules"][-1]


def rules(sim):
    return sim.ask("GET", "/_sim/faults", user=None).json["rules"]


def magic(sim, kind):
    kinds = sim.ask("GET", "/_sim/faults", user=None).json["kinds"]
    return next(row["magic_to"] for row in kinds if row["kind"] == kind)


def bitten(sim, kind):
    kinds = sim.ask("GET", "/_sim/faults", user=None).json["kinds"]
    return next(row["bitten"] for row in kinds if row["kind"] == kind)


BASIC = "Basic " + base64.b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()


class Broken(Exception):
    """The connection ended without a whole answer."""


def create(sim, connection=None, timeout=5, **form):
    """A create over a connection of its own, or over one that is kept."""
    mine = connection or http.client.HTTPConnection(sim.url.split("//")[1], timeout=timeout)
    form = {"To": "+14155550100", "From": "+15005550006", "Body": "Hello", **form}
    try:
        mine.request("POST", sim.messages + ".json", urllib.parse.urlencode(form),
                     {"Authorization": BASIC,
                      "Content-Type": "application/x-www-form-urlencoded"})
        answer = mine.getresponse()
        body = answer.read()
        return answer.status, answer.headers, body
    except (ConnectionError, http.client.HTTPException, TimeoutError) as error:
        raise Broken(type(error).__name__) from error
    finally:
        if not connection:
            mine.close()


# --- answers ---

@pytest.mark.parametrize("kind,accepts", [
    ("cut", "yes"), ("cut", "no"), ("reset", "yes"), ("reset", "no"), ("hang", "yes"),
    ("hang", "no"), ("truncated", "yes")])
def test_an_answer_that_does_not_come(sim, kind, accepts):
    delay = {"delay": "100ms"} if kind == "hang" else {}
    arm(sim, kind=kind, accepts=accepts, **delay)
    began = time.monotonic()
    with pytest.raises(Broken):
        create(sim)
    assert kind != "hang" or time.monotonic() - began >= 0.1
    assert sim.ledger()["creates"] == (accepts == "yes")
    assert rules(sim)[0]["bitten"] == 1 and bitten(sim, kind) == 1


def test_only_a_connection_that_was_used_is_cut(sim):
    arm(sim, kind="cut_reused", accepts="no")
    connection = http.client.HTTPConnection(sim.url.split("//")[1], timeout=5)
    assert create(sim, connection)[0] == 201
    with pytest.raises(Broken):
        create(sim, connection)
    connection.close()
    assert create(sim)[0] == 201
    assert sim.ledger()["creates"] == 2 and rules(sim)[0]["bitten"] == 1


def test_an_error_with_and_without_accepting(sim):
    arm(sim, kind="error", status=503, count=1)
    arm(sim, kind="error", status=500, accepts="yes", count=1)
    arm(sim, kind="error", status=429, retry_after=7, count=1)
    arm(sim, kind="error", status=401, count=1)
    for status, code, creates in ((503, 20503, 0), (500, 20500, 1), (429, 20429, 1),
                                  (401, 20003, 1)):
        got, headers, body = create(sim)
        assert (got, json.loads(body)["code"]) == (status, code), body
        assert headers["Retry-After"] == ("7" if status == 429 else None)
        assert sim.ledger()["creates"] == creates
    assert create(sim)[0] == 201


@pytest.mark.parametrize("kind,accepted", [
    ("html", 0), ("malformed", 1), ("huge", 1), ("wrong_type", 1), ("no_sid", 1), ("redirect", 0)])
def test_an_answer_that_nobody_can_read(sim, kind, accepted):
    arm(sim, kind=kind, **({"bytes": 3000000} if kind == "huge" else {}))
    status, headers, body = create(sim)
    assert sim.ledger()["creates"] == accepted
    if kind == "html":
        assert status == 502 and headers["Content-Type"] == "text/html" and b"<html>" in body
    elif kind == "redirect":
        assert status == 307 and "elsewhere.invalid" in headers["Location"]
    elif kind == "malformed":
        assert status == 201
        with pytest.raises(json.JSONDecodeError):
            json.loads(body)
    elif kind == "huge":
        assert status == 201 and len(body) == 3000000 and json.loads(body)["sid"]
    elif kind == "wrong_type":
        assert headers["Content-Type"] == "text/plain" and json.loads(body)["sid"]
    else:
        assert status == 201 and "sid" not in json.loads(body)


def test_a_slow_answer_and_one_that_callbacks_overtake(sim, receiver):
    arm(sim, kind="slow", delay="300ms", count=1)
    arm(sim, kind="overtaken", delay="10s", count=1)
    began = time.monotonic()
    assert create(sim)[0] == 201
    assert time.monotonic() - began >= 0.3
    assert create(sim, timeout=9, StatusCallback=receiver.url + "/")[0] == 201
    assert receiver.statuses()[:1] == ["sent"]


def test_lists_and_fetches_have_faults_of_their_own(sim):
    sid = sim.create().json["sid"]
    arm(sim, kind="error", on="list", status=500, count=1)
    arm(sim, kind="error", on="fetch", status=404, count=1)
    arm(sim, kind="empty_list", count=1)
    check_error(sim.ask("GET", sim.messages + ".json"), 500, 20500)
    check_error(sim.fetch(sid), 404, 20404)
    assert sim.ask("GET", sim.messages + ".json").json["messages"] == []
    assert len(sim.ask("GET", sim.messages + ".json").json["messages"]) == 1
    assert sim.fetch(sid).status == 200


def test_a_list_lags(tmp_path):
    sim = Simulator(tmp_path, clock_speed=0, list_lag="10m")
    try:
        first = sim.create().json["sid"]
        sim.advance("9m")
        sim.create()
        assert sim.ask("GET", sim.messages + ".json").json["messages"] == []
        sim.advance("1m")
        page = sim.ask("GET", sim.messages + ".json?To=%2B14155550100").json
        assert [m["sid"] for m in page["messages"]] == [first]
        assert sim.fetch(first).status == 200
    finally:
        assert sim.stop() == 0


# --- callbacks ---

def test_callbacks_are_lost_late_and_repeated(sim, receiver):
    arm(sim, kind="lost", status_is="sent", count=1)
    arm(sim, kind="repeated", times=3, status_is="delivered", count=1)
    arm(sim, kind="late", delay="1s", status_is="sent", count=1)
    sim.create(StatusCallback=receiver.url + "/")
    receiver.wait(3)
    assert receiver.statuses() == ["delivered"] * 3
    sim.create(StatusCallback=receiver.url + "/")
    receiver.wait(4)
    assert sim.ledger()["callbacks_pending"] >= 1  # the late one
    receiver.wait(5)
    assert receiver.statuses()[3:] == ["delivered", "sent"]
    sim.wait_ledger(callbacks_pending=0, callbacks_sent=5)
    assert [rule["bitten"] for rule in rules(sim)] == [1, 1, 1]


def test_callbacks_of_one_message_come_in_reverse(tmp_path, receiver):
    sim = Simulator(tmp_path, callbacks_in_flight=1, faults="kind=reordered&nth=2")
    try:
        for count in (3, 6):
            sim.create(MessagingServiceSid=SERVICE, StatusCallback=receiver.url + "/")
            receiver.wait(count)
        assert receiver.statuses() == ["queued", "sent", "delivered",
                                       "delivered", "sent", "queued"]
    finally:
        assert sim.stop() == 0


def test_a_signature_is_wrong(sim, receiver):
    arm(sim, kind="wrong_signature", status_is="sent")
    sim.create(StatusCallback=receiver.url + "/")
    sent, delivered = receiver.wait(2)
    validator = RequestValidator(TOKEN)
    for callback, is_right in ((sent, False), (delivered, True)):
        assert validator.validate(receiver.url + "/", callback.params,
                                  callback.headers["X-Twilio-Signature"]) == is_right


@pytest.mark.parametrize("kind,fragment,tries,sent,failed", [
    ("unreachable", "", 1, 1, 0), ("unreachable", "#rc=0", 0, 0, 1),
    ("unheard", "#rp=rt", 2, 1, 0), ("unheard", "", 1, 0, 1)])
def test_a_try_finds_nobody_or_its_answer_is_not_heard(sim, receiver, kind, fragment, tries, sent,
                                                       failed):
    sim.switch(delivered_delay="1h")
    arm(sim, kind=kind)
    sim.create(StatusCallback=receiver.url + "/" + fragment)
    sim.wait_ledger(callbacks_sent=sent, callbacks_failed=failed, callbacks_pending=0)
    assert len(receiver.callbacks) == tries


# --- messages ---

def test_messages_fail_are_not_delivered_or_stay_sent(sim, receiver):
    numbers = [magic(sim, kind) for kind in ("failed", "undelivered", "stuck")]
    sids = [sim.create(To=to, StatusCallback=receiver.url + "/").json["sid"] for to in numbers]
    failed = sim.wait_status(sids[0], "failed")
    assert failed["error_code"] == 30008 and failed["price"] is None
    undelivered = sim.wait_status(sids[1], "undelivered")
    assert undelivered["error_code"] == 30003 and undelivered["price"]
    wait_for("the price", lambda: sim.fetch(sids[2]).json["price"])
    assert sim.fetch(sids[2]).json["status"] == "sent"
    receiver.wait(4)
    by_sid = {sid: [c.status for c in receiver.callbacks if c.params["MessageSid"] == sid]
              for sid in sids}
    assert list(by_sid.values()) == [["failed"], ["sent", "undelivered"], ["sent"]]
    assert {c.params.get("ErrorCode") for c in receiver.callbacks} == {None, "30008", "30003"}


# --- rules ---

def test_each_kind_has_a_number_that_stands_for_it(sim):
    numbers = [row["magic_to"] for row in sim.ask("GET", "/_sim/faults", user=None).json["kinds"]]
    assert len(set(numbers)) == len(numbers)
    assert all(re.fullmatch(r"\+150055590\d\d", number) for number in numbers)
    with pytest.raises(Broken):
        create(sim, To=magic(sim, "cut"))
    assert bitten(sim, "cut") == 1 and rules(sim) == []


def test_a_rule_bites_who_and_when_it_says(sim):
    arm(sim, kind="error", to="+14155550101", nth=2, count=2)
    arm(sim, kind="error", **{"from": "SHOP"}, status=502, account=ACCOUNT)
    got = [create(sim, To=to)[0] for to in ["+14155550101", "+14155550102"] * 5]
    assert got == [201, 201, 500, 201, 500, 201, 201, 201, 201, 201]
    assert create(sim, From="SHOP")[0] == 502
    first, second = rules(sim)
    assert (first["seen"], first["bitten"], second["bitten"]) == (5, 2, 1)
    assert sim.ask("DELETE", f"/_sim/faults?id={first['id']}", user=None).status == 204
    assert [rule["id"] for rule in rules(sim)] == [second["id"]]
    assert sim.ask("DELETE", "/_sim/faults?id=999999", user=None).status == 400


@pytest.mark.parametrize("rule", [
    {}, {"kind": "nothing"}, {"kind": "cut", "probability": "2"}, {"kind": "cut", "nth": "0"},
    {"kind": "slow", "delay": "soon"}, {"kind": "error", "status": "99"},
    {"kind": "cut", "accepts": "maybe"}, {"kind": "cut", "on": "callback"},
    {"kind": "lost", "on": "create"}, {"kind": "cut", "unknown": "1"},
    {"kind": "cut", "to": "+" + "1" * 100}])
def test_a_rule_that_makes_no_sense_is_refused(sim, rule):
    answer = sim.ask("POST", "/_sim/faults", rule, user=None)
    assert answer.status == 400 and answer.json["detail"]
    assert rules(sim) == []


def post_without_waiting(sim):
    host, port = sim.url.split("//")[1].split(":")
    body = "To=%2B14155550100&From=%2B15005550006&Body=Hello"
    sock = socket.create_connection((host, int(port)))
    sock.sendall((f"POST {sim.messages}.json HTTP/1.1\r\nHost: {host}\r\n"
                  f"Authorization: {BASIC}\r\nContent-Length: {len(body)}\r\n"
                  "Content-Type: application/x-www-form-urlencoded\r\n\r\n" + body).encode())
    sock.settimeout(5)
    return sock


def test_requests_beyond_the_limit_are_not_processed(sim):
    sim.switch(in_flight_max=2, answer_delay="1s")
    sockets = [post_without_waiting(sim) for _ in range(2)]
    sim.wait_ledger(creates=2)
    answer = sim.create()
    check_error(answer, 429, 20429)
    assert answer.headers["Twilio-Concurrent-Requests"] == "3"
    assert sim.ledger()["creates"] == 2
    sim.switch(answer_delay="0s")
    for sock in sockets:
        assert sock.recv(20).startswith(b"HTTP/1.1 201")
        sock.close()
    assert sim.create().status == 201
    sim.switch(in_flight_max=0)


def test_the_document_lists_the_kinds_that_there_are(sim):
    text = (TREE / "docs/simulator_faults.md").read_text()
    listed = re.findall(r"^\| `(\w+)` \|.*\| (\+150055590\d\d) \|$", text, re.MULTILINE)
    kinds = sim.ask("GET", "/_sim/faults", user=None).json["kinds"]
    assert listed == [(row["kind"], row["magic_to"]) for row in kinds]
