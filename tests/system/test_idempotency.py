"""Idempotency-Key: however often a request is repeated, one message goes out."""

import contextlib
import json
import signal
import threading
import uuid

import pytest

from api import Api, fresh_number
from stack import read_log, wait_until
from test_openapi import answer_is_documented

LEASE_S = 10  # IDEMPOTENCY_LEASE_US of the producer
LINGER = "--kafka.properties=linger.ms=1500"  # a record waits in the producer meanwhile
KEY = "Idempotency-Key"


class Producer:
    """One more producer, that a test may kill."""

    def __init__(self, smsq, folder, *flags):
        self._log = folder / f"producer-{uuid.uuid4().hex}.log"
        with self._log.open("w") as log:
            self.process = smsq.stack.program(
                "smsq-producer", "--producer.port=0", "--producer.admin_port=0", *flags,
                output=log)
        self.url = f"http://127.0.0.1:{wait_until(self._port, 10, 'it has started')}"

    def _port(self):
        return next((line["port"] for line in read_log(self._log)
                     if line["event"] == "producer_started"), None)

    def end(self, number=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(30)


@pytest.fixture
def start(smsq, tmp_path):
    """Starts producers; the test may end them before."""
    producers = []

    def start_one(*flags, ready=200):
        one = Producer(smsq, tmp_path, *flags)
        producers.append(one)
        wait_until(lambda: Api(one.url, None).ready() == ready, 10, f"it says {ready}")
        return one

    yield start_one
    for producer in producers:
        producer.end()


def text(**fields):
    return json.dumps({"to": fresh_number(), "body": "hello", **fields})


def keyed(api, key, body):
    answer = api.post(body, **{KEY: key})
    answer_is_documented(answer, "/sms/send", "post")
    return answer


def row_of(smsq, api, count=1):
    """The client's one row: message id and whether it is published; None without."""
    rows = smsq.db.rows(
        "select message_id::text, published_at is not null from idempotency_keys"
        " where client = (select client_id from api_tokens where token_id ="
        "   (select max(token_id) from api_tokens)) order by created_at")
    return rows[0] if len(rows) == count else None


def assert_sent_once(smsq, api, ids):
    for message_id in ids:
        api.wait_for(message_id)
    smsq.sim.wait_quiet()
    assert set(smsq.sim.by_message_id()) == set(ids)
    assert smsq.sim.ledger()["repeated_to_body"] == 0


def test_a_repeat_gets_the_answer_of_the_first_and_sends_nothing(smsq, api):
    key, body = str(uuid.uuid4()), text()
    first = keyed(api, key, body)
    assert first.status == 202 and "idempotency-replayed" not in first.headers
    field = json.dumps({**json.loads(body), "idempotency_key": key, "class": None})
    for again in (keyed(api, key, body), keyed(api, f'"{key}"', body), api.post(field),
                  keyed(api, key, field)):
        assert (again.status, again.body) == (202, first.body)
        assert again.headers["idempotency-replayed"] == "true"
        assert again.headers["location"] == first.headers["location"]
    assert_sent_once(smsq, api, [first.json["id"]])
    assert keyed(api, key, body).body == first.body  # the answer stays as it was


def test_another_request_with_the_key_is_422_and_another_client_is_free(smsq, api):
    key, body = "order-17", text()
    first = keyed(api, key, body)
    other = keyed(api, key, text())
    assert (other.status, other.json["code"]) == (422, "idempotency_key_reused")
    theirs = keyed(smsq.new_api(), key, body)
    assert theirs.status == 202 and theirs.json["id"] != first.json["id"]


@pytest.mark.parametrize(("header", "field", "status", "code"), [
    ("", None, 400, "invalid_idempotency_key"),
    ("two words", None, 400, "invalid_idempotency_key"),
    ('"open', None, 400, "invalid_idempotency_key"),
    (256 * "k", None, 400, "invalid_idempotency_key"),
    ("one", "another", 400, "invalid_idempotency_key"),
    (None, "", 422, "wrong_value"),
    (None, "two words", 422, "wrong_value"),
    (None, 256 * "k", 422, "wrong_value"),
    (None, 17, 422, "wrong_type"),
])
def test_what_is_no_key_is_refused(smsq, api, header, field, status, code):
    answer = api.post(text(idempotency_key=field), **({} if header is None else {KEY: header}))
    answer_is_documented(answer, "/sms/send", "post")
    assert (answer.status, answer.json["code"]) == (status, code)
    assert answer.json["field"].lower().replace("-", "_") == "idempotency_key"


def test_a_request_that_is_refused_uses_up_no_key(smsq, api):
    assert keyed(api, "k", text(to="12")).status == 422
    assert keyed(api, "k", text()).status == 202


def test_a_key_is_kept_as_a_hash_only(smsq, api):
    key = f"secret-{uuid.uuid4()}"
    assert keyed(api, key, text()).status == 202
    assert not smsq.db.columns_that_hold(key)


def test_200_clients_with_one_key_at_two_producers_make_one_message(smsq, api, start):
    other = Api(start().url, api.token)
    message = json.loads(text(idempotency_key=str(uuid.uuid4())))
    answers = []

    def hammer(one):
        answers.extend(one.send_many([message] * 300, connections=100))

    threads = [threading.Thread(target=hammer, args=(one,)) for one in (api, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 600 and {answer.status for answer in answers} <= {202, 409}
    accepted = [answer for answer in answers if answer.status == 202]
    assert len({answer.json["id"] for answer in accepted}) == 1
    first = [answer for answer in accepted if "idempotency-replayed" not in answer.headers]
    assert len(first) == 1
    for answer in answers:
        assert answer.status == 202 or int(answer.headers["retry-after"]) >= 1
    again = other.post(json.dumps(message))
    assert (again.status, again.json["id"]) == (202, first[0].json["id"])
    assert_sent_once(smsq, api, [first[0].json["id"]])


@contextlib.contextmanager
def in_background(call):
    """Runs call() in a thread; its failure is of no interest."""
    def run():
        with contextlib.suppress(OSError):
            call()

    thread = threading.Thread(target=run)
    thread.start()
    yield
    thread.join()


def kill_before_publish(smsq, producer, api, key, body):
    """The key has its row, and the record lingers in the producer."""
    dying = Api(producer.url, api.token)
    with in_background(lambda: dying.post(body, **{KEY: key})):
        message_id, published = wait_until(lambda: row_of(smsq, api), 10, "it has a row")
        assert not published and producer.process.poll() is None
        producer.end(signal.SIGKILL)
    return message_id


def kill_before_mark(smsq, producer, api, key, body):
    """Kafka has the record; the row does not know it yet."""
    dying = Api(producer.url, api.token)
    answers = []
    with in_background(lambda: answers.append(dying.post(body, **{KEY: key}))):
        wait_until(lambda: row_of(smsq, api, 2), 10, "it has a row")
        with smsq.db.locked("idempotency_keys"):
            wait_until(lambda: answers, 10, "it is accepted")
            producer.end(signal.SIGKILL)
    assert answers[0].status == 202
    return answers[0].json["id"]


def test_a_producer_killed_on_the_way_loses_nothing_and_doubles_nothing(smsq, api, start):
    bodies = {"early": text(), "late": text()}
    ids = {"early": kill_before_publish(smsq, start(LINGER), api, "early", bodies["early"]),
           "late": kill_before_mark(smsq, start(LINGER), api, "late", bodies["late"])}
    api.wait_for(ids["late"])
    assert api.status(ids["early"]).json["status"] == "accepted"  # nobody has seen it
    for key, body in bodies.items():
        refused = keyed(api, key, body)
        assert (refused.status, refused.json["code"]) == (409, "idempotency_key_in_flight")
        assert keyed(api, key, text()).status == 422
    records = len(smsq.kafka.records("sms.jobs.normal"))
    for key, body in bodies.items():
        taken = wait_until(
            lambda: answer if (answer := keyed(api, key, body)).status != 409 else None,
            LEASE_S + 10, "the claim of the dead has lapsed")
        assert (taken.status, taken.json["id"]) == (202, ids[key])
        assert "idempotency-replayed" not in taken.headers
        assert keyed(api, key, body).headers["idempotency-replayed"] == "true"
    assert len(smsq.kafka.records("sms.jobs.normal")) == records + 2
    wait_until(lambda: smsq.kafka.lag() == 0, 30, "every record is done")
    assert_sent_once(smsq, api, ids.values())


def test_what_kafka_did_not_take_is_published_by_the_next_repeat_with_the_same_id(
        smsq, api, start):
    nowhere = Api(start("--kafka.brokers=127.0.0.1:9", ready=503).url, api.token)
    body = text()
    refused = wait_until(
        lambda: answer if (answer := keyed(nowhere, "k", body)).json["code"] ==
        "queue_unavailable" else None, 10, "it has found PostgreSQL, and no Kafka")
    assert refused.status == 503
    message_id, _ = wait_until(lambda: row_of(smsq, api), 10, "it has a row")
    again = wait_until(
        lambda: answer if (answer := keyed(api, "k", body)).status != 409 else None, 2,
        "the claim was given back")
    assert (again.status, again.json["id"]) == (202, message_id)
    assert keyed(nowhere, "k", body).headers["idempotency-replayed"] == "true"
    assert_sent_once(smsq, api, [message_id])


def test_without_postgresql_keys_are_503_and_other_requests_go_on(smsq, api):
    body, other = text(), text()
    first = keyed(api, "before", body)
    smsq.stack.kill("postgres")
    refused = wait_until(
        lambda: answer if (answer := keyed(api, "during", other)).status == 503 else None, 10,
        "a key is 503")
    assert refused.json["code"] == "database_away" and int(refused.headers["retry-after"]) >= 1
    assert keyed(api, "before", body).status == 503
    free = api.accepted()
    smsq.stack.up()
    wait_until(lambda: api.ready() == 200, 20, "the producer is ready")
    # The crash may have cost the note that the first one was published: its claim lapses then.
    again = wait_until(
        lambda: answer if (answer := keyed(api, "before", body)).status == 202 else None, 15,
        "the key answers again")
    assert again.json == first.json
    second = keyed(api, "during", other)
    assert second.status == 202
    assert_sent_once(smsq, api, [first.json["id"], free, second.json["id"]])


def test_who_was_told_503_while_postgresql_was_silent_is_not_sent_later(smsq, api):
    body = text()
    sent = api.accepted()  # the token is remembered
    with smsq.db.locked("idempotency_keys"):
        refused = keyed(api, "k", body)
    assert (refused.status, refused.json["code"]) == (503, "database_away")
    message_id, published = wait_until(lambda: row_of(smsq, api), 20, "it has a row")
    again = wait_until(
        lambda: answer if (answer := keyed(api, "k", body)).status == 202 else None, 5,
        "the claim was given back")
    assert not published and again.json["id"] == message_id
    assert "idempotency-replayed" not in again.headers
    assert_sent_once(smsq, api, [sent, message_id])
