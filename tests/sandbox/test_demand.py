"""How often a language is asked for, and how long a failing start waits."""

from typing import Final

from hypothesis import given
from hypothesis import strategies as st

from runner.sandbox.demand import LONGEST_BACK_OFF, PACE_COUNT, RATE_TIME, Demand, Pace
from tests.strategies import unhurried

times: Final = st.lists(st.floats(0, 1000), min_size=1, max_size=50).map(sorted)


@unhurried
@given(times, st.floats(0, 100))
def test_the_rate_follows_the_arrivals_and_is_forgotten(arrivals: list[float], later: float) -> None:
    """It is never more than all of them at once would make, and falls when nobody comes."""
    demand = Demand()
    for now in arrivals:
        demand.count(now)
    assert 0 < demand.at(arrivals[-1]) <= len(arrivals) / RATE_TIME + 1e-9
    assert demand.at(arrivals[-1] + later) <= demand.at(arrivals[-1])
    assert demand.at(arrivals[-1] + 20 * RATE_TIME) < 1e-6


@unhurried
@given(times)
def test_each_failure_waits_longer_up_to_a_bound(failures: list[float]) -> None:
    """From a second to a few; one start that goes well ends it."""
    demand, waits = Demand(), list[float]()
    for now in failures:
        demand.fail(now)
        waits.append(round(demand.not_before - now, 6))
    assert waits == sorted(waits)
    assert waits[0] == 1.0
    assert waits[-1] <= LONGEST_BACK_OFF
    demand.in_a_row = 0
    demand.fail(0)
    assert demand.not_before == 1.0
    assert demand.failures == len(failures) + 1


@given(st.lists(st.booleans()))
def test_hits_and_misses_are_all_requests(served: list[bool]) -> None:
    """Each is one or the other."""
    demand = Demand()
    for at_once in served:
        demand.served(at_once=at_once)
    assert (demand.hits, demand.misses) == (sum(served), len(served) - sum(served))


def test_the_pace_is_that_of_a_line_that_moves() -> None:
    """Times in which nobody waited do not count; nothing is said before anything is known."""
    pace = Pace()
    assert pace.forecast(3) is None
    for now, line in ((0.0, False), (100.0, True), (102.0, True), (104.0, False), (900.0, True), (902.0, True)):
        pace.served(now, line=line)
    assert pace.forecast(3) == 6.0
    pace.served(912.0, line=False)
    assert pace.forecast(1) == 2.0 + (10.0 - 2.0) / 4


def test_whoever_leaves_last_ends_the_line() -> None:
    """What comes long after is no part of its pace."""
    pace = Pace()
    for now in (0.0, 1.0, 2.0):
        pace.served(now, line=True)
    pace.rest()
    pace.served(500.0, line=True)
    assert pace.forecast(60) == 60.0


@given(st.lists(st.floats(0.1, 0.2), min_size=PACE_COUNT, max_size=PACE_COUNT))
def test_one_slow_program_is_not_the_pace_of_the_line(took: list[float]) -> None:
    """But a line that has become slow is known for it soon."""
    pace, now = Pace(), 0.0
    for seconds in (0.0, *took, 2.0):
        now += seconds
        pace.served(now, line=True)
    assert 0.1 < (pace.seconds or 0.0) < 0.3
    for _ in range(2 * PACE_COUNT):
        now += 2.0
        pace.served(now, line=True)
    assert (pace.seconds or 0.0) > 1.5
