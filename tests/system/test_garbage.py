"""Records that nobody can take: each goes to sms.dead, and what stands behind it arrives."""

import base64
import json
import time
import uuid

import pytest

from kafka import GROUPS
from stack import wait_until

LANES = {"sms.jobs.urgent": "otp", "sms.jobs.normal": "transactional",
         "sms.jobs.bulk": "marketing"}
JUNK = b"junk " * 60000  # 300 kB
NOT_RECORDS = {
    "not JSON": b"not JSON at all",
    "an array": b"[1, 2, 3]",
    "half an object": b'{"message_id": "01',
    "bytes": bytes(range(256)),
    "junk of 300 kB": JUNK,
}


def without(record, name):
    return {key: value for key, value in record.items() if key != name}


def encode(variants):
    return {what: json.dumps(record).encode() for what, record in variants.items()}


def bad_jobs(record):
    """Variants of a good job, by what is wrong with them, and the reason to expect."""
    sealed = bytearray(base64.b64decode(record["sealed"]))
    foreign_key, changed = bytearray(sealed), bytearray(sealed)
    foreign_key[1] ^= 0xFF
    changed[-1] ^= 1
    bad = encode({
        "no sealed content": without(record, "sealed"),
        "a turn that is a text": {**record, "turn": "one"},
        "turn 0": {**record, "turn": 0},
        "an id that is none": {**record, "message_id": "17"},
        "an unknown class": {**record, "class": "vip"},
        "a client that is a list": {**record, "client": [record["client"]]},
    })
    sealed_wrong = encode({
        "sealed for another message": {**record, "message_id": new_id()},
        "sealed for another client": {**record, "client": record["client"] + 1},
        "sealed under an unknown key": {
            **record, "sealed": base64.b64encode(foreign_key).decode()},
        "sealed, then changed": {**record, "sealed": base64.b64encode(changed).decode()},
    })
    return {**{what: (value, "bad_record") for what, value in {**NOT_RECORDS, **bad}.items()},
            **{what: (value, "cannot_open") for what, value in sealed_wrong.items()}}


def bad_statuses(record):
    bad = encode({
        "no SID": without(record, "twilio_sid"),
        "a SID that is too short": {**record, "twilio_sid": "SM1"},
        "no form": without(record, "raw"),
        "a form that is no base64": {**record, "raw": "***"},
        "a turn that is a text": {**record, "turn": "one"},
        "an id that is none": {**record, "message_id": "17"},
        "a time that is none": {**record, "received_at": "yesterday"},
    })
    return {what: (value, "bad_record") for what, value in {**NOT_RECORDS, **bad}.items()}


def new_id():
    """An id of this moment with another end."""
    value = uuid.uuid4().int & (1 << 80) - 1 | int(time.time() * 1000) << 80
    return str(uuid.UUID(int=value & ~(0xF << 76) | 7 << 76))


def record_of(system, topic, message_id):
    return next(record.json for record in system.kafka.records(topic)
                if message_id.encode() in (record.value or b""))


def publish(system, folder, topic, values):
    """Puts each value, an empty one and a tombstone into every partition; returns what
    was put."""
    files = []
    for number, value in enumerate(values):
        files.append(folder / f"{topic}-{number}")
        files[-1].write_bytes(value)
    begins = system.kafka.ends(topic)
    for partition in range(len(begins)):
        system.kafka.publish(topic, partition, "wrong key", *files)
        for is_null in (False, True):
            system.kafka.publish_empty(topic, partition, "wrong key", is_null)
    return {(record.partition, record.offset): record
            for record in system.kafka.records(topic)
            if record.offset >= begins[record.partition] and record.key == b"wrong key"}


def letters_of(system, topic):
    """The dead letters about a topic by where their record stood."""
    letters = [record.json for record in system.kafka.records("sms.dead")
               if record.value.startswith(b"{")]  # another test puts what is no letter there
    return {(letter["partition"], letter["offset"]): letter
            for letter in letters if letter["topic"] == topic}


def assert_buried(system, topic, put, reasons):
    """Each record that was put has its letter: why, from where, and with what in it."""
    wait_until(lambda: system.kafka.lag() == 0, 30, "every partition has moved on")
    letters = letters_of(system, topic)
    kept = {(part, off): reason for part, off, reason in system.db.rows(
        "select part, off, reason from dead_letters where topic = %s", topic)}
    for place, record in put.items():
        letter = letters[place]
        assert letter["reason"] == reasons.get(record.value, "bad_record"), letter["detail"]
        assert letter["detail"]
        assert kept[place] == letter["reason"]
        assert base64.b64decode(letter.get("key", "")) == b"wrong key"
        assert base64.b64decode(letter.get("value", "")) == (record.value or b"")


@pytest.mark.parametrize("topic", LANES)
def test_bad_jobs_go_to_sms_dead_and_the_lane_moves_on(smsq, api, tmp_path, topic):
    first = api.accepted(**{"class": LANES[topic]})
    api.wait_for(first)
    bad = bad_jobs(record_of(smsq, topic, first))
    before = smsq.db.checksums()["messages"]

    put = publish(smsq, tmp_path, topic, [value for value, _ in bad.values()])
    assert len(put) == (len(bad) + 2) * len(smsq.kafka.ends(topic))
    assert_buried(smsq, topic, put, dict(bad.values()))
    assert smsq.db.checksums()["messages"] == before
    assert smsq.sim.ledger()["creates"] == 1

    behind = [api.accepted(**{"class": LANES[topic]}) for _ in range(30)]
    for message_id in behind:
        api.wait_for(message_id)
    assert set(smsq.sim.by_message_id()) == {first, *behind}


def test_bad_statuses_go_to_sms_dead_and_the_topic_moves_on(smsq, api, tmp_path):
    api.wait_for(first := api.accepted())
    smsq.sim.wait_quiet()
    bad = bad_statuses(record_of(smsq, "sms.status", first))
    before = smsq.db.checksums()

    put = publish(smsq, tmp_path, "sms.status", [value for value, _ in bad.values()])
    assert len(put) == (len(bad) + 2) * len(smsq.kafka.ends("sms.status"))
    assert_buried(smsq, "sms.status", put, dict(bad.values()))
    assert smsq.db.checksums() == before

    for message_id in [api.accepted() for _ in range(30)]:
        api.wait_for(message_id)


def test_a_status_that_says_it_is_decades_old_goes_to_sms_dead(smsq, api):
    """There is no month for it in receipts, and there will be none."""
    api.wait_for(message_id := api.accepted())
    smsq.sim.wait_quiet()
    value = json.dumps(record_of(smsq, "sms.status", message_id)).encode()
    before, ends = smsq.db.checksums(), smsq.kafka.ends("sms.status")
    for partition in range(len(ends)):
        smsq.kafka.publish_at("sms.status", partition, value, at_ms=1)
    wait_until(lambda: smsq.kafka.lag() == 0, 30, "every partition has moved on")
    letters = letters_of(smsq, "sms.status")
    for place in enumerate(ends):
        assert base64.b64decode(letters[place]["value"]) == value
    assert smsq.db.checksums() == before


def test_a_turn_above_one_of_an_unknown_message_goes_to_sms_dead(smsq, api, tmp_path):
    api.wait_for(message_id := api.accepted())
    smsq.sim.wait_quiet()
    wait_until(lambda: smsq.kafka.lag() == 0, 30, "every record is done")
    record = record_of(smsq, "sms.jobs.normal", message_id)
    value = json.dumps({**record, "turn": 2}).encode()
    (tmp_path / "job").write_bytes(value)
    place = (0, smsq.kafka.ends("sms.jobs.normal")[0])
    with smsq.db.without_message(message_id):
        smsq.kafka.publish("sms.jobs.normal", 0, "wrong key", tmp_path / "job")
        wait_until(lambda: smsq.kafka.lag() == 0, 30, "the partition has moved on")
        assert not smsq.db.rows("select 1 from messages where message_id = %s", message_id)
    letter = letters_of(smsq, "sms.jobs.normal")[place]
    assert letter["reason"] == "no_row"
    assert json.loads(base64.b64decode(letter["value"]))["message_id"] == message_id
    assert smsq.sim.ledger()["creates"] == 1


def test_a_job_of_an_old_turn_or_another_key_is_a_repeat_and_is_not_sent(
        smsq, api, tmp_path):
    api.wait_for(message_id := api.accepted())
    smsq.sim.wait_quiet()
    before = smsq.db.checksums()
    job = tmp_path / "job"
    job.write_text(json.dumps(record_of(smsq, "sms.jobs.normal", message_id)))
    for partition in range(len(smsq.kafka.ends("sms.jobs.normal"))):
        smsq.kafka.publish("sms.jobs.normal", partition, "another key", job, job)
    wait_until(lambda: smsq.kafka.lag() == 0, 30, "the repeats are done")
    assert smsq.db.checksums() == before
    assert smsq.sim.ledger()["creates"] == 1


def test_nothing_reads_a_topic_that_is_not_listed_here(smsq):
    """rewind() and lag() know every group that smsq has."""
    topics = set(smsq.kafka.topics()) - {"__consumer_offsets"}
    assert set(GROUPS.values()) <= topics
    assert topics - set(GROUPS.values()) == {"sms.inbound", "sms.requests"}
