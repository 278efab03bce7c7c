"""Every operation that Twilio describes is asked of the simulator, and every answer, also the
refusals, is compared with the description."""

import re

import pytest
from twilio.rest.api.v2010.account.key import KeyInstance
from twilio.rest.api.v2010.account.new_key import NewKeyInstance
from twilio.rest.api.v2010.account.short_code import ShortCodeInstance

from simulator import ACCOUNT, FROM, SERVICE, Simulator, wait_for
from twilio_description import check_answer, check_error, operations, query_names
from webhook_site import WebhookSite

OTHER = "AC" + "7" * 32
BASE = f"/2010-04-01/Accounts/{ACCOUNT}"


@pytest.fixture(scope="module")
def sim(tmp_path_factory):
    simulator = Simulator(tmp_path_factory.mktemp("simulator"), sent_delay="0s",
                          delivered_delay="0s", queued_delay="0s")
    yield simulator
    assert simulator.stop() == 0


class Walk:
    """Asks, checks, and remembers which operations were answered."""

    def __init__(self, sim):
        self.sim, self.done = sim, set()

    def __call__(self, method, path, form=None):
        answer = check_answer(method, path, self.sim.ask(method, path, form))
        pattern = re.sub(r"\b[A-Z]{2}[0-9a-f]{32}\b", "{}", path.split("?")[0])
        self.done.add((method, pattern.replace("Countries/US", "Countries/{}")))
        return answer


def walk_messages(ask):
    page = BASE + "/Messages"
    sent = ask("POST", page + ".json", {"To": "+14155550100", "From": FROM, "Body": "Hello",
                                        "MediaUrl": "https://example.com/a.jpg"})
    one = f"{page}/{sent['sid']}"
    wait_for("delivered", lambda: ask("GET", one + ".json")["status"] == "delivered")
    ask("GET", page + ".json?PageSize=1&To=%2B14155550100")
    ask("POST", one + ".json", {"Body": ""})
    ask("POST", one + "/Feedback.json", {"Outcome": "confirmed"})
    medium = ask("GET", one + "/Media.json?DateCreated%3E=2020-01-01")["media_list"][0]
    ask("GET", f"{one}/Media/{medium['sid']}.json")
    ask("DELETE", f"{one}/Media/{medium['sid']}.json")
    ask("DELETE", one + ".json")


def walk_accounts(ask):
    sub = ask("POST", "/2010-04-01/Accounts.json", {"FriendlyName": "sub"})
    ask("GET", "/2010-04-01/Accounts.json?Status=active")
    ask("GET", f"/2010-04-01/Accounts/{sub['sid']}.json")
    ask("POST", f"/2010-04-01/Accounts/{sub['sid']}.json", {"Status": "closed"})
    ask("GET", BASE + "/Balance.json")
    number = ask("POST", BASE + "/IncomingPhoneNumbers.json", {"PhoneNumber": "+14155550121"})
    one = f"{BASE}/IncomingPhoneNumbers/{number['sid']}.json"
    ask("GET", BASE + "/IncomingPhoneNumbers.json?PageSize=1")
    ask("GET", one)
    ask("POST", one, {"SmsUrl": "https://example.com/in"})
    return one, number["sid"]


def walk_usage(ask):
    ask("GET", BASE + "/Usage/Records.json?PageSize=1000")
    for period in ("AllTime", "Daily", "LastMonth", "Monthly", "ThisMonth", "Today", "Yearly",
                   "Yesterday"):
        ask("GET", f"{BASE}/Usage/Records/{period}.json?Category=totalprice")
    page = BASE + "/Usage/Triggers"
    made = ask("POST", page + ".json", {"CallbackUrl": "http://127.0.0.1:9/", "TriggerValue": "+5",
                                        "UsageCategory": "sms", "Recurring": "daily"})
    ask("GET", page + ".json?Recurring=daily")
    one = f"{page}/{made['sid']}.json"
    ask("GET", one)
    ask("POST", one, {"FriendlyName": "five"})
    ask("DELETE", one)


def walk_services(ask, number_sid):
    made = ask("POST", "/v1/Services", {"FriendlyName": "Shop"})
    one = "/v1/Services/" + made["sid"]
    ask("GET", "/v1/Services?PageSize=1")
    ask("GET", one)
    ask("POST", one, {"StickySender": "false"})
    for part, form in (("PhoneNumbers", {"PhoneNumberSid": number_sid}),
                       ("AlphaSenders", {"AlphaSender": "Shop"})):
        sender = ask("POST", f"{one}/{part}", form)
        ask("GET", f"{one}/{part}?PageSize=1")
        ask("GET", f"{one}/{part}/{sender['sid']}")
        ask("DELETE", f"{one}/{part}/{sender['sid']}")
    ask("DELETE", one)


def test_every_operation_is_answered_as_described(sim):
    ask = Walk(sim)
    walk_messages(ask)
    one, number_sid = walk_accounts(ask)
    walk_usage(ask)
    walk_services(ask, number_sid)
    ask("DELETE", one)
    ask("GET", "/v1/Messaging/Countries?PageSize=2")
    ask("GET", "/v1/Messaging/Countries/US")
    described = {(method, re.sub(r"{\w+}", "{}", path)) for method, path in operations()}
    assert described - ask.done == set()


def known_to(instance, **solution):
    """The properties that Twilio's library for Python reads from such a resource."""
    return set(instance(None, {}, **solution)._properties)


def test_what_is_not_described_here_has_the_properties_that_the_library_reads(sim):
    key = sim.ask("POST", BASE + "/Keys.json", {"FriendlyName": "ci"}).json
    assert set(key) == known_to(NewKeyInstance, account_sid=ACCOUNT)
    one = f"{BASE}/Keys/{key['sid']}.json"
    for answer in (sim.ask("GET", one).json, sim.ask("POST", one, {"FriendlyName": "new"}).json,
                   *sim.ask("GET", BASE + "/Keys.json").json["keys"]):
        assert set(answer) == known_to(KeyInstance, account_sid=ACCOUNT)
    sim.ask("POST", "/_sim/accounts", {"sid": OTHER, "auth_token": "other", "senders": "12345",
                                       "messaging_services": SERVICE}, user=None)
    login = {"user": OTHER, "password": "other"}
    page = f"/2010-04-01/Accounts/{OTHER}/SMS/ShortCodes"
    code, = sim.ask("GET", page + ".json", **login).json["short_codes"]
    one = f"{page}/{code['sid']}.json"
    for answer in (code, sim.ask("GET", one, **login).json,
                   sim.ask("POST", one, {"FriendlyName": "new"}, **login).json):
        assert set(answer) == known_to(ShortCodeInstance, account_sid=OTHER)


def path_of(pattern, known):
    """The pattern with the account's SID and SIDs that are not there."""
    def sid(match):
        name = match[1]
        if name == "AccountSid" or "Accounts/{Sid}.json" in pattern:
            return ACCOUNT if known else "AC" + "0" * 32
        return "XX" if name == "IsoCountry" else "SM" + "0" * 32
    return re.sub(r"{(\w+)}", sid, pattern)


@pytest.mark.parametrize("method,pattern", sorted(operations()))
def test_every_operation_refuses_as_twilio_does(sim, method, pattern):
    form = {} if method == "POST" else None
    path = path_of(pattern, True)
    check_error(sim.ask(method, path, form, password="wrong"), 401, 20003)
    check_error(sim.ask(method, path, form, user=None), 401, 20003)
    check_error(sim.ask("PUT", path, {}), 405, 20004)
    if "{AccountSid}" in pattern:
        check_error(sim.ask(method, path_of(pattern, False), form), 404, 20404)
    if re.search(r"{(Sid|MessageSid|ServiceSid|IsoCountry)}", pattern) and path != BASE + ".json":
        check_error(sim.ask(method, path, form), 404, 20404)
    elif "PageSize" in query_names(method, pattern):
        check_error(sim.ask(method, path + "?PageSize=1001"), 400, 20007)
        check_error(sim.ask(method, path + "?PageSize=0"), 400, 20001)


def test_a_usage_trigger_fires_once(sim):
    site = WebhookSite()
    page = BASE + "/Usage/Triggers.json"
    try:
        made = sim.ask("POST", page, {"CallbackUrl": site.url + "/trigger",
                                      "TriggerValue": "+2", "TriggerBy": "count",
                                      "UsageCategory": "sms-outbound"}).json
        for i in range(4):
            sim.wait_status(sim.create(Body=f"number {i}").json["sid"], "delivered")
        wait_for("the trigger", lambda: site.hits)
        hit, = site.hits
        assert hit.params["UsageTriggerSid"] == made["sid"]
        assert hit.params["TriggerValue"] == hit.params["CurrentValue"] == made["trigger_value"]
        fired = sim.ask("GET", f"{BASE}/Usage/Triggers/{made['sid']}.json").json
        assert fired["date_fired"]
    finally:
        site.close()


@pytest.mark.parametrize("form", [
    {"TriggerValue": "x"}, {"TriggerValue": ""}, {"UsageCategory": "dreams"},
    {"TriggerBy": "mood"}, {"Recurring": "hourly"}, {"CallbackUrl": "nowhere"},
    {"CallbackUrl": ""}])
def test_bad_triggers_are_refused(sim, form):
    form = {"CallbackUrl": "http://127.0.0.1:9/", "TriggerValue": "1", "UsageCategory": "sms",
            **form}
    check_error(sim.ask("POST", BASE + "/Usage/Triggers.json", form), 400, 20001)
