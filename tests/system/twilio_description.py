"""Compares answers with what Twilio publishes about their shape (OpenAPI 3.0.1)."""

import json
import re

from simulator import TREE

FILES = ("twilio_api_v2010", "twilio_messaging_v1_services", "twilio_pricing_v1_messaging")
DESCRIPTIONS = [json.loads((TREE / f"tests/data/{name}.json").read_text()) for name in FILES]
FORMATS = {
    "date-time-rfc-2822": r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d \+0000",
    "date-time": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ",
    "date": r"\d{4}-\d\d-\d\d",
    "http-method": "GET|POST",
    "iso-country-code": "[A-Z]{2}",
    "currency": "[A-Za-z]{3}",
}
# Twilio's own examples contradict these schemas: the figures are strings.
STRINGS = {"price", "base_price", "current_price"}
# Addresses of neighbouring pages are null where there is none, in every example too.
NULLS = {"next_page_uri", "previous_page_uri", "next_page_url", "previous_page_url"}
KINDS = {"string": str, "integer": int, "number": (int, float), "boolean": bool,
         "object": dict, "array": list}


def _resolve(description, schema):
    while "$ref" in schema:
        schema = description["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    return schema


def _check(description, schema, value, place):
    schema = _resolve(description, schema)
    name = place.rsplit(".", 1)[-1]
    if value is None:
        assert schema.get("nullable") or name in NULLS, f"{place} is null"
        return
    kind = KINDS[schema["type"]]
    if name in STRINGS and schema["type"] == "number":
        assert re.fullmatch(r"-?\d+(\.\d+)?", value), f"{place} is {value!r}"
        return
    assert isinstance(value, kind), f"{place} is {value!r}"
    if "enum" in schema:
        assert value in schema["enum"], f"{place} is {value!r}"
    if "pattern" in schema:
        assert re.search(schema["pattern"], value), f"{place} is {value!r}"
    if schema.get("format") in FORMATS:
        assert re.fullmatch(FORMATS[schema["format"]], value), f"{place} is {value!r}"
    if schema["type"] == "array":
        for i, item in enumerate(value):
            _check(description, schema["items"], item, f"{place}[{i}]")
    if "properties" in schema:
        assert set(value) == set(schema["properties"]), (
            f"{place}: {set(value) ^ set(schema['properties'])}")
        for member, inner in schema["properties"].items():
            _check(description, inner, value[member], f"{place}.{member}")


def _matches(pattern, path):
    return re.fullmatch(re.sub(r"\\{\w+\\}", "[^/.]+", re.escape(pattern)), path)


def operation_of(method, path):
    """The description and the operation that a request is about, and its pattern."""
    for description in DESCRIPTIONS:
        for pattern, operations in description["paths"].items():
            if method.lower() in operations and (
                    pattern == path or _matches(pattern, path.split("?")[0])):
                return description, operations[method.lower()], pattern
    raise AssertionError(f"Twilio does not describe {method} {path}")


def check_answer(method, path, answer):
    """Fails unless the answer is the success that Twilio describes for that request."""
    description, operation, pattern = operation_of(method, path)
    assert str(answer.status) in operation["responses"], (method, path, answer.status,
                                                          answer.body)
    content = operation["responses"][str(answer.status)].get("content")
    if not content:
        assert answer.body == b"", answer.body
        return None
    assert answer.headers["Content-Type"] == "application/json"
    _check(description, content["application/json"]["schema"], answer.json, pattern)
    return answer.json


def check_error(answer, status, code):
    """Fails unless the answer is that refusal; the descriptions leave their shape open."""
    assert answer.status == status, answer.body
    error = answer.json
    assert set(error) - {"detail"} == {"code", "message", "more_info", "status"}
    assert (error["code"], error["status"]) == (code, status), error
    assert error["more_info"] == f"https://www.twilio.com/docs/errors/{code}"
    assert isinstance(error["message"], str) and error["message"]
    assert answer.headers["Content-Type"] == "application/json"
    return error


def check_message(message):
    """Fails unless that is a message as Twilio describes it."""
    name = "#/components/schemas/api.v2010.account.message"
    _check(DESCRIPTIONS[0], {"$ref": name}, message, "message")


def operations():
    """Every (method, pattern) of the three descriptions."""
    return {(method.upper(), pattern) for description in DESCRIPTIONS
            for pattern, operations in description["paths"].items()
            for method in operations if method in ("get", "post", "delete")}


def query_names(method, path):
    """The names of the query parameters that Twilio describes for that request."""
    _, operation, _ = operation_of(method, path)
    return {p["name"] for p in operation.get("parameters", []) if p["in"] == "query"}
