"""Several servers as CLUSTER.md has them: three of them here, one Redis, and Caddy with its file in front."""

import json
import os
import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar, Final

import httpx
import pytest
import yaml
from websockets.sync.client import ClientConnection, connect

from runner.client import Client, Retry
from runner.policy import configuration
from tests.harness import PATIENT, ROOT, Server, audited, eventually, free_port, hear, hear_out, serving
from tests.web.test_idempotency import CHANCE, new, told
from tests.web.test_proxies import COUNTED, NAME, a_caddy
from tests.web.test_redis import a_redis

FILES: Final = ROOT / "images" / "server"
SOCKET: Final = Path("/var/run/docker.sock")
LIMIT: Final = 40
"""Runs of a client, on all servers together."""
VARIABLES: Final = {
    "DOCKER_GID": "999",
    "REDIS_PASSWORD": "x",
    "FRONT": "10.0.0.1",
    "HOST": NAME,
    "NODES": "10.0.0.1:3000 10.0.0.2:3000",
}


@dataclass(frozen=True)
class Cluster:
    """All of it."""

    nodes: tuple[Server, ...]
    front: str
    log: Path
    """Caddy's."""
    socket: Path
    """Through which the last node reaches its engine."""

    def started(self) -> list[int]:
        """How many runs each node has begun."""
        return [audit(node).count('"event":"started"') for node in self.nodes]

    def ask(self, body: object, source: str = "127.0.0.1", **headers: str) -> httpx.Response:
        """``POST /run`` at the front, from an address."""
        with httpx.Client(transport=httpx.HTTPTransport(local_address=source), timeout=60) as client:
            return client.post(f"{self.front}/run", json=body, headers={"host": NAME, **headers})


def directly(source: str, key: str) -> dict[str, str]:
    """The headers of a client of that address for whoever trusts this one, with a key."""
    return {"host": NAME, "x-forwarded-for": source, "idempotency-key": key}


def audit(node: Server) -> str:
    """What its file has."""
    return (node.log.parent / "audit.jsonl").read_text()


def in_the_midst(node: Server) -> bool:
    """Whether a run has begun there and not ended."""
    said = audit(node)
    return said.count('"started"') > said.count('"ended"')


@pytest.fixture(scope="module")
def cluster(engine: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """The file as it is, but for the certificate, and for looking at the nodes more often."""
    folder, port = tmp_path_factory.mktemp("cluster"), free_port()
    (folder / "docker.sock").symlink_to(SOCKET)
    settings: dict[str, Any] = {"allowed_hosts": [NAME], "trusted_proxies": ["127.0.0.1"]}
    with ExitStack() as stack:
        redis = stack.enter_context(a_redis())
        settings |= {"rate_limit": f"{LIMIT} per 15 minutes", "rate_limit_storage": redis.url, "edit": PATIENT}
        nodes = []
        for name in ("node1", "node2", "node3"):
            (folder / name).mkdir()
            last = name == "node3"  # it has nothing ahead, and so no pause after failures that nobody has asked for
            host = f"unix://{folder}/docker.sock" if last else None
            nodes.append(stack.enter_context(serving(folder / name, host=host, warm=0 if last else 1, **settings)))
        assert eventually(lambda: all(node.get("/ready").status_code == 200 for node in nodes), 30)
        text, found = re.subn("health_interval 5s", "health_interval 1s", (FILES / "cluster.Caddyfile").read_text())
        assert found == 1
        addresses = " ".join(f"127.0.0.1:{node.port}" for node in nodes)
        variables = (f"NODES={addresses}", f"HOST=http://{NAME}:{port}")
        front = stack.enter_context(a_caddy(text, port, folder, *variables))
        yield Cluster(tuple(nodes), front, folder / "log", folder / "docker.sock")


@contextmanager
def terminal(cluster: Cluster) -> Iterator[ClientConnection]:
    """A program on one that waits for a person; it runs."""
    address, _, port = cluster.front.removeprefix("http://").partition(":")
    with connect(f"ws://{NAME}:{port}/run/live", sock=socket.create_connection((address, int(port)))) as client:
        client.send(json.dumps({"language": "python", "code": "print(input()[::-1])"}))
        while hear(client) != ("phase", {"phase": "run", "run": 1}):
            pass
        yield client


def test_the_least_busy_is_asked(cluster: Cluster) -> None:
    """Three conversations are on three servers; they go both ways, and end as without a front."""
    with ExitStack() as stack:
        clients = [stack.enter_context(terminal(cluster)) for _ in cluster.nodes]
        assert cluster.started() == [1, 1, 1]
        for client in clients:
            client.send(json.dumps({"input": "abc\r"}))
            heard, code = hear_out(client)
            assert (code, "cba" in "".join(data["text"] for name, data in heard if name == "stdout")) == (1000, True)


def test_one_key_is_one_run(cluster: Cluster) -> None:
    """Whoever asks again comes to the server that has the answer; it is no other client's. Events go through."""
    body, key, before = {"language": "python", "code": CHANCE}, new(), sum(cluster.started())
    answers = [cluster.ask(body, **{"idempotency-key": key}) for _ in range(5)]
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert cluster.ask(body, "127.20.0.9", **{"idempotency-key": key}).json()["id"] != answers[0].json()["id"]
    events = told(cluster.ask(body, accept="text/event-stream", **{"idempotency-key": key}))
    assert events == [("result", answers[0].json())]
    assert sum(cluster.started()) == before + 2
    names = [name for name, _ in told(cluster.ask(body, accept="text/event-stream"))]
    assert names == ["phase", "stdout", "result"]


def test_there_is_one_rate_limit(cluster: Cluster) -> None:
    """However many servers answer."""
    heard = [cluster.ask({}, "127.20.0.1").status_code for _ in range(LIMIT + 3)]
    assert heard == [COUNTED] * LIMIT + [429] * 3
    assert cluster.ask({}, "127.20.0.2").status_code == COUNTED


@contextmanager
def no_engine(cluster: Cluster) -> Iterator[Server]:
    """For the last node."""
    cluster.socket.unlink()
    try:
        yield cluster.nodes[2]
    finally:
        cluster.socket.symlink_to(SOCKET)


def test_who_is_not_ready_is_left_out(cluster: Cluster) -> None:
    """Its engine is gone: it gets nothing, and all goes well; when it is back it is asked again."""
    body, key = {"language": "python", "code": "print(1)"}, new()

    def keyed() -> int:
        return node.post(body, headers=directly("127.20.0.4", key)).status_code

    with no_engine(cluster) as node:
        seen = f'"status_code":503,"host":"127.0.0.1:{node.port}'
        assert eventually(lambda: cluster.log.read_text().count(seen) >= 3, 20)  # for those with a key, and the others
        before = cluster.started()[2]
        assert [cluster.ask(body, "127.20.0.3").status_code for _ in range(4)] == [200] * 4
        assert cluster.started()[2] == before
        assert keyed() == 503
    assert eventually(lambda: node.get("/ready").status_code == 200)
    assert eventually(lambda: keyed() == 200)  # a refusal is not kept; after a failure there is a pause
    sources = (f"127.20.1.{number}" for number in range(1, 250))

    def reached() -> bool:
        before = node.log.read_text().count("method=POST")
        assert cluster.ask({}, next(sources)).status_code == COUNTED
        return node.log.read_text().count("method=POST") > before

    assert eventually(reached, 20)


def test_a_server_is_killed_under_load(cluster: Cluster) -> None:
    """Only what ran there is lost; its clients are told to come again, and have their answers then."""
    lost: list[tuple[int, str, float | None]] = []
    retry = Retry(told=lambda _, error: lost.append((error.status, error.title, error.seconds)))
    code = "import time\nn = input()\ntime.sleep(3)\nprint(n)"

    def ask(number: int) -> str:
        with Client(cluster.front, retry=retry) as client:
            client._http.headers["Host"] = NAME
            return str(client.run("python", code, input=str(number))["stdout"])

    victim = cluster.nodes[1]
    with ThreadPoolExecutor(6) as clients:
        answers = clients.map(ask, range(6))
        assert eventually(lambda: in_the_midst(victim), 20)
        victim.stop(signal.SIGKILL)
        assert list(answers) == [f"{number}\n" for number in range(6)]
    reports = [audited(node.log.parent / "audit.jsonl") for node in cluster.nodes]
    assert [len(report["open"]) > 0 for report in reports] == [False, True, False]
    assert len(lost) >= len(reports[1]["open"])
    assert set(lost) == {(502, "Server gone", 1.0)}
    assert eventually(lambda: not victim.containers(), 20)
    together = audited(*(node.log.parent / "audit.jsonl" for node in cluster.nodes))
    assert list(together["nodes"]) == [str(node.log.parent) for node in cluster.nodes]
    assert together["runs"] == sum(report["runs"] for report in reports)


def test_a_stop_ends_what_goes_on_for_nobody(cluster: Cluster) -> None:
    """A run with a key, whose client has left: nothing is left of it, and the audit file says so."""
    node, body = cluster.nodes[0], {"language": "python", "code": "import time\ntime.sleep(20)"}
    with pytest.raises(httpx.ReadTimeout):
        node.post(body, headers=directly("127.20.0.5", new()), timeout=1)
    assert eventually(lambda: in_the_midst(node))
    node.stop()
    assert '"reason":"abandoned"' in audit(node)
    assert audited(node.log.parent / "audit.jsonl")["open"] == {}


def test_nobody_is_there(tmp_path: Path) -> None:
    """A problem with Retry-After, as every other."""
    port = free_port()
    text = (FILES / "cluster.Caddyfile").read_text()
    with a_caddy(text, port, tmp_path, f"NODES=127.0.0.1:{free_port()}", f"HOST=http://{NAME}:{port}") as front:
        answer = httpx.post(f"{front}/run", json={}, headers={"host": NAME}, timeout=20)
        kind, after = answer.headers["content-type"], answer.headers["retry-after"]
        assert (kind, after) == ("application/problem+json", "1")
        assert answer.status_code == answer.json()["status"]
        assert answer.status_code in (502, 503)  # 503 once it has seen that none is there


class Answering(BaseHTTPRequestHandler):
    """A node that is ready, and answers."""

    asked: ClassVar[set[object]] = set()
    """The addresses of those that somebody has asked."""

    def do_GET(self) -> None:
        self.asked.add(self.server.server_address)
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self.send_response(200)
        self.end_headers()

    do_POST = do_GET  # noqa: N815


def test_who_is_dead_takes_nobody_along(tmp_path: Path) -> None:
    """A node that the front has not looked at since it died: who comes there is told, and all others are answered."""
    alive, dead = (ThreadingHTTPServer(("127.0.0.1", 0), Answering) for _ in range(2))
    for node in (alive, dead):
        Thread(target=node.serve_forever).start()
    port = free_port()
    text = (FILES / "cluster.Caddyfile").read_text().replace("health_interval 5s", "health_interval 60s")
    addresses = " ".join(f"127.0.0.1:{node.server_port}" for node in (alive, dead))
    try:
        with a_caddy(text, port, tmp_path, f"NODES={addresses}", f"HOST=http://{NAME}:{port}") as front:
            assert eventually(lambda: Answering.asked >= {node.server_address for node in (alive, dead)})
            dead.shutdown()
            dead.server_close()
            heard = [httpx.post(f"{front}/run", json={}, headers={"host": NAME}).status_code for _ in range(8)]
    finally:
        alive.shutdown()
        alive.server_close()
    assert heard.count(502) <= 1
    assert {*heard} <= {200, 502}


def test_the_files_agree_with_the_service() -> None:
    """The stack is one by docker's own word; its bounds are those of compose.yaml and server.toml."""
    command = ["docker", "stack", "config", f"--compose-file={FILES / 'stack.yaml'}"]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=30, check=False, env={**os.environ, **VARIABLES}
    )
    assert done.returncode == 0, done.stderr
    stack = yaml.safe_load(done.stdout)
    server = stack["services"]["server"]
    ((_, compose),) = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"].items()
    assert server["image"] == compose["image"]
    assert server["user"] == "10001:999"
    assert (server["read_only"], server["cap_drop"]) == (compose["read_only"], compose["cap_drop"])
    assert server["stop_grace_period"] == compose["stop_grace_period"]
    limits = server["deploy"]["resources"]["limits"]
    assert (int(limits["memory"]), limits["pids"]) == (2 * 2**30, compose["pids_limit"])
    assert stack["services"]["front"]["environment"] == {key: VARIABLES[key] for key in ("HOST", "NODES")}
    served = {Path(each["target"]).stem for each in server["configs"]}
    config = configuration.load()
    assert served == {"server", "seccomp", "lock", *config.settings.languages}
    words = (FILES / "cluster.Caddyfile").read_text()
    assert re.findall(r"max_size (\d+)", words) == [str(config.settings.body)]
    assert float(re.findall(r"keepalive (\d+)s", words)[0]) < config.settings.body_time
