"""``check``: validates policy files, and those of the service."""

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from runner.errors import PolicyError, Problem
from runner.policy import configuration, keys, reasons
from runner.policy.configuration import Found
from runner.policy.keys import Keys


def add(arguments: argparse.ArgumentParser) -> None:
    """Which files, and how to say it."""
    arguments.add_argument("files", nargs="*", type=Path, metavar="FILE", help="one's own; default: the folder's")
    arguments.add_argument("--json", action="store_true", help="for a program to read")


def main(args: argparse.Namespace) -> int:
    """0: all is well, 2: there are problems, one a line. Hints are no problems."""
    found = _read(args.files, args.policies)
    hints = list(_hints(args.files or _files(args.policies), args.policies))
    if args.json:
        good = [{"policy": p.name, "digest": p.digest, "waivers": dict(p.waivers)} for p in found.policies.values()]
        said = {"problems": [asdict(each) for each in found.problems], "hints": [asdict(each) for each in hints]}
        print(json.dumps({"policies": good, "keys": _keys(found.keys), **said}, indent=2))
    elif found.problems:
        raise PolicyError(*found.problems)
    else:
        print("\n".join([*_text(found), *(f"hint: {each}" for each in hints)]))
    return 2 if found.problems else 0


def _text(found: Found) -> Iterator[str]:
    for policy in found.policies.values():
        yield f"{policy.name}.toml: ok, {len(policy.docker_run)} flags, sha256 {policy.digest}"
        yield from (f"{policy.name}.toml: waiver: {flag}: {reason}" for flag, reason in policy.waivers.items())
    if found.keys:
        names = found.keys.names
        said = "nobody runs a program without one" if found.keys.required else "programs run without one, too"
        yield f"{keys.FILE}: ok, {len(names)} keys, {said}: {', '.join(names) or 'there is none'}"


def _files(folder: Path) -> list[Path]:
    return [folder / f"{name}.toml" for name in configuration.languages(folder)]


def _hints(files: list[Path], folder: Path) -> Iterator[Problem]:
    """Of policies that can be read; none where there is nothing to compare them with."""
    texts = {path: _readable(path) for path in (folder / f"{reasons.MODEL}.toml", *files)}
    model, *others = texts.items()
    for path, text in others:
        if path.name not in configuration.OTHERS and model[1]:
            yield from reasons.hints(path.stem, text, model[1])


def _readable(path: Path) -> str:
    """Its text, or "": what is wrong with it is said elsewhere."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def _keys(found: Keys | None) -> dict[str, object] | None:
    return {"required": found.required, "names": found.names} if found else None


def _read(files: list[Path], folder: Path) -> Found:
    if files:
        return configuration.read(files)
    found = configuration.read(_files(folder))
    try:
        found.keys = configuration.load(folder).keys
    except PolicyError as error:
        return Found(problems=list(dict.fromkeys((*error.problems, *found.problems))))
    return found
