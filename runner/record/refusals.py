"""Refusals in the audit file: those that are alike are one line with their number, so that a flood fills no disk."""

from dataclasses import dataclass
from typing import Final, NamedTuple

from runner.errors import AuditError
from runner.record.audit import Audit, now

PERIOD: Final = 10.0
"""Seconds between two times of writing; as much is lost when the server is killed."""
KINDS: Final = 1000
"""Kinds that are told apart in that time; what is beyond them counts as of other clients."""
OTHERS: Final = "others"


class Kind(NamedTuple):
    """What makes two refusals alike."""

    client: str
    status: int
    title: str
    key: str | None = None
    """The name of the key that was sent."""


@dataclass(slots=True)
class Seen:
    """The first of a kind, and how many there are."""

    first: str
    path: str
    count: int = 0


class Refusals:
    """Those that have no line yet."""

    def __init__(self, audit: Audit) -> None:
        self._audit = audit
        self._seen: dict[Kind, Seen] = {}

    def add(self, kind: Kind, path: str) -> None:
        """One more; ``path`` as the client wrote it."""
        if kind not in self._seen and len(self._seen) >= KINDS:
            kind = kind._replace(client=OTHERS, key=None)
        self._seen.setdefault(kind, Seen(now(), path[:100])).count += 1

    async def write(self) -> None:
        """A line for each kind; what cannot be written is kept for the next time."""
        while self._seen:
            kind = next(iter(self._seen))
            seen = self._seen.pop(kind)
            try:
                await self._audit.write("refused", **kind._asdict(), path=seen.path, first=seen.first, count=seen.count)
            except AuditError:
                self._seen.setdefault(kind, Seen(seen.first, seen.path)).count += seen.count
                return
