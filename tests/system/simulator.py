"""A simulator of its own for tests, what talks to it, and a receiver of its callbacks."""

import base64
import http.server
import json
import os
import pathlib
import re
import signal
import subprocess
import threading
import time
import urllib.parse
import urllib.request
import urllib.error

import pytest

TREE = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("SMSQ_BIN", TREE / "build/release/bin"))
ACCOUNT = "AC" + "5" * 32
TOKEN = "a token of the tests"
FROM = "+15005550006"
SERVICE = "MG" + "3" * 32
WAIT_S = 20


def wait_for(what, condition, seconds=WAIT_S):
    """Returns the first true value of condition; fails after the deadline."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"waited {seconds} s for {what}"
        time.sleep(0.01)


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)


class Simulator:
    """The built program on a free port; settings are flags without their group."""

    def __init__(self, folder, **settings):
        self.log = folder / "simulator.log"
        flags = {"port": 0, "account_sid": ACCOUNT, "auth_token": TOKEN,
                 "rates_file": TREE / "deploy/rate_card.csv", **settings}
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("SMSQ_", "TWILIO_"))}
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [BIN / "smsq-twilio-simulator"]
                + [f"--simulator.{name}={value}" for name, value in flags.items()],
                stdin=subprocess.DEVNULL, stderr=log, env=clean)
        port = wait_for("the simulator to start", self.started)
        self.url = f"http://127.0.0.1:{port}"
        self.messages = f"/2010-04-01/Accounts/{ACCOUNT}/Messages"

    def started(self):
        text = self.log.read_text()
        assert self.process.poll() is None, text
        found = re.search(r'"simulator_started".*"port":(\d+)', text)
        return found and int(found[1])

    def stop(self):
        """Ends it as an operator would; returns the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(WAIT_S)

    def ask(self, method, path, form=None, user=ACCOUNT, password=TOKEN):
        data = None if form is None else urllib.parse.urlencode(form, True).encode()
        request = urllib.request.Request(self.url + path, data=data, method=method)
        if user is not None:
            pair = base64.b64encode(f"{user}:{password}".encode()).decode()
            request.add_header("Authorization", "Basic " + pair)
        try:
            with urllib.request.urlopen(request, timeout=WAIT_S) as answer:
                return Answer(answer.status, answer.headers, answer.read())
        except urllib.error.HTTPError as error:
            return Answer(error.code, error.headers, error.read())

    def create(self, **form):
        if "MessagingServiceSid" not in form:
            form.setdefault("From", FROM)
        form = {"To": "+14155550100", "Body": "Hello", **form}
        return self.ask("POST", self.messages + ".json",
                        {name: value for name, value in form.items() if value is not None})

    def fetch(self, sid):
        return self.ask("GET", f"{self.messages}/{sid}.json")

    def wait_status(self, sid, status):
        wait_for(status, lambda: self.fetch(sid).json["status"] == status)
        return self.fetch(sid).json

    def ledger(self):
        return self.ask("GET", "/_sim/ledger", user=None).json

    def wait_ledger(self, **wanted):
        def is_reached():
            ledger = self.ledger()
            return all(ledger[name] == value for name, value in wanted.items())
        try:
            wait_for(str(wanted), is_reached)
        except AssertionError as error:
            raise AssertionError(f"{error}; the ledger is {self.ledger()}") from None
        return self.ledger()

    def switch(self, **switches):
        answer = self.ask("POST", "/_sim/delays", switches, user=None)
        assert answer.status == 200, answer.body
        return answer.json

    def advance(self, by, **form):
        """Moves the clock; returns when everything that was due has happened."""
        answer = self.ask("POST", "/_sim/clock", {"advance": by, **form}, user=None)
        assert answer.status == 200, answer.body
        return answer.json

    def reset(self):
        assert self.ask("POST", "/_sim/reset", {}, user=None).status == 204


class Callback:
    def __init__(self, target, headers, body, at):
        self.target, self.headers, self.at = target, headers, at
        self.pairs = urllib.parse.parse_qsl(body, keep_blank_values=True,
                                            strict_parsing=True)
        self.params = dict(self.pairs)
        self.status = self.params["MessageStatus"]


class Receiver:
    """Takes callbacks on a free port and remembers them. answer(callback) gives the status,
    204 unless a test replaces it; it may wait."""

    def __init__(self):
        receiver = self
        self.callbacks = []
        self.answer = lambda callback: 204

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                callback = Callback(self.path, self.headers, body, time.monotonic())
                receiver.callbacks.append(callback)
                self.send_response(receiver.answer(callback))
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def wait(self, count):
        wait_for(f"{count} callbacks", lambda: len(self.callbacks) >= count)
        return list(self.callbacks)

    def statuses(self):
        return [callback.status for callback in self.callbacks]

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def receiver():
    receiver = Receiver()
    yield receiver
    receiver.close()
