"""codapi's API, see runner/apis/codapi.md."""

import dataclasses
from collections.abc import Mapping
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from runner.apis import codapi
from runner.errors import BadRequest
from runner.policy.settings import Settings
from runner.runs.request import check
from runner.web import about, admission, guard, problems
from runner.web.apis import edge
from runner.web.apis.edge import Handler
from runner.web.problems import HEADERS

NAME: Final = "codapi"
PATIENCE: Final = 7.0
"""Seconds in the line: the widget gives up after 10 s, of which the program needs its own."""
SHARED: Final[Mapping[str, str]] = {
    "Access-Control-Allow-Methods": "options, post",
    "Access-Control-Allow-Headers": "authorization, content-type",
    "Access-Control-Max-Age": "3600",
}
"""What a browser asks for before it lets a page of another origin send a request."""


async def execute(http: Request) -> Response:
    """``POST /v1/exec``."""
    client = await admission.admit(http, NAME)
    client = dataclasses.replace(client, patience=min(client.patience, PATIENCE))
    guard.check_type(http.headers)
    policies = http.app.state.config.policies
    job = codapi.parse(await admission.body(http), policies)
    try:
        job = check(job, policies)
    except BadRequest as error:  # of a file's name: codapi says this to whoever has written the program
        problems.record(http, problems.PROBLEMS[BadRequest])
        return edge.answer(http, 200, codapi.failed(str(error)))
    result = await admission.run(http, job, client)
    return edge.answer(http, 200, codapi.answer(result))


async def options(http: Request) -> Response:
    """Whether a page may ask; a page of an origin that is not allowed is refused, as it would be then."""
    guard.check_site(http.headers, http.app.state.config.settings)
    return Response(headers={**HEADERS, **SHARED})


async def other(http: Request) -> Response:
    """Any other method."""
    refusal = edge.refused(http, (405, "Method Not Allowed"), codapi.failed(f"unsupported method: {http.method}"))
    refusal.headers["Allow"] = "OPTIONS, POST"
    return refusal


def shared(handler: Handler) -> Handler:
    """The handler; pages of the origins that are allowed can read its answers."""

    async def handled(http: Request) -> Response:
        answer = await handler(http)
        settings: Settings = http.app.state.config.settings
        origin = http.headers.get("origin")
        if origin in settings.allowed_origins:
            answer.headers["Access-Control-Allow-Origin"] = origin
        answer.headers["Vary"] = "Origin"
        return answer

    return handled


ROUTES: Final = (
    Route("/v1/exec", shared(edge.speaking(codapi.words, execute)), methods=["POST"]),
    Route("/v1/exec", shared(edge.speaking(codapi.words, options)), methods=["OPTIONS"]),
    Route("/v1/exec", shared(other), methods=edge.METHODS, include_in_schema=False),
    Route("/v1/health", shared(about.health)),
)
