"""People who write to the simulator's senders: webhooks, TwiML, opt-outs, WhatsApp, and the
messages that wait: scheduling and validity."""

import datetime
import email.utils
import socket

import pytest
from twilio.request_validator import RequestValidator

from simulator import ACCOUNT, FROM, SERVICE, TOKEN, Simulator, wait_for
from twilio_description import check_answer
from webhook_site import TWIML, WebhookSite

BASE = f"/2010-04-01/Accounts/{ACCOUNT}"
PERSON = "+14155550142"
SANDBOX = "whatsapp:+14155238886"


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    simulator = Simulator(tmp_path_factory.mktemp("simulator"), sent_delay="0s",
                          delivered_delay="0s", queued_delay="0s", callback_retry_delay="10ms")
    yield simulator
    assert simulator.stop() == 0


@pytest.fixture
def sim(shared):
    shared.reset()
    return shared


@pytest.fixture
def site(sim):
    site = WebhookSite()
    set_hook(sim, SmsUrl=site.url + "/in", SmsMethod="POST", SmsFallbackUrl="")
    yield site
    set_hook(sim, SmsUrl="")
    site.close()


def number_sid(sim):
    page = sim.ask("GET", BASE + f"/IncomingPhoneNumbers.json?PhoneNumber=%2B{FROM[1:]}").json
    return page["incoming_phone_numbers"][0]["sid"]


def set_hook(sim, **form):
    path = f"{BASE}/IncomingPhoneNumbers/{number_sid(sim)}.json"
    check_answer("POST", path, sim.ask("POST", path, form))


def write(sim, body="Hello", to=FROM, sender=PERSON, **form):
    answer = sim.ask("POST", "/_sim/inbound", {"from": sender, "to": to, "body": body, **form},
                     user=None)
    assert answer.status == 201, answer.body
    return answer.json


def fetch(sim, sid):
    path = f"{sim.messages}/{sid}.json"
    return check_answer("GET", path, sim.ask("GET", path))


def check_signature(site, hit):
    params = hit.params if hit.method == "POST" else {}
    assert RequestValidator(TOKEN).validate(site.url + hit.target, params,
                                            hit.headers["X-Twilio-Signature"])


# --- the webhook ---

def test_an_inbound_message_is_told_recorded_and_billed(sim, site):
    got = write(sim, "Hi, é?")
    hit, = site.hits
    check_signature(site, hit)
    assert set(hit.params) == {
        "ToCountry", "ToState", "SmsMessageSid", "NumMedia", "ToCity", "FromZip", "SmsSid",
        "FromState", "SmsStatus", "FromCity", "Body", "FromCountry", "To", "ToZip",
        "NumSegments", "ReferralNumMedia", "MessageSid", "AccountSid", "From", "ApiVersion"}
    assert hit.params["MessageSid"] == hit.params["SmsSid"] == got["sid"]
    assert (hit.params["Body"], hit.params["FromCountry"]) == ("Hi, é?", "US")
    assert hit.headers["I-Twilio-Idempotency-Token"]
    message = fetch(sim, got["sid"])
    assert (message["direction"], message["status"]) == ("inbound", "received")
    assert (message["from"], message["to"]) == (PERSON, FROM)
    assert message["price"] == "-0.00830" and message["date_sent"]
    page = sim.ask("GET", f"{sim.messages}.json?To=%2B{FROM[1:]}").json
    assert [m["sid"] for m in page["messages"]] == [got["sid"]]
    assert sim.ledger()["billed_micros"] == 8300 and sim.ledger()["creates"] == 0
    records = sim.ask("GET", BASE + "/Usage/Records.json?Category=sms-inbound").json
    assert records["usage_records"][0]["price"] == "0.0083"


def test_a_get_webhook_has_everything_in_its_query(sim, site):
    set_hook(sim, SmsMethod="GET", SmsUrl=site.url + "/in?shop=1")
    write(sim)
    hit, = site.hits
    assert hit.method == "GET" and hit.params["shop"] == "1" and hit.params["Body"] == "Hello"
    check_signature(site, hit)


def test_media_are_listed_and_told(sim, site):
    answer = sim.ask("POST", "/_sim/inbound", {"from": PERSON, "to": FROM, "body": "",
                                               "media": "https://example.com/a.png"}, user=None)
    sid = answer.json["sid"]
    assert sid.startswith("MM") and site.hits[0].params["NumMedia"] == "1"
    path = f"{sim.messages}/{sid}/Media.json"
    media = check_answer("GET", path, sim.ask("GET", path))["media_list"]
    assert [m["content_type"] for m in media] == ["image/png"]
    assert site.hits[0].params["MediaUrl0"].endswith(f"/{sid}/Media/{media[0]['sid']}")
    assert site.hits[0].params["MediaContentType0"] == "image/png"
    one = f"{sim.messages}/{sid}/Media/{media[0]['sid']}.json"
    assert check_answer("GET", one, sim.ask("GET", one)) == media[0]
    check_answer("DELETE", one, sim.ask("DELETE", one))
    assert sim.ask("GET", one).status == 404
    assert sim.ask("GET", path).json["media_list"] == []


def test_the_fallback_is_asked_when_the_webhook_fails(sim, site):
    set_hook(sim, SmsUrl=site.url + "/broken", SmsFallbackUrl=site.url + "/spare")
    site.answers["/broken"] = (500, "text/plain", "no")
    site.twiml("/spare", "<Message>sorry</Message>")
    got = write(sim)
    assert [hit.path for hit in site.hits] == ["/broken", "/spare"]
    assert len(got["replies"]) == 1 and fetch(sim, got["replies"][0])["body"] == "sorry"


def test_a_webhook_that_fails_is_an_alert(sim, site):
    site.answers["/in"] = (500, "text/plain", "no")
    assert write(sim)["errors"] == [11200]
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        set_hook(sim, SmsUrl=f"http://127.0.0.1:{taken.getsockname()[1]}/gone?secret=1")
        got = write(sim)
    assert got["errors"] == [11205] and got["webhook_status"] == 0
    alerts = sim.ask("GET", "/_sim/alerts", user=None).json["alerts"]
    assert [alert["error_code"] for alert in alerts] == [11205, 11200]
    assert alerts[0]["message_sid"] == got["sid"] and "secret" not in alerts[0]["url"]


def test_a_sender_without_a_webhook_still_receives(sim):
    got = write(sim)
    assert got["webhook_url"] is None and fetch(sim, got["sid"])["status"] == "received"


def test_bad_inbound_messages_are_refused(sim):
    for form in ({"from": "x"}, {"to": "x"}, {"body": ""}, {"body": b"\xff"}, {"media": "x"},
                 {"from": "whatsapp:" + PERSON}, {"account": "AC" + "0" * 32}):
        form = {"from": PERSON, "to": FROM, "body": "Hello", **form}
        assert sim.ask("POST", "/_sim/inbound", form, user=None).status == 400, form
    assert sim.ask("GET", "/_sim/messages", user=None).json["messages"] == []


# --- TwiML ---

@pytest.mark.parametrize("twiml,bodies,errors", [
    ("", [], []),
    ("<Message>one</Message><Message><Body>two</Body></Message>", ["one", "two"], []),
    ("<Message>\n  a &amp; b &lt;3 \n</Message>", ["a & b <3"], []),
    ("<Message><Body><![CDATA[<raw>]]></Body></Message>", ["<raw>"], []),
    ("<Sms>old</Sms>", ["old"], []),
    ("<Play>x</Play><Message>ok</Message>", ["ok"], [12200]),
    ("<Message></Message>", [], [21602]),
    ("<Message to='nobody'>x</Message>", [], [21211]),
    ("<Message>unclosed", [], [12100]),
    ("<Message>x</Message>" * 11, ["x"] * 10, [14109]),
], ids=range(10))
def test_twiml_is_run(sim, site, twiml, bodies, errors):
    site.twiml("/in", twiml)
    got = write(sim)
    replies = [fetch(sim, sid) for sid in got["replies"]]
    assert ([r["body"] for r in replies], got["errors"]) == (bodies, errors)
    for reply in replies:
        assert (reply["from"], reply["to"]) == (FROM, PERSON)
        assert reply["direction"] == "outbound-reply"


@pytest.mark.parametrize("kind,body,bodies,errors", [
    ("text/plain; charset=utf-8", "plain words", ["plain words"], []),
    ("application/xml", TWIML.format("<Message>x</Message>"), ["x"], []),
    ("text/html", TWIML.format("<Message>x</Message>"), ["x"], []),
    ("application/json", "{}", [], [12300]),
    (None, "x", [], [12300]),
    (None, "", [], []),
    ("text/xml", "<Answer/>", [], [12200]),
    ("text/xml", "<!DOCTYPE r [<!ENTITY a 'x'>]><Response><Message>&a;</Message></Response>",
     [], [12100]),
    ("text/xml", "not xml", [], [12100]),
    ("text/xml", TWIML.format("<Message>x</Message>" + " " * 65536), [], [11750]),
], ids=range(10))
def test_answers_of_all_kinds(sim, site, kind, body, bodies, errors):
    site.answers["/in"] = (200, kind, body)
    got = write(sim)
    assert [fetch(sim, sid)["body"] for sid in got["replies"]] == bodies
    assert got["errors"] == errors


def test_a_reply_may_have_another_recipient_media_and_a_callback(sim, site):
    site.twiml("/in", f"<Message to='+14155550199' statusCallback='{site.url}/status'>"
                      "<Body>pic</Body><Media>https://example.com/a.gif</Media></Message>")
    reply = fetch(sim, write(sim)["replies"][0])
    assert (reply["to"], reply["num_media"], reply["sid"][:2]) == ("+14155550199", "1", "MM")
    wait_for("the callbacks", lambda: sum(h.path == "/status" for h in site.hits) == 2)
    for hit in site.hits:
        check_signature(site, hit)


def test_a_redirect_is_followed(sim, site):
    site.twiml("/in", "<Message>first</Message><Redirect method='GET'>next?x=1</Redirect>"
                      "<Message>never</Message>")
    site.twiml("/next", "<Message>second</Message>")
    got = write(sim)
    assert [fetch(sim, sid)["body"] for sid in got["replies"]] == ["first", "second"]
    assert [(h.method, h.path) for h in site.hits] == [("POST", "/in"), ("GET", "/next")]
    assert site.hits[1].params["Body"] == "Hello" and site.hits[1].params["x"] == "1"
    check_signature(site, site.hits[1])


def test_redirects_end(sim, site):
    site.twiml("/in", "<Redirect>/in</Redirect>")
    assert write(sim)["errors"] == [11200] and len(site.hits) == 11


# --- opt-out ---

@pytest.mark.parametrize("word", ["STOP", "stop", " Stop\n", "STOPALL", "UNSUBSCRIBE", "CANCEL",
                                  "END", "QUIT", "REVOKE", "OPTOUT"])
def test_who_stops_gets_nothing_until_start(sim, site, word):
    got = write(sim, word)
    assert site.hits[0].params["Body"] == word and "OptOutType" not in site.hits[0].params
    assert "unsubscribed" in fetch(sim, got["replies"][0])["body"]
    refused = sim.create(To=PERSON)
    assert (refused.status, refused.json["code"]) == (400, 21610)
    assert sim.create(To=PERSON, From="SHOP").status == 201  # another sender
    assert sim.create(To="+14155550143").status == 201
    assert write(sim, "STOP")["replies"] == []  # told already
    assert len(write(sim, "start")["replies"]) == 1
    assert sim.create(To=PERSON).status == 201


def test_other_words_stop_nobody(sim, site):
    for body in ("STOP PLEASE", "stopp", "please stop", "yes", "start"):
        assert write(sim, body)["replies"] == []
    assert sim.create(To=PERSON).status == 201
    assert "unsubscribe" in fetch(sim, write(sim, "help")["replies"][0])["body"]


def test_a_reply_to_who_stopped_is_refused(sim, site):
    site.twiml("/in", "<Message>really?</Message>")
    got = write(sim, "STOP")
    assert len(got["replies"]) == 1 and got["errors"] == [21610]


def test_with_a_service_the_opt_out_shows_after_the_answer_and_covers_its_pool(sim, site):
    service = sim.ask("POST", "/v1/Services", {"FriendlyName": "s",
                                               "InboundRequestUrl": site.url + "/service"}).json
    pool = f"/v1/Services/{service['sid']}/PhoneNumbers"
    other = sim.ask("POST", BASE + "/IncomingPhoneNumbers.json",
                    {"PhoneNumber": "+14155550188"}).json
    try:
        for sid in (number_sid(sim), other["sid"]):
            assert sim.ask("POST", pool, {"PhoneNumberSid": sid}).status == 201
        write(sim, "STOP")
        assert site.hits[0].path == "/service"
        assert site.hits[0].params["MessagingServiceSid"] == service["sid"]
        for sender in ({}, {"From": "+14155550188"}):
            answer = sim.create(To=PERSON, MessagingServiceSid=service["sid"], **sender)
            assert (answer.status, answer.json["status"]) == (201, "accepted")
            failed = sim.wait_status(answer.json["sid"], "failed")
            assert failed["error_code"] == 21610
            assert failed["error_message"] == "Attempt to send to unsubscribed recipient"
        write(sim, "UNSTOP", to="+14155550188")
        sid = sim.create(To=PERSON, MessagingServiceSid=service["sid"]).json["sid"]
        sim.wait_status(sid, "delivered")
    finally:
        sim.ask("DELETE", "/v1/Services/" + service["sid"])
        sim.ask("DELETE", f"{BASE}/IncomingPhoneNumbers/{other['sid']}.json")


def test_advanced_opt_out_is_told(sim, site):
    for switch, word in (("yes", "STOP"), ("yes", "START"), ("no", "HELP")):
        sim.ask("POST", "/_sim/accounts", {"sid": ACCOUNT, "advanced_opt_out": switch},
                user=None)
        write(sim, word)
    assert [hit.params.get("OptOutType") for hit in site.hits] == ["STOP", "START", None]


# --- WhatsApp ---

def test_whatsapp_callbacks_name_the_channel(sim):
    site = WebhookSite()
    person = "whatsapp:" + PERSON
    try:
        write(sim, to="whatsapp:" + FROM, sender=person)
        sim.create(To=person, From="whatsapp:" + FROM, StatusCallback=site.url + "/status",
                   MediaUrl="https://example.com/a.jpg")
        sim.create(To=person, From=SANDBOX, StatusCallback=site.url + "/failed")
        wait_for("the callbacks", lambda: len(site.hits) == 3)
        for hit in site.hits:
            check_signature(site, hit)
            assert hit.params["ChannelPrefix"] == "whatsapp"
        by_status = {hit.params["MessageStatus"]: hit.params for hit in site.hits}
        assert by_status["delivered"]["EventType"] == "DELIVERED"
        assert by_status["delivered"]["MessageSid"].startswith("MM")
        assert by_status["failed"]["ErrorCode"] == "63015"
        assert by_status["failed"]["ChannelStatusMessage"]
    finally:
        site.close()


def test_whatsapp_wants_a_person_who_wrote_within_a_day(sim):
    sender, person = "whatsapp:" + FROM, "whatsapp:" + PERSON
    sid = sim.create(To=person, From=sender).json["sid"]
    assert sim.wait_status(sid, "failed")["error_code"] == 63016
    sid = sim.create(To=person, From=sender, Body=None, ContentSid="HX" + "1" * 32).json["sid"]
    sim.wait_status(sid, "delivered")
    write(sim, to=sender, sender=person)
    sid = sim.create(To=person, From=sender).json["sid"]
    message = sim.wait_status(sid, "delivered")
    assert (message["to"], message["from"], message["num_segments"]) == (person, sender, "1")


def test_the_whatsapp_sandbox_is_joined_first(sim):
    person = "whatsapp:" + PERSON
    sid = sim.create(To=person, From=SANDBOX).json["sid"]
    assert sim.wait_status(sid, "failed")["error_code"] == 63015
    write(sim, "join able-baker", to=SANDBOX, sender=person)
    sim.wait_status(sim.create(To=person, From=SANDBOX).json["sid"], "delivered")


def test_a_whatsapp_webhook_names_the_person(sim, site):
    write(sim, to="whatsapp:" + FROM, sender="whatsapp:" + PERSON)
    params = site.hits[0].params
    assert params["WaId"] == PERSON[1:] and params["ProfileName"]
    assert params["From"] == "whatsapp:" + PERSON and "FromCountry" not in params


# --- messages that wait ---

def in_seconds(seconds):
    at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def schedule(sim, seconds=3600, **form):
    return sim.create(MessagingServiceSid=SERVICE, ScheduleType="fixed",
                      SendAt=in_seconds(seconds), **form)


def test_a_scheduled_message_waits_and_is_canceled(sim):
    answer = schedule(sim)
    check_answer("POST", sim.messages + ".json", answer)
    assert answer.json["status"] == "scheduled" and answer.json["from"] is None
    one = f"{sim.messages}/{answer.json['sid']}.json"
    assert sim.ask("DELETE", one).json["code"] == 20009
    canceled = check_answer("POST", one, sim.ask("POST", one, {"Status": "canceled"}))
    assert canceled["status"] == "canceled"
    assert sim.ask("POST", one, {"Status": "canceled"}).json["code"] == 30409
    assert sim.ledger()["billed_messages"] == 0
    check_answer("DELETE", one, sim.ask("DELETE", one))


def test_cancellation_is_called_back(sim):
    site = WebhookSite()
    try:
        sid = schedule(sim, StatusCallback=site.url + "/status").json["sid"]
        sim.ask("POST", f"{sim.messages}/{sid}.json", {"Status": "canceled"})
        wait_for("the callback", lambda: site.hits)
        assert site.hits[0].params["MessageStatus"] == "canceled"
    finally:
        site.close()


@pytest.mark.parametrize("send_at,code", [
    (in_seconds(290), 35114), (in_seconds(36 * 86400), 35114), ("soon", 35114),
    ("2026-11-20", 35114), (None, 35111)])
def test_the_window_of_schedules(sim, send_at, code):
    answer = sim.create(MessagingServiceSid=SERVICE, ScheduleType="fixed", SendAt=send_at)
    assert (answer.status, answer.json["code"]) == (400, code)


def test_schedules_need_a_service_and_their_type(sim):
    answer = sim.create(ScheduleType="fixed", SendAt=in_seconds(3600))
    assert (answer.status, answer.json["code"]) == (400, 35118)
    assert sim.create(SendAt=in_seconds(3600)).json["status"] == "queued"
    without_zone = in_seconds(3600)[:-1]  # as Java's library sends it
    answer = sim.create(MessagingServiceSid=SERVICE, ScheduleType="fixed", SendAt=without_zone)
    assert answer.json["status"] == "scheduled"


# --- dates in lists ---

def test_lists_are_filtered_by_the_day_of_sending(sim):
    sid = sim.create().json["sid"]
    sent = email.utils.parsedate_to_datetime(sim.wait_status(sid, "delivered")["date_sent"])
    waiting = schedule(sim).json["sid"]
    before, after = sent - datetime.timedelta(days=1), sent + datetime.timedelta(days=1)

    def listed(name, value):
        path = f"{sim.messages}.json?{name}={value}"
        page = check_answer("GET", path, sim.ask("GET", path))
        assert f"{name}={value}".replace(":", "%3A") in page["uri"].replace("%2B", "+")
        return [m["sid"] for m in page["messages"]]

    assert waiting not in listed("DateSent", sent.strftime("%Y-%m-%d"))
    for form in ("%Y-%m-%d", "%Y-%m-%dT00:00:00Z", "%Y-%m-%dT%H:%M:%S"):
        assert listed("DateSent", sent.strftime(form)) == [sid], form
        assert listed("DateSent", before.strftime(form)) == []
        assert listed("DateSent%3E", before.strftime(form)) == [sid]
        assert listed("DateSent%3E", after.strftime(form)) == []
        assert listed("DateSent%3C", after.strftime(form)) == [sid]
        assert listed("DateSent%3C", before.strftime(form)) == []
    assert listed("DateSent%3C", sent.strftime("%Y-%m-%d")) == []  # not before its midnight
    answer = sim.ask("GET", f"{sim.messages}.json?DateSent=%3E%3D2019-08-08")
    assert (answer.status, answer.json["code"]) == (400, 20001)


# --- update, delete, feedback ---

def test_a_message_is_redacted_then_deleted(sim):
    sid = sim.create().json["sid"]
    sim.wait_status(sid, "delivered")
    one = f"{sim.messages}/{sid}.json"
    redacted = check_answer("POST", one, sim.ask("POST", one, {"Body": ""}))
    assert redacted["body"] == "" and redacted["status"] == "delivered"
    for form in ({}, {"Body": "new"}, {"Body": "", "Status": "canceled"}, {"Status": "sent"}):
        assert sim.ask("POST", one, form).json["code"] == 30400
    assert sim.ask("POST", one, {"Status": "canceled"}).json["code"] == 30409
    check_answer("DELETE", one, sim.ask("DELETE", one))
    for answer in (sim.ask("GET", one), sim.ask("DELETE", one), sim.ask("POST", one, {"Body": ""})):
        assert (answer.status, answer.json["code"]) == (404, 20404)
    assert sim.ask("GET", sim.messages + ".json").json["messages"] == []
    assert sim.ledger()["creates"] == 1


def test_an_unfinished_message_cannot_be_deleted(sim):
    sim.switch(delivered_delay="1h")
    try:
        sid = sim.create().json["sid"]
        sim.wait_status(sid, "sent")
        answer = sim.ask("DELETE", f"{sim.messages}/{sid}.json")
        assert (answer.status, answer.json["code"]) == (409, 20009)
    finally:
        sim.switch(delivered_delay="0s")


def test_feedback_is_taken(sim):
    sid = sim.create(ProvideFeedback="true").json["sid"]
    path = f"{sim.messages}/{sid}/Feedback.json"
    for form, outcome in (({}, "confirmed"), ({"Outcome": "unconfirmed"}, "unconfirmed")):
        answer = check_answer("POST", path, sim.ask("POST", path, form))
        assert (answer["outcome"], answer["message_sid"]) == (outcome, sid)
    assert sim.ask("POST", path, {"Outcome": "perhaps"}).json["code"] == 20001


REFUSED = [
    (21620, {"MediaUrl": "nowhere"}), (21623, {"MediaUrl": ["https://example.com/a.png"] * 11}),
    (21655, {"ContentSid": "HX1"}),
    (21654, {"ContentVariables": "{}"}), (21664, {"FallbackFrom": FROM}),
    (21656, {"ContentSid": "HX" + "1" * 32, "ContentVariables": "[1"}),
    (30029, {"ContentRetention": "discard"}), (30030, {"AddressRetention": "obfuscate"}),
    (30016, {"To": "whatsapp:+14155550100"}), (30016, {"From": "whatsapp:+14155550100"}),
    (63031, {"From": "whatsapp:+14155550100", "To": "whatsapp:+14155550100"}),
    (21211, {"To": "whatsapp:x", "From": "whatsapp:+14155550100"}),
]


@pytest.mark.parametrize("code,form", REFUSED, ids=range(len(REFUSED)))
def test_what_else_a_create_may_not_ask(sim, code, form):
    answer = sim.create(**form)
    assert (answer.status, answer.json["code"]) == (400, code), answer.body
    assert answer.json["more_info"] == f"https://www.twilio.com/docs/errors/{code}"


def test_media_make_an_mms(sim):
    answer = sim.create(Body=None, MediaUrl="https://example.com/a.png")
    message = check_answer("POST", sim.messages + ".json", answer)
    assert message["sid"].startswith("MM") and message["num_media"] == "1"
    assert fetch(sim, message["sid"])["sid"] == message["sid"]
    assert sim.ask("GET", f"{sim.messages}/SM{message['sid'][2:]}.json").status == 404
    sim.wait_status(message["sid"], "delivered")
