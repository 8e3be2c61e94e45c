"""What the SDK gets is small, and is what was sent but for the arguments."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.errors import BadRequest, Refusal, TooLarge
from runner.mcp import messages

anything = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(st.characters(codec="utf-8"), max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", max_size=2), inner, max_size=3),
    max_leaves=8,
)


def read(message: object) -> messages.Message:
    return messages.read(json.dumps(message).encode())


@given(st.integers() | st.text("ab", max_size=3), anything, anything)
def test_a_call_goes_on_without_its_arguments(name: int | str, arguments: Any, meta: Any) -> None:
    """Which are kept word for word."""
    params = {"name": "run", "arguments": arguments, "_meta": meta}
    call = {"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": params}
    found = read(call)
    assert (found.method, found.id, found.cancels) == ("tools/call", 7, None)
    assert json.loads(found.arguments) == arguments
    assert json.loads(found.body) == {**call, "params": {"name": "run", "_meta": meta}}


@given(st.fixed_dictionaries({"jsonrpc": anything}, optional={"params": anything, "result": anything}))
def test_all_else_goes_on_as_it_is(message: dict[str, Any]) -> None:
    """Also what is wrong: the SDK says so in the protocol's words."""
    message["method"] = "ping"
    assert json.loads(read(message).body) == message
    assert read(message).arguments == b"{}"


def test_what_is_taken_back() -> None:
    """By the name of its request."""
    method = "notifications/cancelled"
    assert read({"method": method, "params": {"requestId": "a"}}).cancels == "a"
    assert read({"method": method, "params": {}}).cancels is None
    assert read({"method": method}).cancels is None
    assert read({"method": "ping", "params": {"requestId": 1}}).cancels is None
    assert read({"method": "tools/call", "params": {"name": "x"}}).arguments == b"{}"
    assert read({"method": "tools/call"}).arguments == b"{}"
    assert read({"id": None, "result": {}}).method == ""


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b'{"id": 1.5}', b'{"method": 1}', b"[" * 100_000])
def test_what_is_no_message(body: bytes) -> None:
    """Is refused here: a batch, too."""
    with pytest.raises(BadRequest):
        messages.read(body)


@given(st.binary(max_size=40))
def test_any_bytes_are_a_message_or_refused(body: bytes) -> None:
    """Never another error."""
    try:
        messages.read(body)
    except Refusal:
        return


def test_only_arguments_may_be_large() -> None:
    """Whatever else is, is refused."""
    big = "x" * messages.SMALL
    assert len(read({"method": "tools/call", "params": {"name": "x", "arguments": {"code": big}}}).arguments) > len(big)
    with pytest.raises(TooLarge):
        read({"method": "tools/call", "params": {"name": "x", "_meta": big}})
