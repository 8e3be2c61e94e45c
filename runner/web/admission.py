"""The one way in, whatever API is spoken: the site is looked at, the request is counted, its body has its bounds."""

from starlette.requests import HTTPConnection, Request

from runner.policy.configuration import Configuration
from runner.runs.client import Client
from runner.runs.result import Result
from runner.sandbox.job import Job
from runner.web import guard, leaving, limiter, problems


async def admit(http: HTTPConnection, api: str = "run") -> Client:
    """Who asks, if they may ask now; the cheapest refusal comes first.

    ``http.state.headers`` are for every answer from then on.
    """
    client, allowed, allowance = await count(http, api)
    if not allowed:
        raise limiter.refusal(allowance)
    return client


async def count(http: HTTPConnection, api: str = "run") -> tuple[Client, bool, limiter.Allowance]:
    """The same for who has to be told otherwise: whether their request may be served."""
    client = who(http, api)
    allowed, allowance = await http.app.state.limiter.hit(client.address)
    http.state.headers = allowance.headers
    return client, allowed, allowance


def who(http: HTTPConnection, api: str = "run") -> Client:
    """The same for what runs nothing, and is not counted: they ask from a site that may."""
    config: Configuration = http.app.state.config
    guard.check_site(http.headers, config.settings)
    return Client(problems.client(http), api)


async def body(http: Request) -> bytes:
    """What was sent, in its bounds."""
    return await guard.read_body(http.stream(), http.headers, http.app.state.config.settings)


async def run(http: Request, job: Job, client: Client) -> Result:
    """The program's result; a client that goes away takes its program along."""
    http.state.entry.language = job.language
    return await leaving.unless(leaving.gone(http.receive), http.app.state.service.run(job, client))
