"""An engine that is killed, hangs, is full or is not there: 503 within a bound, and all is well again by itself."""

import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.engine import IMAGE, Engine, own_engine
from tests.harness import FOREVER, SOAK, Server, audited, eventually, fake_docker, serving

WAITING = 3.0
"""Seconds that a request may wait for a container."""
BOUND = WAITING + 2 + 5 + 2
"""Seconds within which each request is answered: waiting, running, asking the engine, and a loaded machine."""
GOOD = {"language": "python", "code": "print(1)"}


@pytest.fixture(scope="module")
def own(engine: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """An engine that a test may break."""
    with own_engine(tmp_path_factory.mktemp("engine") / "disk") as broken:
        yield broken


@pytest.fixture(scope="module")
def faulty(own: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server that outlives all that its engine goes through."""
    folder = tmp_path_factory.mktemp("faulty")
    with serving(folder, host=own.host, running=2, waiting_time=WAITING) as server:
        assert eventually(lambda: server.post(GOOD).status_code == 200, 20)
        yield server
    assert audited(folder / "audit.jsonl")["open"] == {}


@dataclass
class Load:
    """Honest clients, one program after another; each must get its own answer or a problem, in time."""

    server: Server
    good: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    longest: float = 0.0
    _over: threading.Event = field(default_factory=threading.Event)

    def run(self, client: int) -> None:
        """One client, until all are told to end."""
        number = 0
        while not self._over.is_set():
            number += 1
            began = time.monotonic()
            answer = self.server.post({"language": "python", "code": f"print('{client}-{number}')"})
            self.longest = max(self.longest, time.monotonic() - began)
            self._count(answer, f"{client}-{number}\n")
            if answer.status_code != 200:
                time.sleep(0.1)

    def _count(self, answer: httpx.Response, expected: str) -> None:
        body = answer.json()
        if answer.status_code == 200 and (body["status"], body["stdout"]) == ("success", expected):
            self.good += 1
        elif answer.status_code == 503 and answer.headers["content-type"] == "application/problem+json":
            assert answer.headers["retry-after"]
            self.refused[body["title"]] = self.refused.get(body["title"], 0) + 1
        else:
            self.wrong.append(answer.text)

    def ended(self) -> None:
        """No more."""
        self._over.set()


@contextmanager
def load(server: Server, clients: int = 4 if SOAK else 2) -> Iterator[Load]:
    """Clients for as long as this goes on."""
    found = Load(server)
    with ThreadPoolExecutor(clients) as executor:
        running = [executor.submit(found.run, client) for client in range(clients)]
        try:
            yield found
        finally:
            found.ended()
        for each in running:
            each.result(timeout=BOUND + 5)
    assert found.wrong == []
    assert found.longest < BOUND


def progress(clients: Load) -> bool:
    """Whether programs run."""
    before = clients.good
    return eventually(lambda: clients.good > before + 5, 40)


def ready(server: Server) -> tuple[int, str]:
    """What /ready says, which must be in time."""
    answer = server.get("/ready", timeout=BOUND + 10)
    return answer.status_code, answer.json().get("detail", "")


def all_well(server: Server) -> bool:
    """Whether programs run, and there are no more containers and clients than wait for the next."""
    assert eventually(lambda: server.post(GOOD).status_code == 200, 30)
    assert eventually(lambda: ready(server)[0] == 200)
    assert eventually(lambda: not server.jobs())
    return eventually(lambda: len(server.containers()) == len(server.clients()) == 1, 30)


NO_ANSWER = (503, "the container engine does not answer: start it: make engine")


@contextmanager
def another(own: Engine, folder: Path) -> Iterator[Server]:
    """A server beside, in the middle of a program, that is stopped meanwhile: nothing of it is left afterwards."""
    folder.mkdir()
    with serving(folder, host=own.host, running=2, stop_time=1) as server, ThreadPoolExecutor(1) as client:
        assert eventually(lambda: len(server.containers()) >= 1, 20)
        answer = client.submit(server.post, FOREVER)
        assert eventually(lambda: server.running() == 1)
        yield server
        answer.exception()
        assert eventually(lambda: not server.containers(), 10)
    report = audited(folder / "audit.jsonl")
    assert (report["open"], report["stops"]) == ({}, 1)


def test_an_engine_that_is_killed_and_comes_back(own: Engine, faulty: Server, tmp_path: Path) -> None:
    """Under load, again and again: nobody waits for ever, no answer is wrong, a server can stop, programs run again."""
    stops = []
    with load(faulty) as clients:
        for number in range(5 if SOAK else 1):
            assert progress(clients)
            with another(own, tmp_path / str(number)) as server:
                own.kill()
                assert eventually(lambda: ready(faulty) == NO_ANSWER)
                stops.append(server.stop())
                own.start()
        assert progress(clients)
    print(f"good {clients.good}, refused {clients.refused}, longest {clients.longest:.1f} s, stopped in {stops}")
    assert max(stops) < 4
    assert "Engine not available" in clients.refused
    assert all_well(faulty)


def test_an_engine_that_hangs_and_goes_on(own: Engine, faulty: Server, tmp_path: Path) -> None:
    """Every docker command hangs: a program that may never have begun is no timeout of its own."""
    with load(faulty) as clients:
        assert progress(clients)
        with another(own, tmp_path / "another") as server, ThreadPoolExecutor(1) as stopping:
            own.process.send_signal(signal.SIGSTOP)
            asked, stopped = time.monotonic(), stopping.submit(server.stop)
            assert ready(faulty) == NO_ANSWER
            assert time.monotonic() - asked < 7
            assert stopped.result() < 10
            own.process.send_signal(signal.SIGCONT)
        assert progress(clients)
    print(f"good {clients.good}, refused {clients.refused}, longest {clients.longest:.1f} s")
    print(f"stopped in {stopped.result():.1f} s")
    assert all_well(faulty)


def test_an_image_that_goes_and_comes_back(own: Engine, faulty: Server) -> None:
    """/ready names the language; the next start after its return succeeds."""
    own.docker("tag", IMAGE, "kept:1")
    own.docker("rmi", "--force", IMAGE)
    missing = "the image of python is missing: `make images` builds it"
    assert eventually(lambda: ready(faulty) == (503, missing))
    answers = [faulty.post(GOOD) for _ in range(6)]  # those that were started before may still serve
    assert answers[-1].status_code == 503
    assert {a.json().get("title", "") for a in answers} <= {"", "Engine not available"}
    own.docker("tag", "kept:1", IMAGE)
    own.docker("rmi", "kept:1")
    assert all_well(faulty)


def test_an_engine_whose_disk_is_full(own: Engine, faulty: Server) -> None:
    """What it cannot start is refused; and when there is room, all is well."""
    own.fill()
    with load(faulty) as clients:
        assert eventually(lambda: "Engine not available" in clients.refused, 20)
        assert eventually(lambda: ready(faulty)[1].startswith("containers for "))
        assert "the engine's disk is full: make room" in ready(faulty)[1]
        own.empty()
        assert progress(clients)
    assert all_well(faulty)


def nothing_runs(server: Server) -> None:
    """Each request is a 503 in time, and /ready says why."""
    began = time.monotonic()
    answer = server.post(GOOD)
    assert time.monotonic() - began < BOUND
    assert answer.status_code == 503, answer.text
    assert answer.json()["title"] in ("Engine not available", "Busy")
    assert eventually(lambda: ready(server)[0] == 503)


@pytest.mark.parametrize(
    "script",
    ["head -c 3000000 /dev/urandom", "echo launch: ready >&2; exit 125", *(["exec sleep 1000"] if SOAK else [])],
)
def test_a_docker_client_that_is_broken(tmp_path: Path, script: str) -> None:
    """It hangs, prints garbage, lies: refused in time; the stop is bounded, and no client is left."""
    with serving(tmp_path, fake_docker(tmp_path, script), waiting_time=1.0) as server:
        nothing_runs(server)
        assert server.stop() < 10
    assert audited(tmp_path / "audit.jsonl")["open"] == {}


@pytest.mark.parametrize("failing", ["exit 1", *(["exec sleep 1000"] if SOAK else [])])
def test_a_kill_that_fails_is_not_the_last_word(engine: None, tmp_path: Path, failing: str) -> None:
    """A program at its limit is answered in time, and its container is removed all the same."""
    script = f'case "$1" in kill) {failing};; esac\nexec REAL "$@"\n'
    with serving(tmp_path, fake_docker(tmp_path, script), running=2) as server:
        answer = server.run("python", FOREVER["code"])
        assert (answer["status"], answer["reason"]) == ("timeout", "wall_time")
        assert eventually(lambda: answer["id"] not in server.containers(), 15)
        assert server.run("python", "print(1)")["stdout"] == "1\n"


def is_timeout(result: dict[str, Any]) -> bool:
    """Whether a program has had its time, and nothing else is told of it."""
    return (result["status"], result["reason"], result["exit_code"]) == ("timeout", "wall_time", None)


def test_an_engine_that_answers_late_makes_no_other_verdict(engine: None, tmp_path: Path) -> None:
    """The launcher's own clock may end a program while the server still waits for the engine's word."""
    script = 'case "$1" in version) sleep 3;; esac\nexec REAL "$@"\n'
    with serving(tmp_path, fake_docker(tmp_path, script)) as server:
        assert is_timeout(server.run("python", FOREVER["code"]))


def test_a_server_that_has_no_time_itself_makes_no_other_verdict(engine: None, tmp_path: Path) -> None:
    """It sees only afterwards that the launcher has ended the program."""
    with serving(tmp_path) as server, ThreadPoolExecutor(1) as client:
        answer = client.submit(server.run, "python", FOREVER["code"])
        assert eventually(lambda: server.running() == 1)
        server.process.send_signal(signal.SIGSTOP)
        time.sleep(3.5)
        server.process.send_signal(signal.SIGCONT)
        assert is_timeout(answer.result())
