"""``diff``: what is not as it was reviewed."""

import argparse
import asyncio
import json

from runner.policy import configuration, lock
from runner.sandbox import images


def add(arguments: argparse.ArgumentParser) -> None:
    """How to say it."""
    arguments.add_argument("--json", action="store_true", help="for a program to read")


def main(args: argparse.Namespace) -> int:
    """0: nothing differs, 1: something does, 2: it cannot be told."""
    policies = configuration.load(args.policies, locked=False).policies
    locked = configuration.read_lock(args.policies)
    found = asyncio.run(images.identities(policies))
    current = {name: lock.entry(policy, found[name]) for name, policy in policies.items()}
    differences = list(lock.differences(locked, current))
    if args.json:
        print(json.dumps([{"language": name, "difference": said} for name, said in differences], indent=2))
    else:
        print("\n".join(f"{name}: {said}" for name, said in differences) or "nothing differs from the lock")
    return 1 if differences else 0
