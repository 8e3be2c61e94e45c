"""Arguments and files: what a person fills in is what the program finds."""

import itertools
import json
import shlex
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import expect

from tests.web.page.screen import PHONE, Opener, Screen

TELL: Final = """
import sys
from pathlib import Path
print(sys.argv[1:])
for path in sorted(Path().rglob("*")):
    if path.is_file() and path.name != "main.py":
        print(path, path.read_bytes())
"""
DROP: Final = """(names) => {
  const transfer = new DataTransfer();
  for (const name of names) transfer.items.add(new File([`of ${name}`], name));
  const editor = document.querySelector("#editor").shadowRoot.querySelector(".cm-content");
  for (const type of ["dragover", "drop"]) {
    const values = { dataTransfer: transfer, bubbles: true, composed: true, cancelable: true };
    editor.dispatchEvent(new DragEvent(type, values));
  }
}"""


def pick(screen: Screen, *paths: Path) -> None:
    """From the disk, by the button."""
    with screen.page.expect_file_chooser() as chooser:
        screen.button("Add files").click()
    chooser.value.set_files(paths)


def laid(screen: Screen) -> list[str]:
    """The files of the list, by name."""
    names: list[str] = screen.files.locator("input").evaluate_all("all => all.map((each) => each.value)")
    return names


def test_the_program_finds_arguments_and_files(screen: Screen, tmp_path: Path) -> None:
    """Text and bytes, from the disk, dropped, or written here; renamed into a folder; with and without a terminal."""
    (tmp_path / "words.txt").write_bytes("\ufeffé\r\n".encode())
    (tmp_path / "bytes.bin").write_bytes(b"\xff\0\x80")
    screen.write(TELL)
    screen.arguments.fill("""-n 'two words' "" a\\ b $HOME * é""")
    sent = ["-n", "two words", "", "a b", "$HOME", "*", "é"]
    assert screen.page.locator("#args-sent li").all_inner_texts() == [each or "''" for each in sent]
    pick(screen, tmp_path / "words.txt", tmp_path / "bytes.bin")
    expect(screen.files).to_have_count(2)
    screen.page.evaluate(DROP, ["dropped"])
    expect(screen.files).to_have_count(3)
    screen.button("New file").click()
    expect(screen.files.last.locator("input")).to_be_focused()
    screen.files.last.locator("input").fill("data/new.csv")
    screen.files.last.locator("textarea").fill("x,y\n1,2\n")
    assert laid(screen) == ["words.txt", "bytes.bin", "dropped", "data/new.csv"]
    assert screen.files.locator("small").all_inner_texts() == ["7 bytes", "3 bytes", "10 bytes", "8 bytes"]
    expect(screen.page.locator("#files-about")).to_have_text("4 of 32, 28 bytes of 1 MB")
    assert screen.files.nth(0).get_by_role("button").all_inner_texts() == ["Remove"]  # an editor would lose its \r
    screen.button("Remove dropped").click()
    expect(screen.files.nth(2).locator("input")).to_be_focused()
    (tmp_path / "words.txt").write_text("other")
    pick(screen, tmp_path / "words.txt")  # once more, in the place of the first
    expect(screen.files.last.locator("small")).to_have_text("5 bytes")
    found = [str(sent), "bytes.bin b'\\xff\\x00\\x80'", "data/new.csv b'x,y\\n1,2\\n'", "words.txt b'other'"]
    screen.button("Run").click()
    assert screen.ended() == "Finished"
    assert screen.blocks() == [("stdout", "".join(f"{line}\n" for line in found))]
    job = json.loads(screen.sent[-1])
    assert job["args"] == sent
    assert job["files"] == {"bytes.bin": {"base64": "/wCA"}, "data/new.csv": "x,y\n1,2\n", "words.txt": "other"}
    screen.picture("files")
    screen.page.get_by_label("In a terminal").check()
    screen.button("Run").click()
    screen.see(*found)
    assert screen.ended() == "Finished"
    assert "".join(screen.editor.all_inner_texts()).strip() == TELL.strip()  # nothing fell into it
    expect(screen.files).to_have_count(3)
    for _ in range(3):
        screen.files.last.get_by_role("button", name="Remove").click()
    expect(screen.button("Add files")).to_be_focused()


def test_what_cannot_be_sent_is_told_before(screen: Screen, tmp_path: Path) -> None:
    """In words beside the field, and nothing goes out; a file that is too large is not even read."""
    large = tmp_path / "large"
    with large.open("wb") as file:
        file.truncate(2**40)
    (tmp_path / "full").write_bytes(bytes(2**20 - 3))
    told = screen.page.locator("#files-problem")
    with screen.page.expect_file_chooser() as chooser:  # by its path: Playwright would have to copy it else
        screen.button("Add files").click()
    chooser.value.set_files([large, tmp_path / "full"])
    most = "32 files of 1 MB together is the limit; folders are not read."
    expect(told).to_have_text(f"Not added: large. {most}")
    assert laid(screen) == ["full"]
    screen.button("New file").click()
    screen.files.last.locator("textarea").fill("four")
    expect(told).to_have_text("The files have 1 MB together: 1 MB is the limit.")
    screen.files.last.locator("textarea").fill("3.1")
    screen.files.last.locator("input").fill("full")
    expect(told).to_have_text("Two files have the name full.")
    screen.button("Run").click()
    assert screen.ended() == "Nothing was sent"
    assert screen.output.inner_text() == "Two files have the name full."
    screen.files.last.locator("input").fill("")
    expect(told).to_have_text("A file has no name.")
    screen.button("Remove full").click()
    screen.files.last.locator("input").fill("../\u202egnp.exe")
    screen.page.evaluate(DROP, [f"<b>{number}" for number in range(40)])
    expect(told).to_have_text(f"Not added: <b>31, <b>32, <b>33 and 6 more. {most}")
    expect(screen.button("Remove ../U+202Egnp.exe")).to_be_visible()
    told = screen.page.locator("#args-problem")
    for text, said in {
        "a 'b": "Arguments: The quote ' has no end.",
        'a "b': 'Arguments: The quote " has no end.',
        "a\\": "Arguments: There is nothing after the last \\.",
        "é" * 8192: "The arguments have 16 KB, each with its end: 16 KB is the limit.",
        "x " * 60: "",
    }.items():
        screen.arguments.fill(text)
        expect(told).to_have_text(said)
    assert screen.page.locator("#args-sent li").all_inner_texts()[-2:] == ["x", "and 10 more"]
    assert screen.sent == []
    screen.button("Run").click()
    assert screen.ended() == "Bad request"  # the rest is the server's to say
    assert "`.` or `..`" in screen.output.inner_text()
    assert screen.complaints.pop().startswith(
        "error: Failed to load resource: the server responded with a status of 400"
    )


def test_arguments_are_split_as_a_shell_does(screen: Screen) -> None:
    """Every line of up to six of the signs that matter, against Python's shlex."""
    lines = ["".join(signs) for length in range(7) for signs in itertools.product("a '\"\\", repeat=length)]
    found: list[dict[str, Any]] = screen.page.evaluate(
        'async (lines) => { const { split } = await import("/static/split.js"); return lines.map(split); }', lines
    )
    for line, each in zip(lines, found, strict=True):
        try:
            assert each == {"args": shlex.split(line), "problem": ""}, line
        except ValueError:
            assert each["problem"], line
    kept = screen.page.evaluate(
        "async () => (await import('/static/split.js')).split('\"\\\\$\\\\`\\\\a\" \\\\$').args"
    )
    assert kept == ["$`\\a", "$"]


def test_a_link_carries_arguments_and_files(opener: Opener, tmp_path: Path) -> None:
    """Those that are text, as long as they fit; it says which do not. An older link has none."""
    (tmp_path / "photo.png").write_bytes(b"\x89PNG")
    (tmp_path / "noise.txt").write_text("".join(f"{n * n * 7919 % 1_000_003} " for n in range(40_000)))
    with opener() as screen:
        old = screen.page.evaluate(
            """async () => {
              const text = new Blob(['["python","print(1)","",false]']).stream();
              const packed = text.pipeThrough(new CompressionStream("deflate-raw"));
              const { encode } = await import("/static/base64.js");
              const base64 = encode(new Uint8Array(await new Response(packed).arrayBuffer()));
              const { unpack } = await import("/static/link.js");
              return unpack("#program=" + base64.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", ""));
            }"""
        )
        assert old == {"language": "python", "code": "print(1)", "input": "", "open": False, "args": "", "files": []}
        screen.choose("A file and arguments")
        pick(screen, tmp_path / "photo.png")
        expect(screen.files).to_have_count(2)
        screen.button("Share").click()
        left = screen.page.locator("#share-left")
        expect(left).to_have_text("Not in it, because they are not text or make it too long: photo.png.")
        link = screen.page.url
        pick(screen, tmp_path / "noise.txt")
        expect(screen.page).to_have_url(f"{screen.url}/")
        screen.button("Share").click()
        expect(left).to_contain_text("too long: week.csv, photo.png, noise.txt.")
        screen.page.reload()
        expect(screen.files).to_have_count(0)  # that link has none
    with opener(path=link.removeprefix(screen.url), **PHONE) as other:
        assert laid(other) == ["week.csv"]
        assert other.arguments.input_value() == "week.csv degrees"
        other.button("Run").tap()
        assert other.ended() == "Finished"
        assert other.blocks() == [("stdout", "week.csv: 3 values of 'degrees', from 9.5 to 14.0\n")]
        other.page.get_by_label("Language").select_option("cpp")
        other.page.get_by_label("Example").select_option("A file and arguments")
        other.button("Edit").click()
        other.files.locator("textarea").fill("only 14\n")
        other.page.reload()  # the tab keeps it
        other.button("Run").tap()
        assert other.ended() == "Finished"
        assert other.blocks() == [("stdout", "only 14\nweek.csv has 1 lines\n")]
        assert other.page.evaluate("document.documentElement.scrollWidth") <= 390
        assert other.complaints == []
