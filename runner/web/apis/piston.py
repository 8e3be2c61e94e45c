"""Piston's API of version 2, see runner/apis/piston.md."""

from collections.abc import Iterable, Mapping
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket

from runner.apis import piston, piston_connect
from runner.apis.piston_connect import CLOSES, DONE, LATE, NOTIFIED, Telling
from runner.errors import BadRequest, Refusal
from runner.policy.configuration import Configuration
from runner.runs.events import Event
from runner.sandbox.job import Job
from runner.sandbox.live import Feed
from runner.web import admission, guard
from runner.web.apis import edge
from runner.web.conversation import End, converse
from runner.web.problems import HEADERS

NAME: Final = "piston"
FIRST_TIME: Final = 1.0
"""Seconds until the ``init`` must have come."""


async def runtimes(http: Request) -> Response:
    """``GET /api/v2/runtimes``."""
    return JSONResponse(piston.runtimes(http.app.state.config.policies), headers=HEADERS)


async def packages(http: Request) -> Response:
    """``GET /api/v2/packages``."""
    return JSONResponse(piston.packages(http.app.state.config.policies), headers=HEADERS)


async def execute(http: Request) -> Response:
    """``POST /api/v2/execute``."""
    client = await admission.admit(http, NAME)
    guard.check_type(http.headers)
    job = piston.parse(await admission.body(http), http.app.state.config.policies)
    result = await admission.run(http, job, client)
    return edge.answer(http, 200, piston.answer(result, job.narrowed))


async def other(http: Request) -> Response:
    """Any other method, and any other path."""
    allowed = _METHODS.get(http.path_params["path"].rstrip("/"))
    if not allowed:
        return edge.refused(http, (404, "Not Found"), {"message": "Not Found"})
    refusal = edge.refused(http, (405, "Method Not Allowed"), {"message": f"This is for {allowed} alone"})
    refusal.headers["Allow"] = allowed
    return refusal


async def connect(socket: WebSocket) -> None:
    """``WS /api/v2/connect``."""
    await converse(socket, Spoken(socket.app.state.config))


class Spoken:
    """A ``Dialect``: Piston's messages."""

    api = NAME
    first_time = FIRST_TIME

    def __init__(self, config: Configuration) -> None:
        self._config = config
        self._telling: Telling | None = None
        self.late: Refusal = BadRequest(LATE)
        self.done = End(*DONE)

    def first(self, message: bytes) -> Job | None:
        """An ``init``, or what means nothing."""
        job = piston_connect.first(message, self._config.policies)
        if job:
            self._telling = Telling(self._config.policies[job.language])
        return job

    def more(self, message: bytes, feed: Feed) -> None:
        """Input, or a signal."""
        match piston_connect.more(message):
            case bytes(typed):
                feed.add(typed)
            case str(signal):
                assert self._telling
                raise End(*DONE, "".join(self._telling.ended(None, signal)))

    def told(self, event: Event) -> Iterable[str]:
        """What has happened."""
        assert self._telling
        return self._telling.told(event)

    def refused(self, error: Exception, problem: Mapping[str, object]) -> End:
        """By a code of its own, or in a message."""
        code = CLOSES.get(str(error))
        return End(code, str(error)) if code else End(*NOTIFIED, piston_connect.error(problem["detail"]))


_METHODS: Final = {"runtimes": "GET", "packages": "GET", "execute": "POST"}


def _routes() -> Iterable[BaseRoute]:
    for slash in ("", "/"):  # not told twice where it is told what there is
        told = not slash
        yield Route(f"/api/v2/runtimes{slash}", runtimes, include_in_schema=told)
        yield Route(f"/api/v2/packages{slash}", packages, include_in_schema=told)
        asked = edge.speaking(piston.words, execute)
        yield Route(f"/api/v2/execute{slash}", asked, methods=["POST"], include_in_schema=told)
        yield WebSocketRoute(f"/api/v2/connect{slash}", connect)
    yield Route("/api/v2/{path:path}", other, methods=edge.METHODS, include_in_schema=False)


ROUTES: Final = tuple(_routes())
