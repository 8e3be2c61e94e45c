"""The key of a request, wherever a client puts it."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.errors import BadRequest
from runner.web import credentials
from tests.strategies import unhurried


@pytest.mark.parametrize(
    ("headers", "key"),
    [
        ({}, ""),
        ({"authorization": "Bearer abc"}, "abc"),
        ({"authorization": "bearer   abc "}, "abc"),
        ({"Authorization": "BEARER abc"}, "abc"),
        ({"authorization": "Bearer"}, ""),
        ({"authorization": "Bearer "}, ""),
        ({"authorization": "Basic YTpi"}, ""),  # a proxy's own, that was passed on
        ({"authorization": "abc"}, ""),
        ({"x-auth-token": "abc"}, "abc"),
        ({"x-api-key": " abc "}, "abc"),
        ({"x-api-key": "", "x-auth-token": ""}, ""),
        ({"x-api-key": "abc", "authorization": "Bearer abc", "x-auth-token": "abc"}, "abc"),
        ({"authorization": "Bearer Ã©"}, "Ã©"),
        ({"cookie": "key=abc", "x-key": "abc"}, ""),
    ],
)
def test_a_key_is_found_in_every_api_s_header(headers: Mapping[str, str], key: str) -> None:
    """In one place, for all of them."""
    assert credentials.sent(headers.items()) == key
    assert credentials.sent(headers.items(), "") == key


@pytest.mark.parametrize(
    ("headers", "beside"),
    [
        ([("authorization", "Bearer a"), ("authorization", "Bearer b")], ""),
        ([("x-api-key", "a"), ("x-auth-token", "b")], ""),
        ([("x-api-key", "a")], "b"),
    ],
)
def test_several_keys_are_refused(headers: list[tuple[str, str]], beside: str) -> None:
    """One of them would be believed, and nobody knows which; none is in the words."""
    with pytest.raises(BadRequest, match=r"^There are several keys, and they differ: send one, as"):
        credentials.sent(headers, beside)


@unhurried
@given(st.lists(st.tuples(st.sampled_from([*credentials.HEADERS, "authorization", "cookie"]), st.text())), st.text())
def test_any_headers_have_one_key_or_none_or_are_refused(headers: list[tuple[str, str]], beside: str) -> None:
    """Never with another error."""
    try:
        key = credentials.sent(headers, beside)
    except BadRequest:
        return
    assert key == beside or any(key in value for _, value in headers)
