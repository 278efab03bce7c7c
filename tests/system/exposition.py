"""What running programs expose on /metrics, read as Prometheus reads it."""

import collections
import re

from api import request

PROGRAM_OF = {"worker-1": "worker", "worker-2": "worker"}
SAMPLE = re.compile(r"(\w+)(?:\{(.*)\})? (\S+)")
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
SERVICES = ("kafka", "postgres")


def page_of(stack, name):
    """The text of /metrics of one process."""
    (*_, up) = [line for line in stack.log_lines(name) if line["event"] == "process_up"]
    answer = request(f"http://127.0.0.1:{up['admin_port']}/metrics")
    assert answer.status == 200, answer
    return answer.body.decode()


class Exposition:
    """All pages of a stack: for each metric its kind, its labels and who has it."""

    def __init__(self, stack):
        self.pages = {name: page_of(stack, name) for name in stack.pids if name not in SERVICES}
        self.kinds = {}
        self.labels = collections.defaultdict(set)
        self.values = collections.defaultdict(set)  # of (metric, label)
        self.programs = collections.defaultdict(set)
        for name, page in self.pages.items():
            self._read(PROGRAM_OF.get(name, name), page)

    def _read(self, program, page):
        for name, kind in re.findall(r"^# TYPE (\w+) (\w+)$", page, re.MULTILINE):
            assert self.kinds.setdefault(name, kind) == kind, name
            self.programs[name].add(program)
        for line in page.splitlines():
            if not line.startswith("#"):
                name, labels, _ = SAMPLE.fullmatch(line).groups()
                for label, value in LABEL.findall(labels or ""):
                    self._note(self.metric_of(name), label, value)

    def _note(self, metric, label, value):
        if label != "le":
            self.labels[metric].add(label)
            self.values[metric, label].add(value)

    def metric_of(self, sample):
        """The metric that a sample is of: histograms have samples of three names."""
        base = re.sub(r"_(bucket|sum|count)$", "", sample)
        return base if self.kinds.get(base) == "histogram" else sample

    def samples(self):
        """The names that a query may ask for."""
        names = set()
        for name, kind in self.kinds.items():
            parts = ("_bucket", "_sum", "_count") if kind == "histogram" else ("",)
            names |= {name + part for part in parts}
        return names
