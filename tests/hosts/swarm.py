"""The stack of CLUSTER.md on two hosts, one of which loses its power under load. `python -m tests.hosts swarm`."""

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
from tests.hosts.space import OWN, Space

Pair = tuple[Machine, Machine]
FRONT: Final = "http://10.0.0.1"
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
    with ThreadPoolExecutor(4) as clients:
        asked = [*clients.map(lambda number: ask(FRONT, nodes.NAME, number), range(8))]
    landed = [now - then for now, then in zip(_begun(pair), before, strict=True)]
    states = pair[0].sh("docker node ls --format '{{.Hostname}} {{.Status}} {{.ManagerStatus}}'").out.split("\n")
    return [", ".join(filter(None, states)), *told(asked), f"node 1 ran {landed[0]} of them, node 2 {landed[1]}"]


def limit(pair: Pair) -> list[str]:
    """Who has used it up at the front has used it up on both."""
    return [pair[1].sh(LIMIT, 1200).well()]


def cut(pair: Pair) -> list[str]:
    """Node 2 loses its power while programs run on both."""
    with Load(FRONT, nodes.NAME, CLIENTS) as load:
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
    with Load(FRONT, nodes.NAME, CLIENTS) as load:
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


def _begun(pair: Pair) -> list[int]:
    """How many runs each node has begun."""
    return [int(machine.sh(f'grep -c \'"event":"started"\' {nodes.AUDIT}').out or 0) for machine in pair]


def found(folder: Path, stretch: float) -> Iterator[str]:
    """All of it, one after the other. ``folder`` has a Debian that `disk` made."""
    saved = folder / "swarm.tar"
    nodes.images(saved, stretch)
    pair = (Space(folder, saved, 1), Space(folder, saved, 2))
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
        for space in pair:
            space.end()
        saved.unlink()
        time.sleep(20)  # until what was killed holds its cgroups no more
        cgroups = ("find", "/sys/fs/cgroup", "-depth", "-type", "d", "-path", f"*/{OWN}[12]*")
        subprocess.run([*cgroups, "-exec", "rmdir", "{}", "+"], check=False, stderr=subprocess.DEVNULL)


def main() -> int:
    """FOLDER STRETCH. In a network of its own, where the clients are at the nodes' switch."""
    for command in (
        "link set lo up",
        "link add name switch type bridge",
        "address add 10.0.0.254/24 dev switch",
        "link set switch up",
    ):
        subprocess.run(["ip", *command.split()], check=True)
    for line in found(Path(sys.argv[1]), float(sys.argv[2])):
        print(f"[{time.strftime('%H:%M:%S')}] {line}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
