"""What a container costs, by engine and runtime: the policy's own `docker run` in a loop, interleaved, by process.

An engine is named by its socket, with the cgroup's folder where it and all that it starts are accounted, if it has
one of its own: `--engine unix:///run/docker.sock,/sys/fs/cgroup/cpuacct/engine`. Without one, what is not of a known
process is the whole machine's, which must be quiet then.
"""

import os
import resource
import socket
import struct
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import astuple, dataclass, field, fields, replace
from pathlib import Path
from typing import Final

from runner.policy.policy import Policy
from tests.bench import figures, load, machine
from tests.bench.cases import PYTHON
from tests.bench.columns import Cold
from tests.bench.docker import docker, removing
from tests.bench.report import Cell, Goal, Table, said
from tests.bench.sections import Note, Section

CLIENTS: Final = (1, 2, 4)
LEAST_RUNS: Final = 8
LONGEST: Final = 60.0
"""Seconds of one loop."""
GOAL: Final = 2.0
"""Runs per second of the best combination, by those of the first, at any number of clients."""


@dataclass(frozen=True, slots=True)
class Engine:
    """One that answers."""

    url: str
    cgroup: Path | None
    """Where it and all that it starts are accounted."""

    @classmethod
    def of(cls, words: str) -> "Engine":
        """From the command line: its URL, and the folder."""
        url, _, folder = words.partition(",")
        return cls(url, Path(folder) if folder else None)


@dataclass(frozen=True, slots=True)
class Spent:
    """CPU-milliseconds."""

    client: float
    dockerd: float
    containerd: float
    helpers: float
    """Of both, as far as they have waited for them: what they start beside the shims."""
    rest: float
    """Shim, runtime, kernel and the program."""


@dataclass(slots=True)
class Combination:
    """An engine with a runtime: a column of loops."""

    name: str
    engine: Engine
    cold: Cold
    loops: dict[int, list["Loop"]] = field(default_factory=lambda: {clients: [] for clients in CLIENTS})


@dataclass(frozen=True, slots=True)
class Loop:
    """So many clients, each of which runs again when its run has ended."""

    rate: float
    """Right answers per second."""
    each: Spent
    problems: Mapping[str, int]


def engines(
    policy: Policy, folder: Path, chosen: Sequence[Engine], runtimes: Sequence[str], passes: int, note: Note
) -> Section:
    """Every combination at every number of clients, in every order in turn."""
    with ExitStack() as stack:
        columns = []
        for number, engine in enumerate(chosen):
            instance = f"{folder.name}-{number}"
            stack.enter_context(removing(instance, engine.url))
            version = docker("version", "--format={{.Server.Version}}", host=engine.url).strip()
            for runtime in runtimes:
                asked = replace(policy, docker_run=(f"--runtime={runtime}", *policy.docker_run))
                cold = Cold({policy.name: asked}, instance, folder, engine.url)
                name = f"{version} {runtime}" + (f" ({number + 1})" if len(chosen) > 1 else "")
                columns.append(Combination(name, engine, cold))
        for number in range(passes):
            for clients in CLIENTS:
                for column in _turned(columns, number):
                    column.loops[clients].append(_loop(column, clients))
            note(f"engines: pass {number + 1} of {passes}")
    return _section(columns)


def _turned(columns: Sequence[Combination], number: int) -> Sequence[Combination]:
    """A different one first, each time, and there and back: so that noise meets all alike."""
    start = number // 2 % len(columns)
    turned = [*columns[start:], *columns[:start]]
    return turned[::-1] if number % 2 else turned


def _loop(column: Combination, clients: int) -> Loop:
    column.cold(PYTHON)  # what lay idle is awake then
    before, began = _spent(column.engine), time.perf_counter()
    answers = load.count(column.cold, PYTHON, clients, max(LEAST_RUNS, 6 * clients), LONGEST)
    seconds = time.perf_counter() - began
    after = _spent(column.engine)
    each = Spent(*((b - a) / len(answers) for a, b in zip(astuple(before), astuple(after), strict=True)))
    return Loop(len(figures.right(answers)) / seconds, each, figures.problems(answers))


def _spent(engine: Engine) -> Spent:
    """Until now."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    client = (used.ru_utime + used.ru_stime) * 1000
    pid = _listener(engine.url)
    dockerd, helpers = _cpu(pid)
    containerd, more = _cpu(_containerd(pid))
    whole = _accounted(engine.cgroup) if engine.cgroup else machine.busy_ms() - client
    return Spent(client, dockerd, containerd, helpers + more, whole - dockerd - containerd - helpers - more)


def _accounted(folder: Path) -> float:
    """What a cgroup has used: of version 1, or 2."""
    if (usage := folder / "cpuacct.usage").exists():
        return int(usage.read_text(encoding="ascii")) / 1e6
    lines = (folder / "cpu.stat").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("usage_usec")) / 1e3


def _listener(url: str) -> int | None:
    """The process behind a socket of this machine."""
    if not url.startswith("unix://"):
        return None
    with socket.socket(socket.AF_UNIX) as asked:
        asked.connect(url.removeprefix("unix://"))
        told = asked.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    return int(struct.unpack("3i", told)[0])


def _containerd(dockerd: int | None) -> int | None:
    """That of this dockerd: its child, or the system's."""
    found = {int(stat[1]): pid for pid in _pids() if (stat := _stat(pid)) and stat[-1] == "containerd"}
    return found.get(dockerd or 0, found.get(1))


def _pids() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal()]


def _stat(pid: int) -> list[str]:
    """The words of its line from the state on, and at last its name."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return []
    head, _, rest = text.rpartition(")")
    return [*rest.split(), head.partition("(")[2]]


def _cpu(pid: int | None) -> tuple[float, float]:
    """CPU-milliseconds of a process, and of its children that it has waited for."""
    if not (stat := _stat(pid) if pid else []):
        return 0.0, 0.0
    own, own_system, helpers, helpers_system = (int(word) * 1000 / os.sysconf("SC_CLK_TCK") for word in stat[11:15])
    return own + own_system, helpers + helpers_system


def _section(columns: Sequence[Combination]) -> Section:
    section = Section()
    best = max(_by_first(column, columns[0], *CLIENTS) for column in columns)
    rows: list[tuple[Cell, ...]] = []
    for column in columns:
        for clients, loops in column.loops.items():
            by_first = _by_first(column, columns[0], clients)
            spent = [_median([getattr(loop.each, part.name) for loop in loops]) for part in fields(Spent)]
            total = _median([sum(astuple(loop.each)) for loop in loops])
            problems = sum((Counter(loop.problems) for loop in loops), Counter[str]())
            rate = _median([loop.rate for loop in loops])
            rows.append((column.name, clients, rate, by_first, total, *spent, said(problems)))
        section.data[column.name] = column.loops
    head = ("", "clients", "runs/s", "/ the first", "CPU-ms", *(part.name for part in fields(Spent)), "problems")
    notes = (
        "medians of all passes; `/ the first`: of the ratios of each pass",
        "rest: shim, runtime, kernel, program; of the whole machine, where no cgroup was named",
    )
    section.tables.append(Table("What a container costs: python", head, tuple(rows), notes))
    section.goals.append(Goal("engines: the best combination / the first", GOAL, best, at_least=True))
    return section


def _by_first(column: Combination, first: Combination, *chosen: int) -> float:
    """The median of the ratios of all passes, at these numbers of clients."""
    pairs = [pair for clients in chosen for pair in zip(column.loops[clients], first.loops[clients], strict=True)]
    return _median([a.rate / b.rate for a, b in pairs if b.rate])


def _median(values: Sequence[float]) -> float:
    return figures.median(values) or 0.0
