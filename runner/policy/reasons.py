"""Where a policy differs from python.toml, and whether its line says why."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from runner.errors import Problem

MODEL: Final = "python"
"""The policy whose lines all others have, unless they say why not."""
_ARGUMENT: Final = re.compile(r'\s*"((?:[^"\\]|\\.)*)",?\s*(?:#\s*(.*))?$')
_LIMIT: Final = re.compile(r"([\w-]+)\s*=\s*([^#]*?)\s*(?:#\s*(.*))?$")


def hints(name: str, text: str, model: str) -> Iterator[Problem]:
    """The lines of a policy that differ from the model's without a reason, and those that it lacks. No faults."""
    file = f"{name}.toml"
    ours, theirs = _arguments(text), _arguments(model)
    for argument, (number, comment) in ours.items():
        if argument not in theirs and not comment:
            yield Problem(file, number, f"{argument} is not in {MODEL}.toml: say why in a comment of its line")
    flags = {argument.partition("=")[0] for argument in ours}
    for argument in theirs:
        if argument.partition("=")[0] not in flags:
            yield Problem(file, None, f"{argument} of {MODEL}.toml is not there")
    limits, usual = _limits(text), _limits(model)
    for key, (number, value, comment) in limits.items():
        _, expected, said = usual.get(key, (0, value, ""))
        if value != expected and comment in ("", said):
            yield Problem(file, number, f"{key} = {value} is {expected} in {MODEL}.toml: say why in its comment")


def _arguments(text: str) -> Mapping[str, tuple[int, str]]:
    """The lines of docker-run: each argument with its line's number and comment."""
    found, inside = {}, False
    for number, line in enumerate(text.split("\n"), 1):
        if line.startswith("docker-run"):
            inside = True
        elif inside and line.startswith("]"):
            break
        elif inside and (match := _ARGUMENT.match(line)):
            found[match[1]] = (number, match[2] or "")
    return found


def _limits(text: str) -> Mapping[str, tuple[int, str, str]]:
    """The keys of [limits]: each with its line's number, its value and its comment."""
    lines = text.split("\n")
    start = next((number for number, line in enumerate(lines, 1) if line.startswith("[limits]")), len(lines))
    rows = ((number, _LIMIT.match(line)) for number, line in enumerate(lines[start:], start + 1))
    return {match[1]: (number, match[2], match[3] or "") for number, match in rows if match}
