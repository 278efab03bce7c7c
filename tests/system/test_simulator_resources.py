"""The simulator's resources beside messages: accounts, keys, numbers, services, usage, prices.
Every answer is compared with Twilio's description."""

import datetime
import decimal
import re

import pytest

from simulator import ACCOUNT, FROM, SERVICE, TOKEN, TREE, Simulator, wait_for
from twilio_description import check_answer

BASE = f"/2010-04-01/Accounts/{ACCOUNT}"
OTHER = "AC" + "7" * 32


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    simulator = Simulator(tmp_path_factory.mktemp("simulator"), failed_fee="0.001",
                          sent_delay="0s", delivered_delay="0s", queued_delay="0s")
    yield simulator
    assert simulator.stop() == 0


@pytest.fixture
def sim(shared):
    shared.reset()
    return shared


def ask(sim, method, path, form=None, **login):
    """A request that must be answered as Twilio describes it."""
    return check_answer(method, path, sim.ask(method, path, form, **login))


def refused(sim, method, path, status, code, form=None, **login):
    answer = sim.ask(method, path, form, **login)
    assert (answer.status, answer.json["code"]) == (status, code), answer.body
    assert set(answer.json) - {"detail"} == {"code", "message", "more_info", "status"}
    return answer.json


def configure(sim, **fields):
    answer = sim.ask("POST", "/_sim/accounts", fields, user=None)
    assert answer.status == 200, answer.body
    return answer.json


# --- accounts and keys ---

def test_an_account_is_fetched_listed_and_renamed(sim):
    account = ask(sim, "GET", BASE + ".json")
    assert account["sid"] == account["owner_account_sid"] == ACCOUNT
    assert account["status"] == "active" and account["type"] == "Full"
    assert ask(sim, "POST", BASE + ".json", {"FriendlyName": "Mine"})["friendly_name"] == "Mine"
    listed = ask(sim, "GET", "/2010-04-01/Accounts.json?FriendlyName=Mine")
    assert [a["sid"] for a in listed["accounts"]] == [ACCOUNT]
    assert ask(sim, "GET", "/2010-04-01/Accounts.json?FriendlyName=Yours")["accounts"] == []
    refused(sim, "POST", BASE + ".json", 400, 20001, {"Status": "closed"})


def test_a_subaccount_has_its_own_token_numbers_and_messages(sim):
    sub = ask(sim, "POST", "/2010-04-01/Accounts.json", {"FriendlyName": "Sub"})
    login = {"user": sub["sid"], "password": sub["auth_token"]}
    path = f"/2010-04-01/Accounts/{sub['sid']}"
    message = {"To": "+14155550100", "From": "+14155550177", "Body": "Hello"}
    assert sub["owner_account_sid"] == ACCOUNT
    refused(sim, "POST", path + "/Messages.json", 400, 21659, message, **login)
    number = ask(sim, "POST", path + "/IncomingPhoneNumbers.json",
                 {"PhoneNumber": "+14155550177"}, **login)
    sent = ask(sim, "POST", path + "/Messages.json", message, **login)
    assert sent["account_sid"] == sub["sid"] and sent["uri"].startswith(path)
    assert ask(sim, "GET", path + f"/Messages/{sent['sid']}.json")["sid"] == sent["sid"]
    refused(sim, "GET", f"{BASE}/Messages/{sent['sid']}.json", 404, 20404)
    refused(sim, "GET", BASE + ".json", 404, 20404, **login)
    refused(sim, "GET", path + "/Balance.json", 404, 20404, **login)
    ask(sim, "DELETE", path + f"/IncomingPhoneNumbers/{number['sid']}.json", **login)
    assert ask(sim, "POST", path + ".json", {"Status": "suspended"})["status"] == "suspended"
    refused(sim, "GET", path + ".json", 403, 20005, **login)


def test_an_api_key_logs_in_until_it_is_deleted(sim):
    made = sim.ask("POST", BASE + "/Keys.json", {"FriendlyName": "ci"})
    key = made.json
    login = {"user": key["sid"], "password": key["secret"]}
    assert made.status == 201 and re.fullmatch("SK[0-9a-f]{32}", key["sid"])
    assert ask(sim, "GET", BASE + "/Messages.json", **login)["messages"] == []
    refused(sim, "GET", BASE + "/Messages.json", 401, 20003, user=key["sid"], password="wrong")
    listed = sim.ask("GET", BASE + "/Keys.json").json
    assert listed["keys"][-1] == {name: key[name] for name in key if name != "secret"}
    one = f"{BASE}/Keys/{key['sid']}.json"
    assert sim.ask("POST", one, {"FriendlyName": "new"}).json["friendly_name"] == "new"
    assert sim.ask("GET", one).json["friendly_name"] == "new"
    assert sim.ask("DELETE", one).status == 204
    refused(sim, "GET", one, 404, 20404)
    refused(sim, "GET", BASE + "/Messages.json", 401, 20003, **login)


def test_accounts_come_from_a_file_too(tmp_path):
    accounts = tmp_path / "accounts"
    accounts.write_text(f"# two more\nsid={OTHER}&auth_token=other&senders=%2B14155550150\n\n"
                        f"sid=AC{'8' * 32}&auth_token=third&owner={OTHER}&type=Trial\n")
    sim = Simulator(tmp_path, accounts_file=accounts)
    try:
        path = f"/2010-04-01/Accounts/{OTHER}"
        login = {"user": OTHER, "password": "other"}
        form = {"To": "+14155550100", "Body": "Hello"}
        ask(sim, "POST", path + "/Messages.json", {**form, "From": "+14155550150"}, **login)
        refused(sim, "POST", path + "/Messages.json", 400, 21660, {**form, "From": FROM},
                **login)
        listed = sim.ask("GET", "/_sim/accounts", user=None).json["accounts"]
        assert [a["sid"] for a in listed] == [ACCOUNT, OTHER, "AC" + "8" * 32]
        assert (listed[2]["owner"], listed[2]["type"]) == (OTHER, "Trial")
    finally:
        assert sim.stop() == 0


def test_a_wrong_account_is_refused_and_named(sim):
    for form, word in (({"sid": "AC1"}, "sid"), ({"auth_token": ""}, "auth_token"),
                       ({"type": "Half"}, "type"), ({"senders": "no such sender"}, "senders"),
                       ({"nonsense": "1"}, "nonsense")):
        answer = sim.ask("POST", "/_sim/accounts", {"sid": "AC" + "9" * 32, **form}, user=None)
        assert answer.status == 400 and word in answer.json["detail"], answer.body


def test_test_credentials_create_nothing(sim):
    configure(sim, sid="AC" + "6" * 32, auth_token="test", test="yes")
    path = f"/2010-04-01/Accounts/AC{'6' * 32}"
    login = {"user": "AC" + "6" * 32, "password": "test"}
    form = {"To": "+14155550100", "From": FROM, "Body": "Hello"}
    before = sim.ledger()["creates"]
    message = ask(sim, "POST", path + "/Messages.json", form, **login)
    assert message["status"] == "queued"
    refused(sim, "POST", path + "/Messages.json", 400, 21606,
            {**form, "From": "+14155550123"}, **login)
    refused(sim, "POST", path + "/Messages.json", 400, 21610,
            {**form, "To": "+15005550004"}, **login)
    refused(sim, "GET", path + "/Messages.json", 403, 20008, **login)
    assert sim.ledger()["creates"] == before


def test_a_trial_sends_to_verified_numbers_with_a_sentence_in_front(sim):
    sid = "AC" + "4" * 32
    configure(sim, sid=sid, auth_token="trial", type="Trial", verified="+14155550100")
    path, login = f"/2010-04-01/Accounts/{sid}/Messages.json", {"user": sid, "password": "trial"}
    form = {"To": "+14155550100", "From": FROM, "Body": "Hello"}
    message = ask(sim, "POST", path, form, **login)
    assert message["body"] == "Sent from your Twilio trial account - Hello"
    refused(sim, "POST", path, 400, 21608, {**form, "To": "+14155550101"}, **login)


# --- numbers ---

def test_a_number_is_bought_configured_and_given_back(sim):
    numbers = BASE + "/IncomingPhoneNumbers"
    made = ask(sim, "POST", numbers + ".json", {"PhoneNumber": "+14155550161",
                                                "SmsUrl": "https://example.com/in"})
    one = f"{numbers}/{made['sid']}.json"
    assert made["sms_url"] == "https://example.com/in" and made["sms_method"] == "POST"
    changed = ask(sim, "POST", one, {"SmsUrl": "", "SmsMethod": "GET", "FriendlyName": "shop"})
    assert (changed["sms_url"], changed["sms_method"]) == ("", "GET")
    assert ask(sim, "GET", one) == changed
    found = ask(sim, "GET", numbers + ".json?PhoneNumber=%2B14155550161")
    assert found["incoming_phone_numbers"] == [changed]
    refused(sim, "POST", numbers + ".json", 400, 21422, {"PhoneNumber": "+14155550161"})
    refused(sim, "POST", numbers + ".json", 400, 21421, {"PhoneNumber": "x"})
    refused(sim, "POST", one, 400, 20001, {"SmsMethod": "PUT"})
    refused(sim, "POST", one, 400, 20001, {"SmsUrl": "nowhere"})
    ask(sim, "DELETE", one)
    refused(sim, "GET", one, 404, 20404)


# --- Messaging Services ---

@pytest.fixture
def service(sim):
    made = ask(sim, "POST", "/v1/Services", {"FriendlyName": "Shop", "ValidityPeriod": "600"})
    yield made
    sim.ask("DELETE", "/v1/Services/" + made["sid"])


def test_a_service_is_made_changed_listed_and_deleted(sim, service):
    one = "/v1/Services/" + service["sid"]
    assert service["validity_period"] == 600 and service["sticky_sender"] is True
    changed = ask(sim, "POST", one, {"StickySender": "false", "FallbackMethod": "GET",
                                     "InboundRequestUrl": "https://example.com/in"})
    assert changed["sticky_sender"] is False and changed["fallback_method"] == "GET"
    assert ask(sim, "GET", one) == changed
    assert changed in ask(sim, "GET", "/v1/Services?PageSize=1000")["services"]
    for form in ({"StickySender": "perhaps"}, {"ValidityPeriod": "0"},
                 {"ValidityPeriod": "36001"}, {"InboundRequestUrl": "nowhere"},
                 {"ScanMessageContent": "maybe"}):
        refused(sim, "POST", one, 400, 20001, form)
    refused(sim, "POST", "/v1/Services", 400, 20001, {})
    ask(sim, "DELETE", one)
    refused(sim, "GET", one, 404, 20404)


def test_services_come_in_pages(sim):
    made = [ask(sim, "POST", "/v1/Services", {"FriendlyName": f"number {i}"})["sid"]
            for i in range(5)]
    page = ask(sim, "GET", "/v1/Services?PageSize=2")
    seen = []
    while True:
        seen += [s["sid"] for s in page["services"]]
        if not page["meta"]["next_page_url"]:
            break
        host, path = page["meta"]["next_page_url"][:28], page["meta"]["next_page_url"][28:]
        assert host == "https://messaging.twilio.com"
        page = ask(sim, "GET", path)
    assert seen[-5:] == made and page["meta"]["previous_page_url"]
    for sid in made:
        ask(sim, "DELETE", "/v1/Services/" + sid)


def test_a_service_sends_from_its_pool(sim, service):
    numbers = [ask(sim, "POST", BASE + "/IncomingPhoneNumbers.json",
                   {"PhoneNumber": f"+1415555017{i}"}) for i in range(2)]
    pool = f"/v1/Services/{service['sid']}/PhoneNumbers"
    try:
        first = ask(sim, "POST", pool, {"PhoneNumberSid": numbers[0]["sid"]})
        ask(sim, "POST", pool, {"PhoneNumberSid": numbers[1]["sid"]})
        assert first["phone_number"] == "+14155550170" and first["country_code"] == "US"
        refused(sim, "POST", pool, 409, 21710, {"PhoneNumberSid": numbers[0]["sid"]})
        refused(sim, "POST", pool, 404, 20404, {"PhoneNumberSid": "PN" + "0" * 32})
        assert ask(sim, "GET", f"{pool}/{first['sid']}") == first
        assert len(ask(sim, "GET", pool)["phone_numbers"]) == 2
        refused(sim, "POST", BASE + "/Messages.json", 400, 21709,
                {"To": "+14155550100", "MessagingServiceSid": service["sid"],
                 "From": "+14155550199", "Body": "Hello"})
        sids = [sim.create(MessagingServiceSid=service["sid"], To=f"+1415555010{i}").json["sid"]
                for i in range(4)]
        assert ({sim.wait_status(sid, "delivered")["from"] for sid in sids}
                == {"+14155550170", "+14155550171"})
        ask(sim, "DELETE", f"{pool}/{first['sid']}")
        refused(sim, "GET", f"{pool}/{first['sid']}", 404, 20404)
    finally:
        for number in numbers:
            ask(sim, "DELETE", f"{BASE}/IncomingPhoneNumbers/{number['sid']}.json")
    assert sim.fetch(sids[0]).json["from"]  # of a number that is gone now


def test_an_alphanumeric_sender_belongs_to_a_service(sim, service):
    pool = f"/v1/Services/{service['sid']}/AlphaSenders"
    sender = ask(sim, "POST", pool, {"AlphaSender": "Shop"})
    assert sender["capabilities"] == ["SMS"]
    refused(sim, "POST", pool, 409, 21714, {"AlphaSender": "Shop"})
    refused(sim, "POST", pool, 400, 20001, {"AlphaSender": "much too long a name"})
    assert ask(sim, "GET", pool)["alpha_senders"] == [sender]
    assert ask(sim, "GET", f"{pool}/{sender['sid']}") == sender
    ask(sim, "DELETE", f"{pool}/{sender['sid']}")
    assert ask(sim, "GET", pool)["alpha_senders"] == []


def test_a_short_code_is_found_configured_and_added(sim, service):
    sid = "AC" + "3" * 32
    configure(sim, sid=sid, auth_token="short", senders="12345", messaging_services="MG" + "5" * 32)
    login = {"user": sid, "password": "short"}
    page = f"/2010-04-01/Accounts/{sid}/SMS/ShortCodes"
    code, = sim.ask("GET", page + ".json?ShortCode=12345", **login).json["short_codes"]
    assert code["short_code"] == "12345" and code["sid"].startswith("SC")
    one = f"{page}/{code['sid']}.json"
    changed = sim.ask("POST", one, {"SmsUrl": "https://example.com/in"}, **login).json
    assert changed["sms_url"] == "https://example.com/in"
    assert sim.ask("GET", one, **login).json == changed
    pool = f"/v1/Services/MG{'5' * 32}/ShortCodes"
    listed = sim.ask("GET", pool, **login).json
    assert [s["short_code"] for s in listed["short_codes"]] == ["12345"]
    assert sim.ask("DELETE", f"{pool}/{code['sid']}", **login).status == 204
    added = sim.ask("POST", pool, {"ShortCodeSid": code["sid"]}, **login)
    assert added.status == 201 and added.json["sid"] == code["sid"]
    assert sim.ask("GET", f"{pool}/{code['sid']}", **login).json == added.json
    refused(sim, "POST", f"/2010-04-01/Accounts/{sid}/Messages.json", 400, 63007,
            {"To": "whatsapp:+14155550100", "From": "whatsapp:+14155550123", "Body": "x"}, **login)


def test_a_service_of_an_account_without_senders_fails_after_the_answer(sim):
    sub = ask(sim, "POST", "/2010-04-01/Accounts.json", {})
    login = {"user": sub["sid"], "password": sub["auth_token"]}
    service = ask(sim, "POST", "/v1/Services", {"FriendlyName": "empty"}, **login)
    path = f"/2010-04-01/Accounts/{sub['sid']}/Messages"
    sent = ask(sim, "POST", path + ".json", {
        "To": "+14155550100", "MessagingServiceSid": service["sid"], "Body": "Hello"}, **login)
    one = f"{path}/{sent['sid']}.json"
    wait_for("failed", lambda: sim.ask("GET", one).json["status"] == "failed")
    assert ask(sim, "GET", one)["error_code"] == 21704


# --- money ---

def usage(sim, period="", **query):
    query = "&".join(f"{name}={value}" for name, value in {**query, "PageSize": 1000}.items())
    return ask(sim, "GET", f"{BASE}/Usage/Records{period}.json?{query}")["usage_records"]


def test_usage_balance_and_prices_agree_with_the_bill(sim):
    before = decimal.Decimal(ask(sim, "GET", BASE + "/Balance.json")["balance"])
    sids = [sim.create(Body="a" * 161).json["sid"], sim.create(From="SHOP").json["sid"],
            sim.create(From="12345").json["sid"]]
    for sid in sids:
        sim.wait_status(sid, "delivered")
    sid = sim.create(To="+15005550004", MessagingServiceSid=SERVICE).json["sid"]
    sim.wait_status(sid, "failed")
    ledger = sim.ledger()
    bill = decimal.Decimal(ledger["billed_micros"]) / 1000000
    records = {r["category"]: r for r in usage(sim)}
    assert ledger["failed_fee_micros"] == 1000
    assert decimal.Decimal(records["totalprice"]["price"]) == bill > 0
    assert before - decimal.Decimal(ask(sim, "GET", BASE + "/Balance.json")["balance"]) == bill
    price = {name: decimal.Decimal(record["price"]) for name, record in records.items()}
    assert price["sms"] == -sum(decimal.Decimal(sim.fetch(s).json["price"]) for s in sids)
    assert price["sms"] + price["sms-messages-carrierfees"] + price[
        "failed-message-processing-fee"] == bill
    assert records["sms-outbound-longcode"]["count"] == "1"
    assert records["sms-outbound-longcode"]["usage"] == "2"
    assert records["sms-outbound-shortcode"]["count"] == "1"
    assert records["sms-outbound"]["count"] == "3"
    country = ask(sim, "GET", "/v1/Messaging/Countries/US")
    prices = {p["number_type"]: decimal.Decimal(p["current_price"])
              for p in country["outbound_sms_prices"][0]["prices"]}
    assert 2 * prices["local"] == price["sms-outbound-longcode"]
    assert prices["shortcode"] == price["sms-outbound-shortcode"]


def test_usage_is_told_by_period(sim):
    sim.wait_status(sim.create().json["sid"], "delivered")
    today = datetime.datetime.now(datetime.timezone.utc).date()
    for period in ("/Today", "/ThisMonth", "/AllTime", "/Daily", "/Monthly", "/Yearly"):
        record = usage(sim, period, Category="sms")[0]
        assert record["count"] == "1" and record["end_date"] == str(today), period
    for period in ("/Yesterday", "/LastMonth"):
        assert usage(sim, period, Category="sms")[0]["count"] == "0"
    days = usage(sim, "/Daily", Category="sms", StartDate="-2days", EndDate=today)
    assert [(d["start_date"], d["count"]) for d in days] == [
        (str(today - datetime.timedelta(i)), "0" if i else "1") for i in range(3)]
    assert usage(sim, Category="sms", EndDate=today - datetime.timedelta(1))[0]["count"] == "0"
    refused(sim, "GET", BASE + "/Usage/Records.json?Category=dreams", 400, 20001)
    refused(sim, "GET", BASE + "/Usage/Records.json?StartDate=soon", 400, 20001)
    refused(sim, "GET", BASE + "/Usage/Records/Hourly.json", 404, 20404)


def test_every_country_has_prices(sim):
    page = ask(sim, "GET", "/v1/Messaging/Countries?PageSize=1000")
    names = {c["iso_country"]: c["country"] for c in page["countries"]}
    assert names["US"] == "United States" and names["CH"] == "Switzerland" and len(names) > 200
    rows = [line.split(",") for line in (TREE / "deploy/rate_card.csv").read_text().splitlines()]
    default = next(r[4] for r in rows if r[:4] == ["*", "number", "sms", "outbound"])
    prices = ask(sim, "GET", "/v1/Messaging/Countries/CH")["outbound_sms_prices"][0]["prices"]
    assert {p["current_price"] for p in prices} == {default}
    refused(sim, "GET", "/v1/Messaging/Countries/XX", 404, 20404)


def test_wrong_credentials_open_nothing(sim):
    for path in (BASE + ".json", "/2010-04-01/Accounts.json", "/v1/Services",
                 "/v1/Messaging/Countries", BASE + "/Balance.json"):
        refused(sim, "GET", path, 401, 20003, password="wrong")
        refused(sim, "DELETE", path, 405, 20004, user=ACCOUNT, password=TOKEN)
