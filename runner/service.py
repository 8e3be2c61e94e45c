"""The sequence of one run; start-up and shutdown order; nothing is left behind."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from runner import argv, process
from runner.container import COMMAND_TIME
from runner.errors import EngineError
from runner.live import Live
from runner.policy import Policy
from runner.pool import Pool
from runner.result import Job, Result, decide
from runner.settings import Settings

SWEEP_TIME = 30.0
"""Seconds between two looks for containers that carry this instance's label and that nobody here knows."""
CLOSE_TIME = 10.0
"""Seconds that containers may take to be gone at shutdown."""
ATTEMPTS = 3
"""Containers tried for one job, when they turn out to be dead before it is handed over."""
READY_AGE = 1.0
"""Seconds that a readiness answer is given again: asking docker costs 0.1 s of CPU."""

log = logging.getLogger(__name__)


class Service:
    """Runs jobs, each in a container of its own."""

    def __init__(self, policies: Mapping[str, Policy], settings: Settings) -> None:
        self.policies = policies
        self.pool = Pool(policies, settings)
        self._instance = settings.instance
        self._ready_lock = asyncio.Lock()
        self._ready: tuple[float, list[str]] = (float("-inf"), [])

    async def run(self, job: Job, live: Live | None = None) -> Result:
        """Runs one job to its end; ``Busy`` or ``EngineError`` when it cannot be run. ``live`` sees it go on."""
        asked = time.monotonic()
        for _ in range(ATTEMPTS):
            async with self.pool.container(job.language) as container:
                if container.ended:  # it died idle, a moment ago; that is not the program's ending
                    continue
                try:
                    facts = await container.run(job, time.monotonic() - asked, live or Live())
                except EngineError as error:
                    log.error("%s: %r", container.name, error.detail)
                    raise
            return decide(facts, self.policies[job.language])
        raise EngineError("containers die before they are fed")

    async def problems(self) -> list[str]:
        """Why no program can run now, in words without anything internal; empty when all is well."""
        async with self._ready_lock:
            asked, answer = self._ready
            if time.monotonic() - asked > READY_AGE:
                answer = await self._ask()
                self._ready = (time.monotonic(), answer)
            return answer

    async def _ask(self) -> list[str]:
        try:
            version = await process.execute(argv.engine_version(), COMMAND_TIME)
            if version.code != 0:
                raise EngineError(version.stderr)
            images = {
                p.name: await process.execute(argv.image_id(p.image), COMMAND_TIME) for p in self.policies.values()
            }
        except EngineError as error:
            log.error("not ready: %r", error.detail)
            return ["the container engine does not answer"]
        return [f"the image of {name} is missing: `make images` builds it" for name, i in images.items() if i.code != 0]

    async def sweep(self) -> None:
        """Removes what an earlier server of this instance has left."""
        found = await process.execute(argv.names_of(self._instance), COMMAND_TIME)
        if found.code != 0:
            raise EngineError(found.stderr)
        left = set(found.stdout.split()) - self.pool.names
        if left:
            log.warning("sweeping %d containers that an earlier server left", len(left))
            await process.execute(argv.remove(*sorted(left)), COMMAND_TIME)

    async def sweep_forever(self) -> None:
        """At start, and then now and again: the engine may not answer yet."""
        while True:
            try:
                await self.sweep()
            except EngineError as error:
                log.error("cannot sweep: %r", error.detail)
            await asyncio.sleep(SWEEP_TIME)


@asynccontextmanager
async def open_service(policies: Mapping[str, Policy], settings: Settings) -> AsyncIterator[Service]:
    """A service from its first sweep until nothing of it is left."""
    service = Service(policies, settings)
    chores = [asyncio.create_task(service.sweep_forever()), asyncio.create_task(service.pool.turn_forever())]
    try:
        yield service
    finally:
        for chore in chores:
            chore.cancel()
        await asyncio.gather(*chores, return_exceptions=True)
        await service.pool.close(CLOSE_TIME)
