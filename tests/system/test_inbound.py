"""Messages that people send to us, from the webhook to the topic sms.inbound."""

import base64
import os
import signal
import urllib.parse

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from api import fresh_number, request
from callbacks import new_sid, signature
from stack import metric, wait_until

PATHS = ("/sms/webhook/incoming", "/api/twilio/sms/inbound")
FORM = "application/x-www-form-urlencoded"
TOPIC = "sms.inbound"
ANSWER_S = 5


def form_of(sid, **fields):
    """What Twilio posts for a plain SMS."""
    return {"ToCountry": "US", "ToState": "", "SmsMessageSid": sid, "NumMedia": "0",
            "ToCity": "", "FromZip": "", "SmsSid": sid, "FromState": "CA",
            "SmsStatus": "received", "FromCity": "", "Body": "Grüezi & <hello>",
            "FromCountry": "US", "To": "+15005550006", "ToZip": "", "NumSegments": "1",
            "ReferralNumMedia": "0", "MessageSid": sid, "AccountSid": "AC" + 32 * "0",
            "From": "+14155550123", "ApiVersion": "2010-04-01", **fields}


def records(smsq, since):
    """What was published since the offsets that Kafka.ends() told."""
    return [record for record in smsq.kafka.records(TOPIC)
            if record.offset >= since[record.partition]]


def opened(smsq, record):
    """The form in a record, as any program with keys.seal can read it."""
    sealed = base64.b64decode(record["raw"])
    assert sealed[0] == 1
    key = bytes.fromhex(smsq.stack.secret("seal_key"))
    month = HKDF(SHA256(), 32, None, b"smsq seal" + sealed[2:4]).derive(key)
    bound = sealed[:4] + record.get("twilio_sid", "").encode()
    plain = AESGCM(month).decrypt(sealed[4:16], sealed[16:], bound)
    return dict(urllib.parse.parse_qsl(plain.decode(), keep_blank_values=True))


@pytest.mark.parametrize("path", PATHS)
def test_an_inbound_message_is_published_and_answered_with_empty_twiml(smsq, path):
    since, sid = smsq.kafka.ends(TOPIC), new_sid()
    form = form_of(sid, OptOutType="STOP", NumMedia="1",
                   MediaUrl0="https://api.twilio.com/x", ButtonPayload="yes")
    answer = smsq.callbacks.post_form(path, form)
    assert (answer.status, answer.body) == (200, b"<Response/>")
    assert answer.headers["content-type"] == "text/xml"
    (record,) = records(smsq, since)
    told = record.json
    assert (told["twilio_sid"], told["channel"], told["country"], told["opt_out"],
            told["media_count"]) == (sid, "sms", "US", "STOP", 1)
    assert base64.b64decode(told["from_hash"]) == record.key
    assert opened(smsq, told) == form
    for secret in (b"4155550123", b"5005550006", b"hello"):
        assert secret not in record.value


def test_what_one_person_writes_stays_in_one_partition_on_every_channel(smsq):
    since, number = smsq.kafka.ends(TOPIC), fresh_number()
    sids = [new_sid() for _ in range(6)]
    for place, sid in enumerate(sids):
        sender = ("whatsapp:" if place % 2 else "") + number
        assert smsq.callbacks.post_form(PATHS[0], form_of(sid, From=sender)).status == 200
    found = records(smsq, since)
    assert len({(record.partition, record.key) for record in found}) == 1
    assert [record.json["twilio_sid"] for record in found] == sids
    assert {record.json["channel"] for record in found} == {"sms", "whatsapp"}


def test_a_long_form_is_taken_and_a_longer_one_refused(smsq):
    since = smsq.kafka.ends(TOPIC)
    url = smsq.callbacks.receiver_url + PATHS[0]
    long = form_of(new_sid(), Body=4000 * "ü", AddOns=30000 * "x")
    assert smsq.callbacks.post_form(PATHS[0], long).status == 200
    (record,) = records(smsq, since)
    assert opened(smsq, record.json) == long
    assert request(url, "POST", 66000 * "x", {"Content-Type": FORM}).status == 413


def test_twilios_forms_without_the_usual_fields_are_not_lost(smsq):
    since = smsq.kafka.ends(TOPIC)
    odd = {"EventType": "something new", "Body": "still here"}
    assert smsq.callbacks.post_form(PATHS[0], odd).status == 200
    (record,) = records(smsq, since)
    assert "twilio_sid" not in record.json and "from_hash" not in record.json
    assert opened(smsq, record.json) == odd


def test_a_forged_or_odd_request_is_refused_and_nothing_is_published(smsq):
    since, form = smsq.kafka.ends(TOPIC), form_of(new_sid())
    receiver = smsq.stack.admin_url("webhook-receiver")
    forged = 'smsq_inbound_total{result="forged"}'
    before = metric(receiver, forged)
    url = smsq.callbacks.receiver_url + PATHS[0]
    right = {"Content-Type": FORM, "X-Twilio-Signature": signature(
        smsq.callbacks.token, smsq.callbacks.public_url + PATHS[0], form)}
    encoded = urllib.parse.urlencode(form)
    assert smsq.callbacks.post_form(PATHS[0], form, sign=False).status == 403
    assert smsq.callbacks.post_form(PATHS[0], form, token=32 * "0").status == 403
    assert request(url, "POST", encoded + "&Body=more", right).status == 403
    assert request(smsq.callbacks.receiver_url + PATHS[1], "POST", encoded, right).status == 403
    assert metric(receiver, forged) == before + 4
    assert request(url, "POST", "{}", {**right, "Content-Type": "application/json"}).status == 415
    got = request(f"{url}?{encoded}", headers=right)
    assert (got.status, got.headers["allow"]) == (405, "POST, OPTIONS")
    assert smsq.callbacks.post_form(PATHS[0], {}).status == 400
    assert smsq.kafka.ends(TOPIC) == since


def test_a_kafka_that_hangs_gets_twilio_an_answer_within_five_seconds(smsq):
    kafka, sid = smsq.stack.pids["kafka"], new_sid()
    receiver = smsq.stack.admin_url("webhook-receiver")
    unavailable = 'smsq_inbound_total{result="unavailable"}'
    before = metric(receiver, unavailable)
    os.kill(kafka, signal.SIGSTOP)
    try:
        refused = smsq.callbacks.post_form(PATHS[0], form_of(sid))
        callback = smsq.callbacks.post(new_sid(), "sent")
    finally:
        os.kill(kafka, signal.SIGCONT)
    for answer in (refused, callback):
        assert answer.status == 503 and answer.took_s < ANSWER_S
        assert answer.json["code"] == "queue_unavailable"
    assert metric(receiver, unavailable) == before + 1
    wait_until(lambda: smsq.callbacks.post_form(PATHS[0], form_of(sid)).status == 200, 30,
               "Twilio's repeat is taken")
