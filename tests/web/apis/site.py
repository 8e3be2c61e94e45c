"""A site that explains programs, and lets its readers run them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Final

WIDGET: Final = Path(__file__).parent / "vendor" / "codapi" / "snippet.js"
PAGE: Final = """<!doctype html>
<title>A site</title>
<pre id="python">print("Hello")</pre>
<codapi-snippet sandbox="python" editor="basic"></codapi-snippet>
<pre id="cpp">int main() { return x; }</pre>
<codapi-snippet sandbox="cpp"></codapi-snippet>
<pre id="cobol">DISPLAY 1</pre>
<codapi-snippet sandbox="cobol"></codapi-snippet>
<script>window.codapi = {settings: {url: `${location.hash.slice(1)}/v1`}};</script>
<script src="/snippet.js"></script>
"""
"""Asks the runner that stands after the # of its address."""


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        """The page, or the widget."""
        script = self.path == "/snippet.js"
        data = WIDGET.read_bytes() if script else PAGE.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/javascript" if script else "text/html")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


@dataclass(frozen=True)
class Site:
    """Where it is."""

    origin: str


@contextmanager
def opened() -> Iterator[Site]:
    """The site, on a port of its own."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield Site(f"http://127.0.0.1:{server.server_port}")
        finally:
            server.shutdown()
            thread.join()
