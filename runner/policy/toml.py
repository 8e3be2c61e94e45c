"""Reading TOML strictly: every key known, every value of its type, all problems at once."""

import difflib
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from runner.errors import PolicyError, Problem

Check = Callable[[Any], str | None]
"""Takes a value of the right type, returns what is wrong with it, or None."""

_NAMES = {
    bool: "true or false",
    str: "a string",
    int: "a whole number",
    float: "a number",
    list: "a list of strings",
    dict: "a table",
}


_HEADER = re.compile(r"""\s*\[([\w."'-]+)\]\s*(#.*)?$""")
"""The line with which a table begins."""


@dataclass(frozen=True, slots=True)
class Key:
    """What a key of a file takes."""

    type: type
    check: Check = lambda value: None


def read(file: str, text: str) -> dict[str, Any]:
    """The file's data, or a ``PolicyError`` with TOML's own message (it names line and column)."""
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # TOMLDecodeError is a ValueError, as is a number too long
        line = re.search(r"\(at line (\d+), ", str(error))
        raise PolicyError(Problem(file, int(line[1]) if line else None, str(error))) from None


def problems(
    data: Mapping[str, object], keys: Mapping[str, Key], optional: Mapping[str, Key] | None = None
) -> Iterator[tuple[str, str]]:
    """Missing, unknown and wrongly typed keys, and what their checks say: pairs of the key and the message."""
    known = {**keys, **(optional or {})}
    yield from ((key, unknown(key, known)) for key in data if key not in known)
    yield from ((key, f"{key} is missing") for key in keys if key not in data)
    for name, key in known.items():
        if name not in data:
            continue
        if not _is(data[name], key.type):
            yield name, f"{name} must be {_NAMES[key.type]}"
        elif problem := key.check(data[name]):
            yield name, f"{name} {problem}"


def line_of(text: str, subject: str) -> int | None:
    """The line where a file speaks of something: a key, ``table.key``, a table, or a string of one of its lists.

    A key that is missing is missed where its table begins; None where nothing is found.
    """
    table, _, key = subject.rpartition(".") if re.fullmatch(r"[a-z]+(\.[\w-]+)+", subject) else ("", "", subject)
    name = re.escape(key)
    wanted = re.compile(rf"""\s*["']?{name}["']?\s*=|[^#]*["']{name}["']|\s*\[([\w-]+\.)?{name}\]""")
    start = None if table else 0
    for number, line in enumerate(text.split("\n"), 1):
        header = _HEADER.match(line)
        if start is None and header and header[1] == table:
            start = number
        elif start is not None and wanted.match(line):
            return number
        elif start and header:  # the next table has keys of that name, too
            break
    return start or None


def _is(value: object, kind: type) -> bool:
    if isinstance(value, bool) and kind is not bool:
        return False
    return isinstance(value, (int, float) if kind is float else kind)


def unknown(name: str, known: Iterable[str]) -> str:
    """Says that a name is unknown, with the nearest known one."""
    near = difflib.get_close_matches(name, known, n=1)
    return f"{name!r} is unknown" + (f": did you mean {near[0]}?" if near else "")


def between(low: float, high: float) -> Check:
    """A check that a number is in a range."""
    return lambda value: None if low <= value <= high else f"must be from {low:g} to {high:g}"


def filled(value: str | list[str]) -> str | None:
    """A check that something is there."""
    return None if value else "must not be empty"


def line(value: str) -> str | None:
    """A check that a string is printable and of one line: it becomes part of a command or of a message."""
    return None if value.isprintable() else "must not have control characters"
