"""The page for everybody: by keyboard, with a screen reader, on a phone, in the dark."""

from importlib.resources import files
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.screen import PHONE, Screen
from tests.harness import Server

AXE = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
FOCUSED = """() => {
  let at = document.activeElement;
  while (at.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
  return at.ariaLabel ?? at.labels?.[0]?.innerText ?? at.innerText.split("\\n")[0];
}"""


def violations(page: Page) -> list[str]:
    """What axe finds against WCAG 2.2 AA and its own best practices."""
    page.evaluate(AXE)
    found: list[dict[str, Any]] = page.evaluate("axe.run().then((report) => report.violations)")
    return [f"{each['id']}: {node['html']}: {node['failureSummary']}" for each in found for node in each["nodes"]]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("device", [{}, PHONE], ids=["desk", "phone"])
def test_axe_finds_nothing(
    browser: Browser, server: Server, screen: Screen, theme: str, device: dict[str, Any]
) -> None:
    """Names, roles, landmarks, contrast: empty, with code and output of every kind, with the link open, refused."""
    name = f"{'phone' if device else 'desk'}-{theme}"
    with Screen.open(browser, server.url, screen.pictures, color_scheme=theme, **device) as other:
        assert violations(other.page) == []
        other.picture(f"{name}-empty")
        other.choose("Colours")
        other.button("Run").click()
        other.ended()
        other.button("Share").click()
        expect(other.page.get_by_label("Link to this program")).to_be_visible()
        expect(other.page.locator("#toast")).not_to_be_empty()
        assert violations(other.page) == []
        other.picture(f"{name}-shared")
        other.choose("A warning", "cpp")
        other.button("Run").click()
        other.ended()
        assert violations(other.page) == []
        other.choose("An exception")
        other.button("Run").click()
        other.ended()
        assert violations(other.page) == []
        other.picture(f"{name}-failed")


def test_a_program_is_run_by_keyboard_alone(screen: Screen) -> None:
    """The order of focus is that of the work; Escape, then Tab, leaves the editor."""
    press = screen.page.keyboard.press
    names = []
    for _ in range(6):
        press("Tab")
        names.append(screen.page.evaluate(FOCUSED))
    assert names == [
        *("Skip to the editor", "Theme: system", "below", "Language", "Example", "Share"),
    ]
    press("Tab")
    expect(screen.editor).to_be_focused()
    press("Control+a")
    screen.page.keyboard.type("for n in range(2):\nprint(n)")
    press("Home")
    press("Tab")  # indents
    press("Control+Enter")
    expect(screen.status).to_have_text("Finished")
    press("Escape")
    names = []
    for _ in range(6):
        press("Tab")
        names.append(screen.page.evaluate(FOCUSED))
    assert names[:5] == [
        "Input",
        "Keep it open: answer while the program runs",
        "Run",
        "Stop",
        screen.output.inner_text().split("\n")[0],
    ]
    screen.button("Run").focus()
    press("Enter")
    expect(screen.status).to_have_text("Finished")
    expect(screen.button("Run")).to_be_focused()  # it is not lost while the program runs


def test_the_skip_link_leads_to_the_editor(screen: Screen) -> None:
    """The first stop of the keyboard."""
    screen.page.keyboard.press("Tab")
    screen.page.keyboard.press("Enter")
    expect(screen.editor).to_be_focused()


def test_a_screen_reader_hears_how_it_stands(screen: Screen) -> None:
    """The status is told when it changes; the output of a dialog too, that of a flood not."""
    tree = screen.page.locator("body").aria_snapshot()
    for line in (
        "- banner:",
        "- main:",
        '- heading "code-runner" [level=1]',
        '- region "Program"',
        '- combobox "Language"',
        '- textbox "Input"',
        '- button "Run"',
        '- button "Stop" [disabled]',
        '- log "Output"',
        "- status",
        '- region "The docker command"',
        '- columnheader "Verified"',
    ):
        assert line in tree, tree
    screen.run("print(1)")
    assert screen.output.get_attribute("aria-live") == "off"
    screen.run("print(1)", open=True)
    assert screen.output.get_attribute("aria-live") == "polite"


def test_a_phone_needs_no_sideways_scrolling(browser: Browser, server: Server, screen: Screen) -> None:
    """Run is in reach without scrolling, fingers can hit it, and nothing is wider than the screen."""
    with Screen.open(browser, server.url, screen.pictures, **PHONE) as phone:
        box = phone.button("Run").bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= 844
        assert box["height"] >= 44
        phone.button("Run").tap()
        assert phone.ended() == "Finished"
        assert phone.page.evaluate("document.documentElement.scrollWidth") <= 390
        assert phone.output.bounding_box() is not None
        assert phone.complaints == []


def test_the_theme_is_the_systems_until_another_is_chosen(browser: Browser, server: Server, screen: Screen) -> None:
    """And the choice is kept, from the first paint on."""
    colour = "getComputedStyle(document.body).backgroundColor"
    light = screen.page.evaluate(colour)
    with Screen.open(browser, server.url, screen.pictures, color_scheme="dark") as dark:
        assert dark.page.evaluate(colour) != light
        dark.button("Theme: system").click()
        assert dark.page.evaluate(colour) == light
        dark.page.reload()
        assert dark.page.evaluate(colour) == light
        dark.button("Theme: light").click()
        dark.button("Theme: dark").click()
        expect(dark.button("Theme: system")).to_be_visible()
