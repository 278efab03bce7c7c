"""Kafka, PostgreSQL and Twilio away for a while: nothing lost, nothing sent twice."""

import http.server
import json
import signal
import threading
import typing

import pytest

from api import Answer, Load, fresh_number
from stack import wait_until

ACK_TIMEOUT_S = 5  # of the producer: after it a request gets its 503
QUICK_S = 1.5


def assert_all_delivered(system, ids, within=60):
    """Every id is delivered, and Twilio was asked for each exactly once."""
    wait_until(lambda: system.db.one(
        "select count(*) from messages where message_id = any(%s::uuid[])"
        " and status = 'delivered'", list(ids)) == len(ids), within,
        f"all {len(ids)} are delivered")
    posted = system.sim.by_message_id()
    assert ids <= set(posted)
    return posted


def assert_costs_are_the_bill(system, posted):
    system.sim.wait_quiet()
    assert system.db.one(
        "select sum(amount_micros) from cost_entries where message_id = any(%s::uuid[])",
        list(posted)) == system.sim.ledger()["billed_micros"]


class KafkaOutage(typing.NamedTuple):
    load: Load
    first_refused: Answer
    refused_later: Answer
    callback_away: Answer
    callback_back: Answer
    ready_away: int
    posted: dict


@pytest.fixture(scope="module")
def kafka_outage(system):
    """Kafka is stopped while clients send, and started again. Twilio's own callbacks come
    afterwards: it gives one up after 15 s, and an outage may last longer."""
    system.restore()
    system.sim.reset()
    api = system.new_api()
    message_id = api.accepted()
    sid = api.wait_for(message_id)["sid"]
    query = system.callbacks.query_of(message_id)
    system.sim.switch(sent_delay="1h", delivered_delay="1h")
    with Load(api) as load:
        load.wait_for(202, 50, 20)
        system.stack.kill("kafka", signal.SIGTERM)
        load.wait_for(503, 20, 30)
        refused_later = api.send()
        callback_away = system.callbacks.post(sid, "sent", query)
        ready_away = api.ready()
        system.stack.up()
        load.wait_for(202, 50, 60, since=len(load.answers))
    callback_back = system.callbacks.post(sid, "sent", query)
    system.sim.reset_switches()
    posted = assert_all_delivered(system, load.accepted)
    return KafkaOutage(load, load.refused()[0], refused_later, callback_away, callback_back,
                       ready_away, posted)


def test_without_kafka_a_send_is_503_with_retry_after(kafka_outage):
    refused = kafka_outage.load.refused()
    assert {answer.status for answer in refused} == {503}
    for answer in refused:
        assert int(answer.headers["retry-after"]) >= 1
        assert answer.headers["content-type"].startswith("application/problem+json")


def test_without_kafka_the_answer_comes_soon_and_then_at_once(kafka_outage):
    for answer in kafka_outage.load.refused():
        assert answer.took_s < ACK_TIMEOUT_S + QUICK_S
    assert kafka_outage.refused_later.status == 503
    assert kafka_outage.refused_later.took_s < QUICK_S


def test_what_was_accepted_around_an_outage_of_kafka_is_delivered_once(kafka_outage):
    assert len(kafka_outage.load.accepted) >= 100
    assert kafka_outage.load.accepted <= set(kafka_outage.posted)


def test_without_kafka_the_producer_is_not_ready(kafka_outage):
    assert kafka_outage.ready_away == 503


def test_without_kafka_a_callback_is_503_with_retry_after_and_later_taken(kafka_outage):
    assert kafka_outage.callback_away.status == 503
    assert int(kafka_outage.callback_away.headers["retry-after"]) >= 1
    assert kafka_outage.callback_back.status == 204


def test_postgresql_killed_under_load_loses_nothing_and_doubles_nothing(smsq, api):
    smsq.sim.switch(answer_delay="20ms")
    with Load(api, threads=6, rest_s=0.005) as load:
        load.wait_for(202, 300, 20)
        smsq.stack.kill("postgres")
        load.wait_for(202, 50, 20, since=len(load.answers))  # the token is remembered
        smsq.stack.up()
        load.wait_for(202, 100, 60, since=len(load.answers))
    posted = assert_all_delivered(smsq, load.accepted)
    assert set(posted) == load.accepted
    assert {answer.status for answer in load.refused()} <= {500, 503}
    assert_costs_are_the_bill(smsq, posted)


def test_without_postgresql_a_status_is_503_and_a_send_goes_on(smsq, api):
    message_id = api.accepted()
    api.wait_for(message_id)
    smsq.stack.kill("postgres")
    wait_until(lambda: (answer := api.status(message_id)).status == 503
               and answer.headers["retry-after"], 10, "the status is 503")
    later = api.accepted()
    smsq.stack.up()
    wait_until(lambda: api.status(message_id).status == 200, 10, "the status is known again")
    assert api.wait_for(later)["status"] == "delivered"


def assert_resent(smsq, ids, attempts):
    """Delivered without a failure counted; attempts per message. Some took another turn; the
    breaker kept others in their lane."""
    found = smsq.db.rows(
        "select m.tries, (select count(*) from attempts a"
        "  where a.message_id = m.message_id), m.error_code, m.turn"
        "  from messages m where m.message_id = any(%s::uuid[])", list(ids))
    assert {row[:3] for row in found} == {(0, attempts, None)} and len(found) == len(ids)
    assert any(row[3] > 1 for row in found)


def test_what_never_left_us_waits_and_goes_out_once_twilio_is_back(smsq, api):
    smsq.stack.kill("simulator")
    ids = {api.accepted(**{"class": name}) for name in ("otp", "transactional", "marketing")
           for _ in range(10)}
    wait_until(lambda: smsq.db.one(
        "select count(*) from messages m join delayed d using (message_id)"
        " where m.message_id = any(%s::uuid[]) and m.turn > 1 and m.status = 'waiting'"
        " and m.reason = 'not_sent' and d.kind = 'retry'", list(ids)) > 0, 10, "some wait")
    shown = {api.status(message_id).json["status"] for message_id in ids}
    assert shown <= {"accepted", "queued", "held"}
    assert not smsq.db.rows("select 1 from attempts where message_id = any(%s::uuid[])",
                            list(ids))
    smsq.stack.up()
    posted = assert_all_delivered(smsq, ids)
    assert set(posted) == ids
    assert_resent(smsq, ids, 1)
    assert_costs_are_the_bill(smsq, posted)
    wait_until(lambda: smsq.db.one("select count(*) from delayed where message_id = any(%s::uuid[])",
                                   list(ids)) == 0, 10, "nothing waits")


class Busy(http.server.BaseHTTPRequestHandler):
    """A Twilio that does nothing but say that it is too busy."""

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        body = json.dumps({"code": 20429, "message": "Too Many Requests", "status": 429,
                           "more_info": "https://www.twilio.com/docs/errors/20429"}).encode()
        self.send_response(429)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Retry-After", "1")
        self.end_headers()
        self.wfile.write(body)
        self.server.seen += 1

    def log_message(self, *_):
        pass


def test_429_is_tried_again_after_the_time_that_twilio_asks_for(smsq, api):
    smsq.stack.kill("simulator")
    port = int(smsq.sim.url.rpartition(":")[2])
    with http.server.ThreadingHTTPServer(("127.0.0.1", port), Busy) as busy:
        busy.seen, busy.daemon_threads = 0, True
        threading.Thread(target=busy.serve_forever, daemon=True).start()
        ids = {api.accepted() for _ in range(10)}
        wait_until(lambda: busy.seen >= len(ids), 15, "all were refused for now")
        busy.shutdown()
    wait_until(lambda: smsq.db.one(
        "select count(*) from attempts where message_id = any(%s::uuid[])"
        " and outcome = 'not_processed' and http_status = 429", list(ids)) >= len(ids), 10,
        "the refusals are recorded")
    smsq.stack.up()
    posted = assert_all_delivered(smsq, ids)
    assert set(posted) == ids
    assert smsq.db.one("select bool_and(turn > 1 and error_code is null) from messages"
                       " where message_id = any(%s::uuid[])", list(ids))
    assert_costs_are_the_bill(smsq, posted)


@pytest.mark.parametrize(("fields", "code"), [
    ({"to": "+15005550001"}, 21211),
    ({"to": "+15005550003"}, 21408),
    ({"to": "+15005550004"}, 21610),
    ({"to": "+15005550009"}, 21614),
    ({"from": "+15005550001"}, 21212),
    ({"from": "+15005550007"}, 21606),
])
def test_what_twilio_refuses_fails_with_its_code_and_costs_nothing(smsq, api, fields, code):
    message_id = api.accepted(**{"to": fresh_number(), **fields})
    told = api.wait_for(message_id, "failed")
    assert (told["error_code"], told["sid"], told["sent_at"]) == (code, None, None)
    assert smsq.db.rows("select outcome, http_status, error_code, status from attempts"
                        " where message_id = %s", message_id) == [
                            ("rejected", 400, code, "failed")]
    assert not smsq.db.rows("select 1 from cost_entries where message_id = %s", message_id)
    assert (smsq.sim.ledger()["creates"], smsq.sim.ledger()["refused"]) == (0, 1)
