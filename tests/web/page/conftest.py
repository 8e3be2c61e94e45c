"""A real browser at the real server. Whatever page a test opens, nothing it shows may have been able to act."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, expect, sync_playwright

from tests.harness import ROOT, Server
from tests.web.page.screen import Opener, Screen, new_profile

expect.set_options(timeout=15_000)  # of a busy machine
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's, without what only a window on a desk needs, which is half of its CPU time."""
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path="/usr/bin/chromium-headless-shell", args=ARGUMENTS)
        yield running
        running.close()


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """One for all. Not for the session: Playwright holds an event loop of its own as long as it lives."""
    with chromium() as running:
        yield running


@pytest.fixture(scope="session")
def pictures() -> Path:
    """Where screenshots are kept for people to look at."""
    folder = ROOT / ".screenshots"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="package")
def profile(browser: Browser) -> Iterator[BrowserContext]:
    """One for most tests: it keeps files, and nothing else that they could notice."""
    with new_profile(browser) as shared:
        yield shared


@pytest.fixture
def opener(server: Server, browser: Browser, pictures: Path) -> Opener:
    """Opens the page in a profile of its own, with any options of Playwright's."""

    @contextmanager
    def opened(path: str = "/", **options: Any) -> Iterator[Screen]:
        with new_profile(browser, **options) as fresh, Screen.open(fresh, server.url, pictures, path) as screen:
            yield screen

    return opened


@pytest.fixture
def screen(server: Server, profile: BrowserContext, pictures: Path) -> Iterator[Screen]:
    """The page; afterwards no policy was violated, no dialog shown, no other site asked."""
    with Screen.open(profile, server.url, pictures) as opened:
        yield opened
        assert opened.complaints == []
        assert [url for url in opened.asked if not url.removeprefix("blob:").startswith(opened.url)] == []
