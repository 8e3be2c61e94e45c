"""``policies/lock.json``: the commands, policy files and images that somebody has reviewed. Pure: text in, text out."""

import difflib
import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from runner.errors import PolicyError, Problem
from runner.policy import argv
from runner.policy.policy import Policy

FILE: Final = "lock.json"
REMEDY: Final = "review it, then write it anew: python -m runner lock"

Lock = Mapping[str, Mapping[str, Any]]
"""Language -> its entry."""


def entry(policy: Policy, image: str | None) -> dict[str, Any]:
    """What is locked of a policy; ``image``: its digest or id, None where it is not known."""
    command = argv.template(policy)
    return {
        "policy": f"sha256:{policy.digest}",
        "profile": f"sha256:{policy.profile}" if policy.profile else None,
        "image": image,
        "digest": digest(command),
        "command": list(command),
    }


def identity(image: str, number: str, *digests: str) -> str:
    """What an image really is: its digest in the repository by which the policy names it, else its id.

    So another repository that it is pushed to, or pulled from, makes it no other image.
    """
    repository = re.sub(r":[^/:]*$", "", image.partition("@")[0])
    return next((each for each in digests if each.partition("@")[0] == repository), number)


def digest(command: Sequence[str]) -> str:
    """Of a command: the sha256 of its words as a JSON list."""
    return "sha256:" + hashlib.sha256(json.dumps(list(command)).encode()).hexdigest()


def render(lock: Lock) -> str:
    """The file: one argument a line, so that a changed flag is a changed line."""
    return json.dumps(lock, indent=2, sort_keys=True) + "\n"


def parse(text: str) -> Lock:
    """The entries of a file's text, or a ``PolicyError``."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", None)
        raise PolicyError(Problem(FILE, line, f"is not JSON ({error}): {REMEDY}")) from None
    if not isinstance(data, dict) or not all(_is_entry(each) for each in data.values()):
        raise PolicyError(Problem(FILE, None, f"is not what `lock` writes: {REMEDY}"))
    return data


def _is_entry(data: object) -> bool:
    if not isinstance(data, dict) or data.keys() != {"policy", "profile", "image", "digest", "command"}:
        return False
    command = data["command"]
    return isinstance(command, list) and all(isinstance(word, str) for word in command)


def differences(locked: Lock, current: Lock, *, images: bool = True) -> Iterator[tuple[str, str]]:
    """Pairs of a language and how it differs from the lock, flag by flag; nothing where all is the same."""
    for name in sorted(locked.keys() | current.keys()):
        if name not in locked:
            yield name, "is not in the lock"
        elif name not in current:
            yield name, "is in the lock, and has no policy"
        else:
            yield from ((name, said) for said in _entry_differences(locked[name], current[name], images=images))


def _entry_differences(locked: Mapping[str, Any], current: Mapping[str, Any], *, images: bool) -> Iterator[str]:
    for line in difflib.ndiff(locked["command"], current["command"]):
        if line[0] in "-+":
            yield f"command: {line}"
    if locked["command"] == current["command"] and locked["policy"] != current["policy"]:
        yield f"policy: the file differs beside its command: locked {locked['policy']}, now {current['policy']}"
    if locked["profile"] != current["profile"]:
        yield f"profile: the seccomp profile's file differs: locked {locked['profile']}, now {current['profile']}"
    if locked["digest"] != digest(locked["command"]):
        yield "digest: is not that of the locked command: the lock was edited by hand"
    if images and locked["image"] != current["image"]:
        yield f"image: locked {locked['image']}, now {current['image'] or 'not there'}"
