"""What the routes of other runners' APIs have in common: refusals in the words of the API that was asked."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from runner.errors import Refusal
from runner.web import problems
from runner.web.access import CRASHED, LEFT
from runner.web.problems import BUG, HEADERS, PROBLEMS

Handler = Callable[[Request], Awaitable[Response]]
Words = Callable[[int, str], tuple[int, Any]]
"""A problem's status and detail -> the status and the JSON with which an API says it."""

METHODS: Final = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
"""For a route that refuses methods itself, in its API's words."""

log = logging.getLogger(__name__)


def speaking(words: Words, handler: Handler, headers: Mapping[str, str] | None = None) -> Handler:
    """The handler; what it raises is recorded like any refusal, and told in the API's own words.

    ``headers``: for its refusals, such as those that let pages of other origins read them.
    """

    async def handled(http: Request) -> Response:
        try:
            return await handler(http)
        except Refusal as error:
            status, title = PROBLEMS[type(error)]
            problems.record(http, (status, title))
            return answer(http, *words(status, str(error)), {**(headers or {}), **problems.remedy(error)})
        except ClientDisconnect:
            http.state.entry.problem = LEFT
            return answer(http, *words(*LEFT), headers)
        except Exception:
            log.exception("a request failed")
            problems.record(http, CRASHED)
            return answer(http, *words(CRASHED[0], BUG), headers)

    return handled


def answer(http: Request, status: int, content: Any, headers: Mapping[str, str] | None = None) -> Response:
    """JSON, with what the limiter has to say."""
    return JSONResponse(content, status, {**HEADERS, **getattr(http.state, "headers", {}), **(headers or {})})


def refused(http: Request, problem: tuple[int, str], content: Any) -> Response:
    """What only such an API refuses, in its words: recorded like any refusal. ``problem``: its status and title."""
    problems.record(http, problem)
    return answer(http, problem[0], content)
