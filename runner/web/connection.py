"""A client's connection: what uvicorn leaves open is closed in time, and its refusals are problems, too.

A connection is idle while no request of its own is being answered, or while it does not take the answer. Idle ones
are closed after a while, and when the house is full a new client takes the place of the oldest ones of whoever holds
most of them: so nobody can lock others out by opening connections, sending heads or taking answers slowly.
"""

import asyncio
import json
import logging
import resource
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from http import HTTPStatus
from typing import Any, Final, NamedTuple

import h11
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from runner.web.limiter import client_key

HEAD: Final = 16 * 1024
"""Bytes of a request's line and headers."""
LINGER_TIME: Final = 1.0
"""Seconds that a refused client gets to read why: to close while it still sends would reset the connection."""

log = logging.getLogger(__name__)


class Said(NamedTuple):
    """The title and the detail of a problem."""

    title: str
    detail: str


REFUSALS: Final[Mapping[int, Said]] = {
    400: Said("Bad request", "This is not a valid HTTP request."),
    408: Said("Request too slow", "The head of the request did not arrive in time."),
    431: Said("Headers too large", f"The request line and the headers may have {HEAD} bytes."),
    501: Said("Not implemented", "The only Transfer-Encoding that is understood is `chunked`."),
    505: Said("HTTP version not supported", "Ask in HTTP/1.1."),
    503: Said("Busy", "There are too many connections. Try again shortly."),
}


def answer(status: int) -> bytes:
    """A whole response, after which the connection ends."""
    title, detail = REFUSALS[status]
    kind = f"urn:code-runner:{title.lower().replace(' ', '-')}"
    body = json.dumps({"type": kind, "title": title, "status": status, "detail": detail}).encode()
    lines = [
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}",
        "Content-Type: application/problem+json",
        f"Content-Length: {len(body)}",
        "X-Content-Type-Options: nosniff",
        "Cache-Control: no-store",
        *(["Retry-After: 2"] if status == 503 else []),
        "Connection: close",
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body


def allow_files(connections: int) -> None:
    """Raises this process's limit of open files to what so many connections may take, before the first is refused."""
    wanted = 4 * connections + 1024
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < wanted:
        log.warning("%d connections may need %d open files; the hard limit is %d", connections, wanted, hard)
        wanted = hard
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


class Strict(h11.Connection):
    """Refuses what a proxy in front may understand otherwise, and what is too long however it is cut."""

    def next_event(self) -> Any:
        """As h11 has it."""
        event = super().next_event()
        if isinstance(event, h11.Request):
            if event.http_version not in (b"1.0", b"1.1"):
                raise h11.RemoteProtocolError("another HTTP", error_status_hint=505)
            names = {name for name, _ in event.headers}
            if {b"content-length", b"transfer-encoding"} <= names:
                raise h11.RemoteProtocolError("two lengths", error_status_hint=400)
            if len(event.target) + sum(len(name) + len(value) for name, value in event.headers) > HEAD:
                raise h11.RemoteProtocolError("too long", error_status_hint=431)
        return event


class Connection(H11Protocol):
    """uvicorn's, with an end. ``limit_concurrency`` connections are served; idle ones for ``timeout_keep_alive``."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        assert config.limit_concurrency is not None
        self._most = config.limit_concurrency
        self.limit_concurrency = None  # uvicorn would say so in plain text, and count the idle ones
        self.conn = Strict(h11.SERVER, HEAD)
        self.holder = ""
        self.since = 0.0
        self.refused = False
        self._told = False
        self._timer: asyncio.TimerHandle | None = None
        self._unsent = 0

    @property
    def idle(self) -> bool:
        """Whether nobody but the client is waited for."""
        return self.cycle is None or self.cycle.response_complete or self.flow.write_paused

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """One more: if it is one too many, another has to go, or this one."""
        super().connection_made(transport)
        self.holder = client_key(self.client[0] if self.client else None)
        self._wait()
        if len(self.connections) > self._most:
            self._make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        """The end."""
        super().connection_lost(exc)
        if self._timer:
            self._timer.cancel()

    def data_received(self, data: bytes) -> None:
        """What comes after a refusal is not looked at."""
        if not self.refused:
            super().data_received(data)
        elif not self._told:
            self.refuse(503)

    def on_response_complete(self) -> None:
        """Idle again."""
        self._wait()
        super().on_response_complete()

    def pause_writing(self) -> None:
        """The client does not take its answer."""
        super().pause_writing()
        self._wait()

    def send_400_response(self, msg: str) -> None:
        """Called where h11 has refused what came; h11 knows the status."""
        status = getattr(sys.exception(), "error_status_hint", 400)
        self.refuse(status if status in REFUSALS else 400)

    def refuse(self, status: int) -> None:
        """Says why, if nothing else was said, and ends."""
        self.refused = self._told = True
        if self.cycle and not self.cycle.response_complete:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            self.transport.abort()
            return
        self._say(status)
        with suppress(OSError):  # it may have gone in this very moment
            self.transport.write_eof()
        self.loop.call_later(LINGER_TIME, self.transport.abort)

    def drop(self) -> None:
        """Makes room at once, without waiting for anybody."""
        self.connections.discard(self)
        if self._has_begun():
            self._say(503)
        self.transport.abort()

    def _say(self, status: int) -> None:
        self.transport.write(answer(status))
        self.app_state["refused"](self.client, (status, REFUSALS[status].title))

    def _make_room(self) -> None:
        others = [each for each in self.connections if isinstance(each, Connection) and each is not self]
        refused = sum(each.refused for each in others)
        if len(self.connections) - refused <= self._most:
            return
        if idle := [each for each in others if each.idle and not each.refused]:
            for each in _oldest(idle):
                each.drop()
        elif refused < self._most:
            self.refused = True  # and hears so when it asks: not every client understands an answer before
        else:
            self.drop()

    def _has_begun(self) -> bool:
        """Whether a part of a request's head has come."""
        return self.conn.their_state is h11.IDLE and self.conn.trailing_data[0] != b"" and not self.refused

    def _wait(self) -> None:
        """Begins the time within which the next head must be there, and the answer taken."""
        self.since = self.loop.time()
        self._unsent = self.transport.get_write_buffer_size()
        if self._timer:
            self._timer.cancel()
        self._timer = self.loop.call_later(self.timeout_keep_alive, self._look)

    def _look(self) -> None:
        """The time is over."""
        if not self.idle or self.transport.get_protocol() is not self:  # a WebSocket's is another
            return
        left = self.transport.get_write_buffer_size()
        if 0 < left < self._unsent:  # slow, but it reads
            self._wait()
        elif left:
            self.transport.abort()
        elif self._has_begun():
            self.refuse(408)
        else:
            self.transport.close()


def _oldest(idle: Sequence[Connection]) -> Sequence[Connection]:
    """Of whoever holds most; some at once, so that a flood of newcomers is not looked at one by one."""
    [(holder, count)] = Counter(each.holder for each in idle).most_common(1)
    theirs = sorted((each for each in idle if each.holder == holder), key=lambda each: each.since)
    return theirs[: max(1, count // 8)]
