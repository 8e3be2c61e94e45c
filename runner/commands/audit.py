"""``audit``: checks the chains of audit files, one for each folder, says what is in them, finds a job."""

import argparse
import gzip
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain as concatenated
from pathlib import Path
from typing import Any

from runner.errors import BadRequest
from runner.record import chain
from runner.record.chain import Broken, Entry, Head, Line, Torn
from runner.record.summary import Summary, node

LONGEST = 1024 * 1024
"""Bytes of a line; what is longer was not written by this project."""
NAMES = "*.jsonl*"
"""The audit files of a folder."""


@dataclass(slots=True)
class Chain:
    """What is said of one node's files."""

    head: Head = chain.GENESIS
    broken: Broken | None = None
    torn: int = 0
    summary: Summary = field(default_factory=Summary)

    def as_json(self) -> dict[str, Any]:
        """For a program to read."""
        said = self.summary
        own = {"broken": str(self.broken) if self.broken else None, "torn": self.torn, "head": self.head.digest}
        return {**own, "runs": said.languages.total(), "refusals": said.refusals.total(), "open": [*said.open]}

    def lines(self) -> Iterator[str]:
        """For a person to read."""
        yield f"BROKEN: {self.broken}" if self.broken else f"the chain holds; its head is {self.head.digest}"
        if self.torn:
            yield f"{self.torn} lines were cut short by a crash, and the chain goes on after them"


def add(arguments: argparse.ArgumentParser) -> None:
    """Which files, and what of them."""
    arguments.add_argument(
        "files",
        nargs="+",
        type=Path,
        metavar="FILE",
        help=f"rotated ones, too, in any order; or .gz. Those of one folder are one chain; FOLDER: its {NAMES}",
    )
    arguments.add_argument("--find", metavar="JOB", help="print the entries of one job, which is its container's name")
    arguments.add_argument("--json", action="store_true", help="for a program to read")


def main(args: argparse.Namespace) -> int:
    """0: every chain holds, 1: one is broken, or there is no such job, 2: a file cannot be read."""
    summary, chains, found = Summary(), dict[str, Chain](), list[Mapping[str, Any]]()
    for name, files in _nodes(args.files).items():
        own = chains[name] = Chain()
        for entry in _read(files, own):
            own.summary.add(entry)
            summary.add(entry)
            if args.find and entry.fields.get("job") == args.find:
                found.append({"where": f"{entry.line.file}:{entry.line.number}", **entry.fields})
    broken = next((own.broken for own in chains.values() if own.broken), None)
    if args.find:
        print("\n".join(json.dumps(entry, indent=2) for entry in found) or f"there is no job {args.find}")
        return 0 if found and not broken else 1
    print(json.dumps(_json(chains, summary), indent=2) if args.json else "\n".join(_text(chains, summary)))
    return 1 if broken else 0


def _json(chains: Mapping[str, Chain], summary: Summary) -> dict[str, Any]:
    """``head`` is that of the only chain, ``broken`` the first that there is."""
    told = {name: own.as_json() for name, own in chains.items()}
    broken = next((own["broken"] for own in told.values() if own["broken"]), None)
    head = next(iter(told.values()))["head"] if len(told) == 1 else None
    torn = sum(own.torn for own in chains.values())
    return {"broken": broken, "torn": torn, "head": head, **summary.as_json(), "nodes": told}


def _text(chains: Mapping[str, Chain], summary: Summary) -> Iterator[str]:
    for name, own in chains.items():
        if len(chains) == 1:
            yield from own.lines()
        else:
            yield from (f"{name}: {line}" for line in own.lines())
            said = own.summary
            counted = f"{said.languages.total()} runs, {said.refusals.total()} refusals"
            yield f"{name}: {counted}, {len(said.open)} not ended"
    yield from summary.lines()


def _nodes(paths: Iterable[Path]) -> dict[str, list[Path]]:
    """The files of each node, in the order of its chain."""
    nodes: defaultdict[str, set[Path]] = defaultdict(set)
    for path in paths:
        files = [each for each in path.glob(NAMES) if each.is_file()] if path.is_dir() else [path]
        if not files:
            raise BadRequest(f"{path}: there is no {NAMES} in this folder.")
        for file in files:
            nodes[node(str(file))].add(file)
    return {name: sorted(files, key=_first_number) for name, files in sorted(nodes.items())}


def _read(files: Iterable[Path], own: Chain) -> Iterator[Entry]:
    """The entries; what else is seen goes into ``own``."""
    for each in chain.follow(concatenated.from_iterable(map(_lines, files))):
        match each:
            case Broken():
                own.broken = each
            case Torn():
                own.torn += 1
            case Entry():
                own.head = each.head
                yield each


def _lines(path: Path) -> Iterator[Line]:
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
        number = 0
        while data := file.readline(LONGEST):
            number += 1
            yield Line(str(path), number, data.removesuffix(b"\n"))


def _first_number(path: Path) -> int:
    """Where in the chain a file begins."""
    entry = next((entry for line in _lines(path) if (entry := chain.parse(line))), None)
    return entry.head.number if entry else 0
