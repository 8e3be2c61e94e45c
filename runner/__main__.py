"""The ops commands: ``python -m runner check | show | verify | doctor | lock | diff | run | audit | key``."""

import argparse
import sys
from pathlib import Path
from types import ModuleType
from typing import Final

from runner.commands import audit, check, diff, doctor, key, lock, run, show, verify
from runner.errors import PolicyError, Refusal
from runner.policy import configuration

COMMANDS: Final[tuple[ModuleType, ...]] = (check, show, verify, doctor, lock, diff, run, audit, key)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    arguments = argparse.ArgumentParser(prog="python -m runner", description=__doc__)
    arguments.add_argument("--policies", type=Path, default=configuration.FOLDER, help="the folder of policy files")
    names = arguments.add_subparsers(required=True, metavar="COMMAND")
    for command in COMMANDS:
        own = names.add_parser(command.__name__.rpartition(".")[2], help=command.HELP)
        command.add(own)
        own.set_defaults(main=command.main)
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
