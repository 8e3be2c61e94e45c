"""How many containers stand ready: the policies' own number, and what the last hour has asked for. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

MINUTE: Final = 60.0
MINUTES: Final = 60
"""For so long a crowd is remembered."""
SCARCE: Final = 0.1
"""Share of the host's memory; while less is available, nothing stands ready beyond the policies' own numbers."""


@dataclass(slots=True)
class Crowds:
    """How many programs of one language were wanted at the same time, at the most, in each minute of the last hour."""

    _most: dict[int, int] = field(default_factory=dict)

    def count(self, now: float, at_once: int) -> None:
        """So many wait or run now; ``now`` in seconds of one clock."""
        minute = int(now // MINUTE)
        self._most = {at: most for at, most in self._most.items() if at > minute - MINUTES}
        self._most[minute] = max(at_once, self._most.get(minute, 0))

    def largest(self, now: float) -> int:
        """The largest crowd of the last hour."""
        return max((most for at, most in self._most.items() if at > now // MINUTE - MINUTES), default=0)


@dataclass(frozen=True, slots=True)
class Wish:
    """Of one language."""

    own: int
    """What its policy says: that many in any case."""
    most: int
    """What the last hour would have wanted."""
    memory: int
    """Bytes that one container may use."""


def ready(wishes: Mapping[str, Wish], containers: int, memory: int) -> dict[str, int]:
    """So many of each, in turn to whoever has the smallest part of its wish: all together within both bounds."""
    numbers = {name: wish.own for name, wish in wishes.items()}
    places = containers - sum(numbers.values())
    room = memory - sum(wish.own * wish.memory for wish in wishes.values())
    while lacking := [n for n, w in wishes.items() if numbers[n] < w.most and w.memory <= room]:
        if places <= 0:
            break
        name = min(lacking, key=lambda name: (numbers[name] / wishes[name].most, name))
        numbers[name] += 1
        places -= 1
        room -= wishes[name].memory
    return numbers


def is_scarce(meminfo: str) -> bool:
    """Whether the host's memory is, by the text of ``/proc/meminfo``."""
    found = dict(re.findall(r"^(MemTotal|MemAvailable): +(\d+) kB$", meminfo, re.MULTILINE))
    return len(found) == 2 and int(found["MemAvailable"]) < SCARCE * int(found["MemTotal"])
