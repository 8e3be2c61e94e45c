"""A run as a stream of events, in the pace of whoever reads them."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing

from runner.runs.client import Client
from runner.runs.events import Event, Tail
from runner.runs.report import seconds, told
from runner.runs.result import Result
from runner.runs.service import Service
from runner.sandbox.job import Job
from runner.sandbox.live import Feed, Live

FLUSH_TIME = 0.02
"""Seconds between two looks at what was written: a program that prints byte by byte makes 50 events a second."""
PLACE_TIME = 1.0
"""Seconds between two words about the place in the line."""
QUIET_TIME = 5.0
"""Seconds without news after which None is yielded."""


async def watch(service: Service, job: Job, client: Client, feed: Feed | None = None) -> AsyncGenerator[Event | None]:
    """Runs the job; the last event is its result. What refuses it is raised: before the first event, if at once.

    Nothing is queued here: events are made of what the container has captured, when they are asked for.
    """
    live = Live(feed)
    running = asyncio.create_task(service.run(job, client, live))
    try:
        async with aclosing(follow(running, live, job)) as events:
            async for event in events:
                yield event
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def follow(running: asyncio.Task[Result], live: Live, job: Job) -> AsyncGenerator[Event | None]:
    """The same of a run that is another's, from its beginning on; there may be several who do."""
    tail = Tail(base64=job.base64)
    running.add_done_callback(lambda _: live.news.set())
    while not (live.entered or running.done()):
        await live.news.wait()
    if not live.entered:
        running.result()  # raises: nothing else ends it before
    line = _Line()
    yield line.event(live)
    while not running.done():
        live.news.clear()
        if line.moved(live):
            yield line.event(live)
        new = tuple(tail.take(live.phases))
        for event in new:
            yield event
        if new:
            await asyncio.wait((running,), timeout=FLUSH_TIME)
        elif not await _rings(live.news):
            yield None
    result = running.result()
    for event in tail.take(live.phases, over=True):
        yield event
    yield Event("result", told(result, job))


class _Line:
    """What is told of the line: that it was entered, then each new place, but not all the time."""

    def __init__(self) -> None:
        self._place = 0
        self._told = 0.0

    def moved(self, live: Live) -> bool:
        """Whether there is something new to say, and time to say it."""
        waits = live.place > 0 and not live.phases
        return waits and live.place != self._place and time.monotonic() - self._told >= PLACE_TIME

    def event(self, live: Live) -> Event:
        """How it stands."""
        self._place, self._told = live.place, time.monotonic()
        waits = {"place": live.place, "forecast": seconds(live.forecast)} if live.place else {}
        return Event("phase", {"phase": "queued", **waits})


async def _rings(news: asyncio.Event) -> bool:
    try:
        async with asyncio.timeout(QUIET_TIME):
            await news.wait()
    except TimeoutError:
        return False
    return True
