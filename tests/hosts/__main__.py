"""``python -m tests.hosts``: boots other hosts, one after the other, and says what held there."""

import argparse
import datetime
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from tests.bench.report import text
from tests.hosts import findings, service, trials
from tests.hosts.kinds import AMD64, HOSTS, Architecture, Host
from tests.hosts.machine import DISK, LOADER, Emulated, Machine, Unwell, project

IMAGES: Final = ("code-runner-base:trixie", "code-runner-python:3", "code-runner-cpp:3")
SWARM: Final = "swarm"
"""Two hosts at once, which are no line of the table."""
SERVER_IMAGE: Final = "code-runner-server:1"
IMAGES_FILE: Final = "images.tar"
"""In the folder: those of this machine."""
RATES: Final = r"""sed -i 's/^rate-limit = .*/rate-limit = "100000 per 1 minute"/' policies/server.toml"""
"""The trials ask more often than a client may."""
FAILED: Final = "FAILED: "
PREPARE_TIME: Final = 2 * 3600.0
"""Seconds: where there are no images yet they are built meanwhile."""


def options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.hosts", description=__doc__)
    parser.add_argument("hosts", nargs="*", metavar="HOST", help=", ".join([*(host.name for host in HOSTS), SWARM]))
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir(), "code-runner-hosts"))
    parser.add_argument("--memory", type=int, default=4096, help="MB of each host (4096)")
    parser.add_argument("--stretch", type=float, default=10.0, help="times as long as usual that all may take (10)")
    parser.add_argument("--attacks", default="", help="pytest's expression for some of them; none: `no`")
    parser.add_argument("--no-tests", action="store_true", help="without README's test command")
    parser.add_argument("--json", help="file for all that was found")
    args = parser.parse_args()
    if unknown := {*args.hosts} - {host.name for host in HOSTS} - {SWARM}:
        parser.error(f"there is no {', '.join(sorted(unknown))}")
    return args


def note(message: str) -> None:
    """Says how far it is."""
    print(f"[{time.strftime('%H:%M:%S')}] {message}", file=sys.stderr, flush=True)


def made(folder: Path, suite: str, architecture: Architecture = AMD64) -> Path:
    """The folder, with a Debian of that suite: it is made, if it is not there."""
    if not (folder / "disk.img").exists():
        subprocess.run([DISK, suite, folder, architecture.name], check=True)
    return folder


def tried(host: Host, args: argparse.Namespace) -> dict[str, Any]:
    """One host from its boot to its end: the cells of its line, and what more there is to say."""
    row: dict[str, Any] = {"host": host.name, "about": host.about}
    more: list[str] = []
    folder = args.folder / host.disk
    carried = args.folder / IMAGES_FILE if host.architecture == AMD64 else folder / "base.tar"
    machine = Emulated(folder, host.architecture, carried, args.memory)
    try:
        if host.tests and not args.no_tests:
            machine.fresh()
            row["tests"] = one(machine, host, "tests", trials.suite, more)
        machine.fresh()
        if host.architecture == AMD64:
            subprocess.run([LOADER, machine.disk, carried], check=True, stdout=subprocess.DEVNULL)
        machine.boot()
        note(f"{host.name}: is up")
        machine.unpack(project(args.stretch), "/opt/code-runner")
        machine.sh(host.prepare, PREPARE_TIME, "root").well()
        machine.user, machine.environment = host.user, host.environment
        row |= findings.engine(machine.sh("docker info --format '{{json .}}'").out)
        for name, trial in steps(host, args).items():
            row[name] = one(machine, host, name, trial, more)
            if name == "commands":
                if row[name].startswith(FAILED):
                    break  # a server that does not start can be asked no more
                machine.sh(RATES, user="root")
    except Unwell as unwell:
        more.append(f"{unwell}")
        note(f"{host.name}: {unwell}")
    finally:
        machine.end()
    return row | {"more": more}


def steps(host: Host, args: argparse.Namespace) -> dict[str, Callable[[Machine, Host], trials.Told]]:
    """The trials in their order, by the columns that they fill."""
    found: dict[str, Callable[[Machine, Host], trials.Told]] = {
        "doctor": trials.doctor,
        "verify": trials.verify,
        "commands": trials.commands,
        "engine killed": trials.killed,
        "left": trials.left,
    }
    if host.service:
        found |= {"compose": service.compose, "unit": service.unit}
    if args.attacks != "no":
        found["attacks"] = trials.attacks(args.stretch, args.attacks)
    return found | {"power cut": trials.cut}


def one(machine: Machine, host: Host, name: str, trial: Callable[[Machine, Host], trials.Told], more: list[str]) -> str:
    """One trial: its cell, or why there is none."""
    began = time.monotonic()
    try:
        cell, lines = trial(machine, host)
    except Unwell as unwell:
        cell, lines = f"{FAILED}{unwell}", []
    more += [f"{name}: {line}" for line in lines]
    note(f"{host.name}: {name}: {cell} ({time.monotonic() - began:.0f} s)")
    for line in lines:
        note(f"    {line}")
    return cell


def compared(chosen: Sequence[Host], args: argparse.Namespace) -> None:
    """The table of these hosts, and what there is to say below it."""
    images = args.folder / IMAGES_FILE
    more = [SERVER_IMAGE] if any(host.service for host in chosen) else []
    subprocess.run(["docker", "save", f"--output={images}", *IMAGES, *more], check=True)
    rows = []
    for host in chosen:
        made(args.folder / host.disk, host.suite, host.architecture)
        rows.append(tried(host, args))
    images.unlink()
    print(text(findings.table(rows, f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}")))
    for row in rows:
        print("\n".join([f"\n{row['host']}: {row['about']}", *(f"  {line}" for line in row["more"])]))
    if args.json:
        Path(args.json).write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


def main() -> int:
    """0, whatever was found: to read it is a person's."""
    args = options()
    args.folder.mkdir(parents=True, exist_ok=True)
    if SWARM in args.hosts:
        alone = ("unshare", "--net", sys.executable, "-m", "tests.hosts.swarm", made(args.folder / "trixie", "trixie"))
        subprocess.run([*alone, f"{args.stretch:g}"], check=True)
    if chosen := [host for host in HOSTS if host.name in args.hosts or not args.hosts]:
        compared(chosen, args)
    return 0


if __name__ == "__main__":
    sys.exit(main())
