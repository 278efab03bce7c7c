"""What the programs stand on: Kafka, PostgreSQL and the simulator, through ./dev."""

import asyncio
import json
import os
import shlex
import signal
import urllib.parse

from api import request
from database import Database
from kafka import GROUPS, Group, Kafka
from stack import FREE_PORTS, TREE, clean_environment, is_alive
from witness import Witness

DEV_S = 180
SERVICES = ("kafka", "postgres", "simulator")


class Ground:
    def __init__(self, run, preset):
        self.run, self.preset = run, preset
        self.env, self.pids = {}, {}

    async def dev(self, *arguments, **settings):
        process = await asyncio.create_subprocess_exec(
            TREE / "dev", *arguments, stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
            env=clean_environment(SMSQ_RUN=str(self.run), **settings))
        output, _ = await asyncio.wait_for(process.communicate(), DEV_S)
        if process.returncode:
            raise RuntimeError(f"./dev {' '.join(arguments)}: {output.decode()[-3000:]}")
        return output.decode()

    async def up(self):
        """Starts the whole stack once, and then ends the programs: others take their place."""
        await self.dev("up", "--no-demo", SMSQ_DEV_PRESET=self.preset, **FREE_PORTS)
        lines = (await self.dev("env")).splitlines()
        self.env = dict(shlex.split(line)[1].split("=", 1) for line in lines)
        await self._read_pids()
        for name, pid in self.pids.items():
            if name not in SERVICES and pid:
                os.kill(pid, signal.SIGTERM)
        for name, pid in self.pids.items():
            while name not in SERVICES and pid and is_alive(pid):
                await asyncio.sleep(0.05)
        self.sim = Witness(self.env["SMSQ_SIM_URL"])
        self.db = Database(self.env["SMSQ_DATABASE_URL"])

    async def _read_pids(self):
        parts = json.loads(await self.dev("status", "--json"))
        self.pids = {part["name"]: part["pid"] for part in parts}

    async def end_service(self, name, number):
        os.kill(self.pids[name], number)
        while is_alive(self.pids[name]):
            await asyncio.sleep(0.05)

    async def start_services(self):
        await self.dev("up", "--services")
        await self._read_pids()

    async def wipe(self):
        await self.dev("down", "--wipe")

    def add_rule(self, **form):
        """A rule of the simulator's; returns its id."""
        answer = request(f"{self.sim.url}/_sim/faults", "POST", urllib.parse.urlencode(form),
                         {"Content-Type": "application/x-www-form-urlencoded"})
        assert answer.status // 100 == 2, answer.body
        return answer.json

    def rules(self):
        return request(f"{self.sim.url}/_sim/faults").json["rules"]

    def drop_rules(self, *ids):
        for path in [f"/_sim/faults?id={rule}" for rule in ids] or ["/_sim/faults"]:
            request(self.sim.url + path, "DELETE")

    def topics(self):
        return Kafka(self.env["SMSQ_BROKERS"]).topics()

    def rewind(self, groups=GROUPS):
        """Sets groups that nobody is in back to the first record."""
        topics = self.topics()
        for name, topic in groups.items():
            with Group(self.env["SMSQ_BROKERS"], name) as group:
                group.commit(topic, {p: group.begin(topic, p) for p in range(topics[topic])})

    def lag(self):
        return Kafka(self.env["SMSQ_BROKERS"]).lag()
