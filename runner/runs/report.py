"""A ``Result`` as the JSON that clients get: bytes become text here, once."""

import codecs
from collections.abc import Mapping
from typing import Final

from runner.runs.result import Result, Verdict, signal_name
from runner.sandbox.protocol import Step

REACHED: Final = ("pids", "memory", "tmpfs", "shm")
"""The limits of a container of which a program may hear only that something failed."""


def as_json(result: Result, *, several: bool = False) -> dict[str, object]:
    """The answer to ``POST /run``; times in seconds, memory in bytes."""
    compiled = result.compiled
    times = {
        "queued": seconds(result.facts.queued),
        "compile": seconds(compiled.observed.wall_time) if compiled else None,
    }
    said = text(compiled.observed.stdout.data + compiled.observed.stderr.data) if compiled else ""
    common = {"id": result.facts.id, "policy": result.policy.digest, "command": list(result.facts.command)}
    if several:
        overall = {"status": result.last.status, "reason": result.last.reason, "compile_output": said, "times": times}
        return common | overall | {"results": [verdict(run, {}) for run in result.runs]}
    return common | verdict(result.last, times) | {"compile_output": said if result.runs else ""}


def verdict(verdict: Verdict, times: Mapping[str, float | None]) -> dict[str, object]:
    """One step's ending."""
    observed, ending, own = verdict.observed, verdict.observed.ending, verdict.own
    wall = observed.wall_time if observed.step is Step.RUN else None
    return {
        "status": verdict.status,
        "reason": verdict.reason,
        "reached": [limit for limit in ending.reached if limit in REACHED] if ending else [],
        "stdout": text(observed.stdout.data, cut=observed.cut),
        "stderr": text(observed.stderr.data, cut=observed.cut),
        "truncated": {"stdout": observed.stdout.dropped > 0, "stderr": observed.stderr.dropped > 0},
        "exit_code": own.exit_code if own else None,
        "signal": signal_name(own.signal) if own and own.signal else None,
        "times": {**times, "wall": seconds(wall), "cpu": seconds(ending.cpu_time if ending else None)},
        "peak_memory": ending.peak_memory if ending else None,
        "oom_kills": ending.oom_kills if ending else None,
    }


def text(data: bytes, *, cut: bool = False) -> str:
    """UTF-8, and U+FFFD for what is not. ``cut``: half a character at the end is our doing, and left out."""
    return codecs.getincrementaldecoder("utf-8")("replace").decode(data, final=not cut)


def seconds(value: float | None) -> float | None:
    """In microseconds' precision."""
    return None if value is None else round(value, 6)
