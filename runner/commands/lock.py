"""``lock``: writes down what was reviewed."""

import argparse
import asyncio

from runner.policy import configuration, lock
from runner.sandbox import images


def add(arguments: argparse.ArgumentParser) -> None:
    """Takes no arguments."""


def main(args: argparse.Namespace) -> int:
    """0 when it is written; 2 when an image is missing, for then there is nothing to review."""
    policies = configuration.load(args.policies, locked=False).policies
    found = asyncio.run(images.identities(policies))
    if missing := [policies[name].image for name, image in found.items() if image is None]:
        raise FileNotFoundError(f"there is no image {' and no '.join(missing)}: `make images` builds it")
    entries = {name: lock.entry(policy, found[name]) for name, policy in policies.items()}
    (args.policies / lock.FILE).write_text(lock.render(entries), encoding="utf-8")
    print(f"{args.policies / lock.FILE}: {', '.join(sorted(entries))}; read what changed, then commit it")
    return 0
