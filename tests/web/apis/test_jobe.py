"""Jobe's contract over HTTP, as Moodle's CodeRunner speaks it: with PHP's empty arrays, and files on demand."""

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from typing import Any

import httpx
import pytest
from starlette.routing import Route

from runner.policy import configuration
from server import create_app
from tests.harness import LANGUAGES, Server, audited, serving

JSON = "application/json; charset=utf-8"
QUOTA = 60


@pytest.fixture(scope="module")
def server(engine: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One that speaks it."""
    folder = tmp_path_factory.mktemp("jobe")
    limit = f"{QUOTA} per 15 minutes"
    with serving(folder, languages=LANGUAGES, apis=["jobe"], rate_limit=limit) as running:
        yield running
    assert {
        line["api"] for line in map(json.loads, (folder / "audit.jsonl").read_text().splitlines()) if "job" in line
    } == {"jobe"}
    audited(folder / "audit.jsonl")


def ask(
    server: Server, method: str, path: str, body: object = None, *, address: str = "127.0.0.1", kind: str = JSON
) -> tuple[int, Any]:
    """Status and what was answered. ``address``: from which of this machine's it is asked: each is a client."""
    connection = HTTPConnection("127.0.0.1", server.port, timeout=60, source_address=(address, 0))
    data = None if body is None else json.dumps(body)
    headers = {"Content-Type": kind, "Accept": "application/json"}
    connection.request(method, f"/jobe/index.php/restapi/{path}", data, headers)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, json.loads(content) if content else None


def run(server: Server, language: str, source: str, **spec: Any) -> tuple[int, Any]:
    """``POST runs``."""
    return ask(server, "POST", "runs", {"run_spec": {"language_id": language, "sourcecode": source, **spec}})


def outcome(found: tuple[int, Any]) -> tuple[int, str, str, str]:
    """How a run ended: outcome, cmpinfo, stdout, stderr."""
    status, answer = found
    assert status == 200, answer
    assert list(answer) == ["run_id", "outcome", "cmpinfo", "stdout", "stderr"]
    assert answer["run_id"] is None
    return answer["outcome"], answer["cmpinfo"], answer["stdout"], answer["stderr"]


def test_it_is_off_until_it_is_named() -> None:
    """As all other APIs are."""
    routes = create_app(configuration.load()).routes
    assert not [route for route in routes if isinstance(route, Route) and re.match("/(jobe|judge0)", route.path)]


def test_languages(server: Server) -> None:
    """Names and versions."""
    assert ask(server, "GET", "languages") == (200, [["cpp", "14"], ["python3", "3.13"]])
    assert ask(server, "GET", "languages/")[0] == 200


def test_a_run(server: Server) -> None:
    """Its input, its arguments; what is written to stderr is a failure, an exit code is none."""
    source = "import sys\nprint(input(), sys.argv[1:])\nsys.exit(3)"
    spec = {
        "input": "x\n",
        "sourcefilename": "__tester__.python3",
        "file_list": [],
        "parameters": {"runargs": ["a 'b c'"]},
    }
    assert outcome(run(server, "python3", source, **spec)) == (15, "", "x ['a', 'b c']\n", "")
    failed = outcome(run(server, "python3", "print(1)\n[][0]", parameters=[]))
    assert (failed[0], failed[2]) == (12, "1\n")
    assert failed[3].endswith("IndexError: list index out of range\n")
    odd = "import os; os.write(1, bytes([65, 1, 0xc0, 10]))"
    assert outcome(run(server, "python3", odd)) == (15, "", "A\\x01\\xc0\n", "")


@pytest.mark.parametrize(
    ("language", "source", "said"),
    [
        ("python3", "print(1)\nprint(", "SyntaxError: '(' was never closed"),
        ("cpp", "int main() { return x; }", "was not declared in this scope"),
        ("cpp", "int main() { int unused; }", "unused-variable"),
    ],
)
def test_a_compile_error(server: Server, language: str, source: str, said: str) -> None:
    """Python has them, too, and warnings are errors; nothing of it has run."""
    code, cmpinfo, stdout, stderr = outcome(run(server, language, source))
    assert (code, stdout, stderr) == (11, "", "")
    assert said in cmpinfo


def test_limits(server: Server) -> None:
    """What a run asks for, within the policy's: more memory is refused to it, time and a flood end it."""
    source = """#include <cstdlib>
#include <cstdio>
int main() { volatile size_t n = 2000000000; puts(malloc(n) ? "all" : "none"); }"""
    assert outcome(run(server, "cpp", source, parameters={"memorylimit": 200_000})) == (15, "", "none\n", "")
    hungry = "try: bytearray(100_000_000)\nexcept MemoryError: print('none')"
    assert outcome(run(server, "python3", hungry, parameters={"memorylimit": 50})) == (15, "", "none\n", "")
    assert outcome(run(server, "python3", hungry)) == (15, "", "", "")
    late = outcome(run(server, "python3", "print(1, flush=True)\nwhile True: pass", parameters={"cputime": "0.5"}))
    assert late == (13, "", "1\n", "")
    assert outcome(run(server, "python3", "while True: print('x' * 1000)"))[0] == 13


def test_files_are_put_when_they_are_missed(server: Server) -> None:
    """As CodeRunner does; they are those of the client who has put them."""
    data = b"bytes \xff\n"
    key = hashlib.md5(data).hexdigest()
    spec = {"file_list": [[key, "data.bin"]]}
    source = "print(open('data.bin', 'rb').read())"
    missing = (404, "One or more of the specified files is missing/unavailable")
    assert run(server, "python3", source, **spec) == missing
    assert ask(server, "HEAD", f"files/{key}") == (404, None)
    put = {"file_contents": base64.b64encode(data).decode()}
    assert ask(server, "PUT", f"files/{key}", put) == (204, None)
    assert ask(server, "HEAD", f"files/{key}") == (204, None)
    assert outcome(run(server, "python3", source, **spec)) == (15, "", f"{data!r}\n", "")
    assert ask(server, "HEAD", f"files/{key}", address="127.0.0.8") == (404, None)
    elsewhere = {"run_spec": {"language_id": "python3", "sourcecode": source, **spec}}
    assert ask(server, "POST", "runs", elsewhere, address="127.0.0.8") == missing
    assert ask(server, "PUT", f"files/{key}", {}) == (400, "put: missing file_contents parameter")


def test_ten_at_once(server: Server) -> None:
    """As many as Jobe takes."""
    body = {"run_spec": {"language_id": "python3", "sourcecode": "print('Hello')"}}
    with ThreadPoolExecutor(10) as threads:
        found = list(threads.map(lambda _: ask(server, "POST", "runs/", body), range(10)))
    assert [outcome(each) for each in found] == [(15, "", "Hello\n", "")] * 10


def test_refusals_are_strings(server: Server) -> None:
    """In Jobe's words where it has some; an overload is an outcome."""
    assert run(server, "cobol", "") == (400, "Language 'cobol' is not known")
    assert ask(server, "POST", "runs", []) == (400, "Non-JSON post data received")
    assert run(server, "python3", "#" * 65537) == (400, "`code` has 65537 bytes as UTF-8; python takes at most 65536.")
    wrong = ask(server, "POST", "runs", {}, kind="text/plain")
    assert wrong == (400, "Send the body as `Content-Type: application/json`, in UTF-8.")
    evil = {"Content-Type": JSON, "Origin": "http://evil.example"}
    answer = httpx.post(f"{server.url}/jobe/index.php/restapi/runs", json={}, headers=evil, verify=False)
    assert (answer.status_code, answer.json()) == (
        403,
        "Pages of that origin may not run programs here; server.toml lists `allowed-origins`.",
    )
    code, _, stdout, said = outcome(run(server, "python3", "!** TESTING OVERLOAD EXCEPTION **!"))
    assert (code, stdout, said != "") == (21, "", True)


def test_who_asks_too_often_is_told(server: Server) -> None:
    """As a string; files are counted like runs."""
    found = [ask(server, "PUT", "files/x", {}, address="127.0.0.9")[0] for _ in range(QUOTA)]
    assert set(found) == {400}
    for status, said in (
        ask(server, "POST", "runs", {}, address="127.0.0.9"),
        ask(server, "PUT", "files/x", {}, address="127.0.0.9"),
    ):
        assert (status, said.split(";")[0]) == (429, f"{QUOTA} runs per 900 seconds are used up")
