"""The producer's HTTP API as a client sees it: one request, many at once, or for long."""

import asyncio
import dataclasses
import http.client
import json
import random
import threading
import time
import urllib.parse

from stack import wait_until


@dataclasses.dataclass
class Answer:
    status: int
    headers: dict
    body: bytes
    took_s: float = 0

    @property
    def json(self):
        return json.loads(self.body)


def request(url, method="GET", body=None, headers=None, timeout=30):
    """One HTTP exchange on a connection of its own; names of headers in lower case."""
    parts = urllib.parse.urlsplit(url)
    target = urllib.parse.urlunsplit(("", "", parts.path or "/", parts.query, ""))
    connection = http.client.HTTPConnection(parts.netloc, timeout=timeout)
    began = time.monotonic()
    try:
        connection.request(method, target, body, headers or {})
        answer = connection.getresponse()
        fields = {name.lower(): value for name, value in answer.getheaders()}
        return Answer(answer.status, fields, answer.read(), time.monotonic() - began)
    finally:
        connection.close()


def fresh_number():
    """A number in the United States that no other test uses."""
    return f"+1415{random.randint(2000000, 9999999)}"


class Api:
    """The API with one client's token."""

    def __init__(self, url, token):
        self.url = url
        self.token = token

    @property
    def authorization(self):
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}

    def post(self, body, **headers):
        return request(f"{self.url}/sms/send", "POST", body, {
            "Content-Type": "application/json", **self.authorization, **headers})

    def send(self, **fields):
        return self.post(json.dumps({"to": fresh_number(), "body": "hello", **fields}))

    def accepted(self, **fields):
        """Sends a message that has to be accepted; returns its id."""
        answer = self.send(**fields)
        assert answer.status == 202, answer
        return answer.json["id"]

    def status(self, name):
        return request(f"{self.url}/sms/status/{name}", headers=self.authorization)

    def ready(self):
        return request(f"{self.url}/readyz").status

    def wait_for(self, name, status="delivered", within=20):
        """Waits until a message has this status; returns what the API says of it."""
        def shown():
            answer = self.status(name)
            assert answer.status == 200, answer
            return answer.json if answer.json["status"] == status else None
        return wait_until(shown, within, f"message {name} is {status}")

    def send_many(self, messages, connections=32):
        """Sends all messages over that many connections that are kept open."""
        return asyncio.run(_send_all(self, list(messages), connections))


async def _send_all(api, messages, connections):
    address = urllib.parse.urlsplit(api.url)
    answers = [None] * len(messages)
    waiting = iter(enumerate(messages))

    async def one_connection():
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        for place, message in waiting:
            body = json.dumps(message).encode()
            writer.write(
                f"POST /sms/send HTTP/1.1\r\nHost: {address.netloc}\r\n"
                f"Authorization: Bearer {api.token}\r\nContent-Type: application/json\r\n"
                f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
            answers[place] = await _read_answer(reader)
        writer.close()

    await asyncio.gather(*(one_connection() for _ in range(connections)))
    return answers


async def _read_answer(reader):
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    fields = dict(line.lower().split(": ", 1) for line in head[1:] if line)
    body = await reader.readexactly(int(fields["content-length"]))
    return Answer(int(head[0].split()[1]), fields, body)


class Load:
    """Keeps sending, from a few threads, until it is told to stop."""

    def __init__(self, api, threads=4, rest_s=0.02):
        self.api = api
        self.answers = []
        self._rest_s = rest_s
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(threads)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _run(self):
        while not self._stop.wait(self._rest_s):
            self.answers.append(self.api.send())

    def count(self, status, since=0):
        return sum(answer.status == status for answer in self.answers[since:])

    def wait_for(self, status, count, within, since=0):
        wait_until(lambda: self.count(status, since) >= count, within,
                   f"{count} answers {status}")

    @property
    def accepted(self):
        return {answer.json["id"] for answer in self.answers if answer.status == 202}

    def refused(self):
        return [answer for answer in self.answers if answer.status != 202]
