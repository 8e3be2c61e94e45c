"""The Model Context Protocol over streamable HTTP: the SDK's exchange, behind our own admission and bounds.

Nothing is kept between two messages. A session is but a name, which makes a call one that can be taken back by nobody
else; who goes away stops the program.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Message as Sent
from starlette.types import Receive, Scope, Send

from runner.errors import Busy
from runner.mcp import messages
from runner.mcp.calls import Calls, open_calls
from runner.mcp.messages import Message
from runner.policy.settings import Settings
from runner.runs.client import Client
from runner.runs.service import Service
from runner.sandbox.job import Job
from runner.web import admission, guard, problems
from runner.web.access import LEFT
from runner.web.problems import HEADERS

if TYPE_CHECKING:
    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

    from runner.mcp.server import Context

API: Final = "mcp"
SESSION: Final = "mcp-session-id"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What the route needs: the SDK's part, and the calls that go on."""

    manager: "StreamableHTTPSessionManager"
    calls: Calls


class HttpCaller:
    """Who has sent a request."""

    def __init__(self, http: Request) -> None:
        self.name: tuple[str, ...] = http.state.name
        self.arguments: bytes = http.state.arguments
        self._http = http

    async def admit(self) -> Client:
        """As for any other request that runs a program."""
        return await admission.admit(self._http, API)

    def began(self, job: Job) -> None:
        """For the log."""
        self._http.state.entry.language = job.language

    def ended(self, report: Mapping[str, Any]) -> None:
        """For the log and the metrics."""
        self._http.state.entry.report = report

    def refused(self, error: Exception) -> None:
        """Logged, counted and audited."""
        problems.told(self._http, error)


def _caller(context: "Context", _: object) -> HttpCaller:
    assert context.request is not None  # the SDK's own, of the same scope
    return HttpCaller(context.request)


def _name(client: Client, http: Request, request: messages.Id) -> tuple[str, ...]:
    """A call's: of this client, in this session; where there is none, one that nobody else can say."""
    return (client.identity, http.headers.get(SESSION) or uuid4().hex, str(request))


async def serve(http: Request) -> Response:
    """``POST /mcp``: one message. There is no stream that a client could listen to, and no session to end: 405."""
    client = await admission.known(http, API)
    if http.method != "POST":
        return Response(status_code=405, headers={**HEADERS, "Allow": "POST"})
    guard.check_type(http.headers)
    message = messages.read(await admission.body(http))
    endpoint: Endpoint = http.app.state.mcp
    if message.cancels is not None:
        endpoint.calls.cancel(_name(client, http, message.cancels))
    http.state.name, http.state.arguments = _name(client, http, message.id), message.arguments
    return Exchange(endpoint.manager, http, message)


class Exchange(Response):
    """The SDK's answer to a message: JSON, or a stream of events that ends with it."""

    def __init__(self, manager: "StreamableHTTPSessionManager", http: Request, message: Message) -> None:
        self._manager, self._http, self._message = manager, http, message
        self._begun = self._ended = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hands the message over, and what comes back on."""
        body = [{"type": "http.request", "body": self._message.body, "more_body": False}]

        async def received() -> Sent:
            return body.pop() if body else await receive()

        async def sent(message: Sent) -> None:
            self._saw(message)
            await send(message)

        try:
            await self._manager.handle_request(scope, received, sent)
        except asyncio.CancelledError:  # uvicorn does this when stop-time is over
            stopping = Busy("The service is stopping, and the program with it. Try again shortly.", 5.0)
            if not self._begun:
                raise stopping from None
            problems.told(self._http, stopping)
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        else:
            if not self._ended:
                self._http.state.entry.problem = LEFT

    def _saw(self, message: Sent) -> None:
        """A client that begins a session gets its name."""
        if message["type"] == "http.response.start":
            self._begun = True
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
            if self._message.method == "initialize":
                headers[SESSION] = uuid4().hex
        else:
            self._ended = not message.get("more_body", False)


ROUTES: Final = [Route("/mcp", serve, methods=["POST", "GET", "DELETE"])]


@asynccontextmanager
async def open_endpoint(service: Service, settings: Settings) -> AsyncIterator[Endpoint | None]:
    """Until none of its programs runs any more. None where it is not served: then the SDK need not be there."""
    if API not in settings.apis:
        yield None
        return
    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
    from sse_starlette.sse import AppStatus

    from runner.mcp.server import build

    AppStatus.enable_automatic_graceful_drain = False  # it ends streams at SIGTERM; ours have stop-time
    logging.getLogger("mcp").setLevel(logging.WARNING)  # it tells of each message what the access log tells, too
    async with open_calls() as calls:
        server = build(service, calls, _caller)
        manager = StreamableHTTPSessionManager(server, stateless=True, max_request_body_size=settings.body)
        async with manager.run():
            yield Endpoint(manager, calls)
