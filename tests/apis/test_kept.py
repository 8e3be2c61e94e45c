"""What is kept is bounded, and the oldest goes first."""

from hypothesis import given
from hypothesis import strategies as st

from runner.apis.kept import Kept

puts = st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 12), st.integers(0, 4)), max_size=40)


@given(puts)
def test_it_keeps_the_newest_that_fit(given: list[tuple[str, int, int]]) -> None:
    """In number, bytes and time; what is put again is as new as can be."""
    kept: Kept[str, int] = Kept(3, 20, 5.0)
    now, history = 0.0, dict[str, tuple[int, float]]()
    for key, size, passed in given:
        now += passed
        kept.put(key, size, size, now)
        history.pop(key, None)
        history[key] = (size, now)
        expected, total = dict[str, int](), 0
        for name, (length, since) in reversed(history.items()):
            total += length
            if len(expected) == 3 or total > 20 or now - since > 5:
                break
            expected[name] = length
        assert {name: found for name in "abcdef" if (found := kept.get(name, now)) is not None} == expected
        history = {name: each for name, each in history.items() if name in expected}


def test_what_never_fits_is_not_kept() -> None:
    """And takes what was there along: it was older."""
    kept: Kept[str, str] = Kept(3, 20, 5.0)
    kept.put("a", "small", 1, 0.0)
    kept.put("b", "large", 21, 0.0)
    assert (kept.get("a", 0.0), kept.get("b", 0.0)) == (None, None)


def test_time_passes_without_a_put() -> None:
    """Whoever asks too late gets nothing."""
    kept: Kept[str, str] = Kept(3, 20, 5.0)
    kept.put("a", "x", 1, 0.0)
    assert (kept.get("a", 5.0), kept.get("a", 5.1), kept.get("a", 0.0)) == ("x", None, None)
