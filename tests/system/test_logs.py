"""Log lines: their form, their events, what they never hold, and one trace through all."""

import json
import re
import secrets
import uuid

import pytest

from api import fresh_number
from callbacks import new_sid
from exposition import Exposition
from stack import TREE, wait_until
from test_documents import quoted, rows_of, text_of

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
HEAD = ["time", "level", "process", "event"]
FOLDERS = ("common", "producer", "worker", "webhook-receiver", "simulator")
PROGRAMS = ("producer", "scheduler", "worker-1", "worker-2", "webhook-receiver",
            "status-consumer", "simulator")
HOPS = {"job_accepted": "smsq-producer", "job_claimed": "smsq-worker", "job_sent": "smsq-worker",
        "callback_verified": "smsq-webhook-receiver", "status_applied": "smsq-status-consumer"}
PARENT = "00f067aa0ba902b7"


def documented():
    """Levels and fields of each event in docs/logs.md."""
    rows = rows_of(text_of(TREE / "docs" / "logs.md").partition("## Events")[2])
    return {quoted(row[0])[0]: (set(row[1].split(", ")), quoted(row[3]))
            for row in rows if "`" in row[0]}


def calls_in(text):
    """The arguments of each log_line(…) and log_event(…)."""
    for found in re.finditer(r"\blog_(?:line|event)\(", text):
        depth, at = 1, found.end()
        while depth:
            depth += {"(": 1, ")": -1}.get(text[at], 0)
            at += 1
        yield text[found.end():at - 1]


def test_the_events_are_those_of_the_document():
    used = set()
    for path in (path for name in FOLDERS for path in (TREE / name).rglob("*.c")):
        for call in calls_in(text_of(path)):
            used |= set(re.findall(r'"([a-z_]+)"', re.split(r"\bLOG_[TIUC]\(", call)[0]))
    assert used == set(documented())


def check(line, events):
    told = json.loads(line)
    assert list(told)[:4] == HEAD and TIME.fullmatch(told["time"]), line
    levels, fields = events[told["event"]]
    assert told["level"] in levels, line
    assert told["process"].startswith("smsq-"), line
    rest = [name for name in told if name not in HEAD]
    if rest[:1] == ["repeated"]:
        assert told["level"] in ("warn", "error") and rest.pop(0) and told["repeated"] > 0, line
    assert rest == [name for name in fields if name in rest], line
    assert not any(isinstance(value, (dict, list)) for value in told.values()), line


class Canaries:
    """Secrets of one run: each is put where people put theirs."""

    def __init__(self):
        self.number = fresh_number()
        self.body = f"Kanarienvogel-{uuid.uuid4().hex}"
        self.token = f"smsq_{secrets.token_hex(24)}"
        self.stranger = f"+4179{secrets.randbelow(10**7):07d}"

    def found_in(self, text):
        return [word for word in (self.number[1:], self.body, self.token, self.stranger[1:])
                if word in text]


def misuse(system, api, canary):
    """Requests that end badly but for the last, all with something to give away."""
    answers = [
        api.send(to=canary.number, body=canary.body, expires_in=1),
        api.send(to=canary.number + "123456789", body=canary.body),
        api.post(f'{{"to": "{canary.number}", "body": "{canary.body}"'),
        api.post(json.dumps({"to": canary.number, "body": canary.body}),
                 Authorization=f"Bearer {canary.token}"),
        system.callbacks.post_form("/sms/webhook/status", {
            "MessageSid": new_sid(), "To": canary.number, "Body": canary.body}),
        system.callbacks.post(new_sid(), "sent", f"?m={canary.body}&c={canary.body}",
                              token=canary.token),
        system.callbacks.post_form("/sms/webhook/incoming", {
            "MessageSid": new_sid(), "From": canary.stranger, "Body": canary.body}),
    ]
    *refused, taken = answers
    assert taken.status == 200 and all(answer.status >= 400 for answer in refused), answers
    return answers


@pytest.fixture(scope="module")
def spoken(system):
    """A traced message and much misuse: canaries, the trace id, answers, all log lines."""
    system.restore()
    system.sim.reset()
    api, canary, trace = system.new_api(), Canaries(), uuid.uuid4().hex
    answers = misuse(system, api, canary)
    sent = api.post(json.dumps({"to": canary.number, "body": canary.body}),
                    traceparent=f"00-{trace}-{PARENT}-01")
    api.wait_for(sent.json["id"])
    system.sim.wait_quiet()

    def lines():
        return [line for name in PROGRAMS
                for line in system.stack.log_path(name).read_text().splitlines()]
    wait_until(lambda: any("status_applied" in line and trace in line and "delivered" in line
                           for line in lines()), 10, "the last hop is in the log")
    return canary, trace, sent.json["id"], answers, lines()


def test_each_line_is_as_documented(spoken):
    *_, lines = spoken
    events = documented()
    assert len(lines) > 20
    for line in lines:
        check(line, events)


def test_no_line_no_metric_and_no_error_gives_anything_away(system, spoken):
    canary, _, _, answers, lines = spoken
    for line in lines:
        assert not canary.found_in(line), line
    for page in Exposition(system.stack).pages.values():
        assert not canary.found_in(page)
    for answer in answers:
        assert not set(canary.found_in(answer.body.decode())) - {canary.number[1:]}, answer


def test_one_trace_goes_through_all_programs(system, spoken):
    _, trace, message_id, _, lines = spoken
    told = [json.loads(line) for line in lines if message_id in line]
    assert {line["event"]: line["process"] for line in told} == HOPS
    assert {line["trace_id"] for line in told} == {trace}
    posted = system.sim.by_message_id()[message_id]
    kept = system.db.one("select traceparent from messages where message_id = %s", message_id)
    assert re.fullmatch(rf"00-{trace}-(?!{PARENT})[0-9a-f]{{16}}-01", kept)
    assert posted["sid"] in {line.get("twilio_sid") for line in told}


def test_a_bad_trace_is_replaced_and_none_is_made_up(system):
    api = system.new_api()
    body = json.dumps({"to": fresh_number(), "body": "hello"})
    replaced = api.post(body, traceparent="00-" + 32 * "0" + f"-{PARENT}-01").json["id"]
    untraced = api.post(body).json["id"]
    for message_id in (replaced, untraced):
        api.wait_for(message_id)

    def accepted(message_id):
        (line,) = [line for line in system.stack.log_lines("producer")
                   if line.get("message_id") == message_id]
        return line
    fresh = accepted(replaced)["trace_id"]
    assert re.fullmatch(r"[0-9a-f]{32}", fresh) and set(fresh) != {"0"}
    assert "trace_id" not in accepted(untraced)
