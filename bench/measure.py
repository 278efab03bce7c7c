"""What processes cost, what Prometheus histograms say, and medians of many runs."""

import os
import pathlib
import re
import statistics
import time
import urllib.request

TICK_US = 1e6 / os.sysconf("SC_CLK_TCK")
QUANTILES = (0.50, 0.95, 0.99)
SAMPLE = re.compile(r"(\w+)(?:\{(.*)\})? (\S+)")


def _times(pid):
    """User, system, and both of the children that ended, in clock ticks."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return [int(fields[place]) for place in range(11, 15)]


def _children(pid):
    return pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def cpu_us(pid, with_children=False):
    """User and system time of a process so far; with its children, living and ended."""
    user, system, ended_user, ended_system = _times(pid)
    if with_children:
        user, system = user + ended_user, system + ended_system
        for child in _children(pid):
            try:
                user, system = user + _times(child)[0], system + _times(child)[1]
            except OSError:  # it ended just now
                continue
    return user * TICK_US, system * TICK_US


def memory_mib(pid, field="VmHWM"):
    """Peak memory of a process; VmRSS is that of now."""
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(rf"{field}:\s+(\d+)", text)[1]) / 1024


class Costs:
    """CPU of some processes between two moments. PostgreSQL is a process with children."""

    def __init__(self, pids):
        self.pids = pids
        self.before, self.after = self._read(), None
        self.began = time.monotonic()

    def _read(self):
        return {name: cpu_us(pid, with_children=name == "postgres")
                for name, pid in self.pids.items()}

    def take(self):
        """Makes this the second moment; without it, that is when per is asked."""
        self.after = self._read()

    def per(self, count):
        """Microseconds of CPU for each of count messages: user and system by process."""
        return {name: {"user_us": (after[0] - self.before[name][0]) / count,
                       "system_us": (after[1] - self.before[name][1]) / count,
                       "us": (sum(after) - sum(self.before[name])) / count}
                for name, after in (self.after or self._read()).items()}


def page(admin_url):
    """All samples of /metrics as (name, labels, value)."""
    with urllib.request.urlopen(f"{admin_url}/metrics", timeout=30) as answer:
        lines = answer.read().decode().splitlines()
    found = [SAMPLE.fullmatch(line) for line in lines if not line.startswith("#")]
    return [(one[1], one[2] or "", float(one[3])) for one in found if one]


def total(samples, name, label=""):
    """Sum over all series of that name whose labels hold label."""
    return sum(value for series, labels, value in samples if series == name and label in labels)


def quantiles_ms(samples, name, label=""):
    """p50, p95 and p99 of a histogram: linear inside a bucket, as Prometheus reckons."""
    buckets = {}
    for series, labels, value in samples:
        if series == f"{name}_bucket" and label in labels:
            bound = float(re.search(r'le="([^"]+)"', labels)[1])
            buckets[bound] = buckets.get(bound, 0) + value
    bounds = sorted(buckets)
    if not bounds or not buckets[bounds[-1]]:
        return {}
    return {f"p{part * 100:.0f}_ms": _quantile(bounds, buckets, part) * 1000
            for part in QUANTILES}


def _quantile(bounds, buckets, part):
    wanted, low, below = buckets[bounds[-1]] * part, 0.0, 0
    for bound in bounds:
        if buckets[bound] >= wanted:
            if bound == float("inf"):
                return low
            return low + (bound - low) * (wanted - below) / max(buckets[bound] - below, 1)
        low, below = bound, buckets[bound]
    return low


def median(runs):
    """The median of each number in dictionaries of the same shape."""
    first = runs[0]
    if isinstance(first, dict):
        return {key: median([run[key] for run in runs if key in run]) for key in first}
    return statistics.median(runs)
