"""Ten thousand messages through all programs, compared one by one; then all again."""

import collections
import typing

import pytest

from api import Answer, Api
from stack import metric, wait_until

COUNT = 10000
SERVICE_SID = "MG" + 32 * "7"
WORKERS = ("worker-1", "worker-2")


class Crowd(typing.NamedTuple):
    api: Api
    answers: list[Answer]
    posted: dict  # the simulator's rows by message id
    bill: dict
    won: dict  # per worker: the ids that it claimed


def message(number):
    """All classes, kinds of sender, countries and lengths that cost differently."""
    one = {"to": f"+1415{2000000 + number}", "body": f"number {number}",
           "reference": f"row {number}"}
    if number % 10 == 1:
        one["class"] = "otp"
    elif number % 10 == 2:
        one["class"] = "marketing"
    if number % 10 == 3:
        one["from"] = SERVICE_SID
    elif number % 10 == 4:
        one["from"] = "ACME"
        one["to"] = f"+4179{1000000 + number}"
    if number % 20 == 5:
        one["body"] += 160 * "x"
    return one


def claims_since(stack, name, size):
    with stack.log_path(name).open() as log:
        log.seek(size)
        return [line.split('"message_id":"')[1][:36] for line in log
                if '"job_claimed"' in line]


@pytest.fixture(scope="module")
def crowd(system):
    system.restore()
    system.sim.reset()
    api, stack = system.new_api(), system.stack
    sizes = {name: stack.log_path(name).stat().st_size for name in WORKERS}
    answers = api.send_many(message(number) for number in range(COUNT))
    client = system.db.one("select max(client_id) from clients")
    wait_until(lambda: system.db.one(
        "select count(*) from messages where client = %s and status = 'delivered'",
        client) == COUNT, 60, f"{COUNT} messages are delivered")
    system.sim.wait_quiet()
    wait_until(lambda: system.kafka.lag() == 0, 30, "every record is done")
    return Crowd(api, answers, system.sim.by_message_id(), system.sim.ledger(),
                 {name: claims_since(stack, name, sizes[name]) for name in WORKERS})


def ids(crowd):
    return {answer.json["id"] for answer in crowd.answers}


def rows_of(system, crowd, sql):
    """Rows whose first column is one of the crowd's ids, which they are put under."""
    found = collections.defaultdict(list)
    for message_id, *rest in system.db.rows(sql, list(ids(crowd))):
        found[message_id].append(tuple(rest))
    return found


def test_each_message_is_accepted_under_an_id_of_its_own(crowd):
    assert {answer.status for answer in crowd.answers} == {202}
    assert len(ids(crowd)) == COUNT


def test_twilio_got_every_message_once_with_its_own_content(crowd):
    bill = crowd.bill
    assert (bill["creates"], bill["distinct_message_ids"]) == (COUNT, COUNT)
    assert (bill["repeated_message_ids"], bill["repeated_to_body"]) == (0, 0)
    assert (bill["refused"], bill["callbacks_failed"]) == (0, 0)
    for number, answer in enumerate(crowd.answers):
        row, sent = crowd.posted[answer.json["id"]], message(number)
        assert (row["to"], row["body"]) == (sent["to"], sent["body"])


def test_every_message_and_attempt_says_what_twilio_says(system, crowd):
    messages = rows_of(system, crowd, """
        select message_id::text, status, turn, tries, twilio_sid, segments, claimed_epoch,
               reference from messages where message_id = any(%s::uuid[])""")
    attempts = rows_of(system, crowd, """
        select message_id::text, turn, status, twilio_sid, outcome, http_status
          from attempts where message_id = any(%s::uuid[])""")
    assert len(messages) == len(attempts) == COUNT
    for number, answer in enumerate(crowd.answers):
        row = crowd.posted[answer.json["id"]]
        assert messages[answer.json["id"]] == [
            ("delivered", 1, 0, row["sid"], row["segments"], None, f"row {number}")]
        assert attempts[answer.json["id"]] == [
            (1, "delivered", row["sid"], "accepted", 201)]


def test_every_callback_is_one_receipt(system, crowd):
    receipts = rows_of(system, crowd, """
        select message_id::text, word, twilio_sid from receipts
         where message_id = any(%s::uuid[]) order by word""")
    assert sum(map(len, receipts.values())) == crowd.bill["callbacks_sent"]
    for message_id, row in crowd.posted.items():
        words = ["delivered", "queued", "sent"] if row["messaging_service_sid"] else [
            "delivered", "sent"]
        assert receipts[message_id] == [(word, row["sid"]) for word in words]
    assert system.db.one(
        "select count(*) from receipts_unmatched where twilio_sid = any(%s)",
        [row["sid"] for row in crowd.posted.values()]) == 0


def test_the_ledger_is_the_bill_entry_by_entry(system, crowd):
    entries = rows_of(system, crowd, """
        select message_id::text, amount_micros, kind, twilio_sid, currency
          from cost_entries where message_id = any(%s::uuid[])""")
    for message_id, row in crowd.posted.items():
        assert entries[message_id] == [
            (row["price_micros"], "estimate", row["sid"], crowd.bill["currency"])]
    total = sum(entry[0] for found in entries.values() for entry in found)
    assert total == crowd.bill["billed_micros"] > 0
    assert len({row["price_micros"] for row in crowd.posted.values()}) > 2


def test_two_workers_share_the_work_and_claim_nothing_twice(crowd):
    claimed = [message_id for name in WORKERS for message_id in crowd.won[name]]
    assert min(len(crowd.won[name]) for name in WORKERS) > COUNT / 20
    assert len(claimed) == len(set(claimed))
    assert set(claimed) == ids(crowd)


def test_no_batch_of_claims_is_left_of_which_nothing_is_held(smsq):
    done = ("select count(*) from claim_batches b where not exists (select from messages_held h"
            " where h.claimed_epoch = b.epoch and h.message_id = any (b.message_ids))")
    wait_until(lambda: smsq.db.one(done) == 0, 90,
               "the batches are deleted, by their worker or after a minute")


def repeats(stack):
    """What the programs were given a second time."""
    jobs = sum(metric(stack.admin_url(name), 'smsq_claims_total{result="repeated"}')
               for name in WORKERS)
    return jobs, metric(stack.admin_url("status-consumer"), "smsq_receipts_total")


def test_a_second_delivery_of_every_record_changes_no_row_and_sends_nothing(smsq, crowd):
    stack = smsq.stack
    wait_until(lambda: smsq.kafka.lag() == 0, 30, "every record is done")
    wait_until(lambda: smsq.sim.ledger()["callbacks_pending"] == 0, 30, "every callback is out")
    for name in (*WORKERS, "status-consumer"):
        stack.kill(name, 15)
    before = smsq.db.checksums()
    smsq.kafka.rewind()
    again = smsq.kafka.lag()
    assert again >= COUNT + crowd.bill["callbacks_sent"]

    stack.up()
    wait_until(lambda: smsq.kafka.lag() == 0, 60, "every record is done once more")
    jobs_again, receipts_again = repeats(stack)
    assert jobs_again >= COUNT
    assert receipts_again >= crowd.bill["callbacks_sent"]
    assert smsq.db.checksums() == before
    assert smsq.sim.ledger()["creates"] == 0
