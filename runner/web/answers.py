"""Answers that are given again: what was asked for with an ``Idempotency-Key`` is run once, and goes on to its end.

This process alone knows of them. Whoever asks again elsewhere, or too late, has the program run a second time.
"""

import asyncio
import json
import logging
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from runner.apis.kept import Kept
from runner.errors import KeyReused, Refusal
from runner.runs import entries
from runner.runs.events import Event
from runner.runs.report import told
from runner.runs.result import Result
from runner.runs.service import Service
from runner.runs.watch import follow
from runner.sandbox.live import Live
from runner.web.idempotency import Asked
from runner.web.metrics import Metrics

KEPT: Final = 1000
"""Answers that are kept; one more, and the oldest is forgotten."""
KEPT_BYTES: Final = 32 * 1024**2
"""The same in bytes of them all."""
KEPT_AGE: Final = 600.0
"""Seconds."""
BESIDE: Final = 1024
"""Bytes that an answer takes beside its own."""

log = logging.getLogger(__name__)
Name = tuple[str, str | None]


@dataclass(frozen=True, slots=True)
class _Run:
    """One that goes on; the pool bounds how many there are."""

    asked: Asked
    live: Live
    task: asyncio.Task[Result]


@dataclass(frozen=True, slots=True)
class _Answer:
    """One that has ended."""

    body: str
    report: bytes


class Answers:
    """All of them. Mutable state: ``_running``, those that go on, and ``_kept``."""

    def __init__(self, service: Service, metrics: Metrics) -> None:
        self._service, self._metrics = service, metrics
        self._running: dict[Name, _Run] = {}
        self._kept: Kept[Name, _Answer] = Kept(KEPT, KEPT_BYTES, KEPT_AGE)

    async def report(self, asked: Asked) -> Mapping[str, Any]:
        """That of the first request with this key; ``KeyReused`` where that had another body.

        What refuses the first refuses all that wait for it, and is not kept.
        """
        if kept := self._find(asked):
            return await self._again(asked, json.loads(kept.report))
        run, first = self._join(asked)
        report = told(await asyncio.shield(run.task), asked.job)
        return report if first else await self._again(asked, report)

    async def events(self, asked: Asked) -> AsyncGenerator[Event | None]:
        """The same as it happens, from the run's beginning on; of one that has ended only the result."""
        if kept := self._find(asked):
            yield Event("result", await self._again(asked, json.loads(kept.report)))
            return
        run, first = self._join(asked)
        async with aclosing(follow(run.task, run.live, asked.job)) as events:
            async for event in events:
                if event and event.name == "result" and not first:
                    await self._again(asked, event.data)
                yield event

    async def aclose(self) -> None:
        """Stops what runs, and waits until it has ended."""
        tasks = [run.task for run in self._running.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _find(self, asked: Asked) -> _Answer | None:
        kept = self._kept.get(asked.name, time.monotonic())
        if kept:
            _check(asked, kept.body)
        return kept

    def _join(self, asked: Asked) -> tuple[_Run, bool]:
        """The run that this key stands for, and whether it is new."""
        if found := self._running.get(asked.name):
            _check(asked, found.asked.body)
            return found, False
        live = Live()
        run = _Run(asked, live, asyncio.create_task(self._service.run(asked.job, asked.client, live)))
        self._running[asked.name] = run
        run.task.add_done_callback(partial(self._ended, asked))
        return run, True

    def _ended(self, asked: Asked, task: asyncio.Task[Result]) -> None:
        del self._running[asked.name]
        if task.cancelled():
            return
        if error := task.exception():
            if not isinstance(error, Refusal):
                log.error("a run failed", exc_info=error)
            return
        report = told(task.result(), asked.job)
        self._metrics.count(asked.job.language, report, None)
        answer = _Answer(asked.body, json.dumps(report).encode())
        self._kept.put(asked.name, answer, len(answer.report) + BESIDE, time.monotonic())

    async def _again(self, asked: Asked, report: Mapping[str, Any]) -> Mapping[str, Any]:
        """The report, once the audit file has it that it is given again."""
        await self._service.audit.write("repeated", **entries.repeated(str(report["id"]), asked.job, asked.client))
        return report


def _check(asked: Asked, body: str) -> None:
    if body != asked.body:
        raise KeyReused("This `Idempotency-Key` came with another body before: take a new one for each program.")
