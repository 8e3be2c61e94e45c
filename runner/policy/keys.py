"""``policies/keys.toml``: who may run programs, which, and how often. Hashes stand there, and no key. Pure.

A key is 144 random bits, and nothing that a person has thought of: so its sha256 needs neither salt nor slowness to
keep it, for nobody can try so many. What does not have the form of a key is none, whatever hash a file has: no
password can take its place.
"""

import hashlib
import re
import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from limits import RateLimitItem

from runner.errors import PolicyError, Problem
from runner.policy import rates, toml
from runner.policy.toml import Key

FILE: Final = "keys.toml"
PREFIX: Final = "crk_"
"""With what every key begins, so that people, and programs that look for secrets, know one when they see it."""
BYTES: Final = 18
"""Random ones of a key; they stand in it as hexadecimal digits: 40 characters in all, more do not go into Moodle."""
EVERY: Final = "*"
"""In the place of languages: all that are served."""
NEW: Final = """\
# Who may run programs, which, and how often: `python -m runner key NAME` adds one; here stand only hashes of keys.
# Read when the server starts. To take a key back, remove its lines and restart the server.
required = false  # true: nobody runs a program without a key
"""
"""What a file begins with."""


@dataclass(frozen=True, slots=True)
class ApiKey:
    """What is known of a key, and what its holder may do."""

    name: str
    sha256: str
    rate: RateLimitItem
    languages: frozenset[str] | None
    """None: every one."""


@dataclass(frozen=True, slots=True)
class Keys:
    """What ``policies/keys.toml`` says."""

    required: bool
    by_hash: Mapping[str, ApiKey]

    @property
    def names(self) -> list[str]:
        """Of all of them, sorted."""
        return sorted(key.name for key in self.by_hash.values())

    def find(self, key: str) -> ApiKey | None:
        """The key that was sent, if it is one of these.

        Hashes are compared, never keys. How long that takes may tell of a hash; but nobody can choose what hash they
        try without knowing a key that has it, and no hash leads to its key.
        """
        if not re.fullmatch(rf"{PREFIX}[0-9a-f]{{{2 * BYTES}}}", key, re.ASCII):
            return None
        return self.by_hash.get(digest(key))


def digest(key: str) -> str:
    """The sha256 by which a key is known here."""
    return hashlib.sha256(key.encode()).hexdigest()


def name_problem(name: str) -> str | None:
    """What is wrong with a key's name: it becomes part of the file, of lines of the log, of the audit file."""
    return None if re.fullmatch(r"[A-Za-z0-9_-]{1,40}", name) else "a name has 1 to 40 of A-Z, a-z, 0-9, _ and -"


def new(text: str, name: str, key: str, rate: str) -> str:
    """What to add to a file of this text for a new key; ``PolicyError`` where the name is wrong, or taken.

    ``text``: "" where there is no file yet.
    """
    if said := name_problem(name):
        raise PolicyError(Problem(FILE, None, f"keys.{name!a}: {said}"))
    if text and name in tomllib.loads(text).get("keys", {}):
        raise PolicyError(Problem(FILE, toml.line_of(text, name), f"keys.{name} is there already: take another name"))
    added = f"""
[keys.{name}]
sha256 = "{digest(key)}"
rate-limit = "{rate}"  # of its own, from whatever addresses it is used
languages = ["{EVERY}"]  # every language; or some, such as ["python"]
"""
    more = added if text.endswith("\n") else f"\n{added}" if text else f"{NEW}{added}"
    parse(text + more)
    return more


def parse(text: str, languages: Collection[str] = ()) -> Keys:
    """The keys of a file's text, or a ``PolicyError`` that lists everything that is wrong with it.

    ``languages``: those that there are; without them, any name may stand in the file.
    """
    data = toml.read(FILE, text)
    if found := [Problem(FILE, toml.line_of(text, place), said) for place, said in _problems(data, languages)]:
        raise PolicyError(*found)
    keys = [_key(name, each) for name, each in data.get("keys", {}).items()]
    return Keys(data["required"], {key.sha256: key for key in keys})


def _key(name: str, data: Mapping[str, Any]) -> ApiKey:
    languages = None if data["languages"] == [EVERY] else frozenset(data["languages"])
    return ApiKey(name, data["sha256"], rates.parse(data["rate-limit"]), languages)


def _problems(data: Mapping[str, Any], languages: Collection[str]) -> Iterator[tuple[str, str]]:
    """Everything that is wrong: what ``toml.line_of`` can find, and the message."""
    yield from toml.problems(data, {"required": Key(bool)}, optional={"keys": Key(dict)})
    keys = data.get("keys", {})
    owners: dict[object, str] = {}
    for name, key in keys.items() if isinstance(keys, dict) else ():
        if said := name_problem(name):
            yield name, f"keys.{name!a}: {said}"
        if not isinstance(key, dict):
            yield name, f"keys.{name!a} must be a table"
            continue
        yield from ((f"keys.{name}.{place}", f"keys.{name}: {said}") for place, said in _key_problems(key, languages))
        owner = owners.setdefault(str(key.get("sha256", name)), name)
        if owner != name:
            yield f"keys.{name}.sha256", f"keys.{name}: sha256 is that of {owner}, too: a key has one name"


def _key_problems(key: Mapping[str, Any], languages: Collection[str]) -> Iterator[tuple[str, str]]:
    fields = {
        "sha256": Key(str, _hash),
        "rate-limit": Key(str, rates.problem),
        "languages": Key(list, partial(_languages, languages)),
    }
    return toml.problems(key, fields)


def _hash(value: str) -> str | None:
    ok = re.fullmatch(r"[0-9a-f]{64}", value)
    return None if ok else "must be the sha256 of a key, in 64 hexadecimal digits: python -m runner key NAME makes one"


def _languages(known: Collection[str], value: Sequence[object]) -> str | None:
    if not value:
        return f'must name a language, or be ["{EVERY}"] for every one'
    for each in value:
        if not isinstance(each, str):
            return "must be a list of strings"
        if each == EVERY and len(value) > 1:
            return f'must be ["{EVERY}"] alone, or without it'
        if known and each not in known and each != EVERY:
            return f"must be names of policies: {toml.unknown(each, known)}"
    return None
