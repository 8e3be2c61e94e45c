"""What may change while a server serves, looked at again and again: cheap, bounded, and off the loop."""

import asyncio
import dataclasses
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from runner.errors import EngineError, PolicyError
from runner.host import facts
from runner.host.facts import Facts
from runner.policy import argv
from runner.record import audit
from runner.sandbox import process
from runner.sandbox.process import ANSWER_TIME

INFO_AGE: Final = 30.0
"""Seconds after which an engine that was there is asked anew what it can do: docker's client asks its plugins, too."""


class Watch:
    """The engine, its disk, and that of the audit file."""

    def __init__(self, audit_file: str) -> None:
        """``audit_file``: "" for no audit."""
        self._audit_file = audit_file
        self._engine = Facts(None)
        self._asked = 0.0
        self._disks: asyncio.Task[Disks] | None = None
        """A look at disks that goes on, in a thread: a disk may hang, and then it is the only one."""

    async def look(self) -> Facts:
        """Takes as long as the engine and the disks get to answer, at the most."""
        if self._engine.info is None or time.monotonic() - self._asked > INFO_AGE:
            self._engine, self._asked = await _engine(), time.monotonic()
        disks = await self._look_at_disks(_folder(self._engine))
        return dataclasses.replace(self._engine, audit_error=disks.error, audit_free=disks.room, disk_free=disks.free)

    async def _look_at_disks(self, folder: str) -> "Disks":
        if self._disks is None:
            self._disks = asyncio.create_task(asyncio.to_thread(_disks, self._audit_file, folder))
        done, _ = await asyncio.wait((self._disks,), timeout=ANSWER_TIME)
        if not done:
            return Disks(f"its disk does not answer within {ANSWER_TIME:g} s" if self._audit_file else "")
        self._disks = None
        return done.pop().result()


@dataclass(frozen=True, slots=True)
class Disks:
    """What was seen of them."""

    error: str = ""
    """Why the audit file cannot be written."""
    room: int | None = None
    """Bytes that it may still take."""
    free: int | None = None
    """Bytes for images."""


async def _engine() -> Facts:
    try:
        return facts.engine(await process.output(argv.engine_info(), ANSWER_TIME))
    except EngineError as error:
        return Facts(None, error.detail.strip())


def is_here(seen: Facts) -> bool:
    """Whether the engine's kernel is ours, as far as can be told: that of Docker Desktop is a virtual machine's."""
    return seen.info is None or seen.info.get("KernelVersion") == os.uname().release


def _folder(seen: Facts) -> str:
    """Where the engine keeps its images; "" where that cannot be seen from here."""
    return str((seen.info or {}).get("DockerRootDir") or "") if is_here(seen) else ""


def _disks(audit_file: str, folder: str) -> Disks:
    free = _free(folder) if folder else None
    try:
        audit.check(audit_file)
    except PolicyError as error:
        return Disks(str(error), None, free)
    room = _free(str(Path(audit_file).absolute().parent)) if audit_file else None
    return Disks("", room if room is None else room - audit.RESERVE, free)


def _free(folder: str) -> int | None:
    try:
        disk = os.statvfs(folder)
    except OSError:
        return None
    return disk.f_bavail * disk.f_frsize
