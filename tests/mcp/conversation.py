"""What the SDK's own client says and hears: the same over every transport, and in both ages of the protocol."""

import asyncio
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from mcp import Client
from mcp_types import CallToolResult, TextContent

from runner.mcp import results, tools
from tests.harness import eventually, processes, sleeper

MODES: Final = ("legacy", "auto")
"""The handshake of 2025, and what both sides can at best."""
PNG: Final = b"\x89PNG\r\n\x1a\n" + bytes(32)
PLOT: Final = f"""
import sys
print(open("data/in.txt").read(), sys.argv[1:], input())
print("careful", file=sys.stderr)
open("results/plot.png", "wb").write({PNG!r})
"""


@dataclass
class Heard:
    """What came on the way to a result."""

    progress: list[tuple[float, str | None]] = field(default_factory=list)

    async def __call__(self, progress: float, total: float | None, message: str | None) -> None:
        """The SDK calls this."""
        self.progress.append((progress, message))

    @property
    def phases(self) -> list[str | None]:
        """Each once, in their order; the count goes up."""
        assert [count for count, _ in self.progress] == sorted({count for count, _ in self.progress})
        return list(dict.fromkeys(message for _, message in self.progress))


async def run(client: Client, code: str, heard: Heard | None = None, **more: Any) -> CallToolResult:
    """A program, in Python unless it is said."""
    arguments = {"language": "python", "code": code, **more}
    return await client.call_tool(tools.RUN, arguments, progress_callback=heard)


def texts(result: CallToolResult) -> list[str]:
    """Its blocks of text."""
    return [block.text for block in result.content if isinstance(block, TextContent)]


def report(result: CallToolResult) -> Mapping[str, Any]:
    """What is in it for programs."""
    found: Mapping[str, Any] = (result.meta or {})[results.META]
    return found


async def converse(target: Any, mode: str) -> None:
    """All that the tools can."""
    async with Client(target, mode=mode) as client:
        assert [tool.name for tool in (await client.list_tools()).tools] == [tools.RUN, tools.LIST]
        languages = await client.call_tool(tools.LIST, {})
        assert "python: Python 3.13\n- time of a run: 30 s" in texts(languages)[0]
        await _shows(client)
        await _fails(client)
        await _takes_back(client)


async def _shows(client: Client) -> None:
    """Output, its ending, a picture; progress on the way."""
    heard = Heard()
    files = {"data/in.txt": {"base64": b64encode(b"beside").decode()}}
    found = await run(client, PLOT, heard, files=files, args=["a b"], input="typed")
    assert not found.is_error
    ending, *streams = texts(found)
    assert ending.startswith("Finished. It ran for ")
    assert ending.endswith(" It left in results: 'plot.png' (40 bytes).")
    assert streams == ["stdout:\nbeside ['a b'] typed\n", "stderr:\ncareful\n"]
    [picture] = [block for block in found.content if block.type == "image"]
    assert (picture.data, picture.mime_type) == (b64encode(PNG).decode(), "image/png")
    assert report(found)["reason"] == "completed"
    *waited, last = heard.phases
    assert waited
    assert all((phase or "").startswith("waiting") for phase in waited)
    assert last == "running"


async def _fails(client: Client) -> None:
    """A program's failure is a result; what is refused is an error that says what to do."""
    failed = await run(client, "raise SystemExit('no')")
    assert (failed.is_error, texts(failed)[0].split(".")[0]) == (False, "Ended with exit code 1")
    assert "stderr:\nno\n" in texts(failed)
    unknown = await run(client, "", language="cobol")
    assert (unknown.is_error, texts(unknown)[0][:26]) == (True, "`language` must be one of ")
    wrong = await run(client, "", args=[1])
    assert wrong.is_error
    assert texts(wrong)[0].startswith("Expected `str`, got `int` - at `args[0]`. The arguments are")


async def _takes_back(client: Client) -> None:
    """Nothing runs on for who no longer waits."""
    mark = sleeper()
    call = asyncio.create_task(run(client, f"import os\nos.system({mark!r})"))
    assert await asyncio.to_thread(eventually, lambda: runs(mark))
    call.cancel()
    await asyncio.gather(call, return_exceptions=True)
    assert await asyncio.to_thread(eventually, lambda: not runs(mark))  # long before its own time is over


def runs(mark: str) -> bool:
    """Whether a process has this in its command line."""
    return any(mark in command for _, _, command in processes())
