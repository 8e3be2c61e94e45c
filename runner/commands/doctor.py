"""``doctor``: says whether this host is fit to run strangers' programs."""

import argparse
import asyncio
import json
from dataclasses import asdict

from runner.host.checks import findings
from runner.host.finding import Level
from runner.host.look import look
from runner.policy import configuration
from runner.runs.service import command


def add(arguments: argparse.ArgumentParser) -> None:
    """How to say it."""
    arguments.add_argument("--json", action="store_true", help="for a program to read")


def main(args: argparse.Namespace) -> int:
    """0: nothing fails, 1: something does."""
    config = configuration.load(args.policies)
    facts = asyncio.run(look(config, command()))
    found = list(findings(facts, config.settings))
    if args.json:
        print(json.dumps([asdict(each) for each in found], indent=2))
    else:
        print("\n".join(map(str, found)))
    return 1 if any(each.level is Level.FAIL for each in found) else 0
