"""The HTTP edge: routes, JSON in and out, errors to problems, start and stop. Run it: ``python server.py``."""

import argparse
import asyncio
import logging
import math
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Final

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ExceptionHandler

from runner import configuration, errors, guard, limiter, request
from runner.configuration import Configuration
from runner.limiter import Limiter
from runner.report import as_json
from runner.result import Job, Result
from runner.service import Service, open_service
from runner.web import page

PROBLEMS: Final[Mapping[type[errors.Refusal], tuple[int, str]]] = {
    errors.BadRequest: (400, "Bad request"),
    errors.ForbiddenSite: (403, "Forbidden site"),
    errors.TooSlow: (408, "Request too slow"),
    errors.TooLarge: (413, "Too large"),
    errors.WrongType: (415, "Not JSON"),
    errors.UnknownLanguage: (422, "Unknown language"),
    errors.RateLimited: (429, "Rate limit reached"),
    errors.Busy: (503, "Busy"),
    errors.EngineError: (503, "Engine not available"),
}
HEADERS: Final = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}


def problem(status: int, title: str, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    """An RFC 9457 problem; its type is a name, not an address."""
    kind = f"urn:code-runner:{title.lower().replace(' ', '-')}"
    body = {"type": kind, "title": title, "status": status, "detail": detail}
    return JSONResponse(body, status, {**HEADERS, **(headers or {})}, "application/problem+json")


async def refused(request: Request, error: Exception) -> Response:
    """What a client hears of a refusal."""
    assert isinstance(error, errors.Refusal)
    status, title = PROBLEMS[type(error)]
    headers = dict(getattr(request.state, "headers", {}))
    if isinstance(error, errors.RetryLater):
        headers["Retry-After"] = str(math.ceil(error.seconds))
    return problem(status, title, str(error), headers)


async def http_error(request: Request, error: Exception) -> Response:
    """An unknown path or method."""
    assert isinstance(error, HTTPException)
    known = "; ".join(f"{' or '.join(sorted(r.methods or ()))} {r.path}" for r in ROUTES)
    return problem(error.status_code, error.detail, f"This service has {known}.", error.headers)


async def crashed(request: Request, error: Exception) -> Response:
    """A bug; the log has it."""
    return problem(500, "Internal error", "The service failed; its log says why.")


async def run(http: Request) -> Response:
    """``POST /run``: one program, one container. The cheapest refusal comes first."""
    config: Configuration = http.app.state.config
    guard.check_site(http.headers, config.settings)
    allowed, allowance = await http.app.state.limiter.hit(limiter.client_key(http.client.host if http.client else None))
    http.state.headers = allowance.headers
    if not allowed:
        raise limiter.refusal(allowance)
    guard.check_type(http.headers)
    job = request.parse(await guard.read_body(http.stream(), http.headers, config.settings), config.policies)
    result = await run_unless_gone(http, http.app.state.service, job)
    return JSONResponse(as_json(result, several=job.several), headers={**HEADERS, **allowance.headers})


async def run_unless_gone(http: Request, service: Service, job: Job) -> Result:
    """Runs the job, and stops it when the client goes away."""
    running = asyncio.create_task(service.run(job))
    leaving = asyncio.create_task(gone(http))
    try:
        await asyncio.wait((running, leaving), return_when=asyncio.FIRST_COMPLETED)
        if not running.done():
            raise ClientDisconnect
        return running.result()
    except asyncio.CancelledError:  # uvicorn does this when stop-time is over
        raise errors.Busy("The service is stopping, and the program with it. Try again shortly.", 5.0) from None
    finally:
        running.cancel()
        leaving.cancel()
        await asyncio.gather(running, leaving, return_exceptions=True)


async def gone(http: Request) -> None:
    """Returns when the client has closed its connection."""
    while (await http.receive())["type"] != "http.disconnect":
        pass


async def left(request: Request, error: Exception) -> Response:
    """Nobody hears this; the log says that a client went away."""
    return problem(499, "Client closed request", "The client went away.")


async def languages(http: Request) -> Response:
    """``GET /languages``: what can be run, within which limits."""
    found = [
        {
            "language": p.name,
            "title": p.title,
            "limits": asdict(p.limits) | {"compile_time": p.limits.compile_time if p.compile else None},
        }
        for p in http.app.state.config.policies.values()
    ]
    return JSONResponse({"languages": found}, headers=HEADERS)


async def health(http: Request) -> Response:
    """``GET /health``: the process is up."""
    return JSONResponse({"status": "up"}, headers=HEADERS)


async def ready(http: Request) -> Response:
    """``GET /ready``: programs can run, or why not."""
    if found := await http.app.state.service.problems():
        return problem(503, "Not ready", "; ".join(found), {"Retry-After": "5"})
    return JSONResponse({"status": "ready"}, headers=HEADERS)


ROUTES: Final = [
    Route("/", page.page),
    Route("/static/{path:path}", page.page),
    Route("/run", run, methods=["POST"]),
    Route("/languages", languages),
    Route("/health", health),
    Route("/ready", ready),
]


def create_app(config: Configuration) -> Starlette:
    """The application; its service lives as long as it does."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with open_service(config.policies, config.settings) as app.state.service:
            yield

    handlers: dict[int | type[Exception], ExceptionHandler] = {
        errors.Refusal: refused,
        HTTPException: http_error,
        ClientDisconnect: left,
        Exception: crashed,
    }
    app = Starlette(routes=ROUTES, exception_handlers=handlers, lifespan=lifespan)
    app.state.config = config
    app.state.page = page.load()
    app.state.limiter = Limiter(config.settings.rate)
    return app


def main() -> None:
    """Refuses to start with all problems of all files; serves until SIGTERM."""
    arguments = argparse.ArgumentParser(description="The code runner's HTTP server.")
    arguments.add_argument("--policies", type=Path, default=configuration.FOLDER, help="the folder of policy files")
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s %(message)s", level=logging.INFO)
    try:
        config = configuration.load(arguments.parse_args().policies)
    except errors.PolicyError as error:
        sys.exit(f"{error}\nThe server does not start: see above.")
    for policy in config.policies.values():
        for flag, reason in policy.waivers.items():
            logging.warning("waiver: %s: %s: %s", policy.name, flag, reason)
    settings = config.settings
    uvicorn.run(
        create_app(config),
        host=settings.host,
        port=settings.port,
        http="h11",
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
        server_header=False,
        limit_concurrency=settings.connections,
        timeout_graceful_shutdown=settings.stop_time,
        log_config=None,
    )


if __name__ == "__main__":
    main()
