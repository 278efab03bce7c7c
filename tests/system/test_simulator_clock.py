"""The simulator's time, its queues, and that the same seed gives the same run."""

import email.utils
import json

import pytest

from simulator import SERVICE, Receiver, Simulator
from test_simulator import check_error

START = "2026-11-21T10:00:00Z"


@pytest.fixture
def start(tmp_path):
    running = []

    def start(**settings):
        folder = tmp_path / str(len(running))
        folder.mkdir()
        running.append(Simulator(folder, **settings))
        return running[-1]
    yield start
    for simulator in running:
        assert simulator.stop() == 0


def clock(sim, **form):
    answer = sim.ask("POST", "/_sim/clock", form, user=None)
    assert answer.status == 200, answer.body
    return answer.json


def test_a_standing_clock_moves_when_it_is_told(start):
    sim = start(clock_speed=0, clock_start=START, sent_delay="5m", delivered_delay="1h")
    sid = sim.create().json["sid"]
    assert sim.ask("GET", "/_sim/clock", user=None).json == {
        "now": "2026-11-21T10:00:00.000Z", "speed": 0, "waiting": 1,
        "next": "2026-11-21T10:05:00.000Z"}
    sim.advance("299s")
    assert sim.fetch(sid).json["status"] == "queued"
    assert sim.advance("1s")["now"] == "2026-11-21T10:05:00.000Z"
    message = sim.fetch(sid).json
    assert message["status"] == "sent"
    assert message["date_sent"] == "Sat, 21 Nov 2026 10:05:00 +0000"
    assert sim.advance("1d")["next"] is None
    message = sim.fetch(sid).json
    assert message["status"] == "delivered"
    assert message["date_updated"] == "Sat, 21 Nov 2026 11:00:00 +0000"


def test_a_fast_clock_brings_an_hour_in_seconds(start):
    sim = start(clock_speed=10000, sent_delay="30m", delivered_delay="1h")
    sent = email.utils.parsedate_to_datetime(
        sim.wait_status(sim.create().json["sid"], "delivered")["date_sent"])
    assert sent is not None
    assert clock(sim, speed="1")["speed"] == 1


@pytest.mark.parametrize("form", [{"speed": "fast"}, {"speed": "-1"}, {"speed": "1000001"},
                                  {"advance": "soon"}, {"advance": "401d"}])
def test_a_clock_is_not_set_to_nonsense(start, form):
    assert start().ask("POST", "/_sim/clock", form, user=None).status == 400


# --- queues ---

def test_a_sender_has_a_rate_and_its_queue_an_end(start):
    sim = start(clock_speed=0, rate_long_code=1, queue_max="10s", sent_delay="0s",
                delivered_delay="0s")
    sids = [sim.create(From="+14155550007").json["sid"] for _ in range(10)]
    check_error(sim.create(From="+14155550007"), 400, 21611)
    late = sim.create(MessagingServiceSid=SERVICE).json["sid"]  # of another number
    sim.advance("3s")
    assert [sim.fetch(sid).json["status"] for sid in sids] == ["delivered"] * 4 + ["queued"] * 6
    assert sim.fetch(late).json["status"] == "delivered"
    assert sim.create(From="+14155550007").status == 201


def test_a_service_takes_what_its_queue_cannot_and_fails_it_later(start):
    sim = start(clock_speed=0, rate_long_code=1, queue_max="2s")
    sids = [sim.create(MessagingServiceSid=SERVICE).json["sid"] for _ in range(4)]
    sim.advance("1h")
    messages = [sim.fetch(sid).json for sid in sids]
    assert [m["error_code"] for m in messages] == [None, None, 30001, 30001]
    assert [m["status"] for m in messages[2:]] == ["failed", "failed"]


def test_what_waits_longer_than_it_is_valid_fails(start):
    sim = start(clock_speed=0, rate_long_code=1)
    for _ in range(5):
        sim.create(From="+14155550007")
    sid = sim.create(From="+14155550007", ValidityPeriod="4").json["sid"]
    sim.advance("3s")
    assert sim.fetch(sid).json["status"] == "queued"
    sim.advance("2s")
    message = sim.fetch(sid).json
    assert (message["status"], message["error_code"]) == ("failed", 30036)


# --- the same again ---

def run_of(sim, receiver):
    """What a client sees of a hundred creates, half of them with faults."""
    seen = []
    for i in range(100):
        form = {"MessagingServiceSid": SERVICE} if i % 3 else {}
        answer = sim.create(To=f"+1415555{1000 + i % 7}", Body=f"number {i}",
                            StatusCallback=receiver.url + f"/?m={i}", **form)
        seen.append((answer.status, answer.json.get("sid"), answer.json.get("date_created")))
        sim.advance("250ms")
    sim.advance("1h")
    sim.wait_ledger(callbacks_pending=0)
    rows = sim.ask("GET", "/_sim/messages?limit=1000", user=None).json["messages"]
    faults = sim.ask("GET", "/_sim/faults", user=None).json
    ledger = sim.ledger()
    heard = sorted((c.params["MessageSid"], c.status) for c in receiver.callbacks)
    return seen, rows, faults, ledger, heard


def test_the_same_seed_and_input_give_the_same_run(start):
    faults = " ".join([
        "kind=error&probability=0.1", "kind=error&status=503&accepts=yes&probability=0.1",
        "kind=lost&probability=0.2", "kind=repeated&probability=0.2",
        "kind=late&delay=10s&probability=0.2", "kind=failed&probability=0.1",
        "kind=undelivered&probability=0.1", "kind=reordered&probability=0.1"])
    runs = []
    for seed in ("seven", "seven", "eight"):
        receiver = Receiver()
        sim = start(seed=seed, faults=faults, clock_speed=0, clock_start=START,
                    rate_long_code=1, queue_max="5s")
        runs.append(run_of(sim, receiver))
        receiver.close()
    assert json.dumps(runs[0]) == json.dumps(runs[1])
    assert runs[0][0] != runs[2][0] and runs[0][3] != runs[2][3]
    assert all(rule["bitten"] > 0 for rule in runs[0][2]["rules"])
