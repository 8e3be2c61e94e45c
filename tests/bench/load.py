"""How load is put on: rounds, bursts, windows, counts. Everything is bounded in time and number."""

import itertools
import math
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

from tests.bench import machine
from tests.bench.cases import Case
from tests.bench.columns import Column
from tests.bench.figures import Answer

LEAD = 2.0
"""Seconds of load before a window opens: what was warm is used up, so both columns are in their steady state."""
AFTER_REFUSAL = 0.1
"""Seconds that a refused client waits."""

Rounds = dict[str, list[Answer]]
"""Column -> its answer of each round."""


@dataclass(frozen=True, slots=True)
class Window:
    """What was answered from one clock time to another under steady load."""

    column: str
    clients: int
    seconds: float
    inside: tuple[Answer, ...]
    """Answers that came while the window was open."""
    runs: int
    """Right answers from the first to the last, before and after the window too: the CPU time is theirs."""
    cpu_ms: float
    """Of the whole machine, from quiet to quiet."""
    quiet: bool


def orders(columns: Sequence[Column]) -> Iterator[tuple[Column, ...]]:
    """Every order in turn: a rotation would always have the same column behind a given one."""
    return itertools.cycle(itertools.permutations(columns))


def sequential(plan: Mapping[Case, Sequence[Column]], rounds: int, pause: float) -> Iterator[dict[str, Rounds]]:
    """One client with pauses; every case and column in every round. Yields all answers so far after each."""
    answers: dict[str, Rounds] = {case.name: {column.name: [] for column in plan[case]} for case in plan}
    turns = {case.name: orders(plan[case]) for case in plan}
    for number in range(rounds + 1):  # the first warms all caches and does not count
        for case in plan:
            for column in next(turns[case.name]):
                answer = column(case)
                if number:
                    answers[case.name][column.name].append(answer)
                time.sleep(pause)
        yield answers


def burst(column: Column, case: Case, size: int) -> tuple[Answer, ...]:
    """So many requests at once."""
    start = threading.Barrier(size)

    def client() -> Answer:
        start.wait()
        return column(case)

    with ThreadPoolExecutor(size) as threads:
        return tuple(f.result() for f in [threads.submit(client) for _ in range(size)])


def window(column: Column, case: Case, clients: int, seconds: float) -> Window:
    """A closed loop: each client asks again as soon as it is answered."""
    before = machine.busy_ms()
    opens = time.perf_counter() + LEAD
    closes = opens + seconds
    with _looping(column, case, clients, closes) as loops:
        answers = [answer for loop in loops for answer in loop.result()]
    quiet = machine.settle()
    cpu_ms = machine.busy_ms() - before
    inside = tuple(answer for answer in answers if opens <= answer.ended < closes)
    return Window(column.name, clients, seconds, inside, sum(not a.problem for a in answers), cpu_ms, quiet)


@contextmanager
def _looping(
    column: Column, case: Case, clients: int, until: float, number: int | None = None
) -> Iterator[list[Future[list[Answer]]]]:
    abandoned = threading.Event()

    def client() -> list[Answer]:
        answers: list[Answer] = []
        while not abandoned.is_set() and time.perf_counter() < until and len(answers) != number:
            answers.append(column(case))
            if answers[-1].problem:
                time.sleep(AFTER_REFUSAL)
        return answers

    with ThreadPoolExecutor(clients) as threads:
        try:
            yield [threads.submit(client) for _ in range(clients)]
        finally:
            abandoned.set()


def count(column: Column, case: Case, clients: int, number: int, seconds: float) -> list[Answer]:
    """About so many requests, within so many seconds."""
    each = math.ceil(number / clients)
    with _looping(column, case, clients, time.perf_counter() + seconds, each) as loops:
        return [answer for loop in loops for answer in loop.result()]


def alternating(*schedules: Iterable[Callable[[], Window]]) -> Iterator[Window]:
    """One of each schedule in turn, so that the machine's noise meets all alike."""
    for step in itertools.zip_longest(*schedules):
        yield from (take() for take in step if take is not None)
