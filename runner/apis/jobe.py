"""Jobe's ``restapi``, which Moodle's CodeRunner speaks -> our jobs. Pure."""

import base64
import binascii
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from runner.apis import words
from runner.apis.names import number
from runner.errors import BadRequest, Busy
from runner.policy.policy import Policy
from runner.sandbox.job import Job, Narrowed

NAMES: Final[Mapping[str, str]] = {"python": "python3", "javascript": "nodejs"}
"""A policy -> what its language is called there, where that is another name."""
COMPILE_ARGS: Final[Mapping[str, str]] = {"c": "-Wall -Werror -std=c99 -O0", "cpp": "-Wall -Werror"}
"""What a compiler is given there when a run does not say: warnings are errors, and nothing is optimised. C++
keeps the policy's -O2, for which its header is precompiled."""
CPU_TIME: Final = 5.0
"""Seconds of CPU when a run does not say."""
MOST_CPU_TIME: Final = 120.0
"""Seconds; to ask for more is the one limit that is refused there."""
MEGABYTE: Final = 1_024_000
"""Bytes, as Jobe counts them."""
OVERLOAD_TEST: Final = "!** TESTING OVERLOAD EXCEPTION **!"
"""A source that is answered as if the service were overloaded: so its clients are tested."""

Scalar = str | float | bool | None


class Spec(msgspec.Struct):
    """The ``run_spec``; what else it has is nothing to us."""

    language_id: str | None = None
    sourcecode: str | None = None
    sourcefilename: str | None = None
    input: str | None = None
    file_list: list[list[Scalar]] | None = None
    parameters: dict[str, Scalar | list[str]] | list[Scalar] | None = None
    """A list where there are none: PHP knows one kind of empty array."""


class Post(msgspec.Struct):
    """``POST runs``."""

    run_spec: Spec


class Put(msgspec.Struct):
    """``PUT files/{id}``."""

    file_contents: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A run, but for the contents of its files."""

    job: Job
    files: tuple[tuple[str, str], ...]
    """Of each, under which id it was put, and how it is called beside the source."""


_post = msgspec.json.Decoder(Post)
_put = msgspec.json.Decoder(Put)
_FILE_ID: Final = re.compile(r"[A-Za-z0-9]{8,128}")
_FILE_NAME: Final = re.compile(r"(?=.*[A-Za-z0-9])[A-Za-z0-9._-]+")
_SOURCE_NAME: Final = re.compile(r"(?![.-])[^\x00-\x1f\x7f\xa0\xad<>:\"/\\|?*#\[\]@!$&'()+,;={}^~`]*")


def policies_by_id(policies: Mapping[str, Policy]) -> dict[str, Policy]:
    """By what their languages are called there."""
    return {NAMES.get(name, name): policy for name, policy in policies.items()}


def languages(policies: Mapping[str, Policy]) -> list[list[str]]:
    """``GET languages``: each with the last number of its title."""
    return [[name, number(policy) or "Unknown"] for name, policy in policies_by_id(policies).items()]


def parse(body: bytes, policies: Mapping[str, Policy]) -> Asked:
    """What ``POST runs`` asks for, or a ``Refusal`` in Jobe's words; not checked against the policy yet."""
    spec = _spec(body)
    for name, value in (("sourcecode", spec.sourcecode), ("language_id", spec.language_id)):
        if value is None:
            raise BadRequest(f"run_spec is missing the required attribute '{name}'")
    language, source = (spec.language_id or "").lower(), spec.sourcecode or ""
    policy = policies_by_id(policies).get(language)
    if policy is None:
        raise BadRequest(f"Language '{language:.100}' is not known")
    given = spec.parameters if isinstance(spec.parameters, dict) else {}
    narrowed = _narrowed(given, policy)
    if not _SOURCE_NAME.fullmatch(spec.sourcefilename or ""):
        raise BadRequest("The sourcefilename for the run_spec is illegal")
    files = tuple(_file(each) for each in spec.file_list or ())
    if source == OVERLOAD_TEST:
        raise Busy("This is the answer to the source that tests for an overload.", 1.0)
    job = Job(
        policy.name,
        source.encode(),
        ((spec.input or "").encode(),),
        args=_args(given, policy),
        compile_args=_compile_args(given, policy),
        narrowed=narrowed,
    )
    return Asked(job, files)


def _spec(body: bytes) -> Spec:
    try:
        return _post.decode(body).run_spec
    except msgspec.ValidationError as error:
        said, _, where = str(error).partition(" - at ")
        if where == "`$.run_spec`" or "required field `run_spec`" in said:
            raise BadRequest("No run_spec attribute found in post data") from None
        if where:
            raise BadRequest(f"run_spec: {said} at {where.replace('$.run_spec.', '')}") from None
    except (ValueError, RecursionError):
        pass
    raise BadRequest("Non-JSON post data received")


def _narrowed(given: Mapping[str, Any], policy: Policy) -> Narrowed:
    """0 and less are the policy's own limits, and so is what is larger than they are."""
    cpu_time = _number(given.get("cputime"), CPU_TIME)
    if cpu_time > MOST_CPU_TIME:
        raise BadRequest(f"cputime exceeds maximum allowed on this Jobe server ({MOST_CPU_TIME:.0f} secs)")
    megabytes = _number(given.get("memorylimit"), math.inf)
    return Narrowed(
        wall_time=2 * cpu_time if cpu_time > 0 else None,  # as there
        cpu_time=cpu_time if cpu_time > 0 else None,
        memory=int(min(megabytes * MEGABYTE, policy.memory)) if megabytes > 0 else None,
    )


def _number(value: object, default: float) -> float:
    """The default where it is none; forms send numbers as strings."""
    try:
        number = float(value) if isinstance(value, str | float) else default
    except ValueError:
        return default
    return number if math.isfinite(number) else default


def _file(given: list[Scalar]) -> tuple[str, str]:
    match given:
        case [str(key), str(name)] | [str(key), str(name), _] if _FILE_ID.fullmatch(key) and _FILE_NAME.fullmatch(name):
            return key, name
    raise BadRequest(f"Invalid file specifier: {given!a:.200}")


def _args(given: Mapping[str, Any], policy: Policy) -> tuple[bytes, ...]:
    """Where the program is its own command, what is for the interpreter is for it, as there."""
    interpreter = _list(given, "interpreterargs")
    if interpreter and len(policy.run) > 1:
        raise BadRequest(
            f"interpreterargs cannot be given: {policy.name} is run as `{' '.join(policy.run)}`. Use runargs."
        )
    return words.split(" ".join([*interpreter, *_list(given, "runargs")]), policy.limits.args, "runargs")


def _compile_args(given: Mapping[str, Any], policy: Policy) -> tuple[bytes, ...]:
    """Jobe hands them to a compiler, and to nothing else."""
    if not policy.compile:
        return ()
    own = _list(given, "compileargs") if "compileargs" in given else [COMPILE_ARGS.get(policy.name, "")]
    return words.split(" ".join([*own, *_list(given, "linkargs")]), policy.limits.args, "compileargs")


def _list(given: Mapping[str, Any], name: str) -> list[str]:
    value = given.get(name) or []
    if not isinstance(value, list):
        raise BadRequest(f"{name} must be a list of strings")
    return value


# Files


def contents(key: str, body: bytes) -> bytes:
    """What ``PUT files/{key}`` brings, or a ``Refusal``."""
    if not _FILE_ID.fullmatch(key):
        raise BadRequest("put: a file's id is 8 to 128 letters and digits")
    try:
        return base64.b64decode(_put.decode(body).file_contents.encode(), validate=True)
    except binascii.Error:
        raise BadRequest(f"put: contents of file {key} are not valid base-64") from None
    except (ValueError, RecursionError):  # msgspec's errors are ValueErrors
        raise BadRequest("put: missing file_contents parameter") from None
