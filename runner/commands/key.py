"""``key``: makes a key for somebody who may run programs."""

import argparse
import fcntl
import secrets
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from runner.errors import PolicyError, Problem
from runner.policy import configuration, keys


def add(arguments: argparse.ArgumentParser) -> None:
    """For whom."""
    arguments.add_argument("name", metavar="NAME", help="who holds it: 1 to 40 of A-Z, a-z, 0-9, _ and -")


def main(args: argparse.Namespace) -> int:
    """0: the key is the one line on stdout; 2: the name is wrong or taken, or the file cannot be written."""
    config = configuration.load(args.policies, locked=False)
    path = args.policies / keys.FILE
    key = f"{keys.PREFIX}{secrets.token_hex(keys.BYTES)}"
    added = _append(path, partial(keys.new, name=args.name, key=key, rate=config.settings.rate_limit))
    print(f"{path} has these lines more. Change them as you like; then restart the server.\n{added}", file=sys.stderr)
    if not config.key_required:
        print("`required` is false there: programs are run without a key, too.", file=sys.stderr)
    print("This is the key, for its holder. It is kept nowhere, and not shown again:", file=sys.stderr, flush=True)
    print(key)
    return 0


def _append(path: Path, more: Callable[[str], str]) -> str:
    """Adds what ``more`` makes of the text, in one write: the file keeps its owner, its mode and its comments."""
    with path.open("a+b", buffering=0) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise PolicyError(Problem(keys.FILE, None, "another command is writing it: try again")) from None
        file.seek(0)
        text = file.read()
        try:
            added = more(text.decode())
            if file.write(added.encode()) != len(added.encode()):
                raise OSError(f"{path}: there is no room on its disk")
        except (OSError, PolicyError):
            file.truncate(len(text))
            if not text:
                path.unlink()
            raise
    return added
