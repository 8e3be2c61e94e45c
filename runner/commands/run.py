"""``run``: runs one program, here or on a server; what it writes is written as it comes."""

import argparse
import asyncio
import dataclasses
import json
import os
import signal
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

from runner.commands import remote
from runner.commands.remote import Line
from runner.errors import BadRequest
from runner.policy import configuration
from runner.policy.configuration import Configuration
from runner.policy.policy import Policy
from runner.runs import request
from runner.runs.client import Client
from runner.runs.events import said
from runner.runs.result import Reason, Status
from runner.runs.service import Service, command, open_service
from runner.runs.watch import watch
from runner.sandbox import images
from runner.sandbox.job import File, Job

MOST: Final = 2**26
"""Bytes of input that any server takes."""


class Event(Protocol):
    """What has happened to a run, here or elsewhere."""

    @property
    def name(self) -> str:
        """One of ``POST /run``'s events."""
        ...

    @property
    def data(self) -> Mapping[str, Any]:
        """What it brings."""
        ...


Events = AsyncGenerator[Event | None, None]


class Seen(NamedTuple):
    """An ``Event``."""

    name: str
    data: Mapping[str, Any]


def add(arguments: argparse.ArgumentParser) -> None:
    """Which language, the file of the program, and what to print."""
    arguments.add_argument("language")
    arguments.add_argument("file")
    arguments.add_argument("--json", action="store_true", help="print the report, at the end, instead of the output")
    arguments.add_argument("--arg", action="append", default=[], metavar="WORD", help="an argument of the program")
    arguments.add_argument(
        "--beside", action="append", default=[], type=Path, metavar="FILE", help="a file to lie beside the program"
    )
    arguments.add_argument(
        "--idempotency-key",
        default="",
        metavar="KEY",
        help="with --server: ask again also when the connection breaks; one for each program, such as uuidgen's",
    )
    remote.add(arguments)


def main(args: argparse.Namespace) -> int:
    """The program's input is this command's, unless that is a terminal; its exit code is this command's, too."""
    if args.idempotency_key and not args.server:
        raise BadRequest("--idempotency-key is for a --server: here no connection can break.")
    report = asyncio.run(_remotely(args) if args.server else _here(args))
    if args.json:
        print(json.dumps(report, indent=2))
    else:
        print(summary(report), file=sys.stderr)
    return exit_code(report)


async def _remotely(args: argparse.Namespace) -> Mapping[str, Any]:
    line = remote.progress()
    async with remote.client(args, line) as client:
        files = {path.name: path.read_bytes() for path in args.beside}
        code, data = remote.text(Path(args.file)), _input(MOST)
        more: dict[str, Any] = {"input": data, "files": files, "args": args.arg}
        if key := args.idempotency_key:
            report = await client.run(args.language, code, idempotency_key=key, **more)
            return await _show(_at_its_end(report), line, args)
        return await _show(client.stream(args.language, code, **more), line, args)


async def _at_its_end(report: Mapping[str, Any]) -> Events:
    """What was written, told when all of it is there: what broke on its way may come again."""
    for name, field in (("stderr", "compile_output"), ("stdout", "stdout"), ("stderr", "stderr")):
        yield Seen(name, {"text": report[field]})
    yield Seen("result", report)


async def _here(args: argparse.Namespace) -> Mapping[str, Any]:
    config = configuration.load(args.policies, also=args.language)
    policy = config.policy(args.language)
    job = request.check(_job(args, policy), {policy.name: policy})
    async with service(config, args.policies, policy) as running:
        return await _show(watch(running, job, Client("cli")), remote.progress(), args)


def _job(args: argparse.Namespace, policy: Policy) -> Job:
    files = tuple(File(path.name, path.read_bytes()) for path in args.beside)
    words = tuple(os.fsencode(word) for word in args.arg)
    source, data = Path(args.file).read_bytes(), _input(policy.limits.input)
    return Job(policy.name, source, (data,), files=files, args=words)


def _input(limit: int) -> bytes:
    """At most one byte more than may be, so that it is refused."""
    return b"" if sys.stdin.isatty() else sys.stdin.buffer.read(limit + 1)


@asynccontextmanager
async def service(config: Configuration, folder: Path, policy: Policy) -> AsyncIterator[Service]:
    """A service of this command's own, for one language, with no container ahead of need."""
    settings = dataclasses.replace(config.settings, instance=command())
    await images.check_lock(config, folder)
    async with open_service({policy.name: dataclasses.replace(policy, warm=0)}, settings) as opened:
        yield opened


async def _show(events: Events, line: Line, args: argparse.Namespace) -> Mapping[str, Any]:
    """The report; the output is written on the way to it."""
    report: Mapping[str, Any] = {}
    async with aclosing(events):
        async for event in events:
            if event and event.name == "phase":
                line.show(said(event.data))
            elif event:
                line.show("")
                if event.name == "result":
                    report = event.data
                elif not args.json:
                    _write(event)
    return report


def _write(event: Event) -> None:
    stream = (sys.stdout if event.name == "stdout" else sys.stderr).buffer
    stream.write(str(event.data["text"]).encode())
    stream.flush()


def exit_code(report: Mapping[str, Any]) -> int:
    """The program's own; 128 and the number of the signal that ended it; 124 for a timeout, as timeout(1); else 1."""
    if report["status"] == Status.TIMEOUT:
        return 124
    if report["reason"] == Reason.SIGNAL:
        name = report["signal"]
        return 128 + (signal.Signals[name] if name in signal.Signals.__members__ else int(name.removeprefix("SIG")))
    return report["exit_code"] or 0 if report["reason"] in (Reason.COMPLETED, Reason.EXIT_CODE) else 1


def summary(report: Mapping[str, Any]) -> str:
    """A line for people."""
    times = ", ".join(f"{name} {value:.3f} s" for name, value in report["times"].items() if value is not None)
    memory = "" if report["peak_memory"] is None else f", {report['peak_memory'] / 2**20:.1f} MiB"
    return f"{report['status']} ({report['reason']}): {times}{memory}"
