"""What a row of ``flags`` says, and its rule: one small function for what the value must be like."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final

Rule = Callable[[str], str | None]
"""Takes a flag's value, returns what is wrong with it, as words that follow ``flag=value:``, or None."""


def name_of(line: str) -> str:
    """The flag of a line."""
    return line.partition("=")[0]


def anything(value: str) -> str | None:
    """No rule."""
    return None


class Kind(Enum):
    """How often a flag may stand in a policy; docker itself silently lets the last one win."""

    SWITCH = "takes no value"
    SCALAR = "may stand once"
    LIST = "may repeat with other values"
    KEYED = "may repeat with other keys, where the key ends at the first = or :"


class Verdict(Enum):
    """What the floor says."""

    REQUIRED = "must be there"
    ALLOWED = "may be there"
    FORBIDDEN = "must not be there"


@dataclass(frozen=True, slots=True)
class Flag:
    """One row."""

    name: str
    kind: Kind
    verdict: Verdict
    why: str
    """What a good flag stops or is for, or what a forbidden one would open."""
    without: str = ""
    """What happens where the flag is missing."""
    sources: str = ""
    """The benchmark rows that ask for it, or forbid it."""
    rule: Rule = anything
    example: str = ""
    """A line that keeps the rule, where the flag is required."""


_SIZE = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,15})?)(?:([kmgt]?)b?)", re.IGNORECASE)


def size(value: str) -> int | None:
    """Docker's byte sizes (``256m``, ``0.25g``, ``268435456``) as a number of bytes; None for anything else."""
    match = _SIZE.fullmatch(value)
    if match is None:
        return None
    return int(float(match[1]) * 1024 ** " kmgt".index(match[2].lower() or " "))


def exactly(*wanted: str) -> Rule:
    """One of these words."""
    return lambda value: None if value in wanted else f"must be {' or '.join(wanted)}"


def number(low: float, high: float, form: str = r"-?[0-9]+") -> Rule:
    """A number in a range, written as ``form`` says."""

    def rule(value: str) -> str | None:
        ok = re.fullmatch(form, value) and low <= float(value) <= high
        return None if ok else f"must be a number from {low:g} to {high:g}"

    return rule


def memory(value: str) -> str | None:
    """A size that a container can live with."""
    bytes_ = size(value)
    return None if bytes_ and bytes_ >= 16 * 1024**2 else "must be a size of at least 16m, such as 256m"


# Among the others, suid and dev undo the policy, and nr_blocks=0 undoes size.
_TMPFS_OPTIONS: Final = {"rw", "exec", "noexec", "nosuid", "nodev", "size", "nr_inodes", "mode", "noatime"}


def tmpfs(value: str) -> str | None:
    """A path and mount options that undo nothing."""
    return next(_tmpfs_problems(value), None)


def _tmpfs_problems(value: str) -> Iterator[str]:
    path, _, text = value.partition(":")
    options = text.split(",") if text else []
    values = {name: setting for name, _, setting in (option.partition("=") for option in options)}
    if not re.fullmatch(r"(/[a-z0-9_-]+)+", path):
        yield "must start with an absolute path in lower case"
    if wrong := values.keys() - _TMPFS_OPTIONS:
        yield f"must not have the option {' or '.join(sorted(wrong))}"
    if len(values) < len(options):
        yield "must not have an option twice: the last would win"
    if missing := {"nosuid", "nodev"} - set(options):
        yield f"must have the option {' and '.join(sorted(missing))}"
    if not size(values.get("size", "")):
        yield "must have a size=, or it may grow to half of the host's memory"
    if not re.fullmatch("[1-9][0-9]{0,9}", values.get("nr_inodes", "")):
        yield "must have nr_inodes=, or millions of empty files fill the kernel's memory"


def security_opt(value: str) -> str | None:
    """A restriction, never the lifting of one."""
    if value == "no-new-privileges":
        return None
    key, _, setting = value.partition("=")
    if key == "seccomp" and re.fullmatch(r"[\w./-]+\.json", setting, re.ASCII):
        return None
    if key == "apparmor" and setting not in ("", "unconfined"):
        return None
    return "must be no-new-privileges, seccomp=FILE.json or apparmor=PROFILE, and not unconfined"


def environment(value: str) -> str | None:
    """A name with its value."""
    ok = re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*=.*", value)
    return None if ok else "must be NAME=VALUE: a name alone copies the server's own variable"


def ulimit(value: str) -> str | None:
    """A limit per process."""
    ok = re.fullmatch(r"[a-z]+=[0-9]+(:[0-9]+)?", value) and not value.startswith("nproc=")
    return None if ok else "must be NAME=SOFT:HARD; nproc counts over all containers of a uid, use --pids-limit"


def absolute(value: str) -> str | None:
    """A path inside the container."""
    return None if re.fullmatch(r"(/[a-z0-9_-]+)+", value) else "must be an absolute path in lower case"
