"""An engine of the tests' own, which may be killed, stopped and filled up."""

import errno
import os
import secrets
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.harness import docker, eventually, processes

IMAGE = "code-runner-python:3"


class Engine:
    """A dockerd with folders of its own, on a small disk in memory."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.host = f"unix://{folder}/docker.sock"
        self.group = f"engine-{secrets.token_hex(4)}"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The one that runs."""
        assert self._process is not None
        return self._process

    def start(self) -> None:
        """Until it answers."""
        (self._folder / "exec/containerd/containerd.pid").unlink(missing_ok=True)  # its number may be another's by now
        folders = [f"--{key}={self._folder}/{name}" for key, name in FOLDERS.items()]
        # In a network of its own: --bridge=none would take the bridge away from the machine's engine.
        network = ("--bridge=none", "--iptables=false", "--ip6tables=false")
        groups = (f"--cgroup-parent={self.group}", "--exec-opt=native.cgroupdriver=cgroupfs")
        command = ["unshare", "--net", "dockerd", f"--host={self.host}", *folders, *network, *groups]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        assert eventually(self.answers, 30), (self._folder / "log").read_text()[-2000:]

    def answers(self) -> bool:
        """Whether it does, within a second."""
        command = ["timeout", "1", "docker", f"--host={self.host}", "version", "--format={{.Server.Version}}"]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    def kill(self) -> None:
        """As a crash does; its containers live on until the next start."""
        self.process.kill()
        self.process.wait()

    def docker(self, *words: str) -> str:
        """A command for this engine."""
        return docker(*words, host=self.host)

    def fill(self) -> None:
        """Leaves no room on its disk."""
        with (self._folder / "fill").open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(b"x" * 1024 * 1024)
            except OSError:
                pass

    def empty(self) -> None:
        """Makes room again."""
        (self._folder / "fill").unlink()


FOLDERS = {"data-root": "data", "exec-root": "exec", "pidfile": "pid"}


@contextmanager
def own_engine(folder: Path) -> Iterator[Engine]:
    """With the image of Python alone; afterwards nothing of it is left."""
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300m", "tmpfs", str(folder)], check=True)
    engine = Engine(folder)
    try:
        engine.start()
        with subprocess.Popen(["docker", "save", IMAGE], stdout=subprocess.PIPE) as saved:
            subprocess.run(["docker", f"--host={engine.host}", "load"], stdin=saved.stdout, check=True, timeout=120)
        yield engine
    finally:
        engine.process.send_signal(signal.SIGCONT)
        engine.process.terminate()
        engine.process.wait(timeout=60)
        assert eventually(lambda: _released(folder))
        assert eventually(lambda: _removed(engine.group))


def _released(folder: Path) -> bool:
    """Ends what an engine that was killed has lost sight of: shims, and containers that they were starting."""
    for pid, _, command in processes():
        if f"-address {folder}/" in command or _holds(pid, folder):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    return subprocess.run(["umount", "--recursive", str(folder)], capture_output=True, check=False).returncode == 0


def _removed(name: str) -> bool:
    """Those of containers that were killed with their engine: a container that ends takes its own along.

    What was killed a moment ago may still be in one.
    """
    for group in [*Path("/sys/fs/cgroup").glob(f"*/{name}"), *Path("/sys/fs/cgroup").glob(name)]:
        for each in [*(path for path in group.iterdir() if path.is_dir()), group]:
            try:
                each.rmdir()
            except OSError as error:
                if error.errno != errno.EBUSY:
                    raise
                return False
    return True


def _holds(pid: int, folder: Path) -> bool:
    """Whether a process has a file open there."""
    try:
        return any(os.readlink(file).startswith(f"{folder}/") for file in Path(f"/proc/{pid}/fd").iterdir())
    except OSError:
        return False
