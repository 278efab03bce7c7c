#!/usr/bin/python3
"""./dev bench: how fast it is, beside what the machine allows. See docs/performance.md."""

import argparse
import dataclasses
import json
import os
import pathlib
import sys
import traceback

import report
from stage import TREE, Stage, say

PAGE = TREE / "docs" / "performance.md"


@dataclasses.dataclass
class Options:
    messages: int
    runs: int = 1


@dataclasses.dataclass
class Bench:
    run: object
    messages: int
    runs: int
    alone: bool = False  # not a part of all


def benches():
    import claim
    import front
    import instructions
    import worker
    return {
        "worker": Bench(worker.worker, 200000, 5),
        "slow": Bench(worker.slow, 200000, 3),
        "producer": Bench(front.producer, 0, 5),
        "callbacks": Bench(front.callbacks, 0, 3),
        "path": Bench(worker.path, 50000, 3),
        "otp": Bench(worker.otp, 1000000, 1),
        "claim": Bench(claim.claim, 100000, 3),
        "instructions": Bench(instructions.instructions, 4000, 1),
        "access": Bench(front.access, 0, 3),
        "simulator": Bench(front.simulator, 0, 3),
    }


def arguments(known):
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__)
    parser.add_argument("name", nargs="*", default=["all"], metavar="NAME",
                        help=f"all, or some of: {', '.join(known)}")
    parser.add_argument("--runs", type=int, help="of each, after the warm-up")
    parser.add_argument("--messages", type=int, help="jobs of a run")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE",
                        help="every figure of every run")
    parser.add_argument("--report", action="store_true",
                        help="write the figures into docs/performance.md")
    parser.add_argument("--external", action="store_true",
                        help="with worker: load the topic, leave all up, say how to reach it")
    parser.add_argument("--keep", action="store_true", help="leave the stack up in the end")
    given = parser.parse_args()
    wrong = set(given.name) - {*known, "all"}
    if wrong or (given.external and given.name != ["worker"]):
        parser.error(f"there is no {', '.join(wrong)}" if wrong else "--external goes with worker")
    return given


def run_one(stage, name, bench, given):
    options = Options(given.messages or bench.messages, given.runs or bench.runs)
    say(f"== {name}")
    stage.up()
    found = bench.run(stage, options)
    print(report.text(name, found), flush=True)
    return found


def main():
    known = benches()
    given = arguments(known)
    names = list(known) if "all" in given.name else given.name
    results = {"machine": report.machine(), "benches": {}}
    stage = Stage(os.environ["SMSQ_RUN"])
    keep, failed = given.keep or given.external, []
    try:
        if given.external:
            import worker
            stage.up()
            worker.external(stage, Options(given.messages or known["worker"].messages))
            return
        for name in names:
            try:
                results["benches"][name] = run_one(stage, name, known[name], given)
            except Exception:  # the others go on, their figures are worth keeping
                traceback.print_exc()
                failed.append(name)
    finally:
        if not keep:
            stage.down()
    if given.json:
        given.json.write_text(json.dumps(results, indent=1))
    if given.report:
        report.write(PAGE, results)
        say(f"Written to {PAGE}.")
    if failed:
        sys.exit(f"Not measured: {', '.join(failed)}.")


main()
