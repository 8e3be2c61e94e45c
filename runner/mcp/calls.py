"""The programs that tools run, each a task that is owned here: whoever has asked may go, or take it back."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Hashable
from contextlib import asynccontextmanager
from typing import Any

Report = dict[str, Any]


class Calls:
    """All that go on. Mutable state: ``_tasks``, and ``_named``, those that can be taken back by a name.

    As many as the pool lets run and wait, for each is there only while its run is.
    """

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Report | None]] = set()
        self._named: dict[Hashable, asyncio.Task[Report | None]] = {}

    async def run(self, name: Hashable, work: Coroutine[Any, Any, Report | None]) -> Report | None:
        """The work's result; None where it was taken back, or nobody takes it.

        When whoever waits here is cancelled, so is the work: once. The SDK cancels a handler again and again until it
        has ended, which must not reach whoever removes a container.
        """
        task = asyncio.create_task(work)
        self._tasks.add(task)
        self._named[name] = task
        task.add_done_callback(lambda _: self._forget(name, task))
        try:
            await asyncio.wait((task,))
        except asyncio.CancelledError:
            task.cancel()
            raise
        return None if task.cancelled() else task.result()

    def cancel(self, name: Hashable) -> None:
        """Takes one back, if it is still there."""
        if task := self._named.get(name):
            task.cancel()

    async def aclose(self) -> None:
        """Stops what runs, and waits until it has ended."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _forget(self, name: Hashable, task: asyncio.Task[Report | None]) -> None:
        self._tasks.discard(task)
        if self._named.get(name) is task:
            del self._named[name]
        if not task.cancelled():
            task.exception()  # looked at, also where nobody waits for it any more


@asynccontextmanager
async def open_calls() -> AsyncIterator[Calls]:
    """Until none of them runs any more."""
    calls = Calls()
    try:
        yield calls
    finally:
        await calls.aclose()
