"""worker: a preloaded topic to recorded results. path: with both callbacks applied."""

import contextlib
import threading
import time

import measure
from stage import NEVER, Program, say, wait_count

CONNECTIONS = 64  # worker.in_flight
OTP_BACKLOG_MIN = 400000  # so that it lasts for longer than the one-time passwords come


class Written:
    """Results that PostgreSQL has committed, as the workers count: asking the tables would
    be a load of its own."""

    def __init__(self, workers):
        self.workers = workers
        self.all_began = False

    def __call__(self):
        done = []
        for worker in self.workers:
            samples = worker.samples()
            done.append(measure.total(samples, "smsq_posts_total")
                        - measure.total(samples, "smsq_results_unwritten"))
        self.all_began = self.all_began or min(done) > 0
        return int(sum(done))


class Stretch:
    """Rate and CPU between the first and the last result, so that no start counts. Of several
    workers: from where all work to where one may have nothing left."""

    def __init__(self, pids, written=None, until=None):
        self.pids, self.written, self.until = pids, written, until
        self.costs = None

    def __call__(self, now, value):
        began = self.written.all_began if self.written else value > 0
        if self.costs is None and began:
            self.costs, self.first = measure.Costs(self.pids), value
            self.ended, self.last = now, value
        elif began and (self.until is None or self.last < self.until):
            self.ended, self.last = now, value
            self.costs.take()

    def result(self):
        count = self.last - self.first
        return {"rate": count / (self.ended - self.costs.began), "cpu": self.costs.per(count)}


def times_of(samples):
    names = {"claim of a batch": "smsq_claim_seconds",
             "claim to POST": "smsq_claim_to_post_seconds",
             "POST to answer": "smsq_post_seconds"}
    return {what: found for what, name in names.items()
            if (found := measure.quantiles_ms(samples, name))}


def run_workers(stage, count, workers=1, in_flight=CONNECTIONS):
    """Starts workers on count preloaded jobs and measures until all is written."""
    with contextlib.ExitStack() as stack:
        started = [stack.enter_context(Program(stage, "worker", "worker",
                                               f"--worker.in_flight={in_flight}"))
                   for _ in range(workers)]
        for worker in started:
            worker.wait_ready()
        names = {f"worker {n + 1}" if workers > 1 else "worker": worker.pid
                 for n, worker in enumerate(started)}
        written = Written(started)
        stretch = Stretch(stage.pids(**names), written, count * (0.9 if workers > 1 else 1))
        wait_count(written, count, stretch)
        return {**stretch.result(), "times": times_of(started[0].samples()),
                "memory": {f"{name}, peak": measure.memory_mib(pid)
                           for name, pid in names.items()}}


def one_run(stage, options, answer_delay="0s", **how):
    stage.stop("worker")
    stage.delays(callbacks=False)
    loaded = stage.preload(options.messages)
    stage.sim.switch(answer_delay=answer_delay)
    return run_workers(stage, loaded, **how)


def worker(stage, options):
    say("Warm-up.")
    warm = type(options)(messages=min(20000, options.messages))
    one_run(stage, warm)
    runs, loops = [], []
    for n in range(options.runs):
        stage.delays(callbacks=False)
        loops.append(stage.loop(CONNECTIONS, 4))
        runs.append(one_run(stage, options))
        say(f"Run {n + 1}: {runs[-1]['rate']:.0f} messages/s, {runs[-1]['cpu']['worker']['us']:.1f}"
            f" µs of CPU; bare loop {loops[-1]['rate']:.0f}/s, {loops[-1]['us']:.1f} µs.")
    ours, loop = measure.median(runs), measure.median(loops)
    return {
        "what": f"One worker takes a preloaded topic of {options.messages} jobs to recorded"
                f" results and ledger entries, {CONNECTIONS} POSTs in flight.",
        "runs": runs, "median": ours,
        "bounds": {f"bare libcurl loop, {CONNECTIONS} connections": loop},
        "ratios": {
            "requests per CPU second, worker to bare loop":
                loop["us"] / ours["cpu"]["worker"]["us"],
            "messages/s, worker to bare loop": ours["rate"] / loop["rate"]},
    }


def slow(stage, options):
    """How answers that take their time are borne: 20 ms with 256 in flight, 50 ms with one
    worker and with two."""
    cases = {"20 ms, 256 in flight": {"answer_delay": "20ms", "in_flight": 256},
             "50 ms, one worker": {"answer_delay": "50ms"},
             "50 ms, two workers": {"answer_delay": "50ms", "workers": 2}}
    few = type(options)(messages=min(options.messages, 40000))
    found = {name: [] for name in cases}
    for _ in range(options.runs):
        for name, how in cases.items():
            run = one_run(stage, options if "256" in name else few, **how)
            say(f"{name}: {run['rate']:.0f} messages/s.")
            found[name].append(run)
    medians = {name: measure.median(runs) for name, runs in found.items()}
    first = medians.pop("20 ms, 256 in flight")
    return {
        "what": "Twilio answers after 20 ms, 256 POSTs are in flight.",
        "runs": found["20 ms, 256 in flight"], "median": first,
        "bounds": {f"answers after {name}": value for name, value in medians.items()},
        "ratios": {"two workers to one, answers after 50 ms":
                   medians["50 ms, two workers"]["rate"] / medians["50 ms, one worker"]["rate"]},
    }


def path_run(stage, options):
    stage.stop("worker", "status-consumer")
    stage.delays(callbacks=True)
    loaded = stage.preload(options.messages)
    with Program(stage, "status-consumer", "status") as status, \
            Program(stage, "worker", "worker") as worker_:
        status.wait_ready()
        worker_.wait_ready()
        stretch = Stretch(stage.pids(worker=worker_.pid, receiver=stage.stack.pids[
            "webhook-receiver"], **{"status-consumer": status.pid}))

        def applied():
            return int(measure.total(status.samples(), "smsq_receipts_total") / 2)
        wait_count(applied, loaded, stretch)
        samples = worker_.samples()
        return {**stretch.result(),
                "times": {**times_of(samples), "callback to applied": measure.quantiles_ms(
                    status.samples(), "smsq_callback_to_applied_seconds")},
                "memory": {"worker, peak": measure.memory_mib(worker_.pid),
                           "status-consumer, peak": measure.memory_mib(status.pid),
                           "webhook-receiver, peak": measure.memory_mib(
                               stage.stack.pids["webhook-receiver"])}}


def path(stage, options):
    say("Warm-up.")
    path_run(stage, type(options)(messages=min(10000, options.messages)))
    runs = []
    for n in range(options.runs):
        runs.append(path_run(stage, options))
        say(f"Run {n + 1}: {runs[-1]['rate']:.0f} messages/s.")
    return {"what": f"{options.messages} preloaded jobs, with two callbacks each that are"
                    " received, verified, published and applied.",
            "runs": runs, "median": measure.median(runs)}


def send_otps(stage, seconds, rate):
    """One-time passwords at an even pace; returns their ids."""
    from api import Api
    api, ids = Api(stage.env["SMSQ_API_URL"], stage.env["SMSQ_TOKEN"]), []
    began = time.monotonic()
    for n in range(seconds * rate):
        time.sleep(max(0, began + n / rate - time.monotonic()))
        ids.append(api.accepted(**{"class": "otp"}))
    return ids


OTP_TIMES = """
    select percentile_cont(array[0.5, 0.95, 0.99]) within group (
             order by extract(epoch from a.answered_at - m.accepted_at) * 1000),
           max(extract(epoch from a.answered_at - m.accepted_at) * 1000)
      from messages m join attempts a using (message_id)
     where m.message_id = any(%s::uuid[]) and a.turn = 1"""


def otp_run(stage, options):
    stage.stop("worker")
    stage.delays(callbacks=False)
    backlog = max(options.messages, OTP_BACKLOG_MIN)
    say(f"Preloading {backlog} bulk jobs.")
    loaded = stage.preload(backlog, "marketing")
    with Program(stage, "worker", "worker") as worker_:
        worker_.wait_ready()
        stretch, samples = Stretch(stage.pids(worker=worker_.pid)), []
        written = Written([worker_])
        wait_count(written, 2000, stretch)
        began = measure.memory_mib(worker_.pid, "VmRSS")
        thread = threading.Thread(target=lambda: samples.extend(send_otps(stage, 20, 50)))
        thread.start()
        while thread.is_alive():
            stretch(time.monotonic(), written())
            time.sleep(0.1)
        thread.join()
        left = loaded + len(samples) - written()
        assert left > 0, "the backlog was sent before the last one-time password"
        wait_count(written, loaded + len(samples), stretch, stalled_s=300)
        quantiles, worst = stage.db.one(OTP_TIMES, samples)
        return {**stretch.result(),
                "times": {"one-time password, accepted to answered by Twilio": dict(zip(
                    ("p50_ms", "p95_ms", "p99_ms"), map(float, quantiles)))},
                "memory": {"worker, soon after its start": began,
                           "worker, in the end": measure.memory_mib(worker_.pid, "VmRSS"),
                           "worker, peak": measure.memory_mib(worker_.pid)},
                "more": {"ms, slowest one-time password": float(worst),
                         "one-time passwords": len(samples),
                         "bulk jobs left after the last of them": left}}


def otp(stage, options):
    runs = [otp_run(stage, options) for _ in range(options.runs)]
    return {"what": f"One-time passwords, 50 a second, while a backlog of {options.messages}"
                    " bulk jobs is being sent.", "runs": runs, "median": measure.median(runs)}


EXTERNAL = """
{loaded} jobs wait for a worker of your own; ours is stopped.

  Kafka        {brokers}
  topic        sms.jobs.normal, 6 partitions; records are JSON, docs/schemas/ describes them
  group        any name; ours is smsq-worker-normal
  content      sealed, AES-256-GCM: the key is keys.seal in {run}/smsq.cfg
  PostgreSQL   {database}
  tables       messages, attempts, cost_entries (docs/design.md)
  Twilio       {sim}/2010-04-01/Accounts/{account}/Messages.json
               Basic auth {account}:{token}
  sent so far  curl -s {sim}/_sim/ledger
  our worker   SMSQ_RUN={run} ./dev up --no-demo
  the end      SMSQ_RUN={run} ./dev down --wipe
"""


def external(stage, options):
    stage.stop("worker")
    stage.delays(callbacks=False, price_delay=NEVER)
    loaded = stage.preload(options.messages)
    print(EXTERNAL.format(
        loaded=loaded, run=stage.stack.run, brokers=stage.env["SMSQ_BROKERS"],
        database=stage.env["SMSQ_DATABASE_URL"], sim=stage.env["SMSQ_SIM_URL"],
        account=stage.env["SMSQ_ACCOUNT_SID"], token=stage.env["SMSQ_AUTH_TOKEN"]))
