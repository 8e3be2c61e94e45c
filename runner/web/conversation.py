"""A live run over a WebSocket, whatever is spoken there: its bounds, its two directions, its end."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Iterable, Mapping
from typing import Final, Protocol

from starlette.requests import ClientDisconnect
from starlette.websockets import WebSocket, WebSocketDisconnect

from runner.errors import BadRequest, Busy, Refusal
from runner.policy.configuration import Configuration
from runner.runs.client import Client
from runner.runs.events import Event
from runner.runs.request import sent_key
from runner.runs.watch import watch
from runner.sandbox.job import Job
from runner.sandbox.live import Feed
from runner.web import admission, guard, leaving, problems
from runner.web.access import LEFT

log: Final = logging.getLogger(__name__)


class End(Exception):
    """The conversation is over: the last word, if there is one, and how the connection is closed."""

    def __init__(self, code: int, reason: str = "", word: str = "") -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
        self.word = word


class Dialect(Protocol):
    """What is said in a conversation; one for each, as it may remember what was said."""

    api: str
    """As of ``Client``."""
    first_time: float
    """Seconds until the program must be there."""
    late: Refusal
    """What it is told whose program is not there by then."""
    done: End
    """After the result."""

    def first(self, message: bytes) -> Job | None:
        """The job that a message asks for, or a ``Refusal``; None where it asks for nothing."""

    def more(self, message: bytes, feed: Feed) -> None:
        """Hands on what a later message brings; a ``Refusal`` ends the run, as does an ``End``."""

    def told(self, event: Event) -> Iterable[str]:
        """The messages that say what has happened."""

    def refused(self, error: Exception, problem: Mapping[str, object]) -> End:
        """After an error, which is this problem."""


async def converse(socket: WebSocket, dialect: Dialect) -> None:
    """Another site's page is refused before the handshake, all else in words that a page can read."""
    config: Configuration = socket.app.state.config
    sockets: set[WebSocket] = socket.app.state.sockets
    if len(sockets) >= config.settings.connections:  # uvicorn's own limit does not count at an upgrade
        raise Busy("There are too many connections. Try again shortly.", 2.0)
    sockets.add(socket)
    try:
        await _serve(socket, dialect, config)
    except (WebSocketDisconnect, ClientDisconnect, TimeoutError):
        socket.state.entry.problem = LEFT
    finally:
        sockets.discard(socket)


async def _serve(socket: WebSocket, dialect: Dialect, config: Configuration) -> None:
    counted = await _counted(socket, dialect, config)
    headers = counted.allowance.headers if counted else {}
    await socket.accept(headers=[(k.lower().encode(), v.encode()) for k, v in headers.items()])
    end = dialect.done
    try:
        client, job = await _first(socket, dialect, counted.admitted() if counted else None)
        socket.state.entry.language = job.language
        feed = Feed(config.policies[job.language].limits.input, job.inputs[0])
        running = watch(socket.app.state.service, job, client, feed)
        await leaving.unless(_read(socket, dialect, feed), _send(socket, dialect, running))
    except End as asked:
        end = asked
    except Refusal as error:
        end = dialect.refused(error, problems.told(socket, error))
    except (WebSocketDisconnect, ClientDisconnect, TimeoutError):
        raise
    except Exception as error:
        log.exception("a run failed")
        end = dialect.refused(error, problems.told(socket, error))
    await _end(socket, end)


async def _counted(socket: WebSocket, dialect: Dialect, config: Configuration) -> admission.Counted | None:
    """None where there are keys: a browser can set no headers, so the request is counted after its first message."""
    if config.keys is None:
        return await admission.count(socket, dialect.api)
    guard.check_site(socket.headers, config.settings)
    return None


async def _first(socket: WebSocket, dialect: Dialect, client: Client | None) -> tuple[Client, Job]:
    """Who asks for what; ``client`` is None where they have not been counted."""
    job = None
    try:
        async with asyncio.timeout(dialect.first_time):
            while not (client and job):
                message = await _message(socket)
                client = client or (await admission.count(socket, dialect.api, sent_key(message))).admitted()
                job = dialect.first(message)
    except TimeoutError:
        raise dialect.late from None
    return client, job


async def _message(socket: WebSocket) -> bytes:
    message = await socket.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message["code"])
    if message.get("text") is None:
        raise BadRequest("Send text messages with JSON.")
    text: str = message["text"]
    return text.encode()


async def _read(socket: WebSocket, dialect: Dialect, feed: Feed) -> None:
    """Takes messages until the client goes away: also while the program does not read, so that this is noticed."""
    while True:
        dialect.more(await _message(socket), feed)


async def _send(socket: WebSocket, dialect: Dialect, events: AsyncGenerator[Event | None]) -> None:
    async with contextlib.aclosing(events) as stream:
        async for event in stream:
            if event and event.name == "result":
                socket.state.entry.report = event.data
            for message in dialect.told(event) if event else ():
                await _put(socket, message)


async def _put(socket: WebSocket, message: str) -> None:
    async with asyncio.timeout(leaving.SEND_TIME):
        await socket.send_text(message)


async def _end(socket: WebSocket, end: End) -> None:
    if end.word:
        await _put(socket, end.word)
    async with asyncio.timeout(leaving.SEND_TIME):
        await socket.close(end.code, end.reason)
