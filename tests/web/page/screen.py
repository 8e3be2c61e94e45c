"""The page as a person uses it."""

import shlex
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Dialog, Locator, Page, Request, WebSocket, expect

DESK: dict[str, Any] = {"viewport": {"width": 1360, "height": 900}}
PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "is_mobile": True,
    "has_touch": True,
    "device_scale_factor": 2,
}
Opener = Callable[..., AbstractContextManager["Screen"]]
WATCH = """
document.addEventListener("securitypolicyviolation", (event) => {
  console.error(`violation: ${event.effectiveDirective} ${event.blockedURI}`);
});
"""


def new_profile(browser: Browser, **options: Any) -> BrowserContext:
    """A browser that has never been here."""
    profile = browser.new_context(**{**DESK, **options})
    profile.grant_permissions(["clipboard-read", "clipboard-write"])
    profile.set_default_timeout(10_000)
    return profile


@dataclass
class Screen:
    """One window; ``complaints`` is what the browser had to say against the page."""

    page: Page
    url: str
    pictures: Path
    complaints: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    sent: list[str] = field(default_factory=list)
    typed: list[str | bytes] = field(default_factory=list)
    """What went through sockets."""

    @classmethod
    @contextmanager
    def open(cls, profile: BrowserContext, url: str, pictures: Path, path: str = "/") -> Iterator["Screen"]:
        """The page, loaded."""
        screen = cls(profile.new_page(), url, pictures)
        screen._listen()
        screen.page.goto(url + path)
        expect(screen.page.locator("#limits")).not_to_be_empty()
        yield screen
        screen.page.close()

    def _listen(self) -> None:
        self.page.add_init_script(WATCH)
        self.page.on("console", lambda message: self.complaints.append(f"{message.type}: {message.text}"))
        self.page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        self.page.on("dialog", self._shown)
        self.page.on("request", self._noted)
        self.page.on("websocket", self._opened)

    def _shown(self, dialog: Dialog) -> None:
        self.complaints.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _noted(self, request: Request) -> None:
        self.asked.append(request.url)
        if request.post_data:
            self.sent.append(request.post_data)

    def _opened(self, socket: WebSocket) -> None:
        self.sent.append(socket.url)
        socket.on("framesent", self._sent)

    def _sent(self, frame: str | bytes) -> None:
        self.typed.append(frame)

    @property
    def status(self) -> Locator:
        """The one line that says how it stands."""
        return self.page.locator("#status")

    @property
    def output(self) -> Locator:
        """What was printed."""
        return self.page.get_by_role("log", name="Output")

    @property
    def terminal(self) -> Locator:
        """The screen of a live run, as it is seen; a screen reader's copy of it may be a second late."""
        return self.page.locator("#terminal .xterm-rows")

    @property
    def editor(self) -> Locator:
        """Where code is written."""
        return self.page.get_by_role("textbox", name="Code.")

    @property
    def input(self) -> Locator:
        """What the program reads first."""
        return self.page.get_by_role("textbox", name="Input")

    @property
    def arguments(self) -> Locator:
        """One line, split as a shell does."""
        return self.page.get_by_role("textbox", name="Arguments")

    @property
    def files(self) -> Locator:
        """Those that are sent, one row each."""
        return self.page.locator("#files li")

    @property
    def results(self) -> Locator:
        """What the program has left."""
        return self.page.get_by_role("region", name="Results")

    def button(self, name: str) -> Locator:
        """A button by what stands on it."""
        return self.page.get_by_role("button", name=name, exact=True)

    def write(self, code: str, language: str = "python", input: str = "", *, open: bool = False) -> None:
        """Fills everything in."""
        self.page.get_by_label("Language").select_option(language)
        self.editor.press("Control+a")
        self.page.keyboard.insert_text(code)
        self.input.fill(input)
        self.page.get_by_label("In a terminal").set_checked(open)

    def choose(self, example: str, language: str = "python") -> None:
        """An example from the list."""
        self.page.get_by_label("Language").select_option(language)
        self.page.get_by_label("Example").select_option(example)

    def run(self, *values: Any, **options: Any) -> str:
        """Runs a program to its end; the words of its ending."""
        self.write(*values, **options)
        self.button("Run").click()
        return self.ended()

    def ended(self) -> str:
        """Waits for the end."""
        expect(self.status).not_to_have_attribute("data-kind", "busy", timeout=30_000)
        return self.status.inner_text()

    def blocks(self) -> list[tuple[str, str]]:
        """What was printed, by whom, in the order of the page."""
        found = self.output.locator(".block").all()
        return [
            ((block.get_attribute("class") or "").split()[-1], block.locator("pre").inner_text()) for block in found
        ]

    def lines(self) -> list[str]:
        """What stands on the terminal's screen."""
        text = self.terminal.locator("> *").evaluate_all("rows => rows.map(row => row.textContent).join('\\n')")
        return [line.rstrip() for line in str(text).rstrip().split("\n")]

    def see(self, *lines: str) -> None:
        """Waits until these stand on the terminal's screen, in this order."""
        expect(self.terminal.locator("> *")).to_contain_text(lines)

    def argv(self) -> list[str]:
        """The command that the panel shows."""
        return shlex.split(self.page.locator("#command-line").inner_text())

    def picture(self, name: str) -> None:
        """For people to look at."""
        self.page.screenshot(path=self.pictures / f"{name}.png")
