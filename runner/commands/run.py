"""``run``: runs one program, without HTTP."""

import argparse
import asyncio
import dataclasses
import json
import secrets
import sys
from pathlib import Path

from runner import configuration, images, request
from runner.report import as_json
from runner.result import Status
from runner.service import open_service

HELP = "run one program, without HTTP"


def add(arguments: argparse.ArgumentParser) -> None:
    """Which language, and the file of the program."""
    arguments.add_argument("language")
    arguments.add_argument("file")


def main(args: argparse.Namespace) -> int:
    """The program's input is this command's, unless that is a terminal."""
    config = configuration.load(args.policies)
    policy = dataclasses.replace(config.policy(args.language), warm=0)
    settings = dataclasses.replace(config.settings, instance=f"cli-{secrets.token_hex(4)}")
    data = b"" if sys.stdin.isatty() else sys.stdin.buffer.read(policy.limits.input + 1)
    source = Path(args.file).read_bytes()

    async def once() -> dict[str, object]:
        await images.check_lock(config, args.policies)
        async with open_service({policy.name: policy}, settings) as service:
            return as_json(await service.run(request.job(policy, source, (data,)), "cli"))

    report = asyncio.run(once())
    print(json.dumps(report, indent=2))
    return 0 if report["status"] is Status.SUCCESS else 1
