"""The client for Python, blocking and for asyncio, against a server that has keys and little patience."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, ClassVar, Final

import pytest

from runner import client
from runner.client import AsyncClient, Client, Event, NoAnswer, Refused, Retry
from runner.policy import keys
from tests.harness import PATIENT, Server, eventually, free_port, serving, sleeper
from tests.mcp.conversation import runs

KEY: Final = f"{keys.PREFIX}{'1' * (2 * keys.BYTES)}"
TEXT: Final = f"""\
required = false
[keys.alice]
sha256 = "{keys.digest(KEY)}"
rate-limit = "1000 per 1 minute"
languages = ["*"]
"""
SUM: Final = "print(sum(map(int, input().split())))"


@pytest.fixture(scope="module")
def server(engine: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One program at a time, and two in two seconds, but for who has a key."""
    little = {"rate_limit": "2 per 2 seconds", "running": 1, "waiting_time": 1.0}
    with serving(tmp_path_factory.mktemp("client"), keys=TEXT, edit=PATIENT, **little) as running:  # type: ignore[arg-type]
        yield running


class Blocking:
    """``AsyncClient`` with the methods of ``Client``: each in a loop of its own."""

    def __init__(self, *args: Any, **more: Any) -> None:
        self._open: Callable[[], AsyncClient] = lambda: AsyncClient(*args, **more)

    def __enter__(self) -> "Blocking":
        return self

    def __exit__(self, *_: object) -> None:
        """There is nothing to close."""

    def run(self, *args: Any, **more: Any) -> Mapping[str, Any]:
        """As there."""
        report: Mapping[str, Any] = self._all(lambda opened: opened.run(*args, **more))
        return report

    def languages(self) -> Any:
        """As there."""
        return self._all(lambda opened: opened.languages())

    def stream(self, *args: Any, **more: Any) -> list[Event]:
        """All events."""

        async def read(opened: AsyncClient) -> list[Event]:
            return [event async for event in opened.stream(*args, **more)]

        events: list[Event] = self._all(read)
        return events

    def _all(self, work: Callable[[AsyncClient], Awaitable[Any]]) -> Any:
        async def once() -> Any:
            async with self._open() as opened:
                return await work(opened)

        return asyncio.run(once())


KINDS: Final = [Client, Blocking]
Kind = type[Client] | type[Blocking]


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_and_its_events(server: Server, kind: Kind) -> None:
    """With all that a request has; a key goes along."""
    with kind(server.url, key=KEY) as runner:
        assert [each["language"] for each in runner.languages()] == ["python"]
        assert runner.run("python", SUM, input="1 2 3")["stdout"] == "6\n"
        code = "import sys\nprint(open('a').read(), sys.argv[1:], sys.stdin.buffer.read())\nraise SystemExit(3)"
        report = runner.run("python", code, input=b"\xff", files={"a": b"\xfe"}, args=["x y"])
        assert (report["reason"], report["exit_code"]) == ("exit_code", 1)
        report = runner.run("python", code, input=b"\xff", files={"a": "text"}, args=["x y"])
        assert (report["stdout"], report["exit_code"]) == ("text ['x y'] b'\\xff'\n", 3)
        several = runner.run("python", SUM, inputs=["1", b"2"], base64=True)
        assert [run["stdout"] for run in several["results"]] == ["MQo=", "Mgo="]
        events = list(runner.stream("python", "print('é')"))
        assert events[0].data["phase"] == "queued"  # and again, where the last container is not gone yet
        _, output, result = (event for event in events if event.data.get("phase") != "queued")
        assert (output.name, output.data) == ("stdout", {"text": "é\n"})
        assert (result.name, result.data["reason"]) == ("result", "completed")
        with pytest.raises(Refused) as refused:
            runner.run("python", "", env={"PATH": "/"})
        assert (refused.value.status, refused.value.title, refused.value.seconds) == (400, "Bad request", None)
        with pytest.raises(Refused, match=r"Unknown language: `language` must be one of python\."):
            list(runner.stream("cobol", ""))
    with kind(server.url, key="wrong") as runner, pytest.raises(Refused, match="No valid key: "):
        runner.run("python", "")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("way", ["run", "stream"])
def test_it_comes_again_when_the_service_says(server: Server, kind: Kind, way: str) -> None:
    """And tells so; at most so often, and so long."""
    told: list[tuple[float, int]] = []
    retry = Retry(told=lambda seconds, refused: told.append((seconds, refused.status)))
    with kind(server.url, retry=retry) as runner:
        for _ in range(3):
            found = getattr(runner, way)("python", SUM, input="1 2 3")
            report = found if way == "run" else list(found)[-1].data
            assert report["stdout"] == "6\n"
    assert told
    assert {status for _, status in told} == {429}
    assert all(1 <= seconds <= 2 for seconds, _ in told)


@pytest.mark.parametrize("retry", [Retry(tries=1), Retry(seconds=0.5)])
def test_it_does_not_come_again_for_ever(server: Server, retry: Retry) -> None:
    """What was refused is raised, with when it might go."""
    with Client(server.url, retry=retry) as runner, pytest.raises(Refused) as refused:
        [runner.run("python", SUM, input="1") for _ in range(3)]
    assert (refused.value.status, refused.value.title) == (429, "Rate limit reached")
    assert refused.value.seconds in (1, 2)


def test_it_comes_again_to_a_busy_server(server: Server) -> None:
    """Also after it has waited in the line: nothing had run."""
    told: list[int] = []

    async def both() -> list[Event]:
        retry = Retry(tries=20, told=lambda _, refused: told.append(refused.status))
        async with AsyncClient(server.url, key=KEY, retry=retry) as runner:
            slow = asyncio.create_task(runner.run("python", "import time\nprint(1)\ntime.sleep(2)"))
            assert await asyncio.to_thread(eventually, lambda: server.running() == 1)
            found = [event async for event in runner.stream("python", SUM, input="1 2 3")]
            assert (await slow)["stdout"] == "1\n"
            return found

    events = asyncio.run(both())
    assert events[-1].data["stdout"] == "6\n"
    assert told
    assert set(told) == {503}
    assert sum(event.data.get("phase") == "queued" for event in events) > 1


def test_waits_that_nobody_has_asked_for_grow() -> None:
    """Where there is no Retry-After; and what is no matter of time is not tried again."""
    attempts = client._Attempts(Retry(tries=4))
    busy = Refused(503, "Busy", "Wait.")
    assert [attempts.pause(busy) for _ in range(3)] == [1, 2, 4]
    with pytest.raises(Refused):
        attempts.pause(busy)
    with pytest.raises(Refused):
        client._Attempts(Retry()).pause(Refused(400, "Bad request", "No."))


def test_a_problem_ends_a_stream() -> None:
    """As an exception; a comment between two events is nothing."""
    events = client._Events()
    lines = [": still here", "", "event: phase", 'data: {"phase":"queued"}', ""]
    found = [event for line in lines if (event := events.take(line))]
    assert [(event.name, event.ran) for event in found] == [("phase", False)]
    problem = '{"status": 503, "title": "Busy", "detail": "Wait."}'
    with pytest.raises(Refused, match=r"Busy: Wait\."):
        [events.take(line) for line in ("event: problem", f"data: {problem}", "")]


def test_who_stops_reading_stops_the_program(server: Server) -> None:
    """Blocking, and for asyncio."""
    mark = sleeper()
    code = f"import os\nprint(1, flush=True)\nos.system({mark!r})"
    with Client(server.url, key=KEY) as runner:
        for event in runner.stream("python", code):
            if event.name == "stdout":
                break
        assert eventually(lambda: not runs(mark))

    async def reads() -> None:
        async with AsyncClient(server.url, key=KEY) as runner:
            task = asyncio.create_task(anext(e async for e in runner.stream("python", code) if e.name == "result"))
            assert await asyncio.to_thread(eventually, lambda: runs(mark))
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    asyncio.run(reads())
    assert eventually(lambda: not runs(mark))


class Breaks(BaseHTTPRequestHandler):
    """Reads a request, and is gone; the second time it answers."""

    keys: ClassVar[list[str | None]] = []

    def do_POST(self) -> None:
        """The connection is closed without an answer."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self.keys.append(self.headers["Idempotency-Key"])
        if len(self.keys) == 2:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"reason": "completed"}')

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.mark.parametrize("kind", KINDS)
def test_a_broken_connection(kind: Kind) -> None:
    """With a key it is tried again, with the same one; without it is not known what ran."""
    Breaks.keys.clear()
    told: list[str] = []
    retry = Retry(told=lambda seconds, error: told.append(f"{seconds:g} {error.title}"))
    with HTTPServer(("127.0.0.1", 0), Breaks) as server:
        threading.Thread(target=server.serve_forever).start()
        with kind(f"http://127.0.0.1:{server.server_port}", retry=retry) as runner:
            assert runner.run("python", "", idempotency_key='a"b') == {"reason": "completed"}
            with pytest.raises(NoAnswer):
                runner.run("python", "")
        server.shutdown()
    assert Breaks.keys == [r'"a\"b"', r'"a\"b"', None]
    assert told == ["1 No answer"]


@pytest.mark.parametrize("kind", KINDS)
def test_nobody_there(kind: Kind) -> None:
    """An error of its own, whatever is asked."""
    with kind(f"http://127.0.0.1:{free_port()}") as runner:
        for ask in (runner.languages, lambda: runner.run("python", ""), lambda: list(runner.stream("python", ""))):
            with pytest.raises(NoAnswer, match="The server does not answer"):
                ask()


class Page(BaseHTTPRequestHandler):
    """Another server's answer."""

    def do_GET(self) -> None:
        """Some page."""
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<html>")

    def log_message(self, *_: object) -> None:
        """Says nothing."""


def test_another_server() -> None:
    """Is taken for what it is."""
    with HTTPServer(("127.0.0.1", 0), Page) as page:
        threading.Thread(target=page.handle_request).start()
        with (
            Client(f"http://127.0.0.1:{page.server_port}") as runner,
            pytest.raises(Refused, match="is the address right"),
        ):
            runner.languages()
