"""Instructions per message of each program, counted by callgrind: a figure that a busy
machine does not change, so that a regression shows anywhere."""

import collections
import pathlib
import re
import subprocess
import time

import front
import measure
from stage import Program, say, wait_count
from worker import Written

VALGRIND = ("valgrind", "--tool=callgrind", "--callgrind-out-file={out}")


def under(stage, name):
    out = stage.stack.run / f"callgrind-{name}.out"
    for old in out.parent.glob(out.name + "*"):
        old.unlink()
    return out, [word.format(out=out) for word in VALGRIND]


def control(pid, command):
    subprocess.run(["callgrind_control", command, str(pid)], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def counted(pid, out, count, load):
    """Instructions of load() for each of count() messages, by library. What the program does
    by the clock is taken off: it would weigh more the slower the machine is."""
    time.sleep(5)  # what a start leaves to be done
    before, began = count(), time.monotonic()
    control(pid, "--zero")
    load()
    loaded = dumped(pid, out)
    took, done = time.monotonic() - began, count() - before
    control(pid, "--zero")
    time.sleep(took)
    idle = dumped(pid, out)
    return {name: max(0, value - idle.get(name, 0)) / done for name, value in loaded.items()}


def dumped(pid, out):
    control(pid, "--dump")
    numbered = out.parent.glob(out.name + ".*")
    return by_object(max(numbered, key=lambda path: int(path.suffix[1:])))


def by_object(path):
    """Own instructions of each object file in a callgrind dump. Lines behind calls= are
    what the called function cost, which is counted there."""
    names, sums, current, skip = {}, collections.Counter(), None, False
    for line in path.read_text(errors="replace").splitlines():
        if line.startswith("ob="):
            number, _, name = re.fullmatch(r"ob=\((\d+)\)( (.*))?", line).groups()
            names.setdefault(number, name or "")
            current = number
        elif line.startswith("cob="):
            found = re.fullmatch(r"cob=\((\d+)\) (.*)", line)
            if found:
                names.setdefault(found[1], found[2])
        elif line.startswith("calls="):
            skip = True
        elif line and (line[0].isdigit() or line[0] in "+-*"):
            if not skip:
                sums[current] += int(line.split()[-1])
            skip = False
    return {pathlib.Path(names[number]).name.split(".so")[0] or "?": value
            for number, value in sums.most_common()}


def worker(stage, options):
    stage.stop("worker")
    stage.delays(callbacks=False)
    out, words = under(stage, "worker")
    with Program(stage, "worker", "worker", under=words) as program:
        program.wait_ready()
        written = Written([program])

        def load():
            before = written()
            loaded = stage.preload(options.messages)
            wait_count(written, before + loaded, lambda *_: None, pause_s=3)
        return counted(program.pid, out, written, load)


def producer(stage, options):
    stage.stop("worker", "producer")
    out, words = under(stage, "producer")
    with front.started_producer(stage, under=words) as program:
        program.wait_ready()

        def accepted():
            return int(measure.total(program.samples(), "smsq_sends_total", "accepted"))
        # Slow as it is now, it answers few at a time.
        return counted(program.pid, out, accepted, lambda: stage.preload(
            options.messages // 4, seconds=5, connections=32))


def status_consumer(stage, options, folder):
    path = folder / "callbacks"
    front.queue_messages(stage, type(options), options.messages)
    made = front.write_callbacks(stage, path, 100 * options.messages)
    stage.stop("worker", "status-consumer")
    out, words = under(stage, "status-consumer")
    with Program(stage, "status-consumer", "status", under=words) as program:
        program.wait_ready()

        def applied():
            return int(measure.total(program.samples(), "smsq_receipts_total"))

        def load():
            before = applied()
            sent = stage.wrk("callbacks.lua", stage.env["SMSQ_RECEIVER_URL"], 1, 8,
                             SMSQ_BENCH_CALLBACKS=str(path))["requests"]
            assert sent < made, "wrk ran out of callbacks"
            wait_count(applied, before + sent, lambda *_: None, pause_s=3)
        return counted(program.pid, out, applied, load)


def instructions(stage, options):
    counts = {"producer, a message accepted": producer(stage, options)}
    stage.up()
    counts["worker, a message sent"] = worker(stage, options)
    stage.up()
    counts["status-consumer, a callback applied"] = status_consumer(
        stage, options, stage.stack.run)
    more = {}
    for name, libraries in counts.items():
        more[name] = sum(libraries.values())
        say(f"{name}: {more[name]:.0f} instructions.")
        for library, value in list(libraries.items())[:7]:
            more[f"{name}: {library}"] = value
    return {"what": "Instructions in user space of each program, by callgrind.",
            "runs": [{"more": more}], "median": {"more": more}}
