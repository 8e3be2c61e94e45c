"""A server of the benchmark's own: the real one, on a free port, with a copy of the policies."""

import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from runner.policy import argv
from runner.sandbox.process import environment
from tests.bench.bare import PROJECT
from tests.bench.docker import call, containers_of

READY_TIME = 60.0
STOP_TIME = 30.0
HOST = "127.0.0.1"


@dataclass(slots=True)
class Serving:
    """A server that is up."""

    port: int
    pid: int
    log: Path
    left: list[str] = field(default_factory=list)
    """Containers that it left behind; known when it has stopped."""

    def complaints(self) -> list[str]:
        """What it logged as a warning or worse."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return [line for line in lines if re.match(r"\S+ \S+ (WARNING|ERROR|CRITICAL) |\w*(Error|Traceback)", line)]


def settings(instance: str, port: int) -> dict[str, object]:
    """Of server.toml only what a benchmark cannot share or would run into."""
    return {"host": HOST, "port": port, "instance": instance, "rate-limit": "1000000 per 1 minute"}


@contextmanager
def serving(folder: Path, instance: str, port: int) -> Iterator[Serving]:
    """The server from ready to gone, with whatever it left behind removed and told."""
    log = folder / "server.log"
    with log.open("wb") as file:
        server = subprocess.Popen(
            (sys.executable, "-m", "server"),
            cwd=folder,
            env=environment() | {"PYTHONPATH": str(PROJECT)},
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
    here = Serving(port, server.pid, log)
    try:
        _wait_until_ready(server, here)
        yield here
    finally:
        _stop(server)
        here.left = containers_of(instance)
        if here.left:
            call(argv.remove(*here.left))


def _wait_until_ready(server: subprocess.Popen[bytes], here: Serving) -> None:
    deadline = time.monotonic() + READY_TIME
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(f"http://{HOST}:{here.port}/ready", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    said = here.log.read_text(encoding="utf-8", errors="replace")[-2000:]
    raise RuntimeError(f"the server is not ready:\n{said}")


def _stop(server: subprocess.Popen[bytes]) -> None:
    server.send_signal(signal.SIGTERM)
    try:
        server.wait(STOP_TIME)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()
