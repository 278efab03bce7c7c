"""The plan of a run hangs on its seed alone, and its places are those of the source."""

import itertools
import re

import pytest

import plan
from stack import TREE

FOLDERS = ("common", "worker", "producer", "webhook-receiver")


def rounds(seed, names=plan.NAMES, count=60, length_s=1200):
    return list(itertools.islice(plan.schedule(seed, names, ["worker-1", "producer-1"],
                                               length_s), count))


def test_the_same_seed_gives_the_same_faults_and_lives():
    assert rounds("a") == rounds("a") != rounds("b")
    lives = [plan.life_of("a", "worker-1", "worker", n) for n in range(50)]
    assert lives == [plan.life_of("a", "worker-1", "worker", n) for n in range(50)]
    assert lives != [plan.life_of("a", "worker-2", "worker", n) for n in range(50)]


@pytest.mark.parametrize("kind", plan.POINTS)
def test_each_place_gets_its_share_of_the_lives(kind):
    lives = [plan.life_of("a", f"{kind}-1", kind, n) for n in range(700)]
    armed = [life.place for life in lives if life.place]
    assert set(armed) == set(plan.POINTS[kind])
    share = len(armed) / len(plan.POINTS[kind])
    assert all(armed.count(place) > 0.8 * share for place in plan.POINTS[kind])
    assert 0 < len(lives) - len(armed) < 0.35 * len(lives)


def test_each_round_has_every_fault_once_and_one_of_kafkas():
    length = len(plan.SCHEDULED) - 1
    faults = rounds("a", count=2 * length)
    for number, kafkas in enumerate(("kafka_restart", "kafka_kill")):
        names = [fault.name for fault in faults[number * length:][:length]]
        assert sorted([*names, kafkas]) == sorted(plan.SCHEDULED)
    long = [fault.target for fault in faults if fault.name == "stop_long"]
    assert long[0] == "worker-1"


def test_one_of_kafkas_faults_alone_comes_in_every_round():
    assert {f.name for f in rounds("a", ("kafka_kill",), 5)} == {"kafka_kill"}


def test_a_short_run_has_no_long_stop():
    assert "stop_long" not in {fault.name for fault in rounds("a", length_s=60)}
    assert any(fault.seconds == 90 for fault in rounds("a"))


def test_only_faults_that_were_asked_for():
    assert {fault.name for fault in rounds("a", ("kills", "storm"), 5)} == {"storm"}
    assert rounds("a", ("kills",)) == []
    assert plan.chosen_faults("storm,kills") == ("storm", "kills")
    assert plan.chosen_faults("all") == plan.NAMES
    with pytest.raises(ValueError, match="flood"):
        plan.chosen_faults("storm,flood")


def test_every_place_of_the_plan_stands_in_the_source_and_none_is_forgotten():
    text = "".join(path.read_text() for folder in FOLDERS
                   for path in sorted((TREE / folder).rglob("*.c")))
    found = re.findall(r'fail_point\("([a-z_]+)"', text)
    planned = [place for places in plan.POINTS.values() for place in places]
    assert sorted(set(found)) == sorted(planned + list(plan.RESTS))
    assert len(found) == len(set(found))
