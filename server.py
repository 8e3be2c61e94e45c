"""The HTTP edge: routes, JSON in and out, errors to problems, start and stop. Run it: ``python server.py``."""

import argparse
import asyncio
import logging
import math
import sys
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ExceptionHandler

from runner import audit, configuration, errors, explain, guard, images, limiter, request
from runner.configuration import Configuration
from runner.limiter import Limiter
from runner.policy import Policy
from runner.report import as_json
from runner.result import Result
from runner.service import open_service
from runner.web import connection

PROBLEMS: Final[Mapping[type[errors.Refusal], tuple[int, str]]] = {
    errors.BadRequest: (400, "Bad request"),
    errors.ForbiddenSite: (403, "Forbidden site"),
    errors.TooSlow: (408, "Request too slow"),
    errors.TooLarge: (413, "Too large"),
    errors.WrongType: (415, "Not JSON"),
    errors.UnknownLanguage: (422, "Unknown language"),
    errors.RateLimited: (429, "Rate limit reached"),
    errors.Busy: (503, "Busy"),
    errors.AuditError: (503, "Not recorded"),
    errors.EngineError: (503, "Engine not available"),
}
HEADERS: Final = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}


def problem(status: int, title: str, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    """An RFC 9457 problem; its type is a name, not an address."""
    kind = f"urn:code-runner:{title.lower().replace(' ', '-')}"
    body = {"type": kind, "title": title, "status": status, "detail": detail}
    return JSONResponse(body, status, {**HEADERS, **(headers or {})}, "application/problem+json")


async def record(request: Request, status: int, title: str) -> None:
    """Refusals are audited, too; one that cannot be is a refusal all the same."""
    client = limiter.client_key(request.client.host if request.client else None)
    fields = {"client": client, "path": request.url.path[:100], "status": status, "title": title}
    with suppress(errors.AuditError):
        await request.app.state.service.audit.write("refused", **fields)


async def refused(request: Request, error: Exception) -> Response:
    """What a client hears of a refusal."""
    assert isinstance(error, errors.Refusal)
    status, title = PROBLEMS[type(error)]
    headers = dict(getattr(request.state, "headers", {}))
    await record(request, status, title)
    if isinstance(error, errors.RetryLater):
        headers["Retry-After"] = str(math.ceil(error.seconds))
    return problem(status, title, str(error), headers)


async def http_error(request: Request, error: Exception) -> Response:
    """An unknown path or method."""
    assert isinstance(error, HTTPException)
    await record(request, error.status_code, error.detail)
    known = "; ".join(f"{' or '.join(sorted(r.methods or ()))} {r.path}" for r in ROUTES)
    return problem(error.status_code, error.detail, f"This service has {known}.", error.headers)


async def crashed(request: Request, error: Exception) -> Response:
    """A bug; the log has it."""
    await record(request, 500, "Internal error")
    return problem(500, "Internal error", "The service failed; its log says why.")


async def run(http: Request) -> Response:
    """``POST /run``: one program, one container. The cheapest refusal comes first."""
    config: Configuration = http.app.state.config
    guard.check_site(http.headers, config.settings)
    client = limiter.client_key(http.client.host if http.client else None)
    allowed, allowance = await http.app.state.limiter.hit(client)
    http.state.headers = allowance.headers
    if not allowed:
        raise limiter.refusal(allowance)
    guard.check_type(http.headers)
    job = request.parse(await guard.read_body(http.stream(), http.headers, config.settings), config.policies)
    result = await run_unless_gone(http, http.app.state.service.run(job, client))
    return JSONResponse(as_json(result, several=job.several), headers={**HEADERS, **allowance.headers})


async def run_unless_gone(http: Request, job: Coroutine[Any, Any, Result]) -> Result:
    """Runs the job, and stops it when the client goes away."""
    running = asyncio.create_task(job)
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


async def policies(http: Request) -> Response:
    """``GET /policies``: which there are, by digest."""
    config: Configuration = http.app.state.config
    found = [described(http, policy) for policy in config.policies.values()]
    keys = ("language", "title", "digest", "profile", "image", "image_id", "waivers")
    return JSONResponse({"policies": [{key: each[key] for key in keys} for each in found]}, headers=HEADERS)


async def policy(http: Request) -> Response:
    """``GET /policies/{language}``: the exact command, the reason for each flag."""
    found = http.app.state.config.policy(http.path_params["language"])
    return JSONResponse(described(http, found), headers=HEADERS)


def described(http: Request, policy: Policy) -> dict[str, Any]:
    """What is known of a policy, and of its image now."""
    image = http.app.state.service.images.get(policy.name)
    return explain.policy(policy, http.app.state.config.settings.instance) | {"image_id": image}


async def health(http: Request) -> Response:
    """``GET /health``: the process is up."""
    return JSONResponse({"status": "up"}, headers=HEADERS)


async def ready(http: Request) -> Response:
    """``GET /ready``: programs can run, or why not."""
    if found := await http.app.state.service.problems():
        return problem(503, "Not ready", "; ".join(found), {"Retry-After": "5"})
    return JSONResponse({"status": "ready"}, headers=HEADERS)


ROUTES: Final = [
    Route("/run", run, methods=["POST"]),
    Route("/languages", languages),
    Route("/policies", policies),
    Route("/policies/{language}", policy),
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
    app.state.limiter = Limiter(config.settings.rate)
    return app


def main() -> None:
    """Refuses to start with all problems of all files; serves until SIGTERM."""
    arguments = argparse.ArgumentParser(description="The code runner's HTTP server.")
    arguments.add_argument("--policies", type=Path, default=configuration.FOLDER, help="the folder of policy files")
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s %(message)s", level=logging.INFO)
    try:
        folder = arguments.parse_args().policies
        config = configuration.load(folder)
        audit.check(config.settings.audit_file)
        asyncio.run(images.check_lock(config, folder))
    except (errors.PolicyError, errors.EngineError) as error:
        sys.exit(f"{error}\nThe server does not start: see above.")
    for policy in config.policies.values():
        for flag, reason in policy.waivers.items():
            logging.warning("waiver: %s: %s: %s", policy.name, flag, reason)
    settings = config.settings
    connection.allow_files(settings.connections)
    uvicorn.run(
        create_app(config),
        host=settings.host,
        port=settings.port,
        http=connection.Connection,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
        server_header=False,
        limit_concurrency=settings.connections,
        backlog=settings.connections,
        timeout_keep_alive=math.ceil(settings.body_time),
        timeout_graceful_shutdown=settings.stop_time,
        log_config=None,
    )


if __name__ == "__main__":
    main()
