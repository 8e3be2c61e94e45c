"""What a check says: a line of the report. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from runner.host.facts import Facts
from runner.policy.settings import Settings

GIBIBYTE: Final = 1024**3


class Level(StrEnum):
    """What a finding means."""

    PASS = "PASS"  # noqa: S105 - a word, no password
    CAUTION = "CAUTION"
    """It holds, but something could be better, or could not be seen."""
    FAIL = "FAIL"
    """Programs do not run, or a boundary does not hold."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report."""

    check: str
    level: Level
    said: str
    """For whoever asks, without anything internal where it is a check of `RUNS`."""
    remedy: str = ""
    detail: str = ""
    """The engine's or the kernel's own words: for who operates it, never for a client."""

    def __str__(self) -> str:
        detail = f": {' '.join(self.detail.split())}" if self.detail else ""
        remedy = f". Remedy: {self.remedy}" if self.remedy else ""
        return f"{self.level:8}{self.check}: {self.said}{detail}{remedy}"


Said = tuple[Level, str, str] | tuple[Level, str, str, str]
"""The level, what was said, the remedy, and own words of the engine's."""
Check = Callable[[Facts, Settings], Said]


def unseen(path: str) -> Said:
    """A file that could not be read."""
    return Level.CAUTION, f"{path} cannot be read from here", "look on the host"
