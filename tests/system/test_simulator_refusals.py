"""Every refusal that the manual lists is brought about, and has Twilio's shape."""

import datetime
import re

import pytest

from simulator import ACCOUNT, FROM, SERVICE, TREE, Simulator
from twilio_description import check_error

BASE = f"/2010-04-01/Accounts/{ACCOUNT}"
NUMBERS = BASE + "/IncomingPhoneNumbers"
OTHER, TRIAL, TEST, CLOSED = ("AC" + digit * 32 for digit in "7468")
NO_SUCH = "0" * 32
WHATSAPP = "whatsapp:+14155550100"
MINE = "+14155550150"  # of the account too
# Needs half a million messages; unit/test_sim_check.c has it.
ELSEWHERE = {35125}


def ahead(**time):
    return (datetime.datetime.now(datetime.timezone.utc)
            + datetime.timedelta(**time)).isoformat(timespec="seconds")


SCHEDULED = {"From": None, "MessagingServiceSid": SERVICE, "ScheduleType": "fixed"}
CREATES = [
    (21604, {"To": None}), (21211, {"To": "+15005550001"}), (21265, {"To": "12345"}),
    (21603, {"From": None}), (21212, {"From": "+15005550001"}), (21606, {"From": "+15005550007"}),
    (21659, {"From": "+14155550123"}), (21660, {"From": "+14155550177"}), (21266, {"To": FROM}),
    (63007, {"From": "whatsapp:+14155550123", "To": WHATSAPP}),
    (63031, {"From": "whatsapp:" + FROM, "To": "whatsapp:" + FROM}),
    (30016, {"To": WHATSAPP}), (21612, {"To": "+15005550002"}), (21408, {"To": "+15005550003"}),
    (21610, {"To": "+15005550004"}), (21614, {"To": "+15005550009"}),
    (21611, {"From": "+15005550008"}), (21705, {"MessagingServiceSid": "MG1"}),
    (21602, {"Body": None}), (21617, {"Body": "a" * 1601}), (21618, {"Body": b"\xff"}),
    (21620, {"MediaUrl": "nowhere"}), (21623, {"MediaUrl": ["https://example.com/a.png"] * 11}),
    (21609, {"StatusCallback": "nowhere"}), (90007, {"ValidityPeriod": "36001"}),
    (90014, {"ValidityPeriod": "0"}), (21654, {"ContentVariables": "{}"}),
    (21655, {"ContentSid": "HX1"}),
    (21656, {"ContentSid": "HX" + "1" * 32, "ContentVariables": "[1"}),
    (21664, {"FallbackFrom": FROM}), (30029, {"ContentRetention": "discard"}),
    (30030, {"AddressRetention": "obfuscate"}), (35111, SCHEDULED),
    (35114, {**SCHEDULED, "SendAt": ahead(days=36)}),
    (35118, {"ScheduleType": "fixed", "SendAt": ahead(hours=1)}),
]


@pytest.fixture(scope="module")
def sim(tmp_path_factory):
    folder = tmp_path_factory.mktemp("simulator")
    accounts = folder / "accounts"
    accounts.write_text(f"sid={OTHER}&auth_token=other&senders=%2B14155550177\n"
                        f"sid={TRIAL}&auth_token=trial&type=Trial&verified=%2B14155550100\n"
                        f"sid={TEST}&auth_token=test&test=yes\n"
                        f"sid={CLOSED}&auth_token=closed&owner={ACCOUNT}\n")
    simulator = Simulator(folder, accounts_file=accounts, messaging_service_sid=SERVICE,
                          senders=f"{FROM},{MINE}", sent_delay="0s", delivered_delay="0s",
                          queued_delay="0s")
    yield simulator
    assert simulator.stop() == 0


def create(sim, change, path=BASE, **login):
    form = {"To": "+14155550100", "From": FROM, "Body": "Hello", **change}
    pairs = [(name, value) for name, values in form.items() if values is not None
             for value in (values if isinstance(values, list) else [values])]
    return sim.ask("POST", path + "/Messages.json", pairs, **login)


@pytest.mark.parametrize("code,change", CREATES, ids=[str(code) for code, _ in CREATES])
def test_a_create_is_refused(sim, code, change):
    before = sim.ledger()
    check_error(create(sim, change), 400, code)
    after = sim.ledger()
    assert (after["creates"], after["refused"]) == (before["creates"], before["refused"] + 1)


def unknown_service(sim):
    return create(sim, {"From": None, "MessagingServiceSid": "MG" + NO_SUCH})


def unverified(sim):
    return create(sim, {"To": "+14155550101"}, f"/2010-04-01/Accounts/{TRIAL}", user=TRIAL,
                  password="trial")


def sender_of_no_pool(sim):
    service = sim.ask("POST", "/v1/Services", {"FriendlyName": "Shop"}).json
    pool = f"/v1/Services/{service['sid']}"
    sim.ask("POST", pool + "/AlphaSenders", {"AlphaSender": "Shop"})
    return create(sim, {"MessagingServiceSid": service["sid"]})


def closed_account(sim):
    path = f"/2010-04-01/Accounts/{CLOSED}.json"
    assert sim.ask("POST", path, {"Status": "suspended"}).status == 200
    return sim.ask("GET", path, user=CLOSED, password="closed")


def change_two_things(sim):
    sid = create(sim, {}).json["sid"]
    return sim.ask("POST", f"{sim.messages}/{sid}.json", {"Body": "", "Status": "canceled"})


def cancel_too_late(sim):
    sid = create(sim, {}).json["sid"]
    sim.wait_status(sid, "delivered")
    return sim.ask("POST", f"{sim.messages}/{sid}.json", {"Status": "canceled"})


def delete_too_early(sim):
    sid = create(sim, {**SCHEDULED, "SendAt": ahead(hours=1)}).json["sid"]
    return sim.ask("DELETE", f"{sim.messages}/{sid}.json")


def buy(number):
    return lambda sim: sim.ask("POST", NUMBERS + ".json", {"PhoneNumber": number})


def add_number(sim, service):
    found = sim.ask("GET", NUMBERS + ".json?PhoneNumber=%2B" + MINE[1:]).json
    number, = found["incoming_phone_numbers"]
    return sim.ask("POST", f"/v1/Services/{service}/PhoneNumbers",
                   {"PhoneNumberSid": number["sid"]})


def number_again(sim):
    add_number(sim, SERVICE)
    return add_number(sim, SERVICE)


def number_of_another(sim):
    add_number(sim, SERVICE)
    return add_number(sim, sim.ask("POST", "/v1/Services", {"FriendlyName": "Shop"}).json["sid"])


def name_again(sim):
    service = sim.ask("POST", "/v1/Services", {"FriendlyName": "Shop"}).json
    pool = f"/v1/Services/{service['sid']}/AlphaSenders"
    assert sim.ask("POST", pool, {"AlphaSender": "Shop"}).status == 201
    return sim.ask("POST", pool, {"AlphaSender": "Shop"})


REQUESTS = [
    (401, 20003, lambda sim: sim.ask("GET", BASE + ".json", password="wrong")),
    (403, 20005, closed_account),
    (403, 20008, lambda sim: sim.ask("GET", f"/2010-04-01/Accounts/{TEST}/Messages.json",
                                     user=TEST, password="test")),
    (404, 20404, lambda sim: sim.fetch("SM" + NO_SUCH)),
    (405, 20004, lambda sim: sim.ask("PUT", BASE + "/Messages.json", {})),
    (400, 20001, lambda sim: sim.ask("GET", BASE + "/Messages.json?PageSize=0")),
    (400, 20007, lambda sim: sim.ask("GET", BASE + "/Messages.json?PageSize=1001")),
    (404, 21701, unknown_service), (400, 21608, unverified), (400, 21709, sender_of_no_pool),
    (400, 30400, change_two_things), (409, 30409, cancel_too_late),
    (409, 20009, delete_too_early), (400, 21421, buy("x")), (400, 21422, buy(MINE)),
    (409, 21710, number_again), (409, 21712, number_of_another), (409, 21714, name_again),
]


@pytest.mark.parametrize("status,code,request_", REQUESTS, ids=[str(r[1]) for r in REQUESTS])
def test_a_request_is_refused(sim, status, code, request_):
    check_error(request_(sim), status, code)


def test_the_manual_lists_what_is_walked_here():
    page = (TREE / "docs/simulator_api.md").read_text()
    table = page.split("## Refusals\n")[1].split("\n\n")[0]
    listed = {int(code) for code in re.findall(r"\b\d{5}\b", table)}
    assert listed - ELSEWHERE == {r[0] for r in CREATES} | {r[1] for r in REQUESTS}
