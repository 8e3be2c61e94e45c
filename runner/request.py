"""A request body -> a ``Job``: pure, and every refusal names the field and what is allowed."""

from collections.abc import Mapping

import msgspec

from runner.errors import BadRequest, TooLarge, UnknownLanguage
from runner.policy import Policy
from runner.result import Job


class Body(msgspec.Struct, forbid_unknown_fields=True):
    """``POST /run``, as JSON."""

    language: str
    code: str
    input: str = ""


_CONTRACT = 'The body is a JSON object: "language", "code" and, if wanted, "input", each a string.'
_decoder = msgspec.json.Decoder(Body)


def parse(body: bytes, policies: Mapping[str, Policy]) -> Job:
    """The job that a body asks for, or a ``Refusal``."""
    try:
        asked = _decoder.decode(body)
    except msgspec.ValidationError as error:
        raise BadRequest(f"{_plain(str(error))}. {_CONTRACT}") from None
    except (ValueError, RecursionError) as error:  # msgspec's and Unicode's errors are ValueErrors
        raise BadRequest(f"This is not valid JSON in UTF-8 ({_plain(str(error))}). {_CONTRACT}") from None
    policy = policies.get(asked.language)
    if policy is None:
        raise UnknownLanguage(f"`language` must be one of {', '.join(sorted(policies))}.")
    return job(policy, asked.code.encode(), asked.input.encode())


def job(policy: Policy, source: bytes, input: bytes) -> Job:
    """A job within the limits of its policy, or ``TooLarge``."""
    for field, data, limit in (("code", source, policy.limits.source), ("input", input, policy.limits.input)):
        if len(data) > limit:
            raise TooLarge(f"`{field}` has {len(data)} bytes as UTF-8; {policy.name} takes at most {limit}.")
    return Job(policy.name, source, (input,))


def _plain(message: str) -> str:
    """The library's message without its notation for paths: ``$.code`` is the field ``code``."""
    if message == "Input data was truncated":
        return "it ends too early, or has half of a surrogate pair"
    return message.replace("`$.", "`")
