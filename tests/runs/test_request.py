"""A request body becomes a job, or a refusal that names the field."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.errors import BadRequest, Refusal, TooLarge, UnknownLanguage
from runner.policy import configuration
from runner.runs import request
from runner.sandbox.job import Job

POLICIES = configuration.load().policies
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=50)


@given(st.sampled_from(sorted(POLICIES)), TEXT, TEXT)
def test_one_input_is_the_rest_of_stdin(language: str, code: str, data: str) -> None:
    """Text becomes the bytes of its UTF-8, and nothing else changes."""
    job = request.parse(json.dumps({"language": language, "code": code, "input": data}).encode(), POLICIES)
    assert job == Job(language, code.encode(), (data.encode(),), several=False)


@given(TEXT, st.lists(TEXT, min_size=1, max_size=10))
def test_several_inputs_keep_their_order(code: str, inputs: list[str]) -> None:
    """A list of one is a list, too."""
    job = request.parse(json.dumps({"language": "python", "code": code, "inputs": inputs}).encode(), POLICIES)
    assert job == Job("python", code.encode(), tuple(item.encode() for item in inputs), several=True)


def test_no_input_is_an_empty_one() -> None:
    """The program sees the end of its input at once."""
    assert request.parse(b'{"language": "cpp", "code": ""}', POLICIES) == Job("cpp", b"", (b"",))


@given(st.binary(max_size=100) | st.text().map(lambda text: json.dumps(text).encode()))
def test_any_bytes_are_a_job_or_a_refusal(body: bytes) -> None:
    """Never another exception."""
    with pytest.raises(Refusal):
        request.parse(body, POLICIES)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b'{"language": "python", "code": "", "input": "", "inputs": [""]}', BadRequest),
        (b'{"language": "python", "code": "", "inputs": []}', BadRequest),
        (b'{"language": "python", "code": "\\ud800"}', BadRequest),
        (b'{"language": "", "code": ""}', UnknownLanguage),
        (b'{"language": "python", "code": "' + b"x" * 65537 + b'"}', TooLarge),
        (b'{"language": "python", "code": "", "inputs": [' + b'"",' * 100 + b'""]}', TooLarge),
    ],
    ids=range(6),
)
def test_refusals_are_of_their_kind(body: bytes, kind: type[Refusal]) -> None:
    """The edge turns each kind into its status."""
    with pytest.raises(kind):
        request.parse(body, POLICIES)


# Live runs


SIZES = st.tuples(st.integers(1, 1000), st.integers(1, 1000))


@given(st.sampled_from(sorted(POLICIES)), TEXT, TEXT, st.none() | SIZES)
def test_the_first_message_is_a_job_of_one_input(
    language: str, code: str, data: str, size: tuple[int, int] | None
) -> None:
    """As a request is, and on a terminal; what comes later follows its input."""
    message = {"language": language, "code": code, "input": data, **({"size": size} if size else {})}
    expected = Job(language, code.encode(), (data.encode(),), terminal=size or (80, 24))
    assert request.first(json.dumps(message).encode(), POLICIES) == expected


@given(TEXT, SIZES)
def test_a_later_message_brings_input_or_a_size_or_ends_it(data: str, size: tuple[int, int]) -> None:
    """Text, columns and rows, or None for the input's end."""
    assert request.more(json.dumps({"input": data}).encode()) == data.encode()
    assert request.more(json.dumps({"size": size}).encode()) == size
    assert request.more(b'{"end": true}') is None


@pytest.mark.parametrize(
    "message",
    [
        *(b"{}", b'{"end": false}', b'{"input": "", "end": true}', b'{"input": 1}', b"[", b'{"size": 80}'),
        *(b'{"size": [80]}', b'{"size": [80, 24, 1]}', b'{"size": [0, 24]}', b'{"size": [80, 1001]}'),
        *(b'{"size": [80, 24.5]}', b'{"size": [80, 24], "input": ""}', b'{"size": null}'),
    ],
)
def test_a_later_message_is_one_of_three(message: bytes) -> None:
    """Nothing between, and nothing of both."""
    with pytest.raises(BadRequest):
        request.more(message)


@given(st.binary(max_size=100) | st.text().map(lambda text: json.dumps(text).encode()))
def test_any_message_is_understood_or_refused(message: bytes) -> None:
    """Never another exception."""
    for read in (request.more, lambda data: request.first(data, POLICIES)):
        with pytest.raises(BadRequest):
            read(message)


@pytest.mark.parametrize(
    ("message", "key"),
    [
        (b'{"language": "python", "code": "", "key": "abc"}', "abc"),
        (b'{"key": "\\u00e9", "more": [1]}', "é"),
        (b'{"language": "python", "code": ""}', ""),
        (b'{"key": 1}', ""),
        (b"", ""),
        (b"\xff", ""),
        (b'{"key": "\\ud800"}', ""),
        (b"[" * 100_000, ""),
    ],
)
def test_a_key_is_taken_out_of_a_first_message(message: bytes, key: str) -> None:
    """Whatever else is wrong with it: that is said to whoever may ask."""
    assert request.sent_key(message) == key
