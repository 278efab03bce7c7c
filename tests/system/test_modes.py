"""An installation that really sends, and simulates for some: a second simulator plays
Twilio, with an account of its own. Who reached whom stands in their ledgers."""

import pytest

from api import Api, fresh_number, request
from callbacks import Callbacks, new_sid
from database import Database
from stack import FREE_PORTS, Stack, metric, read_log, run_dev, stays_true, wait_until
from witness import Witness

ACCOUNT, TOKEN, LISTED = "AC" + 32 * "a", "the-real-token", "+14155550199"
KNOWN_TOKEN = "00000000000000000000000000000002"  # the default of simulator.auth_token


class Installation:
    """A stack in mode live; real is Twilio's part, sim its own simulator."""

    def __init__(self, stack, real):
        self.stack = stack
        self.real = real
        self.sim = Witness(stack.env["SMSQ_SIM_URL"])
        self.db = Database(stack.env["SMSQ_DATABASE_URL"])

    def api(self, mode):
        done = self.stack.smsq("token", "create", "--client", "one", "--scope", "send_sms",
                               "--scope", "view_sms_history", "--rate", "0", "--mode", mode)
        assert done.returncode == 0, done.stderr
        return Api(self.stack.env["SMSQ_API_URL"], done.stdout.strip())

    def reached(self):
        return self.real.ledger()["creates"], self.sim.ledger()["creates"]


@pytest.fixture(scope="module")
def live(tmp_path_factory, pytestconfig, system):
    folder = tmp_path_factory.mktemp("live")
    stack = Stack(folder / "run", pytestconfig.getoption("preset"))
    with (folder / "twilio.log").open("w") as log:
        twilio = system.stack.program(
            "smsq-twilio-simulator", "--simulator.port=0", "--simulator.admin_port=0",
            f"--simulator.account_sid={ACCOUNT}", f"--simulator.auth_token={TOKEN}", output=log)
    try:
        (port,) = wait_until(lambda: [line["port"] for line in read_log(folder / "twilio.log")
                                      if line["event"] == "simulator_started"], 10, "started")
        done = run_dev(stack.run, "up", "--no-demo", SMSQ_DEV_PRESET=stack.preset,
                       TWILIO_ACCOUNT_SID=ACCOUNT, TWILIO_AUTH_TOKEN=TOKEN,
                       TWILIO_PHONE_NUMBER="+15005550006", TWILIO_TEST_NUMBERS=LISTED,
                       SMSQ_TWILIO_BASE_URL=f"http://127.0.0.1:{port}", **FREE_PORTS)
        assert done.returncode == 0, done.stdout + done.stderr
        stack.read_env()
        yield Installation(stack, Witness(f"http://127.0.0.1:{port}"))
    finally:
        stack.wipe()
        twilio.terminate()
        twilio.wait(30)


@pytest.mark.parametrize(("mode", "to", "reached"), [
    ("live", None, (1, 0)), ("simulate", None, (0, 1)), ("listed", LISTED, (1, 0))])
def test_each_mode_reaches_its_account_and_its_costs_are_marked(live, mode, to, reached):
    api, before = live.api(mode), live.reached()
    told = api.wait_for(api.accepted(to=to or fresh_number()))
    assert told["mode"] == mode
    assert tuple(now - was for now, was in zip(live.reached(), before)) == reached
    assert live.db.rows("select distinct mode from cost_entries where message_id = %s",
                        told["id"]) == [(mode,)]


def test_in_mode_listed_other_numbers_are_refused(live):
    answer, before = live.api("listed").send(), live.reached()
    assert (answer.status, answer.json["code"]) == (403, "number_not_listed")
    assert answer.json["field"] == "to" and "TWILIO_TEST_NUMBERS" in answer.json["detail"]
    assert live.reached() == before


def accepted_by(live, witness, mode):
    """A message of that mode that its account has, and calls back about much later; its
    id, SID and the query of its callbacks."""
    witness.switch(sent_delay="1h", delivered_delay="1h")
    api = live.api(mode)
    message_id = api.accepted()
    wait_until(lambda: api.status(message_id).json["sid"], 20, "it has a SID")
    return api, message_id, api.status(message_id).json["sid"]


def callbacks(live, token):
    env = live.stack.env
    return Callbacks(env["SMSQ_RECEIVER_URL"], env["SMSQ_PUBLIC_URL"], token,
                     live.stack.secret("lookup_key"))


def test_the_simulator_s_token_moves_no_real_message(live):
    api, message_id, sid = accepted_by(live, live.real, "live")
    forger = callbacks(live, live.stack.env["SMSQ_AUTH_TOKEN"])
    right = forger.query_of(message_id)
    assert forger.post(sid, "delivered", right, token=KNOWN_TOKEN).status == 403
    count = live.db.one("select count(*) from receipts")
    assert forger.post(sid, "delivered", right).status == 204
    assert forger.post(sid, "undelivered").status == 204  # by its SID
    assert forger.post(new_sid(), "read", right).status == 204
    wait_until(lambda: live.db.one("select count(*) from receipts") == count + 3, 10, "kept")
    stays_true(lambda: api.status(message_id).json["status"] == "queued", 1.5, "as it was")
    assert callbacks(live, TOKEN).post(sid, "delivered", right).status == 204
    api.wait_for(message_id)


def test_twilio_s_token_moves_no_simulated_message(live):
    api, message_id, sid = accepted_by(live, live.sim, "simulate")
    twilio = callbacks(live, TOKEN)
    count = live.db.one("select count(*) from receipts")
    assert twilio.post(sid, "delivered", twilio.query_of(message_id)).status == 204
    wait_until(lambda: live.db.one("select count(*) from receipts") == count + 1, 10, "kept")
    stays_true(lambda: api.status(message_id).json["status"] == "queued", 1, "as it was")
    simulator = callbacks(live, live.stack.env["SMSQ_AUTH_TOKEN"])
    assert simulator.post(sid, "delivered", twilio.query_of(message_id)).status == 204
    api.wait_for(message_id)


@pytest.mark.parametrize(("flags", "status", "code", "words"), [
    # Beside a live account without a simulator.
    (("--simulator.url=",), 403, "mode_not_available", "simulator.url"),
    # Live, and nothing to be live with.
    (("--twilio.mode=live", "--twilio.account_sid=", "--twilio.auth_token="), 503,
     "not_configured", "TWILIO_ACCOUNT_SID"),
    # The token wants more than the installation does.
    (("--twilio.mode=listed", "--twilio.test_numbers=+14155550111"), 403,
     "number_not_listed", "TWILIO_TEST_NUMBERS"),
])
def test_what_is_not_configured_is_refused_with_what_to_set(
        live, tmp_path, flags, status, code, words):
    mode = "simulate" if code == "mode_not_available" else "live"
    account = (f"--twilio.account_sid={ACCOUNT}", f"--twilio.auth_token={TOKEN}")
    log_path = tmp_path / "producer.log"
    with log_path.open("w") as log:
        producer = live.stack.program("smsq-producer", "--producer.port=0",
                                      "--producer.admin_port=0", *account, *flags, output=log)
    try:
        (port,) = wait_until(lambda: [line["port"] for line in read_log(log_path)
                                      if line["event"] == "producer_started"], 10, "started")
        url = f"http://127.0.0.1:{port}"
        ready = 503 if status == 503 else 200
        wait_until(lambda: request(url + "/readyz").status == ready, 10, "its readiness")
        answer = Api(url, live.api(mode).token).send()
        assert (answer.status, answer.json["code"]) == (status, code), answer
        assert words in answer.json["detail"]
        if status == 503:
            assert words in request(url + "/readyz").json["reason"]
    finally:
        producer.terminate()
        producer.wait(30)


def test_a_simulator_with_the_known_token_is_refused_beside_a_live_account(live):
    done = live.stack.program(
        "smsq-webhook-receiver", f"--twilio.account_sid={ACCOUNT}",
        f"--twilio.auth_token={TOKEN}", f"--simulator.auth_token={KNOWN_TOKEN}",
        "--check-config")
    assert done.wait(30) == 1


def of_workers(live, read):
    return [read(live.stack.admin_url(name)) for name in live.stack.parts()
            if name.startswith("worker")]


def cost(live):
    return sum(of_workers(live, lambda url: metric(
        url, 'smsq_cost_micros_total{currency="USD"}')))


def test_what_is_simulated_says_nothing_about_twilio_and_its_bill(live):
    for witness in (live.real, live.sim):
        witness.reset_switches()
    before, simulated, real = cost(live), live.api("simulate"), live.api("live")
    simulated.wait_for(simulated.accepted())
    assert cost(live) == before
    real.wait_for(real.accepted())
    assert cost(live) > before
    rule = "kind=error&status=401&error_code=20003"
    assert request(live.sim.url + "/_sim/faults", "POST", rule, {
        "Content-Type": "application/x-www-form-urlencoded"}).status in (200, 201)
    refused = simulated.accepted()
    wait_until(lambda: live.db.rows("select reason from messages where message_id = %s",
                                    refused) == [("misconfigured",)], 10, "the simulator refused it")
    assert set(of_workers(live, lambda url: request(url + "/readyz").status)) == {200}
