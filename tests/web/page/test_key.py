"""The page where nobody runs a program without a key."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Browser, expect

from runner.policy import keys
from tests.harness import Server, serving
from tests.web.page.screen import Screen, new_profile
from tests.web.page.test_access import violations

KEY: Final = f"{keys.PREFIX}{'5e' * keys.BYTES}"
TEXT: Final = keys.NEW.replace("required = false", "required = true")


@pytest.fixture(scope="module")
def strict(engine: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that wants keys."""
    text = TEXT + keys.new(TEXT, "alice", KEY, "100 per 15 minutes")
    with serving(tmp_path_factory.mktemp("strict"), keys=text) as running:
        yield running


def test_programs_run_with_the_key_that_is_typed_in(strict: Server, browser: Browser, pictures: Path) -> None:
    """By Run and in a terminal; a wrong one is asked for again; a reload keeps it, a link does not have it."""
    with new_profile(browser) as profile, Screen.open(profile, strict.url, pictures) as screen:
        field = screen.page.get_by_label("Key", exact=True)
        expect(field).to_be_visible()
        assert screen.run("print(1)") == "No valid key"
        expect(field).to_be_focused()
        assert violations(screen.page) == []
        screen.picture("key")
        field.fill(f"\u200b {KEY[:-1]}é")
        assert screen.run("print(1)") == "No valid key"
        field.fill(f"\u200b {KEY}\u00a0")
        assert screen.run("print(1)") == "Finished"
        screen.page.reload()
        expect(field).to_have_value(KEY)
        assert screen.run("print(2)") == "Finished"
        assert screen.run("print(3)", open=True) == "Finished"
        screen.see("3")
        screen.button("Share").click()
        expect(screen.page.locator("#toast")).not_to_be_empty()
        assert KEY not in screen.page.url
        complaints = [said for said in screen.complaints if "401 (Unauthorized)" not in said]
        assert complaints == []
        assert [text for text in [*screen.asked, *screen.sent] if KEY in text] == []


def test_the_page_has_no_field_where_none_is_wanted(screen: Screen) -> None:
    """It is not in anybody's way."""
    expect(screen.page.get_by_label("Key", exact=True)).to_be_hidden()
    assert screen.run("print(1)") == "Finished"
