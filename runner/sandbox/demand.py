"""How often a language is asked for, how its starts fail, and how fast the line moves."""

import math
from dataclasses import dataclass
from typing import Final

RATE_TIME: Final = 3.0
"""Seconds over which arrivals are counted."""
PACE_COUNT: Final = 20
"""Hand-overs of which the pace of the line is made: one program that takes its whole time is not all the line."""
PACE_KEPT: Final = 4
"""As how many of them that of an earlier line counts."""
LONGEST_BACK_OFF: Final = 5.0
"""Seconds between two starts while they fail."""


@dataclass(slots=True)
class Pace:
    """How fast the line moves; all times are seconds of one clock."""

    seconds: float | None = None
    """From one hand-over to the next while somebody waited: the recent ones count most. None: nobody has, yet."""
    _count: int = 0
    _last: float | None = None

    def served(self, now: float, *, line: bool) -> None:
        """One has got its container; ``line``: whether others wait still, so that the next one's time tells."""
        if self._last is not None:
            self._count = min(self._count + 1, PACE_COUNT)
            before = self.seconds or 0.0
            self.seconds = before + (now - self._last - before) / self._count
        self._last = now
        if not line:
            self.rest()

    def rest(self) -> None:
        """Nobody waits any more: how long it is until the next tells nothing."""
        self._last = None
        self._count = min(self._count, PACE_KEPT)

    def forecast(self, place: int) -> float | None:
        """Seconds until whoever has this place is served."""
        return None if self.seconds is None else place * self.seconds


@dataclass(slots=True)
class Demand:
    """For one language; all times are seconds of one clock."""

    rate: float = 0.0
    """Requests per second, forgotten over RATE_TIME."""
    counted: float = 0.0
    in_a_row: int = 0
    """Starts that have failed since one went well."""
    not_before: float = 0.0
    hits: int = 0
    """Requests for which a container was ready."""
    misses: int = 0
    failures: int = 0
    """Containers that did not start, or died before they were used."""

    def count(self, now: float) -> None:
        """One more request."""
        self.rate = self.at(now) + 1 / RATE_TIME
        self.counted = now

    def served(self, *, at_once: bool) -> None:
        """Whether a container was ready for it."""
        self.hits += at_once
        self.misses += not at_once

    def fail(self, now: float) -> None:
        """One more start in a row that failed."""
        self.failures += 1
        self.in_a_row += 1
        self.not_before = now + min(0.5 * 2**self.in_a_row, LONGEST_BACK_OFF)

    def at(self, now: float) -> float:
        """The rate by now."""
        return self.rate * math.exp((self.counted - now) / RATE_TIME)
