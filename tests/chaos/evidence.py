"""What a run leaves behind: written by the bench, read by the judge."""

import asyncio
import json
import os
import re
import shutil
import subprocess
import time

from api import request
from load import IF_IN_DOUBT, stamp
from stack import TREE

GROUPS = {"worker": "worker", "status-consumer": "status", "webhook-receiver": "receiver",
          "producer": "producer", "scheduler": "scheduler"}

# Deadlines that are minutes or hours in production. A setting that a program does not
# know is left out; run.json tells which were set.
SHORT_SETTINGS = {
    "worker.session_timeout": "6s",
    "worker.total_timeout": "10s",
    "scheduler.poll_interval": "100ms",
    "scheduler.lease": "1s",
    "status.lease": "1s",
    "reconcile.interval": "300ms",
    "reconcile.calls_per_second": "100",
    "reconcile.in_flight": "16",
    "reconcile.otp_doubt": "8s",
    "reconcile.emergency_doubt": "8s",
    "reconcile.transactional_doubt": "15s",
    "reconcile.marketing_doubt": "15s",
    "reconcile.first_look": "2s",
    "reconcile.list_interval": "3s",
    "reconcile.list_lag": "4s",
    "reconcile.clock_margin": "1s",
    "reconcile.sweep_interval": "2s",
    "reconcile.status_ages": "10s,30s,60s",
    "reconcile.price_ages": "5s,20s,60s",
}

READY_S = 90
TABLES = {
    "messages": "select message_id::text, status, class, turn, tries, reason, error_code,"
                " extract(epoch from expires_at)::float8 as expires_at,"
                " claimed_epoch from messages",
    "attempts": "select message_id::text, turn, outcome, http_status, status, twilio_sid,"
                " error_code from attempts",
    "costs": "select message_id::text, sum(amount_micros)::bigint as micros"
             " from cost_entries group by 1",
    "decisions": "select message_id::text, turn, kind, reason,"
                 " extract(epoch from decided_at)::float8 as at, decided_by"
                 " from decisions order by decided_at",
    "delayed": "select message_id::text, turn, extract(epoch from due)::float8 as due, kind"
               " from delayed",
}
LISTS = ("clients", "kills", "faults", "rate")


def known_settings(folder, kind):
    """The names of all settings of one program."""
    help_text = subprocess.run([f"{folder}/smsq-{kind}", "--help"], check=True,
                               capture_output=True, text=True, timeout=30).stdout
    return set(re.findall(r"^  --([a-z_]+\.[a-z_]+)=", help_text, re.MULTILINE))


async def wait_ready(bench, addresses):
    """Returns when every producer takes messages and the first ones were posted."""
    deadline = time.monotonic() + READY_S
    waiting = [f"http://{host}:{port}/readyz" for host, port in addresses]
    while waiting:
        assert time.monotonic() < deadline, f"not ready: {waiting}"
        try:
            if request(waiting[0]).status == 200:
                waiting.pop(0)
                continue
        except OSError:
            pass
        await asyncio.sleep(0.2)
    for name in ("otp", "transactional", "marketing"):
        status, answer = await bench.load.ask(addresses[0], "POST", "/sms/send", {
            "to": "+14155550100", "body": f"ready {name}", "class": name})
        assert status == 202, status
        bench.before.append(answer["id"])
    while bench.ground.sim.ledger()["creates"] < 3:
        assert time.monotonic() < deadline, "the first messages were not posted"
        await asyncio.sleep(0.2)


async def probe_features(bench):
    """What this build's API can do beside sending."""
    found, load = set(), bench.load
    address = load.addresses[0]
    basic = {"to": "+14155550101", "body": "probe"}
    later = {**basic, "send_at": stamp(time.time() + 1)}
    for name, body in (("send_at", later), ("if_in_doubt", {**basic, **IF_IN_DOUBT})):
        status, answer = await load.ask(address, "POST", "/sms/send", body)
        if status == 202:
            found.add(name)
            bench.before.append(answer["id"])
    if "send_at" in found:
        status, _ = await load.ask(address, "DELETE", f"/sms/{bench.before[-1]}")
        if status not in (404, 405):
            found.add("changes")
    await asyncio.sleep(2)
    return found


def left_over(ground):
    """How much is still under way, by kind."""
    rows = ground.db.rows(
        "select status, count(*) from messages m where status in ('claimed', 'in_doubt')"
        " or (status = 'waiting' and exists (select from delayed d where d.message_id ="
        " m.message_id and d.due < now() + interval '1 min')) group by 1")
    left = {status: count for status, count in rows}
    left["callbacks"] = ground.sim.ledger()["callbacks_pending"]
    left["unread"] = ground.lag()
    return left


def write(bench):
    """All lists, the simulator's messages and our tables, as lines of JSON."""
    ground, folder = bench.ground, bench.options.folder
    for name in LISTS:
        _write_lines(folder / f"{name}.jsonl", bench.records[name])
    _write_lines(folder / "ledger.jsonl", ground.sim.messages())
    for name, sql in TABLES.items():
        _write_lines(folder / f"{name}.jsonl", _dicts(ground.db, sql))
    options = bench.options
    used = sorted(f"{name}={value}" for name, value in SHORT_SETTINGS.items()
                  if any(name in known_settings(bench.bin, kind) for kind in GROUPS))
    run = {"seed": bench.seed, "command": options.command, "minutes": options.minutes,
           "faults": list(bench.faults), "lose_state": options.lose_state,
           "where": _where(), "rate": options.rate, "marks": bench.marks,
           "bill": ground.sim.ledger(),
           "features": sorted(bench.features), "settings": used, "left": bench.left,
           "problems": bench.problems, "before": bench.before}
    (folder / "run.json").write_text(json.dumps(run, indent=1))


def _where():
    """The day, the build's commit and the machine."""
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=TREE, text=True,
                            capture_output=True).stdout.strip()
    return f"{time.strftime('%Y-%m-%d')}, {f'commit {commit}, ' if commit else ''}" \
        f"{len(os.sched_getaffinity(0))} cores"


def _dicts(db, sql):
    if db.one("select to_regclass(%s)", re.search(r" from (\w+)(?: |$)", sql)[1]) is None:
        return []
    return [row for (row,) in db.rows(f"select row_to_json(x) from ({sql}) x")]


def _write_lines(path, rows):
    with path.open("w") as file:
        for row in rows:
            file.write(json.dumps(row) + "\n")


def read(folder):
    """What write left, as the judge takes it."""
    found = {"run": json.loads((folder / "run.json").read_text())}
    for name in (*LISTS, "ledger", *TABLES):
        with (folder / f"{name}.jsonl").open() as file:
            found[name] = [json.loads(line) for line in file]
    return found


def keep_logs(bench):
    """The logs outlive the stack."""
    logs = bench.run / "logs"
    if logs.exists():
        shutil.copytree(logs, bench.options.folder / "logs", dirs_exist_ok=True)
    shutil.rmtree(bench.notes, ignore_errors=True)
