"""Nothing that a program prints, and nothing in a link, can do anything on the page."""

import json
from typing import Any

import pytest
from playwright.sync_api import Route, expect

from tests.harness import Server
from tests.web.page.screen import Opener, Screen

MARKUP = """<script>alert(1)</script><img src=x onerror=alert(2)><svg onload=alert(3)><style>*{display:none}</style>
<iframe src="javascript:alert(4)"></iframe><a href="javascript:alert(5)">x</a>
<form action="//evil.example"><button>y</button>
<base href="//evil.example"><meta http-equiv=refresh content="0;url=//evil.example">
<link rel=stylesheet href="//evil.example">
{{constructor.constructor('alert(6)')()}} ]]> --> </pre></div></body></html>
"""
DECODE = """async (parts) => {
  const { Decoder } = await import("/static/ansi.js");
  const decoder = new Decoder();
  const shown = [...parts.map((part) => decoder.feed(part)), decoder.end()];
  return [...shown.flatMap(({ done }) => done), ...shown.at(-1).line];
}"""
INJECT = """async () => {
  const tried = {};
  const attempt = async (name, act) => {
    try { await act(); tried[name] = "no error"; } catch (error) { tried[name] = error.constructor.name; }
  };
  const add = (name, values) => document.body.append(Object.assign(document.createElement(name), values));
  await attempt("html", () => { document.body.innerHTML += "<p>"; });
  await attempt("eval", () => new Promise((done, failed) => {
    setTimeout(() => { try { done((0, eval)("1")); } catch (error) { failed(error); } });
  }));
  await attempt("fetch", () => fetch("https://evil.example/"));
  await attempt("script", () => add("script", { textContent: "window.acted = 1" }));
  add("img", { src: "https://evil.example/x.png" });
  add("link", { rel: "stylesheet", href: "https://evil.example/x.css" });
  add("iframe", { src: "https://evil.example/" });
  add("style", { textContent: "body { color: red }" });
  document.body.setAttribute("style", "color: red");
  await new Promise((done) => setTimeout(done, 200));
  return { tried, acted: window.acted ?? null, colour: getComputedStyle(document.body).color };
}"""


def decode(screen: Screen, *parts: str) -> list[dict[str, Any]]:
    """The pieces that the page makes of output."""
    pieces: list[dict[str, Any]] = screen.page.evaluate(DECODE, list(parts))
    return pieces


def shape(pieces: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    """Neighbours of one style as one piece."""
    found: list[tuple[str, str, str]] = []
    for piece in pieces:
        style = json.dumps(piece["style"], sort_keys=True)
        if found and piece["kind"] == "text" and found[-1][1:] == (style, "text"):
            found[-1] = (found[-1][0] + piece["text"], style, "text")
        else:
            found.append((piece["text"], style, piece["kind"]))
    return found


def test_markup_is_text(screen: Screen) -> None:
    """Every character of it stands in the output, and no element came of it."""
    before = screen.page.evaluate("document.querySelectorAll('script,img,style,iframe,a,form,base,meta,link').length")
    assert (
        screen.run(f"import sys\nprint({MARKUP!r}, end='')\nprint({MARKUP!r}, end='', file=sys.stderr)") == "Finished"
    )
    assert sorted(screen.blocks()) == [("stderr", MARKUP), ("stdout", MARKUP)]
    after = screen.page.evaluate("document.querySelectorAll('script,img,style,iframe,a,form,base,meta,link').length")
    assert after == before
    screen.picture("markup")


@pytest.mark.parametrize("known", [True, False], ids=["trusted types", "a browser without them"])
def test_the_browser_would_stop_what_the_page_let_through(opener: Opener, server: Server, known: bool) -> None:
    """The Content-Security-Policy by itself: inline code, styles, frames and other sites are refused."""
    with opener() as other:
        if not known:
            other.page.route(f"{server.url}/", without_trusted_types)
            other.page.reload()
        found = other.page.evaluate(INJECT)
        refused = {line.split()[2] for line in other.complaints if line.startswith("error: violation")}
    assert found["tried"] == {
        "html": "TypeError" if known else "no error",
        "eval": "EvalError",
        "fetch": "TypeError",
        "script": "TypeError" if known else "no error",
    }
    assert found["acted"] is None
    assert found["colour"] != "rgb(255, 0, 0)"
    code = {"require-trusted-types-for"} if known else {"script-src", "script-src-elem"}
    assert refused == {*code, "connect-src", "img-src", "style-src-elem", "style-src-attr", "frame-src"}


def without_trusted_types(route: Route) -> None:
    """The page with the rest of its policy."""
    answer = route.fetch()
    policy = answer.headers["content-security-policy"].removesuffix("; require-trusted-types-for 'script'")
    route.fulfill(response=answer, headers={**answer.headers, "content-security-policy": policy})


def test_colours_are_shown(screen: Screen) -> None:
    """Named ones as classes, others as properties; both without a style attribute that a policy would refuse."""
    named = "\x1b[31mred\x1b[0m \x1b[1;4mbold\x1b[m"
    other = "\x1b[38;5;208morange\x1b[39m \x1b[48;2;1;2;3mtrue\x1b[49m \x1b[7mswap\x1b[27m plain"
    assert screen.run(f"print({named!r}, {other!r})") == "Finished"
    assert screen.blocks() == [("stdout", "red bold orange true swap plain\n")]
    part = screen.output.locator("pre span")
    assert part.nth(0).get_attribute("class") == "fg-1"
    assert part.nth(1).get_attribute("class") == "bold underline"
    assert part.nth(2).evaluate("e => [e.className, e.style.cssText]") == ["fg-own", "--front: rgb(255 135 0);"]
    assert part.nth(3).evaluate("e => getComputedStyle(e).backgroundColor") == "rgb(1, 2, 3)"
    assert part.nth(4).get_attribute("class") == "inverse fg-page bg-page"
    screen.choose("Colours")
    screen.button("Run").click()
    screen.ended()
    screen.picture("colours")


SIGNS = [
    ("\x1b]0;title\x07", "␛]0;title␇"),
    ("\x1b]8;;https://evil.example\x1b\\link\x1b]8;;\x1b\\", "␛]8;;https://evil.example␛\\link␛]8;;␛\\"),
    ("\x1bP+q544e\x1b\\", "␛P+q544e␛\\"),
    ("\x9b31mred", "U+009B31mred"),
    ("\x1b[5A\x1b[3;7H\x1b[6n", "␛[5A␛[3;7H␛[6n"),  # to other lines
    ("a\x00\x7f\x0c\x0b\x07", "a␀␡␌␋␇"),
    ("one\r\ntwo\r\n", "one\ntwo\n"),
    ("\u202egnp.exe\u2066\u2069\u200f", "U+202Egnp.exeU+2066U+2069U+200F"),
    ("a\u200bb\ufeff\u2028\U000e0041", "aU+200BbU+FEFFU+2028U+E0041"),
    ("e\u0301 👩‍🚀 שלום\tx", "e\u0301 👩‍🚀 שלום\tx"),  # text of people stays
    ("\x1b[31", "␛[31"),  # never ended
    ("\x1b[99999999999999m\x1b[38;5m\x1b[38;2;1m\x1b[48;5;999mok", "ok"),
]
"""What is printed, and how it is shown."""


def test_what_could_move_or_hide_text_is_a_visible_sign(screen: Screen) -> None:
    """Wherever the output is cut into pieces."""
    for printed, shown in SIGNS:
        whole = shape(decode(screen, printed))
        assert "".join(text for text, _, _ in whole) == shown
        for cut in range(1, len(printed)):
            assert shape(decode(screen, printed[:cut], printed[cut:])) == whole


LINES = [
    ("safe\rfake", "fake"),
    ("100%\r50%", "50%%"),
    ("a longer line\rshort\x1b[K\n", "short\n"),
    ("all of it\x1b[2K\rnew", "new"),
    ("abcdef\b\b\b\x1b[1K|", "   |ef"),  # up to the place itself
    ("abc\b\bX", "aXc"),
    ("\b\b\ba", "a"),
    ("spin |\b/\b-\b", "spin -"),
    ("one\r\ntwo\r\r\n\rthree", "one\ntwo\nthree"),
    ("a\tb\r\n", "a\tb\n"),  # nothing is printed over it: it stays a tab
    ("a\tb\rXY", "XY      b"),
    ("a\tb\b\bX", "a      Xb"),
    ("0123456789\rx\ty", "x1234567y9"),
    ("end\r\t\ty", "end             y"),
    ("\x1b[31mred\r\x1b[32mg", "ged"),
    ("\x07\b\t|", "␇       |"),
]
"""What moves within a line moves, as on a terminal."""


def test_a_line_can_be_printed_over(screen: Screen) -> None:
    """As progress bars do, wherever the output is cut into pieces."""
    for printed, shown in LINES:
        whole = shape(decode(screen, printed))
        assert "".join(text for text, _, _ in whole) == shown, printed
        for cut in range(1, len(printed)):
            assert shape(decode(screen, printed[:cut], printed[cut:])) == whole


BAR = """
import sys, time
for i in range(0, 101, 25):
    sys.stdout.write("\\r[%-4s] %d%%" % ("#" * (i // 25), i))
    time.sleep(0.8 if i == 25 else 0.1)
print()
sys.stdout.write("half\\r")
time.sleep(0.2)
print("other", file=sys.stderr)
time.sleep(0.2)
print("HA")
"""


def test_a_progress_bar_is_one_line(screen: Screen) -> None:
    """While it runs, too; what the other stream prints does not mix into it."""
    screen.write(BAR)
    screen.button("Run").click()
    expect(screen.output).to_contain_text("25%")
    assert screen.output.locator("pre").inner_text().count("[") == 1
    assert screen.ended() == "Finished"
    assert screen.blocks() == [("stdout", "[####] 100%\nhalf"), ("stderr", "other\n"), ("stdout", "HA\n")]
    screen.picture("progress")


def test_a_cleared_screen_is_a_rule(screen: Screen) -> None:
    """What stood above it is kept: the pane is a record. To clear what is empty does nothing."""
    clear = "\x1b[H\x1b[2J\x1b[3J"
    code = f"print({clear!r} + 'one', end={clear!r})\nprint({clear!r} + 'two')\nprint({clear!r}, end='')"
    assert screen.run(code) == "Finished"
    assert screen.blocks() == [("stdout", "one\n\ntwo\n")]
    assert screen.output.get_by_role("separator").count() == 2
    for cleared in (clear, "\x1b[2J\x1b[1;1H", "\x1bc", "\x1b[H\x1b[J", "\x1b[;f\x1b[31m\x1b[2J"):
        whole = [(piece["kind"], piece["text"]) for piece in decode(screen, f"a{cleared}b")]
        assert whole == [("text", "a\n"), ("rule", ""), ("text", "b")]
        for cut in range(1, len(cleared) + 2):
            parts = f"a{cleared}b"[:cut], f"a{cleared}b"[cut:]
            assert [text for text, _, kind in shape(decode(screen, *parts)) if kind == "rule"] == [""]


def test_marks_do_not_pile_up(screen: Screen) -> None:
    """30 upon a letter; a browser would need seconds to draw thousands."""
    for mark in ("\u0301", "\u200d"):
        shown = "".join(piece["text"] for piece in decode(screen, "a" + mark * 20, mark * 20_000, f"b{mark}"))
        assert shown == "a" + mark * 30 + f"U+{ord(mark):04X}b{mark}"


def test_bidi_is_shown_harmless(screen: Screen) -> None:
    """An override is a sign, in the output and in the editor."""
    assert screen.run("print('user\\u202e\\u2066 nimda')  # \u202e") == "Finished"
    assert screen.blocks() == [("stdout", "userU+202EU+2066 nimda\n")]
    assert screen.output.locator(".mark").all_inner_texts() == ["U+202E", "U+2066"]
    expect(screen.editor.locator(".cm-specialChar")).to_have_count(1)


FLOODS = [
    ("print('x' * 65_000)", 65_001),
    ("for n in range(10_000): print(n % 10_000)", 48_890),
    (r"print('\x1b[31mx\x1b[0m' * 6_000)", 6_001),
    ("import sys\nfor n in range(2_000): print(n % 10, file=(sys.stdout, sys.stderr)[n % 2])", 4_000),
]
"""One line; 10,000 lines; colours; two streams: with the characters that come out."""
FRAMES = """() => {
  let last = performance.now();
  window.longest = 0;
  const frame = (now) => {
    window.longest = Math.max(window.longest, now - last);
    last = now;
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
}"""
LENGTH = "all => all.reduce((n, e) => n + e.textContent.length, 0)"


def test_much_output_does_not_freeze_the_page(screen: Screen) -> None:
    """Between two frames there is less than a second, while 2 busy CPUs run the program and the browser."""
    screen.page.evaluate(FRAMES)
    for code, characters in FLOODS:
        screen.page.evaluate("longest = 0")
        assert screen.run(code) == "Finished"
        assert screen.output.locator("pre").evaluate_all(LENGTH) == characters
        longest = screen.page.evaluate("longest")
        print(f"{code[:40]}: longest frame {longest:.0f} ms")
        assert longest < 1000
