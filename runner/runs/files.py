"""What a client sends beside the source: names that are safe inside, counted and sized. Pure."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from runner.errors import BadRequest, TooLarge
from runner.policy.policy import Policy
from runner.sandbox.job import File

NAME: Final = 255
"""Bytes of a file's name with its folders, and of a variable's or a folder's own: what Linux allows for one part."""
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def check_files(files: Sequence[File], policy: Policy) -> None:
    """A ``Refusal`` where the files are too many or too large, or where a name cannot be a file's beside the source."""
    limits = policy.limits
    if len(files) > limits.files:
        raise TooLarge(f"There are {len(files)} `files`; {policy.name} takes at most {limits.files}.")
    if (size := sum(len(file.data) for file in files)) > limits.file_bytes:
        raise TooLarge(f"`files` have {size} bytes together; {policy.name} takes at most {limits.file_bytes}.")
    names = Counter(file.name for file in files)
    folders = {folder for name in names for folder in _folders(name)}
    for name, count in names.items():
        if said := _problem(name) or (count > 1 and "is there twice") or (name in folders and "is a folder, too"):
            raise BadRequest(f"The name {name!a:.300} in `files` {said}. Send paths such as `data/points.csv`.")
        if name in (policy.source, policy.results) or policy.source in _folders(name):
            raise BadRequest(f"The name {name!a} in `files` is taken: the program itself is `{policy.source}`.")


def _problem(name: str) -> str | None:
    """Why this is no path of a file, relative and straight; None where it is."""
    parts = name.split("/")
    if not name:
        return "is empty"
    if len(name.encode()) > NAME:
        return f"is longer than {NAME} bytes"
    if _CONTROL.search(name):
        return "has control characters"
    if "" in parts:
        return "begins or ends with `/`, or has two of them"
    if "." in parts or ".." in parts:
        return "has `.` or `..` as a part"
    return None


def _folders(name: str) -> Iterator[str]:
    """The folders that it lies in, by their whole paths."""
    parts = name.split("/")[:-1]
    yield from ("/".join(parts[: n + 1]) for n in range(len(parts)))


def check_args(args: Sequence[bytes], env: Sequence[tuple[str, bytes]], policy: Policy) -> None:
    """A ``Refusal`` where arguments or variables cannot be a program's, are too large, or are not allowed."""
    for field, values in (("args", args), ("env", [value for _, value in env])):
        if any(b"\0" in value for value in values):
            raise BadRequest(f"`{field}` has a NUL character, at which it would end.")
    for name, _ in env:
        if name not in policy.env:
            allowed = f"allows {', '.join(policy.env)}" if policy.env else "allows none"
            raise BadRequest(f"`env` sets {name!a:.300}; {policy.name} {allowed}.")
    size = sum(len(value) + 1 for value in args) + sum(len(name) + len(value) + 2 for name, value in env)
    if size > policy.limits.args:
        raise TooLarge(
            f"`args` and `env` have {size} bytes as UTF-8, each with its end; "
            f"{policy.name} takes at most {policy.limits.args}."
        )
