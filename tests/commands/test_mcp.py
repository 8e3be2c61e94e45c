"""``python -m runner mcp``, as a host starts it."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from mcp import StdioServerParameters

from tests.harness import PATIENT, ROOT, audited, copy_policies, eventually, sleeper
from tests.mcp.conversation import MODES, converse, runs

pytestmark = pytest.mark.usefixtures("engine")


@pytest.fixture
def command(tmp_path: Path) -> list[str]:
    """With policies and an audit file of its own."""
    folder = copy_policies(tmp_path, {"audit-file": str(tmp_path / "audit.jsonl"), "body": 100_000}, PATIENT)
    return [sys.executable, "-W", "error", "-m", "runner", f"--policies={folder}", "mcp"]


@pytest.mark.parametrize("mode", MODES)
def test_the_sdks_client(command: list[str], tmp_path: Path, mode: str) -> None:
    """Over stdio; the audit file says who has asked, and by what."""
    server = StdioServerParameters(command=command[0], args=command[1:], cwd=str(ROOT), env=dict(os.environ))
    asyncio.run(converse(server, mode))
    lines = [json.loads(line) for line in (tmp_path / "audit.jsonl").read_text().splitlines()]
    assert {(line["client"], line["api"]) for line in lines if "job" in line} == {("cli", "mcp")}
    audited(tmp_path / "audit.jsonl")


def sent(method: str, id: int | None, **params: object) -> bytes:
    """A line."""
    message = {"jsonrpc": "2.0", "method": method, "params": params, **({} if id is None else {"id": id})}
    return json.dumps(message).encode() + b"\n"


HELLO = sent("initialize", 0, protocolVersion="2025-11-25", capabilities={}, clientInfo={"name": "x", "version": "1"})
READY = sent("notifications/initialized", None)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_and_what_it_runs(command: list[str], number: signal.Signals) -> None:
    """At once, also while it waits for the host's next word."""
    mark = sleeper()
    arguments = {"language": "python", "code": f"import os\nos.system({mark!r})"}
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as started:
        assert started.stdin is not None
        started.stdin.write(HELLO + READY + sent("tools/call", 1, name="run_program", arguments=arguments))
        started.stdin.flush()
        assert eventually(lambda: runs(mark))
        started.send_signal(number)
        assert started.wait(20) == 128 + number
        assert not runs(mark)


def test_what_is_no_message_is_passed_over(command: list[str]) -> None:
    """However long; the end of stdin is the end."""
    lines = b"1 2 3\n" + b"x" * 200_000 + b"\n" + b"\xff\n" + HELLO + READY + sent("ping", 1)
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as started:
        assert started.stdin is not None
        assert started.stdout is not None
        started.stdin.write(lines)
        started.stdin.flush()
        assert [json.loads(started.stdout.readline())["id"] for _ in range(2)] == [0, 1]
        started.stdin.close()
        assert started.wait(20) == 0
