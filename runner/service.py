"""The sequence of one run; start-up and shutdown order; nothing is left behind."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from runner import argv, process
from runner.container import COMMAND_TIME, Container
from runner.errors import Busy, EngineError
from runner.policy import Policy
from runner.result import Job, Result, decide
from runner.settings import Settings
from runner.uids import Uids

SWEEP_TIME = 30.0
"""Seconds between two looks for containers that carry this instance's label and that nobody here knows."""
CLOSE_TIME = 10.0
"""Seconds that containers may take to be gone at shutdown."""
READY_AGE = 1.0
"""Seconds that a readiness answer is given again: asking docker costs 0.1 s of CPU."""

log = logging.getLogger(__name__)


class Service:
    """Runs jobs, each in a container of its own, so many at a time."""

    def __init__(self, policies: Mapping[str, Policy], settings: Settings) -> None:
        self.policies = policies
        self._settings = settings
        self._uids = Uids()
        self._places = asyncio.Semaphore(settings.running)
        self._waiting = 0
        self._containers: dict[asyncio.Task[None], Container] = {}
        self._ready_lock = asyncio.Lock()
        self._ready: tuple[float, list[str]] = (float("-inf"), [])

    async def run(self, job: Job) -> Result:
        """Runs one job to its end; ``Busy`` or ``EngineError`` when it cannot be run."""
        asked = time.monotonic()
        policy = self.policies[job.language]
        await self._take_place()
        container = self._start(policy)
        try:
            await container.ready()
            facts = await container.run(job, time.monotonic() - asked)
        except EngineError as error:
            log.error("%s: %r", container.name, error.detail)
            raise
        finally:
            container.stop()
        return decide(facts, policy)

    async def _take_place(self) -> None:
        settings = self._settings
        if self._places.locked() and self._waiting >= settings.waiting:
            raise Busy(f"{settings.running} programs run and {self._waiting} wait. Try again shortly.", 2.0)
        self._waiting += 1
        try:
            async with asyncio.timeout(settings.waiting_time):
                await self._places.acquire()
        except TimeoutError:
            raise Busy(f"No place was free within {settings.waiting_time:g} s. Try again shortly.", 2.0) from None
        finally:
            self._waiting -= 1

    def _start(self, policy: Policy) -> Container:
        container = Container(policy, self._uids.take(), self._settings.instance)
        task = asyncio.create_task(container.live(), name=container.name)
        self._containers[task] = container
        task.add_done_callback(self._gone)
        return container

    def _gone(self, task: asyncio.Task[None]) -> None:
        """A place is free when the container is gone, not before."""
        container = self._containers.pop(task)
        self._uids.give_back(container.uid)
        self._places.release()
        if not task.cancelled() and (error := task.exception()):
            log.error("%s: its keeper failed", container.name, exc_info=error)

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
        found = await process.execute(argv.names_of(self._settings.instance), COMMAND_TIME)
        if found.code != 0:
            raise EngineError(found.stderr)
        left = set(found.stdout.split()) - {container.name for container in self._containers.values()}
        if left:
            log.warning("sweeping %d containers that an earlier server left", len(left))
            await process.execute(argv.remove(*sorted(left)), COMMAND_TIME)

    async def _sweep_forever(self) -> None:
        while True:
            try:
                await self.sweep()
            except EngineError as error:
                log.error("cannot sweep: %r", error.detail)
            await asyncio.sleep(SWEEP_TIME)

    async def _close(self) -> None:
        for container in self._containers.values():
            container.stop()
        if not self._containers:
            return
        _, late = await asyncio.wait(self._containers, timeout=CLOSE_TIME)
        for task in late:
            log.error("%s: left behind, the next start sweeps it", task.get_name())
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)


@asynccontextmanager
async def open_service(policies: Mapping[str, Policy], settings: Settings) -> AsyncIterator[Service]:
    """A service from its first sweep until nothing of it is left."""
    service = Service(policies, settings)
    sweeper = asyncio.create_task(service._sweep_forever(), name="sweeper")
    try:
        yield service
    finally:
        sweeper.cancel()
        await asyncio.gather(sweeper, return_exceptions=True)
        await service._close()
