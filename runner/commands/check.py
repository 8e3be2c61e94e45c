"""``check``: validates every policy file."""

import argparse

from runner.configuration import Configuration

HELP = "validate every policy file"


def add(arguments: argparse.ArgumentParser, languages: list[str]) -> None:
    """Takes no arguments."""


def main(config: Configuration, args: argparse.Namespace) -> int:
    """Says that every file is valid; what is not was said before."""
    for policy in config.policies.values():
        print(f"{policy.name}.toml: ok, {len(policy.docker_run)} flags, sha256 {policy.digest}")
        for flag, reason in policy.waivers.items():
            print(f"{policy.name}.toml: waiver: {flag}: {reason}")
    return 0
