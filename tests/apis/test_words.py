"""Arguments as a shell would split them, without a shell; output without half a character that is our doing."""

import shlex
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.apis import words
from runner.errors import BadRequest, Refusal, TooLarge

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


@given(st.lists(TEXT))
def test_what_is_quoted_comes_back(args: list[str]) -> None:
    """Nothing is expanded, lost or joined."""
    assert words.split(shlex.join(args), 10_000, "args") == tuple(each.encode() for each in args)


def test_nothing_is_expanded() -> None:
    """What a shell would act upon is text."""
    found = words.split("$HOME `id` *; a|b 'one word' \"$(two)\" # no comment", 100, "args")
    assert found == (b"$HOME", b"`id`", b"*;", b"a|b", b"one word", b"$(two)", b"#", b"no", b"comment")


@pytest.mark.parametrize(
    ("text", "kind", "said"),
    [
        ("'x", BadRequest, "`args` has a quote or a backslash that does not end."),
        ("x\\", BadRequest, "`args` has a quote or a backslash that does not end."),
        ("é" * 51, TooLarge, "`args` has more than 100 bytes."),
    ],
)
def test_what_is_refused(text: str, kind: type[Refusal], said: str) -> None:
    """By its name."""
    with pytest.raises(kind) as refused:
        words.split(text, 100, "args")
    assert str(refused.value) == said


@given(TEXT)
def test_any_text_is_words_or_refused(text: str) -> None:
    """Never another exception."""
    with suppress(Refusal):
        words.split(text, 100, "args")


@given(TEXT, st.integers(0, 3), st.binary(max_size=4))
def test_a_cut_leaves_whole_characters(text: str, cut: int, more: bytes) -> None:
    """At the end, and nowhere else; what was not cut is as it was."""
    data = text.encode()
    assert words.whole(data + more, cut=False) == data + more
    kept = words.whole(data[: len(data) - cut], cut=True)
    assert data.startswith(kept)
    assert len(data) - cut - len(kept) <= 3
    assert kept.decode() == data[: len(data) - cut].decode(errors="ignore")
