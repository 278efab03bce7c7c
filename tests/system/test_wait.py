"""Prefer: wait=N: the 202 comes with Twilio's SID, or as usual when it is time."""

import http.client
import re
import threading
import time

import pytest

from api import Api
from stack import wait_until
from test_idempotency import keyed, start, text  # noqa: F401 (start is a fixture)
from test_openapi import answer_is_documented

QUICK_S = 1.0


def ask(api, prefer, **fields):
    answer = api.post(text(**fields), Prefer=prefer)
    answer_is_documented(answer, "/sms/send", "post")
    assert answer.status == 202
    return answer


def keep_quiet(smsq):
    """From now on Twilio neither answers nor calls back, for a long time."""
    smsq.sim.switch(answer_delay="8s", sent_delay="1h", delivered_delay="1h")


def wait_until_claimed(smsq, count):
    wait_until(lambda: smsq.db.one("select count(*) from messages where status = 'claimed'"
                                   " and claimed_at > now() - interval '1 minute'") == count,
               10, f"{count} are at the worker")


def test_the_202_comes_with_the_sid(smsq, api):
    answer = ask(api, "respond-async, wait=20")
    assert answer.took_s < 10 and answer.headers["preference-applied"] == "wait=20"
    told = answer.json
    assert re.fullmatch("SM[0-9a-f]{32}", told["sid"])
    assert told["message"] == "SMS sent successfully"
    assert api.wait_for(told["id"])["sid"] == told["sid"]


def test_the_202_comes_with_the_reason_when_twilio_refuses(smsq, api):
    told = ask(api, "wait=99", to="+15005550001").json
    assert (told["status"], told["sid"], told["error_code"]) == ("failed", None, 21211)
    assert (told["message"], told["reason"]) == ("SMS was not sent", "rejected")


def test_when_it_is_time_the_202_comes_as_usual(smsq, api):
    keep_quiet(smsq)
    answer = ask(api, "wait=1")
    assert 1 <= answer.took_s < 2.5 and answer.headers["preference-applied"] == "wait=1"
    assert (answer.json["sid"], answer.json["status"]) == (None, "queued")


@pytest.mark.parametrize("prefer", ["wait=0", "wait=soon", "return=minimal"])
def test_what_is_no_wait_is_ignored(smsq, api, prefer):
    answer = ask(api, prefer)
    assert answer.json["sid"] is None and "preference-applied" not in answer.headers


def test_a_repeat_may_wait_for_the_sid(smsq, api):
    body = text()
    first = keyed(api, "k", body)
    again = api.post(body, **{"Idempotency-Key": "k", "Prefer": "wait=20"})
    answer_is_documented(again, "/sms/send", "post")
    assert again.headers["idempotency-replayed"] == "true"
    assert again.json["id"] == first.json["id"] and again.json["sid"]


def test_nobody_waits_beyond_the_limit(smsq, api, start):  # noqa: F811
    keep_quiet(smsq)
    full = Api(start("--producer.waits=0").url, api.token)
    answer = ask(full, "wait=20")
    assert answer.took_s < QUICK_S and "preference-applied" not in answer.headers


def test_who_goes_away_makes_room_for_others(smsq, api, start):  # noqa: F811
    keep_quiet(smsq)
    url = start("--producer.waits=1").url
    host, port = url.removeprefix("http://").split(":")
    gone = http.client.HTTPConnection(host, int(port), timeout=10)
    gone.request("POST", "/sms/send", text(), {**api.authorization, "Prefer": "wait=30",
                                               "Content-Type": "application/json"})
    wait_until_claimed(smsq, 1)
    there = Api(url, api.token)
    assert "preference-applied" not in ask(there, "wait=1").headers
    gone.close()
    wait_until(lambda: "preference-applied" in ask(there, "wait=1").headers, 4, "there is room")


def test_a_producer_that_stops_answers_all_that_wait(smsq, api, start):  # noqa: F811
    keep_quiet(smsq)
    producer = start()
    stopping, answers = Api(producer.url, api.token), []
    threads = [threading.Thread(target=lambda: answers.append(ask(stopping, "wait=30")))
               for _ in range(5)]
    for thread in threads:
        thread.start()
    wait_until_claimed(smsq, 5)
    assert not answers and all(thread.is_alive() for thread in threads)
    began = time.monotonic()
    assert producer.end() == 0
    for thread in threads:
        thread.join()
    assert time.monotonic() - began < 5
    assert len(answers) == 5 and {answer.json["sid"] for answer in answers} == {None}
    smsq.sim.reset_switches()
    for answer in answers:
        api.wait_for(answer.json["id"])
