"""What a program may use, as its container shows it: memory, processes, CPU time, the limits of a process."""

import re
from errno import EAGAIN, errorcode
from math import ceil, log2
from typing import Final

from runner.policy.rules import size
from runner.proof.observers import Observer, cgroup
from runner.proof.seen import Claim, Said, Seen

_LIMITS: Final = {
    "as": "address space",
    "core": "core file size",
    "cpu": "cpu time",
    "data": "data size",
    "fsize": "file size",
    "locks": "file locks",
    "memlock": "locked memory",
    "msgqueue": "msgqueue size",
    "nice": "nice priority",
    "nofile": "open files",
    "nproc": "processes",
    "rss": "resident set",
    "rtprio": "realtime priority",
    "rttime": "realtime timeout",
    "sigpending": "pending signals",
    "stack": "stack size",
}
"""The names of --ulimit as /proc/self/limits has them."""


def bytes_of(claim: Claim) -> tuple[str, ...]:
    """A size as the kernel writes it, in whole pages."""
    return (str((size(claim.value) or 0) // 4096 * 4096),)


def memory(claim: Claim, seen: Seen) -> Said | None:
    """Whoever takes more is killed."""
    answer = seen.answer("memory")
    if answer is None:
        return None
    taken = f"{int(answer.text) >> 20} MB"
    killed = answer.error == -9
    return Said(
        f"killed with {taken}" if killed else f"had {taken}", killed and int(answer.text) <= (size(claim.value) or 0)
    )


def swap(claim: Claim, seen: Seen) -> Said | None:
    """Version 1 counts memory and swap together, version 2 swap alone."""
    both = cgroup(("memory/memory.memsw.limit_in_bytes",), bytes_of)(claim, seen)
    return both or cgroup(("memory.swap.max",), lambda claim: ("0",))(claim, seen)


def cpus(claim: Claim, seen: Seen) -> Said | None:
    """The quota of CPU time in a period."""
    old = seen.cgroup("cpu/cpu.cfs_quota_us"), seen.cgroup("cpu/cpu.cfs_period_us")
    text = f"{old[0]} {old[1]}" if None not in old else seen.cgroup("cpu.max")
    if text is None:
        return None
    match = re.fullmatch(r"(\d+) ([1-9]\d*)", text)
    return Said(
        f"CPU quota {text}", match is not None and abs(int(match[1]) / int(match[2]) - float(claim.value)) < 1e-3
    )


def shares(claim: Claim, seen: Seen) -> Said | None:
    """Version 2 has weights: runc has had two formulas for them."""

    def wanted(claim: Claim) -> tuple[str, ...]:
        number = max(int(claim.value), 2)
        power = log2(number)
        newer = ceil(10 ** ((power * power + 125 * power) / 612 - 7 / 34))
        return str(1 + (number - 2) * 9999 // 262142), str(newer)

    old = cgroup(("cpu/cpu.shares",), lambda claim: (claim.value,))(claim, seen)
    return old or cgroup(("cpu.weight",), wanted)(claim, seen)


def processes(claim: Claim, seen: Seen) -> Said | None:
    """The process after the last was refused, and PID 1 is one of them."""
    answer = seen.answer("processes")
    if answer is None:
        return None
    holds = answer.error == EAGAIN and int(answer.text) <= int(claim.value)
    return Said(f"{answer.text} processes, then {errorcode.get(answer.error, 'more')}", holds)


def rlimit(claim: Claim, seen: Seen) -> Said | None:
    """Soft and hard, in /proc/self/limits."""
    name, _, value = claim.value.partition("=")
    soft, _, hard = value.partition(":")
    pattern = rf"(?m)^Max {_LIMITS.get(name, '-')} +(\S+) +(\S+)"
    match = re.search(pattern, seen.file("/proc/self/limits") or "")
    return Said(f"{match[1]}:{match[2]}", match.groups() == (soft, hard or soft)) if match else None


def allowed(name: str) -> Observer:
    """A list of numbers and ranges in /proc/self/status, however it is written."""

    def look(claim: Claim, seen: Seen) -> Said | None:
        text = seen.status(name)
        return None if text is None else Said(f"{name} {text}", _numbers(text) == _numbers(claim.value))

    return look


def _numbers(text: str) -> set[int]:
    ends = (part.partition("-") for part in text.split(","))
    return {number for first, dash, last in ends for number in range(int(first), int(last if dash else first) + 1)}
