"""``WS /run/live``: a program that asks questions. Input comes and events go while it runs."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator
from typing import Final

from starlette.requests import ClientDisconnect
from starlette.websockets import WebSocket, WebSocketDisconnect

from runner.errors import BadRequest, Busy, Refusal, RetryLater, TooSlow
from runner.policy.configuration import Configuration
from runner.runs import request
from runner.runs.events import Event, as_message
from runner.runs.watch import watch
from runner.sandbox.live import Feed
from runner.web import admission, guard, leaving, problems
from runner.web.access import LEFT

DONE: Final = 1000
REFUSED: Final = 1008
TRY_LATER: Final = 1013
FAILED: Final = 1011

log = logging.getLogger(__name__)


async def talk(socket: WebSocket) -> None:
    """Another site's page is refused before the handshake, all else in words that a page can read."""
    config: Configuration = socket.app.state.config
    sockets: set[WebSocket] = socket.app.state.sockets
    if len(sockets) >= config.settings.connections:  # uvicorn's own limit does not count at an upgrade
        raise Busy("There are too many connections. Try again shortly.", 2.0)
    sockets.add(socket)
    try:
        await _serve(socket, config)
    except (WebSocketDisconnect, ClientDisconnect, TimeoutError):
        socket.state.entry.problem = LEFT
    finally:
        sockets.discard(socket)


async def _serve(socket: WebSocket, config: Configuration) -> None:
    counted = await _counted(socket, config)
    headers = counted.allowance.headers if counted else {}
    await socket.accept(headers=[(k.lower().encode(), v.encode()) for k, v in headers.items()])
    try:
        client = counted.admitted() if counted else None
        message = await _first(socket, config.settings.body_time)
        client = client or (await admission.count(socket, key=request.sent_key(message))).admitted()
        job = request.first(message, config.policies)
        socket.state.entry.language = job.language
        feed = Feed(config.policies[job.language].limits.input, job.inputs[0])
        await leaving.unless(_read(socket, feed), _send(socket, watch(socket.app.state.service, job, client, feed)))
    except Refusal as error:
        await _end(socket, TRY_LATER if isinstance(error, RetryLater) else REFUSED, problems.told(socket, error))
    except (WebSocketDisconnect, ClientDisconnect, TimeoutError):
        raise
    except Exception as error:
        log.exception("a run failed")
        await _end(socket, FAILED, problems.told(socket, error))
    else:
        await _end(socket, DONE)


async def _counted(socket: WebSocket, config: Configuration) -> admission.Counted | None:
    """None where there are keys: a browser can set no headers, so the request is counted after its first message."""
    if config.keys is None:
        return await admission.count(socket)
    guard.check_site(socket.headers, config.settings)
    return None


async def _first(socket: WebSocket, seconds: float) -> bytes:
    try:
        async with asyncio.timeout(seconds):
            return await _message(socket)
    except TimeoutError:
        raise TooSlow(f"The first message did not arrive within {seconds:g} s.") from None


async def _message(socket: WebSocket) -> bytes:
    message = await socket.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message["code"])
    if message.get("text") is None:
        raise BadRequest("Send text messages with JSON.")
    text: str = message["text"]
    return text.encode()


async def _read(socket: WebSocket, feed: Feed) -> None:
    """Takes messages until the client goes away: also while the program does not read, so that this is noticed."""
    while True:
        match request.more(await _message(socket)):
            case None:
                feed.add_end()
            case bytes(typed):
                feed.add(typed)
            case size:
                feed.resize(size)


async def _send(socket: WebSocket, events: AsyncGenerator[Event | None]) -> None:
    async with contextlib.aclosing(events) as stream:
        async for event in stream:
            if event and event.name == "result":
                socket.state.entry.report = event.data
            if event:
                await _put(socket, event)


async def _put(socket: WebSocket, event: Event) -> None:
    async with asyncio.timeout(leaving.SEND_TIME):
        await socket.send_text(as_message(event))


async def _end(socket: WebSocket, code: int, problem: dict[str, object] | None = None) -> None:
    """Says the last word, if there is one, and closes."""
    if problem:
        await _put(socket, Event("problem", problem))
    async with asyncio.timeout(leaving.SEND_TIME):
        await socket.close(code)
