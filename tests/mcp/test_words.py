"""A model and a person hear the same of an ending."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from runner.mcp import words
from runner.runs.result import Reason
from tests.runs.test_result import CPP, PYTHON

PAGE: Final = Path("runner/web/page/words.js").read_text(encoding="utf-8")
REPORT: Final = {"reason": "completed", "exit_code": 0, "signal": None, "reached": []}


def entries(table: str) -> dict[str, str]:
    """A table of the page's, its templates as ours are written."""
    block = PAGE.partition(f"{table} = {{")[2].partition("\n};")[0]
    found = re.findall(r"(?m)^  (\w+): (?:\(.*?\) => )?(?:\"(.*)\"|`(.*)`),$", block)
    assert len(found) > 4
    return {name: re.sub(r"\$\{(.*?\}?)\}", _field, text or template) for name, text, template in found}


def _field(found: re.Match[str]) -> str:
    name = re.sub(r"(seconds|bytes)\((.*)\)", r"\2", found[1]).removeprefix("limits.").removeprefix("result.")
    return "{meaning}" if name.startswith("SIGNALS") else f"{{{name}}}"


def test_the_words_are_the_pages() -> None:
    """Of every reason, every limit and every signal."""
    reasons = {reason.value: said for reason, said in words.REASONS.items()}
    assert reasons == entries("REASONS")
    assert dict(words.REACHED) == entries("REACHED")
    assert dict(words.SIGNALS) == entries("SIGNALS")
    assert words.REASONS.keys() == set(Reason)
    assert f'"{words.UNKNOWN}"' in PAGE


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, "Finished"),
        ({"reason": "exit_code", "exit_code": 3}, "Ended with exit code 3"),
        ({"reason": "signal", "signal": "SIGSEGV"}, "Killed by SIGSEGV: it touched memory that is not its own"),
        ({"reason": "signal", "signal": "SIG40"}, "Killed by SIG40: a signal that ends a program"),
        ({"reason": "wall_time"}, "Stopped after 2 s, the time limit"),
        ({"reason": "compile_timeout"}, "Compiling took longer than 10 s and was stopped"),
        ({"reason": "out_of_memory"}, "Used more than 256 MB of memory"),
        ({"reason": "output_limit"}, "Wrote more than 64 KB and was stopped"),
    ],
)
def test_an_ending_is_said_with_the_policys_limits(changed: dict[str, object], said: str) -> None:
    """As they are for this language."""
    assert words.ending({**REPORT, **changed}, CPP) == said


def test_limits_on_the_way() -> None:
    """Each but the one that has ended it."""
    every = {**REPORT, "reached": ["pids", "memory", "tmpfs", "shm", "results"]}
    assert list(words.reached(every, PYTHON)) == [
        "It could not start more processes or threads: 64 is the limit.",
        "It could not get more memory: 256 MB is the limit.",
        "It could not write more into /tmp: 64 MB in 2048 files is the limit.",
        "It could not write more into /dev/shm: 16 MB in 64 files is the limit.",
        "It left more results than are sent back: 16 files of 1 MB together is the limit.",
    ]
    assert list(words.reached({**every, "reason": "out_of_memory", "reached": ["memory"]}, PYTHON)) == []


def test_a_policy_without_these_flags() -> None:
    """Is spoken of without numbers."""
    bare = words.limits(replace(PYTHON, docker_run=()))
    assert [bare[name] for name in ("memory", "pids", "tmp", "shm")] == [
        *("its share", "their number", "its size", "its size"),
    ]


@pytest.mark.parametrize(
    ("value", "said"), [(0.0000123, "12.3 µs"), (0.0479, "47.9 ms"), (2.0, "2 s"), (99.96, "100 s"), (1234.5, "1234 s")]
)
def test_seconds(value: float, said: str) -> None:
    """Three digits."""
    assert words.seconds(value) == said


@pytest.mark.parametrize(
    ("value", "said"), [(0, "0 bytes"), (1, "1 byte"), (1500, "1.46 KB"), (2**20, "1 MB"), (2**31, "2048 MB")]
)
def test_sizes(value: int, said: str) -> None:
    """The same."""
    assert words.size(value) == said
