"""Nothing is left behind: clients that leave, servers that stop, servers that are killed, containers that die."""

import re
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from runner.policy import argv, configuration
from runner.policy.argv import LABEL
from tests.harness import (
    EVENTS,
    FOREVER,
    PATIENT,
    ROOT,
    Server,
    asking,
    copy_policies,
    docker,
    eventually,
    fake_docker,
    gone,
    holding,
    processes,
    serving,
)

GOOD = {"language": "python", "code": "print(1)"}
ONE, TWO = "60k", "90k"
"""Memory for so many small requests in the line."""
SLEEP = {"language": "python", "code": "import time; time.sleep(1); print('done')"}


@pytest.fixture
def own(engine: None, tmp_path: Path) -> Iterator[Server]:
    """A server that a test may kill."""
    with serving(tmp_path, warm=2, running=2) as server:
        assert eventually(lambda: server.idle() >= 2, 20)
        yield server


def idle(server: Server) -> list[str]:
    """Its containers whose launcher waits."""
    return docker("ps", f"--filter=label={LABEL}={server.instance}", "--format={{.Names}}").split()


def test_what_show_prints_is_what_runs(server: Server) -> None:
    """Byte for byte, in the process table, but for the name, the uid and the label's value."""
    assert eventually(lambda: len(server.clients()) >= 4)
    config = configuration.load()
    shown = {
        argv.run(policy, argv.NAME_PLACEHOLDER, argv.UID_PLACEHOLDER, server.instance)
        for policy in config.policies.values()
    }
    running = set()
    for pid in server.clients():
        words = Path(f"/proc/{pid}/cmdline").read_text().split("\0")[:-1]
        words = [
            re.sub(r"^--name=job-\d{8}T\d{6}-[0-9a-f]{16}$", f"--name={argv.NAME_PLACEHOLDER}", word) for word in words
        ]
        running.add(tuple(re.sub(r"^--user=\d+:\d+$", "--user={uid}:{uid}", word) for word in words))
    assert running == shown


def test_no_two_living_containers_share_a_uid(server: Server) -> None:
    """The kernel's limits per uid are host-wide."""
    commands = [command for pid, _, command in processes() if pid in set(server.clients())]
    users = [found[1] for command in commands if (found := re.search(r"--user=(\d+):\1 ", command))]
    assert len(users) == len(commands) == len(set(users)) > 0


def test_a_client_that_leaves_stops_its_program(server: Server) -> None:
    """Long before the time limit."""
    assert eventually(lambda: server.idle() >= 4)  # two of each language: it is to begin at once
    before = set(server.containers())
    with pytest.raises(httpx.ReadTimeout):
        server.post(FOREVER, timeout=0.5)
    assert eventually(lambda: not server.jobs(), 1.9)
    assert eventually(lambda: len(before - set(server.containers())) == 1)


def test_clients_that_leave_the_line_free_their_place(tmp_path: Path) -> None:
    """At once: the next is served as if they had never come."""
    with serving(tmp_path, running=1, waiting_memory=ONE, edit=PATIENT) as server, ThreadPoolExecutor(1) as clients:
        with holding(server):
            with asking(server, GOOD):
                assert eventually(lambda: server.waiting() == 1)
            assert eventually(lambda: server.waiting() == 0)
            last = clients.submit(server.post, GOOD)
            assert eventually(lambda: server.waiting() == 1)
        assert last.result().status_code == 200


def test_beyond_the_line_it_is_busy(tmp_path: Path) -> None:
    """A 503 with Retry-After, at once, also for who asked for events."""
    with serving(tmp_path, running=1, waiting_memory=ONE, edit=PATIENT) as server:
        with holding(server), asking(server, GOOD):
            assert eventually(lambda: server.waiting() == 1)
            for headers in ({}, EVENTS):
                refused = server.post(GOOD, headers=headers)
                assert (refused.status_code, refused.json()["title"]) == (503, "Busy")
                assert refused.json()["detail"] == "1 programs wait already. Try again shortly."
                assert refused.headers["retry-after"] == "2"
        assert server.run("python", "print(1)")["stdout"] == "1\n"


def test_who_will_not_wait_so_long_hears_it_at_once(tmp_path: Path) -> None:
    """`Prefer: wait=1`, when those before it take longer by the pace of the line: two have been served from it."""
    with serving(tmp_path, warm=2, running=1) as server, ThreadPoolExecutor(6) as clients:
        asked = [clients.submit(server.post, SLEEP) for _ in range(6)]
        assert eventually(lambda: sum(each.done() for each in asked) >= 2 and server.waiting() <= 3, 30)
        refused = server.post(GOOD, headers={"Prefer": "wait=1"})
        assert refused.status_code == 503
        assert refused.json()["detail"].endswith(" come first, which takes longer than 1 s. Try again shortly.")
        assert refused.headers["retry-after"] in {"2", "3", "4"}
        assert [each.result().status_code for each in asked] == [200] * 6


def test_the_line_is_fair_by_client(tmp_path: Path) -> None:
    """Who comes late waits behind one of another's programs; if it is full, the last of whoever has most goes."""
    settings: dict[str, Any] = {"running": 1, "waiting_memory": TWO, "trusted_proxies": ["127.0.0.1"]}
    one, other = ({"X-Forwarded-For": f"192.0.2.{number}"} for number in (1, 2))
    with serving(tmp_path, edit=PATIENT, **settings) as server, ThreadPoolExecutor(3) as clients:
        with holding(server, one):
            waiting = []
            for number in (1, 2):
                waiting.append(clients.submit(server.post, GOOD, headers=one))
                assert eventually(lambda number=number: server.waiting() == number)  # type: ignore[misc]
            late = clients.submit(server.post, GOOD, headers=other)
            assert waiting[1].result().status_code == 503
        assert [each.result().status_code for each in (waiting[0], late)] == [200, 200]


def test_at_sigterm_running_programs_finish(own: Server) -> None:
    """Their answers arrive, nobody new is served, nothing is left."""
    with ThreadPoolExecutor(1) as clients:
        answer = clients.submit(own.post, SLEEP)
        assert eventually(lambda: own.running() == 1)
        assert own.stop() < 8
        assert answer.result().json()["stdout"] == "done\n"
    assert own.containers() == []
    with pytest.raises(httpx.ConnectError):
        own.get("/health")


def test_at_sigterm_the_time_to_finish_is_bounded(engine: None, tmp_path: Path) -> None:
    """What runs longer than stop-time is killed."""
    with serving(tmp_path, stop_time=0) as server:
        with ThreadPoolExecutor(1) as clients:
            answer = clients.submit(httpx.post, f"{server.url}/run", json=FOREVER, timeout=20)
            assert eventually(lambda: server.running() == 1)
            assert server.stop() < 8
            answer.exception()
        assert server.containers() == []


HOSTILE = """
import os, signal
for pid in [int(p) for p in os.listdir("/proc") if p.isdecimal()]:
    if pid != os.getpid():
        try: os.kill(pid, signal.SIGSTOP)
        except OSError: pass
while True: pass
"""


def test_a_killed_server_leaves_nothing_that_outlives_the_limits(own: Server) -> None:
    """Idle containers end at once, and the launchers' own clocks end the programs, whatever these do to them."""
    with ThreadPoolExecutor(2) as clients:
        for code in (HOSTILE, "while True: pass"):
            clients.submit(own.post, {"language": "python", "code": code})
        assert eventually(lambda: own.running() == 2)
        own.stop(signal.SIGKILL)
    assert eventually(lambda: len(own.containers()) <= 2, 3)
    assert eventually(lambda: not own.containers(), 8)
    assert eventually(lambda: not own.clients())


def test_a_start_sweeps_what_is_its_own_and_only_that(engine: None, tmp_path: Path) -> None:
    """By its label, in whatever state."""
    mine, other = f"test-{secrets.token_hex(4)}", f"test-{secrets.token_hex(4)}"
    command = ["--network=none", "--entrypoint=sleep", "code-runner-python:3", "300"]
    try:
        docker("run", "-d", "--name", f"{mine}-1", f"--label={LABEL}={mine}", *command)
        docker("create", "--name", f"{mine}-2", f"--label={LABEL}={mine}", *command)
        docker("create", "--name", f"{other}-1", f"--label={LABEL}={other}", *command)
        with serving(tmp_path, instance=mine) as server:
            assert eventually(lambda: not [n for n in server.containers() if n.startswith(mine)])
            assert gone(f"{mine}-1")
            assert docker("ps", "-aq", f"--filter=name=^{other}-1$")
    finally:
        docker("rm", "-f", f"{other}-1")


def test_a_container_that_died_idle_is_replaced(own: Server) -> None:
    """It never becomes a program's verdict."""
    dead = idle(own)
    docker("kill", *dead)
    answers = [own.post(GOOD) for _ in range(3)]
    assert {a.status_code for a in answers} <= {200, 503}
    assert eventually(lambda: own.post(GOOD).status_code == 200, 10)
    assert eventually(lambda: len(set(idle(own)) - set(dead)) >= 2, 20)


def test_a_crowd_finds_containers_ready_the_next_time(engine: None, tmp_path: Path) -> None:
    """As many as came at once stand ready from then on, within the share of what there may be."""
    with serving(tmp_path, running=2, warm_share=0.25, containers=16) as server, ThreadPoolExecutor(6) as clients:
        assert {answer.status_code for answer in clients.map(server.post, [GOOD] * 6)} == {200}
        assert eventually(lambda: server.idle() == 4, 30)


def test_idle_containers_are_renewed(engine: None, tmp_path: Path) -> None:
    """After idle-time, and there is always one."""
    with serving(tmp_path, idle_time=1.5) as server:
        assert eventually(lambda: len(idle(server)) >= 1, 20)
        first = set(idle(server))
        assert eventually(lambda: not first & set(idle(server)), 20)
        assert server.run("python", "print(1)")["times"]["queued"] < 0.3


def test_a_missing_docker_client_is_the_engines_trouble(tmp_path: Path) -> None:
    """503, and the server stays up."""
    with serving(tmp_path, {"PATH": str(tmp_path)}) as server:
        answer = server.post(GOOD)
        assert (answer.status_code, answer.json()["title"]) == (503, "Engine not available")
        assert server.get("/ready").status_code == 503
        assert server.get("/health").status_code == 200


def test_a_docker_that_fails_is_not_the_programs_fault(engine: None, tmp_path: Path) -> None:
    """Garbage and exit code 125 at each start: a 503 that tells nothing of it."""
    script = '[ "$1" != run ] || { echo "SECRET $0" >&2; exit 125; }\nexec REAL "$@"\n'
    with serving(tmp_path, fake_docker(tmp_path, script)) as server:
        answer = server.post(GOOD)
        assert answer.status_code == 503
        assert "SECRET" not in answer.text
        assert "SECRET" in server.log.read_text()


def test_the_server_refuses_to_start_with_a_bad_policy(tmp_path: Path) -> None:
    """All problems of all files, with exit code 1."""
    edit = {"python.toml": ('"--read-only"', '"--privileged"'), "cpp.toml": ('"--network=none"', '"--network=host"')}
    folder = copy_policies(tmp_path, {"port": 70000}, edit)
    command = [sys.executable, str(ROOT / "server.py"), f"--policies={folder}"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert ended.returncode == 1
    assert ended.stderr.splitlines() == [
        "server.toml:3: port must be from 0 to 65535",
        "cpp.toml:9: --network=host: must be none",
        "python.toml:11: --privileged: is forbidden: it gives the program every device and capability of the host; "
        "remove it",
        "python.toml:5: --read-only is missing (the image cannot be changed, and its layer not be filled): "
        "add --read-only",
        "The server does not start: see above.",
    ]
