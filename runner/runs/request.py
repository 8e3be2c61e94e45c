"""A request body -> a ``Job``: pure, and every refusal names the field and what is allowed."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, Literal, TypeVar

import msgspec

from runner.errors import BadRequest, TooLarge
from runner.policy.policy import Policy, named
from runner.runs.files import check_args, check_files
from runner.sandbox.job import File, Job


class Encoded(msgspec.Struct, forbid_unknown_fields=True):
    """Bytes that need not be text."""

    base64: bytes


class Asked(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What every way to run a program takes."""

    language: str
    code: str
    input: str | msgspec.UnsetType = msgspec.UNSET
    files: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    """Decoded by itself: a name that stands twice must not go unseen."""
    args: list[str] = []
    env: dict[str, str] = {}


class Body(Asked):
    """``POST /run``, as JSON."""

    input_base64: bytes | msgspec.UnsetType = msgspec.UNSET
    inputs: list[str | Encoded] | msgspec.UnsetType = msgspec.UNSET
    encoding: Literal["text", "base64"] = "text"


Size = Annotated[int, msgspec.Meta(ge=1, le=1000)]


class First(Asked):
    """The first message of a live run."""

    size: tuple[Size, Size] = (80, 24)
    key: str = ""
    """Looked at before the rest, by ``sent_key``."""


class Keyed(msgspec.Struct):
    """The one field of a first message that is looked at while it is not yet known who asks."""

    key: str = ""


class More(msgspec.Struct, forbid_unknown_fields=True):
    """Any later message of a live run."""

    input: str | msgspec.UnsetType = msgspec.UNSET
    size: tuple[Size, Size] | msgspec.UnsetType = msgspec.UNSET
    end: bool | msgspec.UnsetType = msgspec.UNSET


_BESIDE = (
    '"files", an object of names and contents (a string, or {"base64": "..."}), "args", a list of strings, '
    '"env", an object of strings'
)
_CONTRACT = (
    'The body is a JSON object: "language" and "code", each a string, and, if wanted, one of "input", a string, '
    '"input_base64", and "inputs", a list of strings or {"base64": "..."}; '
    f'{_BESIDE}, and "encoding", "text" or "base64", of the answer.'
)
_FIRST = (
    'The first message is a JSON object: "language" and "code", each a string, and, if wanted, "input", a string, '
    f'{_BESIDE}, "size", the terminal\'s columns and rows, such as [80, 24], and "key", a string.'
)
_MORE = 'A message is {"input": "text"}, {"size": [80, 24]} or {"end": true}.'
_body = msgspec.json.Decoder(Body)
_first = msgspec.json.Decoder(First)
_keyed = msgspec.json.Decoder(Keyed)
_more = msgspec.json.Decoder(More)
_named = msgspec.json.Decoder(dict[str, str | Encoded])
T = TypeVar("T")


def parse(body: bytes, policies: Mapping[str, Policy]) -> Job:
    """The job that a body asks for, or a ``Refusal``."""
    asked = decoded(_body, body, _CONTRACT)
    given = [each for each in (asked.input, asked.input_base64, asked.inputs) if each is not msgspec.UNSET]
    if len(given) > 1:
        raise BadRequest(f"There is more than one of `input`, `input_base64` and `inputs`. {_CONTRACT}")
    if isinstance(asked.inputs, list):
        inputs = tuple(map(_bytes, asked.inputs))
    else:
        inputs = (_bytes(asked.input) or _bytes(asked.input_base64),)
    several, base64 = isinstance(asked.inputs, list), asked.encoding == "base64"
    return check(replace(_job(asked, inputs, _CONTRACT), several=several, base64=base64), policies)


def sent_key(message: bytes) -> str:
    """The key in the first message of a live run; "" where there is none, whatever else is wrong with it."""
    try:
        return _keyed.decode(message).key
    except (ValueError, RecursionError):
        return ""


def first(message: bytes, policies: Mapping[str, Policy]) -> Job:
    """The job that the first message of a live run asks for, or a ``Refusal``."""
    asked = decoded(_first, message, _FIRST)
    return check(replace(_job(asked, (_bytes(asked.input),), _FIRST), terminal=asked.size), policies)


def more(message: bytes) -> bytes | tuple[int, int] | None:
    """What a later message of a live run brings: input, a size, or None for the input's end; or a ``Refusal``."""
    match decoded(_more, message, _MORE):
        case More(input=str(typed), size=msgspec.UNSET, end=msgspec.UNSET):
            return typed.encode()
        case More(input=msgspec.UNSET, size=tuple(size), end=msgspec.UNSET):
            return size
        case More(input=msgspec.UNSET, size=msgspec.UNSET, end=True):
            return None
    raise BadRequest(_MORE)


def decoded(decoder: msgspec.json.Decoder[T], data: bytes, contract: str, where: str = "") -> T:
    """JSON as its type; a ``BadRequest`` says what is wrong, after ``where``, and then the contract."""
    try:
        return decoder.decode(data)
    except msgspec.ValidationError as error:
        raise BadRequest(f"{where}{_plain(str(error))}. {contract}") from None
    except (ValueError, RecursionError) as error:  # msgspec's and Unicode's errors are ValueErrors
        raise BadRequest(f"This is not valid JSON in UTF-8 ({_plain(str(error))}). {contract}") from None


def _bytes(given: str | bytes | Encoded | msgspec.UnsetType) -> bytes:
    match given:
        case str():
            return given.encode()
        case bytes():
            return given
        case Encoded():
            return given.base64
    return b""


def _job(asked: Asked, inputs: tuple[bytes, ...], contract: str) -> Job:
    """What is common to every way; not checked yet."""
    return Job(
        asked.language,
        asked.code.encode(),
        inputs,
        files=_files(asked.files, contract),
        args=tuple(each.encode() for each in asked.args),
        env=tuple((name, value.encode()) for name, value in asked.env.items()),
    )


def _files(given: msgspec.Raw | msgspec.UnsetType, contract: str) -> tuple[File, ...]:
    if not isinstance(given, msgspec.Raw):
        return ()
    found = decoded(_named, bytes(given), contract, "`files`: ")
    json.loads(bytes(given), object_pairs_hook=_distinct)
    return tuple(File(name, _bytes(content)) for name, content in found.items())


def _distinct(pairs: list[tuple[str, Any]]) -> None:
    [(name, count)] = Counter(name for name, _ in pairs).most_common(1) or [("", 1)]
    if count > 1:
        raise BadRequest(f"The name {name!a:.300} in `files` is there twice.")


def check(job: Job, policies: Mapping[str, Policy]) -> Job:
    """The same job, if it is within the limits of its language's policy; else a ``Refusal``."""
    policy = named(job.language, policies)
    limits = policy.limits
    if not job.inputs:
        raise BadRequest("`inputs` must have at least one string: each is one run.")
    if len(job.inputs) > limits.inputs:
        raise TooLarge(f"`inputs` has {len(job.inputs)} strings; {policy.name} takes at most {limits.inputs}.")
    sizes = (
        ("code", len(job.source), limits.source),
        ("inputs" if job.several else "input", sum(map(len, job.inputs)), limits.input),
    )
    for name, size, limit in sizes:
        if size > limit:
            raise TooLarge(f"`{name}` has {size} bytes as UTF-8; {policy.name} takes at most {limit}.")
    check_files(job.files, policy)
    check_args((*job.args, *job.compile_args), job.env, policy)
    return job


def _plain(message: str) -> str:
    """The library's message without its notation for paths: ``$.code`` is the field ``code``."""
    if message == "Input data was truncated":
        return "it ends too early, or has half of a surrogate pair"
    return message.replace("`$.", "`")
