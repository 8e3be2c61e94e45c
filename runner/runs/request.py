"""A request body -> a ``Job``: pure, and every refusal names the field and what is allowed."""

from collections.abc import Mapping
from typing import TypeVar

import msgspec

from runner.errors import BadRequest, TooLarge
from runner.policy.policy import Policy, named
from runner.sandbox.job import Job


class Body(msgspec.Struct, forbid_unknown_fields=True):
    """``POST /run``, as JSON."""

    language: str
    code: str
    input: str | msgspec.UnsetType = msgspec.UNSET
    inputs: list[str] | msgspec.UnsetType = msgspec.UNSET


class First(msgspec.Struct, forbid_unknown_fields=True):
    """The first message of a live run."""

    language: str
    code: str
    input: str | msgspec.UnsetType = msgspec.UNSET
    size: tuple[int, int] | msgspec.UnsetType = msgspec.UNSET


class More(msgspec.Struct, forbid_unknown_fields=True):
    """Any later message of a live run."""

    input: str | msgspec.UnsetType = msgspec.UNSET
    size: tuple[int, int] | msgspec.UnsetType = msgspec.UNSET
    end: bool | msgspec.UnsetType = msgspec.UNSET


_CONTRACT = (
    'The body is a JSON object: "language" and "code", each a string, '
    'and, if wanted, either "input", a string, or "inputs", a list of strings.'
)
_FIRST = 'The first message is a JSON object: "language" and "code", each a string, and, if wanted, "input", a string.'
_MORE = 'A message is {"input": "text"} or, as the last one, {"end": true}.'
_body = msgspec.json.Decoder(Body)
_first = msgspec.json.Decoder(First)
_more = msgspec.json.Decoder(More)
T = TypeVar("T")


def parse(body: bytes, policies: Mapping[str, Policy]) -> Job:
    """The job that a body asks for, or a ``Refusal``."""
    asked = _decoded(_body, body, _CONTRACT)
    policy, source = named(asked.language, policies), asked.code.encode()
    if isinstance(asked.inputs, list):
        if asked.input is not msgspec.UNSET:
            raise BadRequest(f"There is both `input` and `inputs`. {_CONTRACT}")
        return job(policy, source, tuple(item.encode() for item in asked.inputs), several=True)
    return job(policy, source, (_bytes(asked.input),))


def first(message: bytes, policies: Mapping[str, Policy]) -> Job:
    """The job that the first message of a live run asks for, or a ``Refusal``."""
    asked = _decoded(_first, message, _FIRST)
    return job(named(asked.language, policies), asked.code.encode(), (_bytes(asked.input),))


def more(message: bytes) -> bytes | None:
    """The input that a later message of a live run brings, or None for its end, or a ``Refusal``."""
    said = _decoded(_more, message, _MORE)
    if said.size is not msgspec.UNSET:
        return b""
    if isinstance(said.input, str) and said.end is msgspec.UNSET:
        return said.input.encode()
    if said.end is True and said.input is msgspec.UNSET:
        return None
    raise BadRequest(_MORE)


def _decoded(decoder: msgspec.json.Decoder[T], data: bytes, contract: str) -> T:
    try:
        return decoder.decode(data)
    except msgspec.ValidationError as error:
        raise BadRequest(f"{_plain(str(error))}. {contract}") from None
    except (ValueError, RecursionError) as error:  # msgspec's and Unicode's errors are ValueErrors
        raise BadRequest(f"This is not valid JSON in UTF-8 ({_plain(str(error))}). {contract}") from None


def _bytes(input: str | msgspec.UnsetType) -> bytes:
    return input.encode() if isinstance(input, str) else b""


def job(policy: Policy, source: bytes, inputs: tuple[bytes, ...], *, several: bool = False) -> Job:
    """A job within the limits of its policy, or a ``Refusal``."""
    limits = policy.limits
    if not inputs:
        raise BadRequest("`inputs` must have at least one string: each is one run.")
    if len(inputs) > limits.inputs:
        raise TooLarge(f"`inputs` has {len(inputs)} strings; {policy.name} takes at most {limits.inputs}.")
    field = "inputs" if several else "input"
    for name, size, limit in (("code", len(source), limits.source), (field, sum(map(len, inputs)), limits.input)):
        if size > limit:
            raise TooLarge(f"`{name}` has {size} bytes as UTF-8; {policy.name} takes at most {limit}.")
    return Job(policy.name, source, inputs, several)


def _plain(message: str) -> str:
    """The library's message without its notation for paths: ``$.code`` is the field ``code``."""
    if message == "Input data was truncated":
        return "it ends too early, or has half of a surrogate pair"
    return message.replace("`$.", "`")
