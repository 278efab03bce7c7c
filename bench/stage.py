"""The stack under measurement: real Kafka, PostgreSQL and simulator, and what loads them."""

import contextlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time

TREE = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TREE / "tests" / "system"))

from database import Database  # noqa: E402  (the tests' own helpers)
from kafka import Kafka  # noqa: E402
from stack import FREE_PORTS, Stack, wait_until  # noqa: E402
from witness import Witness  # noqa: E402

import measure  # noqa: E402

BENCH = TREE / "bench"
BUILD = TREE / "build" / "release"
NEVER = "86400s"


def say(text):
    print(text, file=sys.stderr, flush=True)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Program:
    """One program of ours, started here so that its measurement begins with it."""

    def __init__(self, stage, name, role, *flags, under=(), environment=None):
        port = free_port()
        self.admin_url = f"http://127.0.0.1:{port}"
        self.log = (stage.stack.run / "logs" / f"bench-{name}.log").open("w")
        url_file = stage.stack.run / "secrets" / f"url_smsq_{role}"
        settings = {key: value for key, value in os.environ.items()
                    if not key.startswith(("SMSQ_", "TWILIO_"))} | (environment or {})
        if url_file.exists():
            settings["SMSQ_DATABASE_URL_FILE"] = str(url_file)
        section = "receiver" if name == "webhook-receiver" else role
        self.process = subprocess.Popen(
            [*under, f"{BUILD}/bin/smsq-{name}", f"--config={stage.stack.run}/smsq.cfg",
             f"--{section}.admin_port={port}", *flags],
            env=settings, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        self.pid = self.process.pid

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()

    def wait_ready(self, within=60):
        def ready():
            assert self.process.poll() is None, f"it ended; see {self.log.name}"
            with contextlib.suppress(OSError):
                return bool(measure.page(self.admin_url))
        wait_until(ready, within, f"{self.log.name} answers")

    def samples(self):
        return measure.page(self.admin_url)


class Stage:
    """A stack in a run folder of its own. Programs that are measured are started anew."""

    def __init__(self, run):
        self.stack = Stack(pathlib.Path(run), "release")

    def up(self):
        self.stack.dev("up", "--no-demo", SMSQ_DEV_WORKERS="1", SMSQ_DEV_PRESET="release",
                       **FREE_PORTS)
        self.stack.read_env()
        self.stack.pids = {part["name"]: part["pid"] for part in self.stack.parts().values()}
        self.env = self.stack.env
        self.db = Database(self.env["SMSQ_DATABASE_URL"])
        self.sim = Witness(self.env["SMSQ_SIM_URL"])
        self.kafka = Kafka(self.env["SMSQ_BROKERS"])

    def down(self):
        self.stack.wipe()

    def stop(self, *names):
        """Ends programs of the stack that were not stopped yet."""
        for name in names:
            if self.stack.pids.pop(name, None) is not None:
                os.kill(self._pid(name), signal.SIGTERM)
                wait_until(lambda: self._pid(name) is None, 60, f"{name} has ended")

    def _pid(self, name):
        return self.stack.parts()[name]["pid"]

    def pids(self, **more):
        """Processes whose CPU is worth knowing: services, simulator, and those given."""
        return {**more, **{name: self.stack.pids[name]
                           for name in ("postgres", "kafka", "simulator")}}

    def wrk(self, script, url, seconds, connections, threads=1, **environment):
        """One run of wrk: requests, rate, latencies; anything but 2xx fails the run."""
        done = subprocess.run(
            ["wrk", f"-t{threads}", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s", "-s",
             str(BENCH / script), url], capture_output=True, text=True, check=True,
            env={**os.environ, "SMSQ_TOKEN": self.env["SMSQ_TOKEN"], **environment})
        return read_wrk(done.stdout)

    def preload(self, count, message_class="transactional", seconds=1, connections=64):
        """Publishes at least count jobs through the API; returns how many."""
        loaded = 0
        while loaded < count:
            loaded += self.wrk("send.lua", self.env["SMSQ_API_URL"], seconds, connections,
                               SMSQ_BENCH_CLASS=message_class)["requests"]
        return loaded

    def delays(self, callbacks, **switches):
        """Callbacks soon or never; every other switch of the simulator as it was made."""
        self.sim.reset()
        soon = {"sent_delay": "20ms", "delivered_delay": "20ms"}
        never = {"sent_delay": NEVER, "delivered_delay": NEVER}
        self.sim.switch(**{"answer_delay": "0s", **(soon if callbacks else never), **switches})

    def loop(self, connections, seconds):
        """The bare libcurl loop against this simulator."""
        binary = compiled("http_loop", "-lcurl")
        url = (f"{self.env['SMSQ_SIM_URL']}/2010-04-01/Accounts/"
               f"{self.env['SMSQ_ACCOUNT_SID']}/Messages.json")
        done = subprocess.run(
            [binary, url, f"{self.env['SMSQ_ACCOUNT_SID']}:{self.env['SMSQ_AUTH_TOKEN']}",
             f"{self.env['SMSQ_PUBLIC_URL']}/sms/webhook/status", str(connections),
             str(seconds)], capture_output=True, text=True, check=True)
        found = json.loads(done.stdout)
        assert found["failed"] == 0, found
        return {**found, "us": found["user_us"] + found["system_us"]}


def compiled(name, *libraries):
    """A program of this folder, built anew when its source is newer."""
    binary, source = BUILD / "bench" / name, BENCH / f"{name}.c"
    binary.parent.mkdir(parents=True, exist_ok=True)
    if not binary.exists() or binary.stat().st_mtime < source.stat().st_mtime:
        subprocess.run(["cc", "-O2", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-o", binary,
                        source, *libraries], check=True)
    return str(binary)


def read_wrk(text):
    """What done.lua printed last."""
    found = json.loads(text.splitlines()[-1])
    assert found.pop("errors") == 0, text
    return found


def wait_count(count, wanted, each, stalled_s=120, pause_s=0.1):
    """Polls count() until wanted; calls each(now, value) with every value."""
    last, moved = -1, time.monotonic()
    while True:
        value = count()
        each(time.monotonic(), value)
        if value >= wanted:
            return
        if value != last:
            last, moved = value, time.monotonic()
        assert time.monotonic() - moved < stalled_s, f"stands still at {value} of {wanted}"
        time.sleep(pause_s)
