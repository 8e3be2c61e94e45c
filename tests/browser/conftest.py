"""A real browser at the real server. Whatever page a test opens, nothing it shows may have been able to act."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.screen import Screen
from tests.harness import ROOT, Server

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Debian's Chromium. Not for the session: Playwright holds an event loop of its own as long as it lives."""
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        yield running
        running.close()


@pytest.fixture(scope="session")
def pictures() -> Path:
    """Where screenshots are kept for people to look at."""
    folder = ROOT / ".screenshots"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture
def screen(server: Server, browser: Browser, pictures: Path) -> Iterator[Screen]:
    """The page in a window of its own; afterwards no policy was violated, no dialog shown, no other site asked."""
    with Screen.open(browser, server.url, pictures) as opened:
        yield opened
        assert opened.complaints == []
        assert {url.partition("/static")[0].removesuffix("/") for url in opened.asked if "/static" in url} == {
            server.url
        }
        assert [url for url in opened.asked if not url.startswith(("data:", server.url))] == []
