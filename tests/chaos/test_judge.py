"""The judge, given made-up evidence: one message whose story is told wrong at a time."""

import copy

import pytest

import plan
from judge import judge
from report import MARK_BEGIN, MARK_END, as_markdown, summary, write_docs

END = 1000.0
MARKS = {"calm": 0.0, "wild": 20.0, "calm_again": 900.0, "settled": END}


def client(number, **other):
    message_id = f"id-{number}"
    return {"id": message_id, "ids": [message_id], "text": f"text {number}",
            "to": f"+1415{number}", "class": "otp", "resend": False, "key": True,
            "status": 202, "unsure": 0, "send_at": None, "at": 10.0, **other}


def post(number, sid=None, **other):
    return {"message_id": f"id-{number}", "sid": sid or f"SM{number}", "body": f"text {number}",
            "to": f"+1415{number}", "price_micros": 8000,
            "created_at": "2026-11-21T10:00:00.500Z", **other}


def row(number, status="delivered", **other):
    return {"message_id": f"id-{number}", "status": status, "class": "otp", "turn": 1,
            "tries": 0, "reason": None, "expires_at": END + 500, **other}


def attempt(number, outcome="accepted", turn=1):
    return {"message_id": f"id-{number}", "turn": turn, "outcome": outcome,
            "status": "delivered"}


def decision(number, kind, turn=1):
    return {"message_id": f"id-{number}", "turn": turn, "kind": kind, "reason": None}


def cost(number, micros=8000):
    return {"message_id": f"id-{number}", "micros": micros}


def kill(**other):
    return {"program": "worker-1", "kind": "worker", "fault": "random", "armed": "", "place": "",
            "in_hand": 3, "code": -9, "at": 100.0, **other}


def steady(rate=50.0, without=()):
    """A sample a second; the rate is nothing in those seconds."""
    rows, creates = [], 0.0
    for second in range(int(MARKS["calm_again"])):
        rows.append({"at": float(second), "creates": creates, "accepted": int(creates)})
        creates += 0 if any(a <= second < b for a, b in without) else rate
    return rows


@pytest.fixture
def good():
    """Two messages, sent and billed once."""
    run = {"marks": dict(MARKS), "lose_state": False, "rate": 50, "minutes": 15,
           "command": "./dev chaos", "where": "2 cores", "seed": "s",
           "settings": [], "before": [], "problems": []}
    return {"run": run, "clients": [client(1), client(2)], "ledger": [post(1), post(2)],
            "messages": [row(1), row(2)], "attempts": [attempt(1), attempt(2)],
            "costs": [cost(1), cost(2)], "decisions": [], "delayed": [], "kills": [kill()],
            "faults": [], "rate": steady()}


def promises(result):
    return {row["promise"]: row["count"] for row in result["broken"]}


def end_as(evidence, status, *decisions, **other):
    """Message 2 never reached Twilio and ended so."""
    evidence["ledger"].pop()
    evidence["costs"].pop()
    evidence["attempts"].pop()
    evidence["messages"][1] = row(2, status, **other)
    evidence["decisions"] += decisions


def test_a_good_run_breaks_nothing(good):
    result = judge(good)
    assert result["broken"] == []
    assert result["classes"]["otp"]["sent"] == 2
    assert result["costs"]["difference_micros"] == 0
    assert "Every promise was kept." in as_markdown(result)


def test_evidence_is_not_changed(good):
    before = copy.deepcopy(good)
    judge(good)
    assert good == before


@pytest.mark.parametrize("status", [None, "waiting", "expired", "unknown", "failed",
                                    "suppressed", "canceled", "delivered"])
def test_a_message_that_never_left_us_is_lost_whatever_its_row_says(good, status):
    end_as(good, status)
    if status is None:
        good["messages"].pop()
    assert promises(judge(good)) == {"lost": 1}
    assert judge(good)["broken"][0]["ids"] == ["id-2"]


@pytest.mark.parametrize(("status", "evidence", "fate"), [
    ("expired", {"attempts": [attempt(2, "in_doubt")]}, "expired, never proven"),
    ("unknown", {"attempts": [attempt(2, "in_doubt")]}, "unknown, never proven"),
    ("failed", {"attempts": [attempt(2, "rejected")]}, "refused"),
    ("waiting", {"delayed": [{"message_id": "id-2", "turn": 2, "due": END + 60}]}, "waiting"),
])
def test_what_ended_with_a_reason_is_not_lost(good, status, evidence, fate):
    end_as(good, status)
    for name, rows in evidence.items():
        good[name] += rows
    result = judge(good)
    assert result["broken"] == []
    assert result["classes"]["otp"]["fates"] == {"sent": 1, fate: 1}


def test_useful_time_that_is_over_is_no_loss(good):
    end_as(good, "expired", expires_at=END - 1)
    assert judge(good)["classes"]["otp"]["fates"]["expired in time"] == 1


def test_what_waits_although_it_was_due_is_lost(good):
    end_as(good, "waiting")
    good["delayed"].append({"message_id": "id-2", "turn": 2, "due": END - 60})
    assert promises(judge(good)) == {"lost": 1}


@pytest.mark.parametrize("status", ["claimed", "in_doubt"])
def test_nothing_may_be_left_under_way(good, status):
    good["messages"][1] = row(2, status)
    assert promises(judge(good)) == {f"left {status}": 1}


@pytest.mark.parametrize(("who", "decisions", "broken"), [
    ({"class": "otp"}, 0, {"doubled": 1}),
    ({"class": "otp"}, 1, {"doubled": 1}),
    ({"class": "marketing"}, 1, {"doubled": 1}),
    ({"class": "transactional"}, 1, {"doubled": 1}),
    ({"class": "transactional", "resend": True}, 1, {}),
    ({"class": "transactional", "resend": True}, 0, {"doubled without a mark": 1}),
    ({"class": "emergency"}, 1, {}),
    ({"class": "emergency"}, 0, {"doubled without a mark": 1}),
])
def test_only_marked_resends_of_some_classes_may_double(good, who, decisions, broken):
    good["clients"][1] = client(2, **who)
    good["ledger"].append(post(2, sid="SM3"))
    good["costs"][1] = cost(2, 16000)
    good["decisions"] += decisions * [decision(2, "resend")]
    result = judge(good)
    assert promises(result) == broken
    assert sum(row["doubled"] for row in result["classes"].values()) == 1


def test_a_double_is_seen_by_text_and_by_id(good):
    good["ledger"].append(post(2, sid="SM3", body="another text"))
    good["costs"][1] = cost(2, 16000)
    assert promises(judge(good)) == {"doubled": 1, "sent, asked by nobody": 1}
    good["ledger"][-1] = post(2, sid="SM3", message_id="id-9")
    good["costs"][1:] = [cost(2), cost(9)]
    assert promises(judge(good)) == {"doubled": 1, "sent under another id": 1}


def test_what_nobody_accepted_may_go_out_once(good):
    good["clients"].append(client(3, id=None, ids=[], status=0, unsure=1))
    good["ledger"].append(post(3))
    good["costs"].append(cost(3))
    assert judge(good)["broken"] == []
    good["ledger"].append(post(3, sid="SM4"))
    good["costs"][-1] = cost(3, 16000)
    assert promises(judge(good)) == {"doubled": 1}


def test_a_message_to_somebody_else(good):
    good["ledger"][1]["to"] = "+14150000000"
    assert promises(judge(good)) == {"sent to somebody else": 1}


def test_one_key_must_be_one_message(good):
    good["clients"][1]["ids"].append("id-7")
    assert promises(judge(good)) == {"one key, two messages": 1}


@pytest.mark.parametrize(("ours", "difference"), [(7999, -1), (16000, 8000), (None, -8000)])
def test_the_bill_is_compared_message_by_message(good, ours, difference):
    good["costs"][1:] = [] if ours is None else [cost(2, ours)]
    result = judge(good)
    assert promises(result) == {"costs differ": 1}
    assert result["costs"]["difference_micros"] == difference


def test_differences_do_not_cancel_each_other_out(good):
    good["costs"] = [cost(1, 8001), cost(2, 7999)]
    result = judge(good)
    assert result["costs"]["difference_micros"] == 0
    assert promises(result) == {"costs differ": 2}


@pytest.mark.parametrize(("answer", "broken"), [(200, 1), (204, 1), (409, 0), (0, 0)])
def test_a_confirmed_cancellation_holds(good, answer, broken):
    good["clients"][1].update(change="cancel", changed=answer)
    assert promises(judge(good)).get("sent although canceled", 0) == broken


@pytest.mark.parametrize(("asked", "broken"), [
    ({"send_at": "2026-11-21T10:00:00Z"}, 0),
    ({"send_at": "2026-11-21T10:00:09Z"}, 1),
    ({"send_at": "2026-11-21T09:00:00Z", "moved_to": "2026-11-21T10:00:09Z", "changed": 200}, 1),
    ({"send_at": "2026-11-21T10:00:09Z", "moved_to": "2026-11-21T10:00:00Z", "changed": 200}, 0),
    ({"send_at": "2026-11-21T10:00:09Z", "moved_to": "2026-11-21T10:00:00Z", "changed": 409}, 1),
    ({"send_at": "2026-11-21T10:00:09Z", "moved_to": "2026-11-21T10:00:00Z", "changed": 0}, 0),
    ({"send_at": "2026-11-21T10:00:09Z", "moved_to": "2026-11-21T10:00:00Z", "changed": 503}, 0),
    ({"send_at": "2026-11-21T10:00:09Z", "moved_to": "2026-11-21T10:00:09Z", "changed": 0}, 1),
])
def test_nothing_goes_out_before_its_time(good, asked, broken):
    good["clients"][1].update(asked)
    assert promises(judge(good)).get("sent before its time", 0) == broken


def test_a_canceled_message_is_not_lost(good):
    end_as(good, "canceled")
    good["clients"][1].update(change="cancel", changed=200)
    result = judge(good)
    assert result["broken"] == []
    assert result["changes"] == {"cancel 200": 1}


def test_with_lost_disks_the_losses_are_bounded(good):
    end_as(good, "expired", decision(2, "in_doubt"))
    assert promises(judge(good)) == {"lost": 1}
    good["run"]["lose_state"] = True
    result = judge(good)
    assert (result["broken"], result["lost"], result["lost_bound"]) == ([], ["id-2"], 3)
    good["kills"][0]["in_hand"] = 0
    assert promises(judge(good)) == {"lost": 1}


def test_without_a_doubt_a_lost_disk_excuses_nothing(good):
    good["run"]["lose_state"] = True
    end_as(good, "expired")
    assert promises(judge(good)) == {"lost": 1}


@pytest.mark.parametrize(("target", "seconds", "in_hand", "lost"), [
    ("worker-1", 90, 1, 0), ("worker-1", 90, 0, 1), ("worker-1", 6, 1, 1),
    ("scheduler-1", 90, 1, 1)])
def test_a_worker_still_for_long_may_lose_what_it_held(good, target, seconds, in_hand, lost):
    end_as(good, "expired", decision(2, "in_doubt"))
    good["faults"] = [{**fault(200.0), "name": "stop", "target": target, "in_hand": in_hand,
                       "began": 200.0 - seconds}]
    assert promises(judge(good)).get("lost", 0) == lost


def test_how_doubts_were_resolved(good):
    good["decisions"] += [decision(1, "in_doubt"), decision(1, "not_found"),
                          decision(1, "found"), decision(1, "in_doubt", turn=2)]
    good["attempts"] = [attempt(1, "in_doubt"), attempt(1, "in_doubt", turn=3), attempt(2)]
    told = judge(good)["classes"]["otp"]
    assert told["in_doubt"] == 3
    assert told["resolved"] == {"found": 1, "callback: no attempt": 1, "callback: delivered": 1}


def test_kills_are_counted_by_place_with_what_was_in_hand(good):
    good["kills"] = [
        kill(fault="place", armed="a", place="a", in_hand=5),
        kill(fault="place", armed="a", place="a", in_hand=2),
        kill(armed="b", in_hand=0), kill(fault="storm"),
        kill(fault="ended", code=1), kill(fault="ended", code=0)]
    kills = judge(good)["kills"]
    assert (kills["count"], kills["busy"], kills["busy_share"]) == (4, 3, 0.75)
    assert kills["places"] == {"a": {"kills": 2, "in_hand": 7, "most": 5}}
    assert kills["void"] == {"b": 1}
    assert kills["ended"] == {"worker-1 with code 1": 1, "worker-1 with code 0": 1}
    assert judge(good)["broken"] == []


def test_a_crash_of_its_own_is_no_fault_of_ours(good):
    good["kills"] = [kill(fault="ended", code=-11)]
    assert promises(judge(good)) == {"a program crashed": 1}


def fault(ended, bit=True):
    return {"name": "kafka_kill", "target": "", "began": ended - 10, "ended": ended, "bit": bit,
            "in_hand": 0}


@pytest.mark.parametrize(("without", "broken"), [
    ([], 0), ([(190, 225)], 0), ([(190, 235)], 1), ([(190, 900)], 1)])
def test_the_rate_must_be_back_within_thirty_seconds(good, without, broken):
    good["faults"] = [fault(200.0)]
    good["rate"] = steady(without=without)
    assert promises(judge(good)).get("late recovery", 0) == broken


def test_seconds_of_another_outage_do_not_count(good):
    good["faults"] = [fault(200.0), {**fault(240.0), "began": 210.0}]
    good["rate"] = steady(without=[(190, 250)])
    assert promises(judge(good)) == {}
    good["rate"] = steady(without=[(190, 266)])
    assert promises(judge(good)) == {"late recovery": 1}
    good["faults"][1]["name"] = "stop"
    assert promises(judge(good)) == {"late recovery": 1}


def test_four_fifths_of_the_rate_are_enough(good):
    good["faults"] = [fault(200.0)]
    for share, broken in ((0.85, 0), (0.75, 1)):
        good["rate"] = steady()[:30] + [
            {**row, "creates": 1500 + (row["at"] - 30) * 50 * share} for row in steady()[30:]]
        assert len(judge(good)["broken"]) == broken


def test_a_fault_at_the_end_is_not_measured_and_a_void_one_is_counted(good):
    good["faults"] = [fault(890.0), fault(100.0, bit=False)]
    good["rate"] = steady(without=[(880, 900)])
    table = judge(good)["recovery"]["faults"]["kafka_kill"]
    assert (table["times"], table["unmeasured"], table["void"]) == (2, 1, 1)


def test_the_report_names_what_is_broken(good):
    end_as(good, None)
    good["messages"].pop()
    assert "- lost: 1 (id-2)" in as_markdown(judge(good))


def test_aims_say_what_the_run_did_not_reach(good):
    aims = judge(good)["aims"]
    assert [(aim["found"], aim["met"]) for aim in aims] == [(1, False), (100, True), (0, False)]
    places = [name for names in plan.POINTS.values() for name in names]
    good["kills"] = [kill(fault="place", armed=name, place=name)
                     for name in places for _ in range(50)]
    good["kills"] += [kill() for _ in range(2000 - len(good["kills"]))]
    assert [aim["met"] for aim in judge(good)["aims"]] == [True, True, True]
    assert "met: kills 2000, wanted 2000" in summary(judge(good))
    good["kills"].remove(kill(fault="place", armed=places[3], place=places[3]))
    assert [aim["met"] for aim in judge(good)["aims"]] == [False, True, False]
    assert f"MISSED: kills at each fail point (fewest: {places[3]}) 49" in summary(judge(good))


def test_the_page_gets_the_report_between_its_marks(good, tmp_path):
    page = tmp_path / "page.md"
    page.write_text(f"before\n{MARK_BEGIN}old\n{MARK_END}after\n")
    write_docs(page, judge(good))
    write_docs(page, judge(good))
    text = as_markdown(judge(good))
    assert page.read_text() == f"before\n{MARK_BEGIN}\n{text}\n{MARK_END}after\n"
