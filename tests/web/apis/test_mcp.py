"""The Model Context Protocol over HTTP, with the SDK's own client; and what no good client sends."""

import asyncio
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Final

import pytest
from mcp import Client, StdioServerParameters

from runner.mcp import messages, tools
from runner.policy import configuration
from server import create_app
from tests.harness import LANGUAGES, PATIENT, ROOT, Server, audited, copy_policies, eventually, serving, sleeper
from tests.mcp.conversation import MODES, Heard, converse, run, runs, texts

HEADERS: Final = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
QUOTA: Final = 40
BODY: Final = 200_000


@pytest.fixture(scope="module")
def server(engine: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One that speaks it, where a second program has to wait."""
    folder = tmp_path_factory.mktemp("mcp")
    limit = f"{QUOTA} per 15 minutes"
    more: dict[str, Any] = {"rate_limit": limit, "running": 1, "stop_time": 1, "body": BODY, "body_time": 5.0}
    with serving(folder, edit=PATIENT, languages=LANGUAGES, apis=["mcp"], **more) as running:
        yield running
    lines = [json.loads(line) for line in (folder / "audit.jsonl").read_text().splitlines()]
    assert {(line["client"], line["api"]) for line in lines if "job" in line} == {("127.0.0.1", "mcp")}
    audited(folder / "audit.jsonl")


def open_post(
    server: Server, message: object, headers: Mapping[str, str] | None = None, address: str = "127.0.0.1"
) -> HTTPConnection:
    """A connection on which a message was sent. ``address``: from which of this machine's: each is a client."""
    connection = HTTPConnection("127.0.0.1", server.port, timeout=60, source_address=(address, 0))
    connection.request("POST", "/mcp", json.dumps(message), {**HEADERS, **(headers or {})})
    return connection


def post(
    server: Server, message: object, headers: Mapping[str, str] | None = None, address: str = "127.0.0.1"
) -> tuple[int, Any]:
    """Status and answer; of a stream, the message that it ends with."""
    connection = open_post(server, message, headers, address)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    events = [line.removeprefix("data: ") for line in text.splitlines() if line.startswith("data: ")]
    return answer.status, json.loads(events[-1] if events else text) if text else None


def call(code: str, id: int = 1, **arguments: object) -> dict[str, object]:
    """A tool's call as it is sent."""
    asked = {"language": "python", "code": code, **arguments}
    return message("tools/call", id, name=tools.RUN, arguments=asked)


def message(method: str, id: int | None = 1, **params: object) -> dict[str, object]:
    """What JSON-RPC has; without an id it is a notification."""
    return {"jsonrpc": "2.0", "method": method, "params": params, **({} if id is None else {"id": id})}


def session(server: Server) -> str:
    """The name of a new one."""
    hello: dict[str, Any] = {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    }
    connection = open_post(server, message("initialize", **hello))
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.headers["mcp-session-id"]


def test_it_is_off_until_it_is_named() -> None:
    """Nothing of it is there, and the SDK is not needed."""
    paths = {getattr(route, "path", "") for route in create_app(configuration.load()).routes}
    assert "/run" in paths
    assert "/mcp" not in paths


def test_without_the_sdk_the_server_says_what_to_install(tmp_path: Path) -> None:
    """It does not start where it would need it; else it does not miss it."""
    (tmp_path / "mcp_types.py").write_text("raise ImportError('not here')")
    folder = copy_policies(tmp_path, {"apis": ["mcp"], "audit-file": ""}, {})
    command = [sys.executable, str(ROOT / "server.py"), f"--policies={folder}"]
    environment = {"PYTHONPATH": str(tmp_path), "PATH": ""}
    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 1
    said = "mcp: needs packages that are not installed (not here): pip install -r runner/mcp/requirements.txt\n"
    assert said in ended.stderr
    command = [sys.executable, "-c", "import server, sys; print('mcp' in sys.modules)"]
    assert subprocess.check_output(command, cwd=ROOT, env=environment, text=True, timeout=60) == "False\n"


@pytest.mark.parametrize("mode", MODES)
def test_the_sdks_client(server: Server, mode: str) -> None:
    """Over streamable HTTP."""
    asyncio.run(converse(f"{server.url}/mcp", mode))
    assert eventually(lambda: not server.jobs())


def written(kind: str) -> list[dict[str, Any]]:
    """The servers of the README's configurations, of Claude and of VS Code."""
    text = (ROOT / "runner" / "mcp" / "README.md").read_text()
    blocks = [json.loads(block) for block in re.findall(r"(?s)```json\n(.*?)```", text)]
    servers = [block[key]["code-runner"] for block in blocks for key in ("mcpServers", "servers") if key in block]
    assert len(servers) == 4
    return [each for each in servers if kind in each]


def test_the_hosts_are_configured_as_it_is_written(server: Server) -> None:
    """Their words, in the hands of the SDK's client; only this server's port and this folder are others."""

    async def connects(target: Any) -> None:
        async with Client(target) as client:
            assert len((await client.list_tools()).tools) == 2

    for each in written("url"):
        assert (each["type"], each["headers"]["Authorization"][:8]) == ("http", "Bearer $")
        asyncio.run(connects(each["url"].replace("http://127.0.0.1:3000", server.url)))
    first, second = written("command")
    assert {**first, "type": "stdio"} == second
    args = [
        each.replace("/srv/code-runner", str(ROOT)).replace(".venv/bin/python", sys.executable)
        for each in first["args"]
    ]
    asyncio.run(connects(StdioServerParameters(command=first["command"], args=args, env=dict(os.environ))))


def test_progress_in_the_line(server: Server) -> None:
    """Who waits hears it before there is a place; a compiler is a phase of its own."""

    async def two() -> None:
        async with Client(f"{server.url}/mcp") as client:
            first, heard = Heard(), Heard()
            slow = asyncio.create_task(run(client, "import time\ntime.sleep(3)", first))
            assert await asyncio.to_thread(eventually, lambda: "running" in first.phases)
            found = await run(client, '#include <cstdio>\nint main() { puts("6"); }', heard, language="cpp")
            assert slow.done()
            waited, *rest = heard.phases
            assert (waited or "").startswith("waiting: place 1 in the line")
            assert rest[-2:] == ["compiling", "running"]
            assert "stdout:\n6\n" in texts(found)

    asyncio.run(two())


@pytest.mark.parametrize(
    ("headers", "status", "title"),
    [
        ({"Origin": "http://evil.example"}, 403, "Forbidden site"),
        ({"Host": "evil.example"}, 403, "Forbidden site"),
        ({"Sec-Fetch-Site": "cross-site"}, 403, "Forbidden site"),
        ({"Content-Type": "text/plain"}, 415, "Not JSON"),
    ],
)
def test_the_site_comes_first(server: Server, headers: dict[str, str], status: int, title: str) -> None:
    """As the specification asks, and for every message."""
    found = post(server, message("ping"), headers)
    assert (found[0], found[1]["title"]) == (status, title)


def test_what_is_no_message(server: Server) -> None:
    """In the words of the service, or in the protocol's."""
    assert post(server, [message("ping")])[1]["title"] == "Bad request"
    assert post(server, message("ping", x="y" * messages.SMALL))[0] == 413
    assert post(server, call("#" * BODY))[1]["detail"].startswith(f"The body has more than {BODY} bytes")
    assert post(server, message("ping"), {"Accept": "text/html"})[0] == 406
    status, answer = post(server, message("tools/call", name="rm", arguments={}))
    assert (status, answer["error"]["message"]) == (200, "There are two tools: run_program and list_languages.")
    answer = server.get("/mcp")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert server.get("/mcp", headers={"Origin": "http://evil.example"}).status_code == 403


def test_arguments_are_bounded_as_elsewhere(server: Server) -> None:
    """What is too large is an error that a model can act on."""
    status, answer = post(server, call("#" * 65537))
    result = answer["result"]
    assert (status, result["isError"]) == (200, True)
    assert result["content"][0]["text"] == "`code` has 65537 bytes as UTF-8; python takes at most 65536."


def test_only_runs_are_counted(server: Server) -> None:
    """Each is one request; who has none left hears when to come again."""
    me = "127.0.0.9"
    for _ in range(QUOTA):
        assert post(server, call("", language="cobol"), address=me)[1]["result"]["isError"]
    for method in ("ping", "tools/list"):
        assert "result" in post(server, message(method), address=me)[1]
    refused = post(server, call("print(1)"), address=me)[1]["result"]
    assert refused["isError"]
    assert f"{QUOTA} runs per 900 seconds are used up" in refused["content"][0]["text"]
    assert " Call again in " in refused["content"][0]["text"]
    assert eventually(lambda: 'problem="Rate limit reached"' in server.log.read_text())


def test_who_goes_away_stops_the_program(server: Server) -> None:
    """Nobody could fetch its result."""
    mark = sleeper()
    connection = open_post(server, call(f"import os\nos.system({mark!r})"))
    assert eventually(lambda: runs(mark))
    assert connection.sock is not None
    connection.sock.close()
    connection.close()
    assert eventually(lambda: not runs(mark))


def test_only_its_own_session_takes_a_call_back(server: Server) -> None:
    """Another's call has the same number."""
    mine, other, mark = session(server), session(server), sleeper()
    assert mine != other
    answers: list[Any] = []
    asked = call(f"import os\nos.system({mark!r})")
    thread = threading.Thread(target=lambda: answers.append(post(server, asked, {"Mcp-Session-Id": mine})))
    thread.start()
    assert eventually(lambda: runs(mark))
    cancelled = message("notifications/cancelled", None, requestId=1)
    assert post(server, cancelled, {"Mcp-Session-Id": other}) == (202, None)
    assert post(server, cancelled) == (202, None)
    assert runs(mark)
    assert post(server, cancelled, {"Mcp-Session-Id": mine}) == (202, None)
    thread.join(20)
    assert eventually(lambda: not runs(mark))
    [(status, answer)] = answers
    assert (status, answer["error"]["message"]) == (200, "The call was taken back, and its program was stopped.")


def test_a_server_that_stops_takes_its_calls_along(server: Server) -> None:
    """Last: in its time, and whoever waits hears that it is over."""
    mark = sleeper()
    connection = open_post(server, call(f"import os\nos.system({mark!r})"))
    assert eventually(lambda: runs(mark))
    assert server.stop() < 8
    assert not runs(mark)
    assert b"result" not in connection.getresponse().read()
    connection.close()
    assert "path=/mcp status=200 " in server.log.read_text()
    assert server.log.read_text().count("problem=Busy") == 1
