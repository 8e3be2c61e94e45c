"""Where a limiter counts for several servers. Imported where that is so, for Redis' client is 7 MB of a process."""

import os
from typing import Any, Final

from limits.aio.storage import RedisStorage
from redis.asyncio import BlockingConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

CONNECTIONS: Final = 16
"""Connections to Redis; a request holds one for two round trips."""


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
