"""So many runs per client and time: ``limits`` behind one call."""

import ipaddress
import math
import time
from dataclasses import dataclass

from limits import RateLimitItem
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import MovingWindowRateLimiter

from runner.errors import RateLimited


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


class Limiter:
    """A moving window per client, in memory."""

    def __init__(self, rate: RateLimitItem) -> None:
        self._rate = rate
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    async def hit(self, client: str) -> tuple[bool, Allowance]:
        """Counts one request; whether it may be served, and what is left."""
        allowed = await self._limiter.hit(self._rate, client)
        stats = await self._limiter.get_window_stats(self._rate, client)
        reset = max(1, math.ceil(stats.reset_time - time.time()))
        return allowed, Allowance(self._rate.amount, self._rate.get_expiry(), stats.remaining, reset)


def refusal(allowance: Allowance) -> RateLimited:
    """What a client hears that has nothing left."""
    return RateLimited(
        f"{allowance.quota} runs per {allowance.window} seconds are used up; "
        f"the next is free in {allowance.reset} seconds.",
        allowance.reset,
    )
