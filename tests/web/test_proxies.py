"""The server behind real proxies, as images/server/nginx.conf and images/server/Caddyfile say."""

import os
import re
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from runner.policy import configuration
from tests.harness import ROOT, Server, eventually, free_port, listens, serving

FILES = ROOT / "images" / "server"
NAME = "runner.example"
COUNTED = 400
"""What an empty body hears after it has been counted."""
MAIN = """
daemon off; user root; pid {folder}/pid; error_log {folder}/error.log; worker_processes 1;
events {{ }}
http {{
    access_log off;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    include {folder}/code-runner.conf;
}}
"""


@contextmanager
def running(command: list[str], port: int, folder: Path) -> Iterator[str]:
    """A proxy until the end of the block; its address."""
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, "HOME": str(folder)})
    try:
        assert eventually(lambda: listens(port)), (folder / "log").read_text()
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=10)


@contextmanager
def nginx(folder: Path, upstream: int) -> Iterator[str]:
    """The file as it is, but for the ports."""
    port = free_port()
    text = (FILES / "nginx.conf").read_text().replace("127.0.0.1:3000", f"127.0.0.1:{upstream}")
    text, found = re.subn(r"listen (\[::\]:)?80;", rf"listen \g<1>{port};", text)
    assert found == 2
    (folder / "code-runner.conf").write_text(text)
    (folder / "nginx.conf").write_text(MAIN.format(folder=folder))
    with running(["nginx", "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")], port, folder) as url:
        yield url


@contextmanager
def a_caddy(text: str, port: int, folder: Path, *variables: str) -> Iterator[str]:
    """Caddy with this file, and NAME=VALUE in its environment."""
    (folder / "Caddyfile").write_text("{\n\tadmin off\n}\n" + text)
    command = ["env", *variables, "caddy", "run", "--adapter=caddyfile", f"--config={folder / 'Caddyfile'}"]
    with running(command, port, folder) as url:
        yield url


@contextmanager
def caddy(folder: Path, upstream: int) -> Iterator[str]:
    """The file as it is, but for the ports, and without asking anybody for a certificate."""
    port = free_port()
    text = (FILES / "Caddyfile").read_text().replace("127.0.0.1:3000", f"127.0.0.1:{upstream}")
    text = text.replace(f"{NAME} {{", f"http://{NAME}:{port} {{")
    with a_caddy(text, port, folder) as url:
        yield url


Proxy = Callable[[int], str]
"""Starts one before a port; its address."""
PROXIES = {"nginx": nginx, "caddy": caddy}


@pytest.fixture(params=PROXIES)
def proxy(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Proxy]:
    """Either of them."""
    with ExitStack() as stack:
        yield lambda port: stack.enter_context(PROXIES[request.param](tmp_path, port))


@pytest.fixture(scope="module")
def behind(engine: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that believes proxies on 127.0.0.1, and only those."""
    settings: dict[str, Any] = {
        "allowed_hosts": [NAME],
        "trusted_proxies": ["127.0.0.1"],
        "rate_limit": "2 per 15 minutes",
    }
    with serving(tmp_path_factory.mktemp("behind"), **settings) as server:
        yield server


def ask(url: str, source: str | None, *forwarded: str, body: object = None) -> httpx.Response:
    """``POST /run`` from an address, with the headers X-Forwarded-For that a client makes up."""
    headers = [("host", NAME), *(("x-forwarded-for", value) for value in forwarded)]
    with httpx.Client(transport=httpx.HTTPTransport(local_address=source), timeout=30) as client:
        return client.post(f"{url}/run", json=body or {}, headers=headers)


def test_a_client_is_who_the_proxy_sees(proxy: Proxy, behind: Server, request: pytest.FixtureRequest) -> None:
    """Whatever it says of itself, in one header or in several: the rightmost address that is no proxy's."""
    url = proxy(behind.port)
    first, second = (f"127.{1 + list(PROXIES).index(request.node.callspec.params['proxy'])}.0.{n}" for n in (1, 2))
    heard = [
        ask(url, first),
        ask(url, first, "203.0.113.1"),
        ask(url, first, "203.0.113.2, 127.0.0.1"),
        ask(url, first, "203.0.113.3", second),
        ask(url, second, first),
    ]
    assert [answer.status_code for answer in heard] == [COUNTED, COUNTED, 429, 429, COUNTED]


def test_who_is_no_proxy_is_not_believed(behind: Server) -> None:
    """A client that reaches the server directly is its own address."""
    heard = [ask(behind.url, "127.3.0.1", f"203.0.113.{number}").status_code for number in range(3)]
    assert heard == [COUNTED, COUNTED, 429]


def test_an_ipv6_client_is_its_network(behind: Server, tmp_path: Path) -> None:
    """What nginx sees on IPv6, not what the client says."""
    with nginx(tmp_path, behind.port) as address:
        url = address.replace("127.0.0.1", "[::1]")
        heard = [ask(url, None, f"2001:db8:{number}::1").status_code for number in range(3)]
        assert heard == [COUNTED, COUNTED, 429]


def test_a_proxy_behind_a_proxy(behind: Server, tmp_path: Path) -> None:
    """Both trusted, both skipped: still the address of whoever asked the first of them."""
    with ExitStack() as stack:
        inner, outer = tmp_path / "inner", tmp_path / "outer"
        inner.mkdir()
        outer.mkdir()
        middle = stack.enter_context(nginx(inner, behind.port))
        url = stack.enter_context(caddy(outer, int(middle.rpartition(":")[2])))
        heard = [ask(url, f"127.4.0.{number}", "203.0.113.1").status_code for number in (1, 1, 1, 2)]
        assert heard == [COUNTED, COUNTED, 429, COUNTED]


def test_what_passes_and_what_does_not(proxy: Proxy, behind: Server, request: pytest.FixtureRequest) -> None:
    """Programs run; bodies over the service's own limit and /metrics, however it is written, get no further."""
    url = proxy(behind.port)
    source = f"127.5.0.{1 + list(PROXIES).index(request.node.callspec.params['proxy'])}"
    answer = ask(url, source, body={"language": "python", "code": "print(6 * 7)"})
    assert (answer.status_code, answer.json()["stdout"]) == (200, "42\n")
    try:  # Caddy may give up where the service has refused before all was sent: by 502, or in the midst of the answer
        status = ask(url, source, body={"code": "x" * configuration.load().settings.body}).status_code
    except httpx.RemoteProtocolError:
        status = 502
    assert status in (413, 502)
    for path in ("/metrics", "/metrics/", "/%6detrics", "//metrics", "/./metrics", "/x/../metrics"):
        with httpx.Client() as client:
            asked = client.build_request("GET", url, headers={"host": NAME}, extensions={"target": path.encode()})
            answer = client.send(asked)
            assert (answer.status_code, "problem" in answer.text) == (404, False)  # the proxy's, not the service's
    assert httpx.get(f"{url}/health", headers={"host": NAME}).json() == {"status": "up"}


def test_who_leaves_the_proxy_stops_the_program(proxy: Proxy, behind: Server, request: pytest.FixtureRequest) -> None:
    """As without one."""
    url = proxy(behind.port)
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(
            f"{url}/run", json={"language": "python", "code": "while True: pass"}, headers={"host": NAME}, timeout=0.6
        )
    assert eventually(lambda: not behind.jobs(), 1.9)  # before its own time is up


class Sender(BaseHTTPRequestHandler):
    """In the place of the service: sends its second event when the first has arrived, and takes upgrades."""

    protocol_version = "HTTP/1.1"
    arrived = threading.Event()

    def do_POST(self) -> None:
        """Events."""
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(b"data: 1\n\n")
        self.arrived.wait(5)
        self.wfile.write(b"data: 2\n\n")
        self.close_connection = True

    def do_GET(self) -> None:
        """An echo of four bytes, for who asks as a WebSocket does."""
        asked = self.headers["Upgrade"] == "websocket" and self.headers["Connection"].lower() == "upgrade"
        self.send_response(101 if asked else 400)
        self.send_header("Connection", "Upgrade")
        self.send_header("Upgrade", "websocket")
        self.end_headers()
        self.wfile.write(self.rfile.read(4))
        self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


@pytest.fixture
def sender() -> Iterator[int]:
    """The port of one."""
    Sender.arrived.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Sender) as server:
        threading.Thread(target=server.serve_forever).start()
        yield server.server_port
        server.shutdown()


def test_events_arrive_when_they_are_sent(proxy: Proxy, sender: int) -> None:
    """Nothing is held back: the second is sent when the first is there."""
    began = time.monotonic()
    with httpx.stream("POST", f"{proxy(sender)}/run", headers={"host": NAME}, timeout=10) as answer:
        chunks = answer.iter_raw()
        assert next(chunks) == b"data: 1\n\n"
        Sender.arrived.set()
        assert b"".join(chunks) == b"data: 2\n\n"
    assert time.monotonic() - began < 4


def test_a_websocket_gets_through(proxy: Proxy, sender: int) -> None:
    """The upgrade is passed on, and what follows goes both ways."""
    port = int(proxy(sender).rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=5) as client, client.makefile("rb") as stream:
        words = f"GET /run/live HTTP/1.1\r\nHost: {NAME}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
        client.sendall(words.encode())
        assert b" 101 " in stream.readline()
        while stream.readline() != b"\r\n":
            pass
        client.sendall(b"ping")
        assert stream.read(4) == b"ping"


def test_the_files_are_valid_and_agree_with_the_service() -> None:
    """Caddy's own word; nginx has started with its file above. The limits are those of server.toml."""
    command = ["caddy", "validate", "--adapter=caddyfile", f"--config={FILES / 'Caddyfile'}"]
    assert subprocess.run(command, capture_output=True, timeout=20, check=False).returncode == 0
    settings = configuration.load().settings
    words = (FILES / "nginx.conf").read_text() + (FILES / "Caddyfile").read_text()
    assert re.findall(r"(?:client_max_body_size|max_size) (\d+)", words) == [str(settings.body)] * 2
    assert re.findall(r"client_body_timeout (\d+)s", words) == [f"{settings.body_time:g}"]
    assert set(re.findall(r"127\.0\.0\.1:\d+", words)) == {f"{settings.host}:{settings.port}"}
    policies = configuration.load().policies.values()
    silence = settings.waiting_time + max(p.limits.compile_time + p.limits.total_time for p in policies)
    assert float(re.findall(r"proxy_read_timeout (\d+)s", words)[0]) > silence
