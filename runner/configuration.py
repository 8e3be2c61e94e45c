"""The files of a policies folder, read together: every problem of every file at once."""

import dataclasses
import hashlib
from dataclasses import dataclass
from pathlib import Path

from runner import policy, seccomp, settings
from runner.errors import PolicyError
from runner.policy import Policy
from runner.settings import Settings

FOLDER = Path("policies")


@dataclass(frozen=True, slots=True)
class Configuration:
    """Everything the service is told."""

    settings: Settings
    policies: dict[str, Policy]


def load(folder: Path = FOLDER) -> Configuration:
    """Reads ``server.toml`` and a policy from every other ``*.toml``; ``PolicyError`` lists all problems."""
    problems: list[str] = []
    policies: dict[str, Policy] = {}
    found: Settings | None = None
    for path in sorted({*folder.glob("*.toml"), folder / settings.FILE}):
        try:
            text = path.read_text(encoding="utf-8")
            if path.name == settings.FILE:
                found = settings.parse(text)
            else:
                policies[path.stem] = _with_profile(policy.parse(path.stem, text))
        except PolicyError as error:
            problems.extend(error.problems)
        except (OSError, UnicodeDecodeError) as error:
            problems.append(f"{path.name}: cannot be read: {error}")
    if not policies and not problems:
        problems.append(f"{folder}: there is no policy; add one, such as python.toml")
    for name, read in policies.items():
        if found and read.memory > found.memory:
            problems.append(f"{name}.toml: --memory is more than `memory` in {settings.FILE}: none could be started")
    if problems or found is None:
        raise PolicyError(tuple(problems))
    return Configuration(found, policies)


def _with_profile(read: Policy) -> Policy:
    """The policy with its seccomp profile's digest. The path is docker's: from where the server is started."""
    if not read.seccomp:
        return read
    name = f"{read.name}.toml: {policy.SECCOMP}{read.seccomp}"
    try:
        data = Path(read.seccomp).read_bytes()
        found = tuple(f"{name}: {problem}" for problem in seccomp.problems(data.decode()))
    except (OSError, UnicodeDecodeError) as error:
        found = (f"{name}: cannot be read from where the server is started: {error}",)
    if found:
        raise PolicyError(found)
    return dataclasses.replace(read, profile=hashlib.sha256(data).hexdigest())
