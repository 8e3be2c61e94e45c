"""Whatever the service refuses or fails at, as an RFC 9457 problem."""

import math
from collections.abc import Mapping
from typing import Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from runner import errors
from runner.record.refusals import Kind
from runner.web import access, limiter
from runner.web.access import CRASHED, LEFT, Entry

PROBLEMS: Final[Mapping[type[errors.Refusal], tuple[int, str]]] = {
    errors.BadRequest: (400, "Bad request"),
    errors.NoValidKey: (401, "No valid key"),
    errors.ForbiddenSite: (403, "Forbidden site"),
    errors.ForbiddenLanguage: (403, "Forbidden language"),
    errors.TooSlow: (408, "Request too slow"),
    errors.TooLarge: (413, "Too large"),
    errors.WrongType: (415, "Not JSON"),
    errors.UnknownLanguage: (422, "Unknown language"),
    errors.KeyReused: (422, "Idempotency key reused"),
    errors.RateLimited: (429, "Rate limit reached"),
    errors.Busy: (503, "Busy"),
    errors.LimiterError: (503, "Rate limiter not available"),
    errors.AuditError: (503, "Not recorded"),
    errors.EngineError: (503, "Engine not available"),
}
BUG: Final = "The service failed; its log says why."
HEADERS: Final = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}


def body(status: int, title: str, detail: str) -> dict[str, object]:
    """A problem as JSON; its type is a name, not an address."""
    kind = f"urn:code-runner:{title.lower().replace(' ', '-')}"
    return {"type": kind, "title": title, "status": status, "detail": detail}


def problem(status: int, title: str, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    """A problem as an answer."""
    media_type = "application/problem+json"
    return JSONResponse(body(status, title, detail), status, {**HEADERS, **(headers or {})}, media_type)


def client(connection: HTTPConnection) -> str:
    """Who counts as one client."""
    return limiter.client_key(connection.client.host if connection.client else None)


def record(connection: HTTPConnection, problem: tuple[int, str]) -> None:
    """Refusals are logged, counted and audited; one that cannot be is a refusal all the same."""
    connection.state.entry.problem = problem
    kind = Kind(client(connection), *problem, connection.state.entry.key)
    connection.app.state.service.refusals.add(kind, connection.url.path)


def before_a_request(app: Starlette, source: tuple[str, int] | None, problem: tuple[int, str]) -> None:
    """The same for what was refused before it was a request."""
    nowhere = {"app": app, "method": "", "path": "", "client": source}
    access.record(Entry(problem[0], problem=problem), nowhere, 0.0)
    host = source[0] if source else None
    app.state.service.refusals.add(Kind(limiter.client_key(host), *problem), "")


def told(connection: HTTPConnection, error: Exception) -> dict[str, object]:
    """What a client hears of an error after its answer has begun; of a bug, only that it is one."""
    known = PROBLEMS[type(error)] if isinstance(error, errors.Refusal) else None
    record(connection, known or CRASHED)
    return body(*known, str(error)) if known else body(*CRASHED, BUG)


async def refused(request: Request, error: Exception) -> Response:
    """What a client hears of a refusal."""
    assert isinstance(error, errors.Refusal)
    status, title = PROBLEMS[type(error)]
    record(request, (status, title))
    return problem(status, title, str(error), {**getattr(request.state, "headers", {}), **remedy(error)})


def remedy(error: errors.Refusal) -> dict[str, str]:
    """The headers that say what to do, whatever API is spoken."""
    match error:
        case errors.RetryLater():
            return {"Retry-After": str(math.ceil(error.seconds))}
        case errors.NoValidKey():
            return {"WWW-Authenticate": "Bearer"}
    return {}


async def http_error(request: Request, error: Exception) -> Response:
    """An unknown path or method."""
    assert isinstance(error, HTTPException)
    record(request, (error.status_code, error.detail))
    routes = [route for route in request.app.routes if isinstance(route, Route) and route.include_in_schema]
    known = "; ".join(f"{' or '.join(sorted(r.methods or ()))} {r.path}" for r in routes)
    return problem(error.status_code, error.detail, f"This service has {known}.", error.headers)


async def crashed(request: Request, error: Exception) -> Response:
    """A bug; the log has it."""
    record(request, CRASHED)
    return problem(*CRASHED, BUG)


async def left(request: Request, error: Exception) -> Response:
    """Nobody hears this; the log says that a client went away."""
    request.state.entry.problem = LEFT
    return problem(*LEFT, "The client went away.")
