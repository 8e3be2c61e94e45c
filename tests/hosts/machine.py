"""A host of its own: boots, is spoken to, and loses its power when that is asked."""

import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.harness import ROOT, free_port
from tests.hosts.kinds import Architecture
from tests.hosts.longer import archive

DISK: Final = ROOT / "tests" / "hosts" / "disk"
LOADER: Final = ROOT / "tests" / "hosts" / "load"
BOOT_TIME: Final = 900.0
"""Seconds until ssh must answer; 40 are usual on a machine that does nothing else."""
SSH: Final = (
    *("-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR"),
    *("-o", "ConnectTimeout=60", "-o", "ServerAliveInterval=15", "-o", "ServerAliveCountMax=8"),
)


def project(times: float, *paths: str) -> bytes:
    """A tar archive of these of its committed files, or of all; its own bounds are so many times as long."""
    packed = subprocess.run(["git", "archive", "HEAD", *paths], cwd=ROOT, check=True, capture_output=True).stdout
    return archive(packed, times)


class Unwell(Exception):
    """What was asked of a host did not come about; says why."""


@dataclass(frozen=True)
class Said:
    """What a command in it came to."""

    code: int
    out: str
    error: str

    def well(self) -> str:
        """What it printed; `Unwell` if it failed."""
        if self.code:
            raise Unwell((self.error.strip() or self.out.strip() or f"exit code {self.code}").splitlines()[-1][:300])
        return self.out


class Machine(ABC):
    """One host, from a folder that `disk` made. Its own disk is a copy, so that the next finds the first."""

    def __init__(self, folder: Path, images: Path, name: str) -> None:
        """``name``: that of its own disk."""
        self._folder = folder
        self._images = images
        self._name = name
        self._running: subprocess.Popen[bytes] | None = None
        self.user = "root"
        self.environment: Sequence[str] = ()
        """NAME=VALUE of every command."""

    @property
    def disk(self) -> Path:
        """Its own."""
        return self._own("img")

    def fresh(self) -> None:
        """The disk as it was made."""
        subprocess.run(["cp", "--sparse=always", self._folder / "disk.img", self.disk], check=True)

    @abstractmethod
    def boot(self) -> None:
        """Switches it on; returns when it can be spoken to."""

    @abstractmethod
    def _words(self, command: str) -> Sequence[str]:
        """What speaks to it: runs a command there as root."""

    def cut(self) -> None:
        """Takes its power away: whatever it has not written is lost."""
        if self._running:
            self._running.kill()
            self._running.wait()
            self._running = None

    def end(self) -> None:
        """Switched off, and without its own disk."""
        self.cut()
        self._own("img").unlink(missing_ok=True)

    def sh(self, script: str, seconds: float = 300, user: str = "") -> Said:
        """Runs a script of bash in the project's folder. It never raises."""
        settings = "".join(f"export {each}\n" for each in self.environment)
        text = f"{settings}cd /opt/code-runner 2>/dev/null || cd /\n{script}\n"
        user = user or self.user
        return self._run("bash -s" if user == "root" else f"runuser -u {user} -- bash -s", text.encode(), seconds)

    def unpack(self, archive: bytes, folder: str) -> None:
        """Puts the files of a tar archive there."""
        self._run(f"mkdir -p {folder} && tar -x -C {folder}", archive, 300).well()

    def _own(self, kind: str) -> Path:
        return self._folder / f"{self._name}.{kind}"

    def _start(self, command: Sequence[str | Path], folder: Path | None = None) -> subprocess.Popen[bytes]:
        """In a session of its own; what it says is in a file."""
        with self._own("console").open("ab") as console:
            self._running = subprocess.Popen(
                command, cwd=folder, stdin=subprocess.DEVNULL, stdout=console, stderr=console, start_new_session=True
            )
        return self._running

    def _wait(self, command: str, seconds: float, pause: float, unwell: str) -> None:
        """Until the command succeeds there."""
        began = time.monotonic()
        while self.sh(command, 20, "root").code:
            if self._running is None or self._running.poll() is not None or time.monotonic() - began > seconds:
                raise Unwell(f"{unwell}, see {self._own('console')}")
            time.sleep(pause)

    def _run(self, command: str, sent: bytes, seconds: float) -> Said:
        words = self._words(command)
        try:
            ended = subprocess.run(words, input=sent, capture_output=True, timeout=seconds, check=False)
        except subprocess.TimeoutExpired:
            return Said(124, "", f"not within {seconds:.0f} s")
        return Said(ended.returncode, *(part.decode(errors="replace") for part in (ended.stdout, ended.stderr)))


class Emulated(Machine):
    """In QEMU; spoken to over ssh."""

    def __init__(self, folder: Path, architecture: Architecture, images: Path, memory: int) -> None:
        """``memory``: MB."""
        super().__init__(folder, images, "run")
        self._architecture = architecture
        self._memory = memory
        self._port = free_port()

    def boot(self) -> None:
        """Switches it on; returns when it can be spoken to."""
        command = (
            *("nice", "-n", "19", *self._architecture.emulator, "-accel", "tcg,thread=multi,tb-size=1024"),
            *("-smp", "2", "-m", str(self._memory), "-nographic", "-no-reboot"),
            *("-kernel", "vmlinuz", "-initrd", "initrd"),
            *("-append", f"root=/dev/vda rw console={self._architecture.console} quiet"),
            *("-drive", f"file={self._name}.img,if=virtio,format=raw,cache=unsafe"),
            *("-drive", f"file={self._images},if=virtio,format=raw,readonly=on"),
            *("-netdev", f"user,id=n0,hostfwd=tcp:127.0.0.1:{self._port}-:22", "-device", "virtio-net-pci,netdev=n0"),
        )
        running = self._start(command, self._folder)
        with suppress(FileNotFoundError):  # where sessions share the processor, it counts more than `nice`
            Path(f"/proc/{running.pid}/autogroup").write_text("19")
        self._wait("true", BOOT_TIME, 2, "it does not boot")

    def _words(self, command: str) -> Sequence[str]:
        return ("ssh", "-i", f"{self._folder / 'key'}", "-p", str(self._port), *SSH, "root@127.0.0.1", command)
