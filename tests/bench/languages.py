"""Every language whose image is there: hello and a sum from stdin, against the same commands bare in its image's root.

One language after the other, each with a server of its own: so few containers are ahead, and one image is unpacked.
"""

import secrets
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from runner.policy import configuration
from runner.policy.policy import Policy
from tests.bench import figures, load, machine
from tests.bench.bare import PROJECT, bare
from tests.bench.cases import Case, summed
from tests.bench.columns import Column, Http, Ours
from tests.bench.docker import docker, removing
from tests.bench.report import Cell, Goal, Table, said
from tests.bench.sections import Note, Section
from tests.bench.serving import HOST, serving, settings
from tests.harness import copy_policies, free_port
from tests.images.programs import HELLO, programs

AHEAD: Final = 1.05
"""The goal where the run command is started ahead, as a ratio to bare."""
ELSE: Final = 1.15
HEAD: Final = ("", "ours", "bare", "ours / bare", "goal", "hits/misses", "problems")


def languages(folder: Path, rounds: int, pause: float, note: Note) -> Section:
    """One table; where there is no image the row says so."""
    section = Section()
    rows: list[tuple[Cell, ...]] = []
    names = [name for name in configuration.languages(PROJECT / configuration.FOLDER) if name not in ("python", "cpp")]
    for name in names:
        note(f"languages: {name}")
        found = configuration.load(PROJECT / configuration.FOLDER, locked=False, also=name).policy(name)
        if not docker("image", "ls", "--quiet", found.image):
            rows.append((name, None, None, None, None, "-", "there is no image"))
            continue
        for row in _language(found, folder, rounds, pause):
            section.goals.append(Goal(f"{row[0]}: median of ours / bare", row[4], row[3]))
            section.data[row[0]] = dict(zip(HEAD, row, strict=True))
            rows.append(row)
    notes = (
        "ms from sending the program to having its output, one client with pauses: medians",
        "bare: the same commands in the image's root, without a container",
        "ours / bare: the median of the ratios of each round",
    )
    section.tables.append(Table("Languages", HEAD, tuple(rows), notes))
    return section


Row = tuple[str, float | None, float | None, float | None, float, str, str]


def _language(policy: Policy, folder: Path, rounds: int, pause: float) -> Iterator[Row]:
    own, port, here = f"bench-{secrets.token_hex(4)}", free_port(), folder / policy.name
    here.mkdir()
    with ExitStack() as stack:
        stack.enter_context(removing(f"{own}-cold"))
        copy_policies(here, settings(own, port), {}, languages=[policy.name])
        root = stack.enter_context(bare({policy.name: policy}, f"{own}-cold", here))
        stack.enter_context(serving(here, own, port))
        http = Http(HOST, port)
        stack.callback(http.close)
        machine.settle()
        columns: list[Column] = [Ours(http), root]
        texts = {name: program.code.encode() for name, program in programs(policy.name).items()}
        hello = Case(f"{policy.name}, hello", policy.name, texts["hello"], (b"",), (HELLO.encode(),))
        plan = dict.fromkeys((hello, summed(f"{policy.name}, sum", policy.name, texts["sum"])), columns)
        *_, answers = load.sequential(plan, rounds, pause)
    for case in plan:
        ours, theirs = answers[case.name]["ours"], answers[case.name]["bare"]
        hits, misses = figures.hits(ours)
        yield (
            case.name,
            figures.median(figures.right(ours)),
            figures.median(figures.right(theirs)),
            figures.median(figures.paired(ours, theirs)),
            AHEAD if policy.ahead_unless else ELSE,
            f"{hits}/{misses}",
            said(figures.problems([*ours, *theirs])),
        )
