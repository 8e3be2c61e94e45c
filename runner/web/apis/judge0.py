"""Judge0 CE's routes, under a prefix: its ``/languages`` is not ours."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from runner.apis import archive, judge0, judge0_about, judge0_results
from runner.apis.judge0 import Asked, Given, Invalid
from runner.errors import BadRequest, Refusal
from runner.policy.configuration import Configuration
from runner.web import admission, guard
from runner.web.apis.edge import answer, refused, speaking
from runner.web.apis.submissions import KEPT_AGE, QUEUE, Submissions

API: Final = "judge0"
NOT_UTF8: Final = "some attributes for {} cannot be converted to UTF-8, use base64_encoded=true query parameter"
INVALID: Final = (422, "Invalid submission")
NOT_KEPT: Final = (404, "Submission not kept")
NO_LANGUAGE: Final = (404, "Unknown language number")


async def create(http: Request) -> Response:
    """``POST /submissions``: a token, or with ``wait=true`` the result."""
    client = await admission.admit(http, API)
    guard.check_type(http.headers)
    names, encoded = judge0_results.fields(http.query_params.get("fields", "")), _encoded(http)
    asked = _read(http, judge0.one(await admission.body(http)), encoded=encoded)
    if isinstance(asked, Invalid):
        return refused(http, INVALID, asked.errors)
    if http.query_params.get("wait") != "true":
        http.state.entry.language = asked.job.language
        [token] = _submissions(http).add([asked], client)
        return answer(http, 201, {"token": token})
    result = await admission.run(http, asked.job, client)
    submission = _submissions(http).ended(asked, result)
    try:
        return answer(http, 201, judge0_results.shown(submission, names, encoded=encoded))
    except UnicodeDecodeError:
        return answer(http, 201, {"error": NOT_UTF8.format("this submission"), "token": submission.token})


def _read(http: Request, given: Given, *, encoded: bool) -> Asked | Invalid:
    config: Configuration = http.app.state.config
    limits = [policy.limits for policy in config.policies.values()]
    number, size = max(each.files for each in limits), max(each.file_bytes for each in limits)
    files = archive.unpacked(judge0.archive(given), number, size)
    return judge0.read(given, files, config.policies, encoded=encoded)


async def show(http: Request) -> Response:
    """``GET /submissions/{token}``."""
    admission.who(http, API)
    names = judge0_results.fields(http.query_params.get("fields", ""))
    submission = _submissions(http).get(http.path_params["token"])
    if submission is None:
        return refused(http, NOT_KEPT, {"error": "there is no submission of that token, or no longer"})
    try:
        return answer(http, 200, judge0_results.shown(submission, names, encoded=_encoded(http)))
    except UnicodeDecodeError:
        raise BadRequest(NOT_UTF8.format("this submission")) from None


async def create_batch(http: Request) -> Response:
    """``POST /submissions/batch``: a token or what is wrong with it for each, and each is counted."""
    client = await admission.admit(http, API)
    guard.check_type(http.headers)
    bodies = judge0.several(await admission.body(http))
    for _ in bodies[1:]:
        await admission.admit(http, API)
    read = [_read_or_error(http, body) for body in bodies]
    asked = [each for each in read if isinstance(each, Asked)]
    if not asked:
        return refused(http, INVALID, read)
    tokens = iter(_submissions(http).add(asked, client))
    return answer(http, 201, [{"token": next(tokens)} if isinstance(each, Asked) else each for each in read])


def _read_or_error(http: Request, body: Any) -> Asked | Any:
    try:
        found = _read(http, judge0.one(body), encoded=_encoded(http))
    except Refusal as error:
        return {"error": str(error)}
    return found.errors if isinstance(found, Invalid) else found


async def show_batch(http: Request) -> Response:
    """``GET /submissions/batch``."""
    admission.who(http, API)
    names = judge0_results.fields(http.query_params.get("fields", ""))
    found = [_submissions(http).get(token) for token in judge0.tokens(http.query_params.get("tokens", ""))]
    try:
        shown = [each and judge0_results.shown(each, names, encoded=_encoded(http)) for each in found]
    except UnicodeDecodeError:
        raise BadRequest(NOT_UTF8.format("one or more submissions")) from None
    return answer(http, 200, {"submissions": shown})


def _encoded(http: Request) -> bool:
    return http.query_params.get("base64_encoded") == "true"


def _submissions(http: Request) -> Submissions:
    found: Submissions = http.app.state.submissions
    return found


async def languages(http: Request) -> Response:
    """``GET /languages``."""
    return answer(http, 200, judge0_about.languages(http.app.state.config.policies))


async def all_languages(http: Request) -> Response:
    """``GET /languages/all``: none is archived."""
    found = judge0_about.languages(http.app.state.config.policies)
    return answer(http, 200, [each | {"is_archived": False} for each in found])


async def language(http: Request) -> Response:
    """``GET /languages/{id}``."""
    found = judge0_about.language(http.path_params["id"], http.app.state.config.policies)
    return (
        answer(http, 200, found) if found else refused(http, NO_LANGUAGE, {"error": "there is no language of that id"})
    )


async def statuses(http: Request) -> Response:
    """``GET /statuses``."""
    return answer(http, 200, judge0_about.statuses())


async def about(http: Request) -> Response:
    """``GET /about``."""
    return answer(http, 200, judge0_about.about())


async def config_info(http: Request) -> Response:
    """``GET /config_info``."""
    return answer(http, 200, judge0_about.config_info(http.app.state.config.policies, QUEUE, KEPT_AGE))


def _route(path: str, handler: Callable[[Request], Awaitable[Response]], method: str = "GET") -> Route:
    return Route(f"/judge0{path}", speaking(judge0.refusal, handler), methods=[method])


ROUTES: Final = [
    _route("/submissions", create, "POST"),
    _route("/submissions/batch", create_batch, "POST"),
    _route("/submissions/batch", show_batch),
    _route("/submissions/{token}", show),
    _route("/languages", languages),
    _route("/languages/all", all_languages),
    _route("/languages/{id}", language),
    _route("/statuses", statuses),
    _route("/about", about),
    _route("/config_info", config_info),
]
