"""How a program ended, in words: for a model what the page's words.js is for people. Pure."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from runner.policy.policy import Policy
from runner.runs.result import Reason

REASONS: Final[Mapping[Reason, str]] = {
    Reason.COMPLETED: "Finished",
    Reason.EXIT_CODE: "Ended with exit code {exit_code}",
    Reason.SIGNAL: "Killed by {signal}: {meaning}",
    Reason.WALL_TIME: "Stopped after {wall}, the time limit",
    Reason.CPU_TIME: "Stopped after computing for {cpu}, the limit of CPU time",
    Reason.TOTAL_TIME: "Stopped: all runs together took longer than {total}",
    Reason.OUT_OF_MEMORY: "Used more than {memory} of memory",
    Reason.OUTPUT_LIMIT: "Wrote more than {output} and was stopped",
    Reason.COMPILE_ERROR: "It does not compile: the compiler says why",
    Reason.COMPILE_TIMEOUT: "Compiling took longer than {compile} and was stopped",
    Reason.COMPILE_OUT_OF_MEMORY: "Compiling took more than {memory} of memory",
    Reason.NO_VERDICT: "It brought its own container down, so nobody saw how it ended",
}
REACHED: Final[Mapping[str, str]] = {
    "pids": "It could not start more processes or threads: {pids} is the limit.",
    "memory": "It could not get more memory: {memory} is the limit.",
    "tmpfs": "It could not write more into /tmp: {tmp} is the limit.",
    "shm": "It could not write more into /dev/shm: {shm} is the limit.",
    "results": "It left more results than are sent back: {results} is the limit.",
}
SIGNALS: Final[Mapping[str, str]] = {
    "SIGABRT": "it gave up by itself, as after a failed assertion or an exception that nobody caught",
    "SIGALRM": "its own alarm clock rang",
    "SIGBUS": "it touched memory that is not there",
    "SIGFPE": "it computed something impossible, such as a division by zero",
    "SIGHUP": "its terminal went away",
    "SIGILL": "it came to an instruction that the processor does not know",
    "SIGINT": "it was interrupted",
    "SIGKILL": "it was ended at once, from outside or by itself",
    "SIGPIPE": "it wrote to a pipe that nobody reads",
    "SIGQUIT": "it was told to quit",
    "SIGSEGV": "it touched memory that is not its own",
    "SIGSYS": "it asked the kernel for something that is forbidden here",
    "SIGTERM": "it was told to end",
    "SIGTRAP": "it came to a breakpoint, or checked itself and failed",
    "SIGXCPU": "it used more CPU time than it set itself",
    "SIGXFSZ": "it wrote a file that is larger than allowed",
}
UNKNOWN: Final = "a signal that ends a program"


def ending(report: Mapping[str, Any], policy: Policy) -> str:
    """How it ended, without a full stop; ``report`` is the answer to ``POST /run``."""
    own = {
        "exit_code": report["exit_code"],
        "signal": report["signal"],
        "meaning": SIGNALS.get(report["signal"], UNKNOWN),
    }
    return REASONS[Reason(report["reason"])].format(**own, **limits(policy))


def reached(report: Mapping[str, Any], policy: Policy) -> Iterator[str]:
    """The limits that it came to on its way, a sentence each; the one that ended it has been told."""
    told = "memory" if report["reason"] == Reason.OUT_OF_MEMORY else ""
    yield from (REACHED[name].format(**limits(policy)) for name in report["reached"] if name != told)


def limits(policy: Policy) -> dict[str, str]:
    """Those of the policy and of its command, with their units."""
    kept = policy.limits
    return {
        "wall": seconds(kept.wall_time),
        "cpu": seconds(kept.wall_time),
        "compile": seconds(kept.compile_time),
        "total": seconds(kept.total_time),
        "output": size(kept.output),
        "memory": size(policy.memory) if policy.memory else "its share",
        "pids": policy.value("--pids-limit=") or "their number",
        "tmp": _space(policy, "/tmp"),  # noqa: S108 - inside
        "shm": _space(policy, "/dev/shm"),  # noqa: S108
        "results": f"{kept.result_files} files of {size(kept.result_bytes)} together",
    }


def _space(policy: Policy, path: str) -> str:
    found = re.search(r"size=(\d+)([bkmg]?).*nr_inodes=(\d+)", policy.value(f"--tmpfs={path}:"))
    if not found:
        return "its size"
    unit = {"k": "KB", "m": "MB", "g": "GB"}.get(found[2], "bytes")
    return f"{found[1]} {unit} in {found[3]} files"


def seconds(value: float) -> str:
    """A time as people say it."""
    if value < 0.001:
        return f"{_number(value * 1e6)} µs"
    return f"{_number(value * 1000)} ms" if value < 1 else f"{_number(value)} s"


def size(value: int) -> str:
    """Bytes as people say it."""
    if value < 1024:
        return "1 byte" if value == 1 else f"{value} bytes"
    return f"{_number(value / 1024)} KB" if value < 1024**2 else f"{_number(value / 1024**2)} MB"


def _number(value: float) -> str:
    """Three digits are enough."""
    return f"{value:.3g}" if value < 99.95 else f"{value:.0f}"
