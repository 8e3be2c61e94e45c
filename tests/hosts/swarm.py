"""The stack of CLUSTER.md on two emulated hosts, one of which loses its power."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from tests.harness import ROOT
from tests.hosts import nodes
from tests.hosts.asking import Load, ask, keys, told
from tests.hosts.machine import Machine, Unwell

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


def tried(folder: Path, memory: int, stretch: float) -> Iterator[str]:
    """All of it, one after the other: what was found. ``folder`` has a Debian that `disk` made."""
    saved = folder / "swarm.tar"
    nodes.images(saved, stretch)
    pair = nodes.pair(folder, saved, memory)
    try:
        for number, said in enumerate(nodes.set_up(pair, stretch), 1):
            yield f"node {number}: doctor: {said}"
        nodes.deploy(pair[0], 1)
        yield f"deployed: both are ready after {nodes.ready(pair[0]):.0f} s"
        for step in STEPS:
            yield f"{step.__name__}: {step.__doc__}"
            try:
                yield from (f"    {line}" for line in step(pair))
            except Unwell as unwell:  # the next may come about
                yield f"    FAILED: {unwell}"
    except Unwell as unwell:
        yield f"FAILED: {unwell}"
    finally:
        for machine in pair:
            machine.end()
        saved.unlink()
