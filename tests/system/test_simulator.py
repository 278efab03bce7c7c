"""The simulator alone: what a client of Twilio's and a receiver of its callbacks see."""

import concurrent.futures
import decimal
import email.utils
import re
import socket
import threading
import time

import pytest
from twilio.request_validator import RequestValidator

from simulator import (  # receiver is a fixture
    ACCOUNT, FROM, SERVICE, TOKEN, TREE, Simulator, receiver, wait_for)
from twilio_description import check_answer, check_error, check_message

CALM = {"answer_delay": "0s", "queued_delay": "10ms", "sent_delay": "50ms",
        "delivered_delay": "150ms", "price_delay": "0s", "callback_repeat": 1,
        "callback_reverse": "no"}


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    simulator = Simulator(tmp_path_factory.mktemp("simulator"), callback_retry_delay="50ms")
    yield simulator
    assert simulator.stop() == 0


@pytest.fixture
def sim(shared):
    shared.reset()
    shared.switch(**CALM)
    return shared


# --- create, fetch, list ---

def test_a_create_is_answered_as_by_twilio(sim):
    answer = sim.create(To="+1 (415) 555-0100", Body='Grüße 😀 "quoted"\n')
    message = answer.json

    assert answer.status == 201
    check_message(message)
    assert message["to"] == "+14155550100"
    assert message["from"] == FROM
    assert message["body"] == 'Grüße 😀 "quoted"\n'
    assert message["status"] == "queued"
    assert message["num_segments"] == "1" and message["num_media"] == "0"
    assert message["price"] is None and message["date_sent"] is None
    assert message["messaging_service_sid"] is None
    assert message["direction"] == "outbound-api" and message["api_version"] == "2010-04-01"
    assert message["uri"] == f"{sim.messages}/{message['sid']}.json"
    assert message["subresource_uris"]["media"] == f"{sim.messages}/{message['sid']}/Media.json"
    created = email.utils.parsedate_to_datetime(message["date_created"]).timestamp()
    assert abs(created - time.time()) < 5


def test_every_answer_carries_twilios_headers(sim):
    answers = [sim.create(), sim.create(To="x"), sim.ask("GET", sim.messages + ".json"),
               sim.ask("GET", "/nowhere"), sim.ask("GET", sim.messages + ".json", user=None)]
    for answer in answers:
        assert re.fullmatch("RQ[0-9a-f]{32}", answer.headers["Twilio-Request-Id"])
        assert re.fullmatch(r"\d+\.\d{3}", answer.headers["Twilio-Request-Duration"])
        assert answer.headers["Twilio-Concurrent-Requests"] == "1"
        assert answer.headers["X-Home-Region"] == "us1"
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert "Authorization" in answer.headers["Access-Control-Allow-Headers"]
    assert len({answer.headers["Twilio-Request-Id"] for answer in answers}) == len(answers)


def test_every_message_has_every_property_that_twilio_describes(sim):
    sim.switch(sent_delay="0s", delivered_delay="0s")
    sids = [sim.create().json["sid"],
            sim.create(MessagingServiceSid=SERVICE).json["sid"],
            sim.create(MessagingServiceSid=SERVICE, To="+15005550004").json["sid"]]
    check_message(sim.create(MessagingServiceSid=SERVICE).json)
    for sid, status in zip(sids, ("delivered", "delivered", "failed")):
        check_message(sim.wait_status(sid, status))
    path = sim.messages + ".json?PageSize=2"
    check_answer("GET", path, sim.ask("GET", path))


def test_a_message_of_a_service_waits_for_its_sender(sim):
    sim.switch(queued_delay="300ms", sent_delay="600ms", delivered_delay="600ms")
    answer = sim.create(MessagingServiceSid=SERVICE).json
    assert answer["status"] == "accepted"
    assert answer["from"] is None and answer["num_segments"] == "0"
    assert answer["messaging_service_sid"] == SERVICE
    assert sim.fetch(answer["sid"]).json["status"] == "accepted"

    queued = sim.wait_status(answer["sid"], "queued")
    assert queued["from"] == FROM and queued["num_segments"] == "1"
    assert sim.wait_status(answer["sid"], "delivered")["messaging_service_sid"] == SERVICE


def test_a_message_is_billed_when_sent_and_shows_its_price_later(sim):
    sim.switch(sent_delay="0s", delivered_delay="100ms", price_delay="300ms")
    sid = sim.create(Body="a" * 161).json["sid"]
    delivered = sim.wait_status(sid, "delivered")
    assert delivered["price"] is None and delivered["price_unit"] == "USD"
    assert delivered["date_sent"] is not None and delivered["num_segments"] == "2"

    wait_for("the price", lambda: sim.fetch(sid).json["price"])
    price = sim.fetch(sid).json["price"]
    assert re.fullmatch(r"-\d+\.\d{5,6}", price)
    ledger = sim.ledger()  # the carrier's fee is billed beside the price
    assert (decimal.Decimal(price) * -1000000
            == ledger["billed_micros"] - ledger["carrier_fee_micros"])
    rates = [line.split(",") for line in (TREE / "deploy/rate_card.csv").read_text().split("\n")
             if line.startswith("US,number,sms,outbound,")]
    assert decimal.Decimal(price) == -2 * decimal.Decimal(rates[0][4])
    assert ledger["carrier_fee_micros"] == 2 * decimal.Decimal(rates[0][5]) * 1000000


def test_pages_lead_forth_and_back(sim):
    sids = [sim.create(To=f"+1415555010{i % 2}", Body=f"number {i}").json["sid"]
            for i in range(25)]
    page, pages, seen = sim.ask("GET", sim.messages + ".json?PageSize=10").json, [], []
    while True:
        pages.append(page)
        seen += [message["sid"] for message in page["messages"]]
        if page["next_page_uri"] is None:
            break
        page = sim.ask("GET", page["next_page_uri"]).json
    assert seen == sids[::-1]
    assert [(p["page"], p["start"], p["end"]) for p in pages] == [
        (0, 0, 9), (1, 10, 19), (2, 20, 24)]
    assert pages[0]["previous_page_uri"] is None
    back = sim.ask("GET", pages[2]["previous_page_uri"]).json
    assert [m["sid"] for m in back["messages"]] == [m["sid"] for m in pages[1]["messages"]]


def test_new_messages_do_not_move_the_next_page(sim):
    sids = [sim.create(Body=f"number {i}").json["sid"] for i in range(4)]
    page = sim.ask("GET", sim.messages + ".json?PageSize=2").json
    sim.create(Body="meanwhile")
    page = sim.ask("GET", page["next_page_uri"]).json
    assert [message["sid"] for message in page["messages"]] == [sids[1], sids[0]]


def test_lists_are_filtered_by_recipient_and_sender(sim):
    wanted = [sim.create(To="+14155550101", From="SHOP").json["sid"],
              sim.create(To="+14155550101").json["sid"]]
    sim.create(To="+14155550102", From="SHOP")
    page = sim.ask("GET", sim.messages + ".json?To=%2B14155550101&PageSize=1").json
    assert "To=%2B14155550101" in page["uri"] and "To=%2B14155550101" in page["first_page_uri"]
    following = sim.ask("GET", page["next_page_uri"]).json
    assert [m["sid"] for m in page["messages"] + following["messages"]] == wanted[::-1]
    assert following["next_page_uri"] is None
    page = sim.ask("GET", sim.messages + ".json?To=%2B14155550101&From=SHOP").json
    assert [message["sid"] for message in page["messages"]] == wanted[:1]
    page = sim.ask("GET", sim.messages + ".json?To=%2B14155550199").json
    assert (page["messages"], page["start"], page["end"]) == ([], 0, 0)


def test_page_sizes_have_twilios_limits(sim):
    assert sim.ask("GET", sim.messages + ".json").json["page_size"] == 50
    assert sim.ask("GET", sim.messages + ".json?PageSize=1000").json["page_size"] == 1000
    check_error(sim.ask("GET", sim.messages + ".json?PageSize=1001"), 400, 20007)
    for query in ("PageSize=0", "PageSize=x", "Page=-1", "PageToken=PA1"):
        check_error(sim.ask("GET", f"{sim.messages}.json?{query}"), 400, 20001)


# --- refusals ---

def test_wrong_credentials_are_refused(sim):
    for user, password in ((None, None), (ACCOUNT, "wrong"), ("AC" + "0" * 32, TOKEN), ("", "")):
        answer = sim.ask("GET", sim.messages + ".json", user=user, password=password)
        assert check_error(answer, 401, 20003)["detail"]
    assert sim.ask("POST", sim.messages + ".json", {"To": "+1"}, user=None).status == 401
    assert sim.ledger()["refused"] == 0


def test_unknown_paths_methods_and_accounts_are_refused(sim):
    sid = sim.create().json["sid"]
    other = sim.messages.replace(ACCOUNT, "AC" + "0" * 32)
    for path in (f"{other}.json", f"{sim.messages}/SM{'a' * 32}.json", f"{sim.messages}/{sid}",
                 sim.messages, "/2010-04-01/Accounts", "/", "/_sim/unknown"):
        error = check_error(sim.ask("GET", path), 404, 20404)
        assert path in error["message"]
    check_error(sim.ask("PUT", sim.messages + ".json", {}), 405, 20004)
    check_error(sim.ask("DELETE", sim.messages + ".json"), 405, 20004)


REFUSED = [
    (21604, {"To": None}), (21604, {"To": ""}), (21603, {"From": None}), (21602, {"Body": None}),
    (21602, {"Body": ""}), (21211, {"To": "hello"}), (21211, {"To": "+1415"}),
    (21265, {"To": "12345"}), (21212, {"From": "no sender at all"}), (21266, {"To": FROM}),
    (21617, {"Body": "a" * 1601}), (21609, {"StatusCallback": "nowhere"}),
    (21609, {"StatusCallback": "https://my_host.example/"}),
    (21705, {"MessagingServiceSid": "MG1"}), (90014, {"ValidityPeriod": "0"}),
    (90014, {"ValidityPeriod": "soon"}), (90007, {"ValidityPeriod": "36001"}),
    # Twilio's magic numbers
    (21212, {"From": "+15005550001"}), (21606, {"From": "+15005550007"}),
    (21611, {"From": "+15005550008"}), (21211, {"To": "+15005550001"}),
    (21612, {"To": "+15005550002"}), (21408, {"To": "+15005550003"}),
    (21610, {"To": "+15005550004"}), (21614, {"To": "+15005550009"}),
]


@pytest.mark.parametrize("code,form", REFUSED, ids=[f"{c}-{list(f.items())[0]}"[:40]
                                                    for c, f in REFUSED])
def test_a_bad_create_gets_twilios_code(sim, code, form):
    check_error(sim.create(**form), 400, code)
    assert sim.ledger()["refused"] == 1 and sim.ledger()["creates"] == 0


def test_1600_characters_fit_and_unknown_parameters_are_ignored(sim):
    answer = sim.create(Body="😀" * 1600, Nonsense="1", ValidityPeriod="36000")
    assert answer.status == 201 and answer.json["num_segments"] == "49"


def test_only_configured_senders_and_services_exist(tmp_path):
    sim = Simulator(tmp_path, senders=f"{FROM},SHOP", messaging_service_sid=SERVICE)
    try:
        assert sim.create(From="SHOP").status == 201
        check_error(sim.create(From="+14155550123"), 400, 21659)
        sid = sim.create(MessagingServiceSid=SERVICE).json["sid"]
        assert sim.wait_status(sid, "delivered")["from"] == FROM  # never SHOP
        check_error(sim.create(MessagingServiceSid="MG" + "4" * 32), 404, 21701)
    finally:
        assert sim.stop() == 0


# --- callbacks ---

def check_signature(receiver, callback):
    validator = RequestValidator(TOKEN)
    signature = callback.headers["X-Twilio-Signature"]
    assert validator.validate(receiver.url + callback.target, callback.params, signature)
    changed = {**callback.params, "To": "+14155550199"}
    assert not validator.validate(receiver.url + callback.target, changed, signature)


def test_a_plain_message_is_called_back_twice(sim, receiver):
    query = "?m=018f0000-0000-7000-8000-000000000001&t=1&k=a%20b%2B"
    sid = sim.create(StatusCallback=receiver.url + "/status" + query + "#rc=5&rp=all").json["sid"]
    sent, delivered = receiver.wait(2)
    assert (sent.status, delivered.status) == ("sent", "delivered")
    for callback in (sent, delivered):
        assert callback.target == "/status" + query
        check_signature(receiver, callback)
        assert callback.headers["User-Agent"] == "TwilioProxy/1.1"
        assert callback.headers["Content-Type"].startswith("application/x-www-form-urlencoded")
        assert re.fullmatch("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
                            callback.headers["I-Twilio-Idempotency-Token"])
        assert callback.params["MessageSid"] == callback.params["SmsSid"] == sid
        assert callback.params["SmsStatus"] == callback.status
        assert callback.params["AccountSid"] == ACCOUNT
    assert [name for name, _ in delivered.pairs] == [
        "RawDlrDoneDate", "SmsSid", "SmsStatus", "MessageStatus", "To", "MessageSid",
        "AccountSid", "From", "ApiVersion"]
    assert re.fullmatch(r"\d{10}", delivered.params["RawDlrDoneDate"])
    assert len({c.headers["I-Twilio-Idempotency-Token"] for c in (sent, delivered)}) == 2
    sim.wait_ledger(callbacks_sent=2, callbacks_pending=0, callbacks_failed=0)


def test_a_service_calls_back_for_queued_too(sim, receiver):
    sim.create(MessagingServiceSid=SERVICE, StatusCallback=receiver.url + "/")
    callbacks = receiver.wait(3)
    assert receiver.statuses() == ["queued", "sent", "delivered"]
    for callback in callbacks:
        check_signature(receiver, callback)
        assert callback.params["MessagingServiceSid"] == SERVICE
        assert callback.params["From"] == FROM


def test_a_service_learns_of_an_opt_out_after_the_answer(sim, receiver):
    answer = sim.create(MessagingServiceSid=SERVICE, To="+15005550004",
                        StatusCallback=receiver.url + "/")
    assert answer.status == 201 and answer.json["error_code"] is None
    _, failed = receiver.wait(2)
    assert receiver.statuses() == ["queued", "failed"]
    check_signature(receiver, failed)
    assert failed.params["ErrorCode"] == "21610" and "RawDlrDoneDate" not in failed.params
    message = sim.wait_status(answer.json["sid"], "failed")
    assert message["error_code"] == 21610 and message["error_message"]
    assert message["price"] is None and sim.ledger()["billed_micros"] == 0


def test_without_an_address_nobody_is_called(sim, receiver):
    sid = sim.create().json["sid"]
    sim.create(StatusCallback=receiver.url + "/")
    receiver.wait(2)
    assert sim.fetch(sid).json["status"] == "delivered"
    assert sim.wait_ledger(callbacks_pending=0)["callbacks_sent"] == 2


@pytest.mark.parametrize("fragment,status,tries", [
    ("", 500, 1), ("#rc=3", 500, 1), ("#rc=2&rp=5xx", 500, 3), ("#rc=2&rp=4xx", 500, 1),
    ("#rc=2&rp=4xx", 403, 3), ("#rc=5&rp=all", 404, 6), ("#rc=0&rp=all", 500, 1),
    ("#rc=2&rp=ct,5xx", 302, 1), ("#rc=5&rp=all&tt=100", 500, 2)])
def test_a_failed_callback_is_tried_as_its_address_asks(sim, receiver, fragment, status, tries):
    receiver.answer = lambda callback: status
    sim.switch(delivered_delay="1h")
    sim.create(StatusCallback=receiver.url + "/" + fragment)
    ledger = sim.wait_ledger(callbacks_failed=1, callbacks_pending=0)
    assert ledger["callbacks_sent"] == 0
    if "tt=" in fragment:  # 50 ms between two tries: no more than fit in
        assert 1 <= len(receiver.callbacks) <= tries
    else:
        assert len(receiver.callbacks) == tries
    assert len({c.headers["I-Twilio-Idempotency-Token"] for c in receiver.callbacks}) == 1


def test_a_receiver_that_comes_back_gets_what_was_tried_again(sim, receiver):
    receiver.answer = lambda callback: 503 if len(receiver.callbacks) < 3 else 204
    sim.switch(delivered_delay="1h")
    sim.create(StatusCallback=receiver.url + "/#rc=5&rp=all")
    sim.wait_ledger(callbacks_sent=1, callbacks_failed=0, callbacks_pending=0)
    assert len(receiver.callbacks) == 3


def test_a_receiver_that_is_not_there_is_tried_twice_at_most(sim):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        sim.create(StatusCallback=f"http://127.0.0.1:{taken.getsockname()[1]}/")
        sim.wait_ledger(callbacks_failed=2, callbacks_pending=0)


def test_callbacks_overtake_a_slow_answer(sim, receiver):
    sim.switch(answer_delay="1500ms", sent_delay="0s", delivered_delay="50ms")
    began = time.monotonic()
    answer = sim.create(StatusCallback=receiver.url + "/")
    answered = time.monotonic()
    assert receiver.statuses() == ["sent", "delivered"]
    assert max(callback.at for callback in receiver.callbacks) < answered
    assert answered - began >= 1.5
    assert answer.json["status"] == "queued" and answer.json["date_sent"] is None
    assert float(answer.headers["Twilio-Request-Duration"]) >= 1.5


def test_callbacks_repeat_and_come_in_reverse(sim, receiver):
    sim.switch(callback_repeat=3, callback_reverse="yes")
    sim.create(MessagingServiceSid=SERVICE, StatusCallback=receiver.url + "/")
    receiver.wait(9)
    statuses = receiver.statuses()
    assert sorted(statuses) == ["delivered"] * 3 + ["queued"] * 3 + ["sent"] * 3
    assert sim.wait_ledger(callbacks_pending=0)["callbacks_sent"] == 9


def test_delivered_comes_first_with_one_callback_at_a_time(tmp_path, receiver):
    sim = Simulator(tmp_path, callbacks_in_flight=1, callback_reverse="yes")
    try:
        sim.create(MessagingServiceSid=SERVICE, StatusCallback=receiver.url + "/")
        receiver.wait(3)
        assert receiver.statuses() == ["delivered", "sent", "queued"]
    finally:
        assert sim.stop() == 0


def test_a_slow_receiver_slows_nobody_and_loses_nothing(sim, receiver):
    gate = threading.Event()
    receiver.answer = lambda callback: gate.wait(30) and 204
    sim.switch(sent_delay="0s", delivered_delay="0s")
    began = time.monotonic()
    sids = [sim.create(Body=f"number {i}", StatusCallback=receiver.url + "/").json["sid"]
            for i in range(300)]
    assert time.monotonic() - began < 10
    sim.wait_status(sids[-1], "delivered")
    ledger = sim.wait_ledger(callbacks_pending=600)
    assert ledger["callbacks_sent"] == 0
    wait_for("the in-flight limit", lambda: len(receiver.callbacks) == 64)
    gate.set()
    sim.wait_ledger(callbacks_sent=600, callbacks_failed=0, callbacks_pending=0)
    assert {(c.params["MessageSid"], c.status) for c in receiver.callbacks} == {
        (sid, status) for sid in sids for status in ("sent", "delivered")}


# --- the simulator's own paths ---

def test_the_ledger_counts_what_came_twice(sim):
    sim.switch(sent_delay="0s", delivered_delay="0s")
    address = "http://127.0.0.1:9/?m="
    sim.switch(callback_repeat=1)
    sim.create(Body="one", StatusCallback=address + "A&t=1")
    sim.create(Body="one", StatusCallback=address + "A&t=2")
    sim.create(Body="one", StatusCallback=address + "B&t=1")
    sim.create(Body="two", To="+14155550101")
    sim.create(To="nobody")
    ledger = sim.wait_ledger(billed_messages=4)
    assert (ledger["creates"], ledger["refused"], ledger["segments"]) == (4, 1, 4)
    assert (ledger["distinct_to_body"], ledger["repeated_to_body"]) == (2, 2)
    assert (ledger["distinct_message_ids"], ledger["repeated_message_ids"]) == (2, 1)
    assert ledger["currency"] == "USD" and ledger["in_flight_max"] == 1
    rows = sim.ask("GET", "/_sim/messages", user=None).json["messages"]
    assert sum(row["price_micros"] for row in rows) == ledger["billed_micros"]
    assert [row["message_id"] for row in rows] == ["A", "A", "B", None]


def test_the_ledger_knows_how_many_requests_there_were_at_a_time(sim):
    sim.switch(answer_delay="500ms")
    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda i: sim.create(Body=f"number {i}"), range(10)))
    assert {answer.status for answer in answers} == {201}
    assert sim.ledger()["in_flight_max"] == 10
    assert max(int(a.headers["Twilio-Concurrent-Requests"]) for a in answers) > 1


def test_all_messages_can_be_read_in_slices(sim):
    sids = [sim.create(Body=f"number {i}").json["sid"] for i in range(25)]
    uri, rows, slices = "/_sim/messages?limit=10", [], 0
    while uri:
        answer = sim.ask("GET", uri, user=None).json
        rows += answer["messages"]
        uri = answer["next_uri"]
        slices += 1
    assert slices == 3
    assert [row["sid"] for row in rows] == sids
    assert [row["number"] for row in rows] == list(range(1, 26))
    assert rows[7]["body"] == "number 7" and rows[7]["to"] == "+14155550100"
    for query in ("limit=0", "limit=10001", "after=x", "after=-1"):
        assert sim.ask("GET", f"/_sim/messages?{query}", user=None).status == 400


def test_delays_are_changed_together_or_not_at_all(sim):
    before = sim.ask("GET", "/_sim/delays", user=None).json
    for form in ({"sent_delay": "1s", "unknown": "1"}, {"sent_delay": "1s", "answer_delay": "x"},
                 {"callback_repeat": "0"}, {"callback_reverse": "maybe"},
                 {"sent_delay": "25h"}):
        answer = sim.ask("POST", "/_sim/delays", form, user=None)
        assert answer.status == 400 and list(form)[-1] == answer.json["field"]
    assert sim.ask("GET", "/_sim/delays", user=None).json == before
    assert sim.switch(sent_delay="1s")["sent_delay_us"] == 1000000


def test_a_reset_forgets_everything_and_gives_other_sids(sim, receiver):
    sim.switch(sent_delay="300ms", delivered_delay="300ms")
    old = sim.create(StatusCallback=receiver.url + "/").json["sid"]
    sim.reset()
    assert sim.ask("GET", sim.messages + ".json").json["messages"] == []
    check_error(sim.fetch(old), 404, 20404)
    sid = sim.create(StatusCallback=receiver.url + "/").json["sid"]
    assert sid != old
    callbacks = receiver.wait(2)
    assert {callback.params["MessageSid"] for callback in callbacks} == {sid}
    assert sim.ledger()["creates"] == 1


def test_a_reset_answers_what_waits(sim):
    sim.switch(answer_delay="1h")
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        answer = pool.submit(sim.create)
        sim.wait_ledger(creates=1)
        sim.reset()
        assert answer.result().status == 201


def test_the_same_seed_gives_the_same_sids(tmp_path):
    seen = []
    for run in ("one", "two"):
        (tmp_path / run).mkdir()
        sim = Simulator(tmp_path / run, seed="seven")
        seen.append([sim.create(Body=f"number {i}").json["sid"] for i in range(3)])
        assert sim.stop() == 0
    assert seen[0] == seen[1]


def test_a_stop_answers_what_waits(tmp_path):
    sim = Simulator(tmp_path, answer_delay="1h")
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        answer = pool.submit(sim.create)
        sim.wait_ledger(creates=1)
        assert sim.stop() == 0
        assert answer.result().status == 201


def test_health_is_told_without_credentials(sim):
    assert sim.ask("GET", "/healthz", user=None).status == 200
