"""./dev around the whole stack, as a developer uses it."""

import json
import os
import pathlib
import socket
import subprocess
import time

from stack import FREE_PORTS, PROGRAMS, TREE, clean_environment, run_dev, wait_until

ENV = ("SMSQ_API_URL", "SMSQ_RECEIVER_URL", "SMSQ_SIM_URL", "SMSQ_TOKEN",
       "SMSQ_DATABASE_URL", "SMSQ_BROKERS", "SMSQ_BIN", "SMSQ_PUBLIC_URL",
       "SMSQ_ACCOUNT_SID", "SMSQ_AUTH_TOKEN")


def test_status_shows_every_part_with_pid_ports_and_state(smsq):
    parts = json.loads(smsq.stack.dev("status", "--json"))
    assert {part["name"] for part in parts} == {"kafka", "postgres", *PROGRAMS}
    for part in parts:
        assert set(part) == {"name", "pid", "ports", "state"}
        assert part["state"] == "running"
        assert part["ports"] and all(isinstance(port, int) for port in part["ports"])
        assert pathlib.Path(f"/proc/{part['pid']}").is_dir()
    table = smsq.stack.dev("status")
    for part in parts:
        (line,) = [line for line in table.splitlines() if line.startswith(part["name"] + " ")]
        assert str(part["pid"]) in line.split() and line.split()[-1] == "running"


def test_env_lines_are_evaluated_by_sh_and_lead_to_the_stack(smsq):
    script = f"""eval "$({TREE}/dev env)"
        for name in {' '.join(ENV)}; do eval "test -n \\"\\$$name\\"" || echo "no $name"; done
        for url in "$SMSQ_API_URL/readyz" "$SMSQ_RECEIVER_URL/readyz" "$SMSQ_SIM_URL/healthz"
        do curl -fsS -o /dev/null "$url"; done
        psql -XqAt "$SMSQ_DATABASE_URL" -c 'select 6 * 7'
        "$SMSQ_BIN/smsq" send +14155550123 --message hello --json"""
    done = subprocess.run(["sh", "-euc", script], capture_output=True, text=True, cwd="/",
                          env=clean_environment(SMSQ_RUN=str(smsq.stack.run)))
    assert done.returncode == 0, done.stderr
    answer, accepted = done.stdout.splitlines()
    assert answer == "42"
    assert json.loads(accepted)["status"] == "queued"


def test_up_twice_restarts_nothing(smsq):
    before = dict(smsq.stack.pids)
    smsq.stack.up()
    assert smsq.stack.pids == before


def test_up_ends_with_the_story_of_one_message(smsq):
    told = smsq.stack.dev("up")
    for word in ("accepted", "claimed", "posted", "cost", "callback", "delivered",
                 smsq.stack.env["SMSQ_API_URL"], smsq.stack.env["SMSQ_TOKEN"]):
        assert word in told, word


def test_up_brings_back_a_program_that_was_killed(smsq, api):
    smsq.stack.kill("producer")
    assert smsq.stack.parts()["producer"]["state"] == "stopped"
    smsq.stack.up()
    assert api.wait_for(api.accepted())["status"] == "delivered"


def test_logs_show_the_last_lines_of_a_program(smsq, api):
    message_id = api.accepted()
    api.wait_for(message_id)
    assert message_id in smsq.stack.dev("logs", "producer")
    assert "==> " in smsq.stack.dev("logs")
    unknown = run_dev(smsq.stack.run, "logs", "nobody")
    assert unknown.returncode != 0 and '"nobody"' in unknown.stderr


def test_logs_follow_a_program(smsq, api):
    environment = clean_environment(SMSQ_RUN=str(smsq.stack.run))
    follower = subprocess.Popen([TREE / "dev", "logs", "-f", "producer"], env=environment,
                                stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
    try:
        os.set_blocking(follower.stdout.fileno(), False)
        seen = b""

        def has(text):
            nonlocal seen
            seen += follower.stdout.read() or b""
            return text in seen
        wait_until(lambda: has(b"process_up") or seen, 10, "the log so far")
        message_id = api.accepted()
        wait_until(lambda: has(message_id.encode()), 10, "the line of a new message")
    finally:
        follower.terminate()
        follower.wait()


def test_psql_opens_the_database_of_the_stack(smsq):
    assert smsq.stack.dev("psql", "-Atc", "select count(*) > 0 from rate_card") == "t\n"


def test_a_port_of_a_program_in_use_is_named_before_anything_starts(tmp_path):
    run = tmp_path / "run"
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = str(holder.getsockname()[1])
        began = time.monotonic()
        done = run_dev(run, "up", "--no-demo", **{**FREE_PORTS, "SMSQ_DEV_API_PORT": port})
    try:
        assert done.returncode != 0
        assert port in done.stderr and "SMSQ_DEV_API_PORT" in done.stderr
        assert f"(pid {os.getpid()})" in done.stderr
        assert time.monotonic() - began < 60
        parts = json.loads(run_dev(run, "status", "--json").stdout)
        assert {part["state"] for part in parts} == {"stopped"}
    finally:
        run_dev(run, "down", "--wipe")
