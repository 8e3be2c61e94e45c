"""Verification beside the service: each policy once the pool is warm, and again every hour."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import Final

from runner.errors import EngineError
from runner.policy import argv
from runner.policy.policy import Policy
from runner.proof.evidence import Evidence
from runner.proof.proofs import Finding
from runner.proof.verification import verify
from runner.sandbox import process
from runner.sandbox.pool import Pool
from runner.sandbox.process import COMMAND_TIME

EVERY: Final = 3600.0
"""Seconds between two verifications."""
RETRY: Final = 60.0
"""Seconds after one that failed, or that could not be done."""
CALM: Final = 2.0
"""Seconds that the pool must have been warm: requests come first."""
PATIENCE: Final = 60.0
"""Seconds that calm is waited for."""
CLOSE_TIME: Final = 5.0
"""Seconds that its container may take to be gone at shutdown; what is left ends by the launcher's clock."""

log = logging.getLogger(__name__)


class Verifier:
    """The last evidence of each policy. One container at a time, beside those of the pool, under a label of its own."""

    def __init__(self, policies: Mapping[str, Policy], instance: str, pool: Pool) -> None:
        self._policies = policies
        self._instance = f"verify/{instance}"  # no instance's name has a slash
        self._pool = pool
        self._last: dict[str, tuple[float, Evidence]] = {}

    def summary(self) -> dict[str, object]:
        """By language: how many claims were proved, which failed, how old that is; None before the first time."""
        now = time.monotonic()
        found = {name: evidence.summary(now - when) for name, (when, evidence) in self._last.items()}
        return {name: found.get(name) for name in self._policies}

    def finding(self, language: str, line: str) -> Finding | None:
        """The last verdict on a line of a policy; None before the first."""
        _, evidence = self._last.get(language, (0.0, None))
        rows = evidence.rows if evidence else ()
        return next((row.finding for row in rows if row.claim == line), None)

    def problems(self) -> Iterator[str]:
        """What did not hold the last time, in words for a client."""
        for name, (_, evidence) in self._last.items():
            if failed := evidence.claims(Finding.FAILED):
                yield f"{name}: verification failed: {', '.join(failed)}"

    async def verify_forever(self) -> None:
        """Sooner again where something was wrong."""
        while True:
            await self._calm()
            well = await self._sweep() and all([await self._verify(policy) for policy in self._policies.values()])
            await asyncio.sleep(EVERY if well else RETRY)

    async def _calm(self) -> None:
        for _ in range(int(PATIENCE / CALM)):
            before = self._pool.warm()
            await asyncio.sleep(CALM)
            if before and self._pool.warm():
                return

    async def _sweep(self) -> bool:
        """Removes what an earlier server has left: now none of this label is ours."""
        try:
            found = await process.execute(argv.names_of(self._instance), COMMAND_TIME)
            if left := found.stdout.split():
                await process.execute(argv.remove(*left), COMMAND_TIME)
        except EngineError as error:
            log.error("cannot sweep before verification: %r", error.detail)
            return False
        return found.code == 0

    async def _verify(self, policy: Policy) -> bool:
        try:
            evidence = await verify(policy, self._instance)
        except EngineError as error:
            log.error("%s: not verified: %r", policy.name, error.detail)
            return False
        self._last[policy.name] = (time.monotonic(), evidence)
        for row in evidence.rows:
            if row.finding in (Finding.FAILED, Finding.NOT_OBSERVED):
                log.error("%s: %s: %s: %r | %r", policy.name, row.finding, row.claim, row.inspect, row.seen)
        return not evidence.claims(Finding.FAILED)


@asynccontextmanager
async def open_verifier(policies: Mapping[str, Policy], instance: str, pool: Pool) -> AsyncIterator[Verifier]:
    """A verifier at work; at the end its container is removed before the pool's."""
    verifier = Verifier(policies, instance, pool)
    chore = asyncio.create_task(verifier.verify_forever())
    try:
        yield verifier
    finally:
        chore.cancel()
        await asyncio.wait((chore,), timeout=CLOSE_TIME)
