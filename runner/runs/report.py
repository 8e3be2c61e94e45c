"""A ``Result`` as the JSON that clients get: bytes become text here, once."""

import codecs
from base64 import b64encode
from collections.abc import Mapping
from typing import Final

from runner.runs.result import Result, Verdict, signal_name
from runner.sandbox.job import File, Job
from runner.sandbox.protocol import Step

REACHED: Final = ("pids", "memory", "tmpfs", "shm", "results")
"""The limits of which a program may hear only that something failed, or nothing at all."""
TYPES: Final[Mapping[str, str]] = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "gif": "image/gif",
    "webp": "image/webp",
    "svg": "image/svg+xml",
    "csv": "text/csv",
    "tsv": "text/tab-separated-values",
    "json": "application/json",
    "html": "text/html",
    "pdf": "application/pdf",
}
"""What a result is by the ending of its name; else it is text or bytes."""


def told(result: Result, job: Job) -> dict[str, object]:
    """What whoever asked for the job hears."""
    return as_json(result, several=job.several, base64=job.base64)


def as_json(result: Result, *, several: bool = False, base64: bool = False) -> dict[str, object]:
    """The answer to ``POST /run``; times in seconds, memory in bytes. ``base64``: output as that, byte for byte."""
    compiled = result.compiled
    times = {
        "queued": seconds(result.facts.queued),
        "compile": seconds(compiled.observed.wall_time) if compiled else None,
    }
    said = written(compiled.observed.stdout.data + compiled.observed.stderr.data, base64) if compiled else ""
    common = {"id": result.facts.id, "policy": result.policy.digest, "command": list(result.facts.command)}
    if several:
        overall = {"status": result.last.status, "reason": result.last.reason, "compile_output": said, "times": times}
        return common | overall | {"results": [verdict(run, {}, base64) for run in result.runs]}
    return common | verdict(result.last, times, base64) | {"compile_output": said if result.runs else ""}


def verdict(verdict: Verdict, times: Mapping[str, float | None], base64: bool) -> dict[str, object]:
    """One step's ending."""
    observed, ending, own = verdict.observed, verdict.observed.ending, verdict.own
    wall = observed.wall_time if observed.step is Step.RUN else None
    return {
        "status": verdict.status,
        "reason": verdict.reason,
        "reached": [limit for limit in ending.reached if limit in REACHED] if ending else [],
        "stdout": written(observed.stdout.data, base64, cut=observed.cut),
        "stderr": written(observed.stderr.data, base64, cut=observed.cut),
        "truncated": {"stdout": observed.stdout.dropped > 0, "stderr": observed.stderr.dropped > 0},
        "exit_code": own.exit_code if own else None,
        "signal": signal_name(own.signal) if own and own.signal else None,
        "times": {**times, "wall": seconds(wall), "cpu": seconds(ending.cpu_time if ending else None)},
        "peak_memory": ending.peak_memory if ending else None,
        "oom_kills": ending.oom_kills if ending else None,
        "files": [_file(each, base64) for each in observed.results],
    }


def _file(file: File, base64: bool) -> dict[str, object]:
    content = None if base64 else plain(file.data)
    kind = TYPES.get(
        file.name.rpartition(".")[2].lower(), "application/octet-stream" if content is None else "text/plain"
    )
    return {
        "name": file.name,
        "size": len(file.data),
        "type": kind,
        "content": {"base64": b64encode(file.data).decode()} if content is None else content,
    }


def plain(data: bytes) -> str | None:
    """The text that is in UTF-8 what ``data`` is; None where it is no text."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None


def written(data: bytes, base64: bool, *, cut: bool = False) -> str:
    """Output as text, or all of it in base64."""
    return b64encode(data).decode() if base64 else text(data, cut=cut)


def text(data: bytes, *, cut: bool = False) -> str:
    """UTF-8, and U+FFFD for what is not. ``cut``: half a character at the end is our doing, and left out."""
    return codecs.getincrementaldecoder("utf-8")("replace").decode(data, final=not cut)


def seconds(value: float | None) -> float | None:
    """In microseconds' precision."""
    return None if value is None else round(value, 6)
