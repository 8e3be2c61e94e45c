"""The real server against the real engine, and what must hold of the host around it."""

import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
from prometheus_client.parser import text_string_to_metric_families
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

from runner.policy.argv import LABEL

ROOT = Path(__file__).parent.parent
SOAK = "SOAK" in os.environ
"""Whether the tests that can take long do: `make soak`."""
STRETCH: Final = float(os.environ.get("STRETCH", "1"))
"""How many times as long everything may take: `make hosts`, where a processor is emulated."""
CHECKED: Final = ("-X", "dev") if STRETCH == 1 else ()
"""Python looks closely at itself in the servers, where that does not take too long."""


def docker(*words: str, host: str | None = None) -> str:
    """What a docker command prints, from the engine at ``host`` if there is one; a failure fails the test."""
    command = ["docker", *([f"--host={host}"] if host else []), *words]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60 * STRETCH).stdout


def eventually(true: Callable[[], bool], seconds: float = 10.0) -> bool:
    """Whether it came true in time."""
    began = time.monotonic()
    while (waited := time.monotonic() - began) < seconds * STRETCH:
        if true():
            return True
        time.sleep(min(0.02 + waited / 4, 0.2))  # to ask is work too, and tests run side by side
    return true()


def free_port() -> int:
    """A port on which nothing listens, and that no client gets by chance: below those that the kernel gives out."""
    while True:
        port = 10_000 + secrets.randbelow(20_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("", port))
            return port


LANGUAGES: Final = ("cpp", "python")
PATIENT: Final = {"python.toml": ("wall-time    = 2.0", "wall-time    = 30.0")}
"""An edit of the policies: what is gone before has been stopped."""
FOREVER: Final = {"language": "python", "code": "import time; time.sleep(99)"}
EVENTS: Final = {"accept": "text/event-stream"}


def copy_policies(
    target: Path,
    settings: Mapping[str, object],
    edit: Mapping[str, tuple[str, str]],
    warm: int = 2,
    languages: Sequence[str] = LANGUAGES,
    more: Path | None = None,
) -> Path:
    """Policies of the project with other settings of the service, so many containers ahead, and words replaced.

    ``more``: a folder with further policies.
    """
    folder = target / "policies"
    folder.mkdir()
    for file in (*(ROOT / "policies").iterdir(), *(more.iterdir() if more else ())):
        text = file.read_text()
        if file.name == "server.toml":
            served = [*languages, *(path.stem for path in (more.iterdir() if more else ()))]
            for key, value in {"languages": served, **settings}.items():
                text, found = re.subn(rf"(?m)^{key} = .*$", f"{key} = {json.dumps(value)}", text)
                assert found == 1, key
        old, new = edit.get(file.name, ("", ""))
        assert old in text, old
        text = re.sub(r"(?m)^warm     = \d+", f"warm     = {warm}", text.replace(old, new))
        (folder / file.name).write_text(stretched(text, STRETCH))
    return folder


def stretched(text: str, times: float) -> str:
    """A policy whose programs have so many times their time."""

    def longer(found: re.Match[str]) -> str:
        return f"{found[1]}{float(found[2]) * times:g}"

    return text if times == 1 else re.sub(r"(?m)^((?:wall|total|compile)-time\s*= )([\d.]+)", longer, text)


def processes() -> Iterator[tuple[int, int, str]]:
    """Every process of the host: pid, uid, command line."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                status = (entry / "status").read_text()
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except (FileNotFoundError, ProcessLookupError):
                continue
            uid = re.search(r"^Uid:\t(\d+)", status, re.MULTILINE)
            yield int(entry.name), int(uid[1]) if uid else -1, command


@dataclass(frozen=True)
class Held:
    """What a process holds."""

    memory: int
    """Bytes of RSS."""
    files: int
    threads: int


@dataclass(frozen=True)
class Server:
    """A running server."""

    process: subprocess.Popen[bytes]
    port: int
    instance: str
    log: Path
    temporary: Path
    host: str | None = None
    """Where its engine is, if it is another than the tests'."""

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def get(self, path: str, **options: Any) -> httpx.Response:
        """``GET``. Nothing is encrypted here, and to read the world's certificates would take 20 ms each time."""
        return httpx.get(f"{self.url}{path}", **{"verify": False, "timeout": 20 * STRETCH, **options})

    def post(self, body: object = None, **options: Any) -> httpx.Response:
        """``POST /run``."""
        return httpx.post(f"{self.url}/run", json=body, **{"verify": False, "timeout": 60 * STRETCH, **options})

    def run(self, language: str, code: str, input: str = "") -> dict[str, Any]:
        """Runs a program; anything but 200 fails the test."""
        answer = self.post({"language": language, "code": code, "input": input})
        assert answer.status_code == 200, answer.text
        result: dict[str, Any] = answer.json()
        return result

    def containers(self) -> list[str]:
        """The names of this server's containers, in whatever state."""
        return _labelled(self.instance, self.host)

    def states(self) -> set[str]:
        """Those of its containers, in docker's words."""
        return {*_labelled(self.instance, self.host, "{{.State}}")}

    def verifying(self) -> list[str]:
        """The container in which it proves a policy, if there is one at the moment."""
        return _labelled(f"verify/{self.instance}", self.host)

    def clients(self) -> list[int]:
        """The docker clients of this server that are alive."""
        return [pid for pid, _, command in processes() if f"--label={LABEL}={self.instance}" in command]

    def children(self) -> int:
        """How many commands it has started that have not ended, docker's clients among them."""
        threads = Path(f"/proc/{self.process.pid}/task").glob("*/children")
        return sum(len(each.read_text().split()) for each in threads)

    def jobs(self) -> list[str]:
        """Processes in its containers beside the launchers, and the interpreters that wait for their source.

        None are left of a program that has ended; but one is there, too, for a moment of each container that starts.
        """
        own = {int(found[1]) for pid in self.clients() if (found := re.search(r"--user=(\d+):", _command(pid)))}
        inside = [(pid, command) for pid, uid, command in processes() if uid in own]
        return [c for pid, c in inside if "/usr/lib/runner/launch" not in c and not _waits(pid)]

    def waiting(self) -> int:
        """Requests in its line."""
        return int(self.metrics()[("waiting",)])

    def idle(self) -> int:
        """Containers that are ready for a program."""
        return self._containers("idle")

    def running(self) -> int:
        """Programs that have a container, those of live runs among them."""
        return self._containers("running", "live")

    def _containers(self, *states: str) -> int:
        told = self.metrics().items()
        return sum(int(number) for (name, *labels), number in told if name == "containers" and labels[-1] in states)

    def metrics(self) -> dict[tuple[str, ...], float]:
        """Each sample of /metrics by its name and its labels' values, in the order of their names."""
        answer = self.get("/metrics")
        assert answer.headers["content-type"].startswith("text/plain; version=")
        samples = [each for family in text_string_to_metric_families(answer.text) for each in family.samples]
        return {
            (each.name.removeprefix("code_runner_"), *(said for _, said in sorted(each.labels.items()))): each.value
            for each in samples
        }

    def holds(self) -> Held:
        """What the server's process holds now."""
        process = Path(f"/proc/{self.process.pid}")
        status = dict(line.split(":\t", 1) for line in (process / "status").read_text().splitlines())
        memory = int(status["VmRSS"].split()[0]) * 1024
        return Held(memory, len(list((process / "fd").iterdir())), int(status["Threads"]))

    def stop(self, signal_number: int = signal.SIGTERM) -> float:
        """Ends the server; the seconds that it took."""
        began = time.monotonic()
        self.process.send_signal(signal_number)
        self.process.wait(timeout=60 * STRETCH)
        return time.monotonic() - began


@contextmanager
def asking(server: Server, body: object, headers: Mapping[str, str] | None = None) -> Iterator[None]:
    """A request that has been taken; its client leaves when this ends."""
    sent: dict[str, Any] = {"json": body, "headers": {**EVENTS, **(headers or {})}}
    with httpx.stream("POST", f"{server.url}/run", **sent, timeout=20 * STRETCH, verify=False) as answer:
        assert answer.status_code == 200, answer.read()
        yield


@contextmanager
def holding(server: Server, headers: Mapping[str, str] | None = None) -> Iterator[None]:
    """A place is taken for as long as this goes on, where the policies are PATIENT."""
    with asking(server, FOREVER, headers):
        assert eventually(lambda: server.running() == 1)
        yield


def _labelled(instance: str, host: str | None, told: str = "{{.Names}}") -> list[str]:
    return docker("ps", "-a", f"--filter=label={LABEL}={instance}", f"--format={told}", host=host).split()


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def _waits(pid: int) -> bool:
    """Whether it is held in opening a pipe that nobody writes to."""
    try:
        return Path(f"/proc/{pid}/wchan").read_text() in ("wait_for_partner", "fifo_open")
    except (FileNotFoundError, ProcessLookupError):
        return True


def sleeper() -> str:
    """A command that ends long after every limit, and that no other process has."""
    return f"sleep 59.{secrets.randbelow(10**12)}"


def audited(*files: Path) -> dict[str, Any]:
    """What `runner audit` says of files; their chain must hold."""
    command = [sys.executable, "-m", "runner", "audit", "--json", *map(str, files)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stderr) == (0, ""), ended.stdout
    report: dict[str, Any] = json.loads(ended.stdout)
    return report


def kill_launcher(mark: str) -> None:
    """Kills PID 1 of the container in which a process has this in its command line, from outside."""
    assert eventually(lambda: any(mark in command for _, _, command in processes()))
    inside = next(uid for _, uid, command in processes() if mark in command)
    os.kill(next(pid for pid, uid, c in processes() if uid == inside and "/usr/lib/runner/launch" in c), signal.SIGKILL)


def hear(client: ClientConnection) -> tuple[str, Any]:
    """The next message of a live run: its event and data."""
    message = json.loads(client.recv(timeout=20))
    assert set(message) == {"event", "data"}
    return message["event"], message["data"]


def hear_out(client: ClientConnection) -> tuple[list[tuple[str, Any]], int]:
    """All that is left to hear, and the code of the close."""
    heard = []
    try:
        while True:
            heard.append(hear(client))
    except ConnectionClosed as closed:
        return heard, closed.rcvd.code if closed.rcvd else 1006


def gone(name: str, seconds: float = 10.0) -> bool:
    """Whether no container of that name is left, in whatever state, in time."""
    return eventually(lambda: not docker("ps", "-aq", f"--filter=name=^{name}$"), seconds)


@contextmanager
def serving(
    folder: Path,
    environment: Mapping[str, str] | None = None,
    edit: Mapping[str, tuple[str, str]] | None = None,
    options: Sequence[str] = (),
    host: str | None = None,
    warm: int = 1,
    languages: Sequence[str] = ("python",),
    more: Path | None = None,
    keys: str = "",
    **settings: object,
) -> Iterator[Server]:
    """A server on a free port with generous limits and few containers ahead; afterwards nothing of it is left.

    ``keys``: the text of its keys.toml, if it has one.
    """
    port, instance = free_port(), str(settings.get("instance", f"test-{secrets.token_hex(4)}"))
    defaults = {"port": port, "instance": instance, "rate-limit": "100000 per 1 minute", "warm-share": 0.0}
    defaults["audit-file"] = str(folder / "audit.jsonl")
    changed = defaults | {key.replace("_", "-"): value for key, value in settings.items()}
    policies = copy_policies(folder, changed, edit or {}, warm, languages, more)
    temporary, log = folder / "tmp", folder / "log"
    temporary.mkdir()
    if keys:
        (policies / "keys.toml").write_text(keys)
    own = {"DOCKER_HOST": host} if host else {}
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, *CHECKED, "-W", "error", ROOT / "server.py", f"--policies={policies}", *options],
            cwd=ROOT,
            env={**os.environ, "TMPDIR": str(temporary), **own, **(environment or {})},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    server = Server(process, port, instance, log, temporary, host)
    try:
        assert eventually(lambda: listens(port) or process.poll() is not None, 20), log.read_text()
        assert process.poll() is None, log.read_text()
        yield server
    finally:
        if process.poll() is None:
            server.stop()
        left = [*server.containers(), *server.verifying()]
        if left:
            docker("rm", "-f", *left, host=host)
    assert not left, f"containers left: {left}\n{log.read_text()}"
    assert not server.clients(), "docker clients are left"
    assert not list(temporary.iterdir()), "temporary files are left"
    assert "Traceback" not in log.read_text(), log.read_text()


def fake_docker(folder: Path, script: str) -> dict[str, str]:
    """An environment in which `docker` is this script; REAL in it is the real one."""
    path = folder / "bin"
    path.mkdir()
    file = path / "docker"
    file.write_text("#!/bin/sh\n" + script.replace("REAL", str(shutil.which("docker"))))
    file.chmod(0o755)
    return {"PATH": f"{path}:{os.environ['PATH']}"}


def listens(port: int) -> bool:
    """Whether somebody answers there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
