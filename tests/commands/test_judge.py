"""``python -m runner judge`` and ``run --server``: what a teacher does, here and from afar."""

import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest

from tests.commands.test_cli import SUMMARY, runner
from tests.harness import ROOT, Server, copy_policies

pytestmark = pytest.mark.usefixtures("engine")

SUM: Final = """\
import sys
values = list(map(int, sys.stdin.read().split()))
if values[0] == 7:
    while True: pass
print(sum(values))
"""
CASES: Final = {"1": ("1 2\n", "3"), "2": ("1 2\n", "4\n"), "10": ("x", "0"), "b": ("", "0")}


def folder(tmp_path: Path, cases: Mapping[str, tuple[str, str]]) -> Path:
    """Of tests."""
    tests = tmp_path / "tests"
    tests.mkdir()
    for name, (given, expected) in cases.items():
        (tests / f"{name}.in").write_text(given)
        (tests / f"{name}.out").write_text(expected)
    return tests


@pytest.fixture
def program(tmp_path: Path) -> str:
    """A student's."""
    path = tmp_path / "sum.py"
    path.write_text(SUM)
    return str(path)


@pytest.mark.parametrize("there", [False, True], ids=["here", "server"])
def test_a_table_of_verdicts(server: Server, tmp_path: Path, program: str, there: bool) -> None:
    """In the order of people, the first difference, the last words; exit code 1 where one is not passed."""
    where = ["--server", server.url] if there else []
    code, out, err = runner("judge", program, str(folder(tmp_path, CASES)), *where)
    assert (code, err) == (1, "")
    lines = [re.sub(r" +\d+\.\d+ (s|MiB)", "", line) for line in out.splitlines()]
    assert lines == [
        "1   ok",
        "2   wrong answer  word 1: expected '4', got '3'",
        "10  runtime error  exit code 1: ValueError: invalid literal for int() with base 10: 'x'",
        "b   runtime error  exit code 1: IndexError: list index out of range",
        "1 of 4 passed (python, tokens,)",
    ]


def test_all_is_well(tmp_path: Path, program: str) -> None:
    """Exit code 0; verdicts as JSON."""
    tests = str(folder(tmp_path, {"a": ("1 2", "3.0000001")}))
    code, out, err = runner("judge", program, tests, "--compare=float=1e-6", "--json")
    found = json.loads(out)
    assert (code, err) == (0, "")
    assert {key: found[key] for key in ("language", "compare", "passed")} == {
        "language": "python",
        "compare": "float=1e-6",
        "passed": 1,
    }
    [verdict] = found["tests"]
    assert (verdict["test"], verdict["verdict"], verdict["detail"]) == ("a", "ok", "")
    assert runner("judge", program, tests, "--compare=exact")[0] == 1


def test_many_inputs_go_in_batches(tmp_path: Path, program: str) -> None:
    """Within the policy's limits; what a batch had no time for is run again."""
    cases = {str(n): (f"{7 if n == 2 else 1} 2\n", "3") for n in range(1, 6)}
    edit = {"python.toml": ("inputs       = 100", "inputs       = 3")}
    policies = copy_policies(tmp_path, {"audit-file": str(tmp_path / "audit.jsonl")}, edit)
    text = (policies / "python.toml").read_text()
    text = text.replace("wall-time    = 2.0", "wall-time    = 1.0").replace("total-time   = 20.0", "total-time   = 1.5")
    (policies / "python.toml").write_text(text)
    code, out, _ = runner("--policies", str(policies), "judge", program, str(folder(tmp_path, cases)), "--json")
    verdicts = [each["verdict"] for each in json.loads(out)["tests"]]
    assert (code, verdicts) == (1, ["ok", "time limit", "ok", "ok", "ok"])
    lines = [json.loads(line) for line in (tmp_path / "audit.jsonl").read_text().splitlines()]
    batches = [len(line["inputs"]) for line in lines if "inputs" in line]
    assert sum(batches) >= 5
    assert max(batches) <= 3


def test_what_does_not_compile_is_said_once(server: Server, tmp_path: Path) -> None:
    """In the compiler's words, and of every test."""
    source = tmp_path / "a.CPP"
    source.write_text("int main() { return x; }")
    tests = str(folder(tmp_path, {"1": ("", ""), "2": ("", "")}))
    code, out, err = runner("judge", str(source), tests, "--server", server.url)
    assert (code, out.splitlines()[:2]) == (1, ["1  compile error", "2  compile error"])
    assert err.count("error: ") == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["sum.py", "none"], "none: there is no *.in, so there is nothing to judge by.\n"),
        (["sum.py", "half"], "half: there is no 1.out; each *.in needs its *.out.\n"),
        (["sum.xyz", "tests"], "sum.xyz: no language is known by that suffix; name it with --language.\n"),
        (["sum.py", "tests", "--compare=fuzzy"], "`--compare` is exact, tokens, or float=1e-6 with another number.\n"),
        (["none.py", "tests"], "[Errno 2] No such file or directory: 'none.py'\n"),
    ],
)
def test_what_is_refused(tmp_path: Path, program: str, words: list[str], said: str) -> None:
    """In a line; exit code 2."""
    folder(tmp_path, CASES)
    copy_policies(tmp_path, {}, {})
    (tmp_path / "half").mkdir()
    (tmp_path / "half" / "1.in").touch()
    (tmp_path / "none").mkdir()
    assert runner("judge", *words, cwd=tmp_path) == (2, "", said)


def test_a_server_that_does_not_run_it(server: Server, tmp_path: Path, program: str) -> None:
    """Says what it runs."""
    tests = str(folder(tmp_path, CASES))
    said = f"{server.url} runs cpp, python, and not sql.\n"
    assert runner("judge", program, tests, "--language=sql", "--server", server.url) == (2, "", said)


# run --server


@pytest.mark.parametrize("there", [None, (), ("--idempotency-key", "a key")], ids=["here", "server", "key"])
def test_run_with_arguments_and_files(server: Server, tmp_path: Path, there: tuple[str, ...] | None) -> None:
    """The same here and there: output, exit code, the line about its end."""
    (tmp_path / "data.csv").write_text("1,2")
    program = tmp_path / "any name.py"
    program.write_text("import sys\nprint(sys.argv[1:], open('data.csv').read(), input())\nraise SystemExit(5)")
    where = [] if there is None else ["--server", server.url, *there]
    beside = ["--beside", str(tmp_path / "data.csv")]
    code, out, err = runner("run", "python", str(program), *where, *beside, "--arg=-x", "--arg", "é", input="abc")
    assert (code, out) == (5, "['-x', 'é'] 1,2 abc\n")
    line = SUMMARY.fullmatch(err.strip())
    assert line
    assert line[1] == "runtime_error (exit_code)"


def test_run_on_a_server_is_refused_in_its_words(server: Server, tmp_path: Path) -> None:
    """Exit code 2, as here."""
    program = tmp_path / "a.py"
    program.write_text("print(1)")
    where = ["--server", server.url]
    said = "Unknown language: `language` must be one of cpp, python.\n"
    assert runner("run", "cobol", str(program), *where) == (2, "", said)
    code, out, err = runner("run", "python", str(program), "--server", "http://127.0.0.1:1")
    assert (code, out, err[:27]) == (2, "", "The server does not answer:")
    code, out, err = runner("run", "python", str(program), "--idempotency-key=x")
    assert (code, out, err) == (2, "", "--idempotency-key is for a --server: here no connection can break.\n")
    program.write_bytes(b"\xff")
    assert (
        runner("run", "python", str(program), *where)[2] == f"{program}: is not UTF-8, which is what a server takes.\n"
    )


def test_a_key_is_in_a_file_or_in_the_environment(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server without keys looks at none; what cannot be one goes nowhere."""
    program, key = tmp_path / "a.py", tmp_path / "key"
    program.write_text("print(1)")
    key.write_text("some-key\n")
    words = ["run", "python", str(program), "--server", server.url]
    assert runner(*words, "--key-file", str(key))[:2] == (0, "1\n")
    assert runner(*words, "--key-file", str(tmp_path / "none"))[0] == 2
    monkeypatch.setenv("RUNNER_KEY", "some-key")
    assert runner(*words)[:2] == (0, "1\n")


def test_a_line_tells_a_terminal_what_goes_on(server: Server, tmp_path: Path) -> None:
    """It is gone before anything else is written."""
    program = tmp_path / "a.py"
    program.write_text("print(1)")
    terminal, end = pty.openpty()
    command = [sys.executable, "-m", "runner", "run", "python", str(program), "--server", server.url]
    ended = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=end, stderr=end, timeout=60, check=True)
    os.close(end)
    written = os.read(terminal, 10_000).decode()
    os.close(terminal)
    assert ended.returncode == 0
    shown = written.replace("\r\x1b[K", "|")
    assert re.match(r"(\|waiting[ \w:,]+)+\|running\|1\r\n\|+success \(completed\): ", shown)


def test_without_httpx_it_says_what_to_install(tmp_path: Path) -> None:
    """And runs here all the same."""
    (tmp_path / "httpx.py").write_text("raise ImportError('not here')")
    (tmp_path / "a.py").write_text("print(1)")
    command = [sys.executable, "-m", "runner", "run", "python", str(tmp_path / "a.py"), "--server", "http://x"]
    ended = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    said = "--server needs packages that are not installed (not here): pip install -r runner/client-requirements.txt\n"
    assert (ended.returncode, ended.stderr) == (2, said)
