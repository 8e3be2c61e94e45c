"""``mcp``: the same tools as ``/mcp`` has, over stdio, for a host that starts its servers itself."""

import argparse
import asyncio
import dataclasses
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, cast
from uuid import uuid4

import msgspec

from runner import logs
from runner.mcp import extra
from runner.mcp.calls import open_calls
from runner.policy import configuration
from runner.policy.settings import Settings
from runner.runs.client import Client
from runner.runs.service import Service, command, open_service
from runner.sandbox import images
from runner.sandbox.job import Job

if TYPE_CHECKING:
    import anyio
    from mcp_types import CallToolRequestParams

STOPPED: Final = 128
"""And the signal's number: the exit code after one."""


def add(_: argparse.ArgumentParser) -> None:
    """It takes nothing: what may run is said by server.toml and the policies."""


def main(args: argparse.Namespace) -> int:
    """Until stdin ends, or a signal."""
    extra.check()
    logs.setup("text")
    config = configuration.load(args.policies)
    policies = {name: dataclasses.replace(policy, warm=0) for name, policy in config.policies.items()}
    settings = dataclasses.replace(config.settings, instance=command())

    async def serving() -> int:
        await images.check_lock(config, args.policies)
        async with open_service(policies, settings) as service:
            return await _until_a_signal(service, settings)

    return asyncio.run(serving())


async def _until_a_signal(service: Service, settings: Settings) -> int:
    """0 where stdin has ended."""
    serving, came = asyncio.create_task(_serve(service, settings)), list[int]()

    def stop(number: int) -> None:
        came.append(number)
        serving.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop, number)
    with suppress(asyncio.CancelledError):
        await serving
    return STOPPED + came[0] if came else 0


async def _serve(service: Service, settings: Settings) -> None:
    from mcp.server.stdio import stdio_server

    from runner.mcp.server import build

    lines = await Lines.open(settings.body)
    async with open_calls() as calls, stdio_server(stdin=cast("anyio.AsyncFile[str]", lines)) as (received, sent):
        server = build(service, calls, lambda _, params: Caller(params))
        await server.run(received, sent, server.create_initialization_options())


class Lines:
    """stdin, a line at a time: without a thread, which could not be stopped while it reads, and bounded."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader

    @classmethod
    async def open(cls, limit: int) -> "Lines":
        """``limit``: bytes of a line; a longer one is passed over."""
        reader = asyncio.StreamReader(limit)
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        return cls(reader)

    async def __aiter__(self) -> AsyncIterator[str]:
        """Until there are no more."""
        while True:
            try:
                line = await self._reader.readline()
            except ValueError:
                yield ""  # which is no message, and is said to be none
                continue
            if not line:
                return
            yield line.decode(errors="replace")


class Caller:
    """The host that has started this process: whoever may do that may run programs."""

    def __init__(self, params: "CallToolRequestParams") -> None:
        self.name: tuple[str, ...] = (uuid4().hex,)
        self.arguments = msgspec.json.encode(params.arguments or {})

    async def admit(self) -> Client:
        """Nobody else can be on the other end of a pipe."""
        return Client("cli", "mcp")

    def began(self, job: Job) -> None:
        """The audit file has it."""

    def ended(self, report: Mapping[str, Any]) -> None:
        """The audit file has it."""

    def refused(self, error: Exception) -> None:
        """The model hears it."""
