"""A ``Result`` as the JSON that clients get: bytes become text here, once."""

from collections.abc import Mapping

from runner.runs.result import Result, Verdict, signal_name
from runner.sandbox.protocol import Step


def as_json(result: Result, *, several: bool = False) -> dict[str, object]:
    """The answer to ``POST /run``; times in seconds, memory in bytes."""
    compiled = result.compiled
    times = {
        "queued": seconds(result.facts.queued),
        "compile": seconds(compiled.observed.seconds) if compiled else None,
    }
    said = text(compiled.observed.stdout.data + compiled.stderr) if compiled else ""
    common = {"id": result.facts.id, "policy": result.policy.digest, "command": list(result.facts.command)}
    if several:
        overall = {"status": result.last.status, "reason": result.last.reason, "compile_output": said, "times": times}
        return common | overall | {"results": [verdict(run, {}) for run in result.runs]}
    return common | verdict(result.last, times) | {"compile_output": said if result.runs else ""}


def verdict(verdict: Verdict, times: Mapping[str, float | None]) -> dict[str, object]:
    """One step's ending."""
    observed, ending = verdict.observed, verdict.observed.ending
    wall = observed.seconds if observed.step is Step.RUN else None
    return {
        "status": verdict.status,
        "reason": verdict.reason,
        "stdout": text(observed.stdout.data),
        "stderr": text(verdict.stderr),
        "truncated": {"stdout": observed.stdout.dropped > 0, "stderr": observed.stderr.dropped > 0},
        "exit_code": ending.exit_code if ending else None,
        "signal": signal_name(ending.signal) if ending and ending.signal else None,
        "times": {**times, "wall": seconds(wall), "cpu": seconds(ending.cpu_time if ending else None)},
        "peak_memory": ending.peak_memory if ending else None,
        "oom_kills": ending.oom_kills if ending else None,
    }


def text(data: bytes) -> str:
    """UTF-8, and U+FFFD for what is not."""
    return data.decode(errors="replace")


def seconds(value: float | None) -> float | None:
    """In microseconds' precision."""
    return None if value is None else round(value, 6)
