"""Making sure that a container is gone, whatever its state and whatever the engine's."""

import asyncio
import itertools
import logging
from contextlib import suppress

from runner.errors import EngineError
from runner.policy import argv
from runner.sandbox import process
from runner.sandbox.process import COMMAND_TIME

SETTLE_TIME = 1.0
"""Seconds after which a `create` that was under way when its client was killed has happened, or never will."""

log = logging.getLogger(__name__)


async def remove(name: str, *, settled: bool) -> None:
    """Repeats until no container has the name; its client is dead by now, so no other can come.

    ``settled``: whether it was seen to run; else its `create` may be under way.
    """
    for delay in itertools.chain((0.1, 0.2, 0.5, 1.0, 2.0), itertools.repeat(5.0)):
        try:
            if await _gone(name, settled=settled):
                return
        except EngineError as error:
            log.error("%s: cannot be removed yet: %r", name, error.detail)
        await asyncio.sleep(delay)


async def _gone(name: str, *, settled: bool) -> bool:
    with suppress(EngineError):  # where it hangs, what follows may not
        await process.execute(argv.kill(name), COMMAND_TIME)
    if not settled:
        await asyncio.sleep(SETTLE_TIME)
    if not await _exists(name):
        return True
    await process.execute(argv.remove(name), COMMAND_TIME)
    return not await _exists(name)


async def _exists(name: str) -> bool:
    return bool((await process.output(argv.names_like(name), COMMAND_TIME)).strip())
