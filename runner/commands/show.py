"""``show``: prints the exact command of a language."""

import argparse
import shlex

from runner import argv, configuration, container, uids

HELP = "print the exact command of a language"


def add(arguments: argparse.ArgumentParser) -> None:
    """Which language."""
    arguments.add_argument("language")


def main(args: argparse.Namespace) -> int:
    """One argument a line, then as a line for a shell."""
    config = configuration.load(args.policies)
    policy, instance = config.policy(args.language), config.settings.instance
    print("\n".join(argv.run(policy, argv.NAME_PLACEHOLDER, argv.UID_PLACEHOLDER, instance)))
    print("\n# The same for a shell, with a name and a uid filled in. It waits for a program, see images/launch:")
    print(f"# printf '%-47s\\n%s' '{'0' * 32} 9' 'print(42)' |")
    print(shlex.join(argv.run(policy, container.new_name(), uids.FIRST, "shown")))
    return 0
