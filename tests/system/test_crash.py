"""A worker that dies or is stopped with work in hand."""

import signal

from stack import metric, read_log, stays_true, wait_until

IN_FLIGHT = 64  # worker.in_flight
COMMIT_S = 1  # how often offsets are committed


def claimed_by(smsq, pid):
    """What stands claimed under any epoch that this process had."""
    return {message_id for (message_id,) in smsq.db.rows(
        "select message_id::text from messages join workers on epoch = claimed_epoch"
        " where pid = %s and status = 'claimed'", pid)}


def doubtful(smsq, ids):
    return {message_id for (message_id,) in smsq.db.rows(
        "select message_id::text from messages where message_id = any(%s::uuid[])"
        " and status = 'in_doubt'", list(ids))}


def held_by(url):
    return metric(url, "smsq_jobs_held")


def send(api, count):
    answers = api.send_many({"to": f"+1415{3000000 + n}", "body": f"work {n}"}
                            for n in range(count))
    assert {answer.status for answer in answers} == {202}
    return {answer.json["id"] for answer in answers}


def test_a_worker_killed_with_work_in_hand_sends_nothing_twice_and_loses_nothing(smsq, api):
    pid = smsq.stack.pids["worker-1"]
    smsq.sim.switch(answer_delay="3s")
    ids = send(api, 2000)
    wait_until(lambda: len(claimed_by(smsq, pid)) > 2 * IN_FLIGHT
               and smsq.sim.ledger()["in_flight_max"] > IN_FLIGHT, 20, "both have work in hand")
    smsq.stack.kill("worker-1")
    assert claimed_by(smsq, pid), "nothing was in hand: the kill proves nothing"
    smsq.sim.switch(answer_delay="0s")
    smsq.stack.up()

    wait_until(lambda: smsq.db.one(
        "select count(*) from messages where message_id = any(%s::uuid[])"
        " and status in ('delivered', 'in_doubt')", list(ids)) == len(ids), 60,
        "every message is delivered, or its POST had begun")
    smsq.sim.wait_quiet()
    # A callback may still raise one whose answer was lost.
    wait_until(lambda: set(smsq.sim.by_message_id()) == ids - doubtful(smsq, ids), 30,
               "Twilio has what is not in doubt")
    assert len(doubtful(smsq, ids)) <= IN_FLIGHT
    assert smsq.sim.ledger()["repeated_to_body"] == 0
    assert smsq.db.one(
        "select sum(amount_micros) from cost_entries where message_id = any(%s::uuid[])",
        list(ids)) == smsq.sim.ledger()["billed_micros"]


def test_workers_killed_before_postgresql_answered_a_claim_lose_nothing(smsq, api):
    wait_until(lambda: smsq.kafka.lag() == 0, 30, "every record is done")
    urls = [smsq.stack.admin_url(name) for name in ("worker-1", "worker-2")]
    with smsq.db.locked("messages"):
        ids = send(api, 300)
        wait_until(lambda: all(held_by(url) for url in urls), 10, "both have read records")
        stays_true(lambda: smsq.kafka.lag() == len(ids), 2.5 * COMMIT_S, "no record is done")
        for name in ("worker-1", "worker-2"):
            smsq.stack.kill(name)
    smsq.stack.up()
    wait_until(lambda: smsq.db.one(
        "select count(*) from messages where message_id = any(%s::uuid[])"
        " and status = 'delivered'", list(ids)) == len(ids), 60, "all are delivered")
    assert set(smsq.sim.by_message_id()) == ids


def start_worker(smsq, folder):
    """One more worker, as a child of the test: so its exit code is known."""
    with (folder / "worker.log").open("w") as log:
        worker = smsq.stack.program("smsq-worker", "--worker.admin_port=0", output=log)
    return worker


def events(folder, name):
    return [line for line in read_log(folder / "worker.log") if line["event"] == name]


def test_a_worker_that_is_stopped_finishes_what_it_began_and_gives_back_the_rest(smsq, api, tmp_path):
    worker = start_worker(smsq, tmp_path)
    try:
        up = wait_until(lambda: events(tmp_path, "process_up"), 10, "the worker is up")[0]
        url = f"http://127.0.0.1:{up['admin_port']}"
        wait_until(lambda: metric(
            url, 'smsq_kafka_assignments_total{topic="sms.jobs.normal"}') > 0, 30,
            "it has partitions")
        smsq.sim.switch(answer_delay="3s")
        ids = send(api, 1200)
        wait_until(lambda: held_by(url) > IN_FLIGHT, 20, "it has work in hand")
        worker.send_signal(signal.SIGTERM)
        held = held_by(url)
        smsq.sim.switch(answer_delay="200ms")
        assert worker.wait(60) == 0
    finally:
        worker.kill()
        worker.wait()
    assert held > 0, "nothing was in hand: the stop proves nothing"
    claimed = {line["message_id"] for line in events(tmp_path, "job_claimed")}
    assert not claimed_by(smsq, worker.pid)
    posted = smsq.db.one("select count(*) from attempts where message_id = any(%s::uuid[])"
                         " and turn = 1 and http_status = 201", list(claimed))
    given_back = smsq.db.one("select count(*) from decisions where message_id = any(%s::uuid[])"
                             " and turn = 1 and reason = 'never_began'", list(claimed))
    assert posted >= IN_FLIGHT and given_back > 0
    assert posted + given_back == len(claimed)
    smsq.sim.switch(answer_delay="0s")
    wait_until(lambda: smsq.db.one(
        "select count(*) from messages where message_id = any(%s::uuid[])"
        " and status = 'delivered'", list(ids)) == len(ids), 60, "all are delivered")
    assert set(smsq.sim.by_message_id()) == ids


def test_every_program_stops_cleanly_when_asked(smsq):
    """Each says so in its last line: code 0 of a program that ./dev started."""
    for name in ("producer", "scheduler", "webhook-receiver", "status-consumer", "worker-1",
                 "worker-2", "simulator"):
        smsq.stack.kill(name, signal.SIGTERM)
        lines = smsq.stack.log_lines(name)
        assert lines[-1]["event"] == "process_down", lines[-1]
        assert "program_failed" not in {line["event"] for line in lines}
    smsq.stack.up()
