"""Ranges of versions as npm has them: ``*``, ``3.x``, ``^3.10``, ``>=3.10 <4``, ``1 - 2``, ``2 || 3``. Pure."""

import re
from collections.abc import Iterator
from typing import Final

LONGEST: Final = 256
"""Characters of a range; a longer one matches nothing, as npm has it."""
_NEVER: Final = (2**63,)
"""More than every version."""
_NUMBER: Final = r"([0-9]{1,15}|[xX*])"
_COMPARATOR: Final = re.compile(rf"(\^|~>?|[<>]=?|=)?v?{_NUMBER}(?:\.{_NUMBER})?(?:\.{_NUMBER})?")
_OPERATOR: Final = re.compile(r"(\^|~>?|[<>]=?|=)\s+")

Bounds = tuple[tuple[int, ...], tuple[int, ...]]
"""From the first, and less than the second."""


def satisfies(version: str, wanted: str) -> bool:
    """Whether a version, such as 3.13.0, is in a range; nothing is in what is no range."""
    own = tuple(map(int, version.split(".")))
    if len(wanted) > LONGEST:
        return False
    try:
        return any(all(low <= own < high for low, high in _bounds(part)) for part in wanted.split("||"))
    except ValueError:
        return False


def _bounds(part: str) -> Iterator[Bounds]:
    """Of each comparator: all must hold. ``ValueError`` where one is none."""
    if " - " in part:
        first, last = part.split(" - ")
        part = f">={first.strip()} <={last.strip()}"
    for comparator in _OPERATOR.sub(r"\1", part.strip()).split():
        match = _COMPARATOR.fullmatch(comparator)
        if match is None:
            raise ValueError(comparator)
        yield _interval(match[1] or "=", tuple(_given(*match.groups()[1:])))


def _given(*numbers: str | None) -> Iterator[int]:
    """Those before the first that may be any."""
    for number in numbers:
        if number is None or number in "xX*":
            return
        yield int(number)


def _interval(operator: str, given: tuple[int, ...]) -> Bounds:
    low, after = _filled(given), _after(given, len(given))
    first = next((place for place, number in enumerate(given, 1) if number), len(given))
    minor = _after(given, min(2, len(given)))
    return {
        "=": (low, after),
        ">=": (low, _NEVER),
        ">": (after, _NEVER),
        "<": ((0,), low),
        "<=": ((0,), after),
        "^": (low, _after(given, first)),
        "~": (low, minor),
        "~>": (low, minor),
    }[operator]


def _filled(given: tuple[int, ...]) -> tuple[int, ...]:
    return (*given, 0, 0, 0)[:3]


def _after(given: tuple[int, ...], kept: int) -> tuple[int, ...]:
    """The first version that no longer begins with so many of these numbers."""
    return _filled((*given[: kept - 1], given[kept - 1] + 1)) if kept else _NEVER
