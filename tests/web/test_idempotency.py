"""A retry is safe: the same key of the same client is one run and one answer, whoever leaves meanwhile."""

import hashlib
import json
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.errors import BadRequest
from runner.runs.client import Client
from runner.sandbox.job import Job
from runner.web import idempotency
from tests.harness import EVENTS, Server, audited, eventually
from tests.strategies import unhurried

CHANCE: Final = "import os\nprint(os.urandom(8).hex())"
"""No two runs print the same."""
WAITS: Final = "import os, time\nprint(1, flush=True)\ntime.sleep(1.2)\nprint(os.urandom(8).hex())"

printable: Final = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=20)


@unhurried
@given(printable)
def test_a_key_is_a_string_in_quotes(text: str) -> None:
    """As RFC 8941 writes it; only its hash is kept."""
    value = '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    assert idempotency.sent([value]) == hashlib.sha256(value.encode()).hexdigest()


@pytest.mark.parametrize(
    "values", [["abc"], ['""'], ['"a'], ['"a"b"'], ['"a";b=1'], ['"a\\b"'], ['"é"'], [f'"{"a" * 256}"'], ['"a"', '"a"']]
)
def test_what_is_no_key(values: list[str]) -> None:
    """Is refused with what is one."""
    with pytest.raises(BadRequest, match="is one string in quotes, of 1 to 255"):
        idempotency.sent(values)


def test_none_is_none() -> None:
    """Then all is as without this."""
    assert idempotency.sent([]) is None


def test_what_makes_two_requests_one() -> None:
    """The client and the key; whether they are the same request is said by the body."""
    job = Job("python", b"", (b"",))
    one, other = (idempotency.asked(Client("192.0.2.1"), job, "a" * 64, body) for body in (b"{}", b"{ }"))
    assert one.name == other.name == ("192.0.2.1", "a" * 64)
    assert one.body != other.body
    assert one.job.idempotency_key == "a" * 64


# The real server


def new() -> str:
    """A key."""
    return f'"{uuid.uuid4()}"'


def ask(server: Server, key: str, code: str = CHANCE, **more: Any) -> httpx.Response:
    """``POST /run`` with a key; ``more``: of the body, and ``accept``."""
    headers = {"idempotency-key": key, "accept": more.pop("accept", "*/*")}
    return server.post({"language": "python", "code": code, **more}, headers=headers)


def hashed(key: str) -> str:
    """What the audit file has of a key."""
    return hashlib.sha256(key.encode()).hexdigest()


def lines(server: Server, event: str) -> list[dict[str, Any]]:
    """Of the audit file."""
    path = server.log.parent / "audit.jsonl"
    return [line for line in map(json.loads, path.read_text().splitlines()) if line["event"] == event]


def jobs(server: Server) -> float:
    """How many the metrics have counted."""
    text = server.get("/metrics").text
    return sum(float(line.split()[-1]) for line in text.splitlines() if line.startswith("code_runner_jobs_total{"))


def told(answer: httpx.Response) -> list[tuple[str, Any]]:
    """The events of a stream, but for the line."""
    events = [event.split("\ndata: ") for event in answer.text.split("\n\n") if event.startswith("event: ")]
    found = [(name.removeprefix("event: "), json.loads(data)) for name, data in events]
    return [(name, data) for name, data in found if data.get("phase") != "queued"]


def test_the_same_answer_again(server: Server) -> None:
    """Byte for byte, and as an event; counted once, and the audit file has who got it when, and the key's hash."""
    key, before = new(), jobs(server)
    first = ask(server, key)
    again = ask(server, key)
    assert (first.status_code, again.status_code, again.content) == (200, 200, first.content)
    assert again.headers["ratelimit"] != first.headers["ratelimit"]
    assert told(ask(server, key, **EVENTS)) == [("result", first.json())]
    assert jobs(server) == before + 1
    job = first.json()["id"]
    assert [line["idempotency_key"] for line in lines(server, "started") if line["job"] == job] == [hashed(key)]
    repeated = [line for line in lines(server, "repeated") if line["job"] == job]
    assert [(line["client"], line["key"], line["idempotency_key"]) for line in repeated] == [
        ("127.0.0.1", None, hashed(key))
    ] * 2
    assert key not in (server.log.parent / "audit.jsonl").read_text()
    assert audited(server.log.parent / "audit.jsonl")["repeated"] >= 2


def test_another_body(server: Server) -> None:
    """Is refused, however it is asked for."""
    key = new()
    assert ask(server, key).status_code == 200
    other = ask(server, key, "print(1)")
    assert (other.status_code, other.json()["title"]) == (422, "Idempotency key reused")
    streamed = ask(server, key, "print(1)", **EVENTS)
    assert (streamed.status_code, streamed.headers["content-type"]) == (422, "application/problem+json")
    assert ask(server, "bare").json()["title"] == "Bad request"


def test_who_asks_while_it_runs_waits_for_it(server: Server) -> None:
    """And who asks for events gets all of them, from the beginning on: one run; another body is refused at once."""
    key, inputs = new(), {"inputs": ["", "", ""]}
    with ThreadPoolExecutor(3) as clients:
        first = clients.submit(ask, server, key, WAITS, **inputs)
        assert eventually(lambda: hashed(key) in (server.log.parent / "audit.jsonl").read_text())
        second = clients.submit(ask, server, key, WAITS, **inputs)
        third = clients.submit(ask, server, key, WAITS, **inputs, **EVENTS)
        assert ask(server, key, WAITS).status_code == 422
        answers = [each.result() for each in (first, second, third)]
    report = answers[0].json()
    assert answers[1].content == answers[0].content
    events = told(answers[2])
    assert [data["run"] for name, data in events if name == "phase"] == [1, 2, 3]
    seen = "".join(data["text"] for name, data in events if name == "stdout")
    assert seen == "".join(run["stdout"] for run in report["results"])
    assert events[-1] == ("result", report)
    assert sum(line["job"] == report["id"] for line in lines(server, "repeated")) == 2


def test_who_leaves_and_comes_again(server: Server) -> None:
    """The program has gone on; without a key it would have been stopped."""
    key, before = new(), len(lines(server, "started"))
    body = {"language": "python", "code": WAITS}
    with pytest.raises(httpx.ReadTimeout):
        server.post(body, headers={"idempotency-key": key}, timeout=0.8)
    report = ask(server, key, WAITS).json()
    assert len(lines(server, "started")) == before + 1
    assert [line["reason"] for line in lines(server, "ended") if line["job"] == report["id"]] == [report["reason"]]
