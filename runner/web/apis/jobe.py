"""Jobe's routes: its files are kept here, its runs are ours."""

import time
from dataclasses import replace
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from runner.apis import jobe, jobe_results
from runner.apis.kept import Kept
from runner.runs import request
from runner.runs.client import Client
from runner.sandbox.job import File
from runner.web import admission, guard
from runner.web.apis.edge import answer, refused, speaking
from runner.web.problems import HEADERS

API: Final = "jobe"
BASE: Final = "/jobe/index.php/restapi"
FILES: Final = 1000
FILE_BYTES: Final = 64 * 1024**2
FILE_AGE: Final = 86400.0
"""Seconds."""

Files = Kept[tuple[str, str], bytes]
"""By the client who has put them, and their ids: what one client puts is no other's file."""


def no_files() -> Files:
    """Where files will be kept."""
    return Kept(FILES, FILE_BYTES, FILE_AGE)


async def languages(http: Request) -> Response:
    """``GET languages``."""
    return answer(http, 200, jobe.languages(http.app.state.config.policies))


async def runs(http: Request) -> Response:
    """``POST runs``: the cheapest refusal comes first."""
    client = await admission.admit(http, API)
    guard.check_type(http.headers)
    policies = http.app.state.config.policies
    asked = jobe.parse(await admission.body(http), policies)
    files = [_file(http, client, key, name) for key, name in asked.files]
    found = tuple(file for file in files if file)
    if len(found) < len(files):
        return refused(http, (404, "File not kept"), jobe_results.MISSING)
    job = request.check(replace(asked.job, files=found), policies)
    result = await admission.run(http, job, client)
    return answer(http, 200, jobe_results.report(result))


def _file(http: Request, client: Client, key: str, name: str) -> File | None:
    files: Files = http.app.state.files
    data = files.get((client.identity, key), time.monotonic())
    return None if data is None else File(name, data)


async def put(http: Request) -> Response:
    """``PUT files/{key}``: counted like a run, for it takes memory."""
    client, key = await admission.admit(http, API), http.path_params["key"]
    guard.check_type(http.headers)
    data = jobe.contents(key, await admission.body(http))
    http.app.state.files.put((client.identity, key), data, len(data), time.monotonic())
    return Response(status_code=204, headers={**HEADERS, **http.state.headers})


async def head(http: Request) -> Response:
    """``HEAD files/{key}``: whether it is kept for this client."""
    file = _file(http, admission.who(http, API), http.path_params["key"], "")
    return Response(status_code=204 if file else 404, headers=HEADERS)


ROUTES: Final = [
    *(Route(f"{BASE}/languages{end}", speaking(jobe_results.refusal, languages)) for end in ("", "/")),
    *(Route(f"{BASE}/runs{end}", speaking(jobe_results.run_refusal, runs), methods=["POST"]) for end in ("", "/")),
    Route(f"{BASE}/files/{{key}}", speaking(jobe_results.refusal, put), methods=["PUT"]),
    Route(f"{BASE}/files/{{key}}", speaking(jobe_results.refusal, head), methods=["HEAD"]),
]
