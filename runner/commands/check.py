"""``check``: validates policy files."""

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from runner.errors import PolicyError, Problem
from runner.policy import configuration
from runner.policy.policy import Policy

HELP = "validate every policy file, or the files that are named"


def add(arguments: argparse.ArgumentParser) -> None:
    """Which files, and how to say it."""
    arguments.add_argument("files", nargs="*", type=Path, metavar="FILE", help="one's own; default: the folder's")
    arguments.add_argument("--json", action="store_true", help="for a program to read")


def main(args: argparse.Namespace) -> int:
    """0: all is well, 2: there are problems, one a line."""
    policies, problems = _read(args.files, args.policies)
    if args.json:
        good = [{"policy": p.name, "digest": p.digest, "waivers": dict(p.waivers)} for p in policies]
        print(json.dumps({"policies": good, "problems": [asdict(problem) for problem in problems]}, indent=2))
    elif problems:
        raise PolicyError(*problems)
    else:
        for policy in policies:
            print(f"{policy.name}.toml: ok, {len(policy.docker_run)} flags, sha256 {policy.digest}")
            for flag, reason in policy.waivers.items():
                print(f"{policy.name}.toml: waiver: {flag}: {reason}")
    return 2 if problems else 0


def _read(files: list[Path], folder: Path) -> tuple[list[Policy], list[Problem]]:
    if files:
        found = configuration.read(files)
        return list(found.policies.values()), found.problems
    every = configuration.read(folder / f"{name}.toml" for name in configuration.languages(folder))
    try:
        configuration.load(folder)
    except PolicyError as error:
        return [], list(dict.fromkeys((*error.problems, *every.problems)))
    return list(every.policies.values()), every.problems
