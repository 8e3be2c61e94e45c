"""What every language must do, in real containers of its image: the same programs in each, of programs/NAME.txt."""

import re
import subprocess
import sys
from base64 import b64decode
from collections.abc import Iterator, Sequence
from typing import Any, Final

import pytest

from runner.policy import configuration
from tests.harness import ROOT, Server, serving
from tests.images.programs import HELLO, PROGRAMS, programs

BASIC: Final = ("python", "cpp")
"""Those that are served, and have tests of their own all over."""
SMALL: Final = re.findall(r"(?m)^TRIED := (.*)$", (ROOT / "Makefile").read_text())[0].split()
"""Those whose images build in seconds: `make test` builds and tries them. All others: `make languages`."""
EVERY: Final = tuple(name for name in configuration.languages(ROOT / "policies") if name not in BASIC)
LACKING: Final = {("sql", "compile_error"), ("sql", "threads")}
"""What a language has not."""


def cases(*names: str, languages: Sequence[str] = EVERY) -> list[Any]:
    """Each of these programs in each language."""
    return [
        pytest.param(language, name, id=f"{language}-{name}", marks=() if language in SMALL else pytest.mark.languages)
        for language in languages
        for name in names
        if (language, name) not in LACKING
    ]


@pytest.fixture(scope="module")
def server(engine: None, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One that serves what the tests that were selected ask for, with more time: other tests run beside."""
    mine = [item for item in request.session.items if item.path == request.path and isinstance(item, pytest.Function)]
    asked = {str(item.callspec.params["language"]) for item in mine if "server" in item.fixturenames}
    edit = {f"{language}.toml": ("wall-time    = 2.0", "wall-time    = 5.0") for language in asked}
    with serving(tmp_path_factory.mktemp("server"), edit=edit, warm=0, languages=sorted(asked)) as running:
        yield running


def run(server: Server, language: str, name: str, **beside: Any) -> dict[str, Any]:
    """The answer to one of the programs."""
    answer = server.post({"language": language, "code": programs(language)[name].code, **beside})
    assert answer.status_code == 200, answer.text
    report: dict[str, Any] = answer.json()
    return report


def ended(report: dict[str, Any]) -> tuple[Any, ...]:
    """How it ended, and all that it wrote."""
    return report["reason"], report["exit_code"], report["stdout"], report["stderr"], report["compile_output"]


@pytest.mark.parametrize("language", EVERY)
def test_every_language_has_every_program(language: str) -> None:
    """A new one is tried like the others."""
    assert {*programs(language)} - {"plot"} == {name for name in PROGRAMS if (language, name) not in LACKING}


@pytest.mark.parametrize(
    "language", [pytest.param(*each.values[:1], id=each.values[0], marks=each.marks) for each in cases("hello")]
)
def test_every_policy_is_proved(engine: None, language: str) -> None:
    """Line by line, in a container of its image."""
    command = [sys.executable, "-m", "runner", "verify", language]
    proof = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert (proof.returncode, proof.stderr) == (0, ""), proof.stdout


@pytest.mark.parametrize(("language", "name"), cases("hello"))
def test_hello(server: Server, language: str, name: str) -> None:
    """Text of all of Unicode comes out as it is, and nothing beside it."""
    assert ended(run(server, language, name)) == ("completed", 0, HELLO, "", "")


@pytest.mark.parametrize(("language", "name"), cases("sum"))
def test_sum(server: Server, language: str, name: str) -> None:
    """What `make bench` measures."""
    text = " ".join(map(str, range(1000)))
    assert ended(run(server, language, name, input=text)) == ("completed", 0, "499500\n", "", "")


@pytest.mark.parametrize(("language", "name"), cases("everything"))
def test_everything(server: Server, language: str, name: str) -> None:
    """A sum from stdin, arguments, a file beside the program, a result, stderr, an exit code."""
    args = [] if language == "sql" else ["a b", "é"]  # what sqlite3 takes after its database are statements
    report = run(server, language, name, input="1\n2\n3\n40\n", args=args, files={"data/table.csv": "x,y\n1,2\n"})
    said = "" if language == "sql" else "to stderr\n"
    assert ended(report) == ("exit_code", 3, "46\na b\né\nx,y\n1,2\n", said, "")
    assert [(file["name"], file["content"]) for file in report["files"]] == [("out.txt", "left\n")]


@pytest.mark.parametrize(("language", "name"), cases("compile_error", "error"))
def test_an_error_tells_the_line(server: Server, language: str, name: str) -> None:
    """In the words of the compiler or of the interpreter."""
    report = run(server, language, name)
    compiled = report["times"]["compile"] is not None
    reasons = {"compile_error"} if name == "compile_error" and compiled else {"exit_code", "signal"}
    assert report["reason"] in reasons
    if report["reason"] != "signal":
        assert re.search(programs(language)[name].said, report["stderr"]), report["stderr"]


@pytest.mark.parametrize(("language", "name"), cases("sleep"))
def test_what_was_printed_before_a_timeout_is_there(server: Server, language: str, name: str) -> None:
    """A line that was printed is not lost in a buffer."""
    report = run(server, language, name)
    assert (report["status"], report["reason"], report["stdout"]) == ("timeout", "wall_time", "before\n")


@pytest.mark.parametrize(("language", "name"), cases("memory"))
def test_too_much_memory(server: Server, language: str, name: str) -> None:
    """Is said by the kernel or by the runtime's own words: never a bare signal."""
    report, said = run(server, language, name), programs(language)[name].said
    assert report["reason"] == "out_of_memory" or (said and re.search(said, report["stderr"])), report


@pytest.mark.parametrize(("language", "name"), cases("threads"))
def test_threads(server: Server, language: str, name: str) -> None:
    """Four of them add up what they were given; processes or coroutines where there are none."""
    assert ended(run(server, language, name)) == ("completed", 0, "1998000\n", "", "")


@pytest.mark.parametrize(("language", "name"), cases("plot", languages=["python-data"]))
def test_a_plot_comes_back(server: Server, language: str, name: str) -> None:
    """A picture, of all four packages; nothing is said on the way."""
    report = run(server, language, name)
    assert ended(report) == ("completed", 0, "done\n", "", "")
    (picture,) = report["files"]
    assert (picture["name"], picture["type"]) == ("plot.png", "image/png")
    assert b64decode(picture["content"]["base64"]).startswith(b"\x89PNG")


@pytest.mark.parametrize(("language", "name"), cases("output"))
def test_output_up_to_its_limit(server: Server, language: str, name: str) -> None:
    """64 KiB come in full."""
    assert ended(run(server, language, name)) == ("completed", 0, "xxxxxxxxxxxxxxx\n" * 4096, "", "")
