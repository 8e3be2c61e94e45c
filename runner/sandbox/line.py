"""Who may wait: as many as there is memory for, and nobody whose turn cannot come in time. Pure."""

from collections.abc import Sequence
from typing import Final

REQUEST: Final = 32 * 1024
"""Bytes that a request takes while it waits, beside its program: connection, tasks, headers. 20 KiB were measured."""
LONGEST_PAUSE: Final = 60.0
"""Seconds after which who was refused may try again, at the most."""
SHORTEST_PAUSE: Final = 2.0


def dismissed(weights: Sequence[int], most: int) -> int:
    """How many of the last have to leave, for the others to weigh no more than this. The first may always wait.

    ``weights``: bytes that each of the line holds, in the order in which they are served.
    """
    total, kept = 0, 0
    for weight in weights:
        total += weight
        if kept and total > most:
            break
        kept += 1
    return len(weights) - kept


def in_time(place: int, pace: float | None, patience: float) -> bool:
    """Whether a place may be served within so many seconds, by the pace of the line (seconds a place; None: unknown).

    The next one may be served at any moment, so that only those before it are counted: a pace that was measured in
    bad times keeps nobody out for ever.
    """
    return pace is None or (place - 1) * pace <= patience


def pause(place: int, pace: float | None, patience: float = 0.0) -> float:
    """Seconds after which to come again, when so many places may be served within the patience."""
    return min(max(SHORTEST_PAUSE, place * (pace or 0.0) - patience), LONGEST_PAUSE)
