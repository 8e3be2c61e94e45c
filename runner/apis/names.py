"""What others call a language, and which version it has: pure, of the name and the title of its policy."""

import re
from collections.abc import Mapping
from typing import Final

from runner.apis.versions import satisfies
from runner.policy.policy import Policy

_ROWS: Final = (
    ("bash", "sh"),
    ("c", "gcc"),
    ("c++", "cpp", "g++"),
    ("csharp", "c#", "cs", "mono"),
    ("go", "golang"),
    ("haskell", "hs", "ghc"),
    ("java",),
    ("javascript", "js", "node", "nodejs", "node-javascript", "node-js"),
    ("lua",),
    ("pascal", "freepascal", "fpc", "pas"),
    ("perl", "pl"),
    ("php",),
    ("python", "py", "python3", "py3"),
    ("rscript", "r"),
    ("ruby", "rb", "ruby3"),
    ("rust", "rs"),
    ("typescript", "ts", "tsc", "node-ts"),
)
"""A language each: what most call it, then its other names."""
_KNOWN: Final[Mapping[str, tuple[str, ...]]] = {name: row for row in _ROWS for name in row}


def names(policy: Policy) -> tuple[str, ...]:
    """All its names, the one that most use first; a policy of a name that nobody knows has that one."""
    return _KNOWN.get(policy.name, (policy.name,))


def number(policy: Policy) -> str | None:
    """The last number in its title: 3.13 for "Python 3.13", 14 for "C++23 (GCC 14)"; None where there is none."""
    found: list[str] = re.findall(r"[0-9]{1,9}(?:\.[0-9]{1,9})*", policy.title)
    return found[-1] if found else None


def version(policy: Policy) -> str:
    """The same as of semver: 3.13.0, 14.0.0."""
    numbers = [str(int(each)) for each in (number(policy) or "0").split(".")]
    return ".".join([*numbers, "0", "0"][:3])


def called(name: str, policies: Mapping[str, Policy]) -> list[Policy]:
    """The policies that have this name or alias."""
    return [policy for policy in policies.values() if name in names(policy)]


def latest(name: str, wanted: str, policies: Mapping[str, Policy]) -> Policy | None:
    """Of those the one with the highest version in a range."""
    fitting = [policy for policy in called(name, policies) if satisfies(version(policy), wanted)]
    return max(fitting, key=lambda policy: [int(number) for number in version(policy).split(".")], default=None)
