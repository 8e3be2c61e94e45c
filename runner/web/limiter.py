"""So many runs per client and time: ``limits`` behind one call."""

import asyncio
import ipaddress
import logging
import math
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from limits import RateLimitItem
from limits.aio.strategies import MovingWindowRateLimiter
from limits.errors import StorageError

from runner.errors import LimiterError, RateLimited
from runner.web.windows import Memory

if TYPE_CHECKING:
    from runner.web.redis import Redis

REDIS_TIME: Final = 1.0
"""Seconds that counting one request may take; in memory it takes none."""

log = logging.getLogger(__name__)


def client_key(address: str | None) -> str:
    """Who counts as one client: an IPv4 address, or an IPv6 /64, which is what one customer gets."""
    try:
        ip = ipaddress.ip_address(address or "")
    except ValueError:
        return "unknown"
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is None:
            return str(ipaddress.ip_network((int(ip), 64), strict=False))
        ip = ip.ipv4_mapped
    return str(ip)


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a client has left; ``headers`` are those of draft-ietf-httpapi-ratelimit-headers-10."""

    quota: int
    window: int
    """Seconds."""
    remaining: int
    reset: int
    """Seconds until the next request is free again."""

    @property
    def headers(self) -> dict[str, str]:
        """For every answer to a counted request."""
        return {
            "RateLimit-Policy": f'"run";q={self.quota};w={self.window}',
            "RateLimit": f'"run";r={self.remaining};t={self.reset}',
        }


def _storage(name: str) -> "Memory | Redis":
    if name == "memory":
        return Memory()
    from runner.web.redis import Redis

    return Redis(name)


class Limiter:
    """A moving window per client, in memory or in Redis. Redis that is away: nothing runs uncounted."""

    def __init__(self, rate: RateLimitItem, storage: str) -> None:
        self._rate = rate
        self._storage = _storage(storage)
        self._limiter = MovingWindowRateLimiter(self._storage)

    async def hit(self, client: str, rate: RateLimitItem | None = None) -> tuple[bool, Allowance]:
        """Counts one request; whether it may be served, and what is left. ``LimiterError`` where it cannot count.

        ``rate``: of whoever has one of their own.
        """
        rate = rate or self._rate
        async with self._bounded():
            allowed = await self._limiter.hit(rate, client)
            stats = await self._limiter.get_window_stats(rate, client)
        reset = max(1, math.ceil(stats.reset_time - time.time()))
        return allowed, Allowance(rate.amount, rate.get_expiry(), stats.remaining, reset)

    async def problems(self) -> list[str]:
        """Why no request can be counted now, in words without anything internal; empty when all is well."""
        try:
            async with self._bounded():
                await self._limiter.test(self._rate, "nobody")
        except LimiterError:
            return ["the rate limiter's Redis does not answer"]
        return []

    async def aclose(self) -> None:
        """Lets go of Redis."""
        await self._storage.aclose()

    @asynccontextmanager
    async def _bounded(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(REDIS_TIME):
                yield
        except (StorageError, OSError) as error:
            words = (
                f"no answer within {REDIS_TIME:g} s"
                if isinstance(error, TimeoutError)
                else str(error.__cause__ or error)
            )
            log.error("rate limiter: %r", words)
            raise LimiterError(
                "Requests cannot be counted at the moment, and nothing runs uncounted. Try again shortly.", 5.0
            ) from None


def refusal(allowance: Allowance) -> RateLimited:
    """What a client hears that has nothing left."""
    return RateLimited(
        f"{allowance.quota} runs per {allowance.window} seconds are used up; "
        f"the next is free in {allowance.reset} seconds.",
        allowance.reset,
    )
