"""A run as a stream of events, in the pace of whoever reads them."""

import asyncio
from collections.abc import AsyncGenerator

from runner.events import Event, Tail
from runner.live import Feed, Live
from runner.report import as_json
from runner.result import Job
from runner.service import Service

FLUSH_TIME = 0.02
"""Seconds between two looks at what was written: a program that prints byte by byte makes 50 events a second."""
QUIET_TIME = 5.0
"""Seconds without news after which None is yielded."""


async def watch(service: Service, job: Job, client: str, feed: Feed | None = None) -> AsyncGenerator[Event | None]:
    """Runs the job; the last event is its result. What refuses it is raised: before the first event, if at once.

    Nothing is queued here: events are made of what the container has captured, when they are asked for.
    """
    live, tail = Live(feed), Tail(service.policies[job.language])
    running = asyncio.create_task(service.run(job, client, live))
    running.add_done_callback(lambda _: live.news.set())
    try:
        await asyncio.sleep(0)  # it takes its place in the line, or is refused
        if running.done():
            running.result()
        yield Event("phase", {"phase": "queued"})
        while not running.done():
            if not await _news(live):
                yield None
                continue
            for event in tail.take(live.phases):
                yield event
            await asyncio.wait((running,), timeout=FLUSH_TIME)
        result = running.result()
        for event in tail.take(live.phases, over=True):
            yield event
        yield Event("result", as_json(result, several=job.several))
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def _news(live: Live) -> bool:
    try:
        async with asyncio.timeout(QUIET_TIME):
            await live.news.wait()
    except TimeoutError:
        return False
    live.news.clear()
    return True
