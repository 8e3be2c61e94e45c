"""Piston's API of version 2: a request of its -> a ``Job``, a ``Result`` -> an answer of its. Pure; see piston.md."""

import base64
import binascii
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from runner.apis.names import latest, names, version
from runner.errors import BadRequest
from runner.policy.policy import Policy
from runner.runs.report import text
from runner.runs.request import check, decoded
from runner.runs.result import Reason, Result, Verdict, signal_name
from runner.sandbox.job import File, Job, Narrowed

CONTRACT: Final = 'The body is a JSON object: "language", "version" and "files", as of Piston\'s API.'
LIMITS: Final = tuple(f"{step}_{of}" for of in ("memory_limit", "timeout", "cpu_time") for step in ("compile", "run"))
"""Those that a client may ask for, in the order in which they are looked at."""
_SHOWN: Final = 200
"""Characters of a client's word in an answer."""
_MOST: Final = 10**12
"""More than every limit, in milliseconds and in bytes."""


class Asked(msgspec.Struct):
    """The fields that mean something; each is looked at by itself, in Piston's order."""

    language: Any = None
    version: Any = None
    files: Any = None
    stdin: Any = None
    args: Any = None
    compile_memory_limit: Any = None
    run_memory_limit: Any = None
    compile_timeout: Any = None
    run_timeout: Any = None
    compile_cpu_time: Any = None
    run_cpu_time: Any = None


_asked = msgspec.json.Decoder(Asked)


# Requests


def parse(body: bytes, policies: Mapping[str, Policy]) -> Job:
    """The job that a body asks for, or a ``Refusal`` in Piston's words where it has some."""
    asked = decoded(_asked, body, CONTRACT)
    language = _required(asked.language, "language")
    wanted = _required(asked.version, "version")
    sent = _sent(asked.files)
    policy = _runtime(language, wanted, policies)
    if not any(file.get("encoding") in (None, "", "utf8") for file in sent):
        raise BadRequest("files must include at least one utf8 encoded file")
    narrowed = _narrowed(asked, policy)
    files = [_file(place, file) for place, file in enumerate(sent)]
    main = next(place for place, file in enumerate(sent) if not _encoded(file))
    job = Job(
        policy.name,
        files[main].data,
        (_stdin(asked.stdin),),
        files=(*files[:main], *files[main + 1 :]),
        args=_args(asked.args),
        narrowed=narrowed,
    )
    return check(job, policies)


def _required(value: Any, field: str) -> str:
    if not isinstance(value, str) or not value:
        raise BadRequest(f"{field} is required as a string")
    return value


def _sent(files: Any) -> list[Mapping[str, Any]]:
    if not isinstance(files, list):
        raise BadRequest("files is required as an array")
    for place, file in enumerate(files):
        if not isinstance(file, dict) or not isinstance(file.get("content"), str):
            raise BadRequest(f"files[{place}].content is required as a string")
    return files


def _runtime(language: str, wanted: str, policies: Mapping[str, Policy]) -> Policy:
    policy = latest(language, wanted, policies)
    if policy is None:
        raise BadRequest(f"{language:.{_SHOWN}}-{wanted:.{_SHOWN}} runtime is unknown")
    return policy


def _narrowed(asked: Asked, policy: Policy) -> Narrowed:
    limits = {name: _limit(name, getattr(asked, name)) for name in LIMITS}
    memory = limits["run_memory_limit"] or policy.memory
    return Narrowed(
        wall_time=_seconds(limits["run_timeout"]),
        cpu_time=_seconds(limits["run_cpu_time"]),
        compile_time=_seconds(limits["compile_timeout"]),
        memory=int(memory) if memory < policy.memory else None,  # what is as much has its price, and gives nothing
    )


def _limit(name: str, value: Any) -> float | None:
    """What is asked for; None, which is the policy's own, for what Piston takes for nothing or for no limit."""
    if value in (None, "", 0, -1):
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadRequest(f"If specified, {name} must be a number")
    if value < 0:
        raise BadRequest(f"{name} must be non-negative")
    return min(max(value, 1), _MOST)


def _seconds(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else milliseconds / 1000


def _encoded(file: Mapping[str, Any]) -> bool:
    return file.get("encoding") in ("base64", "hex")


def _file(place: int, file: Mapping[str, Any]) -> File:
    name, content = file.get("name") or f"file{place}.code", file["content"]
    if not isinstance(name, str):
        raise BadRequest(f"files[{place}].name must be a string")
    try:
        return File(name, _decoded(content, file["encoding"]) if _encoded(file) else content.encode())
    except (binascii.Error, ValueError):
        raise BadRequest(f"files[{place}].content is not {file['encoding']}") from None


def _decoded(content: str, encoding: str) -> bytes:
    if encoding == "hex":
        return bytes.fromhex(content)
    plain = "".join(content.split()).rstrip("=").replace("-", "+").replace("_", "/")
    return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)


def _stdin(value: Any) -> bytes:
    if not isinstance(value, str | None):
        raise BadRequest("stdin must be a string")
    return (value or "").removesuffix("\n").encode() + b"\n"


def _args(value: Any) -> tuple[bytes, ...]:
    given = [] if value is None else value
    if not isinstance(given, list) or not all(isinstance(each, str) for each in given):
        raise BadRequest("args must be an array of strings")
    return tuple(each.encode() for each in given)


# Answers


def runtimes(policies: Mapping[str, Policy]) -> list[dict[str, object]]:
    """What can be run."""
    return [
        {"language": names(each)[0], "version": version(each), "aliases": list(names(each)[1:])}
        for each in policies.values()
    ]


def packages(policies: Mapping[str, Policy]) -> list[dict[str, object]]:
    """The same; all of it is there."""
    return [
        {"language": names(each)[0], "language_version": version(each), "installed": True} for each in policies.values()
    ]


def words(status: int, detail: str) -> tuple[int, dict[str, object]]:
    """A problem as Piston would say it: it has but one status for what is wrong with a body."""
    if status == 415:
        return status, {"message": "requests must be of type application/json"}
    return 400 if status in (413, 422) else status, {"message": detail}


def answer(result: Result, narrowed: Narrowed) -> dict[str, object]:
    """How a program ended. Where it did not compile, the run is the compilation."""
    compiled, policy = result.compiled, result.policy
    return {
        **({"compile": _stage(compiled)} if compiled else {}),
        "run": _stage(result.last),
        "language": names(policy)[0],
        "version": version(policy),
        "limits": _limits(narrowed, policy),
    }


def _limits(narrowed: Narrowed, policy: Policy) -> dict[str, object]:
    """Those that were kept; milliseconds and bytes, null where there was none."""
    own = policy.limits
    return {
        "compile_timeout": _milliseconds(min(narrowed.compile_time or own.compile_time, own.compile_time) or None),
        "run_timeout": _milliseconds(min(narrowed.wall_time or own.wall_time, own.wall_time)),
        "run_cpu_time": _milliseconds(narrowed.cpu_time),
        "run_memory_limit": min(narrowed.memory or policy.memory, policy.memory),
    }


def _milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 3)


def _stage(verdict: Verdict) -> dict[str, object]:
    observed, own, ending = verdict.observed, verdict.own, verdict.observed.ending
    stdout, stderr = (text(each.data, cut=observed.cut) for each in (observed.stdout, observed.stderr))
    status, message = _ended(verdict)
    return {
        "signal": killed_by(own.signal) if own else "SIGKILL",
        "stdout": stdout,
        "stderr": stderr,
        "code": own.exit_code if own else None,
        "output": stdout + stderr,
        "memory": ending.peak_memory if ending else None,
        "message": message,
        "status": status,
        "cpu_time": _milliseconds(ending.cpu_time if ending else None),
        "wall_time": _milliseconds(observed.wall_time),
    }


def killed_by(signal: int | None) -> str | None:
    """A signal's name, those without one of their own as Piston counts them."""
    if signal is None:
        return None
    if 34 < signal < 64:
        return f"SIGRTMIN+{signal - 34}" if signal < 50 else f"SIGRTMAX-{64 - signal}"
    return signal_name(signal)


_WALL: Final = ("TO", "Time limit exceeded (wall clock)")
_ENDED: Final[Mapping[Reason, tuple[str, str]]] = {
    Reason.WALL_TIME: _WALL,
    Reason.TOTAL_TIME: _WALL,
    Reason.COMPILE_TIMEOUT: _WALL,
    Reason.CPU_TIME: ("TO", "Time limit exceeded"),
    Reason.NO_VERDICT: ("XX", "The container ended before it could say how the program did"),
}
"""Where the program's own ending does not say it."""


def _ended(verdict: Verdict) -> tuple[str | None, str | None]:
    """Status and message."""
    own, observed = verdict.own, verdict.observed
    if verdict.reason is Reason.OUTPUT_LIMIT:
        return ("OL", "stdout length exceeded") if observed.stdout.dropped else ("EL", "stderr length exceeded")
    if own is None:
        return _ENDED[verdict.reason]
    if own.signal:
        return "SG", f"Caught fatal signal {own.signal}"
    return ("RE", f"Exited with error status {own.exit_code}") if own.exit_code else (None, None)
