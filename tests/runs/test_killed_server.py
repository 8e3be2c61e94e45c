"""A server that is killed at any moment: its containers end within the limits, and a start sweeps its own alone."""

import itertools
import json
import os
import random
import secrets
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from runner.policy.argv import LABEL
from tests.harness import LANGUAGES, ROOT, SOAK, Server, audited, docker, eventually, gone, serving

RUNS = 200 if SOAK else 16
"""Begun in all, around as many kills as it takes."""
CLIENTS = 5
LONGEST = 8.0
"""Seconds that a container may outlive its server: the limit of these programs, the launcher's grace, whole seconds of
its timer, removal, and a loaded machine."""
EDIT = {"cpp.toml": ("compile-time = 10.0", "compile-time = 2.0")}
PROGRAMS = (
    ("python", "print('{token}')"),
    ("python", "import time; time.sleep(0.3); print('{token}')"),
    ("python", "import math; print('{token}')"),
    ("python", "while True: pass"),
    (
        "python",
        "import signal\nfor n in {{*range(1, 32)}} - {{9, 19}}: signal.signal(n, signal.SIG_IGN)\nwhile True: pass",
    ),
    ("python", "print('x' * 10**9)"),
    ("cpp", '#include <cstdio>\nint main() {{ puts("{token}"); }}'),
    ("cpp", '#include <iostream>\n#include <regex>\nint main() {{ std::cout << "{token}" << std::endl; }}'),
    ("cpp", "int main() {{ for (;;) fork(); }}"),
)


def client(server: Server, seed: int) -> int:
    """One client's programs, one after another, until the server is gone; how many answers it had."""
    chance, answers = random.Random(seed), 0
    while True:
        language, code = chance.choice(PROGRAMS)
        token = f"{chance.getrandbits(64):x}"
        body = {"language": language, "code": code.format(token=token), "input": "x" * chance.choice((0, 10, 10**6))}
        try:
            answer = server.post(body, timeout=30)
        except httpx.TransportError:
            return answers
        answers += 1
        if answer.status_code != 200:
            assert answer.json()["title"] == "Engine not available"  # it was killed; docker's own clients went first
        elif answer.json()["status"] == "success":
            assert answer.json()["stdout"] == f"{token}\n"


def sweep(server: Server, folder: Path) -> None:
    """What was made and never started is gone after the next start."""
    if made := {*server.containers()}:
        (folder / "next").mkdir()
        with serving(folder / "next", instance=server.instance) as following:
            assert eventually(lambda: not made & {*following.containers()})


def test_a_server_killed_at_any_moment_leaves_nothing(engine: None, tmp_path: Path) -> None:
    """Warm, feeding, compiling, running, tearing down: within the limits, even if it never comes back."""
    seed = random.SystemRandom().getrandbits(32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    started = ended = 0
    for number in itertools.count():
        if started >= RUNS:
            break
        folder = tmp_path / str(number)
        folder.mkdir()
        settings: dict[str, Any] = {"edit": EDIT, "languages": LANGUAGES, "running": 4}
        with serving(folder, **settings) as server, ThreadPoolExecutor(CLIENTS) as clients:
            answers = [clients.submit(client, server, chance.getrandbits(32)) for _ in range(CLIENTS)]
            time.sleep(chance.uniform(0.0, 4.0))
            server.stop(signal.SIGKILL)
            killed = time.monotonic()
            # A docker client that is killed may have made what it did not start.
            assert eventually(lambda server=server: server.states() <= {"created"}, LONGEST), server.states()  # type: ignore[misc]
            took = time.monotonic() - killed
            sweep(server, folder)
            assert eventually(lambda server=server: not server.clients())  # type: ignore[misc]
            ended += sum(each.result() for each in answers)
        report = audited(folder / "audit.jsonl")
        started += report["runs"] + len(report["open"])
        print(f"kill {number}: gone after {took:.1f} s, {len(report['open'])} runs were going on")
    print(f"{started} runs, {ended} answers, {number} kills")


def test_the_next_start_sweeps_its_own_at_once(engine: None, tmp_path: Path) -> None:
    """Without waiting for any limit; another instance's container stays."""
    instance, other = f"test-{secrets.token_hex(4)}", f"test-{secrets.token_hex(4)}"
    command = ["--network=none", "--entrypoint=sleep", "code-runner-python:3", "300"]
    docker("run", "-d", "--name", f"{other}-1", f"--label={LABEL}={other}", *command)
    try:
        for name in ("first", "second"):
            (tmp_path / name).mkdir()
        with serving(tmp_path / "first", instance=instance, running=2) as server, ThreadPoolExecutor(2) as clients:
            for _ in range(2):
                clients.submit(server.post, {"language": "python", "code": "import time; time.sleep(99)"})
            assert eventually(lambda: server.running() > 0)
            server.stop(signal.SIGKILL)
            left = set(server.containers())
            docker("run", "-d", "--name", f"{instance}-1", f"--label={LABEL}={instance}", *command)
            docker("create", "--name", f"{instance}-2", f"--label={LABEL}={instance}", *command)
            with serving(tmp_path / "second", instance=instance) as second:
                left |= {f"{instance}-1", f"{instance}-2"}
                assert eventually(lambda: not left & set(second.containers()), 5)
                assert docker("ps", "-q", f"--filter=name=^{other}-1$")
    finally:
        docker("rm", "-f", f"{other}-1")


def test_what_a_killed_command_left_is_swept_when_it_is_old(engine: None, tmp_path: Path) -> None:
    """A container that was made and never started: after ten minutes; not a younger one, nor anybody else's."""
    old, young = datetime.now(UTC) - timedelta(minutes=11), datetime.now(UTC) - timedelta(minutes=9)
    mark = secrets.token_hex(4)
    names = {
        "old": f"job-{old:%Y%m%dT%H%M%S}-{mark}",
        "young": f"job-{young:%Y%m%dT%H%M%S}-{mark}",
        "strange": f"other-{mark}",
        "server": f"job-{old:%Y%m%dT%H%M%S}-{mark}0",
        "running": f"job-{old:%Y%m%dT%H%M%S}-{mark}1",
    }
    image = ["--network=none", "--entrypoint=sleep", "code-runner-python:3", "300"]
    try:
        for kind, name in names.items():
            label = f"--label={LABEL}={'test' if kind == 'server' else 'cli'}-{mark}"
            how = ["run", "--detach"] if kind == "running" else ["create"]
            docker(*how, "--name", f"new-{kind}-{mark}", label, *image)  # any server may sweep what is not running yet
            docker("rename", f"new-{kind}-{mark}", name)
        with serving(tmp_path):
            assert gone(names["old"])
        assert sorted(docker("ps", "-a", f"--filter=name={mark}", "--format={{.Names}}").split()) == sorted(
            {*names.values()} - {names["old"]}
        )
    finally:
        docker("rm", "-f", *set(names.values()) & set(docker("ps", "-a", "--format={{.Names}}").split()))


@pytest.mark.parametrize("delay", [0.0, 0.15, 0.4, 1.0] if SOAK else [0.4])
def test_a_command_that_is_killed_leaves_no_program(engine: None, tmp_path: Path, delay: float) -> None:
    """Nothing of it runs longer than its limits."""
    program = tmp_path / "forever.py"
    program.write_text("while True: pass\n")
    command = [sys.executable, "-m", "runner", "run", "python", str(program)]
    before = set(docker("ps", "-aq", f"--filter=label={LABEL}").split())
    with subprocess.Popen(command, cwd=ROOT, env=os.environ, stdin=subprocess.DEVNULL) as process:
        time.sleep(0.5 + delay)
        process.kill()
    running = ("ps", "-q", f"--filter=label={LABEL}", '--format={{.ID}} {{.Label "code-runner"}}')

    def left() -> list[str]:
        lines = [json.dumps(line) for line in docker(*running).splitlines() if " cli-" in line]
        return [line for line in lines if line[1:13] not in before]

    assert eventually(lambda: not left(), LONGEST), left()
