"""Each section of the report: what is measured, its table, and the goals it answers."""

import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from runner.policy import argv
from runner.policy.policy import Policy
from tests.bench import figures, load, machine
from tests.bench.cases import BITS, IOSTREAM, PYTHON, PYTHON_SEVERAL, SEQUENTIAL, TIMEOUT, Case
from tests.bench.columns import Cold, Column, Ours
from tests.bench.docker import call
from tests.bench.figures import Answer
from tests.bench.load import Rounds, Window
from tests.bench.report import FIVE, Goal, Table, five, said
from tests.bench.serving import Serving

OURS_CLIENTS: Final = (1, 2, 4, 8, 16)
COLD_CLIENTS: Final = (1, 2, 3, 4, 6, 8)
BURSTS: Final = (4, 8)
FLAT_CLIENTS = 4
FLAT_STEPS = 10
SETTLED_RUNS = 200
"""Runs after which the server's memory must not grow any more."""
FLAT_RUNS = 2000
NO_RUN_WITHOUT: Final = ("--rm", "--interactive")
"""Not dropped: without the first a container stays, without the second nothing can be handed over."""

Note = Callable[[str], None]


@dataclass(slots=True)
class Section:
    """What one section found."""

    tables: list[Table] = field(default_factory=list)
    goals: list[Goal] = field(default_factory=list)
    data: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Bench:
    """Everything that is measured, and how much of it."""

    ours: Ours
    cold: Cold
    bare: Column | None
    peer: Column | None
    server: Serving
    rounds: int
    pause: float
    seconds: float
    passes: int
    note: Note

    def columns(self, case: Case) -> list[Column]:
        """A peer has its own compilers and no several inputs, so it gets the python case only."""
        found: list[Column | None] = [self.ours, self.cold, self.bare, self.peer if case is PYTHON else None]
        return [column for column in found if column]


def sequential(bench: Bench) -> Section:
    """One client with pauses."""
    plan = {case: bench.columns(case) for case in SEQUENTIAL}
    answers: dict[str, Rounds] = {}
    for number, answers in enumerate(load.sequential(plan, bench.rounds, bench.pause)):  # noqa: B007
        bench.note(f"sequential: round {number} of {bench.rounds}")
    section = Section()
    for case in plan:
        _sequential_case(section, case, answers[case.name])
    return section


def _sequential_case(section: Section, case: Case, answers: Rounds) -> None:
    inputs = len(case.inputs)
    per_input = {name: [_scaled(a, inputs) for a in column] for name, column in answers.items()}
    five_of = {name: figures.summary(figures.right(column)) for name, column in per_input.items()}
    against = {name: figures.median(figures.paired(per_input["ours"], column)) for name, column in per_input.items()}
    rows = tuple(
        (name, *five(five_of[name]), against[name], said(figures.problems(column)))
        for name, column in per_input.items()
    )
    found, missed = figures.hits(answers["ours"])
    title = f"One client with pauses: {case.name}, ms" + (" per input" if case.several else "")
    notes = (
        "ours / it: the median of the ratios of each round",
        f"pool: {found} hits, {missed} misses (in line for less than {figures.HIT:g} ms is a hit)",
    )
    section.tables.append(Table(title, ("", *FIVE, "ours / it", "problems"), rows, notes))
    section.data[case.name] = {
        "summary": five_of,
        "ours_by": against,
        "hits": found,
        "misses": missed,
        "problems": {name: figures.problems(column) for name, column in answers.items()},
        "ms": {name: figures.right(column) for name, column in per_input.items()},
    }
    section.goals += _sequential_goals(case, against.get("bare"), five_of.get("ours"), five_of.get("bare"))


def _scaled(answer: Answer, inputs: int) -> Answer:
    return Answer(answer.ended, answer.ms / inputs, answer.problem, answer.queued, answer.id)


def _sequential_goals(
    case: Case, median: float | None, ours: figures.Summary | None, bare: figures.Summary | None
) -> Iterator[Goal]:
    limits = {PYTHON: 1.25, IOSTREAM: 1.15, BITS: 1.15, PYTHON_SEVERAL: 1.3}
    yield Goal(f"{case.name}: median of ours / bare", limits[case], median)
    if case is PYTHON:
        top = ours.p95 if ours else None
        yield Goal(f"{case.name}: p95 of ours / p95 of bare", 1.6, figures.ratio(top, bare.p95 if bare else None))
        yield Goal(f"{case.name}: p95 of ours / median of bare", 1.6, figures.ratio(top, bare.median if bare else None))


def bursts(bench: Bench, rounds: int) -> Section:
    """Several at once, after quiet."""
    columns: list[Column] = [bench.ours, bench.cold]
    answers: dict[tuple[int, str], list[tuple[Answer, ...]]] = {(k, c.name): [] for k in BURSTS for c in columns}
    turns = load.orders(columns)
    for number in range(rounds):
        bench.note(f"burst: round {number + 1} of {rounds}")
        for size in BURSTS:
            for column in next(turns):
                machine.settle()
                answers[size, column.name].append(load.burst(column, PYTHON, size))
    return _burst_section(answers)


def _burst_section(answers: dict[tuple[int, str], list[tuple[Answer, ...]]]) -> Section:
    section, rows = Section(), []
    for (size, name), found in answers.items():
        every = [answer for one in found for answer in one]
        last = figures.median([max(answer.ms for answer in one) for one in found])
        hit, missed = figures.hits(every)
        pool = f"{hit} / {missed}" if name == "ours" else "-"
        rows.append((f"{size} at once: {name}", *five(figures.summary(figures.right(every))), last, pool))
        section.data[f"{size} {name}"] = {
            "ms": [[answer.ms for answer in one] for one in found],
            "problems": figures.problems(every),
            "hits": hit,
            "misses": missed,
        }
    eight = [answer for one in answers[8, Ours.name] for answer in one]
    section.goals.append(Goal("burst of 8: median", 120, figures.median(figures.right(eight)), unit="ms"))
    head = ("", *FIVE, "last of a burst", "hits / misses")
    section.tables.append(Table("Bursts after quiet: python, ms", head, tuple(rows), ("last: the median",)))
    return section


def saturation(bench: Bench) -> tuple[Section, list[tuple[int, float]]]:
    """Closed loops of many clients; and the server's memory after each window of ours."""
    windows: list[Window] = []
    memory: list[tuple[int, float]] = []
    for number in range(bench.passes):
        for one in load.alternating(*_schedules(bench, backwards=number % 2 == 1)):
            windows.append(one)
            if one.column == Ours.name:
                memory.append((bench.ours.runs, machine.rss_mb(bench.server.pid)))
            bench.note(f"saturation: {one.column}, {one.clients} clients: {len(one.inside) / one.seconds:.1f} runs/s")
    return _saturation_section(windows), memory


def _schedules(bench: Bench, *, backwards: bool) -> Iterator[Iterable[Callable[[], Window]]]:
    plan: list[tuple[Column, tuple[int, ...]]] = [(bench.ours, OURS_CLIENTS), (bench.cold, COLD_CLIENTS)]
    if bench.peer:
        plan.append((bench.peer, OURS_CLIENTS))
    for column, clients in plan:
        order = clients[::-1] if backwards else clients
        yield [_window(column, number, bench.seconds) for number in order]


def _window(column: Column, clients: int, seconds: float) -> Callable[[], Window]:
    return lambda: load.window(column, PYTHON, clients, seconds)


@dataclass(frozen=True, slots=True)
class Level:
    """All windows of one column at one number of clients."""

    column: str
    clients: int
    rate: float
    rates: tuple[float, ...]
    latency: figures.Summary | None
    cpu_ms: float | None
    """Per run, of the whole machine."""
    problems: dict[str, int]
    hits: int
    misses: int
    quiet: bool


def _level(windows: Sequence[Window]) -> Level:
    every = [answer for one in windows for answer in one.inside]
    rates = tuple(len(figures.right(one.inside)) / one.seconds for one in windows)
    found, missed = figures.hits(every)
    return Level(
        windows[0].column,
        windows[0].clients,
        sum(rates) / len(rates),
        rates,
        figures.summary(figures.right(every)),
        figures.ratio(sum(one.cpu_ms for one in windows), sum(one.runs for one in windows)),
        figures.problems(every),
        found,
        missed,
        all(one.quiet for one in windows),
    )


def _saturation_section(windows: Sequence[Window]) -> Section:
    keys = dict.fromkeys(sorted((w.column, w.clients) for w in windows))
    levels = [_level([w for w in windows if (w.column, w.clients) == key]) for key in keys]
    cold = max((level.rate for level in levels if level.column == Cold.name), default=None)
    section = Section(data={"best_docker_run": cold, "levels": levels})
    rows = tuple(_saturation_row(level, cold) for level in levels)
    notes = (
        f"answers that came while a window was open, after {load.LEAD:g} s of the same load",
        "CPU-ms: busy time of the whole machine in /proc/stat, from quiet to quiet, by all runs; other load counts too",
        *([] if all(level.quiet for level in levels) else ["the machine was not quiet after some windows"]),
    )
    head = (
        "",
        "clients",
        "runs/s",
        "/ best docker run",
        "median ms",
        "p95 ms",
        "CPU-ms/run",
        "hits/misses",
        "problems",
    )
    section.tables.append(Table("Saturation: python", head, rows, notes))
    section.goals += _saturation_goals([level for level in levels if level.column == Ours.name], cold)
    return section


def _saturation_row(level: Level, cold: float | None) -> tuple[str | int | float | None, ...]:
    latency = level.latency
    return (
        level.column,
        level.clients,
        level.rate,
        figures.ratio(level.rate, cold),
        latency.median if latency else None,
        latency.p95 if latency else None,
        level.cpu_ms,
        f"{level.hits}/{level.misses}" if level.column == Ours.name else "-",
        said(level.problems),
    )


def _saturation_goals(ours: Sequence[Level], cold: float | None) -> Iterator[Goal]:
    best = max((level.rate for level in ours), default=None)
    yield Goal("saturation: ours at its best / docker run at its best", 0.97, figures.ratio(best, cold), at_least=True)
    for level in ours:
        text = f"saturation: ours with {level.clients} clients / docker run at its best"
        yield Goal(text, 0.97, figures.ratio(level.rate, cold), at_least=True)
    medians = {level.clients: level.latency.median for level in ours if level.latency}
    yield Goal("saturation: growth of latency / of clients (0.1 is noise)", 1.1, figures.steepest(medians))
    others = sum(n for level in ours for problem, n in level.problems.items() if problem not in {"503", "429"})
    yield Goal("saturation: errors but 503 and 429", 0, others, unit="")


def timeouts(bench: Bench, policy: Policy, rounds: int) -> Section:
    """How late the answer is, and how long the container is still there."""
    late, gone, misses, looks, problems = [], [], 0, [], []
    for number in range(rounds):
        bench.note(f"timeout: {number + 1} of {rounds}")
        machine.settle()
        answer = bench.ours(TIMEOUT)
        began = time.perf_counter()
        if answer.problem != "timeout, wall_time":
            problems.append(answer)
        elif answer.queued is not None and answer.queued >= figures.HIT:
            misses += 1
        else:
            late.append(answer.ms - policy.limits.wall_time * 1000)
            ms, look = _until_gone(answer.id, began)
            gone.append(ms)
            looks.append(look)
    return _timeout_section(late, gone, looks, misses, figures.problems(problems))


def _until_gone(name: str, began: float, seconds: float = 10.0) -> tuple[float, float]:
    """Milliseconds until docker has no such container, and what one look took."""
    while True:
        looked = time.perf_counter()
        found = call(argv.names_like(name)).strip()
        now = time.perf_counter()
        if not found or now - began > seconds:
            return (now - began) * 1000, (now - looked) * 1000


def _timeout_section(
    late: list[float], gone: list[float], looks: list[float], misses: int, problems: dict[str, int]
) -> Section:
    rows = (
        ("answer after the limit", *five(figures.summary(late))),
        ("then until the container is gone", *five(figures.summary(gone))),
    )
    look = figures.median(looks) or 0.0
    notes = (
        "from sending the request, with a warm container; the limit is subtracted",
        f"gone: until the end of the first `docker ps` without it; one such look, included, takes {look:.0f} ms",
        f"not counted: {misses} without a warm container; problems: {said(problems)}",
    )
    return Section(
        [Table("Timeout: `while True: pass`, ms", ("", *FIVE), rows, notes)],
        [
            Goal("timeout: answer after the limit, the latest", 60, max(late, default=None), unit="ms"),
            Goal("timeout: container gone after that, the latest", 300, max(gone, default=None), unit="ms"),
        ],
        {"late_ms": late, "gone_ms": gone, "look_ms": looks, "misses": misses, "problems": problems},
    )


def memory(bench: Bench, samples: list[tuple[int, float]], runs: int) -> Section:
    """Goes on until the server has had so many runs; its memory must not grow."""
    answers: list[Answer] = []
    step = max(1, (runs - bench.ours.runs) // FLAT_STEPS)
    for _ in range(FLAT_STEPS * 2):
        if bench.ours.runs >= runs:
            break
        answers += load.count(bench.ours, PYTHON, FLAT_CLIENTS, min(step, runs - bench.ours.runs), seconds=step)
        samples.append((bench.ours.runs, machine.rss_mb(bench.server.pid)))
        bench.note(f"memory: {samples[-1][0]} of {runs} runs, {samples[-1][1]:.1f} MB")
    settled = next((mb for done, mb in samples if done >= SETTLED_RUNS), None)
    last_runs, last = samples[-1]
    measured = figures.ratio(last, settled) if last_runs >= FLAT_RUNS else None
    shown = tuple(
        sample for i, sample in enumerate(samples) if i % max(1, len(samples) // 12) == 0 or i == len(samples) - 1
    )
    notes = (f"problems: {said(figures.problems(answers))}",) if answers else ()
    return Section(
        [Table("Memory of the server process", ("after runs", "RSS in MB"), shown, notes)],
        [Goal(f"memory: after {FLAT_RUNS} runs or more / after {SETTLED_RUNS}", 1.05, measured)],
        {"samples": samples, "problems": figures.problems(answers)},
    )


def flags(bench: Bench, policy: Policy, rounds: int) -> Section:
    """What each line of a policy costs: a cold ``docker run`` with it and without it, one right after the other."""
    lines = [line for line in policy.docker_run if line.partition("=")[0] not in NO_RUN_WITHOUT]
    pairs: dict[str, list[tuple[Answer, Answer]]] = {line: [] for line in ("", *lines)}
    for number in range(rounds):
        bench.note(f"flags: round {number + 1} of {rounds}")
        for line, found in pairs.items():
            if not (found and found[0][1].problem):
                found.append(_pair(bench.cold, line, without_first=number % 2 == 1))
    return _flags_section(pairs)


def _pair(cold: Cold, line: str, *, without_first: bool) -> tuple[Answer, Answer]:
    """With the line, and without it; no line at all shows the noise."""
    if without_first:
        without = cold.without(PYTHON, line)
        return cold(PYTHON), without
    return cold(PYTHON), cold.without(PYTHON, line)


def _flags_section(pairs: dict[str, list[tuple[Answer, Answer]]]) -> Section:
    rows, section = [], Section()
    for line, found in pairs.items():
        costs = [a.ms - b.ms for a, b in found if not a.problem and not b.problem]
        quartiles = [figures.quantile(costs, share) for share in (0.25, 0.75)] if costs else [None, None]
        remark = re.sub(r"wrong.*", "does not run without it", found[0][1].problem) if found else ""
        rows.append((line or "(the same twice: noise)", len(costs), figures.median(costs), *quartiles, remark))
        section.data[line or "noise"] = costs
    notes = (
        "the median of paired differences: with the line minus without it; then their quartiles",
        f"not dropped: {', '.join(NO_RUN_WITHOUT)}",
    )
    head = ("flag", "n", "costs", "25%", "75%", "")
    section.tables.append(Table("What each line of python.toml costs, ms of `docker run`", head, tuple(rows), notes))
    return section
