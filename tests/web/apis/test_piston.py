"""Piston's API at the real server: by hand, by its clients, and over its WebSocket."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import httpx
import pyston  # type: ignore[import-untyped]
import pytest
from pyston.exceptions import ExecutionError, TooManyRequests  # type: ignore[import-untyped]
from ultra_piston import File, PistonClient  # type: ignore[import-untyped]
from ultra_piston.errors import BadRequestError, TooManyRequestsError  # type: ignore[import-untyped]
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.harness import Server, eventually

PROGRAM: Final = "print(sum(map(int, input().split())))"
BROKEN: Final = "int main() { return x; }"
UNDECLARED: Final = "was not declared in this scope"


def ask(server: Server, path: str, body: object = None, method: str = "POST", **options: Any) -> httpx.Response:
    sent: dict[str, Any] = {} if body is None else {"json": body}
    return httpx.request(method, f"{server.url}/api/v2/{path}", **sent, verify=False, timeout=60, **options)


def body(code: str, language: str = "python", **more: object) -> dict[str, Any]:
    return {"language": language, "version": "*", "files": [{"content": code}], **more}


def executed(server: Server, asked: dict[str, Any]) -> dict[str, Any]:
    """What comes of it; anything but 200 fails the test."""
    answer = ask(server, "execute", asked)
    assert answer.status_code == 200, answer.text
    seen: dict[str, Any] = answer.json()
    return seen


# By hand


@pytest.mark.parametrize("slash", ["", "/"])
def test_what_can_be_run(server: Server, slash: str) -> None:
    """As runtimes, and as packages that are all there."""
    runtimes = {each["language"]: each for each in ask(server, f"runtimes{slash}", method="GET").json()}
    assert runtimes["python"] == {"language": "python", "version": "3.13.0", "aliases": ["py", "python3", "py3"]}
    assert runtimes["c++"] == {"language": "c++", "version": "14.0.0", "aliases": ["cpp", "g++"]}
    packages = ask(server, f"packages{slash}", method="GET").json()
    assert {"language": "python", "language_version": "3.13.0", "installed": True} in packages


def test_files_arguments_and_limits(server: Server) -> None:
    """The program is the first text; what is asked for holds where it is less than the policy has."""
    files = [
        {"name": "d/a.bin", "content": "AP8=", "encoding": "base64"},
        {"name": "any.py", "content": "import sys, b; print(sys.argv[1:], open('d/a.bin', 'rb').read(), b.c, end='')"},
        {"name": "b.py", "content": "c = 5"},
    ]
    times, memory = {"run_timeout": 3000, "compile_timeout": 10000}, {"run_memory_limit": 10**8}
    seen = executed(server, body("") | times | memory | {"files": files, "args": ["1", "x y"]})
    assert list(seen) == ["run", "language", "version", "limits"]
    assert (seen["run"]["stdout"], seen["run"]["code"]) == ("['1', 'x y'] b'\\x00\\xff' 5", 0)
    kept = {"compile_timeout": None, "run_timeout": 2000, "run_cpu_time": None, "run_memory_limit": 10**8}
    assert seen["limits"] == kept


def test_less_time_is_kept(server: Server) -> None:
    """And told as Piston tells it."""
    run = executed(server, body("while True: pass", run_timeout=300))["run"]
    assert (run["status"], run["message"]) == ("TO", "Time limit exceeded (wall clock)")
    assert (run["code"], run["signal"]) == (None, "SIGKILL")
    assert 300 <= run["wall_time"] < 2000


def test_refusals_are_in_its_words(server: Server) -> None:
    """Whatever is wrong, a client finds a message."""
    slow = {"Content-Type": "text/plain"}
    answers = [
        ask(server, "execute", {"language": "python"}),
        ask(server, "execute", body("", language="cobol")),
        ask(server, "execute", body("x" * 65537)),
        ask(server, "execute", content=b"{", headers={"Content-Type": "application/json"}),
        ask(server, "execute", content=b"{}", headers=slow),
        ask(server, "execute/", headers={"Origin": "https://other.example"}),
        ask(server, "execute", method="GET"),
        ask(server, "packages", {"language": "c", "version": "*"}),
        ask(server, "nothing", method="GET"),
    ]
    assert [each.status_code for each in answers] == [400, 400, 400, 400, 415, 403, 405, 405, 404]
    assert [list(each.json()) for each in answers] == [["message"]] * len(answers)
    messages = [each.json()["message"] for each in answers]
    assert messages[:2] == ["version is required as a string", "cobol-* runtime is unknown"]
    assert (messages[4], messages[8]) == ("requests must be of type application/json", "Not Found")
    assert [each.headers.get("allow") for each in answers[6:]] == ["POST", "GET", None]


def test_a_run_is_recorded(server: Server) -> None:
    """With the API that was spoken."""
    executed(server, body("print('recorded by piston')"))
    lines = map(json.loads, (server.log.parent / "audit.jsonl").read_text().splitlines())
    assert "piston" in {line.get("api") for line in lines}


# By its clients


def ultra(server: Server) -> Any:
    return PistonClient(base_url=f"{server.url}/api/v2", rate_limit=0)


def test_ultra_piston(server: Server) -> None:
    """One run, one that does not compile, one refusal, and what there is."""
    client = ultra(server)
    assert {each.language for each in client.get_runtimes()} >= {"python", "c++"}
    assert all(each.installed for each in client.get_packages())
    ran = client.post_execute(language="py", version="3.x", file=File(content=PROGRAM), stdin="1 2 3")
    assert (ran.run.stdout, ran.run.code, ran.version, ran.compile) == ("6\n", 0, "3.13.0", None)
    failed = client.post_execute(language="c++", version="*", file=File(content=BROKEN))
    assert failed.run == type(failed.run)(**failed.compile.model_dump())
    assert UNDECLARED in failed.run.stderr
    with pytest.raises(BadRequestError):
        client.post_execute(language="python", version="2.7", file=File(content=PROGRAM))


def test_ultra_piston_hears_of_the_rate_limit(limited: Server) -> None:
    """By an error of its own."""
    with pytest.raises(TooManyRequestsError):
        ultra(limited).post_execute(language="py", version="*", file=File(content=""))


async def pystons(server: Server, *asked: tuple[str, str]) -> list[Any]:
    """What aiopyston makes of programs: its output, or its error."""
    client = pyston.PystonClient(base_url=f"{server.url}/api/v2/")
    calls = [client.execute(language, [pyston.File(code)]) for language, code in asked]
    seen = await asyncio.gather(client.languages(), *calls, return_exceptions=True)
    await client.close_session()
    kept = [each.with_traceback(None) if isinstance(each, Exception) else each for each in seen]
    del client, seen
    await asyncio.sleep(0)  # it closes once more when it is forgotten, which must not be later
    return kept


@pytest.mark.filterwarnings("ignore:verify_ssl is deprecated")
def test_aiopyston(server: Server, limited: Server) -> None:
    """The same; it ends its addresses by a slash, and its errors must be JSON."""
    languages, ran, failed, refused = asyncio.run(
        pystons(server, ("python", "print(5)"), ("cpp", BROKEN), ("cobol", ""))
    )
    assert languages >= {"python", "c++"}
    assert (ran.run_stage.output, ran.run_stage.code, ran.success) == ("5\n", 0, True)
    assert UNDECLARED in failed.compile_stage.output
    assert (type(refused), str(refused)) == (ExecutionError, "cobol-* runtime is unknown")
    _, later = asyncio.run(pystons(limited, ("python", "")))
    assert isinstance(later, TooManyRequests)


# /connect


@contextmanager
def connected(server: Server, *messages: object) -> Iterator[ClientConnection]:
    """A connection on which these have been sent."""
    with connect(f"ws://127.0.0.1:{server.port}/api/v2/connect") as client:
        for message in messages:
            client.send(json.dumps(message))
        yield client


def typed(text: str) -> dict[str, str]:
    return {"type": "data", "stream": "stdin", "data": text}


def hear_until(client: ClientConnection, text: str) -> list[dict[str, Any]]:
    """What comes until a program has said this."""
    heard = [json.loads(client.recv(timeout=20))]
    while text not in said(heard):
        heard.append(json.loads(client.recv(timeout=20)))
    return heard


def hear_out(client: ClientConnection) -> tuple[list[dict[str, Any]], int, str]:
    """All that is left to hear, and the code and the reason of the close."""
    heard = []
    try:
        while True:
            heard.append(json.loads(client.recv(timeout=20)))
    except ConnectionClosed:
        return heard, client.close_code or 0, client.close_reason or ""


def said(heard: list[dict[str, Any]]) -> str:
    return "".join(each["data"] for each in heard if each["type"] == "data")


def init(code: str, language: str = "python", **more: object) -> dict[str, Any]:
    return {"type": "init", **body(code, language), **more}


def test_a_conversation(server: Server) -> None:
    """The program's words alone come back, not what was typed; and how it ended."""
    code = "import sys\nname = input('name? ')\nprint('hello', name, sys.argv[1])\nsys.exit(3)"
    with connected(server, init(code, args=["x"])) as client:
        begun = hear_until(client, "name? ")
        assert begun[:2] == [
            {"type": "runtime", "language": "python", "version": "3.13.0"},
            {"type": "stage", "stage": "run"},
        ]
        client.send(json.dumps(typed("Ada\n")))
        heard, *closed = hear_out(client)
    assert said(heard) == "hello Ada x\n"
    assert heard[-1] == {"type": "exit", "stage": "run", "code": 3, "signal": None}
    assert closed == [4999, "Job Completed"]


def test_what_does_not_compile_is_not_run(server: Server) -> None:
    """The stage that there was ends."""
    with connected(server, init(BROKEN, "c++")) as client:
        heard, *closed = hear_out(client)
    assert [each.get("stage") for each in heard if each["type"] != "data"] == [None, "compile", "compile"]
    assert UNDECLARED in said(heard)
    assert (heard[-1]["type"], heard[-1]["code"], closed[0]) == ("exit", 1, 4999)


WAITS: Final = """
import os, signal, time
signal.signal(signal.SIGINT, lambda *_: os.write(1, b'interrupted\\n'))  # print may not interrupt a print
print('waits', flush=True)
while True: time.sleep(1)
"""


def test_signals(server: Server) -> None:
    """A terminal's keys reach the program; SIGKILL ends the run; nothing of it is left."""
    with connected(server, init(WAITS)) as client:
        hear_until(client, "waits")
        client.send(json.dumps({"type": "signal", "signal": "SIGWINCH"}))
        client.send(json.dumps({"type": "signal", "signal": "SIGINT"}))
        hear_until(client, "interrupted")
        client.send(json.dumps({"type": "signal", "signal": "SIGKILL"}))
        heard, *closed = hear_out(client)
    assert heard[-1] == {"type": "exit", "stage": "run", "code": None, "signal": "SIGKILL"}
    assert closed == [4999, "Job Completed"]
    assert eventually(lambda: not server.jobs())


@pytest.mark.parametrize(
    ("messages", "code", "reason"),
    [
        ([], 4001, "Initialization Timeout"),
        ([typed("x")], 4003, "Not yet initialized"),
        ([init(WAITS), init(WAITS)], 4000, "Already Initialized"),
        ([init(WAITS), {"type": "data", "stream": "stdout", "data": ""}], 4004, "Can only write to stdin"),
        ([init(WAITS), {"type": "signal", "signal": "SIGUSR1"}], 4005, "Invalid signal"),
        ([init("", "cobol")], 4002, "Notified Error"),
        (["no object"], 4002, "Notified Error"),
    ],
)
def test_what_closes_a_connection(server: Server, messages: list[object], code: int, reason: str) -> None:
    """Each has its code; an error is told before."""
    with connected(server, *messages) as client:
        heard, *closed = hear_out(client)
    assert closed == [code, reason]
    errors = [each["message"] for each in heard if each["type"] == "error"]
    assert len(errors) == (code == 4002)
    assert eventually(lambda: not server.jobs())


def test_who_has_nothing_left_is_told(limited: Server) -> None:
    """As of any error."""
    with connected(limited) as client:
        heard, *closed = hear_out(client)
    assert [each["type"] for each in heard] == ["error"]
    assert "runs per" in heard[0]["message"]
    assert closed == [4002, "Notified Error"]
