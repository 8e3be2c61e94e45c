"""How often a language is asked for, and how its starts fail."""

import math
from dataclasses import dataclass
from typing import Final

RATE_TIME: Final = 3.0
"""Seconds over which arrivals are counted."""
LONGEST_BACK_OFF: Final = 5.0
"""Seconds between two starts while they fail."""


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
