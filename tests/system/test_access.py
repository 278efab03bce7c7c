"""API tokens: their rate, their end, and what a flood of wrong ones does."""

import concurrent.futures
import json
import time
import zlib

import pytest

from api import Api, request
from stack import metric, wait_until
from test_idempotency import Producer
from test_openapi import answer_is_documented


@pytest.fixture
def second(smsq, tmp_path):
    """Another producer of the same installation."""
    producer = Producer(smsq, tmp_path, "--producer.rate_limit=7")
    wait_until(lambda: Api(producer.url, None).ready() == 200, 10, "it is ready")
    yield producer
    producer.end()


def ask(api):
    """A request that costs nothing but the rate."""
    return api.status("SM" + 32 * "0")


def field(answer, name):
    """The parameters of a RateLimit field: {"q": 60, "w": 60}."""
    policy, *parameters = answer.headers[name].split(";")
    assert policy == '"token"'
    return {key: int(value) for key, _, value in (p.partition("=") for p in parameters)}


def test_a_token_may_ask_as_often_as_its_rate_and_is_told_what_is_left(smsq):
    api = smsq.new_api(options=("--rate", "6"))
    for left in range(5, -1, -1):
        answer = ask(api)
        assert answer.status == 404
        assert field(answer, "ratelimit-policy") == {"q": 6, "w": 60}
        told = field(answer, "ratelimit")
        assert told["r"] == left and 10 * (6 - left) - 5 <= told["t"] <= 10 * (6 - left)
    refused = api.send()
    answer_is_documented(refused, "/sms/send", "post")
    assert (refused.status, refused.json["code"]) == (429, "rate_limited")
    assert field(refused, "ratelimit")["r"] == 0
    assert 1 <= int(refused.headers["retry-after"]) <= 10
    assert smsq.sim.ledger()["creates"] == 0


def test_retry_after_is_when_it_works_again(smsq):
    api = smsq.new_api(options=("--rate", "60"))
    while (refused := ask(api)).status != 429:
        pass
    time.sleep(int(refused.headers["retry-after"]))
    assert ask(api).status == 404


def test_without_a_rate_of_its_own_the_setting_counts_and_0_is_no_limit(smsq, second):
    api = smsq.new_api(options=())
    assert field(ask(api), "ratelimit-policy") == {"q": 60, "w": 60}
    assert field(ask(Api(second.url, api.token)), "ratelimit-policy") == {"q": 7, "w": 60}
    unlimited = ask(smsq.new_api(options=("--rate", "0")))
    assert "ratelimit" not in unlimited.headers


def test_two_producers_share_a_rate(smsq, second):
    here = smsq.new_api(options=("--rate", "10"))
    there = Api(second.url, here.token)
    assert [ask(here).status for _ in range(9)] == 9 * [404]
    assert ask(there).status == 404  # it does not know yet, and tells what it took
    wait_until(lambda: ask(there).status == 429, 2, "it has heard of the other")
    wait_until(lambda: ask(here).status == 429, 2, "and the other of it")
    # Both together are not far beyond: what was too much is owed.
    assert int(ask(here).headers["retry-after"]) <= 30


def test_a_revoked_token_ends_at_every_producer_within_5_seconds(smsq, second):
    api = smsq.new_api()
    others = [api, Api(second.url, api.token)]
    assert [ask(one).status for one in others] == [404, 404]
    key_id = api.token.split("_")[2]
    done = smsq.stack.smsq("token", "revoke", key_id, "--json")
    assert json.loads(done.stdout)["state"] == "revoked"
    for one in others:
        wait_until(lambda one=one: ask(one).status == 401, 5, "it is refused")
    assert "revoked" in ask(api).json["detail"]
    again = smsq.stack.smsq("token", "revoke", api.token)  # the whole token will do
    assert again.returncode == 0
    assert smsq.stack.smsq("token", "revoke", "nosuchtoken0").returncode == 3


def test_the_list_shows_all_but_the_secret(smsq):
    token = smsq.new_token("send_sms", "view_dashboard",
                           options=("--mode", "simulate", "--rate", "5", "--expires-days", "2"))
    key_id = token.split("_")[2]
    assert token.startswith("smsq_simulate_")
    listed = smsq.stack.smsq("token", "list", "--json").stdout
    (row,) = [row for row in map(json.loads, listed.splitlines()) if row["id"] == key_id]
    assert (row["mode"], row["rate_per_minute"], row["state"]) == ("simulate", 5, "active")
    assert row["scopes"] == ["send_sms", "view_dashboard"] and row["expires_at"]
    assert token.split("_")[3] not in listed
    assert key_id in smsq.stack.smsq("token", "list").stdout
    smsq.stack.smsq("token", "revoke", key_id)
    assert key_id not in smsq.stack.smsq("token", "list").stdout
    assert key_id in smsq.stack.smsq("token", "list", "--all").stdout


def test_the_last_use_is_noted_by_the_hour(smsq, api):
    ask(api)
    wait_until(lambda: smsq.db.one(
        "select last_used_at = date_trunc('hour', last_used_at) and last_used_at > now()"
        " - interval '61 min' from api_tokens where key_id = %s", api.token.split("_")[2]),
        15, "its use is noted")


def test_a_mistyped_token_is_refused_without_a_lookup(smsq, api):
    before = metric(smsq.stack.admin_url("producer"),
                    'smsq_requests_denied_total{reason="token"}')
    wrong = Api(api.url, api.token[:-1] + ("0" if api.token[-1] != "0" else "1"))
    answer = ask(wrong)
    assert answer.status == 401 and "mistyped" in answer.json["detail"]
    assert metric(smsq.stack.admin_url("producer"),
                  'smsq_requests_denied_total{reason="token"}') == before + 1


QUESTIONS = 'smsq_db_seconds_count{connection="smsq-producer",statement="tokens"}'


def forged(token, number):
    """A well-formed token that nobody made: another key id, and a right check sum."""
    digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    prefix, mode, _, secret = token.split("_")
    text = f"{prefix}_{mode}_{number:012d}_{secret[:-6]}"
    crc = zlib.crc32(text.encode())
    return text + "".join(digits[crc // 62 ** place % 62] for place in range(5, -1, -1))


def test_a_flood_of_unknown_tokens_costs_few_questions_and_slows_no_good_one(smsq, api):
    admin = smsq.stack.admin_url("producer")
    right = Api(api.url, forged(api.token, 7))
    assert "not known" in ask(right).json["detail"]  # the check sum was right
    before, began = metric(admin, QUESTIONS), time.monotonic()
    good = []

    def flood(worker):
        for number in range(40):
            assert ask(Api(api.url, forged(api.token, 1000 * worker + number))).status == 401

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        floods = [pool.submit(flood, worker) for worker in range(1, 16)]
        while not all(one.done() for one in floods):
            good.append(request(api.url + "/sms/status/x", headers=api.authorization))
        for one in floods:
            one.result()
    took_s = time.monotonic() - began
    asked = metric(admin, QUESTIONS) - before
    assert asked <= 11 * took_s + 5, (asked, took_s)  # and not one for each of 600
    assert {answer.status for answer in good} == {404}
    assert sorted(answer.took_s for answer in good)[len(good) // 2] < 0.05
