"""docs/openapi.yaml says what the programs do: routes, codes, and real answers."""

import functools
import json
import os
import re
import signal
import uuid

import jsonschema
import pytest
import yaml

from api import Api, request
from stack import TREE, wait_until

PROBLEM = "application/problem+json"
FORM = "application/x-www-form-urlencoded"
CALLBACK = "/sms/webhook/status"
INBOUND = "/sms/webhook/incoming"
SOURCES = ("producer/http/*.c", "webhook-receiver/*.c", "common/http_*.c")
# How a source names the code of a problem.
CODES = (r'code = "(\w+)"', r'complain\(\s*complaint, \d+, "(\w+)"', r'complain\(\s*d, [^,]+,\s+"(\w+)"',
         r'\b[45]\d\d,\s+"([a-z_]+)"',
         r'producer_unavailable\([^;"]*"(\w+)"')


@functools.cache
def document():
    return yaml.safe_load((TREE / "docs" / "openapi.yaml").read_text())


def resolve(node):
    while "$ref" in node:
        assert node["$ref"].startswith("#/")
        path = node["$ref"][2:].split("/")
        node = functools.reduce(lambda at, name: at[name], path, document())
    return node


def check(schema, value):
    """Validates value; references in the schema lead into the document."""
    whole = {"components": document()["components"], **schema}
    jsonschema.Draft202012Validator(
        whole, format_checker=jsonschema.draft202012_format_checker).validate(value)


def walk(node):
    """All objects of the document."""
    if isinstance(node, dict):
        yield node
        node = list(node.values())
    for one in node if isinstance(node, list) else []:
        yield from walk(one)


def operations():
    return [(path, method, item[method]) for path, item in document()["paths"].items()
            for method in ("get", "post", "delete", "patch") if method in item]


def routes(source):
    """The rows of a route table, as the document would write them."""
    table = re.search(r"http_route routes\[\] = \{(.*?)\n\};", (TREE / source).read_text(),
                      re.DOTALL)[1]
    return {(path.replace("*", "{id}"), method.lower())
            for method, path in re.findall(r'\{ "(\w+)", "([^"]+)"', table)}


def answer_is_documented(answer, path, method="get"):
    operation = document()["paths"][path][method]
    response = resolve(operation["responses"][str(answer.status)])
    for name, header in response.get("headers", {}).items():
        header = resolve(header)
        value = answer.headers.get(name.lower())
        if value is None:
            assert not header.get("required"), f"{name} is missing: {answer}"
        else:
            whole = header["schema"].get("type") == "integer"
            check(header["schema"], int(value) if whole else value)
    if "content" not in response:
        assert answer.body == b"", answer
        return
    media = answer.headers["content-type"]
    assert media in response["content"], answer
    check(response["content"][media]["schema"],
          answer.json if media.endswith("json") else answer.body.decode())
    if media == PROBLEM:
        assert answer.json["status"] == answer.status
        assert answer.json["type"].endswith(":" + answer.json["code"])


def test_the_document_is_openapi_3_1():
    meta = json.loads((TREE / "tests" / "data" / "openapi_3.1.json").read_text())
    jsonschema.Draft202012Validator(meta).validate(document())


def test_every_schema_is_one_and_every_reference_leads_somewhere():
    for node in walk(document()):
        if "$ref" in node:
            assert resolve(node)
        if "schema" in node:
            jsonschema.Draft202012Validator.check_schema(node["schema"])
    for schema in document()["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)


def test_every_example_fits_its_schema():
    count = 0
    for node in walk(document()):
        for example in node.get("examples", {}).values() if "schema" in node else ():
            check(node["schema"], example["value"])
            count += 1
    assert count >= 20


@pytest.mark.parametrize(("source", "tag"), [
    ("producer/http/producer.c", "producer"),
    ("webhook-receiver/receiver.c", "receiver"),
])
def test_the_paths_are_those_of_the_route_table(source, tag):
    described = {(path, method) for path, method, operation in operations()
                 if tag in operation["tags"]}
    assert described == routes(source) and described


def test_the_codes_are_those_of_the_sources():
    text = "\n".join(path.read_text() for pattern in SOURCES
                     for path in sorted(TREE.glob(pattern)))
    used = {code for pattern in CODES for code in re.findall(pattern, text)}
    described = {"not_found"}  # of paths that are not there
    for node in walk(document()):
        code = node.get("properties", {}).get("code", {})
        described |= {code["const"]} if "const" in code else set(code.get("enum", ()))
    assert used == described


def test_the_fields_of_a_request_are_those_of_the_source():
    text = (TREE / "producer" / "http" / "send_request.c").read_text()
    table = re.search(r"\} members\[\] = \{(.*?)\n\};", text, re.DOTALL)[1]
    assert set(re.findall(r'\{ "(\w+)",', table)) == set(
        document()["components"]["schemas"]["SendRequest"]["properties"])


def test_a_message_is_described_from_its_acceptance_to_its_delivery(smsq, api):
    body = {"to": "+11234567890", "body": "hello", "reference": "order 7", "class": None}
    check({"$ref": "#/components/schemas/SendRequest"}, body)
    accepted = api.post(json.dumps(body))
    assert accepted.status == 202 and accepted.json["warnings"]
    answer_is_documented(accepted, "/sms/send", "post")

    message_id = accepted.json["id"]
    seen = set()

    def delivered():
        answer = api.status(message_id)
        answer_is_documented(answer, "/sms/status/{id}")
        seen.add(answer.json["detail"])
        return answer.json["status"] == "delivered"

    wait_until(delivered, 20, "it is delivered")
    assert "delivered" in seen


def test_a_message_without_a_row_is_described(smsq, api):
    """No worker has seen it yet."""
    workers = [pid for name, pid in smsq.stack.pids.items() if name.startswith("worker")]
    for pid in workers:
        os.kill(pid, signal.SIGSTOP)
    try:
        message_id = api.accepted()
        answer = api.status(message_id)
    finally:
        for pid in workers:
            os.kill(pid, signal.SIGCONT)
    answer_is_documented(answer, "/sms/status/{id}")
    assert answer.json["status"] == "accepted"
    api.wait_for(message_id)


def test_what_a_send_is_refused_with_is_described(smsq, api):
    blind = smsq.new_api("view_sms_history")
    refused = {
        400: api.post("{"),
        401: Api(api.url, "smsq_unknown").send(),
        403: blind.send(),
        405: request(f"{api.url}/sms/send", "PUT"),
        413: api.post(json.dumps({"body": 20000 * "x"})),
        415: api.post("to=1", **{"Content-Type": FORM}),
        422: api.send(to="12"),
        431: api.post("{}", **{"X-Long": 17000 * "x"}),
    }
    assert {status: answer.status for status, answer in refused.items()} == {
        status: status for status in refused}
    refused["unknown"] = api.send(colour="red")
    refused["empty"] = api.send(body="")
    for answer in refused.values():
        answer_is_documented(answer, "/sms/send", "post")


def test_what_a_question_is_refused_with_is_described(smsq, api):
    sender = smsq.new_api("view_dashboard")
    refused = {
        400: api.status("%00"),
        401: Api(api.url, None).status("x"),
        403: sender.status("x"),
        404: api.status(str(uuid.uuid4())),
        405: request(f"{api.url}/sms/status/x", "POST"),
        413: request(f"{api.url}/sms/status/x", "GET", "x", api.authorization),
        415: request(f"{api.url}/sms/status/x", "GET", "x",
                     {**api.authorization, "Content-Encoding": "gzip"}),
    }
    assert {status: answer.status for status, answer in refused.items()} == {
        status: status for status in refused}
    for answer in refused.values():
        answer_is_documented(answer, "/sms/status/{id}")


def test_what_a_callback_gets_is_described(smsq):
    url = smsq.callbacks.receiver_url + CALLBACK
    form = {"MessageSid": "SM" + uuid.uuid4().hex, "MessageStatus": "sent"}
    answers = {
        204: smsq.callbacks.post_form(CALLBACK, form),
        400: smsq.callbacks.post_form(CALLBACK, {"MessageStatus": "sent"}),
        403: smsq.callbacks.post_form(CALLBACK, form, sign=False),
        405: request(url),
        413: request(url, "POST", 17000 * "x", {"Content-Type": FORM}),
        415: request(url, "POST", "{}", {"Content-Type": "application/json"}),
    }
    assert {status: answer.status for status, answer in answers.items()} == {
        status: status for status in answers}
    for path in document()["paths"]:
        for answer in answers.values() if path.endswith(("status", "status/")) else ():
            answer_is_documented(answer, path, "post")
    smsq.db.rows("delete from receipts_unmatched where twilio_sid = %s", form["MessageSid"])


def test_what_an_inbound_message_gets_is_described(smsq):
    url = smsq.callbacks.receiver_url + INBOUND
    answers = {
        200: smsq.callbacks.post_form(INBOUND, {"Body": "hello"}),
        400: smsq.callbacks.post_form(INBOUND, {}),
        403: smsq.callbacks.post_form(INBOUND, {"Body": "hello"}, sign=False),
        405: request(url),
        413: request(url, "POST", 66000 * "x", {"Content-Type": FORM}),
        415: request(url, "POST", "{}", {"Content-Type": "application/json"}),
    }
    assert {status: answer.status for status, answer in answers.items()} == {
        status: status for status in answers}
    for answer in answers.values():
        answer_is_documented(answer, INBOUND, "post")


def test_health_and_readiness_are_described(smsq):
    for url in (smsq.stack.env["SMSQ_API_URL"], smsq.stack.env["SMSQ_RECEIVER_URL"]):
        for path in ("/healthz", "/readyz"):
            answer = request(url + path)
            assert answer.status == 200
            answer_is_documented(answer, path)
            answer_is_documented(request(url + path, "POST"), path)
        assert request(f"{url}/nothing").json["code"] == "not_found"


def test_what_is_said_while_kafka_is_away_is_described(smsq, tmp_path):
    """A producer and a receiver that know a Kafka at which nobody answers."""
    nowhere = ("--kafka.brokers=127.0.0.1:9",)
    with (tmp_path / "log").open("w") as log:
        programs = [
            smsq.stack.program("smsq-producer", *nowhere, "--producer.port=0",
                               "--producer.admin_port=0", output=log),
            smsq.stack.program("smsq-webhook-receiver", *nowhere, "--receiver.port=0",
                               "--receiver.admin_port=0", output=log)]
        try:
            ports = wait_until(lambda: started(tmp_path / "log"), 10, "both have started")
            api = smsq.new_api()
            away = Api(f"http://127.0.0.1:{ports['producer_started']}", api.token)
            wait_until(lambda: away.send().json["code"] == "queue_unavailable", 10,
                       "it says that Kafka is away")
            answer_is_documented(away.send(), "/sms/send", "post")
            answer_is_documented(request(f"{away.url}/readyz"), "/readyz")
            receiver = f"http://127.0.0.1:{ports['receiver_started']}"
            answer = request(f"{receiver}/readyz")
            assert answer.status == 503
            answer_is_documented(answer, "/readyz")
        finally:
            for program in programs:
                program.terminate()
            assert [program.wait(30) for program in programs] == [0, 0]


def started(path):
    """The ports by the event that tells them, once both programs listen."""
    lines = [json.loads(line) for line in path.read_text().splitlines() if line[:1] == "{"]
    ports = {line["event"]: line["port"] for line in lines if "port" in line}
    return ports if len(ports) == 2 else None
