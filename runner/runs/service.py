"""The sequence of one run; start-up and shutdown order; nothing is left behind."""

import asyncio
import logging
import secrets
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from runner.errors import AuditError, EngineError
from runner.host import checks
from runner.host.finding import Finding
from runner.host.watch import Watch
from runner.policy import argv
from runner.policy.policy import Policy
from runner.policy.settings import Settings
from runner.record.audit import Audit
from runner.record.refusals import PERIOD, Refusals
from runner.runs import entries
from runner.runs.client import Client
from runner.runs.result import Result, decide
from runner.sandbox import images, process
from runner.sandbox.container import Container
from runner.sandbox.job import Job
from runner.sandbox.line import REQUEST
from runner.sandbox.live import Live
from runner.sandbox.names import begun
from runner.sandbox.pool import Pool
from runner.sandbox.process import ANSWER_TIME, COMMAND_TIME

SWEEP_TIME = 30.0
"""Seconds between two looks for containers that carry this instance's label and that nobody here knows."""
CLOSE_TIME = 10.0
"""Seconds that containers may take to be gone at shutdown."""
AWAY_TIME = 0.5
"""The same, while the engine does not answer: time for docker's clients to go."""
COMMAND = "cli-"
"""What the instance of a command begins with."""
ABANDONED_AGE = timedelta(minutes=10)
"""After which a container of a command that is not running is nobody's."""
ATTEMPTS = 3
"""Containers tried for one job, when they turn out to be dead before it is handed over."""
READY_AGE = 1.0
"""Seconds that a readiness answer is given again: asking docker costs 0.1 s of CPU."""

log = logging.getLogger(__name__)


def command() -> str:
    """The instance of one command: its containers are no server's."""
    return f"{COMMAND}{secrets.token_hex(4)}"


class Service:
    """Runs jobs, each in a container of its own."""

    def __init__(self, policies: Mapping[str, Policy], settings: Settings) -> None:
        self.policies = policies
        self.pool = Pool(policies, settings)
        self.audit = Audit(settings.audit_file)
        self.refusals = Refusals(self.audit)
        self._instance = settings.instance
        self._settings = settings
        self._watch = Watch(settings.audit_file)
        self.images: dict[str, str | None] = {}
        self._ready_lock = asyncio.Lock()
        self._ready: tuple[float, list[str]] = (float("-inf"), [])

    async def run(self, job: Job, client: Client, live: Live | None = None) -> Result:
        """Runs one job to its end; ``Busy``, ``AuditError`` or ``EngineError`` when it cannot be run.

        ``ForbiddenLanguage`` when the client may not. ``live`` sees it go on.
        """
        client.check(job.language)
        asked, live = time.monotonic(), live or Live()
        if not await self.audit.mend():
            raise AuditError("the last line could not be written")
        for _ in range(ATTEMPTS):
            async with self.pool.container(
                job.language,
                live.enter,
                client=client.identity,
                live=job.terminal is not None,
                holds=REQUEST + job.size,
                patience=client.patience,
            ) as container:
                if container.ended:  # it died idle, a moment ago; that is not the program's ending
                    continue
                return await self._run(container, job, client, time.monotonic() - asked, live)
        raise EngineError("containers die before they are fed")

    async def _run(self, container: Container, job: Job, client: Client, queued: float, live: Live) -> Result:
        """Between two lines of the audit file, whatever happens."""
        name, policy = container.name, container.policy
        image = self.images.get(policy.name)
        start = entries.started(job, policy, name=name, argv=container.argv, image=image, client=client)
        end: entries.Fields | None = entries.lost(name, policy, client, "abandoned")
        try:
            await self.audit.begin(start, entries.lost(name, policy, client, "not_run"))
            result = decide(await container.run(job, queued, live), policy)
            end = entries.ended(result, client, live.feed.digest if live.feed else None)
        except AuditError:
            end = None  # it has not begun
            raise
        except EngineError as error:
            log.error("%s: %r", name, error.detail)
            end = entries.lost(name, policy, client, "engine_failed")
            raise
        finally:
            if end:
                await self.audit.owe("ended", **end)
        return result

    async def problems(self) -> list[str]:
        """Why no program can run now, in words without anything internal; empty when all is well."""
        async with self._ready_lock:
            asked, answer = self._ready
            if time.monotonic() - asked > READY_AGE:
                before, found = answer, await self._ask()
                answer = [f"{each.said}: {each.remedy}" for each in found]
                for each in found if answer != before else []:
                    log.error("not ready: %r", str(each))
                self._ready = (time.monotonic(), answer)
            return answer

    async def _ask(self) -> list[Finding]:
        """By the checks of `runner doctor` without which no program runs."""
        facts = await self._watch.look()
        missing: tuple[str, ...] = ()
        try:
            if facts.info is not None:
                missing = tuple(name for name, image in (await self.look_at_images()).items() if image is None)
        except EngineError as error:
            facts = replace(facts, info=None, engine_error=error.detail)
        if not await self.audit.mend():
            facts = replace(facts, audit_error="the last line could not be written")
        not_starting = tuple(name for name in self.pool.failing() if name not in missing)
        return checks.failures(replace(facts, missing_images=missing, not_starting=not_starting), self._settings)

    async def look_at_images(self) -> dict[str, str | None]:
        """What the images are now: a tag may be moved while the service runs, and the audit file says it."""
        found = await images.identities(self.policies)
        before, self.images = self.images, found
        if before and found != before:
            for name in (each for each in found if found[each] != before[each]):
                log.warning("the image of %s is another now: it was %s, and is %s", name, before[name], found[name])
            await self.audit.owe("images", images=found)
        return found

    async def sweep(self) -> None:
        """Removes what an earlier server of this instance has left, and commands that were killed."""
        listed = await process.output(argv.names_of(self._instance), COMMAND_TIME)
        left = set(listed.split()) - self.pool.names | await self._abandoned()
        if left:
            log.warning("sweeping %d containers that an earlier server left", len(left))
            await process.execute(argv.remove(*sorted(left)), COMMAND_TIME)

    async def _abandoned(self) -> set[str]:
        """What a `runner run` that was killed may have left: made, and never started."""
        listed = await process.output(argv.left_over(), COMMAND_TIME)
        found = (line.split(" ", 1) for line in listed.splitlines())
        before = datetime.now(UTC) - ABANDONED_AGE
        return {n for owner, n in found if owner.startswith(COMMAND) and (made := begun(n)) and made < before}

    async def close(self) -> None:
        """Waits until every container is gone; but not for an engine that is not there."""
        began = time.monotonic()
        try:
            await process.output(argv.engine_version(), ANSWER_TIME)
        except EngineError as error:
            log.error("closing without the engine: %r", error.detail)
            await self.pool.close(AWAY_TIME)
        else:
            await self.pool.close(CLOSE_TIME - (time.monotonic() - began))

    async def sweep_forever(self) -> None:
        """At start, and then now and again: the engine may not answer yet."""
        while True:
            try:
                await self.sweep()
                await self.look_at_images()
            except EngineError as error:
                log.error("cannot sweep: %r", error.detail)
            await asyncio.sleep(SWEEP_TIME)

    async def write_refusals_forever(self) -> None:
        """Now and again."""
        while True:
            await asyncio.sleep(PERIOD)
            await self.refusals.write()


@asynccontextmanager
async def open_service(policies: Mapping[str, Policy], settings: Settings) -> AsyncIterator[Service]:
    """A service from its first sweep until nothing of it is left."""
    service = Service(policies, settings)
    with suppress(EngineError):  # then the chores say so, and the readiness answer
        await service.look_at_images()
    await service.audit.owe("start", **entries.service(settings.instance, policies, service.images))
    duties = (service.sweep_forever(), service.pool.turn_forever(), service.write_refusals_forever())
    chores = [asyncio.create_task(duty) for duty in duties]
    try:
        yield service
    finally:
        for chore in chores:
            chore.cancel()
        await asyncio.gather(*chores, return_exceptions=True)
        await service.close()
        await service.refusals.write()
        await service.audit.owe("stop", instance=settings.instance)
        service.audit.close()
