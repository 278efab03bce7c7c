"""smsq dlq: dead letters from their burial to their replay and purge."""

import base64
import json
import re
import signal
import subprocess

import pytest

from stack import clean_environment, wait_until
from test_cli import (FAILED, INTERRUPTED, NOT_FOUND, OK, TEMPORARY,  # noqa: F401
                      USAGE, cli, nowhere)
from test_cli_terminal import run_on_terminal

STATUS = "sms.status"


def letters(smsq, *filters):
    done = smsq.stack.smsq("dlq", "list", "--json", "--limit", "1000", *filters)
    assert done.returncode == OK, done.stderr
    return json.loads(done.stdout)["letters"]


@pytest.fixture
def bad(smsq, tmp_path):
    """Buries records on sms.status, each with a key of its own; returns their letters."""
    smsq.db.rows("delete from dead_letters")

    def bury(*values, partition=0):
        begin = smsq.kafka.ends(STATUS)[partition]
        for number, value in enumerate(values):
            (tmp_path / "value").write_bytes(value)
            smsq.kafka.publish(STATUS, partition, f"key {number}", tmp_path / "value")
        wait_until(lambda: smsq.kafka.lag() == 0, 30, "the letters are kept")
        return [letter for letter in reversed(letters(smsq, "--state", "any"))
                if letter["topic"] == STATUS and letter["partition"] == partition
                and letter["offset"] >= begin]
    return bury


def callback(sid, message_id=None):
    record = {"twilio_sid": sid, "status": "sent", "raw": base64.b64encode(bytes(40)).decode(),
              "received_at": "2026-11-21T10:00:00.000Z", "client": 7}
    return json.dumps({**record, **({"message_id": message_id} if message_id else {})}).encode()


def test_letters_are_listed_by_filter_and_shown(smsq, cli, bad):  # noqa: F811
    message_id = "01a1fe2f-5a5b-7c3d-8e9f-0123456789ab"
    first, second, third = bad(b"junk \x1b[2J", callback("SM1", message_id), b"[1, 2]")
    assert first["reason"] == "bad_record" and first["program"] == "smsq-status-consumer"
    assert (second["message_id"], second["client"], second["state"]) == (
        message_id, 7, "waiting")

    def ids(*filters):
        return [letter["letter_id"] for letter in letters(smsq, *filters)]
    everything = [third["letter_id"], second["letter_id"], first["letter_id"]]
    assert ids() == ids("--reason", "bad_record", "--topic", STATUS) == everything
    assert ids("--since", "1h") == ids("--until", "2100-01-01") == everything
    assert ids("--until", "1h") == ids("--since", "2100-01-01T00:00:00Z") == []
    assert ids("--message", message_id) == ids("--client", "7") == [second["letter_id"]]
    assert ids("--state", "replayed") == ids("--reason", "bad_id") == []
    page = json.loads(cli(OK, "dlq", "list", "--limit", "2", "--json"))
    assert [letter["letter_id"] for letter in page["letters"]] == everything[:2]
    assert ids("--before", str(page["next"])) == everything[2:]

    number = str(first["letter_id"])
    shown = cli(OK, "dlq", "show", number)
    assert "junk" not in shown and "bad_record" in shown
    told = json.loads(cli(OK, "dlq", "show", number, "--payload", "--json"))
    assert base64.b64decode(told["value"]) == b"junk \x1b[2J"
    assert base64.b64decode(told["key"]) == b"key 0"
    assert told["is_whole"] is True and told["letter_id"] == first["letter_id"]
    shown = cli(OK, "dlq", "show", number, "--payload")
    assert "junk \\u001b[2J" in shown and "\x1b" not in shown
    cli(NOT_FOUND, "dlq", "show", "999999999")
    assert smsq.db.columns_that_hold("junk \x1b[2J") == []


def test_a_letter_is_replayed_byte_by_byte_and_comes_back_linked(smsq, cli, bad):  # noqa: F811
    first, other = bad(b"not yet JSON", b"another")
    number = str(first["letter_id"])
    ends = smsq.kafka.ends(STATUS)
    told = json.loads(cli(OK, "dlq", "replay", number, "--dry-run", "--json"))
    assert told == {"replayed": 1, "skipped": 0, "dry_run": True}
    assert smsq.kafka.ends(STATUS) == ends

    told = json.loads(cli(OK, "dlq", "replay", number, "--json"))
    assert told == {"replayed": 1, "skipped": 0, "dry_run": False}
    again = [record for record in smsq.kafka.records(STATUS)
             if record.offset >= ends[record.partition] and record.key == b"key 0"]
    assert [(record.key, record.value) for record in again] == [(b"key 0", b"not yet JSON")]
    wait_until(lambda: smsq.kafka.lag() == 0, 30, "it came back")
    (back,) = [letter for letter in letters(smsq) if letter["letter_id"] != other["letter_id"]]
    assert (back["replay_of"], back["replays"]) == (first["letter_id"], 1)
    settled = json.loads(cli(OK, "dlq", "show", number, "--json"))
    assert settled["state"] == "replayed" and "@" in settled["settled_by"]

    assert "--again" in cli(NOT_FOUND, "dlq", "replay", number)
    cli(OK, "dlq", "replay", number, "--again")
    cli(NOT_FOUND, "dlq", "replay", "999999999")


def test_a_replayed_callback_that_can_be_taken_now_is_applied(smsq, api, cli, bad):  # noqa: F811
    """The reason is mended in between: here the table that refused the row."""
    message_id = api.accepted()
    sid = api.wait_for(message_id)["sid"]
    smsq.sim.wait_quiet()
    smsq.db.rows("alter table receipts add constraint no_read check (word <> 'read')"
                 " not valid")
    try:
        query = smsq.callbacks.query_of(message_id)
        assert smsq.callbacks.post(sid, "read", query).status == 204
        (letter,) = wait_until(lambda: letters(smsq, "--message", message_id), 30,
                               "the letter is kept")
        assert letter["reason"] == "refused_by_database"
    finally:
        smsq.db.rows("alter table receipts drop constraint no_read")
    cli(OK, "dlq", "replay", "--message", message_id)
    api.wait_for(message_id, "read")


def test_what_cannot_be_replayed_is_left_out_and_said(smsq, cli, bad, tmp_path):  # noqa: F811
    (tmp_path / "foreign").write_bytes(b"nobody's letter")
    smsq.kafka.publish("sms.dead", 0, "key", tmp_path / "foreign")
    long, good = bad(600000 * b"x", b"junk")
    (foreign,) = letters(smsq, "--reason", "bad_letter")
    told = json.loads(cli(OK, "dlq", "replay", "--all", "--dry-run", "--json"))
    assert told == {"replayed": 1, "skipped": 2, "dry_run": True}
    done = smsq.stack.smsq("dlq", "replay", "--all", "--json")
    assert done.returncode == FAILED
    assert json.loads(done.stdout) == {"replayed": 1, "skipped": 2, "dry_run": False}
    assert f"letter {long['letter_id']} is left out: it was cut" in done.stderr
    assert f"letter {foreign['letter_id']} is left out" in done.stderr
    assert smsq.db.one("select state from dead_letters where letter_id = %s",
                       good["letter_id"]) == "replayed"
    payload = json.loads(cli(OK, "dlq", "show", str(foreign["letter_id"]), "--payload",
                             "--json"))
    assert base64.b64decode(payload["value"]) == b"nobody's letter"


def test_a_replay_without_kafka_or_key_marks_nothing(smsq, cli, bad, nowhere):  # noqa: F811
    (letter,) = bad(b"junk")
    number = str(letter["letter_id"])
    assert "Kafka" in cli(TEMPORARY, "dlq", "replay", number, f"--kafka.brokers={nowhere}")
    other = f"--keys.seal=2:{64 * '1'}"
    assert "key 1" in cli(FAILED, "dlq", "replay", number, other)
    assert "key 1" in cli(FAILED, "dlq", "show", number, "--payload", other)
    assert letters(smsq, "--state", "waiting")


def test_an_interrupted_replay_goes_on_where_it_was(smsq, cli, bad):  # noqa: F811
    letter, = bad(b"junk 0")
    smsq.db.rows(
        "insert into dead_letters (topic, part, off, record_at, buried_at, reason, detail,"
        " is_whole, content_hash, sealed) select topic, part, off, record_at + n * interval"
        " '1 us', buried_at, reason, detail, is_whole, content_hash, sealed"
        "  from dead_letters, generate_series(1, 5000) n where letter_id = %s",
        letter["letter_id"])
    before = sum(smsq.kafka.ends(STATUS))
    replay = subprocess.Popen(
        [f"{smsq.stack.env['SMSQ_BIN']}/smsq", "dlq", "replay", "--all", "--json"],
        env=clean_environment(SMSQ_CONFIG=f"{smsq.stack.run}/smsq.cfg"), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    wait_until(lambda: sum(smsq.kafka.ends(STATUS)) > before + 50, 30, "it replays")
    replay.send_signal(signal.SIGINT)
    out, err = replay.communicate(timeout=30)
    assert replay.returncode == INTERRUPTED and "goes on" in err
    done = json.loads(out)["replayed"]
    assert 0 < done < 5001
    shown = run_on_terminal(f"{smsq.stack.env['SMSQ_BIN']}/smsq", "dlq", "replay", "--until",
                            "0s", "--reason", "bad_record", "--topic", STATUS,
                            SMSQ_CONFIG=f"{smsq.stack.run}/smsq.cfg")
    assert re.search(r"\r\[#+\.*\] replayed \d+/\d+, \d+/s, \d+ s left", shown), shown
    assert done + int(re.search(r"(\d+) letters replayed, 0 left out", shown)[1]) >= 5001
    wait_until(lambda: smsq.kafka.lag() == 0, 180, "what came back is kept")


def test_purge_takes_the_content_and_never_asks_a_script(smsq, cli, bad):  # noqa: F811
    first, second = bad(b"junk one", b"junk two")
    assert "--yes" in cli(USAGE, "dlq", "purge", "--all")
    told = json.loads(cli(OK, "dlq", "purge", "--all", "--dry-run", "--json"))
    assert told == {"purged": 2, "removed": 0, "dry_run": True}
    assert len(letters(smsq)) == 2
    cli(OK, "dlq", "purge", str(first["letter_id"]), "--yes")
    assert [letter["letter_id"] for letter in letters(smsq)] == [second["letter_id"]]
    assert smsq.db.one("select sealed is null from dead_letters where letter_id = %s",
                       first["letter_id"])
    assert "purged" in cli(FAILED, "dlq", "show", str(first["letter_id"]), "--payload")
    smsq.db.rows("update dead_letters set settled_at = now() - interval '91 days'"
                 " where letter_id = %s", first["letter_id"])
    told = json.loads(cli(OK, "dlq", "purge", "--all", "--yes", "--json"))
    assert told == {"purged": 1, "removed": 1, "dry_run": False}
