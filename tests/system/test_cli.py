"""smsq, the command line, and its exit codes, which scripts rely on."""

import json
import re
import socket
import uuid

import pytest

from api import fresh_number
from stack import TREE, wait_until

OK, FAILED, USAGE, NOT_FOUND, REFUSED, TEMPORARY = 0, 1, 2, 3, 4, 5
SETTINGS, INTERRUPTED = 78, 130


@pytest.fixture
def cli(smsq):
    """Runs a command and checks its exit code; returns what it wrote."""
    def run(code, *arguments, **settings):
        done = smsq.stack.smsq(*arguments, **settings)
        assert done.returncode == code, (done.args, done.stdout, done.stderr)
        return done.stdout if code == OK else done.stderr
    return run


@pytest.fixture
def nowhere():
    """An address where nobody listens."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{unused.getsockname()[1]}"


def pairs(text):
    """Lines "name  value" as a dictionary."""
    return dict(line.split(maxsplit=1) for line in text.splitlines() if len(line.split()) > 1)


def test_send_and_status_follow_a_message(smsq, cli, api):
    to = fresh_number()
    sent = pairs(cli(OK, "send", to, "--message", "hello", "--reference", "order 7",
                     "--class", "otp", "--expires-in", "300", token=api.token))
    assert sent["to"] == to
    api.wait_for(sent["id"])
    shown = cli(OK, "status", sent["id"], token=api.token)
    assert pairs(shown)["status"] == "delivered"
    assert pairs(shown)["reference"] == "order 7"
    told = json.loads(cli(OK, "status", pairs(shown)["sid"], "--json", token=api.token))
    assert (told["id"], told["to"], told["class"]) == (sent["id"], to, "otp")


def test_send_reads_national_numbers_and_prints_json(cli):
    told = json.loads(cli(OK, "send", "079 123 45 67", "--message", "Grüezi", "--region",
                          "CH", "--from", "ACME", "--json"))
    assert (told["to"], told["status"]) == ("+41791234567", "queued")


def test_send_is_repeated_with_a_key_and_waits_for_the_sid(cli, api):
    send = ("send", fresh_number(), "--message", "hello", "--idempotency-key", "order-7")
    first = pairs(cli(OK, *send, token=api.token))
    again = pairs(cli(OK, *send, "--wait=20", token=api.token))
    assert again["id"] == first["id"] and again["sid"].startswith("SM")
    other = ("send", fresh_number(), *send[2:])
    assert "Idempotency-Key" in cli(REFUSED, *other, token=api.token)


@pytest.mark.parametrize("arguments", [
    (),
    ("fly",),
    ("send",),
    ("send", "+14155550123", "--message", "hi", "--wait", "31"),
    ("send", "+14155550123", "--message", "hi", "--wait", "soon"),
    ("send", "+14155550123"),
    ("send", "--message", "hello"),
    ("status", "one", "two"),
    ("explain",),
    ("explain", "one"),
    ("send", "+14155550123", "+14155550124", "--message", "hello"),
    ("send", "+14155550123", "--message"),
    ("send", "+14155550123", "--message", "hello", "--colour", "red"),
    ("topics",),
    ("topics", "create", "more"),
    ("token", "create", "--scope", "send_sms"),
    ("token", "create", "--client", "somebody"),
    ("token", "create", "--client", "somebody", "--scope", "fly"),
    ("token", "create", "--client", "x", "--scope", "send_sms", "--expires-days", "soon"),
    ("rates", "load"),
    ("send", "+14155550123", "--message", "hello", "--class", "vip"),
    ("send", "+14155550123", "--message", "one", "--message", "two"),
    ("send", "--message=hello", "--json=yes", "+14155550123"),
    ("token", "revoke"),
    ("token", "create", "--client", "x", "--scope", "send_sms", "--rate", "many"),
    ("dlq", "list", "--limit", "0"),
    ("dlq", "list", "--since", "yesterday"),
    ("dlq", "list", "--message", "17"),
    ("dlq", "list", "--client", "shop"),
    ("dlq", "show", "first"),
    ("dlq", "replay"),
    ("ping", "simulator"),
    ("check-config", "smsq-nothing"),
    ("completion", "fish"),
    ("manual", "man", "fly"),
], ids=" ".join)
def test_a_wrong_call_is_2_and_shows_the_usage(cli, arguments):
    assert "smsq" in cli(USAGE, *arguments)


def test_help_is_no_error(cli):
    text = cli(OK, "--help")
    for word in ("send", "status", "topics create", "token create", "rates load", "78"):
        assert word in text
    assert "--message" in cli(OK, "send", "--help")
    assert "--message" in cli(OK, "send", "-h", SMSQ_CONFIG="/no/such/file")


def test_a_message_that_is_not_there_is_3(cli):
    cli(NOT_FOUND, "status", str(uuid.uuid4()))
    cli(NOT_FOUND, "status", "SM" + 32 * "0")


def test_what_the_api_refuses_is_4_with_the_field(cli):
    assert "field to" in cli(REFUSED, "send", "12", "--message", "hello")
    assert "field expires_in" in cli(REFUSED, "send", "+14155550123", "--message", "hello",
                                     "--expires-in", "soon")
    refused = cli(REFUSED, "send", "+14155550123", "--message", "hello", token="smsq_unknown")
    assert "smsq token create" in refused


def test_what_may_work_later_is_5(cli, nowhere):
    cli(TEMPORARY, "send", "+14155550123", "--message", "hello",
        SMSQ_API_URL=f"http://{nowhere}")
    cli(TEMPORARY, "topics", "list", f"--kafka.brokers={nowhere}", "--topics.deadline=1s")
    away = {"SMSQ_DATABASE_URL": f"postgresql://{nowhere}/smsq"}
    cli(TEMPORARY, "token", "create", "--client", "late", "--scope", "send_sms", **away)
    for command in (("token", "list"), ("token", "revoke", "1"), ("dlq", "list"),
                    ("dlq", "show", "1"), ("dlq", "replay", "--all"),
                    ("dlq", "purge", "--all", "--yes")):
        assert "PostgreSQL" in cli(TEMPORARY, *command, **away), command


def test_a_missing_or_wrong_setting_is_78(cli):
    assert "SMSQ_TOKEN" in cli(SETTINGS, "send", "+14155550123", "--message", "x", token="")
    cli(SETTINGS, "topics", "list", "--kafka.no_such_key=1")
    cli(SETTINGS, "topics", "list", SMSQ_CONFIG="/no/such/file")


def test_topics_create_makes_what_is_missing_and_no_more(smsq, cli):
    listed = cli(OK, "topics", "list")
    assert cli(OK, "topics", "create").count("exists") == len(listed.splitlines()) == 7
    partitions = {name: count for name, count in smsq.kafka.topics().items()
                  if name.startswith("sms.")}
    for name, count in partitions.items():
        (line,) = [line for line in listed.splitlines() if line.split()[0] == name]
        assert f"partitions={count}" in line.split()


def test_topics_check_says_what_is_not_as_the_settings_want(smsq, cli):
    told = json.loads(cli(OK, "topics", "check", "--json"))
    assert {row["topic"]: row["partitions"] for row in told} == {
        name: count for name, count in smsq.kafka.topics().items() if name.startswith("sms.")}
    assert all(row["problem"] is None and row["state"] == "exists" for row in told)
    done = smsq.stack.smsq("topics", "check", "--json", "--topics.status_partitions=7")
    assert done.returncode == FAILED
    (status,) = [row for row in json.loads(done.stdout) if row["topic"] == "sms.status"]
    assert "the settings want 7" in status["problem"]


def test_a_token_is_listed_and_revoked_for_good(smsq, cli):
    made = json.loads(cli(OK, "token", "create", "--client", "revoked", "--scope", "send_sms",
                          "--scope", "view_sms_history", "--rate", "90", "--json"))
    row = json.loads(cli(OK, "token", "list", "--client", "revoked", "--json"))
    assert row["id"] == made["id"] and f"_{row['id']}_" in made["token"]
    assert row["scopes"] == ["send_sms", "view_sms_history"] and row["revoked_at"] is None
    assert (row["rate_per_minute"], row["state"]) == (90, "active")
    assert row["id"] in cli(OK, "token", "list")
    assert json.loads(cli(OK, "token", "revoke", made["token"], "--json"))["state"] == "revoked"
    cli(OK, "token", "revoke", made["id"])
    assert "token list" in cli(NOT_FOUND, "token", "revoke", "000000000000")
    assert cli(OK, "token", "list", "--client", "revoked", "--json") == ""
    row = json.loads(cli(OK, "token", "list", "--client", "revoked", "--all", "--json"))
    assert row["revoked_at"].endswith("Z")
    send = ("send", fresh_number(), "--message", "hello")
    wait_until(lambda: smsq.stack.smsq(*send, token=made["token"]).returncode == REFUSED, 15,
               "the token is refused")


def test_ping_tells_which_part_is_missing(smsq, cli, nowhere):
    urls = {"SMSQ_RECEIVER_URL": smsq.stack.env["SMSQ_RECEIVER_URL"]}
    told = json.loads(cli(OK, "ping", "--json", **urls))
    assert told["ok"] and [part["part"] for part in told["parts"]] == [
        "producer", "receiver", "kafka", "postgresql"]
    shown = cli(OK, "ping", **urls)
    assert shown.count(" ok ") == 4 and smsq.db.url not in shown
    done = smsq.stack.smsq("ping", "--json", f"--kafka.brokers={nowhere}",
                           SMSQ_RECEIVER_URL=f"http://{nowhere}",
                           SMSQ_DATABASE_URL=f"postgresql://{nowhere}/smsq")
    assert done.returncode == TEMPORARY
    parts = {part["part"]: part for part in json.loads(done.stdout)["parts"]}
    assert [name for name, part in parts.items() if part["ok"]] == ["producer"]
    assert all(parts[name]["reason"] for name in ("receiver", "kafka", "postgresql"))
    cli(OK, "ping", "producer")
    told = cli(OK, "ping", smsq.stack.admin_url("worker-1"))
    assert re.match(r"program +ok", told), told


def test_check_config_checks_every_program_by_itself(smsq, cli, tmp_path):
    shown = cli(OK, "check-config")
    for name in ("producer", "worker", "status-consumer", "webhook-receiver", "scheduler"):
        assert any(line.split() == [f"smsq-{name}", "ok"] for line in shown.splitlines())
    wrong = tmp_path / "smsq.cfg"
    config = (smsq.stack.run / "smsq.cfg").read_text()
    wrong.write_text(config + 'worker: { in_flight = "many"; };\n'
                     if "worker:" not in config else config.replace(
                         "worker: {", 'worker: { in_flight = "many";', 1))
    done = smsq.stack.smsq("check-config", f"--config={wrong}", "--json", SMSQ_CONFIG="")
    told = json.loads(done.stdout)
    assert done.returncode == SETTINGS and not told["ok"]
    bad = {row["program"]: row["reason"] for row in told["programs"] if not row["ok"]}
    assert list(bad) == ["smsq-worker"] and "worker.in_flight" in bad["smsq-worker"]


def test_a_new_token_works_and_is_nowhere_to_be_read(smsq, cli):
    token = cli(OK, "token", "create", "--client", "cli-test", "--scope", "send_sms",
                "--expires-days", "1").strip()
    cli(OK, "send", fresh_number(), "--message", "hello", token=token)
    assert smsq.db.columns_that_hold(token) == []
    assert smsq.db.one(
        "select t.expires_at between now() + interval '23 h' and now() + interval '25 h'"
        "  from api_tokens t join clients using (client_id) where name = 'cli-test'")
    again = json.loads(cli(OK, "token", "create", "--client", "cli-test", "--scope",
                           "send_sms", "--json"))["token"]
    assert again != token
    assert smsq.db.one("select count(*) from clients where name = 'cli-test'") == 1


def test_rates_load_takes_a_good_card_and_refuses_a_bad_one(smsq, cli, tmp_path):
    card = TREE / "deploy" / "rate_card.csv"
    before = smsq.db.one("select count(*) from rate_card")
    assert cli(OK, "rates", "load", str(card)) == f"{before} rates loaded\n"
    lines = card.read_text().splitlines()
    (tmp_path / "bad.csv").write_text("\n".join([*lines, lines[1].replace("0.0083", "much")]))
    cli(FAILED, "rates", "load", str(tmp_path / "bad.csv"))
    cli(FAILED, "rates", "load", str(tmp_path / "missing.csv"))
    assert smsq.db.one("select count(*) from rate_card") == before
