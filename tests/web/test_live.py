"""Output while it happens, and programs that ask questions: over real connections, with real containers."""

import hashlib
import json
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from itertools import groupby
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tests.harness import EVENTS, FOREVER, PATIENT, Server, eventually, gone, hear, hear_out, holding, serving

SLEEP = {"language": "python", "code": "import time; time.sleep(1); print('done')"}
FLOOD = {"language": "python", "code": "while True: print('x' * 999)"}


@pytest.fixture(autouse=True)
def nothing_left(server: Server) -> Iterator[None]:
    """After each: no process of a program."""
    yield
    assert eventually(lambda: not server.jobs()), server.jobs()


def stream(server: Server, body: object) -> Iterator[tuple[float, str, dict[str, Any]]]:
    """Events as they arrive: seconds since the request, name, data."""
    began, name = time.monotonic(), ""
    with httpx.stream("POST", f"{server.url}/run", json=body, headers=EVENTS, timeout=60, verify=False) as answer:
        assert answer.status_code == 200, answer.read()
        assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-accel-buffering"] == "no"
        for line in answer.iter_lines():
            field, _, value = line.partition(": ")
            if field == "event":
                name = value
            elif field == "data":
                yield time.monotonic() - began, name, json.loads(value)


def events(server: Server, body: object) -> list[tuple[str, dict[str, Any]]]:
    """All events of a run."""
    return [(name, data) for _, name, data in stream(server, body)]


def said(seen: list[tuple[str, dict[str, Any]]], name: str) -> str:
    return "".join(data["text"] for kind, data in seen if kind == name)


def phases(seen: list[tuple[str, dict[str, Any]]]) -> list[object]:
    """What was entered; who waits hears of the line more than once."""
    told = [data.get("run", data["phase"]) for kind, data in seen if kind == "phase"]
    return [name for name, _ in groupby(told)]


def without_times(result: dict[str, Any]) -> dict[str, Any]:
    """What two runs of one program have in common."""
    return {k: v for k, v in result.items() if k not in ("id", "command", "times", "peak_memory")}


# Server-sent events


def test_output_arrives_while_the_program_runs(server: Server) -> None:
    """Each line when it is printed, and the result at the end, the same as without events."""
    code = (
        "import sys, time\nfor i in range(3):\n    sys.stdout.write(f'é {i}\\n')\n    time.sleep(0.3)\nsys.exit('bad')"
    )
    seen = list(stream(server, {"language": "python", "code": code}))
    first, second, third = (when for when, name, _ in seen if name == "stdout")
    assert min(second - first, third - second) > 0.1
    assert third < seen[-1][0] - 0.2
    plain = [(name, data) for _, name, data in seen]
    assert phases(plain) == ["queued", 1]
    assert (said(plain, "stdout"), said(plain, "stderr")) == ("é 0\né 1\né 2\n", "bad\n")
    name, result = plain[-1]
    assert name == "result"
    assert without_times(result) == without_times(server.run("python", code))


def test_a_character_is_never_cut(server: Server) -> None:
    """Though its bytes are written apart."""
    code = (
        "import os, time\nfor b in 'é€'.encode():\n    os.write(1, bytes([b])); time.sleep(0.06)\nos.write(1, b'\\xff')"
    )
    texts = [data["text"] for name, data in events(server, {"language": "python", "code": code}) if name == "stdout"]
    assert texts == ["é", "€", "\ufffd"]


def test_compiling_is_a_phase_of_its_own(server: Server) -> None:
    """With the compiler's words in it; then come the runs, by their number."""
    code = "#warning careful\n#include <iostream>\nint main() { int n; std::cin >> n; std::cout << 2 * n; }"
    seen = events(server, {"language": "cpp", "code": code, "inputs": ["1", "2"]})
    assert phases(seen) == ["queued", "compile", 1, 2]
    result = seen[-1][1]
    assert "main.cpp:1:2: warning" in said(seen, "stderr")
    assert said(seen, "stderr") == result["compile_output"]
    assert [data["text"] for name, data in seen if name == "stdout"] == ["2", "4"]
    assert [run["stdout"] for run in result["results"]] == ["2", "4"]


def test_what_does_not_compile_is_not_run(server: Server) -> None:
    """There is no run, and the errors are on stderr, as in the result."""
    seen = events(server, {"language": "cpp", "code": "int main() { return x; }"})
    assert phases(seen) == ["queued", "compile"]
    assert said(seen, "stderr") == seen[-1][1]["stderr"] != ""
    assert seen[-1][1]["reason"] == "compile_error"


def test_the_limits_are_the_same(server: Server) -> None:
    """Time and output; of a flood what is kept is sent, in few events, and no more."""
    seen = events(server, FLOOD)
    assert seen[-1][1]["reason"] == "output_limit"
    assert said(seen, "stdout") == seen[-1][1]["stdout"]
    assert len(said(seen, "stdout")) == 65536
    assert len(seen) < 40
    seen = events(server, {"language": "python", "code": "print(1)\nimport time; time.sleep(99)"})
    assert (said(seen, "stdout"), seen[-1][1]["reason"]) == ("1\n", "wall_time")


def test_a_timeout_of_one_run_is_not_the_end(server: Server) -> None:
    """The next begins; what the first wrote until it was killed is in no event of the next, and in no result."""
    code = "n = input()\nprint(n)\nwhile n == 'a': print('x', end='') if len(n) > 9 else None"
    seen = events(server, {"language": "python", "code": code, "inputs": ["a", "b"]})
    assert phases(seen) == ["queued", 1, 2]
    assert said(seen, "stdout") == "a\nb\n"
    assert [run["reason"] for run in seen[-1][1]["results"]] == ["wall_time", "completed"]


def test_a_byte_at_a_time_is_not_an_event_each(server: Server) -> None:
    """They are sent together, 50 times a second at most."""
    code = "import os\nfor _ in range(5000): os.write(1, b'x')"
    seen = list(stream(server, {"language": "python", "code": code}))
    assert said([(name, data) for _, name, data in seen], "stdout") == "x" * 5000
    assert sum(name == "stdout" for _, name, _ in seen) < 5 + 50 * seen[-1][0]


def test_refusals_keep_their_status(server: Server) -> None:
    """Before the stream there is none."""
    for body, status in (({}, 400), ({"language": "x", "code": ""}, 422), ({**SLEEP, "code": "#" * 65537}, 413)):
        answer = server.post(body, headers=EVENTS)
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")


def test_a_client_that_leaves_stops_its_program(server: Server) -> None:
    """Long before the time limit."""
    seen = stream(server, FOREVER)
    assert next(seen)[2]["phase"] == "queued"
    assert next(data for _, _, data in seen if data["phase"] != "queued") == {"phase": "run", "run": 1}
    assert eventually(lambda: bool(server.jobs()))
    seen.close()  # type: ignore[attr-defined]
    assert eventually(lambda: not server.jobs(), 1.9)


def job_of(server: Server, code: str) -> str:
    """The name of the container that was given this source, or nothing yet."""
    lines = (server.log.parent / "audit.jsonl").read_text().split("\n")[:-1]
    source = f'"source":{{"sha256":"{hashlib.sha256(code.encode()).hexdigest()}"'
    return next((json.loads(line)["job"] for line in lines if source in line), "")


def test_a_slow_reader_holds_nothing_back(server: Server) -> None:
    """The program runs to its end at its own pace; what was kept is there for whoever reads at last."""
    code = "print('x' * 60000)\nprint('a slow reader')"
    body = {"language": "python", "code": code, "inputs": [""] * 40}
    sent = json.dumps(body).encode()
    head = f"POST /run HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(sent)}\r\n"
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", server.port))
        client.sendall(f"{head}Accept: text/event-stream\r\nConnection: close\r\n\r\n".encode() + sent)
        assert eventually(lambda: job_of(server, code) != "")
        assert gone(job_of(server, code)), "its container waits for the client"
        answer = b"".join(iter(lambda: client.recv(2**20), b""))
    assert answer.count(b"event: result") == 1
    assert answer.count(b"x" * 60000) == 40  # in the result; in events it comes in pieces


def test_who_waits_sees_it_and_who_waits_too_long_is_told(tmp_path: Path) -> None:
    """A line that does not move is a problem at the end of the stream, and a 503 without one."""
    with serving(tmp_path, running=1, waiting_time=0.5, edit=PATIENT) as server:
        assert eventually(lambda: server.idle() == 1, 20)
        with holding(server):
            (name, queued), (last, problem) = events(server, SLEEP)
            assert (name, queued["phase"], queued["place"], last) == ("phase", "queued", 1, "problem")
            detail = "No place was free within 0.5 s. Try again shortly."
            assert problem == {"type": "urn:code-runner:busy", "title": "Busy", "status": 503, "detail": detail}
            refused = server.post(SLEEP)
            assert (refused.status_code, refused.json()["detail"]) == (503, detail)


# WebSocket


@contextmanager
def talking(server: Server, first: object = None, **options: Any) -> Iterator[ClientConnection]:
    """A connection on which the first message has been sent."""
    with connect(f"ws://127.0.0.1:{server.port}/run/live", **options) as client:
        if first is not None:
            client.send(json.dumps(first))
        yield client


def say(client: ClientConnection, message: object) -> None:
    client.send(json.dumps(message))


ASK = "name = input('name? ')\nprint('hello', name)\nage = input('age? ')\nprint(int(age) + 1)"


@pytest.mark.parametrize("language", ["python", "cpp"])
def test_a_question_is_answered(server: Server, language: str) -> None:
    """The program waits for what the client types, and shows it as a terminal does."""
    cpp = (
        '#include <iostream>\nint main() { std::string n; int a; std::cout << "name? "; std::cin >> n;'
        ' std::cout << "hello " << n << "\\nage? "; std::cin >> a; std::cout << a + 1 << "\\n"; }'
    )
    with talking(server, {"language": language, "code": ASK if language == "python" else cpp}) as client:
        heard: list[tuple[str, Any]] = []
        while said(heard, "stdout") != "name? ":
            heard.append(hear(client))
        say(client, {"input": "Zoë\r"})
        while not said(heard, "stdout").endswith("hello Zoë\r\nage? "):
            heard.append(hear(client))
        say(client, {"input": "41\r"})
        rest, code = hear_out(client)
    heard += rest
    assert phases(heard) == (["queued", 1] if language == "python" else ["queued", "compile", 1])
    assert heard[-1][0] == "result"
    assert heard[-1][1]["stdout"] == said(heard, "stdout") == "name? Zoë\r\nhello Zoë\r\nage? 41\r\n42\r\n"
    assert (heard[-1][1]["status"], code) == ("success", 1000)


def test_the_input_can_begin_and_end(server: Server) -> None:
    """Some of it comes with the program, the rest later; ``end`` is its end, also in the middle of a line."""
    code = (
        "import sys, termios as t\nm = t.tcgetattr(0); m[3] &= ~t.ECHO; t.tcsetattr(0, 0, m)\nprint([sys.stdin.read()])"
    )
    with talking(server, {"language": "python", "code": code, "input": "a"}) as client:
        for word in ("b", "", "ć"):
            say(client, {"input": word})
        say(client, {"end": True})
        heard, closed = hear_out(client)
    assert (heard[-1][1]["stdout"].removeprefix("abć"), closed) == ("['abć']\r\n", 1000)


def test_the_end_of_the_program_does_not_wait_for_input(server: Server) -> None:
    """Nobody need send an end."""
    with talking(server, {"language": "python", "code": "print(1)"}) as client:
        heard, code = hear_out(client)
    assert (heard[-1][1]["stdout"], code) == ("1\r\n", 1000)


def screen(server: Server, code: str, *typed: object, **first: object) -> dict[str, Any]:
    """The result of a live run: each time that it has shown a `?` more, the next message is sent."""
    with talking(server, {"language": "python", "code": code, **first}) as client:
        shown = ""
        for number, message in enumerate(typed, 1):
            while shown.count("?") < number:
                name, data = hear(client)
                shown += data["text"] if name == "stdout" else ""
            say(client, message)
        heard, closed = hear_out(client)
    assert (heard[-1][0], closed) == ("result", 1000)
    result: dict[str, Any] = heard[-1][1]
    assert result["stdout"] == shown + said(heard, "stdout")
    assert result["stderr"] == ""
    return result


def test_a_live_run_has_a_terminal(server: Server) -> None:
    """All three streams are the one that controls it, of the size that was asked for."""
    code = (
        "import os, sys\nprint([os.isatty(n) for n in range(3)], os.ttyname(0) == os.ttyname(2))\n"
        "print(os.get_terminal_size())\n"
        "print(os.tcgetpgrp(0) == os.getpgrp() == os.getsid(0) == os.getpid(), file=sys.stderr)"
    )
    assert screen(server, code, size=[100, 30])["stdout"] == (
        "[True, True, True] True\r\nos.terminal_size(columns=100, lines=30)\r\nTrue\r\n"
    )
    assert "columns=80, lines=24" in screen(server, code)["stdout"]


WAIT: Final = (
    "import os, signal\nsignals = {signal.SIGINT, signal.SIGWINCH}\nsignal.pthread_sigmask(signal.SIG_BLOCK, signals)\n"
    "print('?', flush=True)\nprint(signal.sigwait(signals).name, *os.get_terminal_size())\n"
)
"""Whatever comes after the sign is seen, however soon it comes: a handler could run before the wait has begun."""


def test_a_terminal_changes_its_size(server: Server) -> None:
    """And its program is told."""
    assert screen(server, WAIT, {"size": [33, 44]})["stdout"] == "?\r\nSIGWINCH 33 44\r\n"


def test_ctrl_c_and_ctrl_d_are_what_they_are_on_a_terminal(server: Server) -> None:
    """An interrupt, which a program may catch, and the end of its input."""
    assert screen(server, WAIT, {"input": "\3"})["stdout"] == "?\r\n^CSIGINT 80 24\r\n"
    code = "import signal, time\nsignal.signal(signal.SIGINT, signal.SIG_DFL)\nprint('?')\ntime.sleep(9)"
    result = screen(server, code, {"input": "\3"})
    assert (result["reason"], result["signal"]) == ("signal", "SIGINT")
    assert screen(server, "try: input('?')\nexcept EOFError: print('end')", {"input": "\4"})["stdout"] == "?end\r\n"


def test_a_line_can_be_edited_and_a_password_is_not_shown(server: Server) -> None:
    """Erase takes a whole character; getpass turns the echo off."""
    code = "import getpass\nprint(repr(input('?')), len(getpass.getpass('?')))"
    result = screen(server, code, {"input": "aé\x7fb\r"}, {"input": "secret\r"})
    assert result["stdout"] == "?aé\b \bb\r\n?\r\n'ab' 6\r\n"


def test_waiting_for_a_person_is_not_running(server: Server) -> None:
    """Longer than any other program may take; all figures are told."""
    with talking(server, {"language": "python", "code": "print(input('?'))"}) as client:
        while hear(client) != ("stdout", {"text": "?"}):
            pass
        time.sleep(2.5)
        say(client, {"input": "here\r"})
        result = hear_out(client)[0][-1][1]
    assert (result["status"], result["stdout"]) == ("success", "?here\r\nhere\r\n")
    assert result["times"]["wall"] > 2.5
    assert 0 < result["times"]["cpu"] < 1


def test_running_is_limited_as_for_any_other_program(server: Server) -> None:
    """By its CPU time, and that of its children."""
    result = screen(server, "import os\nos.fork()\nwhile True: pass")
    assert (result["status"], result["reason"], result["exit_code"], result["signal"]) == (
        "timeout",
        "cpu_time",
        None,
        None,
    )
    assert 2.0 <= result["times"]["cpu"] < 3.0


def test_a_flood_ends_a_live_run(server: Server) -> None:
    """The limit of output is that of any other run."""
    result = screen(server, "while True: print('x' * 99)")
    assert (result["reason"], result["truncated"]["stdout"], len(result["stdout"])) == ("output_limit", True, 65536)


def test_a_live_run_does_not_wait_for_ever(tmp_path: Path) -> None:
    """It has a limit of its own."""
    edit = {"python.toml": ("live-time    = 60.0", "live-time    = 1.5")}
    with serving(tmp_path, edit=edit) as impatient:
        result = screen(impatient, "print('?')\ninput()")
    assert (result["status"], result["reason"], result["stdout"]) == ("timeout", "wall_time", "?\r\n")
    assert 1.5 <= result["times"]["wall"] < 3.5


def test_live_runs_cannot_starve_the_others(tmp_path: Path) -> None:
    """So many at a time; one more is refused at once, and who runs programs does not notice."""
    with serving(tmp_path, running=1, live=2) as server, ExitStack() as open_ones:
        for _ in range(2):
            client = open_ones.enter_context(talking(server, {"language": "python", "code": "input('?')"}))
            while hear(client) != ("stdout", {"text": "?"}):
                pass
        assert server.run("python", "print(1)")["stdout"] == "1\n"
        with talking(server, GOOD) as one_more:
            heard, code = hear_out(one_more)
    told = (heard[-1][1]["title"], heard[-1][1]["detail"], code)
    assert told == ("Busy", "2 live runs go on already. Try again shortly.", 1013)


def test_a_closed_connection_stops_the_program(server: Server) -> None:
    """Also while it reads nothing of what was sent."""
    with talking(server, FOREVER) as client:
        for _ in range(4):
            say(client, {"input": "x" * 10_000})  # its echo is output, and not too much of it
        assert eventually(lambda: bool(server.jobs()))
    assert eventually(lambda: not server.jobs())


GOOD = {"language": "python", "code": "input()"}


@pytest.mark.parametrize(
    ("messages", "status", "detail"),
    [
        ([b"{}"], 400, "Send text messages with JSON."),
        (["{"], 400, "This is not valid JSON in UTF-8 "),
        (["[" * 100_000], 400, "Expected `object`, got `array`. The first message is"),
        (["{}"], 400, "Object missing required field `language`. The first message is a JSON object"),
        ([json.dumps({**GOOD, "inputs": []})], 400, "Object contains unknown field `inputs`."),
        ([json.dumps({**GOOD, "language": "cobol"})], 422, "`language` must be one of cpp, python."),
        ([json.dumps({**GOOD, "code": "#" * 65537})], 413, "`code` has 65537 bytes"),
        ([json.dumps(GOOD), "nonsense"], 400, "This is not valid JSON in UTF-8 "),
        ([json.dumps(GOOD), b"\0"], 400, "Send text messages with JSON."),
        ([json.dumps(GOOD), "{}"], 400, 'A message is {"input": "text"}, {"size": [80, 24]} or {"end": true}.'),
        ([json.dumps(GOOD), '{"end": false}'], 400, "A message is"),
        ([json.dumps(GOOD), '{"end": true, "input": ""}'], 400, "A message is"),
        ([json.dumps({**GOOD, "size": [80, 0]})], 400, "Expected `int` >= 1"),
        ([json.dumps({**FOREVER, "input": "x" * 1_000_000}), json.dumps({"input": "x" * 48577})], 413, "The input has"),
    ],
    ids=range(14),
)
def test_what_is_wrong_is_told_and_ends_it(server: Server, messages: list[Any], status: int, detail: str) -> None:
    """A problem as over HTTP, then a close with 1008; the program is stopped."""
    with talking(server) as client:
        for message in messages:
            client.send(message)
        heard, code = hear_out(client)
    assert (heard[-1][0], heard[-1][1]["status"], code) == ("problem", status, 1008)
    assert heard[-1][1]["detail"].startswith(detail)


def test_a_message_that_is_too_large_is_not_kept(server: Server) -> None:
    """The connection is closed with 1009 as soon as its length is told."""
    with talking(server) as client:
        client.socket.sendall(b"\x81\xff" + (4_194_305).to_bytes(8) + b"mask")  # a text's head, and nothing of it
        assert hear_out(client) == ([], 1009)


def test_compression_is_not_agreed_on(server: Server) -> None:
    """What a client sends is as large as it looks."""
    with talking(server, compression="deflate") as client:
        assert client.response is not None
        assert "sec-websocket-extensions" not in client.response.headers


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}], ids=str)
def test_other_sites_may_not_connect(server: Server, headers: dict[str, str]) -> None:
    """A browser asks nobody before it connects: the handshake is refused, with the problem as over HTTP."""
    with pytest.raises(InvalidStatus) as refused, talking(server, additional_headers=headers):
        pass
    assert refused.value.response.status_code == 403
    assert json.loads(refused.value.response.body)["title"] == "Forbidden site"


def test_its_own_pages_may_connect(server: Server) -> None:
    """Those that were loaded from here."""
    with talking(server, {"language": "python", "code": ""}, origin=server.url) as client:
        assert hear_out(client)[1] == 1000


def test_other_paths_have_no_socket(server: Server) -> None:
    """Neither a path that is not there nor one for requests."""
    for path in ("/run", "/nope"):
        with pytest.raises(InvalidStatus), connect(f"ws://127.0.0.1:{server.port}{path}"):
            pass
    assert server.get("/run/live").status_code == 404


def test_runs_and_connections_are_limited(tmp_path: Path) -> None:
    """Live runs count as the others do; and so many may be connected; and one that says nothing is closed."""
    with serving(tmp_path, rate_limit="3 per 15 minutes", connections=2, body_time=2.0) as server:
        with talking(server) as silent, talking(server) as other:
            with pytest.raises(InvalidStatus) as refused, talking(server):
                pass
            assert refused.value.response.status_code == 503
            for client in (silent, other):
                heard, code = hear_out(client)
                assert (heard[0][1]["title"], code) == ("Request too slow", 1008)
        assert eventually(lambda: server.post({"language": "python", "code": ""}).status_code == 200, 3)
        with talking(server) as client:
            heard, code = hear_out(client)
            assert (heard[0][1]["title"], code) == ("Rate limit reached", 1013)


def test_pings_without_end_are_not_answered_without_end(server: Server) -> None:
    """A client that reads no answer is cut off: what is kept for it is bounded."""
    ping = b"\x89\xfd\0\0\0\0" + b"x" * 125
    upgrade = "GET /run/live HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    key = "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.settimeout(10)
        client.connect(("127.0.0.1", server.port))
        client.sendall((upgrade + key).encode())
        assert client.recv(4096).startswith(b"HTTP/1.1 101")
        with pytest.raises(ConnectionError):  # noqa: PT012
            for _ in range(200):
                client.sendall(ping * 1000)  # 26 MB in all


def test_a_stop_does_not_wait_for_conversations(tmp_path: Path) -> None:
    """At SIGTERM they end with 1012, at once; a stream of events gets stop-time like any request."""
    with serving(tmp_path, warm=2, stop_time=3) as server:
        assert eventually(lambda: server.idle() >= 2, 20)
        with ThreadPoolExecutor(1) as clients, talking(server, FOREVER) as client:
            seen = clients.submit(events, server, SLEEP)
            assert eventually(lambda: server.running() == 2)
            assert server.stop() < 6
            assert hear_out(client)[1] == 1012
            assert seen.result()[-1][1]["stdout"] == "done\n"
