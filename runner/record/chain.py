"""The audit file as a chain: every line carries the hash of the line before it. Pure: lines in, entries out.

A chain shows that lines were changed, removed, inserted or reordered, as long as somebody knows its newest hash: who
can write the file could write all of it anew. So publish the head now and then, or keep it elsewhere.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

RECOVERED: Final = "recovered"
"""The event after a line that a crash has cut short."""


@dataclass(frozen=True, slots=True)
class Head:
    """The newest line of a chain."""

    number: int
    digest: str


GENESIS: Final = Head(0, "0" * 64)


@dataclass(frozen=True, slots=True)
class Line:
    """One line and where it stands."""

    file: str
    number: int
    data: bytes
    """Without its newline."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A line as its writer meant it."""

    line: Line
    head: Head
    previous: str
    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Broken:
    """The first place where a chain does not hold; ``line`` is the one that is wrong or before which some miss."""

    line: Line
    text: str

    def __str__(self) -> str:
        return f"{self.line.file}:{self.line.number}: {self.text}"


@dataclass(frozen=True, slots=True)
class Torn:
    """A line that was cut short, by a power cut for instance, and after which the chain goes on."""

    line: Line


def digest(data: bytes) -> str:
    """Of a line without its newline."""
    return hashlib.sha256(data).hexdigest()


def link(head: Head, fields: Mapping[str, Any]) -> tuple[bytes, Head]:
    """The next line of a chain, in ASCII and with its newline, and the new head."""
    data = json.dumps({"number": head.number + 1, "previous": head.digest, **fields}, separators=(",", ":")).encode()
    return data + b"\n", Head(head.number + 1, digest(data))


def parse(line: Line) -> Entry | None:
    """The entry of a line, None where it is none."""
    try:
        fields = json.loads(line.data)
        number, previous = fields.pop("number"), fields.pop("previous")
    except (ValueError, KeyError, AttributeError, TypeError, RecursionError):
        return None
    if type(number) is not int or not isinstance(previous, str):
        return None
    return Entry(line, Head(number, digest(line.data)), previous, fields)


def follow(lines: Iterable[Line]) -> Iterator[Entry | Torn | Broken]:
    """The entries in their order; ends after the first ``Broken``."""
    rest = iter(lines)
    before, head = None, None
    torn: Line | None = None
    for line in rest:
        entry = parse(line)
        if entry is None and torn is None:
            torn = line
            continue
        broken = _torn_problem(torn, entry, head) if torn else _problem(line, entry, head, before, rest)
        if broken or entry is None:
            yield broken or Broken(line, "was changed: it is not an entry")
            return
        if torn:
            yield Torn(torn)
        torn, before, head = None, head, entry.head
        yield entry
    if torn:
        yield Torn(torn)


def _torn_problem(torn: Line, entry: Entry | None, head: Head | None) -> Broken | None:
    """What is wrong with a line that is no entry, seen with the one after it."""
    if entry is None:
        return Broken(torn, "was changed: it is not an entry")
    mended = entry.previous == digest(torn.data) and entry.fields.get("event") == RECOVERED
    if mended and (head is None or entry.head.number == head.number + 1):
        return None
    if head and entry.previous == head.digest:
        return Broken(torn, "was inserted")
    return Broken(torn, "was changed: it is not an entry")


def _problem(
    line: Line, entry: Entry | None, head: Head | None, before: Head | None, rest: Iterator[Line]
) -> Broken | None:
    """What is wrong at an entry, as far as the lines around it can tell."""
    if entry is None or head is None or (entry.previous, entry.head.number) == (head.digest, head.number + 1):
        return None
    last = Line(line.file, line.number - 1, b"") if line.number > 1 else line
    if before and (entry.previous, entry.head.number) == (before.digest, before.number + 1) and entry.head != head:
        return Broken(last, "was inserted")
    if entry.head.number <= head.number:
        return Broken(line, "was inserted: its number was there before")
    if entry.head.number > head.number + 1:
        return _gap(line, entry, head, rest)
    following = next((parse(each) for each in rest), None)
    if following and following.previous == head.digest:
        return Broken(line, "was inserted")
    changed = following and following.previous != entry.head.digest
    return Broken(line if changed else last, "was changed")


def _gap(line: Line, entry: Entry, head: Head, rest: Iterator[Line]) -> Broken:
    if entry.previous == head.digest:
        return Broken(line, "was changed: its number is not the next")
    if any(later.head.number == head.number + 1 for each in rest if (later := parse(each))):
        return Broken(line, f"is out of order: entry {head.number + 1} comes later")
    missing = entry.head.number - head.number - 1
    return Broken(line, f"{missing} {'line is' if missing == 1 else 'lines are'} missing before it")
