"""The files of a policies folder, read together: every problem of every file at once."""

from dataclasses import dataclass
from pathlib import Path

from runner import policy, settings
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
                policies[path.stem] = policy.parse(path.stem, text)
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
