"""Twilio's callbacks as they really come: forged, repeated, in any order, too early."""

import contextlib
import os
import signal
import urllib.parse

import pytest

from api import request
from callbacks import Callbacks, new_sid, signature
from stack import read_log, wait_until

PATHS = ("/sms/webhook/status", "/api/twilio/sms/status", "/webhooks/twilio/status/")
FORM = "application/x-www-form-urlencoded"


def delivered(smsq, api, **fields):
    """Sends a message and waits until it is delivered; returns its id and SID."""
    message_id = api.accepted(**fields)
    sid = api.wait_for(message_id)["sid"]
    smsq.sim.wait_quiet()
    return message_id, sid


def receipts(smsq, sid):
    return smsq.db.rows("select word, message_id::text, turn from receipts"
                        " where twilio_sid = %s order by recorded_at, part, off", sid)


def wait_for_receipts(smsq, sid, count):
    return wait_until(lambda: (found := receipts(smsq, sid)) and len(found) >= count and found,
                      15, f"{count} receipts of {sid}")


def message(smsq, message_id):
    return smsq.db.one("select status, error_code, twilio_sid from messages"
                       " where message_id = %s", message_id)


def wait_joined(smsq):
    wait_until(lambda: smsq.db.one("select count(*) from receipts_unmatched") == 0, 15,
               "no receipt waits for its message")


def test_a_forged_callback_is_403_and_nothing_is_published(smsq, api):
    message_id, sid = delivered(smsq, api)
    query, ends = smsq.callbacks.query_of(message_id), smsq.kafka.ends("sms.status")
    target = PATHS[0] + query
    form = {"MessageSid": sid, "MessageStatus": "failed"}
    encoded = urllib.parse.urlencode(form)
    right = signature(smsq.callbacks.token, smsq.callbacks.public_url + target, form)
    forged = {
        "no signature": {},
        "an empty one": {"X-Twilio-Signature": ""},
        "one of another token": {"X-Twilio-Signature": signature(
            32 * "0", smsq.callbacks.public_url + target, form)},
        "one of another path": {"X-Twilio-Signature": signature(
            smsq.callbacks.token, smsq.callbacks.public_url + PATHS[1] + query, form)},
        "one of another host": {"X-Twilio-Signature": signature(
            smsq.callbacks.token, "https://example.com" + target, form)},
        "a part of the right one": {"X-Twilio-Signature": right[:-5]},
        "no base64": {"X-Twilio-Signature": "***"},
    }
    for what, header in forged.items():
        answer = request(smsq.callbacks.receiver_url + target, "POST", encoded,
                         {"Content-Type": FORM, **header})
        assert answer.status == 403, (what, answer)
    added = request(smsq.callbacks.receiver_url + target, "POST",
                    encoded + "&ErrorCode=30003",
                    {"Content-Type": FORM, "X-Twilio-Signature": right})
    assert added.status == 403, added
    unread = request(smsq.callbacks.receiver_url + target, "POST", 1000 * "a=b&",
                     {"Content-Type": FORM})
    assert unread.status == 403, unread
    assert smsq.kafka.ends("sms.status") == ends
    assert message(smsq, message_id) == ("delivered", None, sid)


@pytest.mark.parametrize("path", PATHS)
def test_a_signed_callback_is_taken_on_each_path(smsq, api, path):
    message_id, sid = delivered(smsq, api)
    answer = smsq.callbacks.post(sid, "read", smsq.callbacks.query_of(message_id), path)
    assert (answer.status, answer.body) == (204, b"")
    api.wait_for(message_id, "read")
    assert receipts(smsq, sid)[-1] == ("read", message_id, 1)


def test_a_repeated_callback_is_kept_each_time_and_changes_nothing(smsq, api):
    smsq.sim.switch(callback_repeat=3)
    message_id, sid = delivered(smsq, api)
    words = [word for word, _, _ in wait_for_receipts(smsq, sid, 6)]
    assert sorted(words) == 3 * ["delivered"] + 3 * ["sent"]
    assert message(smsq, message_id) == ("delivered", None, sid)
    assert smsq.db.one("select count(*) from cost_entries where message_id = %s",
                       message_id) == 1


def test_delivered_before_sent_stays_delivered(smsq, api):
    smsq.sim.switch(callback_reverse="yes")
    message_id, sid = delivered(smsq, api)
    wait_for_receipts(smsq, sid, 2)
    answer = smsq.callbacks.post(sid, "sent", smsq.callbacks.query_of(message_id))
    assert answer.status == 204
    assert [word for word, _, _ in wait_for_receipts(smsq, sid, 3)][-1] == "sent"
    assert message(smsq, message_id) == ("delivered", None, sid)
    assert smsq.db.one("select sent_at <= delivered_at from messages where message_id = %s",
                       message_id)


def test_callbacks_before_the_answer_to_the_create_lose_nothing(smsq, api):
    smsq.sim.switch(answer_delay="2s", sent_delay="10ms", delivered_delay="30ms")
    message_id = api.accepted()
    told = api.wait_for(message_id)
    assert smsq.db.one("select outcome from attempts where message_id = %s", message_id) is None
    wait_until(lambda: smsq.db.one("select outcome from attempts where message_id = %s",
                                   message_id) == "accepted", 15, "the answer is recorded")
    row = smsq.sim.by_message_id()[message_id]
    assert message(smsq, message_id) == ("delivered", None, row["sid"])
    assert told["sid"] == row["sid"]
    assert smsq.db.rows("select turn, twilio_sid, http_status, status from attempts"
                        " where message_id = %s", message_id) == [
                            (1, row["sid"], 201, "delivered")]
    assert smsq.db.rows("select amount_micros, twilio_sid from cost_entries"
                        " where message_id = %s", message_id) == [
                            (row["price_micros"], row["sid"])]


@pytest.mark.parametrize("change", ["no query", "wrong tag", "wrong turn", "no turn",
                                    "id of another message"])
def test_a_right_signature_with_a_wrong_query_is_matched_by_sid(smsq, api, change):
    message_id, sid = delivered(smsq, api)
    query = smsq.callbacks.query_of(message_id)
    wrong = {
        "no query": "",
        "wrong tag": query[:-1] + ("0" if query[-1] != "0" else "1"),
        "wrong turn": query.replace("&t=1", "&t=2"),
        "no turn": query.replace("&t=1", ""),
        "id of another message": query.replace(message_id, api.accepted()),
    }[change]
    assert smsq.callbacks.post(sid, "read", wrong).status == 204
    api.wait_for(message_id, "read")
    assert ("read", None, None) in receipts(smsq, sid)
    wait_joined(smsq)


def test_a_callback_without_id_waits_until_the_sid_is_known(smsq, api):
    smsq.sim.switch(answer_delay="3s", sent_delay="1h", delivered_delay="1h")
    message_id = api.accepted()
    row = wait_until(lambda: smsq.sim.by_message_id().get(message_id), 15, "it is posted")
    assert smsq.callbacks.post(row["sid"], "delivered").status == 204
    wait_until(lambda: smsq.db.one("select count(*) from receipts_unmatched"), 10,
               "the receipt waits")
    assert message(smsq, message_id)[0] == "claimed"
    assert api.wait_for(message_id)["sid"] == row["sid"]
    wait_joined(smsq)


def test_a_callback_of_a_message_not_known_yet_is_joined_later(smsq, api):
    workers = [smsq.stack.pids[name] for name in ("worker-1", "worker-2")]
    for pid in workers:
        os.kill(pid, signal.SIGSTOP)
    try:
        message_id, sid = api.accepted(), new_sid()
        answer = smsq.callbacks.post(sid, "read", smsq.callbacks.query_of(message_id))
        assert answer.status == 204
        wait_until(lambda: smsq.db.rows(
            "select 1 from receipts_unmatched where message_id = %s", message_id), 10,
            "the receipt waits")
        assert api.status(message_id).json["status"] == "accepted"
    finally:
        for pid in workers:
            os.kill(pid, signal.SIGCONT)
    api.wait_for(message_id, "read")
    wait_joined(smsq)
    assert smsq.sim.ledger()["repeated_message_ids"] == 0


def test_a_failure_is_shown_with_its_code(smsq, api):
    smsq.sim.switch(delivered_delay="1h")
    message_id = api.accepted()
    sid = api.wait_for(message_id, "sent")["sid"]
    query = smsq.callbacks.query_of(message_id)
    assert smsq.callbacks.post(sid, "undelivered", query, error_code=30005).status == 204
    assert api.wait_for(message_id, "undelivered")["error_code"] == 30005
    assert message(smsq, message_id) == ("undelivered", 30005, sid)


def test_a_word_that_is_new_is_kept_and_changes_nothing(smsq, api):
    message_id, sid = delivered(smsq, api)
    query = smsq.callbacks.query_of(message_id)
    assert smsq.callbacks.post(sid, "pondering", query).status == 204
    assert wait_for_receipts(smsq, sid, 3)[-1] == ("pondering", message_id, 1)
    assert message(smsq, message_id) == ("delivered", None, sid)


def test_a_malformed_callback_is_400_and_nothing_is_published(smsq):
    ends = smsq.kafka.ends("sms.status")
    forms = {
        "no SID": {"MessageStatus": "sent"},
        "a SID that is none": {"MessageSid": "SM1", "MessageStatus": "sent"},
        "no status": {"MessageSid": new_sid()},
        "a status that is no word": {"MessageSid": new_sid(), "MessageStatus": "a b"},
    }
    for what, form in forms.items():
        answer = smsq.callbacks.post_form(PATHS[0], form)
        assert answer.status == 400, (what, answer)
        assert answer.headers["content-type"].startswith("application/problem+json")
    assert smsq.kafka.ends("sms.status") == ends


def test_callbacks_have_one_method_and_one_type(smsq):
    url = smsq.callbacks.receiver_url + PATHS[0]
    assert request(url).status == 405
    assert request(url, "POST", "{}", {"Content-Type": "application/json"}).status == 415
    assert request(url, "POST", 70000 * "x", {"Content-Type": FORM}).status == 413


@contextlib.contextmanager
def second_receiver(smsq, folder, *flags):
    """Callbacks to one more receiver, with settings of its own."""
    with (folder / "receiver.log").open("w") as log:
        receiver = smsq.stack.program("smsq-webhook-receiver", "--receiver.port=0",
                                      "--receiver.admin_port=0", *flags, output=log)
    try:
        started = wait_until(lambda: [
            line for line in read_log(folder / "receiver.log")
            if line["event"] == "receiver_started"], 10, "the receiver has started")
        there = Callbacks(f"http://127.0.0.1:{started[0]['port']}", smsq.callbacks.public_url,
                          smsq.callbacks.token, smsq.callbacks.lookup_key)
        wait_until(lambda: request(there.receiver_url + "/readyz").status == 200, 10,
                   "the receiver is ready")
        yield there
    finally:
        receiver.terminate()
        stopped = receiver.wait(30)
    assert stopped == 0


def test_a_token_being_rotated_out_is_still_accepted(smsq, api, tmp_path):
    message_id, sid = delivered(smsq, api)
    query = smsq.callbacks.query_of(message_id)
    flags = "--twilio.auth_tokens_old=older-token,old-token"
    with second_receiver(smsq, tmp_path, flags) as rotating:
        answers = [rotating.post(sid, "sent", query, token=token).status
                   for token in (None, "old-token", "older-token", "oldest-token")]
    assert answers == [204, 204, 204, 403]
    assert smsq.callbacks.post(sid, "sent", query, token="old-token").status == 403


@pytest.mark.parametrize("setting", ["auth_token", "auth_tokens_old"])
def test_the_simulator_s_token_is_never_twilio_s(smsq, api, tmp_path, setting):
    message_id, sid = delivered(smsq, api)
    flags = f"--twilio.{setting}={smsq.callbacks.token}"
    with second_receiver(smsq, tmp_path, flags) as both:
        assert both.post(sid, "read", both.query_of(message_id)).status == 204
    wait_until(lambda: api.status(message_id).json["status"] == "read", 10,
               "the simulator's word counts for what is simulated")
    assert smsq.db.rows("select simulated from receipts where word = 'read'"
                        " and message_id = %s", message_id) == [(True,)]
