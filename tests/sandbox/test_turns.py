"""The line is fair by client: one with a hundred requests does not stand before another's first."""

from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st

from runner.sandbox.turns import Turns
from tests.strategies import unhurried

CLIENTS = "abc"


class Line:
    """Those who wait, as the pool has them."""

    def __init__(self) -> None:
        self.turns = Turns()
        self.waiting: list[tuple[int, int, str]] = []
        self.count = 0

    def join(self, client: str) -> None:
        """One more."""
        self.count += 1
        self.waiting.append((self.turns.join(client), self.count, client))

    def serve(self) -> str:
        """Whose turn it is."""
        turn, number, client = min(self.waiting)
        self.waiting.remove((turn, number, client))
        self.turns.serve(client, turn)
        return client


def test_whoever_comes_late_is_not_last() -> None:
    """The second client's first request is behind one of the other's, not behind a hundred."""
    line = Line()
    for _ in range(100):
        line.join("a")
    assert [line.serve() for _ in range(10)] == ["a"] * 10
    for _ in range(3):
        line.join("b")
    assert [line.serve() for _ in range(8)] == ["b", "a", "b", "a", "b", "a", "a", "a"]


@unhurried
@given(st.lists(st.sampled_from([*CLIENTS, *CLIENTS, None]), max_size=60))
def test_nobody_is_served_twice_more_than_another_who_waits(steps: list[str | None]) -> None:
    """From the moment a client waits, until it is served; and each keeps its own order."""
    line = Line()
    since: defaultdict[str, defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))
    for step in steps:
        if step is not None:
            if not any(client == step for _, _, client in line.waiting):
                since[step].clear()
            line.join(step)
        elif line.waiting:
            served = line.serve()
            since[served].clear()
            for other in CLIENTS:
                since[other][served] += other != served
        for _, _, waiting in line.waiting:
            assert max(since[waiting].values(), default=0) <= 2


@unhurried
@given(st.lists(st.sampled_from(CLIENTS), max_size=20))
def test_nothing_is_kept_of_who_has_left(clients: list[str]) -> None:
    """However they leave."""
    line = Line()
    for client in clients:
        line.join(client)
    for number, (turn, _, client) in enumerate(sorted(line.waiting)):
        if number % 2:
            line.turns.serve(client, turn)
        else:
            line.turns.leave(client)
    assert (dict(line.turns._last), dict(line.turns._waiting)) == ({}, {})
