"""What the service says of itself: languages, policies, its state."""

from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from prometheus_client import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response

from runner.policy import explain
from runner.policy.configuration import Configuration
from runner.policy.policy import Policy
from runner.web import guard
from runner.web.problems import HEADERS, problem

API: Final = Path(__file__).parent / "page" / "api.html"


async def languages(http: Request) -> Response:
    """``GET /languages``: what can be run, within which limits, and whether it takes a key."""
    found = [
        {
            "language": p.name,
            "title": p.title,
            "limits": asdict(p.limits) | {"compile_time": p.limits.compile_time if p.compile else None},
        }
        for p in http.app.state.config.policies.values()
    ]
    return JSONResponse({"languages": found, "key_required": http.app.state.config.key_required}, headers=HEADERS)


async def metrics(http: Request) -> Response:
    """``GET /metrics``: for Prometheus."""
    guard.check_site(http.headers, http.app.state.config.settings)
    return Response(http.app.state.metrics.text(), headers=HEADERS, media_type=CONTENT_TYPE_LATEST)


async def policies(http: Request) -> Response:
    """``GET /policies``: which there are, by digest."""
    config: Configuration = http.app.state.config
    found = [_described(http, policy) for policy in config.policies.values()]
    keys = ("language", "title", "digest", "profile", "image", "image_id", "waivers")
    return JSONResponse({"policies": [{key: each[key] for key in keys} for each in found]}, headers=HEADERS)


async def policy(http: Request) -> Response:
    """``GET /policies/{language}``: the exact command, the reason for each flag."""
    found = http.app.state.config.policy(http.path_params["language"])
    return JSONResponse(_described(http, found), headers=HEADERS)


def _described(http: Request, policy: Policy) -> dict[str, Any]:
    """What is known of a policy, of its image now, and of the last time that it was proved."""
    state = http.app.state
    found = explain.policy(policy, state.config.settings.instance)
    flags = [flag | {"verified": state.verifier.finding(policy.name, flag["line"])} for flag in found["flags"]]
    verified = state.verifier.summary()[policy.name]
    return found | {"flags": flags, "image_id": state.service.images.get(policy.name), "verified": verified}


async def openapi(http: Request) -> Response:
    """``GET /openapi.json``: the API for programs."""
    return JSONResponse(http.app.state.openapi, headers=HEADERS)


async def api(http: Request) -> Response:
    """``GET /api``: the API for people."""
    return FileResponse(API, headers={**HEADERS, "Content-Security-Policy": "default-src 'self'; base-uri 'none'"})


async def health(http: Request) -> Response:
    """``GET /health``: the process is up."""
    return JSONResponse({"status": "up"}, headers=HEADERS)


async def ready(http: Request) -> Response:
    """``GET /ready``: programs can run, or why not."""
    state = http.app.state
    if found := [*await state.service.problems(), *await state.limiter.problems(), *state.verifier.problems()]:
        return problem(503, "Not ready", "; ".join(found), {"Retry-After": "5"})
    return JSONResponse({"status": "ready", "verified": state.verifier.summary()}, headers=HEADERS)
