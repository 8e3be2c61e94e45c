"""What a hostile program costs who runs beside it: the same program with and without one, interleaved."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from tests.bench import figures, machine
from tests.bench.bare import PROJECT
from tests.bench.cases import Case
from tests.bench.figures import Answer
from tests.bench.report import Goal, Table
from tests.bench.sections import Bench, Section

ATTACKS: Final = PROJECT / "tests" / "runs" / "attacks"
LOUD: Final = (
    "fork_bomb.py",
    "fork_exec_bomb.py",
    "spin.py",
    "memory_bomb.py",
    "tmpfs_bytes.py",
    "output_of_children.py",
    "timers.cpp",
    "compile_templates.cpp",
)
"""Those of the corpus that are after what all share."""
SUFFIXES: Final = {".py": "python", ".cpp": "cpp"}
QUIET: Final = Case(
    "a sum", "python", b"print(sum(n * n for n in range(4_000_000)))", (b"",), (b"21333325333334000000\n",)
)
"""Long enough that the start of the container after it is not what is measured."""
HEAD_START = 0.2
"""Seconds that an attack has to become loud."""
LIMIT = 2.0


def neighbours(bench: Bench, rounds: int) -> Section:
    """Per attack, each round: the neighbour alone, then beside it; without its time in the line."""
    alone: dict[str, list[Answer]] = {name: [] for name in LOUD}
    beside: dict[str, list[Answer]] = {name: [] for name in LOUD}
    for number in range(rounds):
        bench.note(f"neighbours: round {number + 1} of {rounds}")
        for name in LOUD:
            machine.settle()
            alone[name].append(_run(bench))
            beside[name].append(_beside(bench, name))
    ratios = {name: figures.median(figures.paired(beside[name], alone[name])) for name in LOUD}
    rows = tuple(
        (name, *(figures.median(figures.right(found[name])) for found in (alone, beside)), ratios[name])
        for name in LOUD
    )
    wrong = sum(bool(answer.problem) for found in (*alone.values(), *beside.values()) for answer in found)
    notes = (f"medians of {rounds} rounds; {wrong} wrong answers",)
    goals = [Goal(f"a neighbour of {name}: with / without", LIMIT, ratios[name]) for name in LOUD]
    return Section(
        [Table("Neighbours of an attack, ms", ("", "alone", "beside it", "beside / alone"), rows, notes)],
        [*goals, Goal("a neighbour's wrong answers", 0, wrong, unit="")],
        {
            "alone": {name: figures.right(alone[name]) for name in LOUD},
            "beside": {name: figures.right(beside[name]) for name in LOUD},
            "ratios": ratios,
        },
    )


def _median(answers: list[Answer]) -> float | None:
    return figures.median(figures.right(answers))


def _run(bench: Bench) -> Answer:
    answer = bench.ours(QUIET)
    return Answer(answer.ended, answer.ms - (answer.queued or 0.0), answer.problem)


def _beside(bench: Bench, name: str) -> Answer:
    path = ATTACKS / name
    attack = Case(name, SUFFIXES[path.suffix], path.read_bytes(), (b"",), (b"",))
    with ThreadPoolExecutor(1) as pool:
        loud = pool.submit(bench.ours, attack)
        time.sleep(HEAD_START)
        answer = _run(bench)
        loud.result()
    return answer
