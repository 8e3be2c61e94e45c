"""``python -m tests.hosts.swarm``: the stack of CLUSTER.md on two emulated hosts, one of which loses its power."""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from tests.harness import ROOT
from tests.hosts import nodes
from tests.hosts.asking import Load, ask, keys, told
from tests.hosts.machine import DISK, Machine, Unwell

Pair = tuple[Machine, Machine]
CLIENTS: Final = 6
LOAD_TIME: Final = 60.0
"""Seconds of load before and after what happens."""
UPDATE_TIME: Final = 1200.0
"""Seconds until all nodes must have been updated."""
LIMIT: Final = f"""
ask() {{ curl -s -m 900 -o /dev/null -w '%{{http_code}}\\n' -d '{{}}' -H 'Host: {nodes.NAME}' "http://$1/run?[1-$2]"; }}
front=$(ask 10.0.0.1 {nodes.LIMIT + 5} | sort | uniq -c | tr -s ' \\n' ' ')
echo "times and status at the front: $front; then at each node: $(ask 10.0.0.1:3000 1) $(ask 10.0.0.2:3000 1)"
"""
STATE: Final = "docker service inspect --format '{{.UpdateStatus.State}}' code-runner_server"
NEW: Final = (
    "docker exec $(docker ps --quiet --filter name=code-runner_server) grep -c '^live = 7 ' policies/server.toml"
)


def note(message: str) -> None:
    """Says what was found, and when."""
    print(f"[{time.strftime('%H:%M:%S')}] {message}", flush=True)


def serve(pair: Pair) -> list[str]:
    """What is asked for at the front lands on both."""
    before = _begun(pair)
    url = _front(pair)
    with ThreadPoolExecutor(4) as clients:
        asked = [*clients.map(lambda number: ask(url, nodes.NAME, number), range(8))]
    landed = [now - then for now, then in zip(_begun(pair), before, strict=True)]
    states = pair[0].sh("docker node ls --format '{{.Hostname}} {{.Status}} {{.ManagerStatus}}'").out.split("\n")
    return [", ".join(filter(None, states)), *told(asked), f"node 1 ran {landed[0]} of them, node 2 {landed[1]}"]


def limit(pair: Pair) -> list[str]:
    """Who has used it up at the front has used it up on both."""
    return [pair[1].sh(LIMIT, 1200).well()]


def cut(pair: Pair) -> list[str]:
    """Node 2 loses its power while programs run on both."""
    with Load(_front(pair), nodes.NAME, CLIENTS) as load:
        time.sleep(LOAD_TIME)
        pair[1].cut()
        note("node 2 has no power")
        time.sleep(LOAD_TIME)
    return told(load.asked)


def back(pair: Pair) -> list[str]:
    """Node 2 has power again; nobody helps."""
    pair[1].boot()
    return [f"both are ready {nodes.ready(pair[0]):.0f} s after the boot", *serve(pair)]


def update(pair: Pair) -> list[str]:
    """Other policies, while programs run."""
    manager = pair[0]
    manager.sh("sed -i 's|^live = 8 |live = 7 |' policies/server.toml").well()
    with Load(_front(pair), nodes.NAME, CLIENTS) as load:
        time.sleep(LOAD_TIME / 2)
        began = time.monotonic()
        nodes.deploy(manager, 2)
        while (said := manager.sh(STATE).out.strip()) == "updating" and time.monotonic() - began < UPDATE_TIME:
            time.sleep(5)
        took = time.monotonic() - began
        time.sleep(LOAD_TIME / 2)
    there = [machine.sh(NEW).out.strip() for machine in pair]
    return [f"{said} after {took:.0f} s; the new policies are on {there.count('1')} nodes", *told(load.asked)]


def audit(pair: Pair) -> list[str]:
    """The files of both, read together."""
    with tempfile.TemporaryDirectory() as kept:
        files = [Path(kept, name, "audit.jsonl") for name in ("node1", "node2")]
        for machine, file in zip(pair, files, strict=True):
            file.parent.mkdir()
            file.write_text(machine.sh(f"cat {nodes.AUDIT}").well(), encoding="utf-8")
        read = [sys.executable, "-m", "runner", "audit", *(f"{file.parent}" for file in files)]
        said = subprocess.run(read, cwd=ROOT, capture_output=True, text=True, check=False)
        lines = (line for file in files for line in file.read_text(encoding="utf-8").splitlines())
        return [f"exit code {said.returncode}", *said.stdout.replace(f"{kept}/", "").splitlines(), keys(lines)]


STEPS: Final[tuple[Callable[[Pair], list[str]], ...]] = (serve, limit, cut, back, update, audit)


def _front(pair: Pair) -> str:
    return f"http://127.0.0.1:{pair[0].web}"


def _begun(pair: Pair) -> list[int]:
    """How many runs each node has begun."""
    return [int(machine.sh(f'grep -c \'"event":"started"\' {nodes.AUDIT}').out or 0) for machine in pair]


def options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.hosts.swarm", description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir(), "code-runner-hosts"))
    parser.add_argument("--memory", type=int, default=3072, help="MB of each host (3072)")
    parser.add_argument("--stretch", type=float, default=10.0, help="times as long as usual that all may take (10)")
    return parser.parse_args()


def tried(pair: Pair, stretch: float) -> None:
    """All of it, one after the other; what does not come about is told, and the next is tried."""
    with ThreadPoolExecutor() as both:
        for machine in pair:
            machine.fresh()
        list(both.map(Machine.boot, pair))
    note("both are up")
    for number, said in enumerate(nodes.set_up(pair, stretch), 1):
        note(f"node {number}: doctor: {said}")
    nodes.deploy(pair[0], 1)
    note(f"deployed: both are ready after {nodes.ready(pair[0]):.0f} s")
    for step in STEPS:
        note(f"{step.__name__}: {step.__doc__}")
        try:
            lines = step(pair)
        except Unwell as unwell:
            lines = [f"FAILED: {unwell}"]
        for line in lines:
            note(f"    {line}")


def main() -> int:
    """0, whatever was found: to read it is a person's."""
    args = options()
    suite = args.folder / "trixie"
    args.folder.mkdir(parents=True, exist_ok=True)
    if not (suite / "disk.img").exists():
        subprocess.run([DISK, "trixie", suite], check=True)
    saved = args.folder / "swarm.tar"
    nodes.images(saved, args.stretch)
    pair = nodes.pair(suite, saved, args.memory)
    try:
        tried(pair, args.stretch)
    except Unwell as unwell:
        note(f"FAILED: {unwell}")
    finally:
        for machine in pair:
            machine.end()
        saved.unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main())
