"""Workers that freeze or die with work in hand.

A worker's settings are shortened here: it is dead after 1.5 s instead of 15, and its claims are in
doubt 8.7 s after they were made instead of 45."""

import contextlib
import os
import signal
import time

import pytest

from stack import metric, read_log, wait_until

SHORT = ("--worker.admin_port=0", "--worker.in_flight=4", "--worker.heartbeat_interval=100ms",
         "--worker.total_timeout=5s")
DEAD_S = 1.5
RESCUED_S = 3 + 5 + 0.7


def events(log, name):
    return [line for line in read_log(log) if line["event"] == name]


@contextlib.contextmanager
def child(smsq, log, program, *flags):
    """One more program, as a child of the test; it may be frozen at the end."""
    with log.open("w") as out:
        process = smsq.stack.program(program, *flags, output=out)
    try:
        up = wait_until(lambda: events(log, "process_up"), 20, f"{program} is up")[0]
        process.url = f"http://127.0.0.1:{up['admin_port']}"
        yield process
    finally:
        process.kill()
        process.wait()


@contextlib.contextmanager
def frozen(process_id):
    os.kill(process_id, signal.SIGSTOP)
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process_id, signal.SIGCONT)


@pytest.fixture
def worker(smsq, tmp_path):
    """The only worker, with short times, and work in hand: in flight, and not begun."""
    for name in ("worker-1", "worker-2"):
        smsq.stack.kill(name, signal.SIGTERM)
    with child(smsq, tmp_path / "worker.log", "smsq-worker", *SHORT) as process:
        wait_until(lambda: metric(
            process.url, 'smsq_kafka_assignments_total{topic="sms.jobs.normal"}') > 0, 30,
            "it has partitions")
        process.log = tmp_path / "worker.log"
        yield process
    smsq.stack.up()


def count(smsq, ids, what):
    return smsq.db.one("select count(*) from messages where message_id = any(%s::uuid[])"
                       f" and {what}", list(ids))


def give_work(smsq, api, delay):
    """Messages of which four are being posted and the others wait for a slot."""
    smsq.sim.switch(answer_delay=delay)
    ids = {api.accepted() for _ in range(30)}
    wait_until(lambda: count(smsq, ids, "status = 'claimed'") >= 20
               and smsq.sim.ledger()["in_flight_max"] >= 4, 20, "it has work in hand")
    return ids


def wait_delivered(smsq, ids, within=60):
    wait_until(lambda: count(smsq, ids, "status = 'delivered'") == len(ids), within,
               f"all {len(ids)} are delivered")


def test_a_worker_that_was_frozen_sends_nothing_old_when_it_wakes(smsq, api, worker):
    ids = give_work(smsq, api, "2s")
    with frozen(worker.pid):
        claimed = count(smsq, ids, "status = 'claimed'")
        wait_until(lambda: count(smsq, ids, "status = 'in_doubt' and reason = 'worker_died'")
                   >= claimed - 4, RESCUED_S + DEAD_S + 15, "its claims are in doubt")
        assert count(smsq, ids, "status = 'claimed'") == 0
        assert smsq.db.one("select count(*) from decisions where kind = 'in_doubt'"
                           " and reason = 'worker_died' and message_id = any(%s::uuid[])",
                           list(ids)) == claimed
        began = set(smsq.sim.by_message_id())
        smsq.sim.switch(answer_delay="0s")
    wait_until(lambda: events(worker.log, "epoch_buried"), 20, "it knows that it was buried")
    wait_delivered(smsq, ids)
    smsq.sim.wait_quiet()
    assert set(smsq.sim.by_message_id()) == ids, "each exactly once"
    first = {row[0] for row in smsq.db.rows(
        "select message_id::text from attempts where turn = 1"
        " and message_id = any(%s::uuid[])", list(ids))}
    assert first <= began, "a claim of before the freeze was posted after it"
    assert count(smsq, ids, "turn = 2") == len(ids - began) >= 16
    assert smsq.sim.ledger()["repeated_to_body"] == 0


def test_a_dead_workers_claims_are_found_without_its_disk(smsq, api, worker):
    ids = give_work(smsq, api, "3s")
    claimed = count(smsq, ids, "status = 'claimed'")
    worker.kill()
    worker.wait()
    killed_at = time.monotonic()
    wait_until(lambda: count(smsq, ids, "status = 'in_doubt' and reason = 'worker_died'")
               >= claimed - 4, RESCUED_S + DEAD_S + 15, "its claims are in doubt")
    assert time.monotonic() - killed_at > RESCUED_S - 3, "sooner than its POSTs could end"
    smsq.sim.switch(answer_delay="0s")
    smsq.stack.up()
    wait_until(lambda: count(smsq, ids, "status in ('delivered', 'in_doubt')") == len(ids), 60,
               "all others are delivered")
    smsq.sim.wait_quiet()
    assert set(smsq.sim.by_message_id()) <= ids
    assert smsq.sim.ledger()["repeated_to_body"] == 0
