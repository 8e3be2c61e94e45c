"""``verify``: proves every line of a policy in a real container."""

import argparse
import asyncio
import json
import secrets
import sys

from runner.configuration import Configuration
from runner.errors import EngineError
from runner.verification import verify

HELP = "prove every line of a policy in a real container"


def add(arguments: argparse.ArgumentParser, languages: list[str]) -> None:
    """Which language, or all; as a table or as JSON."""
    arguments.add_argument("language", choices=languages, nargs="?")
    arguments.add_argument("--json", action="store_true", help="a JSON array, an object a language")


def main(config: Configuration, args: argparse.Namespace) -> int:
    """1 where a claim failed or was not observed."""
    names = [args.language] if args.language else sorted(config.policies)
    instance = f"cli-{secrets.token_hex(4)}"
    try:
        found = [asyncio.run(verify(config.policies[name], instance)) for name in names]
    except EngineError as error:
        print(error.detail, file=sys.stderr)
        return 1
    if args.json:
        print(json.dumps([evidence.as_json() for evidence in found], indent=2))
    else:
        print("\n\n".join(evidence.as_text() for evidence in found))
    return 0 if all(evidence.holds for evidence in found) else 1
