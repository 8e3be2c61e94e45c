"""``verify``: proves every line of a policy in a real container."""

import argparse
import asyncio
import json
import sys

from runner.errors import EngineError
from runner.policy import configuration
from runner.proof.verification import verify
from runner.runs.service import command


def add(arguments: argparse.ArgumentParser) -> None:
    """Which language, or all; as a table or as JSON."""
    arguments.add_argument("language", nargs="?")
    arguments.add_argument("--json", action="store_true", help="a JSON array, an object a language")


def main(args: argparse.Namespace) -> int:
    """1 where a claim failed or was not observed."""
    config = configuration.load(args.policies, also=args.language)
    policies = [config.policy(args.language)] if args.language else list(config.policies.values())
    instance = command()
    try:
        found = [asyncio.run(verify(policy, instance)) for policy in policies]
    except EngineError as error:
        print(error.detail, file=sys.stderr)
        return 1
    if args.json:
        print(json.dumps([evidence.as_json() for evidence in found], indent=2))
    else:
        print("\n\n".join(evidence.as_text() for evidence in found))
    return 0 if all(evidence.holds for evidence in found) else 1
