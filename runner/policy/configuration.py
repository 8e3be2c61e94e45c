"""The files of a policies folder, read together: every problem of every file at once."""

import dataclasses
import hashlib
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from runner.errors import PolicyError, Problem
from runner.policy import keys, lock, policy, seccomp, settings, toml
from runner.policy.keys import Keys
from runner.policy.policy import Policy
from runner.policy.settings import Settings

FOLDER = Path("policies")
OTHERS = (settings.FILE, keys.FILE)
"""What is no policy among the ``*.toml``."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """Everything the service is told."""

    settings: Settings
    policies: dict[str, Policy]
    keys: Keys | None = None
    """None where there is no ``keys.toml``: then nobody is asked for a key, and none is looked at."""

    @property
    def key_required(self) -> bool:
        """Whether nobody may run a program without a key."""
        return self.keys is not None and self.keys.required

    def policy(self, language: str) -> Policy:
        """The policy of that name, or ``UnknownLanguage``."""
        return policy.named(language, self.policies)


@dataclass(slots=True)
class Found:
    """What was read so far: what is right, and what is wrong."""

    settings: Settings | None = None
    policies: dict[str, Policy] = field(default_factory=dict)
    keys: Keys | None = None
    problems: list[Problem] = field(default_factory=list)

    def add(self, more: "Found") -> None:
        """What was read afterwards."""
        self.policies |= more.policies
        self.problems += more.problems


def read(paths: Iterable[Path]) -> Found:
    """Reads policies, the service's settings from a file named ``server.toml``, and keys from ``keys.toml``."""
    found = Found()
    for path in paths:
        try:
            text = path.read_text(encoding="utf-8")
            if path.name == settings.FILE:
                found.settings = settings.parse(text)
            elif path.name == keys.FILE:
                found.keys = keys.parse(text, languages(path.parent))
            else:
                found.policies[path.stem] = _with_profile(policy.parse(path.stem, text), text)
        except PolicyError as error:
            found.problems.extend(error.problems)
        except (OSError, UnicodeDecodeError) as error:
            found.problems.append(Problem(path.name, None, f"cannot be read: {error}"))
    return found


def _with_profile(read: Policy, text: str) -> Policy:
    """The policy with its seccomp profile's digest. The path is docker's: from where the server is started."""
    if not read.seccomp:
        return read
    try:
        data = Path(read.seccomp).read_bytes()
        found = tuple(seccomp.problems(data.decode()))
    except (OSError, UnicodeDecodeError) as error:
        found = (f"cannot be read from where the server is started: {error}",)
    if found:
        flag = f"{policy.SECCOMP}{read.seccomp}"
        line = toml.line_of(text, flag)
        raise PolicyError(*(Problem(f"{read.name}.toml", line, f"{flag}: {said}") for said in found))
    return dataclasses.replace(read, profile=hashlib.sha256(data).hexdigest())


def load(folder: Path = FOLDER, *, locked: bool = True, also: str | None = None) -> Configuration:
    """Reads ``server.toml``, the policies that it names, and ``keys.toml`` if it is there.

    ``PolicyError`` lists all problems.

    ``locked``: whether to compare with the lock, where the settings demand it. ``also``: a language that need not be
    served, if there is a policy of that name.
    """
    found = read([folder / settings.FILE, *_keys_file(folder)])
    if found.settings:
        there = set(languages(folder))
        found.problems.extend(_missing(found.settings, there))
        wanted = {*found.settings.languages, *([also] if also else [])} & there
    else:
        wanted = set(languages(folder))
    found.add(read(folder / f"{name}.toml" for name in sorted(wanted)))
    if found.settings:
        found.problems.extend(_memory_problems(found.settings, found.policies))
    if found.settings and found.settings.lock and locked:
        found.problems.extend(_tags(found.policies))
        found.problems.extend(differences(found.policies, dict.fromkeys(found.policies), folder, images=False))
    if found.problems or found.settings is None:
        raise PolicyError(*found.problems)
    return Configuration(found.settings, found.policies, found.keys)


def languages(folder: Path) -> list[str]:
    """Those that have a policy in the folder, served or not."""
    return sorted(path.stem for path in folder.glob("*.toml") if path.name not in OTHERS)


def _keys_file(folder: Path) -> list[Path]:
    """Also where it cannot be read: only a file that is not there leaves the service open to everybody."""
    path = folder / keys.FILE
    return [path] if path.exists() or path.is_symlink() else []


def _missing(service: Settings, there: Collection[str]) -> Iterator[Problem]:
    for name in service.languages:
        if name not in there:
            yield Problem(settings.FILE, None, f"languages: there is no {name}.toml beside this file")


def _memory_problems(service: Settings, policies: Mapping[str, Policy]) -> Iterator[Problem]:
    said = f"--memory is more than `memory` in {settings.FILE}: none could be started"
    yield from (Problem(f"{name}.toml", None, said) for name, p in policies.items() if p.memory > service.memory)


def _tags(policies: Mapping[str, Policy]) -> Iterator[Problem]:
    said = "image must be NAME@sha256:... or sha256:..., for the lock is demanded and a tag can be moved"
    for name, each in policies.items():
        if not re.fullmatch(r"(.+@)?sha256:[0-9a-f]{64}", each.image):
            yield Problem(f"{name}.toml", None, said)


def differences(
    policies: Mapping[str, Policy], found: Mapping[str, str | None], folder: Path, *, images: bool = True
) -> Iterator[Problem]:
    """How policies, and the images that were found for them, differ from the folder's lock."""
    try:
        locked = read_lock(folder)
    except PolicyError as error:
        yield from error.problems
        return
    current = {name: lock.entry(each, found[name]) for name, each in policies.items()}
    for name, said in lock.differences(locked, current, images=images):
        yield Problem(f"{name}.toml", None, f"differs from {lock.FILE}: {said}")


def read_lock(folder: Path) -> lock.Lock:
    """The folder's lock; ``PolicyError`` where there is none, or no valid one."""
    try:
        return lock.parse((folder / lock.FILE).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyError(Problem(lock.FILE, None, f"cannot be read ({error}): python -m runner lock")) from None
