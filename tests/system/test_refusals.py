"""What the producer refuses, and how it says so."""

import datetime
import hashlib
import json
import secrets
import time
import uuid

import pytest

from api import Api, fresh_number, request
from stack import wait_until

TOO_LONG = 1601 * "x"

BAD_FIELDS = {
    "no recipient": ({"body": "hi"}, "to"),
    "a recipient that is null": ({"to": None, "body": "hi"}, "to"),
    "a recipient that is no text": ({"to": 14155550123, "body": "hi"}, "to"),
    "an empty recipient": ({"to": "", "body": "hi"}, "to"),
    "words instead of a number": ({"to": "call me", "body": "hi"}, "to"),
    "too few digits": ({"to": "+1415", "body": "hi"}, "to"),
    "too many digits": ({"to": "+1415555012345678", "body": "hi"}, "to"),
    "an unknown country code": ({"to": "+999123456789", "body": "hi"}, "to"),
    "not valid where strict": ({"to": "+15551234567", "body": "hi", "strict": True}, "to"),
    "no text": ({"to": "+14155550123"}, "body"),
    "an empty text": ({"to": "+14155550123", "body": ""}, "body"),
    "a text that is no text": ({"to": "+14155550123", "body": ["hi"]}, "body"),
    "a text that is too long": ({"to": "+14155550123", "body": TOO_LONG}, "body"),
    "a NUL in the text": ({"to": "+14155550123", "body": "a\0b"}, "body"),
    "a sender of no kind": (
        {"to": "+14155550123", "body": "hi", "from": "no such sender"}, "from"),
    "a sender that is too short": ({"to": "+14155550123", "body": "hi", "from": "12"}, "from"),
    "an unknown class": ({"to": "+14155550123", "body": "hi", "class": "vip"}, "class"),
    "seconds with a fraction": (
        {"to": "+14155550123", "body": "hi", "expires_in": 60.5}, "expires_in"),
    "seconds as a text": (
        {"to": "+14155550123", "body": "hi", "expires_in": "60"}, "expires_in"),
    "too few seconds": ({"to": "+14155550123", "body": "hi", "expires_in": 9}, "expires_in"),
    "too many seconds": (
        {"to": "+14155550123", "body": "hi", "expires_in": 518401}, "expires_in"),
    "a reference that is too long": (
        {"to": "+14155550123", "body": "hi", "reference": 129 * "r"}, "reference"),
    "an unknown region": ({"to": "4155550123", "body": "hi", "region": "XX"}, "region"),
}

MALFORMED = {
    "nothing": "",
    "half an object": '{"to": "+14155550123", "body": ',
    "an array": '["+14155550123", "hi"]',
    "two objects": '{"to": "+14155550123", "body": "hi"} {}',
    "a text that is not UTF-8": b'{"to": "+14155550123", "body": "\xff\xfe"}',
}


def assert_problem(answer, status):
    assert answer.status == status, answer
    assert answer.headers["content-type"].startswith("application/problem+json")
    problem = answer.json
    assert problem["status"] == status
    assert problem["title"] and problem["detail"]
    return problem


@pytest.fixture(scope="module")
def client(system):
    return system.new_api()


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED.keys())
def test_a_body_that_is_no_json_object_is_400(smsq, client, body):
    assert_problem(client.post(body), 400)


@pytest.mark.parametrize(("body", "field"), BAD_FIELDS.values(), ids=BAD_FIELDS.keys())
def test_a_bad_field_is_422_and_named(smsq, client, body, field):
    assert assert_problem(client.post(json.dumps(body)), 422)["field"] == field


def test_an_unknown_field_is_422_and_named(smsq, client):
    assert "msg" in assert_problem(client.send(msg="hi"), 422)["detail"]


def test_a_field_given_twice_is_422(smsq, client):
    answer = client.post('{"to": "+14155550123", "body": "a", "body": "b"}')
    assert assert_problem(answer, 422)["field"] == "body"


def test_a_body_that_is_not_json_by_its_type_is_415(smsq, client):
    answer = client.post("to=%2B14155550123&body=hi",
                         **{"Content-Type": "application/x-www-form-urlencoded"})
    assert_problem(answer, 415)


def test_a_body_that_is_too_large_is_413(smsq, client):
    assert_problem(client.post(json.dumps({"body": 20000 * "x"})), 413)


@pytest.mark.parametrize(("method", "path", "allowed"), [
    ("GET", "/sms/send", "POST"),
    ("PUT", "/sms/send", "POST"),
    ("GET", "/sms/x", "DELETE"),
    ("POST", "/sms/status/x", "GET"),
])
def test_another_method_is_405_and_the_right_one_is_named(smsq, client, method, path, allowed):
    answer = request(client.url + path, method, headers=client.authorization)
    assert_problem(answer, 405)
    assert allowed in answer.headers["allow"].split(", ")


def test_an_unknown_path_is_404(smsq, client):
    assert_problem(request(f"{client.url}/nothing", headers=client.authorization), 404)


def test_without_a_token_it_is_401_and_says_how(smsq, client):
    for api in (Api(client.url, None), Api(client.url, ""), Api(client.url, "smsq_unknown")):
        answer = api.send()
        assert_problem(answer, 401)
        assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("column", ["expires_at", "revoked_at"])
def test_a_token_whose_time_is_over_is_401(smsq, column):
    api = smsq.new_api()
    newest = smsq.db.one("select max(token_id) from api_tokens")
    smsq.db.rows(f"update api_tokens set {column} = now() - interval '1 s'"
                 " where token_id = %s", newest)
    wait_until(lambda: api.status(str(uuid.uuid4())).status == 401, 5, "the token ended")
    assert_problem(api.send(), 401)


def test_a_revoked_token_ends_at_once_also_where_the_clock_is_behind(smsq):
    api = smsq.new_api()
    newest = smsq.db.one("select max(token_id) from api_tokens")
    smsq.db.rows("update api_tokens set revoked_at = now() + interval '1 hour'"
                 " where token_id = %s", newest)
    wait_until(lambda: api.status(str(uuid.uuid4())).status == 401, 5, "the token ended")


def test_a_revoked_token_that_is_in_use_stops_within_seconds(smsq, api):
    api.accepted()
    newest = smsq.db.one("select max(token_id) from api_tokens")
    smsq.db.rows("update api_tokens set revoked_at = now() where token_id = %s", newest)
    deadline = time.monotonic() + 5
    while (answer := api.send()).status == 202:
        assert time.monotonic() < deadline
    assert_problem(answer, 401)


def test_without_the_scope_it_is_403_and_the_scope_is_named(smsq):
    api = smsq.new_api("view_sms_history")
    assert "send_sms" in assert_problem(api.send(), 403)["detail"]
    api = smsq.new_api("view_dashboard")
    assert_problem(api.send(), 403)
    assert_problem(api.status(new_uuid7()), 403)


def new_uuid7():
    """A well-formed id of this moment that nobody gave."""
    value = int(time.time() * 1000) << 80 | secrets.randbits(76) | 7 << 76
    return str(uuid.UUID(int=value & ~(3 << 62) | 2 << 62))


def test_a_strangers_message_is_404_as_is_one_that_never_was(smsq, api):
    message_id = api.accepted()
    sid = api.wait_for(message_id)["sid"]
    stranger = smsq.new_api()
    for name in (message_id, sid, new_uuid7(), str(uuid.uuid4()),
                 "SM" + hashlib.md5(b"unknown").hexdigest(), "nonsense", ""):
        assert_problem(stranger.status(name), 404)
    assert_problem(stranger.status("%00"), 400)
    assert api.status(message_id.upper()).json["id"] == message_id


def test_the_number_is_shown_in_full_only_with_the_view_scope(smsq):
    api = smsq.new_api("send_sms")
    to = fresh_number()
    shown = api.wait_for(api.accepted(to=to))["to"]
    assert to not in shown and shown.endswith(to[-3:])


def test_a_possible_number_that_is_not_valid_is_accepted_with_a_warning(smsq, api):
    answer = api.send(to="+15551234567")
    assert answer.status == 202, answer
    (warning,) = answer.json["warnings"]
    assert (warning["field"], warning["code"]) == ("to", "number_not_valid")
    assert "warnings" not in api.send().json


@pytest.mark.parametrize(("to", "fields", "e164"), [
    ("(415) 555-2671", {}, "+14155552671"),
    ("415-555-2671", {}, "+14155552671"),
    ("4155552671", {}, "+14155552671"),
    ("+41 79 123 45 67", {}, "+41791234567"),
    ("079 123 45 67", {"region": "CH"}, "+41791234567"),
    ("98765 43210", {"region": "IN"}, "+919876543210"),
])
def test_national_forms_are_read_with_the_region(smsq, api, to, fields, e164):
    answer = api.send(to=to, **fields)
    assert (answer.status, answer.json["to"]) == (202, e164)
    assert api.wait_for(answer.json["id"])["to"] == e164


@pytest.mark.parametrize(("body", "segments"), [
    (160 * "x", 1), (161 * "x", 2), (80 * "€", 1), (81 * "€", 2), (70 * "ж", 1), (71 * "ж", 2),
])
def test_segments_are_counted_and_billed_as_twilio_does(smsq, api, body, segments):
    answer = api.send(body=body)
    assert (answer.status, answer.json["segments"]) == (202, segments)
    message_id = answer.json["id"]
    api.wait_for(message_id)
    row = smsq.sim.by_message_id()[message_id]
    assert row["segments"] == segments
    assert smsq.db.one("select sum(amount_micros) from cost_entries where message_id = %s",
                       message_id) == row["price_micros"]


def test_a_message_carries_the_end_of_its_useful_time(smsq, api):
    told = api.wait_for(api.accepted(expires_in=600))
    moments = [datetime.datetime.fromisoformat(told[name].replace("Z", "+00:00"))
               for name in ("accepted_at", "expires_at")]
    assert (moments[1] - moments[0]).total_seconds() == 600
