"""Clients: a steady rate of messages of all classes, each with a text of its own."""

import asyncio
import json
import random
import time

IF_IN_DOUBT = {"if_in_doubt": "send_again"}  # only transactional messages have the choice
KINDS = (  # class, share, what the request says beside
    ("otp", 20, {}),
    ("emergency", 15, {}),
    ("transactional", 25, {}),
    ("transactional", 15, IF_IN_DOUBT),
    ("marketing", 25, {}),
)
KEYED_SHARE = 0.8  # of the requests; only these are repeated after a broken connection
REPEAT_SHARE = 0.2  # of the keyed: asked once more although it was accepted
LATER_SHARE = 0.12  # with send_at
CHANGED_SHARE = 0.5  # of those with send_at: canceled or rescheduled
TRIES_MAX = 12
ANSWER_S = 15
BASE_NUMBER = 2000000


class Unheard(Exception):
    """No answer: nobody knows what became of the request, unless it was never taken."""

    def __init__(self, is_refused):
        super().__init__("no answer")
        self.is_refused = is_refused


class Connection:
    """One kept connection to a producer; asks one thing at a time."""

    def __init__(self, address, token):
        self.address, self.token = address, token
        self.reader = self.writer = None

    def close(self):
        if self.writer:
            self.writer.close()
        self.reader = self.writer = None

    async def ask(self, method, path, body=None, headers=()):
        """Returns (status, JSON)."""
        try:
            if not self.writer:
                self.reader, self.writer = await asyncio.open_connection(*self.address)
        except OSError as error:
            raise Unheard(is_refused=True) from error
        try:
            return await asyncio.wait_for(self._ask(method, path, body, headers), ANSWER_S)
        except (OSError, EOFError, ValueError, asyncio.TimeoutError) as error:
            self.close()
            raise Unheard(is_refused=False) from error

    async def _ask(self, method, path, body, headers):
        data = b"" if body is None else json.dumps(body).encode()
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self.address[0]}:{self.address[1]}",
                 f"Authorization: Bearer {self.token}", "Content-Type: application/json",
                 f"Content-Length: {len(data)}", *headers]
        self.writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + data)
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        length = int(head.split("content-length: ")[1].split("\r\n")[0])
        answer = await self.reader.readexactly(length)
        if "connection: close" in head:
            self.close()
        try:
            return int(head.split()[1]), json.loads(answer) if answer else {}
        except ValueError:
            return int(head.split()[1]), {}


class Load:
    """Sends rate messages a second until it is stopped; a record of each is kept."""

    def __init__(self, bench, addresses, token, rate):
        self.bench, self.addresses, self.token, self.rate = bench, addresses, token, rate
        self.draw = random.Random(f"{bench.seed}/load")
        self.free = {address: [] for address in addresses}
        self.number = self.accepted = 0
        self.pending = set()
        self.stopped = False
        self.moves = "moves" in bench.faults

    def message(self):
        self.number += 1
        name, _, extra = self.draw.choices(KINDS, [share for _, share, _ in KINDS])[0]
        request = {"to": f"+1415{BASE_NUMBER + self.number}", "class": name,
                   "body": f"chaos {self.bench.seed} {self.number}"}
        if "if_in_doubt" in self.bench.features:
            request |= extra
        later = self.draw.random() < LATER_SHARE and self.moves
        if later and "send_at" in self.bench.features:
            request["send_at"] = stamp(time.time() + self.draw.uniform(2, 15))
        return request

    async def run(self):
        began, sent = time.monotonic(), 0
        while not self.stopped:
            due = int((time.monotonic() - began) * self.rate)
            for _ in range(min(due - sent, self.rate)):
                task = asyncio.create_task(self._client(self.message()))
                self.pending.add(task)
                task.add_done_callback(self.pending.discard)
            sent = due
            await asyncio.sleep(0.05)
        if self.pending:
            await asyncio.wait(self.pending, timeout=60)

    async def ask(self, address, *what):
        connection = (self.free[address].pop() if self.free[address]
                      else Connection(address, self.token))
        answer = await connection.ask(*what)
        self.free[address].append(connection)
        return answer

    async def _client(self, request):
        """One message: asked for until it is accepted, if that may be asked again."""
        key = request["body"].replace(" ", "-") if self.draw.random() < KEYED_SHARE else None
        again = key and self.draw.random() < REPEAT_SHARE
        change = self.draw.random()
        record = {"text": request["body"], "to": request["to"], "class": request["class"],
                  "resend": "if_in_doubt" in request, "key": bool(key),
                  "send_at": request.get("send_at"), "id": None, "unsure": 0, "ids": []}
        record["at"] = time.time()
        await self._until_accepted(record, request, key)
        if record["id"]:
            self.accepted += 1
            if again:
                await asyncio.sleep(0.2)
                await self._until_accepted(record, request, key)
            if record["send_at"] and change < CHANGED_SHARE:
                await self._change(record, change)
        self.bench.record("clients", record)

    async def _until_accepted(self, record, request, key):
        headers = [f"Idempotency-Key: {key}"] if key else []
        address = self.draw.choice(self.addresses)
        for number in range(TRIES_MAX):
            try:
                status, answer = await self.ask(address, "POST", "/sms/send", request, headers)
            except Unheard as error:
                status, answer = 0, {}
                if error.is_refused:  # nothing was asked
                    address = self._other(address)
                    await asyncio.sleep(0.1)
                    continue
            record["status"] = status
            if status == 202:
                record["id"] = answer["id"]
                record["ids"].append(answer["id"])
                return
            if status in (0, 500, 503):
                record["unsure"] += 1
                if not key:
                    return
            elif status not in (409, 429):
                record["refused"] = answer.get("code")
                return
            address = self._other(address)
            await asyncio.sleep(min(0.2 * 2 ** number, 3))

    def _other(self, address):
        return self.addresses[(self.addresses.index(address) + 1) % len(self.addresses)]

    async def _change(self, record, change):
        """Cancels or reschedules; what the answer was is kept with the time before it."""
        await asyncio.sleep(self.draw.choice((0, 0.05, 1.0)))
        path = f"/sms/{record['id']}"
        record["change"] = "cancel" if change < CHANGED_SHARE / 2 else "reschedule"
        moved = stamp(time.time() + self.draw.uniform(3, 12))
        what = ("DELETE", path) if record["change"] == "cancel" else (
            "PATCH", path, {"send_at": moved})
        try:
            record["changed"], _ = await self.ask(self.draw.choice(self.addresses), *what)
        except Unheard:
            record["changed"] = 0
        record["changed_at"] = time.time()
        if record["change"] == "reschedule":
            record["moved_to"] = moved


def stamp(at):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))
