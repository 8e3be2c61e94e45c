"""The line has room for what its memory holds, and nobody stands in it in vain."""

from hypothesis import given
from hypothesis import strategies as st

from runner.sandbox.job import File, Job
from runner.sandbox.line import LONGEST_PAUSE, SHORTEST_PAUSE, dismissed, in_time, pause
from tests.strategies import unhurried

SECONDS = st.floats(0, 1000)
WEIGHTS = st.lists(st.integers(1, 100))


@unhurried
@given(WEIGHTS, st.integers(1, 1000))
def test_the_last_leave_and_no_more_of_them_than_must(weights: list[int], most: int) -> None:
    """What is left is within the bound, or one alone; one more would not be."""
    kept = len(weights) - dismissed(weights, most)
    assert sum(weights[:kept]) <= most or kept == 1
    assert kept == len(weights) or sum(weights[: kept + 1]) > most
    assert bool(kept) == bool(weights)


@given(st.integers(1, 1000), SECONDS, SECONDS)
def test_a_place_is_in_time_if_those_before_it_are_served_by_then(place: int, pace: float, patience: float) -> None:
    """The first always is, whatever the pace was; and nobody is refused of whom nothing is known."""
    assert in_time(1, pace, patience)
    assert in_time(place, None, patience)
    assert in_time(place, pace, place * pace)
    assert in_time(place, pace, patience) >= in_time(place + 1, pace, patience)
    assert not in_time(place + 2, pace + 1, place)


@given(st.integers(1, 1000), SECONDS, SECONDS)
def test_who_is_refused_may_come_when_the_line_is_shorter(place: int, pace: float, patience: float) -> None:
    """Within bounds; where nothing is known, soon."""
    assert SHORTEST_PAUSE <= pause(place, pace, patience) <= LONGEST_PAUSE
    assert pause(place, pace, patience) <= pause(place + 1, pace, patience)
    assert pause(place, None) == SHORTEST_PAUSE
    assert (pause(10, 1.0), pause(10, 1.0, 5.0)) == (10.0, 5.0)


def test_all_that_was_sent_counts() -> None:
    """Each part of a job stands in the memory until it is handed over."""
    sent = Job(
        "python",
        b"12",
        (b"345", b"6"),
        files=(File("78", b"9"),),
        args=(b"ab",),
        compile_args=(b"c",),
        env=(("d", b"ef"),),
    )
    assert sent.size == len("123456789abcdef")
