"""Workers that are killed, and what the next one knows from their journals."""

import subprocess

from stack import TREE, clean_environment, metric, read_log, wait_until

IN_FLIGHT = 64  # worker.in_flight
WORKERS = ("worker-1", "worker-2")


def send(api, count, prefix=5000000):
    answers = api.send_many({"to": f"+1415{prefix + n}", "body": f"work {n}"}
                            for n in range(count))
    assert {answer.status for answer in answers} == {202}
    return {answer.json["id"] for answer in answers}


def admin_urls(smsq):
    return [smsq.stack.admin_url(name) for name in WORKERS]


def total(urls, series):
    return sum(metric(url, series) for url in urls)


def ids_with(smsq, ids, condition):
    return {message_id for (message_id,) in smsq.db.rows(
        "select message_id::text from messages where message_id = any(%s::uuid[])"
        f" and {condition}", list(ids))}


def journals(smsq):
    return sorted((smsq.stack.run / "state").glob("slot-*/journal-*"))


def kill_with_all_kinds_of_work(smsq, api):
    """Kills both workers: some answers are not written, some POSTs not answered, and some
    claims have not begun. Returns the ids."""
    urls = admin_urls(smsq)
    smsq.sim.switch(answer_delay="1s", sent_delay="20s")  # callbacks after the kill
    ids = send(api, 3000)
    wait_until(lambda: smsq.sim.ledger()["in_flight_max"] >= IN_FLIGHT, 20, "POSTs are under way")
    with smsq.db.locked("attempts"):
        wait_until(lambda: total(urls, "smsq_results_unwritten") >= IN_FLIGHT
                   and total(urls, "smsq_posts_in_flight") > 0, 10,
                   "answers wait to be written, and POSTs for their answers")
        assert total(urls, "smsq_journal_slots_in_use") > IN_FLIGHT
        for name in WORKERS:
            smsq.stack.kill(name)
    assert len(ids_with(smsq, ids, "status = 'claimed'")) > 3 * IN_FLIGHT
    return ids


def test_what_killed_workers_held_is_recorded_in_doubt_or_sent_at_once(smsq, api):
    ids = kill_with_all_kinds_of_work(smsq, api)
    assert len(journals(smsq)) >= len(WORKERS)
    smsq.sim.switch(answer_delay="0s")
    smsq.stack.up()

    wait_until(lambda: not ids_with(smsq, ids, "status = 'claimed'"), 20,
               "every claim of the dead has met its fate")
    smsq.sim.switch(sent_delay="0s")
    wait_until(lambda: len(ids_with(smsq, ids, "status in ('delivered', 'in_doubt')"))
               == len(ids), 60, "the others are delivered")
    fates = {fate: total(admin_urls(smsq), f'smsq_takeovers_total{{fate="{fate}"}}')
             for fate in ("recorded", "in_doubt", "released")}
    assert all(count > 0 for count in fates.values()), fates
    smsq.sim.wait_quiet()
    posted, doubtful = smsq.sim.by_message_id(), ids_with(smsq, ids, "status = 'in_doubt'")
    assert len(doubtful) <= len(WORKERS) * IN_FLIGHT
    assert set(posted) == ids - doubtful, "lost"
    assert smsq.sim.ledger()["repeated_to_body"] == 0, "doubled"
    assert smsq.db.one(
        "select sum(amount_micros) from cost_entries where message_id = any(%s::uuid[])",
        list(ids)) == smsq.sim.ledger()["billed_micros"]
    assert smsq.db.one(
        "select count(*) from decisions where message_id = any(%s::uuid[])"
        " and kind in ('in_doubt', 'release')",
        list(ids)) == fates["in_doubt"] + fates["released"]
    wait_until(lambda: len(journals(smsq)) == len(WORKERS), 60, "the old journals are gone")


def test_a_worker_that_stops_leaves_no_journal(smsq, api):
    ids = send(api, 300, 5100000)
    wait_until(lambda: len(ids_with(smsq, ids, "status = 'delivered'")) == len(ids), 60,
               "all are delivered")
    wait_until(lambda: len(journals(smsq)) == len(WORKERS), 60, "there are no old journals")
    smsq.stack.dev("down")
    assert journals(smsq) == []
    smsq.stack.up()


def start_poisonable(smsq, folder):
    """A worker that a certain text crashes."""
    library = folder / "poison.so"
    if not library.exists():
        subprocess.run(["cc", "-D_GNU_SOURCE", "-shared", "-fPIC", "-o", library,
                        TREE / "tests" / "system" / "poison.c"], check=True)
    with (folder / "worker.log").open("a") as log:
        return subprocess.Popen(
            [f"{smsq.stack.env['SMSQ_BIN']}/smsq-worker",
             f"--config={smsq.stack.run}/smsq.cfg", "--worker.admin_port=0",
             "--worker.session_timeout=6s"], stdin=subprocess.DEVNULL,
            env=clean_environment(
                LD_PRELOAD=str(library), ASAN_OPTIONS="verify_asan_link_order=0",
                SMSQ_DATABASE_URL_FILE=f"{smsq.stack.run}/secrets/url_smsq_worker"),
            stdout=log, stderr=subprocess.STDOUT)


def test_a_record_that_crashes_a_worker_three_times_is_buried(smsq, api, tmp_path):
    for name in WORKERS:
        smsq.stack.kill(name, 15)
    poisoned = api.accepted(to="+14155200001", body="a poison apple")
    good = send(api, 20, 5300000)
    lives = 0
    worker = start_poisonable(smsq, tmp_path)
    try:
        while worker.wait(120) < 0 and lives < 6:
            lives += 1
            worker = start_poisonable(smsq, tmp_path)
            if lives == 3:
                break
        wait_until(lambda: smsq.db.rows(
            "select 1 from dead_letters where reason = 'crashed_worker'"), 60, "it is buried")
        wait_until(lambda: len(ids_with(smsq, good, "status = 'delivered'")) == len(good), 60,
                   "the others are sent")
        assert worker.poll() is None
    finally:
        worker.terminate()
        assert worker.wait(30) == 0
    assert lives == 3
    crashes = [line["crashes"] for line in read_log(tmp_path / "worker.log")
               if line["event"] == "crash_noted"]
    assert crashes == [1, 2, 3]
    assert not ids_with(smsq, {poisoned}, "true")
    assert set(smsq.sim.by_message_id()) == good
    smsq.stack.up()
    letter = smsq.db.one("select letter_id from dead_letters where reason = 'crashed_worker'")
    replayed = smsq.stack.smsq("dlq", "replay", str(letter))
    assert replayed.returncode == 0, replayed.stderr
    assert api.wait_for(poisoned)["turn"] == 1, "workers that it does not crash send it"
