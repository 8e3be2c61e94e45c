"""The API's description says what the service does: held against its tables and its real answers."""

import json
from collections.abc import Iterator
from typing import Any, Final

import httpx
import pytest
from jsonschema import Draft202012Validator
from starlette.routing import Route
from websockets.sync.client import connect

from runner.policy import configuration
from runner.runs.result import Reason, Status
from runner.web import openapi
from runner.web.problems import PROBLEMS
from server import ROUTES
from tests.harness import EVENTS, Server, hear_out

DOCUMENT: Final = openapi.document(configuration.load().policies, PROBLEMS.values())
PAGES: Final = {"/", "/static/{path:path}", "/api"}
"""For people; what they are is not described."""


def valid(schema: dict[str, Any], value: object) -> None:
    """Fails with what does not fit, and where."""
    whole = {**schema, "components": DOCUMENT["components"]}
    errors = [error.message for error in Draft202012Validator(whole).iter_errors(value)]
    assert errors == []


def ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def described(path: str, method: str, answer: httpx.Response) -> dict[str, Any]:
    """The schema of an answer; no status and no media type is left out."""
    content = DOCUMENT["paths"][path][method]["responses"][str(answer.status_code)]["content"]
    kind = answer.headers["content-type"].partition(";")[0]
    schema: dict[str, Any] = content[kind]["schema"]
    return schema


def walk(node: object) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from walk(child)


def test_it_is_what_is_served(server: Server) -> None:
    """As JSON, to anybody."""
    assert server.get("/openapi.json").json() == json.loads(json.dumps(DOCUMENT))


def test_every_schema_is_one() -> None:
    """By JSON Schema's own rules; and every reference leads somewhere."""
    for schema in DOCUMENT["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    for node in walk(DOCUMENT):
        if "$ref" in node:
            assert node["$ref"].removeprefix("#/components/schemas/") in DOCUMENT["components"]["schemas"]


def test_every_route_is_described() -> None:
    """With its methods, and no other."""
    served = {
        (route.path, method.lower())
        for route in ROUTES
        for method in ((route.methods or set()) - {"HEAD"} if isinstance(route, Route) else {"GET"})
        if route.path not in PAGES
    }
    assert {(path, method) for path, item in DOCUMENT["paths"].items() for method in item} == served


def test_every_refusal_ending_and_language_is_described() -> None:
    """Walked from the tables."""
    responses = DOCUMENT["paths"]["/run"]["post"]["responses"]
    for status, title in PROBLEMS.values():
        titles = responses[str(status)]["content"]["application/problem+json"]["schema"]["allOf"][1]["properties"]
        assert title in titles["title"]["enum"]
    schemas = DOCUMENT["components"]["schemas"]
    assert schemas["Reason"]["enum"] == [reason.value for reason in Reason]
    assert schemas["Status"]["enum"] == [status.value for status in Status]
    assert schemas["Language"]["enum"] == ["cpp", "python"]
    assert "65536 for python" in schemas["First"]["properties"]["code"]["description"]


@pytest.mark.parametrize(
    "body",
    [
        {"code": "print(1)"},
        {"code": "raise SystemExit(3)", "input": "x"},
        {"code": "import os; os.abort()", "inputs": ["", ""]},
        {"code": "while True: print('x' * 999)"},
        {"language": "cpp", "code": "int main() {"},
        {"language": "cpp", "code": "int main() {", "inputs": [""]},
        {"language": "cpp", "code": "int main() { for (;;); }"},
        {"language": "cobol", "code": ""},
        {"code": 1},
        {"code": "#" * 65537},
    ],
    ids=range(10),
)
def test_answers_to_runs_are_as_described(server: Server, body: dict[str, Any]) -> None:
    """Every kind of ending, and of refusal; what is asked fits its schema exactly when it is not refused as wrong."""
    body = {"language": "python", **body}
    answer = server.post(body)
    valid(described("/run", "post", answer), answer.json())
    fits = Draft202012Validator({**ref("Job"), "components": DOCUMENT["components"]}).is_valid(body)
    assert fits is (answer.status_code in (200, 413))


@pytest.mark.parametrize(
    ("headers", "status"), [({"host": "evil.example"}, 403), ({"content-type": "text/plain"}, 415)], ids=str
)
def test_refusals_are_as_described(server: Server, headers: dict[str, str], status: int) -> None:
    """Those that a body alone does not make."""
    answer = server.post(content=b"{}", headers=headers)
    assert answer.status_code == status
    valid(described("/run", "post", answer), answer.json())


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("/languages", "/languages"),
        ("/policies", "/policies"),
        ("/policies/{language}", "/policies/cpp"),
        ("/policies/{language}", "/policies/cobol"),
        ("/health", "/health"),
        ("/ready", "/ready"),
        ("/openapi.json", "/openapi.json"),
    ],
)
def test_what_it_says_of_itself_is_as_described(server: Server, path: str, asked: str) -> None:
    """Every other answer in JSON."""
    answer = server.get(f"{asked}")
    valid(described(path, "get", answer), answer.json())


def test_metrics_are_as_described(server: Server) -> None:
    """Text, or a refusal."""
    for headers in ({}, {"host": "evil.example"}):
        described("/metrics", "get", server.get("/metrics", headers=headers))


def test_events_are_as_described(server: Server) -> None:
    """Each by its name."""
    known = DOCUMENT["paths"]["/run"]["post"]["responses"]["200"]["content"]["text/event-stream"]["x-events"]
    code = "import sys; print(1); print(2, file=sys.stderr)"
    answer = server.post({"language": "python", "code": code}, headers=EVENTS)
    described("/run", "post", answer)
    seen = set()
    for event in answer.text.strip().split("\n\n"):
        name, data = (line.partition(": ")[2] for line in event.splitlines())
        valid(known[name], json.loads(data))
        seen.add(name)
    assert seen == known.keys() - {"problem"}


def test_messages_are_as_described(server: Server) -> None:
    """In both directions, a problem included."""
    live = DOCUMENT["paths"]["/run/live"]["get"]
    for second in ({"input": "x\r"}, {"size": [100, 30]}, {"end": True}, {"end": False}):
        with connect(f"ws://127.0.0.1:{server.port}/run/live") as client:
            first = {"language": "python", "code": "print(input())"}
            valid(live["x-client-messages"][0], first)
            client.send(json.dumps(first))
            client.send(json.dumps(second))
            client.send(json.dumps({"input": "\r"}))
            heard, code = hear_out(client)
        if second != {"end": False}:
            valid(live["x-client-messages"][1], second)
        for event, data in heard:
            valid(live["x-server-messages"], {"event": event, "data": data})
        assert heard[-1][0] == ("problem" if second == {"end": False} else "result")
        assert str(code) in live["x-close-codes"]


def test_there_is_a_page_for_people(server: Server) -> None:
    """Static: nothing in it is run, and it loads nothing from elsewhere."""
    answer = server.get("/api")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-security-policy"] == "default-src 'self'; base-uri 'none'"
    assert "<script" not in answer.text
    assert "style=" not in answer.text
    for path in DOCUMENT["paths"]:
        assert path in answer.text, path
