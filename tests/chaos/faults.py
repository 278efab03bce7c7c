"""Faults of the ground, of the simulator and of the order of things, one at a time."""

import asyncio
import contextlib
import signal

from kafka import GROUPS
from programs import Program

REWIND_WITHIN_S = 25  # members that were killed leave their group after a session time-out
STORM_LIVES = 5
PAUSE_S = 0.3

# Small and all the time. kind, on what it bites, how likely.
ALWAYS = (
    {"kind": "cut", "probability": 0.004},
    {"kind": "cut", "probability": 0.002, "accepts": "no"},
    {"kind": "cut_reused", "probability": 0.006},
    {"kind": "reset", "probability": 0.003},
    {"kind": "error", "probability": 0.003, "accepts": "no"},
    {"kind": "error", "probability": 0.003, "accepts": "yes"},
    {"kind": "html", "probability": 0.002},
    {"kind": "no_sid", "probability": 0.002},
    {"kind": "truncated", "probability": 0.002},
    {"kind": "overtaken", "probability": 0.01, "delay": "2s"},
    {"kind": "lost", "probability": 0.02},
    {"kind": "late", "probability": 0.02, "delay": "3s"},
    {"kind": "repeated", "probability": 0.05, "times": 3},
    {"kind": "unheard", "probability": 0.02},
    {"kind": "reordered", "probability": 0.05},
)
EPISODES = {
    "answers_5xx": ({"kind": "error", "probability": 0.2, "accepts": "no", "status": 503},
                    {"kind": "error", "probability": 0.2, "accepts": "yes"}),
    "answers_429": ({"kind": "error", "probability": 0.8, "status": 429, "error_code": 20429,
                     "accepts": "no", "retry_after": 1},),
    "answers_cut": ({"kind": "cut", "probability": 0.15},
                    {"kind": "reset", "probability": 0.15, "accepts": "yes"}),
    "answers_hang": ({"kind": "hang", "probability": 0.1, "delay": "8s"},),
    "repeats": ({"kind": "cut_reused", "probability": 0.5},),
    "callbacks_lost": ({"kind": "lost", "probability": 0.7},),
    "callbacks_early": ({"kind": "overtaken", "probability": 0.5, "delay": "3s"},),
}


async def _stop(bench, fault):
    program = bench.programs[fault.target]
    process = program.freeze()
    while process is None:  # between two lives
        await asyncio.sleep(0.05)
        process = program.freeze()
    await asyncio.sleep(fault.seconds)
    ended = process.returncode is not None
    program.thaw(process)
    return not ended


@contextlib.asynccontextmanager
async def _without(bench, name, number):
    """Ends a service; it starts again after the block."""
    bench.is_outage = True
    try:
        await bench.ground.end_service(name, number)
        yield
        await bench.ground.start_services()
    finally:
        bench.is_outage = False


def _service(name, number):
    async def run(bench, _):
        async with _without(bench, name, number):
            await asyncio.sleep(PAUSE_S)
        return True
    return run


async def _postgres_away(bench, fault):
    """The workers die while all that they have read is still to be claimed."""
    async with _without(bench, "postgres", signal.SIGQUIT):
        await asyncio.sleep(fault.seconds)
        for program in bench.programs.values():
            if program.kind == "worker":
                program.kill("outage")
    return True


async def _storm(bench, fault):
    """Workers that nobody expects come and go: each change takes all partitions away."""
    for number in range(STORM_LIVES):
        name = f"guest-{number}"
        guest = Program(bench, name, "worker", bench.flags("worker", name), static=False)
        guest.start()
        await asyncio.sleep(fault.seconds / STORM_LIVES + 0.7)
        guest.kill("storm")
        await guest.stop()
    return True


async def _rewind(bench, _):
    """All records of all time are delivered again."""
    stopped = [program for program in bench.programs.values()
               if program.kind in ("worker", "status-consumer")]
    for program in stopped:
        program.held_down.clear()
        program.kill("rewind")
    left = dict(GROUPS)
    try:
        for _ in range(REWIND_WITHIN_S):
            for name, topic in list(left.items()):
                if await asyncio.to_thread(_is_rewound, bench, name, topic):
                    del left[name]
            if not left:
                break
            await asyncio.sleep(1)
    finally:
        for program in stopped:
            program.held_down.set()
    return not left


def _is_rewound(bench, name, topic):
    try:
        bench.ground.rewind({name: topic})
        return True
    except AssertionError:
        return False


async def _episode(bench, fault):
    """Rules of the simulator's for a while, in front of the ones that always stand."""
    ground = bench.ground
    before = {rule["id"] for rule in ground.rules()}
    for rule in EPISODES[fault.name]:
        ground.add_rule(**rule)
    await asyncio.sleep(fault.seconds)
    added = [rule for rule in ground.rules() if rule["id"] not in before]
    ground.drop_rules(*(rule["id"] for rule in added))
    return any(rule["bitten"] for rule in added)


ACTIONS = {
    "stop": _stop, "stop_long": _stop,
    "postgres_restart": _service("postgres", signal.SIGINT),
    "postgres_crash": _service("postgres", signal.SIGQUIT),
    "postgres_away": _postgres_away,
    "kafka_restart": _service("kafka", signal.SIGTERM),
    "kafka_kill": _service("kafka", signal.SIGKILL),
    "storm": _storm, "rewind": _rewind,
    **dict.fromkeys(EPISODES, _episode),
}


async def run_fault(bench, fault):
    """Does it; returns whether it bit."""
    return await ACTIONS[fault.name](bench, fault)
