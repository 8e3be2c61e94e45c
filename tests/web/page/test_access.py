"""The page for everybody: by keyboard, with a screen reader, on a phone, in the dark."""

from importlib.resources import files
from typing import Any, Final

import pytest
from playwright.sync_api import Page, expect

from tests.web.page.screen import PHONE, Opener, Screen

AXE = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
FOCUSED = """() => {
  let at = document.activeElement;
  while (at.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
  return at.ariaLabel ?? (at.labels?.[0] ?? at).innerText.split("\\n")[0];
}"""


def violations(page: Page) -> list[str]:
    """What axe finds against WCAG 2.2 AA and its own best practices."""
    page.evaluate(AXE)
    found: list[dict[str, Any]] = page.evaluate("axe.run().then((report) => report.violations)")
    return [f"{each['id']}: {node['html']}: {node['failureSummary']}" for each in found for node in each["nodes"]]


DEVICES: Final = {"desk-light": ("light", {}), "desk-dark": ("dark", {}), "phone": ("light", PHONE)}
LOUD = """
#include <stdexcept>
int main() { unsigned char small = 300; throw std::runtime_error("so"); }
"""


@pytest.mark.parametrize("name", DEVICES)
def test_axe_finds_nothing(opener: Opener, name: str) -> None:
    """Names, roles, landmarks, contrast: empty; colours, a link; a compiler; files, results; a terminal."""
    theme, device = DEVICES[name]
    with opener(color_scheme=theme, **device) as other:
        assert violations(other.page) == []
        other.picture(f"{name}-empty")
        other.choose("Colours")
        other.button("Run").click()
        other.ended()
        other.button("Share").click()
        expect(other.page.locator("#toast")).not_to_be_empty()
        assert violations(other.page) == []
        other.picture(f"{name}-shared")
        other.run(LOUD, "cpp")
        assert [block for block, _ in other.blocks()] == ["compiler", "stderr"]
        assert violations(other.page) == []
        other.picture(f"{name}-failed")
        other.choose("A picture and a table")
        other.button("New file").click()
        other.page.get_by_role("textbox", name="Content of the file").fill("x")
        other.arguments.fill("-n 'two words' \"")
        other.button("Run").click()
        assert other.ended() == "Nothing was sent"
        assert violations(other.page) == []
        other.arguments.fill("-n 'two words' ''")
        other.button("Run").click()
        expect(other.results.get_by_role("img")).to_be_visible()
        assert violations(other.page) == []
        other.page.screenshot(path=other.pictures / f"{name}-results.png", full_page=True)
        other.choose("Questions and answers")
        other.button("Run").click()
        expect(other.button("Ctrl+C: interrupt")).to_be_visible()
        assert violations(other.page) == []
        other.picture(f"{name}-terminal")


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
    for _ in range(8):
        press("Tab")
        names.append(screen.page.evaluate(FOCUSED))
    assert names == [
        "In a terminal: type while the program runs",
        "Input",
        "Arguments",
        "Add files",
        "New file",
        "Run",
        "Stop",
        screen.output.inner_text().split("\n")[0],
    ]
    screen.button("Run").focus()
    press("Enter")
    expect(screen.status).to_have_text("Finished")
    expect(screen.button("Run")).to_be_focused()  # it is not lost while the program runs


def test_typing_replaces_a_selection(screen: Screen) -> None:
    """Over several lines too, where the browser by itself would write style attributes; undone in one step."""
    screen.editor.click()
    for keys in ("Control+a", "(", "x"):
        screen.page.keyboard.press(keys)
    assert screen.editor.inner_text() == "(x)"
    screen.page.keyboard.press("Control+z")
    expect(screen.editor).to_contain_text("import platform")


def test_the_skip_link_leads_to_the_editor(screen: Screen) -> None:
    """The first stop of the keyboard."""
    screen.page.keyboard.press("Tab")
    screen.page.keyboard.press("Enter")
    expect(screen.editor).to_be_focused()


def test_a_screen_reader_hears_how_it_stands(screen: Screen) -> None:
    """The status is told when it changes; what a terminal shows too, the output of a flood not."""
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
    ):
        assert line in tree, tree
    screen.run("print(1)")
    assert "- status: Finished" in screen.page.locator("main").aria_snapshot()
    assert screen.output.get_attribute("aria-live") == "off"
    screen.run("print('told')", open=True)
    expect(screen.page.locator("#terminal [aria-live=assertive]")).to_contain_text("told")
    expect(screen.page.locator("#terminal").get_by_role("listitem").first).to_have_text("told")
    tree = screen.page.locator("#terminal").aria_snapshot()
    assert '- textbox "Terminal. Escape, then Tab, leaves it."' in tree


def test_a_phone_needs_no_sideways_scrolling(opener: Opener) -> None:
    """Run is in reach without scrolling, fingers can hit it, and nothing is wider than the screen."""
    with opener(**PHONE) as phone:
        box = phone.button("Run").bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= 844
        assert box["height"] >= 44
        phone.button("Run").tap()
        assert phone.ended() == "Finished"
        assert phone.page.evaluate("document.documentElement.scrollWidth") <= 390
        assert phone.output.bounding_box() is not None
        assert phone.complaints == []


def test_the_theme_is_the_systems_until_another_is_chosen(opener: Opener, screen: Screen) -> None:
    """And the choice is kept, from the first paint on."""
    colour = "getComputedStyle(document.body).backgroundColor"
    light = screen.page.evaluate(colour)
    with opener(color_scheme="dark") as dark:
        assert dark.page.evaluate(colour) != light
        dark.button("Theme: system").click()
        assert dark.page.evaluate(colour) == light
        dark.page.reload()
        assert dark.page.evaluate(colour) == light
        dark.button("Theme: light").click()
        dark.button("Theme: dark").click()
        expect(dark.button("Theme: system")).to_be_visible()
