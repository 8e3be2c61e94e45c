"""Several inputs: compiled once, run once per input, each on a clean table."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.harness import PATIENT, Server, gone, kill_launcher, serving, sleeper


def run(server: Server, language: str, code: str, inputs: list[str]) -> dict[str, Any]:
    """The answer to one request with several inputs; its container is gone."""
    answer = server.post({"language": language, "code": code, "inputs": inputs})
    assert answer.status_code == 200, answer.text
    result: dict[str, Any] = answer.json()
    assert gone(result["id"])
    return result


def endings(result: dict[str, Any]) -> list[tuple[str, str]]:
    """Reason and stdout of each run."""
    return [(r["reason"], r["stdout"]) for r in result["results"]]


DOUBLE = {
    "python": "print(2 * int(input()))",
    "cpp": '#include <cstdio>\nint main() { int n; std::scanf("%d", &n); std::printf("%d\\n", 2 * n); }',
}


@pytest.mark.parametrize("language", DOUBLE)
def test_each_input_is_a_run_of_its_own_in_order(server: Server, language: str) -> None:
    """One container, one compilation, many verdicts."""
    result = run(server, language, DOUBLE[language], [str(n) for n in range(20)])
    assert (result["status"], result["reason"]) == ("success", "completed")
    assert endings(result) == [("completed", f"{2 * n}\n") for n in range(20)]
    assert (result["times"]["compile"] is None) == (language == "python")


def test_one_input_and_an_empty_one(server: Server) -> None:
    """A list of one gives a list of one; empty means the end at once."""
    assert endings(run(server, "python", "import sys; print(sys.stdin.read())", [""])) == [("completed", "\n")]


MIXED = """
import os, time
n = int(input())
if n == 1: raise SystemExit(3)
if n == 2: os.write(1, b"x" * 70000); time.sleep(9)
if n == 3: time.sleep(9)
if n == 4: os.abort()
if n == 5: bytearray(1 << 29)
print(n)
"""


def test_each_run_has_its_own_limits_and_verdict(server: Server) -> None:
    """One that fails, floods or runs out of time ends itself, not the rest."""
    result = run(server, "python", MIXED, [str(n) for n in range(7)])
    reasons = ["completed", "exit_code", "output_limit", "wall_time", "signal", "out_of_memory", "completed"]
    assert [r["reason"] for r in result["results"]] == reasons
    assert (result["status"], result["reason"]) == ("runtime_error", "exit_code")
    assert 2.0 <= result["results"][3]["times"]["wall"] < 3.5
    assert result["results"][6]["stdout"] == "6\n"


LEAVE = """
import os, time
n = int(input())
def listing(): return [sorted(os.listdir(".")), len([p for p in os.listdir("/proc") if p.isdecimal()])]
print(listing(), open("main.py").read(6), flush=True)
if n == 0:
    os.makedirs("a/b/c"); open("a/b/c/file", "w").close(); os.chmod("a", 0)
    open(".hidden", "w").close(); os.symlink("/etc/passwd", "link"); os.mkfifo("fifo")
    os.remove("main.py"); os.symlink("/etc/passwd", "main.py")
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0: time.sleep(60)
        os._exit(0)
if n == 1:
    for depth in range(1500):
        os.mkdir("d" * 200); os.chdir("d" * 200)
if n == 2:
    try:
        for k in range(5000): open(str(k), "w").close()
    except OSError: pass
"""


def test_no_file_and_no_process_of_one_run_is_left_for_the_next(server: Server) -> None:
    """Hidden, deep, unreadable, many or replaced: all of it goes, and the source is as it was."""
    result = run(server, "python", LEAVE, ["0", "1", "2", "3"])
    assert endings(result) == [("completed", "[['main.py', 'results'], 2] \nimpor\n")] * 4


IPC = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
def count(kind): return len(open(f"/proc/sysvipc/{kind}").readlines()) - 1
print([count(kind) for kind in ("shm", "sem", "msg")])
libc.shmget(0x1234, 4096, 0o1666), libc.semget(0x1234, 1, 0o1666), libc.msgget(0x1234, 0o1666)
print([count(kind) for kind in ("shm", "sem", "msg")])
"""


def test_shared_memory_of_one_run_is_gone_for_the_next(server: Server) -> None:
    """System V objects outlive their processes; here they do not outlive their run."""
    assert endings(run(server, "python", IPC, ["", ""])) == [("completed", "[0, 0, 0]\n[1, 1, 1]\n")] * 2


def test_a_compiled_program_cannot_replace_itself(server: Server) -> None:
    """What was compiled comes back before each run."""
    code = """
#include <cstdio>
#include <unistd.h>
int main() { std::puts("me"); unlink("main"); std::fclose(std::fopen("main", "w")); }
"""
    assert endings(run(server, "cpp", code, ["", "", ""])) == [("completed", "me\n")] * 3


def test_the_next_inputs_cannot_be_read_ahead(server: Server) -> None:
    """A run sees its own input and no other's."""
    code = "import sys, os\nprint(sys.stdin.read(), sorted(os.listdir('/proc/self/fd')))"
    result = run(server, "python", code, ["first", "second"])
    assert endings(result) == [
        ("completed", "first ['0', '1', '2', '3']\n"),
        ("completed", "second ['0', '1', '2', '3']\n"),
    ]


def test_a_compile_error_has_no_runs(server: Server) -> None:
    """The compiler's words, once."""
    result = run(server, "cpp", "int main() {", ["1", "2"])
    assert (result["status"], result["reason"], result["results"]) == ("runtime_error", "compile_error", [])
    assert "main.cpp" in result["compile_output"]


def test_the_total_time_ends_all_runs(engine: None, tmp_path: Path) -> None:
    """So many seconds for all together; what was not reached says so."""
    with serving(tmp_path, edit={"python.toml": ("total-time   = 20.0", "total-time   = 5.8")}) as server:
        result = run(server, "python", "import time; time.sleep(60)", ["x"] * 5)
    reasons = [r["reason"] for r in result["results"]]
    assert reasons[:2] == ["wall_time"] * 2
    assert reasons[-1] == "total_time"
    assert len(reasons) == 5
    assert {r["status"] for r in result["results"]} == {"timeout"}


def test_a_launcher_that_is_brought_down_takes_all_runs_along(tmp_path: Path) -> None:
    """Each still has its verdict: none."""
    command = sleeper()
    code = f"import subprocess; subprocess.run({command.split()})"
    with serving(tmp_path, edit=PATIENT) as server, ThreadPoolExecutor() as pool:
        answer = pool.submit(run, server, "python", code, ["", ""])
        kill_launcher(command)
        result = answer.result()
    assert [r["reason"] for r in result["results"]] == ["no_verdict", "no_verdict"]


def test_a_program_that_ends_together_with_its_compiler_is_seen(server: Server) -> None:
    """Both marks may arrive at once; each step still has its verdict."""
    for _ in range(8):
        result = server.run("cpp", "#warning careful\nint main() { return 3; }")
        assert (result["reason"], result["exit_code"], result["stderr"]) == ("exit_code", 3, "")
        assert gone(result["id"])
