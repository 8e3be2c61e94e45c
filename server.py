"""The HTTP edge: routes, JSON in and out, errors to problems, start and stop. Run it: ``python server.py``."""

import argparse
import logging
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Final

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import ExceptionHandler

from runner import configuration, errors
from runner.configuration import Configuration
from runner.limiter import Limiter
from runner.service import open_service
from runner.web import page, problems
from runner.web.problems import HEADERS, problem
from runner.web.run import run
from runner.web.talk import talk


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


ROUTES: Final[list[Route | WebSocketRoute]] = [
    Route("/", page.page),
    Route("/static/{path:path}", page.page),
    Route("/run", run, methods=["POST"]),
    WebSocketRoute("/run/live", talk),
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
        errors.Refusal: problems.refused,
        HTTPException: problems.http_error,
        ClientDisconnect: problems.left,
        Exception: problems.crashed,
    }
    app = Starlette(routes=ROUTES, exception_handlers=handlers, lifespan=lifespan)
    app.state.config = config
    app.state.page = page.load()
    app.state.limiter = Limiter(config.settings.rate)
    app.state.sockets = set()
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
        ws="websockets-sansio",
        ws_max_size=settings.body,
        ws_per_message_deflate=False,  # a compressed message could be a thousand times as large
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
        server_header=False,
        limit_concurrency=settings.connections,
        timeout_graceful_shutdown=settings.stop_time,
        log_config=None,
    )


if __name__ == "__main__":
    main()
