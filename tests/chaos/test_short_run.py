"""A short run of the bench, and short runs of builds with a defect: each must be caught."""

import json
import subprocess
import sys

import pytest

import defects
from conftest import HERE

WITHIN_S = 420


def chaos(folder, *options):
    """Runs the bench; returns its exit code, its report, and what it printed."""
    done = subprocess.run([sys.executable, HERE / "bench.py", "--folder", folder, *options],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=WITHIN_S)
    report = folder / "report.json"
    assert report.exists(), done.stdout + done.stderr
    return done.returncode, json.loads(report.read_text()), done.stdout


def test_a_short_run_breaks_no_promise(tmp_path):
    code, report, text = chaos(tmp_path / "run", "--seed", "short", "--minutes", "0.75",
                               "--rate", "20", "--faults",
                               "kills,moves,simulator,stop,storm,postgres_crash,answers_429")
    assert (code, report["broken"]) == (0, []), text
    assert report["kills"]["busy"] > 0
    assert all(row["sent"] > 0 for row in report["classes"].values())


@pytest.mark.parametrize(("name", "promise", "options"), [
    ("claim_without_fence", "doubled", ("--faults", "kills")),
    ("ack_before_claim", "lost", ("--faults", "kills,postgres_crash")),
    ("client_repeats", "doubled", ("--faults", "repeats")),
])
def test_a_build_with_a_defect_is_caught(tmp_path, name, promise, options):
    folder = defects.build(name, tmp_path / "build")
    code, report, text = chaos(
        tmp_path / "run", "--seed", "defect", "--minutes", "0.4", "--rate", "20", "--settle",
        "20", "--bin", folder, *options)
    assert code == 1, text
    assert promise in {row["promise"] for row in report["broken"]}, text
