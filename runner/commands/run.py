"""``run``: runs one program, without HTTP; what it writes is written as it comes."""

import argparse
import asyncio
import dataclasses
import json
import secrets
import signal
import sys
from collections.abc import Mapping
from contextlib import aclosing
from pathlib import Path
from typing import Any

from runner.policy import configuration
from runner.runs import request
from runner.runs.client import Client
from runner.runs.result import Reason, Status
from runner.runs.service import COMMAND, Service, open_service
from runner.runs.watch import watch
from runner.sandbox import images
from runner.sandbox.job import Job

HELP = "run one program, without HTTP"


def add(arguments: argparse.ArgumentParser) -> None:
    """Which language, the file of the program, and what to print."""
    arguments.add_argument("language")
    arguments.add_argument("file")
    arguments.add_argument("--json", action="store_true", help="print the report, at the end, instead of the output")


def main(args: argparse.Namespace) -> int:
    """The program's input is this command's, unless that is a terminal; its exit code is this command's, too."""
    config = configuration.load(args.policies, also=args.language)
    policy = dataclasses.replace(config.policy(args.language), warm=0)
    settings = dataclasses.replace(config.settings, instance=f"{COMMAND}{secrets.token_hex(4)}")
    data = b"" if sys.stdin.isatty() else sys.stdin.buffer.read(policy.limits.input + 1)
    job = request.check(Job(policy.name, Path(args.file).read_bytes(), (data,)), {policy.name: policy})

    async def once() -> Mapping[str, Any]:
        await images.check_lock(config, args.policies)
        async with open_service({policy.name: policy}, settings) as service:
            return await _show(service, job, output=not args.json)

    report = asyncio.run(once())
    if args.json:
        print(json.dumps(report, indent=2))
    else:
        print(summary(report), file=sys.stderr)
    return exit_code(report)


async def _show(service: Service, job: Job, *, output: bool) -> Mapping[str, Any]:
    """The report; the output is written on the way to it."""
    report: Mapping[str, Any] = {}
    async with aclosing(watch(service, job, Client("cli"))) as events:
        async for event in events:
            if event and event.name == "result":
                report = event.data
            elif event and output and "text" in event.data:
                stream = (sys.stdout if event.name == "stdout" else sys.stderr).buffer
                stream.write(str(event.data["text"]).encode())
                stream.flush()
    return report


def exit_code(report: Mapping[str, Any]) -> int:
    """The program's own; 128 and the number of the signal that ended it; 124 for a timeout, as timeout(1); else 1."""
    if report["status"] is Status.TIMEOUT:
        return 124
    if report["reason"] is Reason.SIGNAL:
        name = report["signal"]
        return 128 + (signal.Signals[name] if name in signal.Signals.__members__ else int(name.removeprefix("SIG")))
    return report["exit_code"] or 0 if report["reason"] in (Reason.COMPLETED, Reason.EXIT_CODE) else 1


def summary(report: Mapping[str, Any]) -> str:
    """A line for people."""
    times = ", ".join(f"{name} {value:.3f} s" for name, value in report["times"].items() if value is not None)
    memory = "" if report["peak_memory"] is None else f", {report['peak_memory'] / 2**20:.1f} MiB"
    return f"{report['status']} ({report['reason']}): {times}{memory}"
