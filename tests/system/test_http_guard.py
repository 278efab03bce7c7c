"""What the HTTP server makes of every kind of request, in raw bytes against both programs.

ROWS and CASES are the rows of the table in docs/reliability.md.
"""

import contextlib
import re
import resource
import time

import pytest

import raw_http
from http_rows import OK, ROWS, padded
from raw_http import GET, LENGTH, Line
from stack import TREE, metric, read_log, wait_until

SITES = ["producer", "webhook-receiver"]
MANY = 1000
# Memory per connection at most, docs/reliability.md.
BOUND_BYTES = 64 << 10
TIMED = ["--http.requests_per_connection=1000000",
         *(f"--http.{name}_timeout=1s" for name in ("header", "body", "idle", "write"))]
CAPPED = ["--http.requests_per_connection=3", "--http.connections_per_address=4",
          "--http.bodies_max=20000"]
CONNECTIONS = 6  # of the capped ones


@pytest.fixture(scope="module")
def sites(system):
    env = system.stack.env
    return {
        "producer": raw_http.producer(
            system, raw_http.address_of(env["SMSQ_API_URL"]),
            system.stack.admin_url("producer")),
        "webhook-receiver": raw_http.receiver(
            system, raw_http.address_of(env["SMSQ_RECEIVER_URL"]),
            system.stack.admin_url("webhook-receiver")),
    }


def started(log):
    """The ports of a program that is up, from its log; None before."""
    events = {entry["event"]: entry for entry in read_log(log)}
    main = events.get("producer_started") or events.get("receiver_started")
    up = events.get("process_up")
    return main and up and (main["port"], up["admin_port"])


@contextlib.contextmanager
def more_programs(system, folder, connections, flags):
    """Both programs once more, with other limits."""
    children, sites = [], {}
    for name, group, make in (("smsq-producer", "producer", raw_http.producer),
                              ("smsq-webhook-receiver", "receiver", raw_http.receiver)):
        log = folder / f"{name}.log"
        children.append(system.stack.program(
            name, f"--{group}.port=0", f"--{group}.admin_port=0",
            f"--{group}.connections={connections}", *flags, output=log.open("wb")))
        port, admin = wait_until(lambda log=log: started(log), 20, f"{name} is up")
        site = make(system, ("127.0.0.1", port), f"http://127.0.0.1:{admin}")
        sites[site.name] = site
    try:
        yield sites
    finally:
        for child in children:
            child.terminate()
        for child in children:
            assert child.wait(30) == 0


@pytest.fixture(scope="module")
def timed(system, tmp_path_factory):
    with more_programs(system, tmp_path_factory.mktemp("timed"), 10000, TIMED) as sites:
        yield sites


@pytest.fixture(scope="module")
def capped(system, tmp_path_factory):
    with more_programs(system, tmp_path_factory.mktemp("capped"), CONNECTIONS, CAPPED) as sites:
        yield sites


def statuses_of(site, answer):
    """The statuses that an answer of the table stands for."""
    found = []
    for times, first, second in re.findall(r"(?:(\d+) × )?\b(\d{3})(?:/(\d{3}))?\b", answer):
        status = int(second if second and site.name != "producer" else first)
        found += int(times or 1) * [status]
    return found


def assert_fits(answer, status, told, is_head=False):
    """One answer is what the table says, and in good form."""
    assert answer, f"no answer, {status} was expected"
    assert answer.status == status, answer
    if "with " in told and status != 200:
        assert answer.headers[re.search(r"with ([\w-]+)", told)[1].lower()]
    if status >= 400 and not is_head:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json["status"] == status
        assert answer.json["detail"] and answer.json["code"]


def assert_told(site, connection, told, is_head=False):
    """The answers are those of the table, and the line ends or does not, as it says."""
    for status in statuses_of(site, told):
        answer = connection.read(is_head)
        assert_fits(answer, status, told, is_head)
    if "closed" in told:
        assert answer.headers.get("connection") == "close"
        assert connection.read() is None, "the line goes on"
    else:
        assert connection.say(GET)
        assert connection.read().status == 200


def counted(site):
    return metric(site.admin_url, site.counter)


@pytest.mark.parametrize("name", ROWS)
@pytest.mark.parametrize("site", SITES)
def test_row(smsq, sites, site, name):
    """Behind what ends the line stands a good request: it must not be run."""
    site = sites[site]
    told, build = ROWS[name]
    before = counted(site)
    with Line(site.address) as connection:
        connection.say(build(site) + (site.post() if "closed" in told else b""))
        assert_told(site, connection, told, is_head=name == "HEAD")
    assert counted(site) - before == told.count(OK)


# --- cases that take more than bytes ---

def in_pieces(site, told):
    with Line(site.address) as connection:
        for byte in site.post():
            connection.say(bytes([byte]))
        assert_told(site, connection, told)


def expect(site, told):
    head, body = site.post().split(b"\r\n\r\n")
    with Line(site.address) as connection:
        connection.say(head + b"\r\nExpect: 100-continue\r\n\r\n")
        assert connection.read().status == 100
        connection.say(body)
        assert_told(site, connection, told.partition(", ")[2])


def half_closed(what):
    def run(site, told):
        with Line(site.address) as connection:
            connection.say(what(site))
            connection.end()
            for status in statuses_of(site, told):
                assert connection.read().status == status
            assert connection.read() is None
    return run


def gone(site, told):
    """The client leaves without waiting; what it sent is accepted all the same."""
    before = counted(site)
    for _ in range(20):
        with Line(site.address) as connection:
            connection.say(site.post())
    wait_until(lambda: counted(site) == before + 20, 10, "all were accepted")


def drips(what):
    """A byte at a time, faster than any time-out that each byte would begin again."""
    def run(site, told):
        began = time.monotonic()
        with Line(site.address) as connection:
            connection.say(what(site))
            while not connection.hears(0.1):
                connection.say(b"x")
            assert_told(site, connection, told)
        assert 0.9 < time.monotonic() - began < 5
    return run


def silent(site, told):
    with Line(site.address) as connection:
        assert connection.read() is None


def idle(site, told):
    with Line(site.address) as connection:
        connection.say(GET)
        assert connection.read().status == 200
        assert connection.read() is None


def deaf(site, told):
    """Asks and asks, and never reads an answer."""
    with Line(site.address, window=4096, timeout=10) as connection:
        while connection.say(100 * GET):
            pass


def too_many_requests(site, told):
    with Line(site.address) as connection:
        connection.say(5 * GET)
        assert_told(site, connection, told)


def begin(site, count, source):
    """Connections that wait in the middle of a head."""
    lines = [Line(site.address, source) for _ in range(count)]
    for each in lines:
        each.say(b"GET /healthz")
    return lines


def free(site):
    series = f'smsq_http_connections{{server="{site.server}"}}'
    wait_until(lambda: metric(site.admin_url, series) == 0, 10, "nobody is connected")


def too_many_of_one(site, told):
    free(site)
    with contextlib.ExitStack() as stack:
        idle = [stack.enter_context(Line(site.address, "127.0.0.2")) for _ in range(2)]
        for each in idle:
            assert_told(site, each, "")
        for each in begin(site, 4, "127.0.0.1"):
            stack.enter_context(each)
        with Line(site.address, "127.0.0.1") as connection:
            assert_told(site, connection, told)
        for each in idle:
            assert_told(site, each, "")


def too_many_in_all(site, told):
    free(site)
    with contextlib.ExitStack() as stack:
        for each in [*begin(site, 4, "127.0.0.1"), *begin(site, 2, "127.0.0.2")]:
            stack.enter_context(each)
        with Line(site.address, "127.0.0.3") as connection:
            assert_told(site, connection, told)


def longest_idle(site, told):
    free(site)
    with contextlib.ExitStack() as stack:
        lines = [stack.enter_context(Line(site.address, f"127.0.0.{n}")) for n in range(1, 7)]
        for each in lines:
            each.say(GET)
            assert each.read().status == 200
        with Line(site.address, "127.0.0.9") as connection:
            connection.say(GET)
            assert_told(site, connection, told)
        assert lines[0].read() is None


def too_many_bodies(site, told):
    free(site)
    with contextlib.ExitStack() as stack:
        half = site.post(LENGTH.format(12000), body=b"") + 11000 * b"x"
        first = stack.enter_context(Line(site.address, "127.0.0.1"))
        first.say(half)
        second = stack.enter_context(Line(site.address, "127.0.0.2"))
        assert not second.hears(0.1)
        second.say(half)
        assert_told(site, second, told)


def memory_of(system, site):
    pid = system.stack.pids[site.name]
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return int(re.search(r"VmRSS:\s+(\d+) kB", status.read())[1]) * 1024


CASES = {
    "one byte at a time": (OK, "sites", in_pieces),
    "Expect: 100-continue": (f"100, {OK}", "sites", expect),
    "a request, then the end of sending": (
        f"{OK}, closed", "sites", half_closed(lambda site: site.post())),
    "two requests, then the end of sending": (
        f"{OK}, 200, closed", "sites", half_closed(lambda site: site.post() + GET)),
    "half a head, then the end of sending": (
        "400, closed", "sites", half_closed(lambda site: site.post()[:60])),
    "half a body, then the end of sending": (
        "400, closed", "sites", half_closed(lambda site: site.post()[:-5])),
    "a client that leaves before its answer": ("accepted", "sites", gone),
    "a head that drips": (
        "408, closed", "timed", drips(lambda site: GET[:-2] + b"X: ")),
    "a body that drips": (
        "408, closed", "timed", drips(lambda site: site.post(LENGTH.format(site.body_max)))),
    "chunks that drip": ("408, closed", "timed", drips(lambda site: site.chunked(b"1;"))),
    "nothing at all": ("closed", "timed", silent),
    "an idle connection": ("200, closed", "timed", idle),
    "a client that does not read": ("cut off", "timed", deaf),
    "more requests than a connection may have": ("3 × 200, closed", "capped", too_many_requests),
    "more connections than an address may have": ("503, closed", "capped", too_many_of_one),
    "more connections than all may have": ("503, closed", "capped", too_many_in_all),
    "a new connection when the others are idle": ("200", "capped", longest_idle),
    "more bytes of bodies than all may have": ("503, closed", "capped", too_many_bodies),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("site", SITES)
def test_case(smsq, request, site, name):
    told, kind, run = CASES[name]
    run(request.getfixturevalue(kind)[site], told)


# --- a thousand at once ---

@pytest.fixture
def crowd(sites, request):
    """Opens a thousand connections to a site that all say the same; closes them in the end."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with contextlib.ExitStack() as stack:
        def gather(site, words):
            lines = [stack.enter_context(Line(site.address)) for _ in range(MANY)]
            for each in lines:
                each.say(words)
            return lines
        yield gather
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def slow_heads(site, lines):
    """Nobody else is kept waiting, and each of them is cut off in time."""
    began = time.monotonic()
    while not lines[0].hears(0):
        for each in lines:
            each.say(b"x")
        asked = time.monotonic()
        with Line(site.address) as connection:
            assert_told(site, connection, "")
        assert time.monotonic() - asked < 1
        time.sleep(0.1)
    for each in lines:
        assert_told(site, each, "408, closed")
    assert time.monotonic() - began < 10


def half_bodies(site, lines):
    with Line(site.address) as connection:
        connection.say(site.post())
        assert_told(site, connection, OK)
    for each in lines:
        each.end()
    for each in lines:
        assert_told(site, each, "400, closed")


CROWDS = {
    "1 000 heads that drip": ("408, closed", lambda site: GET[:-2] + b"X: ", slow_heads),
    "1 000 bodies of the largest size, one byte short": (
        "400, closed", lambda site: padded(site)[:-1], half_bodies),
}


@pytest.mark.parametrize("name", CROWDS)
@pytest.mark.parametrize("site", SITES)
def test_crowd(smsq, sites, crowd, pytestconfig, site, name):
    """They take no more memory than is promised."""
    site = sites[site]
    _, words, run = CROWDS[name]
    bound = BOUND_BYTES * (8 if pytestconfig.getoption("preset") == "asan" else 1)
    before = memory_of(smsq, site)
    lines = crowd(site, words(site))
    series = f'smsq_http_connections{{server="{site.server}"}}'
    wait_until(lambda: metric(site.admin_url, series) >= MANY, 10, "all are connected")
    run(site, lines)
    assert memory_of(smsq, site) - before < MANY * bound


def test_the_table_is_that_of_the_document():
    text = (TREE / "docs" / "reliability.md").read_text(encoding="utf-8")
    table = re.findall(r"^\| (.*?) \| (.*?) \|$", text.partition("## HTTP")[2], re.MULTILINE)
    tested = {name: row[0] for rows in (ROWS, CASES, CROWDS) for name, row in rows.items()}
    assert {case: told for case, told in table if case in tested} == tested
    assert {case for case, _ in table if "case" != case and "---" not in case} >= set(tested)
