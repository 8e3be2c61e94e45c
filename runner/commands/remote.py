"""What ``run`` and ``judge`` share: a server in the place of this machine's engine, and a progress line."""

import argparse
import math
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from runner.errors import BadRequest

if TYPE_CHECKING:
    from runner.client import AsyncClient, NoAnswer, Refused

KEY = "RUNNER_KEY"


def add(arguments: argparse.ArgumentParser) -> None:
    """Where it runs. A key is no argument: every user of a machine can read those."""
    arguments.add_argument("--server", metavar="URL", help="run it there, not with this machine's engine; needs httpx")
    arguments.add_argument("--key-file", metavar="FILE", type=Path, help=f"its API key; else {KEY}'s value, if any")


@asynccontextmanager
async def client(args: argparse.Namespace, line: "Line") -> "AsyncIterator[AsyncClient]":
    """For ``--server``; what the server refuses is a ``Refusal`` in its own words."""
    try:
        found = import_module("runner.client")
    except ImportError as error:
        said = (
            f"--server needs packages that are not installed ({error}): pip install -r runner/client-requirements.txt"
        )
        raise BadRequest(said) from None

    def told(seconds: float, refused: "Refused | NoAnswer") -> None:
        line.show(f"{refused.title}: trying again in {math.ceil(seconds)} s")

    key = args.key_file.read_text().strip() if args.key_file else os.environ.get(KEY, "")
    try:
        async with found.AsyncClient(args.server, key=key, retry=found.Retry(told=told)) as opened:
            yield opened
    except found.Refused as refused:
        raise BadRequest(str(refused)) from None
    finally:
        line.show("")


def text(path: Path) -> str:
    """A program as a server takes it."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise BadRequest(f"{path}: is not UTF-8, which is what a server takes.") from None


class Line:
    """A line at the bottom of a terminal that says what goes on; nothing where there is no terminal."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream if stream.isatty() else None

    def show(self, said: str) -> None:
        """In the place of what it said before; "" takes it away, before anything else is written."""
        if self._stream:
            self._stream.write(f"\r\x1b[K{said}")
            self._stream.flush()


def progress() -> Line:
    """On stderr."""
    return Line(sys.stderr)
