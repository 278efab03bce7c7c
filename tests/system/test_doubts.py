"""What Twilio's answer did not tell: found, given up or sent again, by class; statuses and
prices that never came. A status consumer with short times does the work."""

import json
import signal
import urllib.request

import pytest

from stack import stays_true, wait_until

FAST = {
    "interval": "50ms", "otp_doubt": "2s", "emergency_doubt": "2s",
    "transactional_doubt": "3s", "marketing_doubt": "3s", "first_look": "500ms",
    "list_interval": "700ms", "list_lag": "2s", "calls_per_second": "100",
    "sweep_interval": "200ms", "status_ages": "1s,1h", "price_ages": "1s,5s,1h",
    "time_out": "12s", "otp_time_out": "1h",
}


@pytest.fixture(scope="module")
def quick(system, tmp_path_factory):
    """Takes the place of the stack's status consumer."""
    system.restore()
    system.stack.kill("status-consumer", signal.SIGTERM)
    log = (tmp_path_factory.mktemp("doubts") / "status.log").open("w")
    program = system.stack.program(
        "smsq-status-consumer", "--status.admin_port=0",
        *(f"--reconcile.{name}={value}" for name, value in FAST.items()), output=log)
    system.stack.pids["status-consumer"] = program.pid
    wait_until(lambda: system.db.one(
        "select count(*) from leases where name in ('doubts', 'sweeps')"
        f" and held_by like '%%process {program.pid}'") == 2, 40, "it holds the leases")
    yield system
    program.terminate()
    assert program.wait(30) == 0
    system.stack.up()


@pytest.fixture
def smsq(quick):
    quick.sim.reset()
    fault(quick, method="DELETE")
    quick.sim.switch(list_lag="0s", sent_delay="50ms", delivered_delay="150ms")
    yield quick
    fault(quick, method="DELETE")
    quick.sim.switch(list_lag="0s", sent_delay="50ms", delivered_delay="150ms")


@pytest.fixture
def api(smsq):
    return smsq.new_api()


def fault(smsq, method="POST", **rule):
    form = "&".join(f"{name}={value}" for name, value in rule.items()).encode()
    request = urllib.request.Request(smsq.stack.env["SMSQ_SIM_URL"] + "/_sim/faults",
                                     form if method == "POST" else None, method=method)
    with urllib.request.urlopen(request, timeout=10):
        pass


def message(smsq, message_id):
    return smsq.db.rows("select status, twilio_sid from messages where message_id = %s",
                        message_id)


def wait_for(smsq, message_id, *statuses, within=25):
    return wait_until(lambda: (rows := message(smsq, message_id)) and
                      rows[0][0] in statuses and rows[0], within, f"it is {statuses}")


def decisions(smsq, message_id):
    return [kind for (kind,) in smsq.db.rows(
        "select kind from decisions where message_id = %s order by decided_at", message_id)]


def test_accepted_behind_a_500_is_found_by_its_callback(smsq, api):
    fault(smsq, kind="error", status=500, accepts="yes")
    message_id = api.accepted()
    wait_for(smsq, message_id, "delivered")
    assert smsq.sim.by_message_id()[message_id]["sid"] == message(smsq, message_id)[0][1]


def test_accepted_and_no_callback_is_found_in_the_list(smsq, api):
    fault(smsq, kind="error", status=500, accepts="yes")
    fault(smsq, kind="lost")
    message_id = api.accepted()
    wait_for(smsq, message_id, "sent", "delivered")
    assert "found" in decisions(smsq, message_id)
    assert smsq.sim.by_message_id()[message_id]["sid"] == message(smsq, message_id)[0][1]


def test_a_list_that_lags_is_waited_for(smsq, api):
    fault(smsq, kind="error", status=500, accepts="yes")
    fault(smsq, kind="lost")
    smsq.sim.switch(list_lag="1500ms")
    message_id = api.accepted()
    wait_for(smsq, message_id, "sent", "delivered")
    assert not {"unknown", "resend"} & set(decisions(smsq, message_id))


@pytest.mark.parametrize("class_, end", [("transactional", "unknown"),
                                         ("marketing", "unknown"), ("otp", "expired")])
def test_not_accepted_behind_a_500_ends_by_its_class(smsq, api, class_, end):
    fault(smsq, kind="error", status=500)
    message_id = api.accepted(**{"class": class_})
    wait_for(smsq, message_id, end)
    assert end in decisions(smsq, message_id)
    assert smsq.sim.ledger()["creates"] == 0


@pytest.mark.parametrize("fields", [{"class": "emergency"}, {"if_in_doubt": "send_again"}])
def test_sent_again_where_that_is_wanted(smsq, api, fields):
    fault(smsq, kind="error", status=500, count=1)
    message_id = api.accepted(**fields)
    wait_for(smsq, message_id, "delivered")
    assert "resend" in decisions(smsq, message_id)
    assert smsq.sim.ledger()["creates"] == 1


def test_a_final_callback_that_was_lost_is_asked_for(smsq, api):
    fault(smsq, kind="lost")
    message_id = api.accepted()
    wait_for(smsq, message_id, "delivered")


def test_timed_out_and_delivered_after_all(smsq, api):
    smsq.sim.switch(delivered_delay="1h")
    message_id = api.accepted()
    _, sid = wait_for(smsq, message_id, "timed_out", within=40)
    assert "timed_out" in decisions(smsq, message_id)
    query = smsq.callbacks.query_of(message_id)
    assert smsq.callbacks.post(sid, "delivered", query).status == 204
    wait_for(smsq, message_id, "delivered")


def test_the_ledger_is_the_simulator_s_bill(smsq, api):
    ids = [api.accepted() for _ in range(5)]
    smsq.sim.wait_quiet()
    wait_until(lambda: smsq.db.one(
        "select count(*) from cost_entries where kind = 'price'"
        " and message_id = any(%s::uuid[])", ids) == 5, 30, "the prices are there")
    assert smsq.db.one("select sum(amount_micros)::bigint from cost_entries"
                       " where message_id = any(%s::uuid[])", ids) == \
        smsq.sim.ledger()["billed_micros"]


def test_two_equal_texts_are_told_apart_or_left_open(smsq, api):
    fault(smsq, kind="error", status=500, accepts="yes")
    fault(smsq, kind="lost")
    number = "+14155550177"
    ids = [api.accepted(to=number, body="the same") for _ in range(2)]
    found = {wait_for(smsq, message_id, "sent", "delivered")[1] for message_id in ids}
    assert found == {row["sid"] for row in smsq.sim.by_message_id().values()}


def doubt(smsq, *words, code=0):
    done = smsq.stack.smsq("doubt", *words, "--json")
    assert done.returncode == code, done.stdout + done.stderr
    return json.loads(done.stdout)


@pytest.fixture
def in_doubt(smsq, api):
    """One message in doubt that stays so: lists do not come."""
    fault(smsq, kind="error", status=503, on="list")
    fault(smsq, kind="error", status=500)
    message_id = api.accepted()
    wait_for(smsq, message_id, "in_doubt")
    stays_true(lambda: message(smsq, message_id)[0][0] == "in_doubt", 5, "nobody ends it")
    return message_id


def test_people_see_and_close_what_is_left(smsq, in_doubt):
    (row,) = [row for row in doubt(smsq, "list")["doubts"] if row["message_id"] == in_doubt]
    assert row["class"] == "transactional" and "list did not come" in row["note"]
    assert doubt(smsq, "list", "--older", "1h")["doubts"] == []
    assert doubt(smsq, "close", in_doubt, "--as", "unknown")["closed"] == [in_doubt]
    assert message(smsq, in_doubt)[0][0] == "unknown"
    assert decisions(smsq, in_doubt)[-1] == "closed"
    (refused,) = doubt(smsq, "close", in_doubt, "--as", "expired", code=4)["refused"]
    assert refused["message_id"] == in_doubt
    wait_until(lambda: smsq.db.one("select count(*) from doubts where message_id = %s",
                                   in_doubt) == 0, 10, "its note is gone")


def test_people_may_send_again_what_nothing_proves(smsq, in_doubt):
    fault(smsq, method="DELETE")
    assert doubt(smsq, "resend", in_doubt)["resent"] == [in_doubt]
    wait_for(smsq, in_doubt, "delivered")
    refused = doubt(smsq, "resend", in_doubt, code=4)["refused"]
    assert "not in doubt" in refused[0]["reason"]
    assert smsq.sim.ledger()["creates"] == 1


def test_people_may_say_that_it_was_sent(smsq, in_doubt):
    sid = "SM" + 32 * "a"
    closed = doubt(smsq, "close", in_doubt, "--as", "sent", "--sid", sid)
    assert closed["closed"] == [in_doubt]
    assert message(smsq, in_doubt) == [("sent", sid)]
    refused = doubt(smsq, "resend", in_doubt, code=4)["refused"]
    assert refused[0]["message_id"] == in_doubt
