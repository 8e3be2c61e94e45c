"""The contract over HTTP: every refusal is a problem that says what was wrong and what is allowed."""

import json
import socket
from itertools import chain
from pathlib import Path

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.routing import Route

from server import OTHERS, ROUTES
from tests.harness import LANGUAGES, Server, eventually, serving

GOOD = {"language": "python", "code": "print(1)"}


def problem(answer: httpx.Response) -> tuple[int, str, str]:
    """Status, title and detail of a well-formed RFC 9457 problem."""
    body = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert set(body) == {"type", "title", "status", "detail"}
    assert body["status"] == answer.status_code
    assert body["type"].startswith("urn:code-runner:")
    for inner in ("docker", "/usr", "/tmp", "code-runner-", "Traceback"):
        assert inner not in body["detail"]
    return answer.status_code, body["title"], body["detail"]


def post(server: Server, content: bytes, **headers: str) -> httpx.Response:
    """``POST /run`` with any bytes."""
    return server.post(content=content, headers={"content-type": "application/json"} | headers)


CONTRACT = (
    'The body is a JSON object: "language" and "code", each a string, and, if wanted, one of "input", a string, '
    '"input_base64", and "inputs", a list of strings or {"base64": "..."}; '
    '"files", an object of names and contents (a string, or {"base64": "..."}), "args", a list of strings, '
    '"env", an object of strings, and "encoding", "text" or "base64", of the answer.'
)


@pytest.mark.parametrize(
    ("body", "status", "detail"),
    [
        ({"code": ""}, 400, f"Object missing required field `language`. {CONTRACT}"),
        ({"language": "python"}, 400, f"Object missing required field `code`. {CONTRACT}"),
        ({**GOOD, "code": 1}, 400, f"Expected `str`, got `int` - at `code`. {CONTRACT}"),
        ({**GOOD, "input": None}, 400, f"Expected `str`, got `null` - at `input`. {CONTRACT}"),
        ({**GOOD, "inputs": "x"}, 400, f"Expected `array`, got `str` - at `inputs`. {CONTRACT}"),
        ({**GOOD, "inputs": [1]}, 400, f"Expected `str | object`, got `int` - at `inputs[0]`. {CONTRACT}"),
        ({**GOOD, "inputs": []}, 400, "`inputs` must have at least one string: each is one run."),
        (
            {**GOOD, "input": "", "inputs": [""]},
            400,
            f"There is more than one of `input`, `input_base64` and `inputs`. {CONTRACT}",
        ),
        ({**GOOD, "stdin": ""}, 400, f"Object contains unknown field `stdin`. {CONTRACT}"),
        ([], 400, f"Expected `object`, got `array`. {CONTRACT}"),
        ({**GOOD, "language": "cobol"}, 422, "`language` must be one of cpp, python."),
        ({**GOOD, "language": "../python"}, 422, "`language` must be one of cpp, python."),
        ({**GOOD, "code": "é" * 32769}, 413, "`code` has 65538 bytes as UTF-8; python takes at most 65536."),
        ({**GOOD, "input": "x" * 1048577}, 413, "`input` has 1048577 bytes as UTF-8; python takes at most 1048576."),
        (
            {**GOOD, "inputs": ["x" * 524289] * 2},
            413,
            "`inputs` has 1048578 bytes as UTF-8; python takes at most 1048576.",
        ),
        ({**GOOD, "inputs": [""] * 101}, 413, "`inputs` has 101 strings; python takes at most 100."),
    ],
)
def test_a_wrong_body_is_a_problem_that_names_the_field(server: Server, body: object, status: int, detail: str) -> None:
    """It says what was wrong and what is allowed."""
    code, _, found = problem(server.post(body))
    assert (code, found) == (status, detail)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[" * 1_000_000,
        b'{"language":' + b"[" * 1_000_000,
        b'{"language":"python","code":' + b'{"a":' * 200_000,
        b"[" + b"[]," * 400_000,
        b'{"language": "python", "code": "\\ud800"}',
        b'{"language": "python", "code": "\0"}',
        b'{"language": "python", "code": "\xed\xa0\x80"}',
        b'{"language": "python", "code": NaN}',
        b'{"language": "python", "code": ' + b"9" * 100_000 + b"}",
        b'{"language": "python", "code": "1"} x',
    ],
    ids=range(13),
)
def test_hostile_json_is_a_bad_request(server: Server, body: bytes) -> None:
    """Bombs, nesting, lone surrogates, NUL bytes, invalid UTF-8: a clear 400, at once."""
    answer = post(server, body)
    assert problem(answer)[0] == 400
    assert answer.elapsed.total_seconds() < 2


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
ANY = JSON | st.fixed_dictionaries(
    {"language": st.sampled_from(["python", "rust"]) | JSON, "code": st.text(max_size=20) | JSON},
    optional={"input": st.text(max_size=20) | JSON, "inputs": st.lists(st.text(max_size=5), max_size=3), "x": JSON},
)


@settings(max_examples=60)
@given(ANY)
def test_any_json_body_is_served_or_refused(server: Server, body: object) -> None:
    """200 or a 4xx problem, never a 500."""
    answer = post(server, json.dumps(body).encode())
    if answer.status_code != 200:
        assert 400 <= problem(answer)[0] < 500


@settings(max_examples=60)
@given(st.binary(max_size=200))
def test_any_bytes_are_refused(server: Server, body: bytes) -> None:
    """What is not JSON is a bad request."""
    assert problem(post(server, body))[0] in (400, 422)


def test_a_body_that_is_too_large_is_not_read(server: Server) -> None:
    """Announced or not, it ends at the limit."""
    assert problem(post(server, b"x" * 4_194_305))[0] == 413
    chunks = (b"x" * 65536 for _ in range(100))  # 6.5 MB
    answer = server.post(content=chunks, headers={"content-type": "application/json"})
    assert problem(answer)[:2] == (413, "Too large")


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", ""])
def test_only_json_is_taken(server: Server, kind: str) -> None:
    """A form of another site cannot send application/json without asking first."""
    assert problem(post(server, b"{}", **{"content-type": kind}))[0] == 415


def test_a_charset_may_be_named(server: Server) -> None:
    """It is UTF-8 in any case."""
    answer = post(server, json.dumps(GOOD).encode(), **{"content-type": "application/json; charset=utf-8"})
    assert answer.json()["stdout"] == "1\n"


def test_unknown_paths_and_methods(server: Server) -> None:
    """The problem says what there is."""
    every = [route for route in (*ROUTES, *chain(*OTHERS.values())) if isinstance(route, Route)]
    routes = [(" or ".join(sorted(r.methods or ())), r.path) for r in every if r.include_in_schema]
    there = f"This service has {'; '.join(map(' '.join, routes))}."
    assert "POST /run; " in there
    assert problem(server.get("/nope")) == (404, "Not Found", there)
    answer = server.get("/run")
    assert problem(answer) == (405, "Method Not Allowed", there)
    assert answer.headers["allow"] == "POST"


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "evil.example"},
        {"host": "127.0.0.1.evil.example"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
    ids=str,
)
def test_other_sites_may_not_run_programs(server: Server, headers: dict[str, str]) -> None:
    """Neither by a rebound host name nor from a page of another origin."""
    assert problem(server.post(GOOD, headers=headers))[0] == 403


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:3000", "127.0.0.1:80", "[::1]:3000"])
def test_its_own_names_are_served(server: Server, host: str) -> None:
    """With any port: a proxy or a tunnel may change it."""
    assert server.post({}, headers={"host": host, "origin": f"http://{host}"}).status_code == 400


def test_languages_are_listed_with_their_limits(server: Server) -> None:
    """What can be run."""
    found = {item["language"]: item for item in server.get("/languages").json()["languages"]}
    assert set(found) == {"python", "cpp"}
    assert found["python"]["limits"] == {
        "wall_time": 2.0,
        "live_time": 60.0,
        "compile_time": None,
        "source": 65536,
        "input": 1048576,
        "inputs": 100,
        "total_time": 20.0,
        "output": 65536,
        "files": 32,
        "file_bytes": 1048576,
        "args": 16384,
        "result_files": 16,
        "result_bytes": 1048576,
    }
    assert found["cpp"]["limits"]["compile_time"] == 10.0


def test_health_and_readiness(server: Server) -> None:
    """Up, and able to run programs."""
    assert server.get("/health").json() == {"status": "up"}
    answer = server.get("/ready").json()
    assert (answer["status"], set(answer["verified"])) == ("ready", {"cpp", "python"})


def test_a_slow_body_is_refused_in_time(tmp_path: Path) -> None:
    """A half-sent request does not hold a connection for ever."""
    with serving(tmp_path, body_time=0.3) as server, socket.create_connection(("127.0.0.1", server.port)) as client:
        client.sendall(
            b"POST /run HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{"
        )
        assert client.recv(65536).startswith(b"HTTP/1.1 408")


def test_the_rate_limit_counts_runs_only(engine: None, tmp_path: Path) -> None:
    """The third of two is refused, says when to come back, and other paths stay open."""
    with serving(tmp_path, rate_limit="2 per 15 minutes") as server:
        first, second, third = (server.post(GOOD) for _ in range(3))
        assert [first.status_code, second.status_code] == [200, 200]
        assert first.headers["ratelimit-policy"] == '"run";q=2;w=900'
        assert first.headers["ratelimit"] == '"run";r=1;t=900'
        status, title, detail = problem(third)
        assert (status, title) == (429, "Rate limit reached")
        assert detail.startswith("2 runs per 900 seconds are used up; the next is free in ")
        assert 890 < int(third.headers["retry-after"]) <= 900
        assert third.headers["ratelimit"].startswith('"run";r=0;t=')
        assert problem(server.post(GOOD, headers={"x-forwarded-for": "203.0.113.9"}))[0] == 429
        assert server.get("/languages").status_code == 200


def test_a_trusted_proxy_names_the_client(tmp_path: Path) -> None:
    """Only then X-Forwarded-For counts, from the right."""
    with serving(tmp_path, rate_limit="1 per 15 minutes", trusted_proxies=["127.0.0.1"]) as server:
        for client, status in (("203.0.113.1", 400), ("203.0.113.2", 400), ("6.6.6.6, 203.0.113.2", 429)):
            assert server.post({}, headers={"x-forwarded-for": client}).status_code == status


def test_nothing_internal_is_told_when_the_engine_is_not_there(tmp_path: Path) -> None:
    """A 503 with Retry-After; docker's own words are in the log."""
    with serving(tmp_path, {"DOCKER_HOST": f"unix://{tmp_path}/none.sock"}) as server:
        assert server.get("/health").status_code == 200
        answer = server.get("/ready")
        assert problem(answer) == (503, "Not ready", "the container engine does not answer: start it: make engine")
        answer = server.post(GOOD)
        detail = "The container engine cannot start programs at the moment. Try again shortly."
        assert problem(answer) == (503, "Engine not available", detail)
        assert int(answer.headers["retry-after"]) > 0
        assert eventually(lambda: "none.sock" in server.log.read_text())


def test_a_missing_image_is_told_by_its_language(engine: None, tmp_path: Path) -> None:
    """Not by its name; the other language runs."""
    with serving(
        tmp_path, edit={"python.toml": ("code-runner-python:3", "no-such-image:1")}, languages=LANGUAGES
    ) as server:
        answer = server.get("/ready")
        assert problem(answer) == (503, "Not ready", "the image of python is missing: `make images` builds it")
        assert problem(server.post(GOOD))[0] == 503
        assert server.run("cpp", "int main() {}")["status"] == "success"
