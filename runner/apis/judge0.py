"""Judge0 CE's submissions -> our jobs. Pure."""

import base64
import binascii
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final

import msgspec

from runner.apis import words
from runner.errors import BadRequest
from runner.policy.policy import Policy
from runner.runs import request
from runner.sandbox.job import File, Job, Narrowed

BATCH: Final = 20
"""Submissions of one request."""
LANGUAGES: Final[Mapping[int, str]] = {
    **dict.fromkeys((71, 113), "python"),
    **dict.fromkeys((52, 53, 54, 105), "cpp"),
    **dict.fromkeys((48, 49, 50, 103), "c"),
    **dict.fromkeys((62, 91), "java"),
    **dict.fromkeys((63, 102), "javascript"),
    **dict.fromkeys((60, 107), "go"),
    **dict.fromkeys((73, 108), "rust"),
    46: "bash",
}
"""The numbers there -> our policies: whichever version of its language a number stands for, ours is run."""

Number = Annotated[int, msgspec.Meta(ge=-(2**31), lt=2**31)]


class Given(msgspec.Struct):
    """A submission as it is sent; what else it has is not ours to set."""

    source_code: str | None = None
    language_id: Number | None = None
    stdin: str | None = None
    expected_output: str | None = None
    compiler_options: str | None = None
    command_line_arguments: str | None = None
    additional_files: str | None = None
    cpu_time_limit: float | None = None
    wall_time_limit: float | None = None
    memory_limit: float | None = None
    redirect_stderr_to_stdout: bool | None = None
    enable_network: bool | None = None
    callback_url: str | None = None


class Batch(msgspec.Struct):
    """Several; each is decoded by itself, so that one that is wrong is one answer."""

    submissions: list[msgspec.Raw] = []


@dataclass(frozen=True, slots=True)
class Asked:
    """What a submission asks for."""

    job: Job
    language: int
    """The number by which it was asked for."""
    title: str
    """Of the policy that runs it."""
    expected: bytes | None
    options: str | None
    arguments: str | None


@dataclass(frozen=True, slots=True)
class Invalid:
    """Why a submission cannot be one: fields, each with what is wrong with it."""

    errors: Mapping[str, Sequence[str]]


_given = msgspec.json.Decoder(Given, strict=False)
_batch = msgspec.json.Decoder(Batch)


def one(body: bytes | msgspec.Raw) -> Given:
    """A submission, or ``BadRequest``."""
    try:
        return _given.decode(body)
    except (ValueError, RecursionError) as error:  # msgspec's errors are ValueErrors
        raise BadRequest(f"a submission is a JSON object: {str(error).replace('`$.', '`')}") from None


def several(body: bytes) -> list[msgspec.Raw]:
    """The submissions of a batch, or ``BadRequest``."""
    try:
        found = _batch.decode(body).submissions
    except (ValueError, RecursionError) as error:
        raise BadRequest(f'a batch is {{"submissions": [...]}}: {str(error).replace("`$.", "`")}') from None
    return _bounded(found)


def tokens(asked: str) -> list[str]:
    """Those of a batch to look at, or ``BadRequest``."""
    return _bounded([token for token in asked.strip().split(",") if token])


def _bounded(found: list[Any]) -> list[Any]:
    if len(found) > BATCH:
        raise BadRequest(f"number of submissions in a batch should be less than or equal to {BATCH}")
    if not found:
        raise BadRequest("there should be at least one submission in a batch")
    return found


def read(given: Given, files: tuple[File, ...], policies: Mapping[str, Policy], *, encoded: bool) -> Asked | Invalid:
    """What it asks for, or what is wrong with it; a ``Refusal`` where it breaks its policy's limits.

    ``files``: those of its archive. ``encoded``: whether its texts are base64.
    """
    policy = policies.get(LANGUAGES.get(given.language_id or 0, ""))
    errors = {name: [said] for name, said in _problems(given, policy)}
    texts = {name: _bytes(getattr(given, name), encoded=encoded) for name in _TEXTS}
    errors |= {name: ["is not valid base64"] for name, text in texts.items() if text is None}
    if policy is None or errors:
        return Invalid(errors)
    job = Job(
        policy.name,
        texts["source_code"] or b"",
        (texts["stdin"] or b"",),
        files=files,
        args=words.split(given.command_line_arguments or "", policy.limits.args, "command_line_arguments"),
        compile_args=words.split(given.compiler_options or "", policy.limits.args, "compiler_options"),
        narrowed=_narrowed(given),
    )
    return Asked(
        request.check(job, policies),
        given.language_id or 0,
        policy.title,
        None if given.expected_output is None else texts["expected_output"],
        given.compiler_options,
        given.command_line_arguments,
    )


_TEXTS: Final = ("source_code", "stdin", "expected_output")


def _problems(given: Given, policy: Policy | None) -> list[tuple[str, str]]:
    """In Judge0's words, which stand behind the name of the field."""
    found = []
    if not (given.source_code or "").strip():
        found.append(("source_code", "can't be blank"))
    if given.language_id is None:
        found.append(("language_id", "can't be blank"))
    elif policy is None:
        found.append(("language_id", f"language with id {given.language_id} doesn't exist"))
    if given.compiler_options and policy and not policy.compile:
        found.append(("compiler_options", "setting compiler options is only allowed for compiled languages"))
    if given.callback_url:
        found.append(("callback_url", "setting callback is not allowed"))
    for name in ("enable_network", "redirect_stderr_to_stdout"):
        if getattr(given, name):
            found.append((name, "this option cannot be enabled"))
    return found


def _bytes(text: str | None, *, encoded: bool) -> bytes | None:
    """None where it cannot be decoded; ends of lines and a missing end are let through, as there."""
    if not encoded or not text:
        return (text or "").encode()
    try:
        return base64.b64decode(text.encode() + b"==")
    except binascii.Error:
        return None


def _narrowed(given: Given) -> Narrowed:
    """What is larger than the policy's own is that; so are 0 and less."""
    kilobytes = _positive(given.memory_limit)
    return Narrowed(
        wall_time=_positive(given.wall_time_limit),
        cpu_time=_positive(given.cpu_time_limit),
        memory=int(min(kilobytes, 2**40) * 1024) if kilobytes else None,
    )


def _positive(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) and value > 0 else None


def archive(given: Given) -> bytes:
    """Its additional files as they are sent, packed, or ``BadRequest``."""
    found = _bytes(given.additional_files, encoded=True)
    if found is None:
        raise BadRequest("`additional_files` is not valid base64.")
    return found


def refusal(status: int, detail: str) -> tuple[int, Any]:
    """Our problem in the form that its errors have; the status stays."""
    return status, {"error": detail}
