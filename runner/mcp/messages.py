"""One message of the HTTP transport, looked at before the SDK sees it. Pure.

The SDK decodes whatever JSON it gets, and a small text can be large in memory: so what it gets is small. The arguments
of a tool, which may have megabytes, go around it, to the decoder that ``POST /run`` has.
"""

from dataclasses import dataclass
from typing import Final

import msgspec

from runner.errors import BadRequest, TooLarge

SMALL: Final = 16 * 1024
"""Bytes of a message without its tool's arguments."""
_CONTRACT: Final = "The body is one message of JSON-RPC 2.0, as the Model Context Protocol has it."
Id = int | str | None


class _Params(msgspec.Struct, omit_defaults=True):
    """Of a tool's call."""

    name: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    arguments: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    meta: msgspec.Raw | msgspec.UnsetType = msgspec.field(default=msgspec.UNSET, name="_meta")


class _Message(msgspec.Struct, omit_defaults=True):
    """What JSON-RPC has; a batch has never been part of what this transport serves."""

    jsonrpc: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    id: Id | msgspec.UnsetType = msgspec.UNSET
    method: str | msgspec.UnsetType = msgspec.UNSET
    params: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    result: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    error: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class _Cancelled(msgspec.Struct):
    """Of ``notifications/cancelled``."""

    requestId: Id = None  # noqa: N815 - the protocol's


_message = msgspec.json.Decoder(_Message)
_params = msgspec.json.Decoder(_Params)
_cancelled = msgspec.json.Decoder(_Cancelled)


@dataclass(frozen=True, slots=True)
class Message:
    """What is known of a message."""

    method: str
    id: Id
    body: bytes
    """For the SDK: the same message, without the arguments of a tool."""
    arguments: bytes
    """Those, as they came; ``{}`` where there are none."""
    cancels: Id
    """The request that it takes back."""


def read(body: bytes) -> Message:
    """What was sent, or a ``Refusal``."""
    try:
        message = _message.decode(body)
        arguments = b"{}"
        if message.method == "tools/call" and isinstance(message.params, msgspec.Raw):
            params = _params.decode(message.params)
            if isinstance(params.arguments, msgspec.Raw):
                arguments, params.arguments = bytes(params.arguments), msgspec.UNSET
            message.params = msgspec.Raw(msgspec.json.encode(params))
        cancels = _cancels(message)
    except (ValueError, RecursionError):  # msgspec's and Unicode's errors are ValueErrors
        raise BadRequest(_CONTRACT) from None
    small = msgspec.json.encode(message)
    if len(small) > SMALL:
        raise TooLarge(f"The message has more than {SMALL} bytes without the arguments of a tool.")
    method = message.method if isinstance(message.method, str) else ""
    asked = None if message.id is msgspec.UNSET else message.id
    return Message(method, asked, small, arguments, cancels)


def _cancels(message: _Message) -> Id:
    if message.method == "notifications/cancelled" and isinstance(message.params, msgspec.Raw):
        return _cancelled.decode(message.params).requestId
    return None
