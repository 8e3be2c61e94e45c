"""A seccomp profile: the file that `--security-opt=seccomp=` names, in docker's own format."""

import json
import re
from collections.abc import Iterator
from typing import Final

from runner.policy import toml

_KEYS: Final = frozenset({"defaultAction", "defaultErrnoRet", "archMap", "architectures", "syscalls"})
_DENYING: Final = ("SCMP_ACT_ERRNO", "SCMP_ACT_KILL", "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_KILL_THREAD", "SCMP_ACT_TRAP")
_WIDE: Final = tuple(f"SCMP_ARCH_{name}" for name in ("X86_64", "AARCH64", "PPC64LE", "RISCV64", "S390X"))


def problems(text: str) -> Iterator[str]:
    """What makes a profile no boundary: it lets through what it does not name, or programs of 32 bits."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        yield f"must be JSON: {error}"
        return
    if not isinstance(data, dict):
        yield "must be a JSON object"
        return
    # Go, which reads this file in earnest, ignores the case of keys and keeps the last.
    yield from (toml.unknown(key, sorted(_KEYS)) for key in data if key not in _KEYS)
    if data.get("defaultAction") not in _DENYING:
        yield "defaultAction must deny what the profile does not name: write SCMP_ACT_ERRNO"
    for name in re.findall(r"SCMP_ARCH_\w+", json.dumps([data.get("architectures"), data.get("archMap")])):
        if name not in _WIDE:
            yield f"{name} must not be there: its programs make calls that no argument filter can read; remove it"
