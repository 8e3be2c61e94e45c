"""Several servers, one limit: a real Redis, also one that is stopped, hangs, and comes back."""

import re
import signal
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from runner.policy import keys, settings
from tests.harness import ROOT, Server, eventually, free_port, serving

pytestmark = pytest.mark.usefixtures("engine")
COUNTED = 400
"""What an empty body hears after it has been counted: no container is needed."""
AWAY = {
    "type": "urn:code-runner:rate-limiter-not-available",
    "title": "Rate limiter not available",
    "status": 503,
    "detail": "Requests cannot be counted at the moment, and nothing runs uncounted. Try again shortly.",
}
KEY = f"{keys.PREFIX}{'a' * 36}"
KEYS = "required = false\n" + keys.new("required = false\n", "alice", KEY, "2 per 15 minutes")
NOT_READY = "the rate limiter's Redis does not answer"


@dataclass
class Redis:
    """A Redis on a port of its own that keeps nothing on disk."""

    port: int
    words: tuple[str, ...] = ()
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """For `rate-limit-storage`."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Returns when it answers."""
        command = ["redis-server", f"--port {self.port}", "--bind 127.0.0.1", "--save ''", *self.words]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        assert eventually(lambda: b"PONG" in self.ask("ping") or b"NOAUTH" in self.ask("ping"))

    def stop(self) -> None:
        """At once."""
        assert self.process
        self.process.kill()
        self.process.wait()

    def ask(self, *words: str) -> bytes:
        """What redis-cli prints."""
        command = ["redis-cli", "-p", str(self.port), *words]
        return subprocess.run(command, capture_output=True, timeout=10, check=False).stdout


@contextmanager
def a_redis(*words: str) -> Iterator[Redis]:
    """One that runs; afterwards it does not."""
    redis = Redis(free_port(), words)
    redis.start()
    try:
        yield redis
    finally:
        redis.stop()


@pytest.fixture
def redis() -> Iterator[Redis]:
    """One without a password."""
    with a_redis() as running:
        yield running


def asked(server: Server, client: str = "203.0.113.1") -> int:
    """The status that a client behind the proxy hears."""
    return server.post({}, headers={"x-forwarded-for": client}).status_code


def folder(path: Path) -> Path:
    """For one more server."""
    path.mkdir()
    return path


def test_two_servers_share_one_limit(tmp_path: Path, redis: Redis) -> None:
    """Whichever a client asks; an IPv6 /64 is one client there, too, and a key; each entry expires by itself."""
    setting: dict[str, Any] = {
        "rate_limit": "3 per 15 minutes",
        "rate_limit_storage": redis.url,
        "trusted_proxies": ["127.0.0.1"],
        "keys": KEYS,
    }
    with serving(folder(tmp_path / "1"), **setting) as one, serving(folder(tmp_path / "2"), **setting) as two:
        assert [asked(server) for server in (one, two, one, two, one)] == [COUNTED, COUNTED, COUNTED, 429, 429]
        addresses = [f"2001:db8:1:2::{number}" for number in range(4)]
        assert [asked(one, address) for address in addresses] == [COUNTED, COUNTED, COUNTED, 429]
        assert asked(two, "2001:db8:1:3::") == COUNTED
        answer = two.post({}, headers={"x-forwarded-for": "203.0.113.2"})
        assert (answer.headers["ratelimit"], answer.headers["ratelimit-policy"]) == (
            '"run";r=2;t=900',
            '"run";q=3;w=900',
        )
        holder = {"headers": {"x-forwarded-for": "203.0.113.1", "x-api-key": KEY}}
        assert [server.post({}, **holder).status_code for server in (one, two, one)] == [COUNTED, COUNTED, 429]
    entries = redis.ask("keys", "*").split()
    assert len(entries) == 5
    assert not any(KEY.encode() in entry for entry in entries)
    assert all(entry.startswith(b"code-runner:") for entry in entries)
    assert all(890 < int(redis.ask("ttl", entry.decode())) <= 900 for entry in entries)


def test_nothing_runs_uncounted(tmp_path: Path, redis: Redis) -> None:
    """A Redis that is away, or hangs: 503 in time, /ready says it, and all is well again without a restart."""
    with serving(tmp_path, rate_limit_storage=redis.url, trusted_proxies=["127.0.0.1"]) as server:
        assert asked(server) == COUNTED
        redis.stop()
        refused(server)
        redis.start()
        assert [asked(server), server.get("/ready").status_code] == [COUNTED, 200]
        assert redis.process
        redis.process.send_signal(signal.SIGSTOP)
        refused(server)
        with ThreadPoolExecutor(40) as clients:  # more than the server has connections
            assert set(clients.map(asked, [server] * 40)) == {503}
        redis.process.send_signal(signal.SIGCONT)
        assert [asked(server), server.get("/ready").status_code] == [COUNTED, 200]
        assert "rate limiter: 'no answer within 1 s'" in server.log.read_text()


def refused(server: Server) -> None:
    """The problem, its Retry-After and what /ready says, each after a second at most, and docker's own time."""
    began = time.monotonic()
    answer = server.post({"language": "python", "code": "print(1)"})
    assert (answer.status_code, answer.json(), answer.headers["retry-after"]) == (503, AWAY, "5")
    ready = server.get("/ready", timeout=20)
    assert (ready.status_code, ready.json()["detail"]) == (503, NOT_READY)
    assert time.monotonic() - began < 5
    assert server.get("/health").status_code == 200


def test_a_password_comes_from_the_environment(tmp_path: Path) -> None:
    """And stands in no log; without it nothing runs."""
    with a_redis("--requirepass correct-horse") as redis:
        with serving(
            folder(tmp_path / "1"), {"REDIS_PASSWORD": "correct-horse"}, rate_limit_storage=redis.url
        ) as server:
            assert server.post({}).status_code == COUNTED
            assert "correct-horse" not in server.log.read_text()
        with serving(folder(tmp_path / "2"), {"REDIS_PASSWORD": "wrong-horse"}, rate_limit_storage=redis.url) as server:
            assert server.post({}).json() == AWAY
            assert "wrong-horse" not in server.log.read_text()


def test_the_readme_says_it_as_it_is_written() -> None:
    """Its line is one that server.toml takes."""
    line = re.findall(r"(?m)^rate-limit-storage = .*$", (ROOT / "images" / "server" / "README.md").read_text())
    text = (ROOT / "policies" / "server.toml").read_text()
    changed = re.sub(r"(?m)^rate-limit-storage = .*$", line[0], text)
    assert settings.parse(changed).rate_limit_storage == "redis://redis.example:6379/0"
