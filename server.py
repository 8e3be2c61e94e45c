"""The HTTP edge: routes, JSON in and out, errors to problems, start and stop. Run it: ``python server.py``."""

import argparse
import asyncio
import logging
import math
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Final

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import ExceptionHandler

from runner import errors, logs
from runner.host import checks
from runner.host.finding import Level
from runner.host.watch import Watch
from runner.mcp import extra
from runner.policy import configuration
from runner.policy.configuration import Configuration
from runner.policy.settings import Settings
from runner.proof.verifier import open_verifier
from runner.runs.service import open_service
from runner.sandbox import images
from runner.web import about, connection, openapi, pongs, problems, static
from runner.web.access import Access
from runner.web.answers import Answers
from runner.web.apis import codapi, jobe, judge0, mcp, piston
from runner.web.apis.submissions import Submissions
from runner.web.limiter import Limiter
from runner.web.metrics import Metrics
from runner.web.run import run
from runner.web.talk import talk

ROUTES: Final[list[Route | WebSocketRoute]] = [
    Route("/", static.page),
    Route("/static/{path:path}", static.page),
    Route("/run", run, methods=["POST"]),
    WebSocketRoute("/run/live", talk),
    Route("/languages", about.languages),
    Route("/policies", about.policies),
    Route("/policies/{language}", about.policy),
    Route("/health", about.health),
    Route("/ready", about.ready),
    Route("/metrics", about.metrics),
    Route("/openapi.json", about.openapi),
    Route("/api", about.api),
]

OTHERS: Final[Mapping[str, Sequence[BaseRoute]]] = {
    "piston": piston.ROUTES,
    "codapi": codapi.ROUTES,
    "jobe": jobe.ROUTES,
    "judge0": judge0.ROUTES,
    "mcp": mcp.ROUTES,
}
"""The routes of each other API, see `apis` in server.toml."""
UNSTARTED: Final = "The server does not start: see above."


def create_app(config: Configuration) -> Starlette:
    """The application; its service lives as long as it does."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[dict[str, object]]:
        policies, settings = config.policies, config.settings
        app.state.limiter = Limiter(settings.rate, settings.rate_limit_storage)
        async with (
            aclosing(app.state.limiter),
            open_service(policies, settings) as app.state.service,
            open_verifier(policies, settings.instance, app.state.service.pool) as app.state.verifier,
        ):
            app.state.metrics = Metrics(app.state.service.pool)
            async with (
                aclosing(Answers(app.state.service, app.state.metrics)) as app.state.answers,
                aclosing(Submissions(app.state.service, app.state.metrics)) as app.state.submissions,
                mcp.open_endpoint(app.state.service, settings) as app.state.mcp,
            ):
                yield {"refused": partial(problems.before_a_request, app)}

    handlers: dict[int | type[Exception], ExceptionHandler] = {
        errors.Refusal: problems.refused,
        HTTPException: problems.http_error,
        ClientDisconnect: problems.left,
        Exception: problems.crashed,
    }
    routes = [*ROUTES, *(route for api in config.settings.apis for route in OTHERS[api])]
    app = Starlette(routes=routes, middleware=[Middleware(Access)], exception_handlers=handlers, lifespan=lifespan)
    app.state.config = config
    app.state.page = static.load()
    app.state.sockets = set()
    app.state.files = jobe.no_files()
    app.state.openapi = openapi.document(config.policies, problems.PROBLEMS.values(), config.keys)
    return app


def refuse_unfit(settings: Settings) -> None:
    """Exits where this host can run no program, or only without its limits; says what else is wrong with it."""
    facts = asyncio.run(Watch(settings.audit_file).look())
    if found := checks.forbidding(facts, settings):
        sys.exit("\n".join([*map(str, found), UNSTARTED]))
    for each in checks.findings(facts, settings):
        if each.level is Level.FAIL:
            logging.error("host: %r", str(each))


def main() -> None:
    """Refuses to start with all problems of all files; serves until SIGTERM."""
    arguments = argparse.ArgumentParser(description="The code runner's HTTP server.")
    arguments.add_argument("--policies", type=Path, default=configuration.FOLDER, help="the folder of policy files")
    arguments.add_argument("--log-format", choices=logs.FORMATS, default="text", help="one line or one object a record")
    args = arguments.parse_args()
    logs.setup(args.log_format)
    try:
        config = configuration.load(args.policies)
        if mcp.API in config.settings.apis:
            extra.check()
        asyncio.run(images.check_lock(config, args.policies))
    except (errors.PolicyError, errors.EngineError) as error:
        sys.exit(f"{error}\n{UNSTARTED}")
    refuse_unfit(config.settings)
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
        ws=pongs.Protocol,
        ws_max_size=settings.body,
        ws_per_message_deflate=False,  # a compressed message could be a thousand times as large
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
        server_header=False,
        limit_concurrency=settings.connections,
        backlog=settings.connections,
        timeout_keep_alive=math.ceil(settings.body_time),
        timeout_graceful_shutdown=settings.stop_time,
        log_config=None,
        access_log=False,
    )


if __name__ == "__main__":
    main()
