"""``audit``: checks the chain of audit files, says what is in them, finds a job."""

import argparse
import gzip
import json
from collections.abc import Iterator
from itertools import chain as concatenated
from pathlib import Path

from runner.record import chain
from runner.record.chain import Broken, Entry, Line, Torn
from runner.record.summary import Summary

HELP = "check audit files and sum them up, or find a job"
LONGEST = 1024 * 1024
"""Bytes of a line; what is longer was not written by this project."""


def add(arguments: argparse.ArgumentParser) -> None:
    """Which files, and what of them."""
    arguments.add_argument(
        "files", nargs="+", type=Path, metavar="FILE", help="rotated ones, too, in any order; or .gz"
    )
    arguments.add_argument("--find", metavar="JOB", help="print the entries of one job, which is its container's name")
    arguments.add_argument("--json", action="store_true", help="for a program to read")


def main(args: argparse.Namespace) -> int:
    """0: the chain holds, 1: it is broken, or there is no such job, 2: a file cannot be read."""
    files = sorted(args.files, key=_first_number)
    summary, torn, found = Summary(), 0, []
    broken: Broken | None = None
    head = chain.GENESIS
    for each in chain.follow(concatenated.from_iterable(_lines(file) for file in files)):
        match each:
            case Broken():
                broken = each
            case Torn():
                torn += 1
            case Entry():
                head = each.head
                summary.add(each)
                if args.find and each.fields.get("job") == args.find:
                    found.append(dict(each.fields))
    if args.find:
        print("\n".join(json.dumps(entry, indent=2) for entry in found) or f"there is no job {args.find}")
        return 0 if found and not broken else 1
    said = {"broken": str(broken) if broken else None, "torn": torn, "head": head.digest, **summary.as_json()}
    print(json.dumps(said, indent=2) if args.json else "\n".join(_text(summary, broken, torn, head)))
    return 1 if broken else 0


def _text(summary: Summary, broken: Broken | None, torn: int, head: chain.Head) -> Iterator[str]:
    yield f"BROKEN: {broken}" if broken else f"the chain holds; its head is {head.digest}"
    if torn:
        yield f"{torn} lines were cut short by a crash, and the chain goes on after them"
    yield from summary.lines()


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
