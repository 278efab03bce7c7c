"""One stack for all tests of this folder: real Kafka, real PostgreSQL, our simulator."""

import itertools
import os
import typing

import pytest

from api import Api
from callbacks import Callbacks
from database import Database
from kafka import Kafka
from stack import PROGRAMS, Stack
from witness import Witness

TAIL_LINES = 25
numbers = itertools.count(1)


def pytest_addoption(parser):
    parser.addoption("--preset", default="release", help="which build to test")
    parser.addoption("--keep-stack", action="store_true",
                     help="leave the stack running in the end, to look at")


class System(typing.NamedTuple):
    stack: Stack
    sim: Witness
    db: Database
    kafka: Kafka
    callbacks: Callbacks

    def new_token(self, *scopes, options=("--rate", "0")):
        """A token of a client of its own; without other options it has no limit."""
        words = [word for scope in scopes for word in ("--scope", scope)]
        done = self.stack.smsq("token", "create", "--client", f"test-{next(numbers)}", *words,
                               *options)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def new_api(self, *scopes, **options):
        return Api(self.stack.env["SMSQ_API_URL"],
                   self.new_token(*(scopes or ("send_sms", "view_sms_history")), **options))

    def restore(self):
        """Starts what is missing, so that a test finds the whole stack. What waits there for
        another try must not come between its messages."""
        if self.stack.missing():
            self.stack.up()
        self.db.rows("update delayed set due = due + interval '7 days'")


def end(stack):
    """Stops and removes the stack. A build with sanitizers must have found nothing."""
    stack.dev("down")
    found = stack.sanitizer_lines()
    stack.wipe()
    assert not found, found


@pytest.fixture(scope="session")
def system(tmp_path_factory, pytestconfig):
    stack = Stack(tmp_path_factory.mktemp("stack") / "run", pytestconfig.getoption("preset"))
    pytestconfig.smsq_stack = stack
    try:
        stack.up()
        env = stack.env
        yield System(
            stack, Witness(env["SMSQ_SIM_URL"]), Database(env["SMSQ_DATABASE_URL"]),
            Kafka(env["SMSQ_BROKERS"]),
            Callbacks(env["SMSQ_RECEIVER_URL"], env["SMSQ_PUBLIC_URL"],
                      env["SMSQ_AUTH_TOKEN"], stack.secret("lookup_key")))
    finally:
        if not pytestconfig.getoption("keep_stack"):
            end(stack)


@pytest.fixture
def smsq(system):
    """The whole stack, running, its simulator empty. A program that died meanwhile and
    was not ended by the test fails it."""
    system.restore()
    system.sim.reset()
    yield system
    died = system.stack.missing()
    system.restore()
    assert not died, f"ended by themselves: {died}"


@pytest.fixture
def api(smsq):
    """The API, with a client of its own."""
    return smsq.new_api()


def _log_sizes(stack):
    return {path: path.stat().st_size for path in sorted(stack.run.glob("logs/*.log"))}


def _tails(stack, sizes):
    """The last lines that each program wrote since then."""
    for path, size in _log_sizes(stack).items():
        written = size - sizes.get(path, 0)
        if path.stem not in (*PROGRAMS, "postgres", "kafka") or written <= 0:
            continue
        with path.open("rb") as log:
            log.seek(max(sizes.get(path, 0), size - 65536), os.SEEK_SET)
            lines = log.read().decode(errors="replace").splitlines()
        yield path.stem, "\n".join(lines[-TAIL_LINES:])


def pytest_runtest_setup(item):
    stack = getattr(item.config, "smsq_stack", None)
    item.log_sizes = _log_sizes(stack) if stack else {}


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A failure shows the ends of the logs; they say what the programs thought."""
    report = (yield).get_result()
    stack = getattr(item.config, "smsq_stack", None)
    if stack and report.failed:
        for name, tail in _tails(stack, getattr(item, "log_sizes", {})):
            report.sections.append((f"log of {name}", tail))
