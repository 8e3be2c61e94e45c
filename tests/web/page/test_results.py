"""What a program leaves: pictures, tables, and files to save; whatever is in them, it does nothing on the page."""

import csv
import io
import itertools
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Locator, expect

from tests.web.page.screen import Opener, Screen
from tests.web.page.test_harmless import FRAMES

PNG: Final = """
import struct, zlib
def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
def png(width, height):
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes((width // 8 + 1) * height), 9)
    return b"\\x89PNG\\r\\n\\x1a\\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
def leave(name, data):
    with open(f"results/{name}", "wb") as file:
        file.write(data if isinstance(data, bytes) else data.encode())
"""
SVG: Final = """<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="90" height="9"
 onload="parent.acted = 1; fetch('https://evil.example/onload')">
<script>parent.acted = 1; alert(1)</script><script href="https://evil.example/x.js"/>
<style>@import url("https://evil.example/x.css"); rect { fill: url("https://evil.example/x.svg#y") }</style>
<foreignObject><iframe xmlns="http://www.w3.org/1999/xhtml" src="https://evil.example/"/></foreignObject>
<a href="https://evil.example/"><rect width="90" height="9" fill="#0a0"/></a></svg>"""
BOMB: Final = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><defs><g id="a0"><path d="M0 0h9"/></g>'
    + "".join(f'<g id="a{n}">' + f'<use href="#a{n - 1}"/>' * 10 + "</g>" for n in range(1, 11))
    + '</defs><use href="#a10"/></svg>'
)
HTML: Final = "<script>parent.acted = 1; alert(1)</script><img src=https://evil.example/x.png>"
FORMULAS: Final = '=cmd|"/c calc"!A1,+1,@SUM(1)\n<img src=x onerror=alert(1)>,a\u202eb,"two\nlines"\n'
HOSTILE: Final = f"""{PNG}
leave("a.svg", {SVG!r})
leave("b.svg", {BOMB!r})
leave("c.png", {HTML!r})
leave("d.png", {SVG!r})
leave("e.png", png(20_000, 20_000))
leave("f.csv", {FORMULAS!r})
leave("g.html", {HTML!r})
leave("h<img src=x onerror=alert(1)>.txt", "x")
leave("photo\\u202egnp.exe", "x")
leave("utf16.svg", {SVG!r}.encode("utf-16"))
"""
SHAPE: Final = "() => [document.title, document.querySelectorAll('script, iframe, form, base, link, style').length]"


def item(screen: Screen, name: str) -> Locator:
    """The result of that name."""
    return screen.results.get_by_role("listitem").filter(has=screen.page.get_by_text(name, exact=True))


def saved(screen: Screen, name: str) -> tuple[str, bytes]:
    """The name on the disk and the content of a result."""
    with screen.page.expect_download() as download:
        screen.results.get_by_role("link", name=f"Save {name}", exact=True).click()
    return download.value.suggested_filename, Path(download.value.path()).read_bytes()


def test_results_are_shown_and_saved(screen: Screen) -> None:
    """Both examples; what the next run leaves takes their place, and their addresses are gone."""
    screen.choose("A picture and a table")
    screen.button("Run").click()
    assert screen.ended() == "Finished"
    picture = screen.results.get_by_role("img", name="The picture sine.svg")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => [image.naturalWidth, image.naturalHeight]") == [720, 220]
    rows = screen.results.get_by_role("region", name="The table sine.csv").get_by_role("row")
    assert rows.nth(0).get_by_role("columnheader").all_inner_texts() == ["degrees", "sine"]
    assert rows.nth(4).get_by_role("cell").all_inner_texts() == ["30", "0.5"]
    assert rows.count() == 74
    name, content = saved(screen, "sine.csv")
    assert (name, content.splitlines()[:2]) == ("sine.csv", [b"degrees,sine", b"0,0.0"])
    assert saved(screen, "sine.svg")[1].startswith(b"<svg ")
    screen.page.get_by_role("link", name="2 results below").click()
    expect(screen.page.locator("#results-title")).to_be_in_viewport()
    screen.picture("results")
    old = screen.results.get_by_role("link").evaluate_all("all => all.map((each) => each.href)")
    old.append(picture.get_attribute("src"))
    screen.choose("A table", "cpp")
    screen.button("Run").click()
    assert screen.ended() == "Finished", screen.output.inner_text()
    expect(screen.page.get_by_role("link", name="1 result below")).to_be_visible()
    assert saved(screen, "squares.csv")[1].endswith(b"20,400\n")
    # An SVG in a tab of its own would be a page of this site, so its address is gone as soon as it is drawn.
    gone = """(urls) => Promise.all(urls.map((src) => new Promise((done) => {
      const image = Object.assign(new Image(), { src });
      image.onload = () => done("there");
      image.onerror = () => done("gone");
    })))"""
    assert screen.page.evaluate(gone, old) == ["gone"] * 3
    screen.run("pass")
    expect(screen.results).to_be_hidden()
    assert screen.page.locator("#results-said").inner_text() == ""
    screen.complaints[:] = [said for said in screen.complaints if "ERR_FILE_NOT_FOUND" not in said]  # of `gone`


def test_results_can_do_nothing_on_the_page(screen: Screen) -> None:
    """Scripts, other sites, floods of shapes and pixels, markup, formulas, names that lie."""
    before = screen.page.evaluate(SHAPE)
    assert screen.run(HOSTILE) == "Finished"
    expect(screen.results.get_by_role("img", name="The picture a.svg")).to_be_visible()
    expect(item(screen, "b.svg").get_by_role("button", name="Draw it")).to_be_visible()
    expect(item(screen, "utf16.svg").get_by_role("button", name="Draw it")).to_be_visible()
    for name in ("c.png", "d.png"):
        expect(item(screen, name)).to_contain_text("This is not the picture that its name says.")
    expect(item(screen, "e.png")).to_contain_text("20000 pixels are too many to be shown here.")
    table = [['=cmd|"/c calc"!A1', "+1", "@SUM(1)"], ["<img src=x onerror=alert(1)>", "aU+202Eb", "two␊lines"]]
    rows = item(screen, "f.csv").get_by_role("row").all()
    assert [row.locator("th, td").all_inner_texts() for row in rows] == table
    assert saved(screen, "f.csv") == ("f.csv", FORMULAS.encode())
    assert item(screen, "g.html").get_by_role("img").count() == 0
    assert saved(screen, "g.html") == ("g.html", HTML.encode())
    assert saved(screen, "h<img src=x onerror=alert(1)>.txt") == ("h_img src=x onerror=alert(1)_.txt", b"x")
    assert saved(screen, "photoU+202Egnp.exe") == ("photoU+202Egnp.exe", b"x")
    with screen.page.expect_popup() as tab, screen.page.context.expect_event("download"):
        item(screen, "g.html").get_by_role("link").evaluate("link => window.open(link.href)")
    assert tab.value.url in ("", "about:blank")  # saved, not opened
    tab.value.close()
    screen.picture("results-hostile")
    item(screen, "utf16.svg").get_by_role("button", name="Draw it").click()
    expect(item(screen, "utf16.svg").get_by_role("img")).to_be_visible()
    assert screen.page.evaluate("window.acted ?? null") is None
    assert screen.page.evaluate(SHAPE) == before


def test_a_name_on_the_disk_is_harmless(screen: Screen) -> None:
    """No folder, no control character, nothing that hides it or that a system has a meaning for."""
    names = {
        "sub/plot.png": "plot.png",
        "a\\b:c|d.txt": "b_c_d.txt",
        "../..": "result",
        "": "result",
        ".bashrc": "bashrc",
        "x.exe. .": "x.exe",
        "a\x00\n\x9f\u200b": "a␀␊U+009FU+200B",
        "n" * 300 + ".csv": "n" * 96 + ".csv",
        "é שלום.csv": "é שלום.csv",
    }
    script = 'async (names) => names.map((await import("/static/results.js")).baseName)'
    assert screen.page.evaluate(script, list(names)) == list(names.values())


PARSE: Final = """async ([texts, separator]) => {
  const { parse } = await import("/static/csv.js");
  return texts.map((text) => parse(text, separator));
}"""


def parsed(screen: Screen, texts: list[str], separator: str = ",") -> list[dict[str, Any]]:
    """What the page makes of tables."""
    found: list[dict[str, Any]] = screen.page.evaluate(PARSE, [texts, separator])
    return found


def test_tables_are_read_as_python_reads_them(screen: Screen) -> None:
    """Every text of up to six of the signs that matter; a million cells at once, of which the first are shown."""
    texts = ["".join(signs) for length in range(7) for signs in itertools.product('a",\n', repeat=length)]
    for text, table in zip(texts, parsed(screen, texts), strict=True):
        assert table["rows"] == [row or [""] for row in csv.reader(io.StringIO(text, newline=""))], text
    assert parsed(screen, ["\ufeffa\tb,c\r\nd\r"], "\t")[0]["rows"] == [["a", "b,c"], ["d"]]
    screen.page.evaluate(FRAMES)
    code = "".join(
        f"open('results/{name}', 'w').write({text})\n"
        for name, text in {
            "tall.csv": "',\\n' * 125_000",
            "wide.csv": "',' * 250_000",
            "long.csv": "'x' * 250_000",
            "open.csv": "'\"' + '\"\"' * 62_000 + ',\\n' * 62_000",
        }.items()
    )
    assert screen.run(code) == "Finished"
    for name, said in {
        "tall.csv": "Shown: the first 100 of 125,000 rows. Saved, it is whole.",
        "wide.csv": "Shown: the first 20 of 250,001 columns. Saved, it is whole.",
    }.items():
        expect(item(screen, name).locator("p")).to_have_text(said)
    for name in ("long.csv", "open.csv"):
        assert len(item(screen, name).get_by_role("table").inner_text()) == 201
    assert screen.page.locator("#results td, #results th").count() == 200 + 20 + 1 + 1
    assert screen.page.evaluate("longest") < 2000
    assert screen.page.evaluate("document.documentElement.scrollWidth") <= 1360


def test_what_is_left_out_is_told(opener: Opener) -> None:
    """16 pictures are shown, within the page's width; what a terminal's program leaves comes back, too."""
    code = f"{PNG}\nfor n in range(17): leave(f'{{n:02}}.png', png(3000, 100 + n))\nprint('done')"
    with opener() as screen:
        assert screen.run(code, open=True) == "Finished"
        expect(screen.results.get_by_role("img")).to_have_count(16)
        told = "It left more results than are sent back: 16 files of 1 MB together is the limit."
        assert told in screen.output.inner_text()
        widest = screen.results.get_by_role("img").evaluate_all("all => Math.max(...all.map((each) => each.width))")
        assert 200 < widest < 700
        screen.picture("results-terminal")
        assert screen.complaints == []
