"""How the simulator calls: kept connections, odd answers, the times that an address sets."""

import socket
import threading
import time

import pytest

from simulator import Simulator

NO_CONTENT = b"HTTP/1.1 204 No Content\r\n\r\n"


class Script:
    """Answers request number n, over all connections, as script[n] says: bytes; None =
    nothing more on this connection; a number = wait so long. Then 204 for ever."""

    def __init__(self, *script):
        self.script, self.requests, self.connections = list(script), [], 0
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}/"
        self.lock = threading.Lock()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        with connection, connection.makefile("rb") as lines:
            while True:
                head = []
                while (line := lines.readline()) not in (b"\r\n", b""):
                    head.append(line.decode())
                if not head:
                    return
                length = next(int(x.split(":")[1]) for x in head
                              if x.lower().startswith("content-length"))
                with self.lock:
                    self.requests.append((head, lines.read(length)))
                    step = self.script.pop(0) if self.script else NO_CONTENT
                if step is None:
                    return
                if isinstance(step, (int, float)):
                    time.sleep(step)
                    return
                connection.sendall(step)

    def close(self):
        self.listener.close()


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    simulator = Simulator(tmp_path_factory.mktemp("simulator"), callback_retry_delay="10ms",
                          delivered_delay="1h", sent_delay="0s")
    yield simulator
    assert simulator.stop() == 0


@pytest.fixture
def sim(shared):
    shared.reset()
    return shared


def call(sim, script, sent, failed, fragment=""):
    sim.create(StatusCallback=script.url + fragment)
    return sim.wait_ledger(callbacks_sent=sent, callbacks_failed=failed, callbacks_pending=0)


def test_connections_are_kept_and_a_stale_one_costs_no_try(sim):
    script = Script(NO_CONTENT, NO_CONTENT, None)
    for i in range(3):  # the third request finds its connection closing
        call(sim, script, i + 1, 0, "#rc=0")
    assert script.connections == 2 and len(script.requests) == 4
    assert script.requests[2] == script.requests[3]
    script.close()


@pytest.mark.parametrize("answer", [
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n"])
def test_any_good_answer_is_one(sim, answer):
    script = Script(answer)
    call(sim, script, 1, 0)
    call(sim, script, 2, 0)
    script.close()


@pytest.mark.parametrize("answer", [
    b"what?\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 2000000\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nX: " + b"a" * 20000])
def test_what_is_no_answer_is_given_up_at_once(sim, answer):
    script = Script(answer)
    call(sim, script, 0, 1, "#rc=5&rp=all")
    assert len(script.requests) == 1  # what came in part is not tried again
    script.close()


def test_the_address_says_how_long_to_wait(sim):
    script = Script(5, 5, NO_CONTENT)
    began = time.monotonic()
    call(sim, script, 1, 0, "#rt=100&rc=2&rp=rt")
    assert time.monotonic() - began < 3 and len(script.requests) == 3
    script = Script(5, 5, 5)
    call(sim, script, 1, 1, "#tt=200&rc=5&rp=all")
    assert time.monotonic() - began < 5
    script.close()


def test_nobody_there_counts_as_no_connection(sim):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        sim.create(StatusCallback=f"http://127.0.0.1:{taken.getsockname()[1]}/#rc=3&rp=5xx")
        sim.wait_ledger(callbacks_failed=1, callbacks_pending=0)


def test_names_are_called_too(sim):
    script = Script()
    port = script.url.rsplit(":", 1)[1]
    sim.create(StatusCallback=f"http://localhost:{port}a?b=c#rc=0")
    sim.create(StatusCallback=f"http://user:secret@127.0.0.1:{port}a?b=c#rc=0")
    sim.wait_ledger(callbacks_sent=2, callbacks_pending=0)
    assert {head[0].strip() for head, _ in script.requests} == {"POST /a?b=c HTTP/1.1"}
    script.close()
