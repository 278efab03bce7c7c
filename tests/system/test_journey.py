"""One message from the HTTP request to its delivery, looked at from every side."""

import base64
import contextlib
import json
import re
import typing
import uuid

import pytest

from api import Answer, fresh_number

SERVICE_SID = "MG" + 32 * "5"
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3,6}Z")
HOPS = ("job_accepted", "job_claimed", "job_sent", "callback_verified", "status_applied")


class Journey(typing.NamedTuple):
    to: str
    body: str
    answer: Answer
    at_once: dict  # what the status was right after the 202
    by_id: dict
    by_sid: dict
    posted: dict  # the simulator's row
    bill: dict


def travel(system, **fields):
    system.sim.reset()
    api = system.new_api()
    to, body = fresh_number(), f"Zwetschgenkuchen {uuid.uuid4().hex}"
    answer = api.send(to=to, body=body, reference="order 7", **fields)
    assert answer.status == 202, answer
    message_id = answer.json["id"]
    at_once = api.status(message_id).json
    by_id = api.wait_for(message_id)
    system.sim.wait_quiet()
    return Journey(to, body, answer, at_once, by_id, api.status(by_id["sid"]).json,
                   system.sim.by_message_id()[message_id], system.sim.ledger())


@pytest.fixture(scope="module")
def journey(system):
    return travel(system)


@pytest.fixture(scope="module")
def service_journey(system):
    return travel(system, **{"from": SERVICE_SID})


def test_the_202_has_exactly_the_documented_members(journey):
    message_id = journey.answer.json["id"]
    assert journey.answer.json == {
        "message": "SMS sent successfully", "id": message_id, "sid": None,
        "status": "queued", "to": journey.to, "segments": 1}
    assert uuid.UUID(message_id).version == 7
    assert journey.answer.headers["location"] == f"/sms/status/{message_id}"
    assert journey.answer.headers["content-type"] == "application/json"


def test_the_status_is_known_from_the_first_moment_on(journey):
    assert journey.at_once["id"] == journey.answer.json["id"]
    assert journey.at_once["status"] in (
        "accepted", "queued", "sending", "sent", "delivered")


def test_the_status_tells_the_whole_life(journey):
    told = journey.by_id
    assert (told["status"], told["detail"]) == ("delivered", "delivered")
    assert told["sid"] == journey.posted["sid"]
    assert told["to"] == journey.to
    assert (told["class"], told["reference"], told["mode"]) == (
        "transactional", "order 7", "simulate")
    assert (told["segments"], told["turn"], told["error_code"]) == (1, 1, None)
    times = [told[name] for name in ("accepted_at", "sent_at", "delivered_at")]
    assert all(TIME.fullmatch(time) for time in times), times
    assert times == sorted(times)


def test_the_status_is_the_same_by_id_and_by_sid(journey):
    assert journey.by_sid == journey.by_id


def test_the_simulator_was_sent_the_number_and_the_text(journey):
    assert (journey.posted["to"], journey.posted["body"]) == (journey.to, journey.body)
    assert (journey.bill["creates"], journey.bill["repeated_message_ids"]) == (1, 0)


def test_message_attempt_and_times_stand_in_postgresql(system, journey):
    message_id = journey.answer.json["id"]
    assert system.db.rows(
        "select status, turn, shown_turn, tries, twilio_sid, claimed_epoch, lane, reason,"
        " sent_at <= delivered_at from messages where message_id = %s", message_id) == [
            ("delivered", 1, 1, 0, journey.posted["sid"], None, "normal", None, True)]
    assert system.db.rows(
        "select turn, twilio_sid, outcome, http_status, status, error_code, segments"
        " from attempts where message_id = %s", message_id) == [
            (1, journey.posted["sid"], "accepted", 201, "delivered", None, 1)]


def test_each_callback_is_kept_as_it_came(system, journey, service_journey):
    for one, words in ((journey, ["delivered", "sent"]),
                       (service_journey, ["delivered", "queued", "sent"])):
        assert system.db.rows(
            "select word, turn, twilio_sid from receipts where message_id = %s"
            " order by word", one.answer.json["id"]) == [
                (word, 1, one.posted["sid"]) for word in words]


def test_the_cost_is_the_bill_to_the_micro_unit(system, journey, service_journey):
    for one in (journey, service_journey):
        assert one.bill["billed_micros"] == one.posted["price_micros"] > 0
        assert system.db.rows(
            "select kind, seq, amount_micros, total_micros, currency, twilio_sid, mode"
            " from cost_entries where message_id = %s", one.answer.json["id"]) == [
                ("estimate", 0, one.bill["billed_micros"], one.bill["billed_micros"],
                 one.bill["currency"], one.posted["sid"], "simulate")]
        cost = one.by_id["cost"]
        assert (round(float(cost["amount"]) * 1e6), cost["currency"], cost["recorded"]) == (
            one.bill["billed_micros"], one.bill["currency"], True)


def test_a_messaging_service_sends_under_its_own_name(service_journey):
    assert service_journey.posted["messaging_service_sid"] == SERVICE_SID
    assert service_journey.by_id["from"] == SERVICE_SID


def test_every_hop_is_in_the_logs_under_the_message_id(system, journey):
    lines = [line for path in system.stack.run.glob("logs/*.log")
             for line in path.read_text(errors="replace").splitlines()
             if journey.answer.json["id"] in line]
    events = [json.loads(line)["event"] for line in lines]
    for hop in HOPS:
        assert hop in events, events


def decoded(record):
    """What a record holds as base64, if it is one of ours at all."""
    try:
        values = record.json.values()
    except (AttributeError, TypeError, ValueError):
        return
    for value in values:
        with contextlib.suppress(TypeError, ValueError):
            yield base64.b64decode(value, validate=True)


def shown_by(record, text):
    """Whether a record shows text, as it is or inside what it holds as base64."""
    inside = [record.key or b"", record.value or b"", *decoded(record)]
    return any(text.encode() in part for part in inside)


def secrets_of(journey):
    return (journey.to[1:], journey.to[2:], journey.body.split()[1])


def test_kafka_holds_neither_number_nor_text_in_clear(system, journey):
    records = [record for topic in system.kafka.topics()
               for record in system.kafka.records(topic)]
    message_id = journey.answer.json["id"].encode()
    assert sum(message_id in (record.value or b"") for record in records) == 3
    for text in secrets_of(journey):
        assert not [record for record in records if shown_by(record, text)]


def test_postgresql_holds_neither_number_nor_text_in_clear(system, journey):
    assert "messages" in "".join(system.db.columns_that_hold(journey.answer.json["id"]))
    for text in secrets_of(journey):
        assert system.db.columns_that_hold(text) == []


def test_no_log_holds_number_or_text(system, journey):
    logs = {path.name: path.read_bytes() for path in system.stack.run.glob("logs/*.log")}
    assert journey.answer.json["id"].encode() in logs["producer.log"]
    for text in secrets_of(journey):
        assert [name for name, log in logs.items() if text.encode() in log] == []
