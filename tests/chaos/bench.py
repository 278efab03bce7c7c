"""The crash bench: all programs are killed again and again while clients send. ./dev chaos
starts it; docs/reliability.md, "Crash bench", tells what it prints."""

import argparse
import asyncio
import collections
import json
import os
import pathlib
import shutil
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "system")]

import evidence  # noqa: E402
import plan  # noqa: E402
from faults import ALWAYS, run_fault  # noqa: E402
from ground import Ground  # noqa: E402
from judge import judge  # noqa: E402
from load import Load  # noqa: E402
from programs import Program, end_all  # noqa: E402
from report import as_markdown, summary, write_docs  # noqa: E402
from secure import free_ports  # noqa: E402
from stack import TREE  # noqa: E402

FIRST_FAULT_S, BETWEEN_S = 3, 9
SAMPLE_S = 1.0
SHOW_S = 5
SETTLED_LOOKS = 3
SIMULATOR = {"answer_delay": "120ms", "answer_high": "900ms", "sent_delay": "300ms",
             "delivered_delay": "700ms", "list_lag": "2s"}

# What a production installation sets longer; the report names them.
SHORT = evidence.SHORT_SETTINGS


class Bench:
    """One run. Records of what happened go to lists that evidence.py writes down."""

    def __init__(self, options):
        self.options = options
        self.seed, self.faults = options.seed, plan.chosen_faults(options.faults)
        self.run = options.folder / "stack"
        self.notes = options.folder / "notes"
        self.ground = Ground(self.run, "chaos")
        self.bin = options.bin
        self.records = collections.defaultdict(list)
        self.programs = {}
        self.is_wild = False
        self.is_outage = False  # Kafka or PostgreSQL is away
        self.features = set()
        self.marks = {}
        self.problems = []
        self.before = []  # ids of messages that were sent to see whether all is ready
        self.began = time.time()

    # --- what the parts tell ---

    def record(self, kind, row):
        row.setdefault("at", time.time())
        self.records[kind].append(row)

    def problem(self, text):
        self.problems.append(text)
        self.say(f"PROBLEM: {text}")

    def say(self, text):
        minutes, seconds = divmod(int(time.time() - self.began), 60)
        print(f"{minutes:3d}:{seconds:02d}  {text}", flush=True)

    def mark(self, name):
        self.marks[name] = time.time()

    # --- the programs ---

    def flags(self, kind, name):
        flags = [f"--{evidence.GROUPS[kind]}.admin_port=0"]
        known = evidence.known_settings(self.bin, kind)
        flags += [f"--{key}={value}" for key, value in SHORT.items() if key in known]
        if kind == "worker" and "worker.state_dir" in known:
            flags.append(f"--worker.state_dir={self.state_of(name)}")
        return flags

    def state_of(self, name):
        """Workers share one folder, as on one machine, unless a killed one's is deleted."""
        return self.run / "state" / (name if self.options.lose_state else "all")

    def start_programs(self):
        ports = {"producer": free_ports(self.options.producers)}
        counts = {"webhook-receiver": 1, "status-consumer": 3,
                  "worker": self.options.workers, "producer": self.options.producers,
                  "scheduler": 3}
        for kind, count in counts.items():
            for number in range(count):
                name = f"{kind}-{number + 1}"
                flags = self.flags(kind, name)
                if kind in ports:
                    flags.append(f"--producer.port={ports[kind][number]}")
                self.programs[name] = Program(self, name, kind, flags)
                self.programs[name].start()
        return [("127.0.0.1", port) for port in ports["producer"]]

    def lost_state(self, program):
        """--lose-state: what a worker kept on its disk is gone after each kill."""
        if self.options.lose_state and program.kind == "worker":
            shutil.rmtree(self.state_of(program.name), ignore_errors=True)

    # --- the phases ---

    async def sample(self):
        """Notes every second how many creates the simulator has accepted."""
        shown = 0
        while True:
            ledger = await asyncio.to_thread(self.ground.sim.ledger)
            self.record("rate", {"creates": ledger["creates"], "accepted": self.load.accepted})
            if time.time() - shown >= SHOW_S:
                shown = time.time()
                self.show(ledger)
            await asyncio.sleep(SAMPLE_S)

    def show(self, ledger):
        kills = [kill for kill in self.records["kills"] if kill["fault"] != "ended"]
        busy = sum(kill["in_hand"] > 0 for kill in kills)
        twice = ledger["repeated_to_body"]
        self.say(f"asked {self.load.number}, accepted {self.load.accepted}, Twilio has "
                 f"{ledger['creates']} ({twice} twice), kills {len(kills)} "
                 f"({100 * busy // max(len(kills), 1)} % with work in hand)"
                 f"{', ' + self.fault_now if self.fault_now else ''}")

    async def schedule(self):
        await asyncio.sleep(FIRST_FAULT_S)
        length = self.options.minutes * 60
        targets = sorted(self.programs)
        for fault in plan.schedule(self.seed, self.faults, targets, length):
            if time.time() - self.marks["wild"] > length - 5:
                return
            self.fault_now = f"{fault.name} {fault.target}".strip()
            began = time.time()
            bit = await run_fault(self, fault)
            self.record("faults", {"name": fault.name, "target": fault.target,
                                   "began": began, "ended": time.time(), "bit": bool(bit),
                                   "in_hand": self.programs[fault.target].frozen_in_hand
                                   if fault.target else 0})
            self.fault_now = ""
            await asyncio.sleep(BETWEEN_S)

    async def wild(self):
        """Kills and faults for the whole time."""
        self.mark("wild")
        if "simulator" in self.faults:
            for rule in ALWAYS:
                self.ground.add_rule(**rule)
        self.is_wild = "kills" in self.faults
        if self.is_wild:
            for program in self.programs.values():
                program.kill("random")
                await asyncio.sleep(0.1)
        schedule = asyncio.create_task(self.schedule())
        length = self.options.minutes * 60
        await asyncio.wait([schedule], timeout=length)
        rest = self.marks["wild"] + length - time.time()
        if schedule.done():
            schedule.result()
            await asyncio.sleep(max(rest, 0))
        else:
            await schedule

    async def calm_down(self):
        """No more faults; whoever is still to die at a place dies now."""
        self.ground.drop_rules()
        for program in self.programs.values():
            if self.is_wild:
                program.kill("random")
        self.is_wild = False
        self.mark("calm_again")
        self.load.stopped = True

    async def settle(self):
        """Waits until nothing is under way any more, or its time is over."""
        deadline = time.time() + self.options.settle
        quiet = 0
        while quiet < SETTLED_LOOKS and time.time() < deadline:
            await asyncio.sleep(1)
            left = await asyncio.to_thread(evidence.left_over, self.ground)
            quiet = quiet + 1 if not any(left.values()) else 0
            self.fault_now = "left: " + " ".join(f"{k} {v}" for k, v in left.items() if v)
        self.fault_now = ""
        self.mark("settled")
        self.left = left

    async def go(self):
        self.fault_now = ""
        self.say(f"seed {self.seed}; evidence in {self.options.folder}")
        self.notes.mkdir(parents=True)
        await self.ground.up()
        self.config = self.ground.run / "smsq.cfg"
        self.ground.sim.switch(**SIMULATOR)
        addresses = self.start_programs()
        token = (self.run / "token").read_text().strip()
        self.load = Load(self, addresses, token, self.options.rate)
        await evidence.wait_ready(self, addresses)
        self.features = await evidence.probe_features(self)
        self.ground.sim.reset()
        self.ground.sim.switch(**SIMULATOR)
        self.mark("calm")
        tasks = [asyncio.create_task(self.load.run()), asyncio.create_task(self.sample())]
        await asyncio.sleep(self.options.calm)
        self.say(f"the calm is over; can do: {' '.join(sorted(self.features)) or 'sends'}")
        await self.wild()
        await self.calm_down()
        await tasks[0]
        await self.settle()
        tasks[1].cancel()
        await end_all(self.programs.values())

    async def whole(self):
        try:
            await self.go()
            evidence.write(self)
        finally:
            await end_all([p for p in self.programs.values() if p.task])
            evidence.keep_logs(self)
            if not self.options.keep_stack:
                await self.ground.wipe()


def read_options(arguments):
    parser = argparse.ArgumentParser(prog="./dev chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--seed", default=None, help="drawn unless given")
    parser.add_argument("--faults", default="all", metavar="LIST",
                        help="with commas: " + ", ".join(plan.NAMES))
    parser.add_argument("--lose-state", action="store_true",
                        help="a killed worker's state folder is deleted")
    parser.add_argument("--rate", type=int, default=60, help="messages a second")
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--producers", type=int, default=2)
    parser.add_argument("--calm", type=float, default=12,
                        help="seconds without faults: they show the rate to come back to")
    parser.add_argument("--settle", type=float, default=180,
                        help="seconds that the end may take at most")
    parser.add_argument("--folder", type=pathlib.Path, default=None,
                        help="of the evidence (build/chaos-runs/SEED-TIME)")
    parser.add_argument("--bin", type=pathlib.Path, default=TREE / "build/chaos/bin")
    parser.add_argument("--write-docs", action="store_true",
                        help="put the report into docs/reliability.md")
    parser.add_argument("--keep-stack", action="store_true")
    options = parser.parse_args(arguments)
    options.seed = options.seed or os.urandom(4).hex()
    options.command = "./dev chaos " + " ".join(arguments)
    options.folder = (options.folder or TREE / "build/chaos-runs" / time.strftime(
        f"{options.seed}-%Y%m%d-%H%M%S")).resolve()
    try:
        plan.chosen_faults(options.faults)
    except ValueError as error:
        parser.error(str(error))
    return options


def main(arguments):
    options = read_options(arguments)
    bench = Bench(options)
    asyncio.run(bench.whole())
    result = judge(evidence.read(bench.options.folder))
    text = as_markdown(result)
    (bench.options.folder / "report.json").write_text(json.dumps(result, indent=1))
    (bench.options.folder / "report.md").write_text(text)
    print(text)
    if options.write_docs:
        write_docs(TREE / "docs/reliability.md", result)
    print(f"Evidence: {bench.options.folder}")
    print(summary(result))
    return 1 if result["broken"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
