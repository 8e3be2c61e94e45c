"""Where in a file a problem is."""

from pathlib import Path

import pytest

from runner.errors import PolicyError
from runner.policy import policy, toml

PYTHON = Path("policies/python.toml").read_text()


def line(text: str) -> int:
    """The number of the one line of python.toml that has this text."""
    [number] = [number for number, each in enumerate(PYTHON.split("\n"), 1) if text in each]
    return number


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        ("title", "title = "),
        ("--memory=256m", '"--memory=256m"'),
        ("--memory-swap=256m", '"--memory-swap=256m"'),
        ("docker-run", "docker-run = ["),
        ("limits.wall-time", "wall-time    ="),
        ("limits.nothing", "[limits]"),
    ],
)
def test_a_subject_is_found_where_it_stands(subject: str, text: str) -> None:
    """A key, a string of a list, a key of a table; a key that is missing where its table begins."""
    assert toml.line_of(PYTHON, subject) == line(text)


@pytest.mark.parametrize("subject", ["nothing", "tables.key", "rm", "--rm=1", "nothing is left"])
def test_what_is_not_there_has_no_line(subject: str) -> None:
    """Neither has what stands in a comment."""
    assert toml.line_of(PYTHON, subject) is None


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("--memory-swap=256m", "--memory-swap=1g", "--memory-swap=1g: must equal --memory (256m), or the rest is swap"),
        ("--network=none", "--network=host", "--network=host: must be none"),
        ("--pids-limit=64", "--pids-limit=-1", "--pids-limit=-1: must be a number from 1 to 4096"),
        ("--cpus=1", "--cpus=0", "--cpus=0: must be a number from 0.01 to 64"),
        ("--user={uid}:{uid}", "--user=0", "--user=0: must be {uid}:{uid}"),
        ("noexec,nosuid,nodev", "noexec,nodev", None),
        ("--security-opt=no-new-privileges", "--security-opt=seccomp=unconfined", None),
        ("--rm", "--no-healthcheck", "--no-healthcheck stands 2 times: docker would keep the last; keep one"),
        ("wall-time    = 2.0", "wall-time    = 0", "limits: wall-time must be from 0.1 to 3600"),
        ("warm     = 2", "wram     = 2", "'wram' is unknown: did you mean warm?"),
    ],
)
def test_a_problem_has_the_line_that_it_is_about(old: str, new: str, said: str | None) -> None:
    """An editor can jump there."""
    text = PYTHON.replace(old, new)
    with pytest.raises(PolicyError) as caught:
        policy.parse("python", text)
    wanted = {number for number, each in enumerate(text.split("\n"), 1) if new.split("=", maxsplit=1)[0] in each}
    found = [problem for problem in caught.value.problems if said is None or problem.text == said]
    assert [problem.line in wanted for problem in found[:1]] == [True]


def test_a_missing_flag_is_missed_where_the_flags_begin() -> None:
    """There is no better place."""
    with pytest.raises(PolicyError) as caught:
        policy.parse("python", PYTHON.replace('  "--rm", ', "  "))
    assert [problem.line for problem in caught.value.problems] == [line("docker-run = [")]


def test_what_is_not_toml_has_the_line_of_the_parser() -> None:
    """And its words."""
    with pytest.raises(PolicyError) as caught:
        toml.read("x.toml", "a = 1\nb = = 2\n")
    assert [(problem.line, str(problem)[:9]) for problem in caught.value.problems] == [(2, "x.toml:2:")]
    with pytest.raises(PolicyError) as caught:
        toml.read("x.toml", "a = " + "[" * 100_000)
    assert [problem.line for problem in caught.value.problems] == [None]
