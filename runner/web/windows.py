"""Where a limiter counts in this process."""

import time
from bisect import bisect_left
from collections import OrderedDict, defaultdict
from typing import Final

from limits.aio.storage import MemoryStorage

CLIENTS: Final = 100_000
"""Clients of one window that are remembered in memory; one more, and the one that ran longest ago is forgotten."""


class Memory(MemoryStorage):
    """In this process. The library's own visits every client after each request: 100,000 cost it a whole CPU."""

    def __init__(self) -> None:
        super().__init__()
        self._windows: defaultdict[int, OrderedDict[str, list[float]]] = defaultdict(OrderedDict)
        """By their length, of which there are as many as the files have: then whose last hit is the oldest can be
        forgotten first."""

    async def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Counts a request, unless that would be more than the limit; forgets who has nothing left to remember."""
        now, clients = time.time(), self._windows[expiry]
        hits = clients.get(key, [])
        del hits[: bisect_left(hits, now - expiry)]
        if len(hits) + amount > limit:
            return False
        hits.extend([now] * amount)
        clients[key] = hits
        clients.move_to_end(key)
        while len(clients) > CLIENTS or next(iter(clients.values()))[-1] < now - expiry:
            clients.popitem(last=False)
        return True

    async def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        """When the oldest request that still counts was, and how many there are."""
        now = time.time()
        hits = self._windows[expiry].get(key, [])
        first = bisect_left(hits, now - expiry)
        return (hits[first], len(hits) - first) if first < len(hits) else (now, 0)

    async def aclose(self) -> None:
        """Nothing is open."""
