"""Where a limiter counts: in this process, or in a Redis that several servers share."""

import os
import time
from bisect import bisect_left
from collections import OrderedDict, defaultdict
from typing import Any, Final

from limits.aio.storage import MemoryStorage, RedisStorage
from redis.asyncio import BlockingConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

CLIENTS: Final = 100_000
"""Clients of one window that are remembered in memory; one more, and the one that ran longest ago is forgotten."""
CONNECTIONS: Final = 16
"""Connections to Redis; a request holds one for two round trips."""


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


class Redis(RedisStorage):
    """In a Redis; every key expires there by itself."""

    def __init__(self, url: str) -> None:
        retry = Retry(NoBackoff(), 1)  # a connection that a restart of Redis has cut is opened again at once
        password = os.environ.get("REDIS_PASSWORD")  # so that no policy file holds a secret
        self._pool = BlockingConnectionPool.from_url(url, max_connections=CONNECTIONS, password=password, retry=retry)
        options: dict[str, Any] = {"connection_pool": self._pool, "key_prefix": "code-runner"}
        super().__init__(f"async+{url}", wrap_exceptions=True, implementation="redispy", **options)

    async def aclose(self) -> None:
        """Closes every connection."""
        await self._pool.disconnect()
