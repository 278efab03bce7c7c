"""HTTP spoken byte by byte, and the two programs that strangers may speak it to."""

import dataclasses
import json
import select
import socket
import urllib.parse

from api import Answer
from callbacks import new_sid, signature

HOST = "Host: test"
LENGTH = "Content-Length: {}"
CHUNKED = "Transfer-Encoding: chunked"


class Line:
    """One connection. What is said may be more than the other side wants to hear."""

    def __init__(self, address, source=None, window=None, timeout=20):
        self.socket = socket.socket()
        self.socket.settimeout(timeout)
        if window:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
        if source:
            self.socket.bind((source, 0))
        self.socket.connect(address)
        self.kept = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def say(self, data):
        """False when the other side cut the line meanwhile."""
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            return False
        return True

    def end(self):
        self.socket.shutdown(socket.SHUT_WR)

    def hears(self, seconds):
        return bool(select.select([self.socket], [], [], seconds)[0])

    def read_more(self):
        """False at the end of the line."""
        try:
            data = self.socket.recv(65536)
        except ConnectionResetError:
            data = b""
        self.kept += data
        return bool(data)

    def read(self, is_head=False):
        """The next answer, None when the line ends before it."""
        while b"\r\n\r\n" not in self.kept:
            if not self.read_more():
                assert not self.kept, self.kept
                return None
        head, _, self.kept = self.kept.partition(b"\r\n\r\n")
        first, *fields = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in
                   (field.partition(":") for field in fields)}
        length = 0 if is_head else int(headers.get("content-length", 0))
        while len(self.kept) < length:
            assert self.read_more(), "half an answer"
        body, self.kept = self.kept[:length], self.kept[length:]
        return Answer(int(first.split()[1]), headers, body)


@dataclasses.dataclass
class Site:
    """The port of one program, and a request that it accepts."""

    name: str
    server: str  # in metrics
    address: tuple
    admin_url: str
    path: str
    fields: list
    body: bytes
    accepted: int
    counter: str  # of accepted requests
    body_max: int

    def line(self, method="POST", path=None, version="HTTP/1.1"):
        return f"{method} {path or self.path} {version}"

    def post(self, *framing, line=None, fields=None, body=None):
        """The request that is accepted, or a part of it changed."""
        body = self.body if body is None else body
        framing = framing or (LENGTH.format(len(body)),)
        return said(line or self.line(), *(fields or self.fields), *framing, body=body)

    def chunked(self, *parts):
        return self.post(CHUNKED, body=b"".join(parts))


def said(*lines, body=b""):
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


GET = said("GET /healthz HTTP/1.1", HOST)


def chunk(data, extension=b""):
    return b"%x%s\r\n%s\r\n" % (len(data), extension, data)


def address_of(url):
    parts = urllib.parse.urlsplit(url)
    return parts.hostname, parts.port


def producer(system, address, admin_url):
    body = json.dumps({"to": "+14155550123", "body": "Hello"}).encode()
    return Site(
        "producer", "api", address, admin_url, "/sms/send",
        [HOST, f"Authorization: Bearer {system.new_token('send_sms')}",
         "Content-Type: application/json"],
        body, 202, 'smsq_sends_total{result="accepted"}', 16384)


def receiver(system, address, admin_url):
    form = {"MessageSid": new_sid(), "MessageStatus": "sent"}
    path = "/sms/webhook/status"
    proof = signature(system.callbacks.token, system.callbacks.public_url + path, form)
    return Site(
        "webhook-receiver", "webhook", address, admin_url, path,
        [HOST, f"X-Twilio-Signature: {proof}",
         "Content-Type: application/x-www-form-urlencoded"],
        urllib.parse.urlencode(form).encode(), 204,
        'smsq_callbacks_total{result="verified"}', 16352)
