"""The page's files as HTTP serves them, without a browser."""

import hashlib
import re
from pathlib import Path

import httpx
import pytest

from runner.web import static
from tests.harness import ROOT, Server

FOLDER = ROOT / "runner" / "web" / "page"
OWN = sorted(path for path in FOLDER.iterdir() if path.suffix in (".js", ".html", ".css"))


def get(server: Server, path: str, **headers: str) -> httpx.Response:
    """A request as it is written: nothing in the path is tidied up."""
    with httpx.Client() as client:
        request = client.build_request("GET", server.url, headers=headers)
        request.url = request.url.copy_with(raw_path=path.encode())
        return client.send(request)


def test_the_page_is_served_with_its_policy(server: Server) -> None:
    """Nothing but this site's own files, no frame around it, no address handed on."""
    answer = get(server, "/")
    assert answer.text == (FOLDER / "index.html").read_text()
    assert answer.headers["content-security-policy"] == (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
        "font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'"
    )
    assert {name: answer.headers[name] for name in static.HEADERS} == static.HEADERS


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "text/html; charset=utf-8"),
        ("/static/page.css", "text/css; charset=utf-8"),
        ("/static/main.js", "text/javascript; charset=utf-8"),
        ("/static/vendor/codemirror.js", "text/javascript; charset=utf-8"),
        ("/static/vendor/modes.js", "text/javascript; charset=utf-8"),
        ("/static/vendor/LICENSE", "text/plain; charset=utf-8"),
        ("/static/vendor/xterm/xterm.js", "text/javascript; charset=utf-8"),
        ("/static/vendor/xterm/xterm.css", "text/css; charset=utf-8"),
        ("/static/vendor/xterm/LICENSE", "text/plain; charset=utf-8"),
        ("/static/icon.svg", "image/svg+xml"),
    ],
)
def test_a_file_is_sent_once(server: Server, path: str, kind: str) -> None:
    """Its tag is of its content; who has it gets 304, compressed or not, with the same policy."""
    for encoding in ("gzip, br", "identity"):
        answer = get(server, path, **{"Accept-Encoding": encoding})
        assert (answer.status_code, answer.headers["content-type"]) == (200, kind)
        assert ("content-encoding" in answer.headers) is (encoding != "identity")
        assert hashlib.sha256(answer.content).hexdigest()[:32] in answer.headers["etag"]
        again = get(server, path, **{"Accept-Encoding": encoding, "If-None-Match": f'"x", W/{answer.headers["etag"]}'})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["content-security-policy"] == answer.headers["content-security-policy"]
        other = get(server, path, **{"Accept-Encoding": encoding, "If-None-Match": '"x"'})
        assert other.status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        *("/static/", "/static/nothing.js", "/static/../server.py", "/static/%2e%2e/%2e%2e/server.py"),
        *("/static//etc/passwd", "/static/vendor", "/static/vendor/package.json", "/static/vendor/entry.mjs"),
        *("/static/vendor/../../../server.py", "/static/..%2f..%2fserver.py", "/static/page.css%00", "/index.html"),
    ],
)
def test_no_other_file_is_served(server: Server, path: str) -> None:
    """Only what was read at the start has a name."""
    answer = get(server, path)
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


def test_nothing_stands_inline() -> None:
    """The policy would refuse it: no script, no style, no handler in the HTML."""
    html = (FOLDER / "index.html").read_text()
    assert re.findall(r"<style|\bstyle=|\bon[a-z]+=|javascript:", html) == []
    assert all(body == "" for body in re.findall(r"<script[^>]*>(.*?)</script>", html, re.DOTALL))


@pytest.mark.parametrize("path", OWN, ids=lambda path: path.name)
def test_no_file_reaches_outside_or_makes_html_of_text(path: Path) -> None:
    """No other site, no markup out of strings, nothing evaluated. An example names SVG as its standard does."""
    text = path.read_text().replace('xmlns="http://www.w3.org/2000/svg"', "")
    assert re.findall(r"https?://|innerHTML|outerHTML|insertAdjacent|document\.write|\beval\b|Function\(", text) == []


@pytest.mark.parametrize(
    ("folder", "names", "packages"), [(".", ["codemirror.js", "modes.js"], 19), ("xterm", ["xterm.js", "xterm.css"], 4)]
)
def test_the_bundle_is_the_one_that_is_described(folder: str, names: list[str], packages: int) -> None:
    """Its README has its digest, its licence names every package with its version."""
    vendor = FOLDER / "vendor" / folder
    for name in names:
        assert hashlib.sha256((vendor / name).read_bytes()).hexdigest() in (vendor / "README.md").read_text()
    listed = re.findall(r'"(@?[a-z][\w/@-]+)": "([\d.]+)"', (vendor / "package.json").read_text())
    text = (vendor / "LICENSE").read_text()
    assert len(listed) == packages
    assert [name for name, version in listed if name != "esbuild" and f"{name} {version}\n" not in text] == []
