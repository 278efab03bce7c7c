"""The stack under test: all that ./dev up starts, in a run folder of its own."""

import json
import os
import pathlib
import shlex
import signal
import subprocess
import time
import urllib.request

TREE = pathlib.Path(__file__).resolve().parents[2]
FREE_PORTS = {
    f"SMSQ_DEV_{name}_PORT": "0"
    for name in ("API", "RECEIVER", "SIM", "KAFKA", "POSTGRES", "ADMIN")
}
PROGRAMS = ("simulator", "webhook-receiver", "status-consumer", "worker-1", "worker-2",
            "producer", "scheduler")


def clean_environment(**extra):
    """What a newcomer's shell has: nothing of another stack, nobody's Twilio account."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("SMSQ_", "TWILIO_"))}
    return {**kept, **extra}


def run_dev(run, *arguments, **settings):
    """Runs ./dev from outside the tree, with no other setting than these."""
    return subprocess.run(
        [TREE / "dev", *arguments], env=clean_environment(SMSQ_RUN=str(run), **settings),
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=180, cwd="/")


def wait_until(condition, within, what):
    """Waits for condition() to be true and returns what it returned."""
    deadline = time.monotonic() + within
    while not (value := condition()):
        assert time.monotonic() < deadline, f"not within {within} s: {what} ({value!r})"
        time.sleep(0.05)
    return value


def stays_true(condition, seconds, what):
    """Fails the test as soon as condition() is false within that time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert condition(), f"no longer true: {what}"
        time.sleep(0.05)


def is_alive(pid):
    """Whether a process runs; a zombie that nobody buried yet does not."""
    try:
        state = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0]
    except OSError:
        return False
    return state not in "ZX"


class Stack:
    """All programs, started by ./dev; what was stopped comes back with up()."""

    def __init__(self, run, preset):
        self.run = run
        self.preset = preset
        self.env = {}
        self.pids = {}

    def dev(self, *arguments, **settings):
        done = run_dev(self.run, *arguments, **settings)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def up(self):
        """Starts what is missing and remembers who runs."""
        self.dev("up", "--no-demo", SMSQ_DEV_WORKERS="2", SMSQ_DEV_PRESET=self.preset,
                 **FREE_PORTS)
        self.read_env()
        self.pids = {part["name"]: part["pid"] for part in self.parts().values()}

    def read_env(self):
        lines = self.dev("env").splitlines()
        self.env = dict(shlex.split(line)[1].split("=", 1) for line in lines)

    def parts(self):
        return {part["name"]: part for part in json.loads(self.dev("status", "--json"))}

    def wipe(self):
        self.dev("down", "--wipe")

    def kill(self, name, number=signal.SIGKILL):
        """Ends one part and waits until it is gone."""
        os.kill(self.pids[name], number)
        wait_until(lambda: not is_alive(self.pids[name]), 30, f"{name} has ended")

    def missing(self):
        return [name for name, pid in self.pids.items() if not is_alive(pid)]

    def program(self, name, *flags, output=None):
        """Starts one more program as a child of the test, with the stack's settings."""
        role = "smsq_" + name.removeprefix("smsq-").removesuffix("-consumer")
        url_file = self.run / "secrets" / f"url_{role}"
        environment = {"SMSQ_DATABASE_URL_FILE": str(url_file)} if url_file.exists() else {}
        return subprocess.Popen(
            [f"{self.env['SMSQ_BIN']}/{name}", f"--config={self.run}/smsq.cfg", *flags],
            env=clean_environment(**environment), stdin=subprocess.DEVNULL, stdout=output,
            stderr=subprocess.STDOUT)

    def smsq(self, *arguments, token=None, **settings):
        """Runs the command line against this stack."""
        environment = {"SMSQ_CONFIG": f"{self.run}/smsq.cfg",
                       "SMSQ_API_URL": self.env["SMSQ_API_URL"],
                       "SMSQ_TOKEN": self.env["SMSQ_TOKEN"] if token is None else token}
        return subprocess.run(
            [f"{self.env['SMSQ_BIN']}/smsq", *arguments], text=True, timeout=60,
            env=clean_environment(**{**environment, **settings}),
            stdin=subprocess.DEVNULL, capture_output=True)

    def secret(self, name):
        return (self.run / "secrets" / name).read_text().strip()

    def log_path(self, name):
        return self.run / "logs" / f"{name}.log"

    def log_lines(self, name):
        return read_log(self.log_path(name))

    def sanitizer_lines(self):
        """What the sanitizers of the asan preset complained about."""
        return [f"{path.stem}: {line}" for path in sorted(self.run.glob("logs/*.log"))
                for line in path.read_text(errors="replace").splitlines()
                if "Sanitizer:" in line or ": runtime error: " in line]

    def admin_url(self, name):
        """The port of /metrics: the one that answers there."""
        main = {self.env[key].rpartition(":")[2] for key in
                ("SMSQ_API_URL", "SMSQ_RECEIVER_URL", "SMSQ_SIM_URL")}
        ports = [str(port) for port in self.parts()[name]["ports"]]
        return "http://127.0.0.1:" + next(port for port in ports if port not in main)


def read_log(path):
    """The JSON lines of a program's log; what libraries print between them is left out."""
    lines = []
    for line in path.read_text(errors="replace").splitlines():
        try:
            lines.append(json.loads(line))
        except ValueError:
            continue
    return lines


def metric(admin_url, name):
    """The value of one series, written as in /metrics: name or name{label="…"}."""
    with urllib.request.urlopen(f"{admin_url}/metrics", timeout=10) as answer:
        for line in answer.read().decode().splitlines():
            series, _, value = line.rpartition(" ")
            if series == name:
                return float(value)
    raise AssertionError(f"{admin_url} has no series {name}")
