"""Submissions that nobody waits for: each is a task that is owned here, and its result is kept for a while."""

import asyncio
import logging
import time
import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from runner.apis.judge0 import Asked
from runner.apis.judge0_results import INTERNAL, PROCESSING, Outcome, Submission, failed, outcome
from runner.apis.kept import Kept
from runner.errors import Busy, Refusal
from runner.runs.client import Client
from runner.runs.report import told
from runner.runs.result import Result
from runner.runs.service import Service
from runner.web.metrics import Metrics
from runner.web.problems import BUG

QUEUE: Final = 64
"""Submissions that wait or run."""
QUEUE_BYTES: Final = 64 * 1024**2
KEPT: Final = 1000
"""Those that have ended."""
KEPT_BYTES: Final = 64 * 1024**2
KEPT_AGE: Final = 3600.0
"""Seconds."""

log = logging.getLogger(__name__)


class Submissions:
    """All of them. Mutable state: ``_current``, those that wait or run, ``_tasks``, a task each, and ``_kept``."""

    def __init__(self, service: Service, metrics: Metrics) -> None:
        self._service, self._metrics = service, metrics
        self._places = asyncio.Semaphore(service.pool.running)  # so that they wait here, and not in the pool's line
        self._current: dict[str, Submission] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._kept: Kept[str, Submission] = Kept(KEPT, KEPT_BYTES, KEPT_AGE)

    def add(self, asked: Sequence[Asked], client: Client) -> list[str]:
        """Runs all of them when there is room, or none (``Busy``); their tokens, which nobody can guess.

        None, too, where the client may not run one of them (``ForbiddenLanguage``).
        """
        for language in {each.job.language for each in asked}:
            client.check(language)
        new = [_new(each) for each in asked]
        every = [*self._current.values(), *new]
        if len(every) > QUEUE or sum(each.size for each in every) > QUEUE_BYTES:
            raise Busy("queue is full", 1.0)
        for each in new:
            self._current[each.token] = each
            task = asyncio.create_task(self._run(each, client))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return [each.token for each in new]

    def get(self, token: str) -> Submission | None:
        """As it is now; None where there is none of that token, or no longer."""
        return self._current.get(token) or self._kept.get(token, time.monotonic())

    def ended(self, asked: Asked, result: Result) -> Submission:
        """Keeps one that somebody has waited for."""
        return self._keep(_new(asked), outcome(result, asked.expected))

    async def aclose(self) -> None:
        """Stops what runs, and waits until it has ended."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _run(self, submission: Submission, client: Client) -> None:
        """To its end, which is a result whatever happens."""
        async with self._places:
            self._current[submission.token] = replace(submission, outcome=Outcome(PROCESSING))
            try:
                ending = await self._outcome(submission.asked, client)
            except Refusal as error:
                log.warning("a submission was not run: %s", error)
                ending = failed(error)
            except Exception:
                log.exception("a submission failed")
                ending = Outcome(INTERNAL, BUG)
            self._keep(submission, ending)
            del self._current[submission.token]

    async def _outcome(self, asked: Asked, client: Client) -> Outcome:
        result = await self._service.run(asked.job, client)
        self._metrics.count(asked.job.language, told(result, asked.job), None)
        return outcome(result, asked.expected)

    def _keep(self, submission: Submission, ending: Outcome) -> Submission:
        """Without its files, which nobody is told of."""
        asked = replace(submission.asked, job=replace(submission.asked.job, files=()))
        kept = replace(submission, asked=asked, outcome=ending, finished=_now())
        self._kept.put(kept.token, kept, kept.size, time.monotonic())
        return kept


def _new(asked: Asked) -> Submission:
    return Submission(str(uuid.uuid4()), asked, _now())


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
