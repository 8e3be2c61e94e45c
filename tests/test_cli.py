"""The ops commands, as an ops person calls them."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.harness import ROOT, copy_policies, docker, eventually, processes

pytestmark = pytest.mark.usefixtures("engine")


def runner(*words: str, input: str = "", cwd: Path = ROOT) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of ``python -m runner ...``."""
    command = [sys.executable, "-X", "dev", "-W", "error", "-m", "runner", *words]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    ended = subprocess.run(
        command, input=input, capture_output=True, text=True, timeout=60, check=False, cwd=cwd, env=environment
    )
    assert not [command for _, _, command in processes() if "--label=code-runner=cli-" in command]
    return ended.returncode, ended.stdout, ended.stderr


def test_check_says_that_all_is_well() -> None:
    """A line a policy, with its digest."""
    code, out, err = runner("check")
    assert (code, err) == (0, "")
    assert [re.sub(r"[0-9a-f]{64}", "X", line) for line in out.splitlines()] == [
        "cpp.toml: ok, 31 flags, sha256 X",
        "python.toml: ok, 32 flags, sha256 X",
    ]


def test_check_says_all_that_is_wrong(tmp_path: Path) -> None:
    """One line a problem: file, flag, remedy; exit code 2."""
    edit = {"python.toml": ('"--memory-swap=256m"', '"--memory-swap=512m"'), "cpp.toml": ("output  ", "outptu  ")}
    folder = copy_policies(tmp_path, {}, edit)
    code, out, err = runner("check", cwd=tmp_path)
    assert (code, out) == (2, "")
    assert err.splitlines() == [
        "cpp.toml: limits: 'outptu' is unknown: did you mean output?",
        "cpp.toml: limits: output is missing",
        "python.toml: --memory-swap=512m: must equal --memory (256m), or the rest is swap",
    ]
    assert runner("--policies", str(folder), "check")[0] == 2


def test_the_shell_line_of_show_can_be_pasted() -> None:
    """It is the command above it with a name and a uid filled in, and it runs a program."""
    code, out, _ = runner("show", "python")
    assert code == 0
    lines, _, text = out.partition("\n\n")
    shell = [line.removeprefix("# ") for line in text.splitlines() if not line.startswith("# The same")]
    ended = subprocess.run(["sh", "-c", "\n".join(shell)], capture_output=True, text=True, timeout=60, check=False)
    assert ended.stdout.startswith("42\n" + "0" * 32 + " run status=0 ")
    words = subprocess.run(
        ["sh", "-c", f"printf '%s\\n' {shell[-1]}"], capture_output=True, text=True, check=True
    ).stdout
    words = re.sub(r"--name=job-\d{8}T\d{6}-[0-9a-f]{16}", "--name=job-<timestamp>-<random>", words)
    words = words.replace("--user=1900000000:1900000000", "--user={uid}:{uid}")
    assert words.strip() == lines.replace("--label=code-runner=main", "--label=code-runner=shown")


def test_run_runs_one_program(tmp_path: Path) -> None:
    """Without HTTP: input from stdin, the answer as JSON, the exit code says whether it went well."""
    program = tmp_path / "any name.py"
    program.write_text("print(input()[::-1])")
    code, out, _ = runner("run", "python", str(program), input="abc")
    assert (code, json.loads(out)["stdout"]) == (0, "cba\n")
    program.write_text("raise SystemExit(3)")
    code, out, _ = runner("run", "python", str(program))
    assert (code, json.loads(out)["exit_code"]) == (1, 3)


def test_run_refuses_in_one_line(tmp_path: Path) -> None:
    """What was wrong and what to do; exit code 2."""
    program = tmp_path / "big.py"
    program.write_bytes(b"#" * 65537)
    refused = (2, "", "`code` has 65537 bytes as UTF-8; python takes at most 65536.\n")
    assert runner("run", "python", str(program)) == refused
    assert runner("run", "python", str(tmp_path / "none.py"))[0] == 2
    assert runner("show", "cobol")[0] == 2


def test_run_can_be_interrupted(tmp_path: Path) -> None:
    """Ctrl-C kills the program, and nothing is left."""
    program = tmp_path / "forever.py"
    program.write_text("while True: pass")
    command = [sys.executable, "-m", "runner", "run", "python", str(program)]
    started = subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    time.sleep(1.0)
    started.send_signal(signal.SIGINT)
    out, err = started.communicate(timeout=20)
    assert (started.returncode, out, err) == (130, b"", b"interrupted\n")
    assert eventually(lambda: "cli-" not in docker("ps", "-a", "--format={{.Labels}}"))
