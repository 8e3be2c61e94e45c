"""``show``: prints the exact command of a language, and why each flag is there."""

import argparse
import json

from runner.policy import configuration, explain
from runner.sandbox import names, uids


def add(arguments: argparse.ArgumentParser) -> None:
    """Which language, and how to print it."""
    arguments.add_argument("language")
    form = arguments.add_mutually_exclusive_group()
    form.add_argument("--shell", action="store_true", help="one line to paste; it runs the file named as `source`")
    form.add_argument("--json", action="store_true", help="for a program to read")


def main(args: argparse.Namespace) -> int:
    """Always 0."""
    config = configuration.load(args.policies, also=args.language)
    policy, instance = config.policy(args.language), config.settings.instance
    if args.json:
        print(json.dumps(explain.policy(policy, instance), indent=2))
    elif args.shell:
        print(explain.shell(policy, names.new(), uids.FIRST))
    else:
        print("\n".join(explain.text(policy, instance)))
    return 0
