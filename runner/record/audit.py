"""The audit file: one line for each start, run, end and refusal. What it cannot take is not run.

Lines are appended by one thread under a lock of the file, so that a server and ``runner run`` may share it. A file
that was renamed (``logrotate``) is left and a new one begun, with the same chain. Lines are not synced to the disk one
by one: a crash of the server loses nothing, a power cut may lose the last seconds.
"""

import asyncio
import errno
import fcntl
import logging
import os
import time
from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from runner.errors import AuditError, PolicyError, Problem
from runner.policy import settings
from runner.record import chain
from runner.record.chain import GENESIS, Head, Line

LOCK_TIME = 2.0
"""Seconds to wait for another process that writes the file."""
WRITE_TIME = 5.0
"""Seconds after which a write counts as failed; a disk may hang."""
RESERVE = 1024 * 1024
"""Bytes that must be free on the disk before anything new begins: then the ends of what has begun fit, too."""
PENDING = 1000
"""Lines that may wait for the disk."""
TAIL = 256 * 1024
"""Bytes from the end of the file among which the last whole line is found; the longest has about 15 KiB."""

log = logging.getLogger(__name__)


class AuditFile:
    """The file itself; synchronous, for one thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = -1
        self._known: tuple[int, Head] | None = None
        """The size of the file after our last line, and that line."""
        self._owed: deque[Mapping[str, Any]] = deque()

    def append(self, fields: Mapping[str, Any], *, owed: bool = False) -> None:
        """Writes a line, or raises ``OSError`` and leaves none. ``owed``: then it is written before any other."""
        if owed:
            self._owed.append(fields)
        with self._locked() as file:
            while self._owed:
                self._link(file, self._owed[0])
                self._owed.popleft()
            if not owed:
                self._check_room(file)
                self._link(file, fields)

    @contextmanager
    def _locked(self) -> Iterator[int]:
        """The file that has the path's name now, with nobody else writing it."""
        deadline = time.monotonic() + LOCK_TIME
        while True:
            if self._file < 0:
                self._file = _open(self._path)
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise TimeoutError(f"another process has locked it for {LOCK_TIME:g} s") from None
                time.sleep(0.005)
                continue
            if self._is_current():
                break
            self.close()
        try:
            yield self._file
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)

    def _is_current(self) -> bool:
        try:
            return os.path.samestat(os.fstat(self._file), os.stat(self._path))
        except FileNotFoundError:
            return False

    def _check_room(self, file: int) -> None:
        disk = os.fstatvfs(file)
        if disk.f_bavail * disk.f_frsize < RESERVE:
            raise OSError(errno.ENOSPC, f"less than {RESERVE} bytes are free on its disk")

    def _link(self, file: int, fields: Mapping[str, Any]) -> None:
        size = os.fstat(file).st_size
        head = self._known[1] if self._known and self._known[0] == size else self._find(file, size)
        size = os.fstat(file).st_size
        data, head = chain.link(head, fields)
        self._write(file, data, size)
        self._known = size + len(data), head

    def _find(self, file: int, size: int) -> Head:
        """The head of what others have written; mends a line that was cut short, and says so in the chain."""
        if size == 0:
            return self._known[1] if self._known else self._older()
        tail = os.pread(file, TAIL, max(0, size - TAIL))
        if tail.endswith(b"\n"):
            return self._last(tail, size)
        whole, _, torn = tail.rpartition(b"\n")
        number = self._last(whole + b"\n", size).number if whole else self._older().number
        self._write(file, b"\n", size)
        recovered = {"time": now(), "event": chain.RECOVERED, "torn": len(torn)}
        data, head = chain.link(Head(number, chain.digest(torn)), recovered)
        self._write(file, data, size + 1)
        return head

    def _last(self, tail: bytes, size: int) -> Head:
        last = tail.removesuffix(b"\n").rpartition(b"\n")[2]
        if entry := chain.parse(Line(str(self._path), 0, last)):
            return entry.head
        raise OSError(f"the last line of its {size} bytes is no entry: move the file away")

    def _older(self) -> Head:
        """The newest entry of the files that this one was renamed to before: audit.jsonl.1, audit.jsonl-20261123 ..."""
        heads = [GENESIS]
        for path in self._path.parent.glob(f"{self._path.name}?*"):
            with suppress(OSError), path.open("rb") as file:
                file.seek(max(0, path.stat().st_size - TAIL))
                lines = (Line(path.name, 0, each) for each in file.read().split(b"\n"))
                heads += [entry.head for line in lines if (entry := chain.parse(line))]
        return max(heads, key=lambda head: head.number)

    def _write(self, file: int, data: bytes, size: int) -> None:
        """All of it or nothing."""
        try:
            written = os.write(file, data)
            if written < len(data):
                raise OSError(f"only {written} of {len(data)} bytes could be written")
        except OSError:
            self._known = None
            with suppress(OSError):
                os.ftruncate(file, size)
            raise

    def close(self) -> None:
        """Lets the file go; the next line opens the one that has the name then."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def now() -> str:
    """The time of an entry: UTC, in microseconds."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)


def check(path: str) -> None:
    """Whether the file can be written at all; ``PolicyError`` when it cannot."""
    if not path:
        return
    try:
        os.close(_open(Path(path)))
    except OSError as error:
        said = f"audit-file: {path} cannot be written ({error.strerror})"
        raise PolicyError(Problem(settings.FILE, None, said)) from None


class Audit:
    """The file for the service: writes in a thread of its own, in the order of the calls."""

    def __init__(self, path: str) -> None:
        """``path``: "" for no audit."""
        self._file = AuditFile(Path(path)) if path else None
        self._thread = ThreadPoolExecutor(1, "audit")
        self._pending = 0
        self.failing = False
        """Whether the last line could not be written."""

    async def write(self, event: str, **fields: Any) -> None:
        """Returns when the line is in the file; ``AuditError`` when it is not."""
        try:
            await _in_time(self._submit(event, fields))
        except OSError as error:
            raise AuditError(str(error)) from error

    async def begin(self, start: Mapping[str, Any], end: Mapping[str, Any]) -> None:
        """Writes ``started``. Where that is given up and the disk takes it later, ``ended`` follows it."""
        try:
            written = self._submit("started", start)
            try:
                await _in_time(written)
            except TimeoutError:
                written.add_done_callback(lambda late: _succeeded(late) and self._submit("ended", end, owed=True))
                raise
        except OSError as error:
            raise AuditError(str(error)) from error

    async def owe(self, event: str, **fields: Any) -> None:
        """Writes the line now or, when that fails, before any other: for what has happened already."""
        try:
            await _in_time(self._submit(event, fields, owed=True))
        except OSError as error:
            log.error("audit: %r will be written later: %s", event, error)

    def _submit(self, event: str, fields: Mapping[str, Any], *, owed: bool = False) -> "asyncio.Future[None]":
        if self._file is None:
            nothing = asyncio.get_running_loop().create_future()
            nothing.set_result(None)
            return nothing
        if self._pending >= PENDING and not owed:
            raise OSError(f"{self._pending} lines wait for the disk")
        self._pending += 1
        line = {"time": now(), "event": event, **fields}
        written = asyncio.wrap_future(self._thread.submit(self._append, self._file, line, owed))
        written.add_done_callback(self._done)
        return written

    def _append(self, file: AuditFile, line: Mapping[str, Any], owed: bool) -> None:
        """In the thread: whoever waited for the line finds `failing` to be of this one, which no callback promises."""
        try:
            file.append(line, owed=owed)
        except OSError as error:
            if not self.failing:
                log.error("audit: the file cannot be written: %s", error)
            self.failing = True
            raise
        self.failing = False

    def _done(self, written: "asyncio.Future[None]") -> None:
        self._pending -= 1
        if not written.cancelled():
            written.exception()  # has been told, also where nobody waits any more

    async def mend(self) -> bool:
        """After a failure: tries again; whether lines can be written."""
        if self.failing:
            with suppress(AuditError):
                await self.write("resumed")
        return not self.failing

    def close(self) -> None:
        """When nothing more will be written: what still waits for a disk that hangs is given up."""
        self._thread.shutdown(wait=False, cancel_futures=True)


async def _in_time(written: "asyncio.Future[None]") -> None:
    """Shielded: a request that is cancelled does not take its line with it."""
    async with asyncio.timeout(WRITE_TIME):
        await asyncio.shield(written)


def _succeeded(written: "asyncio.Future[None]") -> bool:
    return not written.cancelled() and not written.exception()
