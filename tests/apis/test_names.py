"""What others call a language, and which version of it they get."""

from dataclasses import replace
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.apis import names
from runner.apis.names import called, latest, version
from runner.apis.versions import LONGEST, satisfies
from tests.runs.test_result import CPP, PYTHON

POLICIES: Final = {"cpp": CPP, "python": PYTHON}


def test_no_name_stands_for_two_languages() -> None:
    """A second row would silently win."""
    assert sum(map(len, names._ROWS)) == len(names._KNOWN)


@pytest.mark.parametrize("name", ["python", "py", "python3", "py3"])
def test_a_language_has_its_aliases(name: str) -> None:
    """And that of its policy."""
    assert called(name, POLICIES) == [PYTHON]


def test_a_language_that_nobody_knows_has_one_name() -> None:
    """That of its policy."""
    assert names.names(replace(PYTHON, name="brainf")) == ("brainf",)
    assert called("brainf", POLICIES) == []


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        *(("Python 3.13", "3.13.0"), ("C++23 (GCC 14)", "14.0.0"), ("Lua 5.4.6", "5.4.6"), ("Bash", "0.0.0")),
        *(("Java 21.0.2.1", "21.0.2"), ("Odd 007", "7.0.0"), ("TypeScript (5.0)", "5.0.0")),
    ],
)
def test_a_version_is_that_of_the_title(title: str, expected: str) -> None:
    """Its last number, made whole."""
    assert version(replace(PYTHON, title=title)) == expected


def test_the_highest_version_that_fits_is_taken() -> None:
    """By its numbers, not by their letters."""
    old, new = (replace(PYTHON, title=f"Python {number}") for number in ("3.9", "3.13"))
    both = {"python": new, "py3": replace(old, name="py3")}
    assert latest("python3", "3.x", both) == new
    assert latest("python", "<3.10", both) == both["py3"]
    assert latest("python", "2", both) is None


@pytest.mark.parametrize(
    "wanted",
    [
        *("*", "", "x", "3", "3.x", "3.X.*", "3.13", "3.13.0", "v3.13", "=3.13.0", "= 3.13", "^3.10.0", "~3.13.0"),
        *(">=3.10 <4", "> 3.12", "<=3.13", "1 - 3", "3.13 - 3.14", "2 || 3", "2||3", "||", " 3.13 ", ">=3.13.0", "~>3"),
    ],
)
def test_what_a_version_is_in(wanted: str) -> None:
    """As npm has it: these were compared with its semver."""
    assert satisfies("3.13.0", wanted)


@pytest.mark.parametrize(
    "wanted",
    [
        *("2", "3.1", "3.10.0", "3.13.1", "^2", "^4", "~3.12", ">=3.10 <3.13", "<3", ">3", ">3.13", "1 - 2", "2 || 4"),
        *(">*", "<*", "latest", "3.13.0-beta", "3.13.0.0", "1 - 2 - 3", "-", "three", "\u0663", "3" * (LONGEST + 1)),
    ],
)
def test_what_a_version_is_not_in(wanted: str) -> None:
    """Nothing is in what is no range."""
    assert not satisfies("3.13.0", wanted)


@pytest.mark.parametrize(
    ("wanted", "first", "after"),
    [
        *(("^0.1.2", "0.1.2", "0.2.0"), ("^0.0.2", "0.0.2", "0.0.3"), ("^0", "0.0.0", "1.0.0")),
        *(("^0.0", "0.0.0", "0.1.0"), ("~1.2", "1.2.0", "1.3.0")),
        *(("^1.2", "1.2.0", "2.0.0"), ("~1", "1.0.0", "2.0.0"), ("1.2", "1.2.0", "1.3.0")),
    ],
)
def test_where_a_range_begins_and_ends(wanted: str, first: str, after: str) -> None:
    """The last version is the one before."""
    assert satisfies(first, wanted)
    assert not satisfies(after, wanted)


@given(st.text("0123456789.xX*^~<>=| -v", max_size=30), st.tuples(*[st.integers(0, 99)] * 3))
def test_every_range_is_read(wanted: str, numbers: tuple[int, int, int]) -> None:
    """Whatever it is, a version is in it or not."""
    assert satisfies(".".join(map(str, numbers)), wanted) in (True, False)
