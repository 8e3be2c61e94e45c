"""A program in a link, and in the tab."""

from playwright.sync_api import expect

from tests.web.page.screen import Opener, Screen

CODE = 'print(input(), "é 👩‍🚀 <b>")\n'


def test_a_link_carries_the_program(opener: Opener, screen: Screen) -> None:
    """Code, input and language come back in another browser; nothing is sent until someone presses Run."""
    screen.write(CODE, input="ü\nx", open=True)
    screen.button("Share").click()
    expect(screen.page.locator("#toast")).to_have_text("The link is copied")
    link = screen.page.evaluate("navigator.clipboard.readText()")
    assert link == screen.page.get_by_label("Link to this program").input_value() == screen.page.url
    assert link.startswith(f"{screen.url}/#program=")
    with opener(path=link.removeprefix(screen.url)) as other:
        expect(other.status).to_contain_text("Opened from a link, nothing was sent")
        other.picture("linked")
        assert other.editor.inner_text().strip() == CODE.strip()
        assert other.input.input_value() == "ü\nx"
        assert other.page.get_by_label("In a terminal").is_checked()
        other.page.wait_for_timeout(300)
        assert other.sent == []
        assert not [url for url in other.asked if "program=" in url.partition("#")[0]]
        other.button("Run").click()
        assert other.ended() == "Finished"
        other.see("ü é 👩‍🚀 <b>")
        other.editor.press("End")
        other.page.keyboard.type(" ")
        expect(other.page).to_have_url(f"{screen.url}/")  # it no longer tells what is on the page


def test_a_damaged_link_opens_the_page_as_ever(screen: Screen) -> None:
    """Without a word of error in the console."""
    damaged = ["", "#", "#editor", "#program=", "#program=AAAA", "#program=%00", "#program=K0otzi8tSk4FAA"]
    unpacked = screen.page.evaluate(
        """async (fragments) => {
          const { unpack } = await import("/static/link.js");
          return Promise.all(fragments.map(unpack));
        }""",
        damaged,
    )
    assert unpacked == [None] * len(damaged)
    screen.page.goto("about:blank")
    screen.page.goto(f"{screen.url}/{damaged[-1]}")
    expect(screen.editor).to_contain_text("Hello from Python")
    assert screen.status.inner_text() == ""


def test_a_link_that_unpacks_to_too_much_is_not_opened(screen: Screen) -> None:
    """64 KB can unpack to 64 MB."""
    found = screen.page.evaluate(
        """async () => {
          const { pack, unpack } = await import("/static/link.js");
          const rest = { language: "python", input: "", open: false, args: "", files: [] };
          const small = await pack({ ...rest, code: "x".repeat(4_100_000) });
          const large = await pack({ ...rest, code: "x".repeat(4_200_000) });
          const many = Array.from({ length: 257 }, (_, number) => ({ name: `${number}`, content: "" }));
          const files = await pack({ ...rest, code: "", files: many });
          const noise = Array.from(crypto.getRandomValues(new Uint8Array(60_000))).join("");
          const long = await pack({ ...rest, code: noise });
          const opened = [small, large, files].map((each) => unpack(each.fragment));
          return [...(await Promise.all(opened)).map((each) => each?.code.length ?? null), long];
        }"""
    )
    assert found == [4_100_000, None, None, None]


def test_a_reload_keeps_what_was_written(screen: Screen) -> None:
    """In this tab; each language has its own."""
    screen.write("print('mine')")
    screen.choose("Hello", "cpp")
    screen.page.get_by_label("Language").select_option("python")
    assert screen.editor.inner_text() == "print('mine')"
    screen.page.reload()
    expect(screen.editor).to_have_text("print('mine')")
