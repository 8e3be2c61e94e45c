"""A client of this service in one file: it imports nothing else of the project, and needs httpx only.

    from runner.client import Client

    with Client("http://127.0.0.1:3000") as runner:
        report = runner.run("python", "print(input()[::-1])", input="abc")
        print(report["stdout"], report["reason"])

``AsyncClient`` is the same with ``await``. A report is the answer to ``POST /run``, as runner/web/README.md tells it: a
program that fails is no error. What is refused is a ``Refused``; 429 and 503, and the 502 and 504 of a proxy, are tried
again before, when the service says. With an ``idempotency_key`` a connection that breaks is tried again, too.
"""

import asyncio
import json
import time
from base64 import b64encode
from collections.abc import AsyncGenerator, Callable, Generator, Mapping, Sequence
from contextlib import aclosing, closing
from dataclasses import dataclass, field
from typing import Any, Final, Self, TypeAlias

import httpx

Report: TypeAlias = dict[str, Any]
Data: TypeAlias = str | bytes
"""Text, or any bytes."""
AGAIN: Final = (429, 502, 503, 504)
"""The statuses that a later try may not meet; 502 and 504 are a proxy's."""
TIMEOUT: Final = httpx.Timeout(10.0, read=120.0)
"""Seconds; an answer may wait for a place, a compiler, and all runs of its inputs."""


class Refused(Exception):
    """The service does not run this: ``str()`` says what was wrong, and what to do."""

    def __init__(self, status: int, title: str, detail: str, seconds: float | None = None) -> None:
        super().__init__(f"{title}: {detail}")
        self.status, self.title, self.detail = status, title, detail
        self.seconds = seconds
        """When to try again, if the service has said so."""


class NoAnswer(ConnectionError):
    """Nobody answers there, or not as HTTP has it, or the connection broke."""

    status: Final = 0
    title: Final = "No answer"
    seconds: Final = None


@dataclass(frozen=True, slots=True)
class Event:
    """Something that has happened to a run: ``phase``, ``stdout``, ``stderr`` or, at the end, ``result``."""

    name: str
    data: Report

    @property
    def ran(self) -> bool:
        """Whether the program, or its compiler, has begun by then: it is not run a second time."""
        return self.name != "phase" or self.data.get("phase") != "queued"


@dataclass(frozen=True, slots=True)
class Retry:
    """How long to try again what a later try may not meet."""

    tries: int = 5
    """In all."""
    seconds: float = 60.0
    """That the waits between them may take together; what would take longer is refused at once."""
    told: Callable[[float, Refused | NoAnswer], None] = field(default=lambda _, __: None)
    """Called before each wait, with its seconds and the reason."""


class _Attempts:
    """Those of one request. Mutable state: how many there were, and what they have waited."""

    def __init__(self, retry: Retry, *, safe: bool = False) -> None:
        """``safe``: whether what may have run already may be asked for again."""
        self._retry, self._safe, self._tried, self._waited = retry, safe, 0, 0.0

    def pause(self, error: Refused | NoAnswer) -> float:
        """Seconds until the next, or ``error`` where there is none."""
        self._tried += 1
        seconds = float(2 ** (self._tried - 1)) if error.seconds is None else error.seconds
        self._waited += seconds
        over = self._tried >= self._retry.tries or self._waited > self._retry.seconds
        again = error.status in AGAIN or (self._safe and isinstance(error, NoAnswer))
        if over or not again:
            raise error
        self._retry.told(seconds, error)
        return seconds


def request(
    language: str,
    code: str,
    *,
    input: Data = "",
    inputs: Sequence[Data] | None = None,
    files: Mapping[str, Data] | None = None,
    args: Sequence[str] = (),
    env: Mapping[str, str] | None = None,
    base64: bool = False,
) -> Report:
    """The body of ``POST /run``.

    ``input`` is its stdin; ``inputs`` are several, a run each, and the report then has ``results``. ``files`` lie
    beside the program, by their relative paths. ``base64``: the report has its output in base64, byte for byte.
    """
    body: Report = {"language": language, "code": code}
    if inputs is not None:
        body["inputs"] = [_sent(each) for each in inputs]
    elif input:
        sent = _sent(input)
        body |= {"input": sent} if isinstance(sent, str) else {"input_base64": sent["base64"]}
    if files:
        body["files"] = {name: _sent(data) for name, data in files.items()}
    if args:
        body["args"] = list(args)
    if env:
        body["env"] = dict(env)
    return body | ({"encoding": "base64"} if base64 else {})


def _sent(data: Data) -> str | dict[str, str]:
    """As text where it is some, for that is shorter."""
    if isinstance(data, str):
        return data
    try:
        return data.decode()
    except UnicodeDecodeError:
        return {"base64": b64encode(data).decode()}


def _checked(answer: httpx.Response) -> Report:
    """The JSON of an answer that was read; ``Refused`` where it is a problem."""
    try:
        found = answer.json()
    except ValueError:
        found = None
    if answer.status_code == 200 and isinstance(found, dict):
        return found
    told = found if isinstance(found, dict) else {}
    after = answer.headers.get("retry-after", "")
    raise Refused(
        answer.status_code,
        str(told.get("title", answer.reason_phrase)),
        str(told.get("detail", "this is no answer of a code runner; is the address right?")),
        float(after) if after.isdecimal() else None,
    )


class _Events:
    """From lines of server-sent events to events. Mutable state: the event that has begun."""

    def __init__(self) -> None:
        self._name, self._data = "", ""

    def take(self, line: str) -> Event | None:
        """The event that ends with this line; ``Refused`` where it is a problem."""
        field, _, value = line.partition(": ")
        if field == "event":
            self._name = value
        elif field == "data":
            self._data = value
        elif not line and self._name:
            event, self._name = Event(self._name, json.loads(self._data)), ""
            if event.name == "problem":
                raise Refused(event.data["status"], event.data["title"], event.data["detail"])
            return event
        return None


def _options(server: str, key: str) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return {"base_url": server, "headers": headers, "timeout": TIMEOUT}


def _keyed(key: str) -> dict[str, str]:
    """The header, which is a string as JSON has it."""
    return {"Idempotency-Key": json.dumps(key)} if key else {}


_STREAM: Final = {"Accept": "text/event-stream"}


def _unanswered(error: httpx.HTTPError) -> NoAnswer:
    return NoAnswer(f"The server does not answer: {error or type(error).__name__}.")


class Client:
    """Blocks until there is an answer. ``key``: an API key, for services that ask for one."""

    def __init__(self, server: str, *, key: str = "", retry: Retry | None = None) -> None:
        self._retry = retry or Retry()
        self._http = httpx.Client(**_options(server, key))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Lets go of the connections."""
        self._http.close()

    def languages(self) -> list[Report]:
        """What can be run, and the limits: ``GET /languages``."""
        try:
            found: list[Report] = _checked(self._http.get("/languages"))["languages"]
        except httpx.HTTPError as error:
            raise _unanswered(error) from error
        return found

    def run(self, language: str, code: str, *, idempotency_key: str = "", **more: Any) -> Report:
        """Runs a program to its end; ``more`` is that of ``request``.

        ``idempotency_key``: a new one for each program, such as ``str(uuid.uuid4())``. Then it is asked for again also
        when the connection breaks, and goes on when this client leaves.
        """
        body, headers = request(language, code, **more), _keyed(idempotency_key)
        attempts = _Attempts(self._retry, safe=bool(idempotency_key))
        while True:
            try:
                return _checked(self._http.post("/run", json=body, headers=headers))
            except Refused as refused:
                time.sleep(attempts.pause(refused))
            except httpx.HTTPError as error:
                time.sleep(attempts.pause(_unanswered(error)))

    def stream(self, language: str, code: str, **more: Any) -> Generator[Event, None, None]:
        """The same as it happens; who stops reading stops the program."""
        body, attempts, ran = request(language, code, **more), _Attempts(self._retry), False
        while True:
            try:
                with closing(self._events(body)) as events:
                    for event in events:
                        ran = ran or event.ran
                        yield event
                return
            except Refused as refused:
                if ran:
                    raise
                time.sleep(attempts.pause(refused))
            except httpx.HTTPError as error:
                raise _unanswered(error) from error

    def _events(self, body: Report) -> Generator[Event, None, None]:
        with self._http.stream("POST", "/run", json=body, headers=_STREAM) as answer:
            if answer.status_code != 200:
                answer.read()
                _checked(answer)
            events = _Events()
            for line in answer.iter_lines():
                if event := events.take(line):
                    yield event


class AsyncClient:
    """``Client`` for asyncio."""

    def __init__(self, server: str, *, key: str = "", retry: Retry | None = None) -> None:
        self._retry = retry or Retry()
        self._http = httpx.AsyncClient(**_options(server, key))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Lets go of the connections."""
        await self._http.aclose()

    async def languages(self) -> list[Report]:
        """What can be run, and the limits: ``GET /languages``."""
        try:
            found: list[Report] = _checked(await self._http.get("/languages"))["languages"]
        except httpx.HTTPError as error:
            raise _unanswered(error) from error
        return found

    async def run(self, language: str, code: str, *, idempotency_key: str = "", **more: Any) -> Report:
        """Runs a program to its end; ``more`` is that of ``request``.

        ``idempotency_key``: a new one for each program, such as ``str(uuid.uuid4())``. Then it is asked for again also
        when the connection breaks, and goes on when this client leaves.
        """
        body, headers = request(language, code, **more), _keyed(idempotency_key)
        attempts = _Attempts(self._retry, safe=bool(idempotency_key))
        while True:
            try:
                return _checked(await self._http.post("/run", json=body, headers=headers))
            except Refused as refused:
                await asyncio.sleep(attempts.pause(refused))
            except httpx.HTTPError as error:
                await asyncio.sleep(attempts.pause(_unanswered(error)))

    async def stream(self, language: str, code: str, **more: Any) -> AsyncGenerator[Event, None]:
        """The same as it happens; who stops reading, and closes, stops the program."""
        body, attempts, ran = request(language, code, **more), _Attempts(self._retry), False
        while True:
            try:
                async with aclosing(self._events(body)) as events:
                    async for event in events:
                        ran = ran or event.ran
                        yield event
                return
            except Refused as refused:
                if ran:
                    raise
                await asyncio.sleep(attempts.pause(refused))
            except httpx.HTTPError as error:
                raise _unanswered(error) from error

    async def _events(self, body: Report) -> AsyncGenerator[Event, None]:
        async with self._http.stream("POST", "/run", json=body, headers=_STREAM) as answer:
            if answer.status_code != 200:
                await answer.aread()
                _checked(answer)
            events = _Events()
            async for line in answer.aiter_lines():
                if event := events.take(line):
                    yield event
