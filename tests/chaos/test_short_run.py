"""A short run of the bench, and short runs of builds with a defect: each must be caught."""

import concurrent.futures
import json
import subprocess
import sys
import typing

import pytest

import defects
from conftest import HERE

WITHIN_S = 540
DEFECTS = {  # the promise that it breaks, and the faults that show it
    "claim_without_fence": ("doubled", "kills"),
    "ack_before_claim": ("lost", "postgres_away"),
    "client_repeats": ("doubled", "repeats"),
}


class Run(typing.NamedTuple):
    code: int
    report: dict
    text: str


def chaos(folder, *options):
    """Runs the bench to its end."""
    done = subprocess.run([sys.executable, HERE / "bench.py", "--folder", folder, *options],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=WITHIN_S)
    report = folder / "report.json"
    assert report.exists(), done.stdout + done.stderr
    return Run(done.returncode, json.loads(report.read_text()), done.stdout)


@pytest.fixture(scope="module")
def defective(tmp_path_factory):
    """The runs of the builds with a defect, at the same time: each mostly waits."""
    def run(name, folder):
        built = defects.build(name, folder / "build")
        return chaos(folder / "run", "--seed", "defect", "--minutes", "0.4", "--rate", "12",
                     "--calm", "4", "--settle", "20", "--workers", "2", "--bin", built,
                     "--faults", DEFECTS[name][1])

    with concurrent.futures.ThreadPoolExecutor(len(DEFECTS)) as pool:
        return {name: pool.submit(run, name, tmp_path_factory.mktemp(name))
                for name in DEFECTS}


@pytest.mark.parametrize("name", DEFECTS)
def test_a_build_with_a_defect_is_caught(defective, name):
    run, promise = defective[name].result(), DEFECTS[name][0]
    assert run.code == 1, run.text
    assert promise in {row["promise"] for row in run.report["broken"]}, run.text


def test_a_short_run_breaks_no_promise(tmp_path):
    run = chaos(tmp_path / "run", "--seed", "short", "--minutes", "0.75", "--rate", "20",
                "--faults", "kills,moves,simulator,stop,storm,postgres_away,answers_429")
    assert (run.code, run.report["broken"]) == (0, []), run.text
    assert run.report["kills"]["busy"] > 0
    assert all(row["sent"] > 0 for row in run.report["classes"].values())
