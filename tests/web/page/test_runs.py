"""Every way in which a program can be run, and end, on the page."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from runner.policy import configuration
from runner.runs.result import Reason
from tests.harness import ROOT, Server, eventually, serving
from tests.web.page.screen import Opener, Screen, new_profile

STREAMS = """
import sys, time
for number in range(4):
    print("out", number, flush=True)
    time.sleep(0.1)
    print("err", number, file=sys.stderr, flush=True)
    time.sleep(0.2)
"""
ENDINGS = [
    ("python", "Input: a sum", "Finished", "4 numbers, their sum is 46"),
    ("python", "Syntax error", "Ended with exit code 1", "SyntaxError"),
    ("python", "An exception", "Ended with exit code 1", "ZeroDivisionError"),
    ("python", "Exit code 3", "Ended with exit code 3", "The program printed nothing."),
    ("python", "Too long", "Stopped after 2 s, the time limit", "never ends"),
    ("python", "Too much memory", "Used more than 256 MB of memory", ""),
    (
        "python",
        "Too much output",
        "Wrote more than 64 KB and was stopped",
        "Only the first 64 KB of stdout were kept.",
    ),
    ("python", "Too many processes", "Finished", "processes, then: Resource temporarily unavailable"),
    ("python", "The network", "Ended with exit code 1", "interfaces: ['lo']"),
    ("cpp", "Compile error", "It does not compile: the compiler says why", "main.cpp:4:24: error"),
    ("cpp", "A warning", "Finished", "warning: unsigned conversion"),
    ("cpp", "Memory that is not its own", "Killed by SIGSEGV: it touched memory that is not its own", "before"),
    ("cpp", "An exception", "Killed by SIGABRT: it gave up by itself", "out_of_range"),
    ("cpp", "Too much memory", "Used more than 256 MB of memory", ""),
]


def test_python_runs_by_the_button(screen: Screen) -> None:
    """With its input, its output, and its figures."""
    assert screen.run("print(sum(map(int, input().split())))", input="1 2 3") == "Finished"
    assert screen.blocks() == [("stdout", "6\n")]
    facts = screen.page.locator("#facts").inner_text()
    assert [name in facts for name in ("Time", "CPU", "Memory", "Waiting", "Compiling")] == [*[True] * 4, False]
    screen.picture("finished")


def test_cpp_runs_by_ctrl_enter(screen: Screen) -> None:
    """From within the editor, which gets no new line by it."""
    screen.choose("Hello", "cpp")
    before = screen.editor.inner_text()
    screen.editor.press("Control+Enter")
    expect(screen.status).to_have_text("Finished", timeout=30_000)
    assert screen.blocks() == [("stdout", "Hello from C++ 23\n")]
    assert screen.editor.inner_text() == before
    assert "Compiling" in screen.page.locator("#facts").inner_text()


@pytest.mark.parametrize("language", ["python", "cpp"])
def test_an_example_ends_as_its_name_says(screen: Screen, language: str) -> None:
    """In words that a person understands."""
    for _, example, said, printed in (row for row in ENDINGS if row[0] == language):
        screen.choose(example, language)
        screen.button("Run").click()
        assert screen.ended().startswith(said)
        assert printed in screen.output.inner_text()
        screen.picture(f"{language}-{example.lower().replace(' ', '-')}")


def test_every_reason_has_its_words(screen: Screen) -> None:
    """Those of the server, and no other; each makes a sentence of a result."""
    words = screen.page.evaluate(
        """async () => {
          const { REASONS } = await import("/static/words.js");
          const result = { exit_code: 3, signal: "SIGSEGV" };
          const limits = { wall: 2, compile: 10, total: 20, output: 65536, memory: "256 MB", cpu: 2 };
          return Object.fromEntries(Object.entries(REASONS).map(([name, words]) => [name, words(result, limits)]));
        }"""
    )
    assert set(words) == {reason.value for reason in Reason}
    assert all(len(said) > 7 and "undefined" not in said and "NaN" not in said for said in words.values()), words


def test_output_appears_while_the_program_runs(screen: Screen) -> None:
    """In its order, each stream under its name, long before the end."""
    screen.write(STREAMS)
    screen.button("Run").click()
    expect(screen.output).to_contain_text("err 0")
    assert screen.status.inner_text() == "Running"
    assert "out 3" not in screen.output.inner_text()
    screen.ended()
    expected = [(f"std{name}", f"{name} {number}\n") for number in range(4) for name in ("out", "err")]
    assert screen.blocks() == expected
    assert screen.output.locator(".stderr .source").all_inner_texts() == ["stderr"] * 4
    screen.picture("streams")


def test_a_language_needs_nothing_of_the_page(opener: Opener) -> None:
    """Without examples or colours it is edited and sent as any other."""
    limits = {"wall_time": 2.0, "compile_time": None, "output": 65536, "total_time": 20.0}
    languages = [{"language": "cobol", "title": "COBOL", "limits": limits}]
    with opener() as other:
        other.page.route("**/languages", lambda route: route.fulfill(json={"languages": languages}))
        other.page.reload()
        assert other.run("DISPLAY 'X'.", "cobol") == "Unknown language"
        assert other.sent == ['{"language":"cobol","code":"DISPLAY \'X\'.","input":""}']


def test_every_language_has_examples_and_colours(opener: Opener) -> None:
    """Each that has a policy, whether it is served or not; a new one is added to both lists, or to this test."""
    names = configuration.languages(ROOT / "policies")
    limits = {"wall_time": 2.0, "compile_time": None, "output": 65536, "total_time": 20.0}
    languages = [{"language": name, "title": name, "limits": limits} for name in names]
    with opener() as other:
        other.page.route("**/languages", lambda route: route.fulfill(json={"languages": languages}))
        other.page.reload()
        for name in names:
            for example in ("Hello", "Input: a sum"):
                other.choose(example, name)
                expect(other.editor.locator(".cm-line span").first).to_be_attached()


def test_stop_ends_the_program(screen: Screen, server: Server) -> None:
    """On the page at once, and in its container."""
    screen.write("import time\nprint('begun', flush=True)\ntime.sleep(60)")
    screen.button("Run").click()
    expect(screen.output).to_contain_text("begun")
    assert [job for job in server.jobs() if "main.py" in job]
    screen.button("Stop").click()
    assert screen.status.inner_text().startswith("Stopped by you after ")
    assert eventually(lambda: not server.jobs(), 1.5)  # before the limit of 2 s would have ended it
    assert screen.run("print('again')") == "Finished"


def test_a_limit_on_the_way_is_told(screen: Screen) -> None:
    """In a sentence, with the number of the command; not once more where it was the end; a new name not at all."""
    told = screen.page.evaluate(
        """async () => {
          const { limitsOf, reached } = await import("/static/words.js");
          const command = (await (await fetch("/policies/python")).json()).command;
          const limits = limitsOf({ wall_time: 2 }, command, 2);
          const ended = (reason, ...reached_) => reached({ reason, reached: reached_ }, limits);
          return [
            ended("exit_code", "pids", "memory", "tmpfs", "shm", "new"), ended("out_of_memory", "memory", "pids"),
            reached({ reason: "completed" }, limits),
            reached({ reason: "completed", reached: ["pids"] }, limitsOf({}, [], 2)),
          ];
        }"""
    )
    pids = "It could not start more processes or threads: 64 is the limit."
    assert told == [
        [
            pids,
            "It could not get more memory: 256 MB is the limit.",
            "It could not write more into /tmp: 64 MB in 2048 files is the limit.",
            "It could not write more into /dev/shm: 16 MB in 64 files is the limit.",
        ],
        [pids],
        [],
        ["It could not start more processes or threads: their number is the limit."],
    ]


def test_who_must_wait_need_not_press_again(
    browser: Browser, engine: None, pictures: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The page says that the line is full, asks again when it may, says its place, and runs the program."""
    busy = {"language": "python", "code": "import time; time.sleep(1.9)"}
    with (
        serving(tmp_path_factory.mktemp("busy"), running=1, waiting_memory="60k") as server,
        new_profile(browser) as profile,
        Screen.open(profile, server.url, pictures) as other,
        ThreadPoolExecutor(2) as clients,
    ):
        other.write("print('at last')")
        running = clients.submit(server.post, {**busy, "inputs": ["", ""]})
        assert eventually(lambda: server.running() == 1)
        waiting = clients.submit(server.post, busy)
        assert eventually(lambda: server.waiting() == 1)
        other.button("Run").click()
        expect(other.status).to_have_text("Waiting: the line is full, about 2 s")
        assert other.ended() == "Finished"
        assert other.output.inner_text() == "at last\n"
        assert {running.result().status_code, waiting.result().status_code} == {200}


def test_a_refusal_says_what_to_do(
    browser: Browser, engine: None, pictures: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """With the service's own words and the seconds to wait, for both ways of running."""
    with (
        serving(tmp_path_factory.mktemp("limited"), rate_limit="1 per 15 minutes") as limited,
        new_profile(browser) as profile,
        Screen.open(profile, limited.url, pictures) as other,
    ):
        assert other.run("print(1)") == "Finished"
        assert other.run("print(1)") == "Rate limit reached"
        assert "the next is free in" in other.output.inner_text()
        other.picture("refused")
        assert other.run("print(1)", open=True) == "Rate limit reached"
        other.page.context.set_offline(True)
        assert other.run("print(1)") == "The connection broke"
