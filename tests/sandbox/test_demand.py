"""How often a language is asked for, and how long a failing start waits."""

from typing import Final

from hypothesis import given
from hypothesis import strategies as st

from runner.sandbox.demand import LONGEST_BACK_OFF, RATE_TIME, Demand, Pace
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
    assert pace.forecast(1) == 2.0 + (10.0 - 2.0) * 0.2
