"""Workers that freeze or die, and programs that stand still while others go on.

A worker's settings are shortened here: it is dead after 1.5 s instead of 15, and its claims are in
doubt 8.7 s after they were made instead of 45. It is the same code; `./dev chaos` has the true times."""

import contextlib
import os
import signal
import socket
import time
import urllib.parse

import pytest

from api import request
from stack import metric, read_log, wait_until

SHORT = ("--worker.in_flight=4", "--worker.heartbeat_interval=100ms",
         "--worker.total_timeout=5s")
CLAIM_S = 3  # an older one is not posted
DEAD_S = 1.5
RESCUED_S = 3 + 5 + 0.7
LEASE_S = 10
SESSION_S = 10  # of a Kafka group


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


def stop(process):
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0


@contextlib.contextmanager
def frozen(process_id):
    os.kill(process_id, signal.SIGSTOP)
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process_id, signal.SIGCONT)


@contextlib.contextmanager
def only_worker(smsq, log, *flags):
    for name in ("worker-1", "worker-2"):
        smsq.stack.kill(name, signal.SIGTERM)
    with child(smsq, log, "smsq-worker", "--worker.admin_port=0", *flags) as process:
        wait_until(lambda: metric(
            process.url, 'smsq_kafka_assignments_total{topic="sms.jobs.normal"}') > 0, 30,
            "it has partitions")
        process.log = log
        yield process
    smsq.stack.up()


@pytest.fixture
def worker(smsq, tmp_path):
    """The only worker, with short times."""
    with only_worker(smsq, tmp_path / "worker.log", *SHORT) as process:
        yield process


class Busy:
    """A Twilio whose queue of connections is full, so that the next one waits outside."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=0)
        self.socket.settimeout(20)
        self.port = self.socket.getsockname()[1]
        self.others = []
        for _ in range(4):
            other = socket.socket()
            other.setblocking(False)
            other.connect_ex(("127.0.0.1", self.port))
            self.others.append(other)

    def take(self):
        """Lets all in, and returns the line of somebody else than us; then nobody more."""
        ours = {other.getsockname()[1] for other in self.others}
        with self.socket:
            while (accepted := self.socket.accept())[1][1] in ours:
                accepted[0].close()
        for other in self.others:
            other.close()
        accepted[0].settimeout(10)
        return accepted[0]


def fault(smsq, method="POST", **rule):
    answer = request(f"{smsq.sim.url}/_sim/faults", method,
                     urllib.parse.urlencode(rule) if rule else None,
                     {"Content-Type": "application/x-www-form-urlencoded"})
    assert answer.status in (200, 201, 204), answer


def count(smsq, ids, what):
    return smsq.db.one("select count(*) from messages where message_id = any(%s::uuid[])"
                       f" and {what}", list(ids))


def give_work(smsq, api, delay):
    """Messages of which four are being posted and the others wait for a slot."""
    smsq.sim.switch(answer_delay=delay)
    ids = {api.accepted() for _ in range(30)}
    wait_until(lambda: count(smsq, ids, "true") == len(ids)
               and count(smsq, ids, "status = 'claimed'") >= 20
               and smsq.sim.ledger()["in_flight_max"] >= 4, 20, "it has work in hand")
    return ids


def wait_delivered(smsq, ids, within=60):
    wait_until(lambda: count(smsq, ids, "status = 'delivered'") == len(ids), within,
               f"all {len(ids)} are delivered")


def test_a_worker_that_was_frozen_sends_nothing_old_when_it_wakes(smsq, api, worker):
    ids = give_work(smsq, api, "2s")
    with frozen(worker.pid):
        claimed = count(smsq, ids, "status = 'claimed'")
        # They were claimed one after the other, and callbacks may overtake the four.
        wait_until(lambda: count(smsq, ids, "status = 'claimed'") == 0,
                   RESCUED_S + DEAD_S + 15, "all its claims are in doubt")
        doubted = count(smsq, ids, "status = 'in_doubt' and reason = 'worker_died'")
        assert doubted >= claimed - 4
        assert doubted <= smsq.db.one("select count(*) from decisions where kind = 'in_doubt'"
                                      " and reason = 'worker_died'"
                                      " and message_id = any(%s::uuid[])", list(ids))
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


def test_a_worker_frozen_on_its_way_to_twilio_posts_nothing_when_it_wakes(smsq, api, tmp_path):
    """Its connection stands while it is frozen: the gate is all that is left."""
    twilio = Busy()
    with only_worker(smsq, tmp_path / "log", f"--simulator.url=http://127.0.0.1:{twilio.port}",
                     "--worker.connect_timeout=30s") as process:
        message_id = api.accepted()
        wait_until(lambda: metric(process.url, "smsq_posts_in_flight") == 1, 10, "it dials")
        with frozen(process.pid):
            line = twilio.take()
            time.sleep(CLAIM_S + 0.5)
        with line:
            assert line.recv(1) == b""
        wait_until(lambda: count(smsq, [message_id], "turn > 1 and tries = 0") == 1, 10,
                   "it is given back")
        assert metric(process.url, 'smsq_gate_refusals_total{reason="old_claim"}') == 1
        assert smsq.db.one("select count(*) from attempts where message_id = %s", message_id) == 0
        stop(process)
    assert api.wait_for(message_id, within=90)["status"] == "delivered"
    assert set(smsq.sim.by_message_id()) == {message_id}


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


def lease(url, name):
    return metric(url, f'smsq_lease_held{{lease="{name}"}}') == 1


def test_a_frozen_status_consumer_stops_nobody(smsq, api, worker, tmp_path):
    """Neither the rescue, which one does by lease, nor callbacks, whose partitions move."""
    holder = smsq.stack.admin_url("status-consumer")
    wait_until(lambda: lease(holder, "rescuer"), 20, "it has the lease")
    with child(smsq, tmp_path / "status.log", "smsq-status-consumer",
               "--status.admin_port=0") as other:
        with frozen(smsq.stack.pids["status-consumer"]):
            ids = give_work(smsq, api, "3s")
            claimed = count(smsq, ids, "status = 'claimed'")
            worker.kill()
            worker.wait()
            smsq.sim.switch(answer_delay="0s")
            wait_until(lambda: lease(other.url, "rescuer"), LEASE_S + 5, "the other has it")
            wait_until(lambda: metric(other.url, "smsq_claims_rescued_total") >= claimed - 4,
                       RESCUED_S + DEAD_S + 15, "the other rescues")
            with child(smsq, tmp_path / "next.log", "smsq-worker",
                       "--worker.admin_port=0") as another:
                later = api.accepted()
                assert api.wait_for(later, within=SESSION_S + 40)["status"] == "delivered"
                stop(another)
        stop(other)
    wait_until(lambda: lease(holder, "rescuer"), LEASE_S + 5, "it takes the lease again")


def test_a_frozen_scheduler_stops_nobody(smsq, api, tmp_path):
    with child(smsq, tmp_path / "scheduler.log", "smsq-scheduler",
               "--scheduler.admin_port=0") as other:
        for pid in (smsq.stack.pids["scheduler"], other.pid):
            with frozen(pid):
                fault(smsq, kind="error", status=429, error_code=20429, count=5)
                ids = {api.accepted() for _ in range(10)}
                wait_delivered(smsq, ids, LEASE_S + 40)
                assert count(smsq, ids, "turn = 2") == 5, "these were moved meanwhile"
            fault(smsq, "DELETE")
        stop(other)


def test_a_worker_whose_twilio_hangs_stops_in_time_with_everything_recorded(smsq, api, worker):
    ids = give_work(smsq, api, "60s")
    worker.send_signal(signal.SIGTERM)
    wait_until(lambda: count(smsq, ids, "status = 'claimed'") <= 4, 5, "the others are given back")
    assert worker.wait(30) == 0
    assert count(smsq, ids, "status = 'claimed'") == 0
    assert read_log(worker.log)[-1]["event"] == "process_down"


def test_a_second_signal_ends_a_worker_at_once_and_it_says_what_it_left(smsq, api, worker):
    give_work(smsq, api, "60s")
    worker.send_signal(signal.SIGTERM)
    wait_until(lambda: events(worker.log, "stop_begun"), 5, "it stops")
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(3) == 1
    last = read_log(worker.log)[-1]
    assert last["event"] == "program_failed"
    assert "POSTs in flight 4" in last["reason"], last


@pytest.mark.parametrize("program", ["producer", "scheduler", "webhook-receiver", "status-consumer",
                                     "worker", "twilio-simulator"])
def test_each_programs_exit_code_says_that_it_drained(smsq, tmp_path, program):
    group = {"webhook-receiver": "receiver", "status-consumer": "status",
             "twilio-simulator": "simulator"}.get(program, program)
    flags = [f"--{group}.admin_port=0"]
    if program in ("producer", "webhook-receiver", "twilio-simulator"):
        flags.append(f"--{group}.port=0")
    with child(smsq, tmp_path / "log", f"smsq-{program}", *flags) as process:
        stop(process)
    assert read_log(tmp_path / "log")[-1]["event"] == "process_down"
