"""What HTTP reaches first: the producer, the receiver of callbacks, the simulator."""

import contextlib
import re
import statistics
import subprocess
import tempfile
import time
import urllib.parse

from callbacks import callback_tag, signature

import measure
from stage import BUILD, Program, compiled, say, wait_count, wait_until
from worker import Stretch, one_run

CONNECTIONS = 500
CALLBACK_CONNECTIONS = 256
SECONDS = 5
CALLBACK_SECONDS = 4
CALLBACKS_MAX = 45000 * CALLBACK_SECONDS  # more than wrk can send in that time


def started_producer(stage, binary="producer", **how):
    url = urllib.parse.urlsplit(stage.env["SMSQ_API_URL"])
    return Program(stage, binary, "producer", f"--producer.port={url.port}", **how)


def producer_run(stage):
    stage.stop("worker", "producer")
    with started_producer(stage) as ours:
        ours.wait_ready()
        time.sleep(2)  # what a start leaves to be done
        idle = measure.memory_mib(ours.pid, "VmRSS")
        url = stage.env["SMSQ_API_URL"]
        stage.wrk("send.lua", url, 1, CONNECTIONS)
        static = stage.wrk("done.lua", f"{url}/healthz", SECONDS, CONNECTIONS)
        costs = measure.Costs(stage.pids(producer=ours.pid))
        sent = stage.wrk("send.lua", url, SECONDS, CONNECTIONS)
        return {"rate": sent["rate"], "cpu": costs.per(sent["requests"]),
                "times": {"request to 202, as wrk sees it": sent["times"],
                          "request to Kafka's confirmation": measure.quantiles_ms(
                              ours.samples(), "smsq_accept_to_ack_seconds")},
                "memory": {"producer, idle": idle,
                           "producer, peak": measure.memory_mib(ours.pid)}}, static


def producer(stage, options):
    runs, statics = [], []
    for n in range(options.runs):
        run, static = producer_run(stage)
        runs.append(run)
        statics.append(static)
        say(f"Run {n + 1}: {run['rate']:.0f} messages/s, {run['cpu']['producer']['us']:.1f} µs of"
            f" CPU; static route {static['rate']:.0f}/s.")
    ours, bound = measure.median(runs), measure.median(statics)
    return {"what": f"POST /sms/send over {CONNECTIONS} connections, 202 with acks=all.",
            "runs": runs, "median": ours,
            "bounds": {"wrk, GET /healthz of the same program": bound},
            "ratios": {"202/s to the static route": ours["rate"] / bound["rate"]}}


def access_run(stage, wrap):
    """One round of the producer with its tokens, limits and metrics, or without them."""
    stage.stop("worker", "producer")
    with started_producer(stage, binary="producer-open" if wrap else "producer") as ours:
        ours.wait_ready()
        time.sleep(1)
        stage.wrk("send.lua", stage.env["SMSQ_API_URL"], 1, 64)
        costs = measure.Costs({"producer": ours.pid})
        sent = stage.wrk("send.lua", stage.env["SMSQ_API_URL"], SECONDS, 64)
        return {"rate": sent["rate"], "cpu": costs.per(sent["requests"])}


def access(stage, options):
    subprocess.run(["cmake", "--build", BUILD, "--target", "smsq-producer-open"], check=True,
                   stdout=subprocess.DEVNULL)
    runs, without = [], []
    for _ in range(options.runs):
        for wrap in (False, True, True, False):
            (without if wrap else runs).append(access_run(stage, wrap))
    ours, bare = measure.median(runs), measure.median(without)
    bare["us"] = bare["cpu"]["producer"]["us"]
    return {"what": "What tokens, limits and metrics cost POST /sms/send over 64 connections.",
            "runs": runs, "median": ours,
            "bounds": {"the producer without them": bare},
            "ratios": {"202/s with them to without": ours["rate"] / bare["rate"],
                       "CPU with them to without": ours["cpu"]["producer"]["us"] / bare["us"]}}


def write_callbacks(stage, path, count):
    """Signed callbacks of messages in the tables, sent and delivered; returns how many."""
    rows = stage.db.rows("select message_id::text, twilio_sid from messages"
                         " where status = 'queued' limit %s", count // 2)
    token = stage.env["SMSQ_AUTH_TOKEN"]
    key = stage.stack.secret("lookup_key")
    public = stage.env["SMSQ_PUBLIC_URL"]
    with open(path, "w", encoding="ascii") as lines:
        for word in ("sent", "delivered"):
            for message_id, sid in rows:
                target = (f"/sms/webhook/status?m={message_id}&t=1"
                          f"&k={callback_tag(key, message_id, 1)}")
                form = {"ApiVersion": "2010-04-01", "MessageSid": sid, "SmsSid": sid,
                        "MessageStatus": word, "SmsStatus": word, "To": "+14155550199",
                        "From": "+15005550006", "AccountSid": stage.env["SMSQ_ACCOUNT_SID"]}
                lines.write(f"{target} {signature(token, public + target, form)}"
                            f" {urllib.parse.urlencode(form)}\n")
    return 2 * len(rows)


def queue_messages(stage, options, count):
    """Has messages that Twilio took and that nothing was heard of since."""
    missing = count - stage.db.one("select count(*) from messages where status = 'queued'")
    if missing > 0:
        one_run(stage, options(messages=missing))


def callbacks_run(stage, options, path):
    queue_messages(stage, type(options), CALLBACKS_MAX // 2)
    made = write_callbacks(stage, path, CALLBACKS_MAX)
    stage.stop("worker", "status-consumer")
    receiver = stage.stack.pids["webhook-receiver"]
    url = stage.env["SMSQ_RECEIVER_URL"]
    static = stage.wrk("done.lua", f"{url}/healthz", SECONDS, CALLBACK_CONNECTIONS)
    costs = measure.Costs({**stage.pids(), "webhook-receiver": receiver})
    sent = stage.wrk("callbacks.lua", url, CALLBACK_SECONDS, CALLBACK_CONNECTIONS,
                     SMSQ_BENCH_CALLBACKS=path)
    assert sent["requests"] < made, "wrk ran out of callbacks"
    cost = costs.per(sent["requests"])
    with Program(stage, "status-consumer", "status") as status:
        status.wait_ready()
        stretch = Stretch({"status-consumer": status.pid, **stage.pids()})
        wait_count(lambda: int(measure.total(status.samples(), "smsq_receipts_total")),
                   sent["requests"], stretch)
        applied = stretch.result()
        return {"rate": sent["rate"], "cpu": cost,
                "times": {"callback to 204, as wrk sees it": sent["times"]},
                "memory": {"webhook-receiver, peak": measure.memory_mib(receiver),
                           "status-consumer, peak": measure.memory_mib(status.pid)},
                "more": {"applied/s": applied["rate"],
                         "CPU µs to apply one, status-consumer":
                             applied["cpu"]["status-consumer"]["us"],
                         "CPU µs to apply one, PostgreSQL": applied["cpu"]["postgres"]["us"]}
                }, static


def callbacks(stage, options):
    runs, statics = [], []
    with tempfile.TemporaryDirectory() as folder:
        for n in range(options.runs):
            run, static = callbacks_run(stage, options, f"{folder}/callbacks")
            runs.append(run)
            statics.append(static)
            say(f"Run {n + 1}: {run['rate']:.0f} callbacks/s acknowledged,"
                f" {run['more']['applied/s']:.0f} applied.")
    return {"what": f"Signed status callbacks over {CALLBACK_CONNECTIONS} connections, verified and"
                    " acknowledged by Kafka before the 204; then applied to the tables from a"
                    " full topic.",
            "unit": "callbacks", "runs": runs, "median": {**measure.median(runs),
                                                          "unit": "callbacks"},
            "bounds": {"wrk, GET /healthz of the same program": measure.median(statics)},
            "ratios": {"204/s to the static route": statistics.median(
                run["rate"] / static["rate"] for run, static in zip(runs, statics))}}


@contextlib.contextmanager
def sink():
    """A receiver that answers every callback and costs next to nothing."""
    with subprocess.Popen(["taskset", "-c", "1", compiled("sink")], stdout=subprocess.PIPE,
                          text=True) as process:
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.terminate()


def simulator_run(stage, callback_base):
    """The simulator has one core to itself; wrk and the receiver share the other."""
    with tempfile.NamedTemporaryFile("w+") as log, subprocess.Popen(
            ["taskset", "-c", "0", BUILD / "bin" / "smsq-twilio-simulator",
             "--simulator.port=0"], stderr=log, stdin=subprocess.DEVNULL) as process:
        try:
            def port():
                found = re.search(r'"simulator_started".*"port":(\d+)',
                                  open(log.name, encoding="utf-8").read())
                return found and found[1]
            url = f"http://127.0.0.1:{wait_until(port, 30, 'the simulator is up')}"
            return simulator_load(stage, process.pid, url, callback_base)
        finally:
            process.terminate()


def simulator_load(stage, pid, url, callback_base):
    from witness import Witness
    sim = Witness(url)
    settings = {"SMSQ_ACCOUNT_SID": "AC" + "1".zfill(32), "SMSQ_AUTH_TOKEN": "2".zfill(32),
                "SMSQ_BENCH_CALLBACK": callback_base}
    stage.wrk("simulator.lua", url, 1, 64, **settings)
    sim.wait_quiet()
    memory, costs = measure.memory_mib(pid, "VmRSS"), measure.Costs({"simulator": pid})
    sent = stage.wrk("simulator.lua", url, SECONDS, 64, **settings)
    sim.wait_quiet(60)
    cpu = costs.per(sent["requests"])
    return {"rate": sent["rate"], "cpu": cpu, "times": {"create to 201": sent["times"]},
            "more": {"creates per CPU second": 1e6 / cpu["simulator"]["us"],
                     "bytes a message": (measure.memory_mib(pid, "VmRSS") - memory) * 2 ** 20
                     / sent["requests"]}}


def simulator(stage, options):
    runs = [simulator_run(stage, "") for _ in range(options.runs)]
    with sink() as base:
        called = [simulator_run(stage, base) for _ in range(options.runs)]
    ours, two = measure.median(runs), measure.median(called)
    two["us"] = two["cpu"]["simulator"]["us"]
    return {"what": "Creates at the simulator alone, on one core, without callbacks.",
            "unit": "creates", "runs": runs, "median": {**ours, "unit": "creates"},
            "bounds": {"with two callbacks each": two}}
