"""Child processes at the edge: an own session, a reduced environment, pipes read to their end, a deadline."""

import asyncio
import contextlib
import functools
import os
import re
import signal
import subprocess
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Sequence
from dataclasses import dataclass

from runner.errors import EngineError
from runner.policy import argv as commands
from runner.sandbox.protocol import Capture

CHUNK = 64 * 1024
OUTPUT_LIMIT = 64 * 1024
COMMAND_TIME = 10.0
"""Seconds for one docker command; `docker kill` has been seen to hang for longer than 40 s (moby#41827)."""

ANSWER_TIME = 5.0
"""Seconds that the engine gets to say that it is there, before it is to blame."""


def environment() -> dict[str, str]:
    """What docker's client needs and no more: the user's own configuration may put proxy passwords into containers.

    DOCKER_CONFIG names a folder that does not exist, which the client takes for an empty one. The engine is that of
    DOCKER_HOST, or else of the docker context that the user has chosen. The client is a Go program that lives for one
    run and moves a few KiB: one thread of Go code and rarer collections of garbage save it 4 of 18 CPU-ms, and cost no
    memory.
    """
    host = os.environ.get("DOCKER_HOST") or _context()
    named = {"DOCKER_HOST": host} if host else {k: v for k, v in os.environ.items() if k == "DOCKER_CONTEXT"}
    own = {"PATH": os.environ.get("PATH", os.defpath), "DOCKER_CONFIG": "/nonexistent"}
    return {**own, "GOMAXPROCS": "1", "GOGC": "200", **named}


@functools.cache
def _context() -> str:
    """Where docker's client itself, with all of the user's configuration, finds the engine; "" where it does not say.

    Asked once, before a server listens: it takes 15 ms.
    """
    try:
        done = subprocess.run(commands.engine_endpoint(), capture_output=True, timeout=ANSWER_TIME, check=True)
    except (OSError, subprocess.SubprocessError):
        return ""  # no such context, which it will say at each command; or no client of Docker's
    told = done.stdout.decode(errors="replace").strip()
    return told if re.fullmatch(r"[a-z]+://[!-~]+", told) else ""


async def spawn(argv: Sequence[str], stdin: int = DEVNULL) -> Process:
    """Starts a command; ``EngineError`` where there is none of that name."""
    try:
        return await asyncio.create_subprocess_exec(
            *argv,
            stdin=stdin,
            stdout=PIPE,
            stderr=PIPE,
            limit=CHUNK,
            env=environment(),
            start_new_session=True,
        )
    except OSError as error:
        raise EngineError(f"{argv[0]}: {error.strerror}") from error


def kill(process: Process) -> None:
    """Sends SIGKILL to the child's whole session; does nothing when it is gone."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


async def exited(process: Process, seconds: float) -> bool:
    """Waits for the child to end; whether it did in time."""
    try:
        async with asyncio.timeout(seconds):
            await process.wait()
    except TimeoutError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Completed:
    """A command that ended by itself."""

    code: int
    stdout: str
    stderr: str


async def execute(argv: Sequence[str], seconds: float) -> Completed:
    """Runs a short command to its end; ``EngineError`` when it cannot start or takes longer than ``seconds``."""
    process = await spawn(argv)
    stdout, stderr = Capture(OUTPUT_LIMIT), Capture(OUTPUT_LIMIT)
    try:
        async with asyncio.timeout(seconds), asyncio.TaskGroup() as group:
            group.create_task(_drain(process.stdout, stdout))
            group.create_task(_drain(process.stderr, stderr))
            code = await process.wait()
    except TimeoutError:
        raise EngineError(f"`{' '.join(argv[:2])}` did not answer within {seconds:g} s") from None
    finally:
        kill(process)
    return Completed(code, stdout.data.decode(errors="replace"), stderr.data.decode(errors="replace"))


async def output(argv: Sequence[str], seconds: float) -> str:
    """What a short command prints; ``EngineError`` also when it fails."""
    done = await execute(argv, seconds)
    if done.code != 0:
        raise EngineError(done.stderr)
    return done.stdout


async def _drain(stream: asyncio.StreamReader | None, capture: Capture) -> None:
    assert stream is not None
    while data := await stream.read(CHUNK):
        capture.add(data)
