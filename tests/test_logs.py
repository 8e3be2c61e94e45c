"""The log: a line a request, that nobody can forge."""

import json
import logging
import re
import socket
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.logs import LONGEST, Json, Quiet, Text, escaped, shown
from tests.harness import FOREVER, Server, eventually, hear_out, serving
from tests.strategies import unhurried
from tests.web.test_live import talking

HEAD = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z "


def record(message: str, fields: dict[str, object] | None = None, *args: object) -> logging.LogRecord:
    """One as the logging module makes it."""
    made = logging.LogRecord("runner.access", logging.INFO, "", 0, message, args, None)
    made.fields = fields or {}
    return made


@unhurried
@given(st.text(), st.text())
def test_a_record_is_one_line_of_ascii(message: str, value: str) -> None:
    """Whatever is in it: no line break, no escape sequence, no letter that writes backwards."""
    for formatter in (Text(), Json()):
        line = formatter.format(record("%s", {"path": value}, message))
        assert re.fullmatch(r"[ -~]*", line)


@unhurried
@given(st.text(max_size=LONGEST))
def test_a_value_can_be_read_back(value: str) -> None:
    """From JSON as it was; in text a value has quotes unless it is plain."""
    assert json.loads(Json().format(record("request", {"path": value})))["path"] == value
    text = shown(value)
    assert (json.loads(text) if text.startswith('"') else text) == value


def test_both_formats() -> None:
    """The same facts; what is not known is left out; a long value is cut."""
    fields = {"method": "GET", "path": "/a b", "status": 404, "job": None, "long": "x" * 999}
    assert re.fullmatch(
        HEAD + 'INFO runner.access request method=GET path="/a b" status=404 long=x{200}\\.\\.\\.',
        Text().format(record("request", fields)),
    )
    found = json.loads(Json().format(record("request", fields)))
    assert re.fullmatch(HEAD.strip(), found.pop("time"))
    assert found == {
        "level": "info",
        "logger": "runner.access",
        "message": "request",
        "method": "GET",
        "path": "/a b",
        "status": 404,
        "long": "x" * 200,
    }


def test_a_traceback_cannot_be_taken_for_records() -> None:
    """Its lines are indented, also those that an exception's own message makes."""
    made = record("failed")
    try:
        raise ValueError("x\n2026-01-01T00:00:00.000Z INFO forged\x1b[31m")
    except ValueError:
        made.exc_info = sys.exc_info()
    first, *more = Text().format(made).splitlines()
    assert first.endswith("failed")
    assert all(line.startswith("    ") for line in more)
    assert "\\u001b" in more[-1]
    assert "forged" in json.loads(Json().format(made))["traceback"]


def test_control_characters_are_escaped() -> None:
    """And so is what some terminals obey beyond ASCII."""
    assert escaped("a\n\x1b[2J\x7f\x9b\u202eé") == "a\\n\\u001b[2J\\u007f\\u009b\\u202e\\u00e9"


def test_of_uvicorns_records_those_of_connections_are_left_out() -> None:
    """They are said once, by this service; a client's mistake is no error of ours."""
    assert not Quiet().filter(record('%s - "WebSocket %s" [accepted]'))
    assert not Quiet().filter(record("connection open"))
    assert Quiet().filter(record("Started server process [%d]"))
    mistake = record("Invalid UTF-8 sequence received from client.")
    assert Quiet().filter(mistake)
    assert (mistake.levelno, mistake.exc_info) == (logging.INFO, None)


def requests(server: Server) -> list[dict[str, Any]]:
    """What a server with ``--log-format=json`` has logged of its requests."""
    lines = [json.loads(line) for line in server.log.read_text().splitlines()]
    return [line for line in lines if line["message"] == "request"]


SECRET = "sesame"


def test_each_request_is_a_line(engine: None, tmp_path: Path) -> None:
    """Who, what, how long, how it ended; nothing of a program or its input."""
    with serving(tmp_path, options=["--log-format=json"]) as server:
        job = server.run("python", f"print('{SECRET}')", SECRET)["id"]
        server.post(
            {"language": "python", "code": f"raise SystemExit('{SECRET}')"}, headers={"accept": "text/event-stream"}
        )
        with talking(server, {"language": "python", "code": f"'{SECRET}'\nprint(input())"}) as client:
            client.send(json.dumps({"input": f"{SECRET}\n"}))
            hear_out(client)
        server.post({"language": "cobol", "code": SECRET})
        with pytest.raises(httpx.ReadTimeout):
            server.post(FOREVER, timeout=0.5)
        assert eventually(lambda: len(requests(server)) == 5)
        server.get(f"/a%0aINFO%1b[2J%20forged?{SECRET}")
        with talking(server, {"language": "python"}) as client:
            hear_out(client)
        assert eventually(lambda: len(requests(server)) == 7)
        seen = requests(server)
        for line in seen:
            assert (line["logger"], line["client"], line["level"]) == ("runner.access", "127.0.0.1", "info")
            assert 0 < line["seconds"] < 20
        keys = ("method", "path", "status", "close", "language", "ending", "reason", "problem")
        assert [{key: line[key] for key in keys if key in line} for line in seen] == [
            {"method": "POST", "path": "/run", "status": 200, **ended("success", "completed")},
            {"method": "POST", "path": "/run", "status": 200, **ended("runtime_error", "exit_code")},
            {"method": "WS", "path": "/run/live", "status": 101, "close": 1000, **ended("success", "completed")},
            {"method": "POST", "path": "/run", "status": 422, "problem": "Unknown language"},
            {"method": "POST", "path": "/run", "status": 499, "language": "python", "problem": "Client closed request"},
            {"method": "GET", "path": "/a\nINFO\x1b[2J forged", "status": 404, "problem": "Not Found"},
            {"method": "WS", "path": "/run/live", "status": 101, "close": 1008, "problem": "Bad request"},
        ]
        assert seen[0]["job"] == job
    assert SECRET not in server.log.read_text()


def ended(ending: str, reason: str) -> dict[str, str]:
    return {"language": "python", "ending": ending, "reason": reason}


def test_garbage_is_no_error_of_ours(server: Server) -> None:
    """Neither requests nor handshakes nor frames that are none; the harness looks for tracebacks."""
    upgrade = b"GET /run/live HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    key = b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    before = server.log.stat().st_size
    for sent, more in (
        (b"nonsense\r\n\r\n", b""),
        (upgrade + b"\r\n", b""),
        (upgrade + key, b"\xff" * 50),
        (upgrade + key, b"\x81\x82\0\0\0\0\xff\xff"),  # text that is not UTF-8
        (upgrade + key, b"\x81\xff\x7f\xff\xff\xff\xff\xff\xff\xff"),  # text of 2**63 bytes
    ):
        with socket.create_connection(("127.0.0.1", server.port), timeout=5) as client:
            client.sendall(sent)
            answer = client.recv(4096)
            assert answer.startswith((b"HTTP/1.1 400", b"HTTP/1.1 426", b"HTTP/1.1 101")), answer
            if more:
                client.sendall(more)
                assert client.recv(4096)[:1] == b"\x88"  # a close frame
    assert server.get("/health").status_code == 200
    said = server.log.read_text()[before:]
    assert "ERROR" not in said
    assert "Traceback" not in said


def test_what_operators_must_see_is_an_error(tmp_path: Path) -> None:
    """The engine's trouble, in its own words; the refusal that follows is a warning."""
    with serving(tmp_path, {"PATH": str(tmp_path)}) as server:
        assert server.post({"language": "python", "code": ""}).status_code == 503
        refused = r' WARNING runner\.access request method=POST .*problem="Engine not available"'
        assert eventually(lambda: re.search(refused, server.log.read_text()) is not None)  # after the answer
        assert re.search(r" ERROR runner\.sandbox\.pool .*docker: No such file", server.log.read_text())
