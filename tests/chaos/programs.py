"""Programs that die and come back at once: one task each, as long as the bench runs."""

import asyncio
import contextlib
import os
import signal
import struct
import time

from plan import Life, life_of
from stack import clean_environment

NOTE_BYTES = 64
QUIET = Life("", 0, float("inf"))
LOOK_S, LONG_S = 0.05, 1.0
AFTER_OUTAGE_S = 2.0
FAILED_REST_S = 0.3  # before the next start of one that ended by itself


class Note:
    """The file in which a program says what it holds; see common/fail_point.h."""

    def __init__(self, path):
        self.path = path
        self.path.write_bytes(bytes(NOTE_BYTES))

    def read(self):
        in_hand, passes, bitten, place = struct.unpack("=QQQ40s", self.path.read_bytes())
        return in_hand, passes, bool(bitten), place.rstrip(b"\0").decode()


class Program:
    """One of the programs. While its bench is calm, it lives until it is stopped."""

    def __init__(self, bench, name, kind, flags=(), static=True):
        self.bench, self.name, self.kind = bench, name, kind
        self.flags, self.static = list(flags), static
        self.process = None
        self.lives = 0
        self.killer = None  # who killed it, when it was not a place of its own
        self.is_frozen = False
        self.frozen_in_hand = 0  # at its last SIGSTOP
        self.note = None
        self.held_down = asyncio.Event()  # set: it may run
        self.held_down.set()
        self.task = None

    def start(self):
        self.task = asyncio.create_task(self._run(), name=self.name)

    async def stop(self):
        """Ends it for good, politely."""
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
        if self.process and self.process.returncode is None:
            self._signal(signal.SIGCONT)
            self._signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(self.process.wait(), 30)
            except asyncio.TimeoutError:
                self._signal(signal.SIGKILL)
                await self.process.wait()
                self.bench.problem(f"{self.name} did not stop within 30 s")

    def _environment(self, life, note):
        role = "smsq_" + self.kind.removesuffix("-consumer")
        url = self.bench.run / "secrets" / f"url_{role}"
        extra = {"SMSQ_FAIL_NOTE": str(note.path)}
        if url.exists():
            extra["SMSQ_DATABASE_URL_FILE"] = str(url)
        if life.place:
            extra["SMSQ_FAIL_POINT"] = f"{life.place}:{life.passes}:{life.after_s * 1000:.0f}"
        if self.static and self.kind in ("worker", "status-consumer"):
            extra["SMSQ_KAFKA_PROPERTIES"] = f"group.instance.id={self.name}"
        return clean_environment(**extra)

    async def _spawn(self, life, note):
        with (self.bench.run / "logs" / f"{self.name}.log").open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                f"{self.bench.bin}/smsq-{self.kind}", f"--config={self.bench.config}",
                *self.flags, env=self._environment(life, note), stdin=asyncio.subprocess.DEVNULL,
                stdout=log, stderr=log, start_new_session=True)

    async def _run(self):
        while True:
            await self.held_down.wait()
            self.lives += 1
            life = (life_of(self.bench.seed, self.name, self.kind, self.lives)
                    if self.bench.is_wild else QUIET)
            note = Note(self.bench.notes / f"{self.name}.{self.lives}")
            self.killer, self.note = None, note
            await self._spawn(life, note)
            await self._live(life)
            self._report(life, note)
            self.bench.lost_state(self)
            if self.process.returncode != -signal.SIGKILL:
                await asyncio.sleep(FAILED_REST_S)

    async def _live(self, life):
        """Waits for the end of a life, and brings it when its time is over."""
        ended = asyncio.create_task(self.process.wait())
        until = time.monotonic() + life.limit_s
        while not ended.done():
            left_s = until - time.monotonic()
            if self.bench.is_outage and not life.is_hardy:
                until = max(until, time.monotonic() + AFTER_OUTAGE_S)
            elif left_s <= 0 and not self.is_frozen:
                self.kill("random")
                left_s = LOOK_S
            await asyncio.wait([ended], timeout=min(max(left_s, LOOK_S), LONG_S))

    def kill(self, why):
        """kill -9 from outside; what it held then stands in its note."""
        if self.process and self.process.returncode is None and not self.killer:
            self.killer = why
            self._signal(signal.SIGKILL)

    def _signal(self, number):
        """Not by Popen's methods: they may wait for the child before asyncio does."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.process.pid, number)

    def freeze(self):
        """SIGSTOP; returns the process that was stopped, or None."""
        if not self.process or self.process.returncode is not None:
            return None
        self.is_frozen = True
        self.frozen_in_hand = self.note.read()[0]
        os.kill(self.process.pid, signal.SIGSTOP)
        return self.process

    def thaw(self, process):
        self.is_frozen = False
        if process.returncode is None:
            os.kill(process.pid, signal.SIGCONT)

    def _report(self, life, note):
        in_hand, passes, bitten, place = note.read()
        note.path.unlink()
        code = self.process.returncode
        if code == -signal.SIGKILL and bitten:
            fault, place = "place", life.place
        elif code == -signal.SIGKILL:
            fault = self.killer or "unknown"
        else:
            fault = "ended"
        self.bench.record("kills", {
            "program": self.name, "kind": self.kind, "life": self.lives, "fault": fault,
            "armed": life.place, "place": place, "in_hand": in_hand, "code": code})


async def end_all(programs):
    await asyncio.gather(*(program.stop() for program in programs))
