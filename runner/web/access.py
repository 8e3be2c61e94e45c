"""One record a request: to the log, and into the metrics."""

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from runner.web.limiter import client_key
from runner.web.metrics import Metrics

LEFT: Final = (499, "Client closed request")
CRASHED: Final = (500, "Internal error")

log = logging.getLogger("runner.access")


@dataclass(slots=True)
class Entry:
    """What is known of a request; whoever answers it fills it in."""

    status: int | None = None
    close: int | None = None
    """The code with which a WebSocket was closed."""
    language: str | None = None
    key: str | None = None
    """The name of the key that was sent."""
    report: Mapping[str, object] | None = None
    kept: bool = False
    """Whether the report is kept for who asks again, and the job counted where that is done."""
    problem: tuple[int, str] | None = None
    """Status and title; the status is another than the answer's when that had begun."""

    def saw(self, message: Message) -> None:
        """Something is sent."""
        kind = message["type"]
        if kind.endswith("http.response.start"):
            self.status = message["status"]
        elif kind == "websocket.accept":
            self.status = 101
        elif kind == "websocket.close":
            self.status, self.close = self.status or 403, message.get("code", 1000)

    @property
    def level(self) -> int:
        """What operators must act on is an error, what they may want to know a warning."""
        status = self.problem[0] if self.problem else self.status or 0
        return logging.INFO if status < 500 else logging.ERROR if status == 500 else logging.WARNING


class Access:
    """Middleware; ``scope["state"]["entry"]`` is the request's entry."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves a request and records it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        entry, began = Entry(), time.monotonic()
        scope["state"]["entry"] = entry

        async def watched(message: Message) -> None:
            entry.saw(message)
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except BaseException:
            entry.status, entry.problem = entry.status or 500, CRASHED
            raise
        finally:
            record(entry, scope, time.monotonic() - began)


def record(entry: Entry, scope: Mapping[str, Any], seconds: float) -> None:
    """Says it: ``scope`` is a request's, or has its application, path and client."""
    report = entry.report or {}
    metrics: Metrics = scope["app"].state.metrics
    metrics.count(entry.language, None if entry.kept else entry.report, entry.problem[1] if entry.problem else None)
    fields = {
        "method": scope.get("method", "WS"),
        "path": scope["path"],
        "status": entry.status,
        "close": entry.close,
        "seconds": round(seconds, 6),
        "client": client_key(scope["client"][0] if scope.get("client") else None),
        "key": entry.key,
        "job": report.get("id"),
        "language": entry.language,
        "ending": report.get("status"),
        "reason": report.get("reason"),
        "problem": entry.problem[1] if entry.problem else None,
    }
    log.log(entry.level, "request", extra={"fields": fields})
