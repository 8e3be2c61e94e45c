"""Work that is stopped when the client goes away or the server stops."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

from starlette.requests import ClientDisconnect
from starlette.types import Receive

from runner.errors import Busy

SEND_TIME: Final = 10.0
"""Seconds that a client may let an event wait before it is taken for gone."""

T = TypeVar("T")


async def unless(leaving: Coroutine[Any, Any, None], work: Coroutine[Any, Any, T]) -> T:
    """The work's result, unless ``leaving`` ends first: then its error, or ``ClientDisconnect``."""
    working, waiting = asyncio.create_task(work), asyncio.create_task(leaving)
    try:
        await asyncio.wait((working, waiting), return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            waiting.result()
            raise ClientDisconnect
        return working.result()
    except asyncio.CancelledError:  # uvicorn does this when stop-time is over
        raise Busy("The service is stopping, and the program with it. Try again shortly.", 5.0) from None
    finally:
        working.cancel()
        waiting.cancel()
        await asyncio.gather(working, waiting, return_exceptions=True)


async def gone(receive: Receive) -> None:
    """Returns when the client has closed its connection."""
    while (await receive())["type"] != "http.disconnect":
        pass
