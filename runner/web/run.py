"""``POST /run``: one program, one container; the answer as JSON, or as events while it runs."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Mapping

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from runner.errors import Refusal
from runner.runs import events, request
from runner.runs.events import Event
from runner.runs.watch import watch
from runner.web import admission, guard, idempotency, leaving, problems
from runner.web.access import LEFT
from runner.web.answers import Answers
from runner.web.problems import HEADERS

log = logging.getLogger(__name__)


async def run(http: Request) -> Response:
    """The cheapest refusal comes first."""
    client = await admission.admit(http)
    key = idempotency.sent(http.headers.getlist(idempotency.HEADER))
    guard.check_type(http.headers)
    body = await admission.body(http)
    job = request.parse(body, http.app.state.config.policies)
    state, headers = http.state, {**HEADERS, **http.state.headers}
    state.entry.language, state.entry.kept = job.language, key is not None
    asked = idempotency.asked(client, job, key, body) if key else None
    answers: Answers = http.app.state.answers
    if events.wanted(",".join(http.headers.getlist("accept"))):
        stream = answers.events(asked) if asked else watch(http.app.state.service, job, client)
        return EventStream(stream, http, headers)
    if asked:
        state.entry.report = await leaving.unless(leaving.gone(http.receive), answers.report(asked))
    else:
        await admission.run(http, job, client)
    return JSONResponse(state.entry.report, headers=headers)


class EventStream(Response):
    """Server-sent events. Whatever is refused before the first of them is an answer of its own."""

    media_type = "text/event-stream"

    def __init__(self, stream: AsyncGenerator[Event | None], http: Request, headers: Mapping[str, str]) -> None:
        self.status_code = 200
        self.init_headers({**headers, "X-Accel-Buffering": "no"})
        self._stream, self._http = stream, http

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends them as they happen."""
        async with contextlib.aclosing(self._stream) as stream:
            first = await anext(stream)
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            try:
                await self._follow(first, receive, send)
            except (ClientDisconnect, TimeoutError):
                self._http.state.entry.problem = LEFT
            else:
                await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _follow(self, first: Event | None, receive: Receive, send: Send) -> None:
        try:
            await leaving.unless(leaving.gone(receive), self._send(first, send))
        except (ClientDisconnect, TimeoutError):
            raise
        except Refusal as error:
            await _put(send, Event("problem", problems.told(self._http, error)))
        except Exception as error:
            log.exception("a run failed")
            await _put(send, Event("problem", problems.told(self._http, error)))

    async def _send(self, first: Event | None, send: Send) -> None:
        await _put(send, first)
        async for event in self._stream:
            if event and event.name == "result":
                self._http.state.entry.report = event.data
            await _put(send, event)


async def _put(send: Send, event: Event | None) -> None:
    async with asyncio.timeout(leaving.SEND_TIME):
        await send({"type": "http.response.body", "body": events.as_sse(event), "more_body": True})
