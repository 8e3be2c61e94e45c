"""The commands: ``python -m runner check | show | verify | doctor | lock | diff | run | judge | audit | key | mcp``."""

import argparse
import sys
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from runner.errors import PolicyError, Refusal
from runner.policy import configuration

COMMANDS: Final = {
    "check": "validate every policy file, or the files that are named",
    "show": "print the exact command of a language, and the reason for each flag",
    "verify": "prove every line of a policy in a real container",
    "doctor": "say whether this host is fit, and what to do where it is not",
    "lock": "write policies/lock.json: every command, policy file and image as it is now",
    "diff": "say how policies and images differ from policies/lock.json",
    "run": "run one program, here or on a server",
    "judge": "judge a program by a folder of tests",
    "audit": "check audit files and sum them up, or find a job",
    "key": "make an API key, add its hash to policies/keys.toml, and show it once",
    "mcp": "serve language models over stdio (Model Context Protocol)",
}


class Command(argparse.ArgumentParser):
    """One of them. Its module is imported when it is the one that is named, for that of each takes a while."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """The arguments that its module has."""
        module = import_module(f"runner.commands.{self.prog.rpartition(' ')[2]}")
        module.add(self)
        self.set_defaults(main=module.main)
        return super().parse_known_args(args, namespace)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    arguments = argparse.ArgumentParser(prog="python -m runner", description=__doc__)
    arguments.add_argument("--policies", type=Path, default=configuration.FOLDER, help="the folder of policy files")
    names = arguments.add_subparsers(required=True, metavar="COMMAND", parser_class=Command)
    for name, about in COMMANDS.items():
        names.add_parser(name, help=about)
    return arguments


def main() -> int:
    """0: well, 1: not, 2: refused, 130: interrupted; ``run`` has its program's, too."""
    try:
        args = parser().parse_args()
        code: int = args.main(args)
        return code
    except (PolicyError, Refusal, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
