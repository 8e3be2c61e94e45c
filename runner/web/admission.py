"""The one way in, whatever API is spoken: the site is looked at, the request is counted, its body has its bounds."""

import math
from typing import Final, NamedTuple

from starlette.requests import HTTPConnection, Request

from runner.errors import NoValidKey
from runner.policy.configuration import Configuration
from runner.runs.client import Client
from runner.runs.report import told
from runner.runs.result import Result
from runner.sandbox.job import Job
from runner.web import credentials, guard, leaving, limiter, patience, problems

UNKNOWN: Final = "That key is not known here: look whether it is whole, or ask whoever runs this service for another."
MISSING: Final = (
    "Programs are run only for whoever has a key: send it as `Authorization: Bearer KEY`, or as `key` in the first "
    "message of a live run. Whoever runs this service gives them out."
)


class Counted(NamedTuple):
    """A request that has been counted."""

    client: Client
    allowed: bool
    allowance: limiter.Allowance

    def admitted(self) -> Client:
        """Who asks, if they may ask now."""
        if not self.allowed:
            raise limiter.refusal(self.allowance)
        return self.client


async def admit(http: HTTPConnection, api: str = "run") -> Client:
    """Who asks, if they may ask now; the cheapest refusal comes first.

    ``http.state.headers`` are for every answer from then on.
    """
    return (await count(http, api)).admitted()


async def count(http: HTTPConnection, api: str = "run", key: str = "") -> Counted:
    """The same for who has to be told otherwise: whether their request may be served.

    A key is counted by its name, and everybody else by address: also who has sent a wrong one, and hears 429 once
    there were enough of them. ``key``: what came in a first message, for a browser's WebSocket has no headers.
    """
    client, required = who(http, api, key), http.app.state.config.key_required
    rate = client.held.rate if client.held else None
    counted = Counted(client, *await http.app.state.limiter.hit(client.identity, rate))
    http.state.headers = counted.allowance.headers
    sent = _sent(http, key)
    if counted.allowed and not client.held and (sent or required):
        raise NoValidKey(UNKNOWN if sent else MISSING)
    return counted


async def known(http: HTTPConnection, api: str) -> Client:
    """The same for a message that runs nothing: it is counted only where it is refused, for want of a key."""
    client = who(http, api)
    if not client.held and (_sent(http, "") or http.app.state.config.key_required):
        return await admit(http, api)
    return client


def who(http: HTTPConnection, api: str = "run", key: str = "") -> Client:
    """Who asks, from a site that may; not counted, and not refused for their key: for what runs nothing."""
    config: Configuration = http.app.state.config
    guard.check_site(http.headers, config.settings)
    held = config.keys.find(_sent(http, key)) if config.keys else None
    wait = patience.said(http.headers.getlist("prefer"))
    client = Client(problems.client(http), api, held, math.inf if wait is None else wait)
    http.state.entry.key = client.key
    return client


def _sent(http: HTTPConnection, key: str) -> str:
    """The key that came, known or not; where there are no keys, none is looked at."""
    return credentials.sent(http.headers.items(), key) if http.app.state.config.keys else ""


async def body(http: Request) -> bytes:
    """What was sent, in its bounds."""
    return await guard.read_body(http.stream(), http.headers, http.app.state.config.settings)


async def run(http: Request, job: Job, client: Client) -> Result:
    """The program's result, whose report is in the request's entry; a client that goes away takes its program along."""
    http.state.entry.language = job.language
    result: Result = await leaving.unless(leaving.gone(http.receive), http.app.state.service.run(job, client))
    http.state.entry.report = told(result, job)
    return result
