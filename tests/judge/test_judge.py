"""Comparisons, verdicts, batches: what decides whether a student is right."""

import math
from base64 import b64encode
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.errors import BadRequest
from runner.judge import compare, verdicts
from runner.judge.languages import SUFFIXES
from runner.policy import policy
from runner.runs.result import Reason

EXACT: Final = compare.parse("exact")
TOKENS: Final = compare.parse("tokens")
FLOAT: Final = compare.parse("float=1e-6")
words = st.lists(
    st.binary(min_size=1, max_size=4).filter(lambda word: len(word.split()) == 1 and word.split()[0] == word)
)
spaces = st.sampled_from([b" ", b"\n", b"\r\n", b"\t  "])


# Comparisons


@given(st.binary(max_size=30), st.binary(max_size=30))
def test_exact_is_byte_for_byte(expected: bytes, got: bytes) -> None:
    """And nothing else."""
    assert (compare.difference(EXACT, expected, got) is None) is (expected == got)
    assert compare.difference(EXACT, got, got) is None


@given(words, st.data())
def test_tokens_do_not_see_white_space(tokens: list[bytes], data: st.DataObject) -> None:
    """However much there is, and of whatever kind."""
    expected, got = (b"".join(token + data.draw(spaces) for token in tokens) for _ in range(2))
    assert compare.difference(TOKENS, expected, got) is None
    assert compare.difference(FLOAT, expected, got) is None


@given(words, words)
def test_tokens_see_all_else(expected: list[bytes], got: list[bytes]) -> None:
    """A word more, one less, another."""
    found = compare.difference(TOKENS, b" ".join(expected), b"\n".join(got))
    assert (found is None) is (expected == got)


@given(st.floats(-1e9, 1e9), st.floats(-1, 1))
def test_numbers_may_be_a_little_off(value: float, off: float) -> None:
    """By the tolerance, of what is expected where that is more than 1."""
    within, beyond = (value + math.copysign(f * 1e-6 * max(1, abs(value)), off) for f in (0.9, 1.2))
    assert compare.difference(FLOAT, f"{value!r}".encode(), f"{within!r}".encode()) is None
    assert compare.difference(FLOAT, f"{value!r}".encode(), f"{beyond!r}".encode()) is not None


@pytest.mark.parametrize(
    ("expected", "got", "same"),
    [
        (b"1", b"1.0000001", True),
        (b"1e3", b"+1000.", True),
        (b".5", b"0.5", True),
        (b"nan", b"nan", True),
        (b"nan", b"NaN", False),
        (b"inf", b"1e999", False),
        (b"1e999", b"2e999", False),
        (b"yes 1", b"yes 1.0", True),
        (b"yes", b"no", False),
        (b"1_0", b"10", False),
    ],
)
def test_what_is_a_number(expected: bytes, got: bytes, same: bool) -> None:
    """Finite decimals; all else is compared as text."""
    assert (compare.difference(FLOAT, expected, got) is None) is same


@pytest.mark.parametrize(
    ("how", "expected", "got", "said"),
    [
        (EXACT, b"1\n2\n", b"1\n3\n", r"line 2: expected '2\n', got '3\n'"),
        (EXACT, b"1\n", b"1", r"line 1: expected '1\n', got '1'"),
        (EXACT, b"1\n", b"1\n\x1b[2J", r"line 2: expected the end, got '\x1b[2J'"),
        (TOKENS, b"1 2", b"1", "word 2: expected '2', got the end"),
        (TOKENS, b"\xff", b"x" * 99, f"word 1: expected '\\ufffd', got '{'x' * 39}..."),
    ],
)
def test_the_first_difference_is_said(how: compare.Compare, expected: bytes, got: bytes, said: str) -> None:
    """In what a terminal shows and does not obey."""
    assert compare.difference(how, expected, got) == said


@pytest.mark.parametrize("text", ["", "fuzzy", "float", "float=", "float=x", "float=-1e", "float=nan", "exact=1"])
def test_no_other_comparison(text: str) -> None:
    """Is refused with those that there are."""
    with pytest.raises(BadRequest, match="exact, tokens, or float=1e-6"):
        compare.parse(text)


# Verdicts


def ran(reason: str, stdout: bytes = b"", stderr: bytes = b"", **more: Any) -> dict[str, Any]:
    """A run as a report has it, output in base64."""
    return {
        "reason": reason,
        "stdout": b64encode(stdout).decode(),
        "stderr": b64encode(stderr).decode(),
        "exit_code": None,
        "signal": None,
        "times": {"wall": 0.5},
        "peak_memory": 2**20,
        **more,
    }


def test_every_reason_has_a_verdict() -> None:
    """And no other."""
    assert verdicts.VERDICTS.keys() == {reason.value for reason in Reason}


@pytest.mark.parametrize(
    ("run", "verdict", "detail"),
    [
        (ran("completed", b"6\n"), "ok", ""),
        (ran("completed", b"7\n"), "wrong answer", "word 1: expected '6', got '7'"),
        (ran("exit_code", exit_code=1, stderr=b"Trace\nE: no\x1b\n\n"), "runtime error", r"exit code 1: E: no\x1b"),
        (ran("exit_code", exit_code=3), "runtime error", "exit code 3"),
        (ran("signal", signal="SIGSEGV"), "runtime error", "SIGSEGV"),
        (ran("wall_time", b"6"), "time limit", ""),
        (ran("out_of_memory"), "memory limit", ""),
        (ran("output_limit", b"6"), "output limit", ""),
    ],
)
def test_a_verdict(run: dict[str, Any], verdict: str, detail: str) -> None:
    """By how it ended; what it printed counts only where it has completed."""
    assert verdicts.judge("1", run, b"6", TOKENS) == verdicts.Verdict("1", verdict, detail, 0.5, 2**20)


def test_what_was_not_built() -> None:
    """Has neither time nor memory."""
    assert verdicts.unbuilt("1", "compile_timeout") == verdicts.Verdict("1", "compile error", "", None, None)


def test_a_compilers_words_cannot_move_a_cursor() -> None:
    """Lines and tabs are as they were."""
    assert verdicts.shown("é\ta\n\x1b[2J\x9b\r\x00".encode() + b"\xff") == "é\ta\n\ufffd[2J\ufffd\ufffd\ufffd\ufffd"


def test_the_table() -> None:
    """A line a test, as wide as the longest name."""
    some = [verdicts.judge("a", ran("completed", b"7"), b"6", TOKENS), verdicts.unbuilt("long", "compile_error")]
    assert list(verdicts.rows(some, 4)) == [
        "a     wrong answer    0.500 s    1.0 MiB  word 1: expected '6', got '7'",
        "long  compile error",
    ]


# Batches


@given(st.lists(st.integers(0, 20), min_size=1), st.integers(1, 10), st.integers(0, 50))
def test_batches_are_within_the_limits_and_go_on(sizes: list[int], inputs: int, data: int) -> None:
    """Each has at least one test, and as many as fit."""
    done = 0
    while done < len(sizes):
        count = verdicts.batch(sizes[done:], inputs, data)
        some = sizes[done : done + count]
        assert 1 <= count <= inputs
        assert len(some) == 1 or sum(some) <= data
        more = sizes[done : done + count + 1]
        assert len(more) == count or count == inputs or sum(more) > data
        done += count


def test_what_had_no_time_of_its_own_is_run_again() -> None:
    """All from there on; but the first is judged whatever it had."""
    cut, own = {"reason": "total_time"}, {"reason": "completed"}
    assert verdicts.judged([own, own, cut, cut]) == 2
    assert verdicts.judged([cut, own, cut]) == 2
    assert verdicts.judged([cut]) == verdicts.judged([own]) == 1


# Languages


def test_every_policy_is_known_by_its_suffix() -> None:
    """Or another that has the same, for the same language."""
    paths = {path.stem: path for path in Path("policies").glob("*.toml") if "docker-run" in path.read_text()}
    assert set(SUFFIXES.values()) <= paths.keys()
    for name, path in paths.items():
        source = policy.parse(name, path.read_text()).source
        assert name.startswith(SUFFIXES[Path(source).suffix.lower()])
