"""How many containers stand ready: what the hour has asked for, within the bounds."""

from hypothesis import given
from hypothesis import strategies as st

from runner.sandbox.warmth import Crowds, Wish, is_scarce, ready
from tests.strategies import unhurried

crowds = st.lists(st.tuples(st.floats(0, 20_000), st.integers(1, 300)), min_size=1, max_size=30).map(sorted)
wishes = st.dictionaries(
    st.sampled_from("abcd"), st.builds(Wish, st.integers(0, 4), st.integers(0, 200), st.integers(1, 5)), min_size=1
)


@unhurried
@given(crowds, st.floats(0, 8000))
def test_the_largest_crowd_is_remembered_for_an_hour(seen: list[tuple[float, int]], later: float) -> None:
    """To the minute."""
    found = Crowds()
    for now, at_once in seen:
        found.count(now, at_once)
    now = seen[-1][0] + later
    assert found.largest(now) >= max((n for at, n in seen if at > now - 59 * 60), default=0)
    assert found.largest(now) <= max((n for at, n in seen if at >= now - 60 * 60), default=0)


@unhurried
@given(wishes, st.integers(0, 30), st.integers(0, 60))
def test_what_is_wished_is_given_as_far_as_there_is_room(asked: dict[str, Wish], containers: int, memory: int) -> None:
    """The policies' own numbers in any case; no more than was wanted; nothing is left that would fit."""
    given_ = ready(asked, containers, memory)
    own = {name: wish.own for name, wish in asked.items()}
    assert all(own[name] <= given_[name] <= max(own[name], asked[name].most) for name in asked)
    used = sum(given_[name] * asked[name].memory for name in asked)
    if given_ != own:
        assert sum(given_.values()) <= containers
        assert used <= memory
    fits = sum(given_.values()) < containers
    assert not any(fits and used + w.memory <= memory and given_[n] < w.most for n, w in asked.items())


def test_room_goes_to_whoever_has_the_smallest_part() -> None:
    """One after the other."""
    assert ready({"a": Wish(2, 8, 1), "b": Wish(1, 4, 1)}, 9, 99) == {"a": 6, "b": 3}


def test_memory_is_scarce_below_a_tenth() -> None:
    """Where the host does not say, it is not."""
    text = "MemTotal:       1000 kB\nMemFree:          10 kB\nMemAvailable:    {} kB\n"
    assert is_scarce(text.format(99))
    assert not is_scarce(text.format(100))
    assert not is_scarce("")
