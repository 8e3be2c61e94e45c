"""What the service says of itself: languages, policies, health."""

from dataclasses import asdict
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from runner import explain
from runner.policy import Policy
from runner.web.problems import HEADERS, problem


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
    found = [_described(http, policy) for policy in http.app.state.config.policies.values()]
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


async def health(http: Request) -> Response:
    """``GET /health``: the process is up."""
    return JSONResponse({"status": "up"}, headers=HEADERS)


async def ready(http: Request) -> Response:
    """``GET /ready``: programs can run, or why not."""
    state = http.app.state
    if found := [*await state.service.problems(), *await state.limiter.problems(), *state.verifier.problems()]:
        return problem(503, "Not ready", "; ".join(found), {"Retry-After": "5"})
    return JSONResponse({"status": "ready", "verified": state.verifier.summary()}, headers=HEADERS)
