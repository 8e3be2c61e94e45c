"""``python -m tests.bench``: ours, a plain ``docker run`` and the bare interpreter, interleaved, in one run."""

import argparse
import dataclasses
import ipaddress
import json
import os
import secrets
import signal
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import FrameType
from typing import Any, Final, TextIO
from urllib.parse import urlsplit

from runner.policy import configuration
from runner.policy.configuration import Configuration
from tests.bench import machine, sections
from tests.bench.audit import audit
from tests.bench.bare import Bare, bare
from tests.bench.classroom import classroom
from tests.bench.columns import PEERS, Cold, Column, Http, Ours
from tests.bench.docker import removing
from tests.bench.engines import Engine, engines
from tests.bench.languages import languages
from tests.bench.neighbours import neighbours
from tests.bench.report import Goal, Table, goals_table, text
from tests.bench.sections import Bench, Section
from tests.bench.serving import HOST, Serving, serving, settings
from tests.harness import copy_policies, free_port

SECTIONS: Final = ("sequential", "burst", "saturation", "timeout", "memory", "audit", "flags", "neighbours", "class")
LANGUAGES: Final = "languages"
"""Asked for by name, and alone: it has servers of its own."""
ENGINES: Final = "engines"
"""The same: it has none."""
AUDIT_RUNS = 500


def options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few rounds, short windows: plausibility only")
    parser.add_argument("--rounds", type=int, help="sequential rounds (40; quick: 8)")
    parser.add_argument("--pause", type=float, default=0.6, help="seconds between two sequential requests (0.6)")
    parser.add_argument("--seconds", type=float, help="of each saturation window (8; quick: 3)")
    parser.add_argument("--passes", type=int, help="over all saturation windows (3; quick: 1)")
    parser.add_argument("--bursts", type=int, help="rounds of bursts (8; quick: 2)")
    parser.add_argument("--timeouts", type=int, help="programs that never end (10; quick: 3)")
    parser.add_argument("--flat", type=int, default=0, help="go on to so many runs, for the memory (2000 for the goal)")
    parser.add_argument("--flags-rounds", type=int, help="rounds of the cost of each flag (10; quick: 2)")
    parser.add_argument("--attacks", type=int, help="rounds of a neighbour beside attacks (5; quick: 1)")
    parser.add_argument("--pupils", type=int, help="clients of a class that press Run at once (200; quick: 40)")
    parser.add_argument("--classes", type=int, help="times that it does (2; quick: 1)")
    parser.add_argument(
        "--only", choices=(*SECTIONS, LANGUAGES, ENGINES), action="append", help="leave the other sections out"
    )
    parser.add_argument(
        "--engine", type=Engine.of, action="append", help="for engines: URL, or URL,FOLDER of its cgroup"
    )
    parser.add_argument("--runtime", action="append", help="runc or crun; for engines: several")
    parser.add_argument("--peer", type=_local, help="address of a peer on this machine, such as http://127.0.0.1:2000")
    parser.add_argument("--peer-kind", choices=sorted(PEERS), default="piston")
    parser.add_argument("--json", help="file for all numbers; - for stdout, the tables go to stderr then")
    args = parser.parse_args()
    for alone in {LANGUAGES, ENGINES} & {*(args.only or ())}:
        if len(args.only) > 1:
            parser.error(f"{alone} is measured alone")
    full, quick = (40, 8.0, 3, 8, 10, 10, 5, 200, 2), (8, 3.0, 1, 2, 3, 2, 1, 40, 1)
    names = ("rounds", "seconds", "passes", "bursts", "timeouts", "flags_rounds", "attacks", "pupils", "classes")
    for name, value in zip(names, quick if args.quick else full, strict=True):
        if getattr(args, name) is None:
            setattr(args, name, value)
    return args


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _local(address: str) -> str:
    """Refuses an address that is not of this machine."""
    host = urlsplit(address).hostname or ""
    if not _is_loopback(host):
        raise argparse.ArgumentTypeError(f"{address} is not this machine")
    return address.rstrip("/")


class Report:
    """Prints sections as they come and keeps them for the JSON."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._began = time.monotonic()
        self.goals: list[Goal] = []
        self.data: dict[str, Any] = {}

    def note(self, message: str) -> None:
        """Says how far it is."""
        print(f"[{time.monotonic() - self._began:5.0f} s] {message}", file=sys.stderr, flush=True)

    def table(self, table: Table) -> None:
        """Prints one."""
        print(text(table), file=self._out, flush=True)

    def facts(self, title: str, facts: Mapping[str, str]) -> None:
        """A table of names and values."""
        self.table(Table(title, ("", ""), tuple(facts.items())))
        self.data[title.lower()] = dict(facts)

    def section(self, name: str, section: Section) -> None:
        """Prints and keeps one."""
        for table in section.tables:
            self.table(table)
        self.goals += section.goals
        self.data[name] = section.data

    def write(self, file: str | None) -> None:
        """The goals, and everything as JSON."""
        self.table(goals_table(self.goals))
        self.data["goals"] = [dataclasses.asdict(goal) | {"verdict": goal.verdict} for goal in self.goals]
        whole = json.dumps(self.data, indent=1, default=dataclasses.asdict)
        if file == "-":
            print(whole)
        elif file:
            Path(file).write_text(whole + "\n", encoding="utf-8")


def machine_facts(config: Configuration, found: Bare | None) -> dict[str, str]:
    """The machine, the programs inside the images, and the policies."""
    facts = machine.describe()
    if found:
        facts["python of the image"] = found.version("python", "python3", "--version")
        facts["g++ of the image"] = found.version("cpp", "g++", "--version")
    else:
        facts["bare"] = "not measured: chroot needs root"
    policies = {f"policy {name}": f"{p.image}, sha256 {p.digest[:16]}" for name, p in config.policies.items()}
    return facts | policies | {"busy before": f"{machine.load(2.0):.0%} of all CPUs, with the server idle"}


def measure(bench: Bench, config: Configuration, args: argparse.Namespace, report: Report) -> None:
    """All sections; the server has one life."""
    samples = [(0, machine.rss_mb(bench.server.pid))]
    wanted = args.only or SECTIONS
    if "sequential" in wanted:
        report.section("sequential", sections.sequential(bench))
        samples.append((bench.ours.runs, machine.rss_mb(bench.server.pid)))
    if "burst" in wanted:
        report.section("burst", sections.bursts(bench, args.bursts))
    if "saturation" in wanted:
        loaded, more = sections.saturation(bench)
        report.section("saturation", loaded)
        samples += more
    if "timeout" in wanted:
        report.section("timeout", sections.timeouts(bench, config.policies["python"], args.timeouts))
    if "memory" in wanted:
        report.section("memory", sections.memory(bench, samples, args.flat))
    if "audit" in wanted:
        report.section("audit", audit(config.policies["python"], bench.server.log.parent, AUDIT_RUNS))
    if "flags" in wanted:
        machine.settle()
        report.section("flags", sections.flags(bench, config.policies["python"], args.flags_rounds))
    if "neighbours" in wanted:
        report.section("neighbours", neighbours(bench, args.attacks))
    if "class" in wanted:
        report.section("class", classroom(bench, args.pupils, args.classes))


def peer(args: argparse.Namespace, stack: ExitStack) -> Column | None:
    """The peer's column, if one is named."""
    if not args.peer:
        return None
    address = urlsplit(args.peer)
    http = Http(address.hostname or HOST, address.port or 80)
    stack.callback(http.close)
    return PEERS[args.peer_kind](http, address.path)


def bench_in(folder: Path, args: argparse.Namespace, report: Report) -> Serving:
    """From unpacked images and a server that is up until nothing of both is left."""
    own = f"bench-{secrets.token_hex(4)}"
    with ExitStack() as stack:
        stack.enter_context(removing(f"{own}-cold"))
        report.note("unpacking the images, starting the server")
        port = free_port()
        copy_policies(folder, settings(own, port), _with_runtime(args.runtime))
        config = configuration.load(folder / configuration.FOLDER)
        root = stack.enter_context(bare(config.policies, f"{own}-cold", folder)) if os.geteuid() == 0 else None
        server = stack.enter_context(serving(folder, own, port))
        http = Http(HOST, port)
        stack.callback(http.close)
        machine.settle()
        cold = Cold(config.policies, f"{own}-cold", folder)
        bench = Bench(
            ours=Ours(http),
            cold=cold,
            bare=root,
            peer=peer(args, stack),
            server=server,
            rounds=args.rounds,
            pause=args.pause,
            seconds=args.seconds,
            passes=args.passes,
            note=report.note,
        )
        report.facts("Machine", machine_facts(config, root))
        measure(bench, config, args, report)
    return server


def _with_runtime(chosen: Sequence[str] | None) -> dict[str, tuple[str, str]]:
    """A line more for the policies: the last runtime that was named."""
    line = ('"--rm",', f'"--rm", "--runtime={chosen[-1]}",') if chosen else ("", "")
    return dict.fromkeys(("python.toml", "cpp.toml"), line)


def engines_in(folder: Path, args: argparse.Namespace, report: Report) -> None:
    """Those that are named, or the usual one."""
    report.facts("Machine", machine.describe())
    policy = configuration.load(copy_policies(folder, {}, {})).policies["python"]
    chosen = args.engine or [Engine.of(os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock"))]
    report.section(ENGINES, engines(policy, folder, chosen, args.runtime or ["runc"], args.passes, report.note))
    report.write(args.json)


def languages_in(folder: Path, args: argparse.Namespace, report: Report) -> None:
    """Each language of which there is an image."""
    report.facts("Machine", machine.describe())
    report.section(LANGUAGES, languages(folder, args.rounds, args.pause, report.note))
    report.write(args.json)


def interrupt(number: int, frame: FrameType | None) -> None:
    """The first one ends the run; no further one disturbs the cleaning up, which is bounded."""
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt


def main() -> int:
    """0 when everything was measured, whatever the numbers; nothing is left behind in any case."""
    args = options()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, interrupt)
    report = Report(sys.stderr if args.json == "-" else sys.stdout)
    try:
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            if args.only == [LANGUAGES]:
                languages_in(Path(folder), args, report)
                return 0
            if args.only == [ENGINES]:
                engines_in(Path(folder), args, report)
                return 0
            server = bench_in(Path(folder), args, report)
            complaints = server.complaints()
    except KeyboardInterrupt:
        report.note("interrupted; everything is cleaned up")
        return 130
    left = Goal("containers left behind by the server", 0, len(server.left), unit="")
    clean = Goal("warnings and errors in the server's log", 0, len(complaints), unit="")
    report.goals += [left, clean]
    report.data |= {"left_behind": server.left, "complaints": complaints[:20], "options": vars(args)}
    report.write(args.json)
    for line in complaints[:5]:
        report.note(f"the server logged: {line}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
