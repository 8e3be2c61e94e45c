"""A live run in its terminal: what a person types goes to the program, and nothing else does."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import pytest
from playwright.sync_api import WebSocketRoute, expect

from tests.harness import SOAK, Server, eventually
from tests.web.page.screen import PHONE, Opener, Screen
from tests.web.page.test_harmless import FRAMES


@dataclass
class Wire:
    """The server's end of a live run, where a test has to be in the place of the program."""

    screen: Screen
    heard: list[dict[str, Any]] = field(default_factory=list)
    _socket: WebSocketRoute | None = None

    def answer(self, socket: WebSocketRoute) -> None:
        """Takes a run, and lets it run."""
        self._socket = socket
        socket.on_message(lambda message: self.heard.append(json.loads(message)))
        self._tell("phase", {"phase": "run", "run": 1})

    def _tell(self, event: str, data: Mapping[str, object]) -> None:
        assert self._socket is not None
        self._socket.send(json.dumps({"event": event, "data": data}))

    def run(self) -> None:
        """Begins one."""
        self.screen.write("pass", open=True)
        self.screen.button("Run").click()
        expect(self.screen.status).to_have_text("Running")
        self.heard.clear()

    def print(self, text: str) -> None:
        """What the program prints; returns when it is on the screen, or was swallowed."""
        self._tell("stdout", {"text": text})
        done = f"<{time.monotonic_ns()}>"
        self._tell("stdout", {"text": f"\x1b\\\x18\x1b[0m\r\n{done}\r\n"})
        expect(self.screen.terminal).to_contain_text(done, timeout=20_000)

    def typed(self) -> str:
        """What has come as input since the run began."""
        return "".join(message.get("input", "") for message in self.heard)

    def gets(self, typed: str) -> None:
        """All that has come as input since the run began is this; a key is pressed before what it sends is here."""
        self.until(lambda: len(self.typed()) >= len(typed))
        assert self.typed() == typed

    def until(self, true: Callable[[], bool]) -> bool:
        """Whether it comes true, while the browser goes on."""
        for _ in range(100):
            if true():
                return True
            self.screen.page.wait_for_timeout(30)
        return true()

    def end(self, **values: object) -> None:
        """It ends well, unless told otherwise."""
        result = {"status": "success", "reason": "completed", "exit_code": 0, "signal": None, "command": []}
        times = {"queued": 0, "compile": None, "wall": 1.5, "cpu": 0.1}
        rest = {"times": times, "peak_memory": 1, "truncated": {"stdout": False, "stderr": False}}
        self._tell("result", {**result, **rest, **values})
        self.screen.ended()


@pytest.fixture
def wire(screen: Screen) -> Wire:
    """The page, with the test as its server of live runs."""
    made = Wire(screen)
    screen.page.route_web_socket("**/run/live", made.answer)
    screen.page.reload()
    expect(screen.page.locator("#limits")).not_to_be_empty()
    return made


# With the real server


def test_a_question_is_answered_while_the_program_runs(screen: Screen) -> None:
    """The input goes first; then what is typed, which the terminal echoes; afterwards the keyboard is at Run."""
    screen.choose("Questions and answers")
    screen.button("Run").click()
    expect(screen.terminal).to_contain_text("Which colour do you like?")
    expect(screen.page.get_by_role("textbox", name="Terminal")).to_be_focused()
    screen.picture("question")
    screen.page.keyboard.type("grey")
    screen.page.keyboard.press("Backspace")
    screen.page.keyboard.type("en\n")
    assert screen.ended() == "Finished"
    screen.see("Hello, Ada!", "Which colour do you like? green", "Ada likes green.")
    expect(screen.button("Run")).to_be_focused()
    expect(screen.page.locator("#keys")).to_be_hidden()


def test_the_input_ends_when_told(screen: Screen) -> None:
    """By Ctrl+D, which is a button, too: a telephone has no such key."""
    for by_key in (True, False):
        screen.write("import sys\nprint('ready')\nprint(len(sys.stdin.read()))", input="abc\n", open=True)
        screen.button("Run").click()
        expect(screen.terminal).to_contain_text("ready")
        if by_key:
            screen.page.keyboard.press("Control+d")
        else:
            screen.button("Ctrl+D: end of input").click()
        assert screen.ended() == "Finished"
        screen.see("ready", "4")


def test_a_program_is_interrupted(screen: Screen) -> None:
    """By Ctrl+C, and by its button."""
    for by_key in (True, False):
        screen.write("import time\nprint('ready')\ntime.sleep(15)", open=True)
        screen.button("Run").click()
        expect(screen.terminal).to_contain_text("ready")
        if by_key:
            screen.page.keyboard.press("Control+c")
        else:
            screen.button("Ctrl+C: interrupt").click()
        assert screen.ended().startswith("Killed by SIGINT")
        screen.see("KeyboardInterrupt")


def test_the_program_knows_the_size(screen: Screen) -> None:
    """That of the screen, also when it changes."""
    code = """
import os, signal, time
def told(*_):
    sizes.add(os.get_terminal_size())
    os.write(1, b"now %d %d\\n" % os.get_terminal_size())  # print may not interrupt a print
signal.signal(signal.SIGWINCH, told)
sizes = set()
told()
until = time.monotonic() + 15
while len(sizes) < 2 and time.monotonic() < until: time.sleep(0.1)
time.sleep(1)
"""
    screen.write(code, open=True)
    screen.button("Run").click()
    expect(screen.terminal).to_contain_text("now")
    screen.page.set_viewport_size({"width": 1100, "height": 900})
    screen.ended()
    sizes = [line.removeprefix("now ") for line in screen.lines() if line.startswith("now ")]
    assert len(set(sizes)) > 1
    assert json.loads(str(screen.typed[-1]))["size"] == [int(number) for number in sizes[-1].split()]


def test_a_compiler_does_not_speak_in_the_terminal(screen: Screen) -> None:
    """What it says stands above it, so that nobody takes it for the program's."""
    code = '#include <cstdio>\nint main() { unsigned char small = 300; std::printf("%d", small); }'
    assert screen.run(code, "cpp", open=True) == "Finished"
    assert [block for block, _ in screen.blocks()] == ["compiler"]
    expect(screen.terminal).to_contain_text("44")
    assert screen.lines() == ["44"]
    screen.picture("terminal-compiler")


def test_stop_ends_a_live_run(screen: Screen, server: Server) -> None:
    """Closing the socket is enough; the next run has an empty screen."""
    screen.write("print('one')\nimport time\ntime.sleep(60)", open=True)
    screen.button("Run").click()
    expect(screen.terminal).to_contain_text("one")
    screen.button("Stop").click()
    assert screen.status.inner_text().startswith("Stopped by you")
    assert eventually(lambda: server.jobs() == [])
    assert screen.run("print('two')", open=True) == "Finished"
    screen.see("two")
    assert screen.lines() == ["two"]
    assert screen.run("print('three')") == "Finished"
    expect(screen.page.locator("#terminal")).to_be_hidden()
    assert screen.blocks() == [("stdout", "three\n")]


# Keys


def test_what_is_typed_goes_to_the_program(wire: Wire) -> None:
    """As a terminal sends it, and no character of it before the run or after."""
    wire.run()
    press = wire.screen.page.keyboard.press
    wire.screen.page.keyboard.type("aé")
    for key in ("Enter", "Backspace", "Tab", "ArrowUp", "Control+c", "Control+d", "Control+z"):
        press(key)
    wire.gets("aé\r\x7f\t\x1b[A\x03\x04\x1a")  # é comes without a key, as from a list of emoji
    wire.screen.button("Ctrl+D: end of input").click()
    wire.screen.button("Ctrl+C: interrupt").click()
    expect(wire.screen.page.get_by_role("textbox", name="Terminal")).to_be_focused()
    wire.gets("aé\r\x7f\t\x1b[A\x03\x04\x1a\x04\x03")
    wire.end()
    wire.heard.clear()
    wire.screen.page.locator("#terminal").click()
    wire.screen.page.keyboard.type("late\n")
    wire.screen.page.wait_for_timeout(100)
    assert wire.heard == []


def test_the_size_is_told(wire: Wire) -> None:
    """With the first message, and when it changes."""
    wire.screen.write("pass", input="x\n", open=True)
    wire.screen.button("Run").click()
    expect(wire.screen.status).to_have_text("Running")
    assert wire.until(lambda: wire.heard != [])
    first = wire.heard[0]
    assert set(first) == {"language", "code", "input", "size"}
    assert first["input"] == "x\n"
    assert all(10 < number < 200 for number in first["size"])
    wire.heard.clear()
    wire.screen.page.set_viewport_size({"width": 700, "height": 900})
    assert wire.until(lambda: any("size" in message for message in wire.heard))
    wire.screen.page.set_viewport_size({"width": 1360, "height": 900})


def test_escape_then_tab_leaves_the_terminal(wire: Wire) -> None:
    """However slowly, forwards and backwards; a mere Escape is the program's, after a second or with the next key."""
    wire.run()
    page, terminal = wire.screen.page, wire.screen.page.get_by_role("textbox", name="Terminal")
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    expect(wire.screen.button("Ctrl+C: interrupt")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    expect(terminal).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("Shift+Tab")
    expect(wire.screen.button("Stop")).to_be_focused()
    assert wire.typed() == ""
    terminal.focus()
    page.keyboard.press("Escape")
    page.keyboard.type("x")
    wire.gets("\x1bx")
    page.keyboard.press("Escape")
    page.wait_for_timeout(1200)
    wire.gets("\x1bx\x1b")
    page.keyboard.press("Tab")
    expect(wire.screen.button("Ctrl+C: interrupt")).to_be_focused()
    terminal.focus()
    wire.end()
    expect(wire.screen.button("Run")).to_be_focused()
    terminal.focus()  # a terminal that has ended holds nobody
    page.keyboard.press("Tab")
    expect(terminal).not_to_be_focused()


def test_ctrl_c_copies_what_is_selected(wire: Wire) -> None:
    """And only then; Ctrl+V pastes."""
    wire.run()
    page = wire.screen.page
    wire.print("treasure")
    page.evaluate("navigator.clipboard.writeText('before')")
    page.keyboard.press("Control+c")
    wire.gets("\x03")
    assert page.evaluate("navigator.clipboard.readText()") == "before"
    box = wire.screen.terminal.get_by_text("treasure").bounding_box()
    assert box is not None
    page.mouse.dblclick(box["x"] + 20, box["y"] + box["height"] / 2)
    page.keyboard.press("Control+c")
    assert page.evaluate("navigator.clipboard.readText()") == "treasure"
    wire.gets("\x03")
    page.keyboard.press("Control+c")
    wire.gets("\x03\x03")
    page.evaluate("navigator.clipboard.writeText('two\\nlines')")
    page.keyboard.press("Control+v")
    wire.gets("\x03\x03two\rlines")


def test_a_telephone_has_a_terminal(opener: Opener) -> None:
    """Within its width, and in sight when it is needed; what its keyboard types arrives."""
    with opener(**PHONE) as phone:
        wire = Wire(phone)
        phone.page.route_web_socket("**/run/live", wire.answer)
        phone.page.reload()
        wire.run()
        wire.print("x" * 200)
        phone.page.keyboard.type("ok\n")
        wire.gets("ok\r")
        assert phone.page.evaluate("document.documentElement.scrollWidth") <= 390
        expect(phone.button("Ctrl+D: end of input")).to_be_in_viewport(ratio=1)
        expect(phone.page.locator("#terminal")).to_be_in_viewport(ratio=1)
        phone.picture("phone-live")
        wire.end()
        assert phone.complaints == []


def test_the_terminal_has_the_colours_of_the_theme(wire: Wire) -> None:
    """Also when it changes; true colours are readable in both, without a style that a policy refuses."""
    wire.run()
    wire.print("\x1b[38;2;255;255;0myellow\x1b[0m \x1b[31mred\x1b[0m \x1b[48;2;1;2;3mdark\x1b[0m \x1b[7;33mswap\x1b[0m")
    colours = """() => ["yellow", "red", "dark", "swap"].map((text) => {
      const span = [...document.querySelectorAll(".xterm-rows span")].find((each) => each.textContent === text);
      return [getComputedStyle(span).color, getComputedStyle(span).backgroundColor];
    })"""
    light = wire.screen.page.evaluate(colours)
    assert light[2][1] == "rgb(1, 2, 3)"
    wire.screen.page.evaluate("document.documentElement.dataset.theme = 'dark'")
    wire.screen.page.wait_for_timeout(200)
    dark = wire.screen.page.evaluate(colours)
    wire.screen.picture("terminal-dark")
    assert dark[0][0] == "rgb(255, 255, 0)" != light[0][0]
    assert dark[1][0] != light[1][0]
    assert dark[3] != light[3]
    wire.end()


# Whatever a program prints, it prints

HOSTILE: Final = {
    "titles": "\x1b]0;owned\x07\x1b]1;owned\x07\x1b]2;owned\x1b\\\x1b[22t\x1b[23t",
    "a link": "\x1b]8;;https://evil.example/\x1b\\HERE\x1b]8;;\x1b\\",
    "the clipboard": "\x1b]52;c;b3duZWQ=\x07\x1b]52;c;?\x07",
    "colours": "\x1b]4;1;?\x07\x1b]10;?\x07\x1b]11;?\x07\x1b]12;?\x07\x1b]4;0;rgb:ff/ff/ff\x07\x1b]11;#ff0000\x07",
    "attributes": "\x1b[c\x1b[>c\x1b[=c\x1bZ\x1b[0c\x9bc",
    "state": "\x1b[5n\x1b[6n\x1b[?6n\x1b[?15n\x1b[?25n\x1b[?26n\x1b[?53n",
    "modes": "\x1b[4$p\x1b[?25$p\x1b[?1004$p\x1b[?2026$p",
    "the version": "\x1b[>q\x1b[>0q\x05",
    "settings": '\x1bP$qm\x1b\\\x1bP$q"p\x1b\\\x1bP$qr\x1b\\\x1bP+q544e\x1b\\',
    "the window": "".join(f"\x1b[{n}t" for n in (1, 2, 5, 7, 9, 11, 13, 14, 15, 16, 18, 19, 20, 21)) + "\x1b[3;0;0t",
    "parameters": "\x1b[x\x1b[1x\x1b[*y\x1b[1;1;1;1;1;1*y",
    "keys": "\x1b[?u\x1b[>1u\x1b[>4;2m\x1b[?4m",
    "the mouse": "\x1b[?9h\x1b[?1000h\x1b[?1002;1006h\x1b[?1003h\x1b[?1006h\x1b[?1015h\x1b[?1016h",
    "the focus": "\x1b[?1004h\x1b[?25;1004h",
    "after a reset": "\x1bc\x1b[c\x1b[6n\x1b[?1000;1004h\x1b]0;owned\x07\x1b]8;;https://evil.example/\x07HERE\x1b]8;;\x07",
}
"""By which programs ask a terminal, or have it do something."""
STATE: Final = "() => [document.title, location.href, document.querySelectorAll('a, iframe, img').length]"


def use(screen: Screen) -> None:
    """Mouse and focus, over every line: what a person does without typing."""
    box = screen.page.locator("#terminal").bounding_box()
    assert box is not None
    for row in range(0, int(box["height"]) - 30, 16):
        screen.page.mouse.move(box["x"] + 30, box["y"] + 15 + row)
        screen.page.mouse.click(box["x"] + 30, box["y"] + 15 + row)
    screen.page.keyboard.down("Control")
    screen.page.mouse.click(box["x"] + 30, box["y"] + 15)
    screen.page.keyboard.up("Control")
    screen.page.mouse.wheel(0, 100)
    screen.button("Stop").focus()
    screen.page.get_by_role("textbox", name="Terminal").focus()


def test_a_program_can_do_nothing_but_print(wire: Wire) -> None:
    """No answer, no title, no link, no window; the clipboard is the person's."""
    page = wire.screen.page
    page.evaluate("navigator.clipboard.writeText('mine')")
    for name, said in HOSTILE.items():
        wire.run()
        before = page.evaluate(STATE)
        wire.print(f"HERE\r\n{said}")
        use(wire.screen)
        page.wait_for_timeout(100)
        assert wire.typed() == "", name
        assert page.evaluate(STATE) == before, name
        assert page.evaluate("navigator.clipboard.readText()") == "mine", name
        assert [each.url for each in page.context.pages if each != page and each.url != "about:blank"] == [], name
        assert page.locator(".xterm-cursor-pointer, .enable-mouse-events").count() == 0, name
        wire.end()


def test_the_real_server_hears_nothing_either(screen: Screen) -> None:
    """All of them from a program in its container."""
    code = f"import time\nprint({''.join(HOSTILE.values())!r}, 'HERE', flush=True)\ntime.sleep(0.8)"
    screen.write(code, open=True)
    screen.button("Run").click()
    expect(screen.terminal).to_contain_text("HERE")
    use(screen)
    assert screen.ended() == "Finished"
    assert [m for m in screen.typed[1:] if "size" not in json.loads(str(m))] == []


def test_no_sequence_at_all_is_answered(wire: Wire) -> None:
    """Every CSI of every prefix, intermediate and final, with 4 parameters; every ESC; OSC 0 to 2000; every DCS."""
    wire.run()
    middles = ["", *map(chr, range(0x20, 0x30))]
    finals = [chr(code) for code in range(0x40, 0x7F)]
    for prefix in ("", "<", "=", ">", "?"):
        wire.print(
            "".join(
                f"\x1b[{prefix}{n}{middle}{final}" for middle in middles for final in finals for n in ("", 5, 6, 18)
            )
        )
    wire.print("".join(f"\x1b{middle}{chr(code)}" for middle in middles for code in range(0x30, 0x7F)))
    wire.print("".join(f"\x1b]{number};?\x07" for number in range(2001)))
    wire.print(
        "".join(f"\x1bP{p}{middle}{final}m\x1b\\" for p in ("", "?", ">") for middle in middles for final in finals)
    )
    wire.print("".join(map(chr, range(0x20))) + "".join(map(chr, range(0x80, 0xA0))))
    wire.print("\x1bc")
    use(wire.screen)
    wire.screen.page.wait_for_timeout(100)
    assert wire.typed() == ""
    wire.end()


FLOODS: Final = {
    "counts": "".join(f"x\x1b[{2**31 - 1}{chr(final)}" for final in range(0x40, 0x7F)),
    "counts in the middle": "".join(f"x\x1b[{2**31 - 1}{m}{chr(f)}" for m in " '\"$" for f in range(0x40, 0x7F)),
    "much that repeats": "x\x1b[256b\x1b[256S" * 4_000,
    "lines": "y\r\n" * 300_000,
    "one line": "z" * 1_000_000,
    "colours": "".join(f"\x1b[38;2;{n % 256};{n // 256 % 256};7m#" for n in range(100_000)),
    "sixel": "\x1bPq" + "#0;2;0;0;0~~@@vv" * 60_000 + "\x1b\\",
    "a title without end": "\x1b]0;" + "t" * 2_000_000,
    "marks on a letter": "a" + "\u0301" * 60_000,
    "marks and sequences": "a" + ("\u0301" * 29 + "\x1b[m") * 3_000,
    "marks on many letters": ("a" + "\u0301" * 30) * 4_000,
    "joiners": "a" + "\u200d" * 30_000 + "\u1161" * 30_000,
    "clearing": "\x1b[2J\x1b[H\x1b[3J" * 100_000,
    "screens": "\x1b[?1049h\x1b[?1049l" * 30_000,
    "resets": "\x1bc" * 30_000,
}
"""Megabytes, where the server lets 64 KB through; all of them in `make soak`, else four times what it lets through."""


def test_no_flood_hangs_the_page(wire: Wire) -> None:
    """Between two frames there is no time that a person would take for a hang; afterwards it prints as ever."""
    for name, said in FLOODS.items():
        wire.run()
        wire.screen.page.evaluate(FRAMES)
        wire.print(said[: None if SOAK else 262_144])
        longest = wire.screen.page.evaluate("longest")
        print(f"{name}: longest frame {longest:.0f} ms")
        assert longest < 10_000, name  # without its bounds, the worst of them takes minutes
        wire.end()


def test_what_hides_or_reorders_is_a_visible_sign(wire: Wire) -> None:
    """As in the other pane; letters of people stay as they are."""
    wire.run()
    wire.print("user\u202e\u2066 nimda a\u200bb\ufeff\U000e0041\r\ne\u0301 שלום")
    assert wire.screen.lines()[:2] == ["userU+202EU+2066 nimda aU+200BbU+FEFFU+E0041", "e\u0301 שלום"]
    wire.end()


def test_the_ending_of_a_live_run_is_told(wire: Wire) -> None:
    """The time that it had, and the limits that it came to."""
    wire.run()
    wire.print("x")
    wire.end(status="timeout", reason="cpu_time", reached=["pids"], command=["docker", "run", "--pids-limit=64"])
    assert wire.screen.status.inner_text() == "Stopped after computing for 2 s, the limit of CPU time"
    assert wire.screen.output.inner_text().split("\n")[0] == (
        "It could not start more processes or threads: 64 is the limit."
    )
