"""claim: what the worker's statements cost PostgreSQL, beside the barest way to write rows."""

import io
import json
import subprocess

import measure
from stage import BUILD, say

TABLES = ("messages", "attempts", "cost_entries")


def prepare(stage):
    """Tables with the same columns and keys and nothing else."""
    for table in TABLES:
        stage.db.rows(f"drop table if exists bench_{table}")
        stage.db.rows(f"create table bench_{table} (like {table} including defaults)")
        key = stage.db.one(f"select pg_get_constraintdef(oid) from pg_constraint"
                           f" where conrelid = '{table}'::regclass and contype = 'p'")
        stage.db.rows(f"alter table bench_{table} add {key}")


def rows(stage, how, count):
    costs = measure.Costs({"postgres": stage.stack.pids["postgres"]})
    done = subprocess.run([BUILD / "bin" / "smsq-bench-rows", stage.env["SMSQ_DATABASE_URL"],
                           how, str(count)], capture_output=True, text=True, check=True)
    found = {"rate": json.loads(done.stdout)["rate"], "cpu": costs.per(count)}
    return {**found, "us": found["cpu"]["postgres"]["us"]}


def copy(stage, count):
    """COPY of the same rows, table by table, as fast as one session takes them."""
    import psycopg2
    import time
    with psycopg2.connect(stage.env["SMSQ_DATABASE_URL"]) as session, session.cursor() as cursor:
        texts = {}
        for table in TABLES:
            texts[table] = io.StringIO()
            cursor.copy_expert(f"copy (select * from bench_{table} limit {count}) to stdout",
                               texts[table])
        for table in TABLES:
            cursor.execute(f"truncate bench_{table}")
        session.commit()
        costs, began = measure.Costs({"postgres": stage.stack.pids["postgres"]}), time.monotonic()
        for table, text in texts.items():
            text.seek(0)
            cursor.copy_expert(f"copy bench_{table} from stdin", text)
        session.commit()
        took = time.monotonic() - began
        found = {"rate": count / took, "cpu": costs.per(count)}
    return {**found, "us": found["cpu"]["postgres"]["us"]}


def claim(stage, options):
    subprocess.run(["cmake", "--build", BUILD, "--target", "smsq-bench-rows"], check=True,
                   stdout=subprocess.DEVNULL)
    stage.stop("worker", "scheduler", "status-consumer")
    runs, bare, copied = [], [], []
    rows(stage, "ours", min(options.messages, 20000))
    for n in range(options.runs):
        prepare(stage)
        runs.append(rows(stage, "ours", options.messages))
        bare.append(rows(stage, "bare", options.messages))
        copied.append(copy(stage, options.messages))
        say(f"Run {n + 1}: {runs[-1]['us']:.1f} µs of PostgreSQL's CPU a message; bare inserts"
            f" {bare[-1]['us']:.1f}, COPY {copied[-1]['us']:.1f}.")
    ours, least, copy_ = (measure.median(found) for found in (runs, bare, copied))
    return {"what": f"The worker's claim and result statements over {options.messages} messages"
                    " in batches of 500: one row in messages, then changed, one in attempts,"
                    " one in cost_entries.",
            "runs": runs, "median": ours,
            "bounds": {"the same three rows, bare insert from unnest, batches of 500": least,
                       "the same three rows, COPY": copy_},
            "ratios": {"CPU of bare inserts to ours": least["us"] / ours["us"],
                       "CPU of COPY to ours": copy_["us"] / ours["us"]}}
