"""Pure arithmetic on what was measured."""

import math
import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

HIT = 5.0
"""Milliseconds in line: who waited less found a container ready (the service does not say it otherwise)."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One run as its client saw it; times in milliseconds."""

    ended: float
    """Of ``time.perf_counter``, in seconds."""
    ms: float
    problem: str = ""
    """Empty when the answer was right; else a HTTP status or a few words."""
    queued: float | None = None
    id: str = ""


@dataclass(frozen=True, slots=True)
class Summary:
    """A sample in five numbers."""

    n: int
    min: float
    median: float
    p95: float
    max: float


def quantile(values: Sequence[float], share: float) -> float:
    """Linear between the two nearest."""
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    low, high = ordered[math.floor(place)], ordered[math.ceil(place)]
    return low + (high - low) * (place - math.floor(place))


def summary(values: Sequence[float]) -> Summary | None:
    """None of nothing."""
    if not values:
        return None
    return Summary(len(values), min(values), statistics.median(values), quantile(values, 0.95), max(values))


def median(values: Sequence[float]) -> float | None:
    """None of nothing."""
    return statistics.median(values) if values else None


def ratio(a: float | None, b: float | None) -> float | None:
    """None where one is missing."""
    return a / b if a is not None and b else None


def right(answers: Sequence[Answer]) -> list[float]:
    """The milliseconds of the right answers."""
    return [answer.ms for answer in answers if not answer.problem]


def problems(answers: Sequence[Answer]) -> dict[str, int]:
    """How many answers were not right, by kind."""
    return dict(Counter(answer.problem for answer in answers if answer.problem))


def paired(a: Sequence[Answer], b: Sequence[Answer]) -> list[float]:
    """The ratio of each round in which both were right."""
    return [x.ms / y.ms for x, y in zip(a, b, strict=False) if not x.problem and not y.problem]


def hits(answers: Sequence[Answer]) -> tuple[int, int]:
    """How many found a container ready, and how many waited for one."""
    queued = [answer.queued for answer in answers if answer.queued is not None]
    found = sum(ms < HIT for ms in queued)
    return found, len(queued) - found


def steepest(medians: Mapping[int, float]) -> float | None:
    """The worst growth of latency per growth of clients, over all pairs; 1 is linear."""
    growth = [(medians[b] / medians[a]) / (b / a) for a in medians for b in medians if a < b]
    return max(growth, default=None)
