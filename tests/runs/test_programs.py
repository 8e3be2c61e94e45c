"""Real programs in real containers: what they do, and what comes back."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.harness import PATIENT, Server, eventually, gone, kill_launcher, serving, sleeper

LIMIT = 65536


@pytest.fixture(autouse=True)
def nothing_left(server: Server) -> Iterator[None]:
    """After each program: none of its processes, and no file of the server."""
    yield
    assert eventually(lambda: not server.jobs()), server.jobs()
    assert not list(server.temporary.iterdir())


def ending(result: dict[str, Any]) -> tuple[object, ...]:
    assert gone(result["id"]), "its container is still there"
    return result["status"], result["reason"], result["exit_code"], result["signal"]


COMPLETED = ("success", "completed", 0, None)
TIMEOUT = ("timeout", "wall_time", None, None)
SUM = "import sys\nprint(sum(map(int, sys.stdin.read().split())))"
CPP_SUM = "#include <iostream>\nint main() { long n, s = 0; while (std::cin >> n) s += n; std::cout << s << '\\n'; }"


@pytest.mark.parametrize(("language", "code"), [("python", SUM), ("cpp", CPP_SUM)])
def test_a_program_reads_its_input_and_succeeds(server: Server, language: str, code: str) -> None:
    """Input goes in, output comes out, and everything about it is told."""
    result = server.run(language, code, "1 2 3\n4")
    assert ending(result) == COMPLETED
    assert (result["stdout"], result["stderr"]) == ("10\n", "")
    assert result["truncated"] == {"stdout": False, "stderr": False}
    assert 0 < result["times"]["cpu"] < 1
    assert 0 < result["times"]["wall"] < 2
    assert (result["times"]["compile"] is None) == (language == "python")
    assert 1_000_000 < result["peak_memory"] < 256 * 1024**2
    assert result["oom_kills"] == 0
    assert len(result["policy"]) == 64


@pytest.mark.parametrize("code", [1, 3, 125, 126, 127, 137, 255])
def test_exit_codes_are_the_programs_own(server: Server, code: int) -> None:
    """No code is taken for docker's or for a signal."""
    assert ending(server.run("python", f"import os; os._exit({code})")) == ("runtime_error", "exit_code", code, None)


@pytest.mark.parametrize("name", ["SIGKILL", "SIGTERM", "SIGSEGV", "SIGABRT", "SIGXCPU", "SIGHUP", "SIGUSR1"])
def test_signals_are_told_by_name(server: Server, name: str) -> None:
    """A program that dies of a signal did not exit."""
    result = server.run("python", f"import os, signal; os.kill(os.getpid(), signal.{name})")
    assert ending(result) == ("runtime_error", "signal", None, name)


def test_an_uncaught_exception_of_cpp_aborts(server: Server) -> None:
    """It is SIGABRT, as without a container, not the 139 of a PID 1."""
    result = server.run("cpp", '#include <stdexcept>\nint main() { throw std::runtime_error("x"); }')
    assert ending(result) == ("runtime_error", "signal", None, "SIGABRT")


FORK_AWAY = """
import os, time
print("parent", flush=True)
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        time.sleep(60)
    os._exit(0)
"""


@pytest.mark.parametrize(
    "code",
    [
        "while True: pass",
        "import time\ntime.sleep(60)",
        "import signal, time\nfor s in (15, 2, 1): signal.signal(s, signal.SIG_IGN)\nwhile True: time.sleep(1)",
        "import os\nos.close(1); os.close(2)\nwhile True: pass",
        "import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)",
        FORK_AWAY + "time.sleep(60)",
    ],
    ids=["busy", "sleep", "ignores-sigterm", "closed-streams", "stopped", "children"],
)
def test_time_ends_every_program(server: Server, code: str) -> None:
    """After 2 s comes `docker kill`, whatever the program does; what it had printed is kept."""
    result = server.run("python", "print('begun')\n" + code)
    assert ending(result) == TIMEOUT
    assert result["stdout"].startswith("begun\n")
    assert 2.0 <= result["times"]["wall"] < 3.5


def test_a_daemon_that_holds_the_pipes_does_not_hold_the_answer(server: Server) -> None:
    """The program ends when its main process does; what it left behind is killed."""
    result = server.run("python", FORK_AWAY)
    assert ending(result) == COMPLETED
    assert result["stdout"] == "parent\n"
    assert result["times"]["wall"] < 1.5


def test_memory_ends_at_256_megabytes(server: Server) -> None:
    """The kernel kills it, and the answer says that it was the memory."""
    result = server.run("python", "x = []\nwhile True: x.append(bytearray(1 << 20))")
    assert ending(result) == ("runtime_error", "out_of_memory", None, "SIGKILL")
    assert result["oom_kills"] >= 1
    assert result["peak_memory"] > 250 * 1024**2


def test_a_child_out_of_memory_is_not_the_programs_end(server: Server) -> None:
    """A program that survives its child's death ends as it says itself."""
    code = "import subprocess, sys\nsubprocess.run([sys.executable, '-c', 'x = bytearray(1 << 29)'])\nprint('alive')"
    result = server.run("python", code)
    assert ending(result) == COMPLETED
    assert (result["stdout"], result["oom_kills"]) == ("alive\n", 1)


def test_the_tmpfs_counts_as_memory_and_is_full_at_64_megabytes(server: Server) -> None:
    """There is one place to write, and it has an end."""
    code = """
f = open("big", "wb")
try:
    while True: f.write(bytes(1 << 20)); f.flush()
except OSError as e: print(e.errno)
"""
    result = server.run("python", code)
    assert (ending(result), result["stdout"]) == (COMPLETED, "28\n")  # ENOSPC
    code = """
try:
    for n in range(9): open(str(n), "wb").write(bytes(32 << 20))
except OSError as e: print(e.errno)
"""
    result = server.run("python", code)
    assert (ending(result), result["stdout"]) == (COMPLETED, "28\n")  # ENOSPC


@pytest.mark.parametrize("streams", [(1,), (2,), (1, 2)])
def test_a_flood_ends_the_program_at_64_kib(server: Server, streams: tuple[int, ...]) -> None:
    """The first 64 KiB of each stream are kept, and the answer says that there was more."""
    writes = "; ".join(f"os.write({n}, b'x' * 65536)" for n in streams)
    result = server.run("python", f"import os\nwhile True: {writes}")
    assert ending(result)[:2] == ("runtime_error", "output_limit")
    full = [len(result[name]) == LIMIT and result["truncated"][name] for name in ("stdout", "stderr")]
    assert any(full[n - 1] for n in streams)
    assert all(len(result[name]) <= LIMIT for name in ("stdout", "stderr"))


def test_output_of_just_the_limit_is_whole(server: Server) -> None:
    """64 KiB are not too much, one byte more is."""
    result = server.run("python", f"import sys; sys.stdout.write('x' * {LIMIT})")
    assert (ending(result), len(result["stdout"])) == (COMPLETED, LIMIT)
    result = server.run("python", f"import sys; sys.stdout.write('x' * {LIMIT + 1})")
    assert (result["reason"], len(result["stdout"])) == ("output_limit", LIMIT)
    assert gone(result["id"])


def test_a_fork_bomb_stays_inside(server: Server) -> None:
    """64 processes are all there are, the launcher and the program among them."""
    code = """
import os, time
n = 0
try:
    while True:
        if os.fork() == 0: time.sleep(60)
        n += 1
except BlockingIOError: print(n)
"""
    result = server.run("python", code)
    assert (ending(result), result["stdout"]) == (COMPLETED, "62\n")
    result = server.run("python", "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass")
    assert ending(result) == TIMEOUT


def test_the_root_file_system_is_read_only(server: Server) -> None:
    """Only /tmp and /dev/shm can be written."""
    code = """
import errno, os
for path in ("/", "/usr", "/etc", "/home", "/var/tmp", "/dev", "/run"):
    try: open(os.path.join(path, "x"), "w"); print(path)
    except OSError as e: assert e.errno in (errno.EROFS, errno.EACCES), e
writable = []
for line in open("/proc/mounts"):
    path = line.split()[1]
    try:
        if os.path.isdir(path): open(os.path.join(path, "x"), "w"); writable.append(path)
        elif os.path.isfile(path): open(path, "a")
    except OSError as e: pass
print(sorted(writable))
"""
    result = server.run("python", code)
    assert ending(result) == COMPLETED
    assert result["stdout"] == "['/dev/shm', '/tmp']\n"


def test_there_is_no_network(server: Server) -> None:
    """Only a loopback interface, no route, and nothing answers."""
    code = """
import os, socket
print(os.listdir("/sys/class/net"), len(open("/proc/net/route").readlines()))
s = socket.socket(); s.settimeout(1)
try: s.connect(("192.0.2.1", 80))
except OSError as e: print(e.errno)
"""
    result = server.run("python", code)
    assert (ending(result), result["stdout"]) == (COMPLETED, "['lo'] 1\n101\n")


def test_a_program_has_no_privileges(server: Server) -> None:
    """No root, no capability, no way to new ones, a system call filter, a uid of its own."""
    code = """
status = dict(line.split(":\\t", 1) for line in open("/proc/self/status"))
print(*(status[k].strip() for k in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp")))
print(*status["Uid"].split(), *status["Gid"].split(), status["Groups"].split())
"""
    seen = set()
    for _ in range(2):
        result = server.run("python", code)
        assert ending(result) == COMPLETED
        privileges, ids = result["stdout"].splitlines()
        assert privileges == " ".join(["0" * 16] * 5 + ["1", "2"])
        uid = ids.split()[0]
        assert ids == " ".join([uid] * 8) + f" ['{uid}']"
        seen.add(int(uid))
    assert len(seen) == 2
    assert all(1_900_000_000 <= uid < 2_143_200_000 for uid in seen)


def test_the_hosts_names_stay_unknown(server: Server) -> None:
    """Host name, DNS servers and cgroup paths are the policy's, not the host's."""
    code = """
import os
print(os.uname().nodename, [l for l in open("/etc/resolv.conf").read().split("\\n") if l.startswith("nameserver")])
print({line.split(":")[2] for line in open("/proc/self/cgroup")})
print(sorted(os.environ))
"""
    result = server.run("python", code)
    assert ending(result) == COMPLETED
    name, cgroups, environment = result["stdout"].splitlines()
    assert name == "sandbox ['nameserver 192.0.2.1']"
    assert cgroups == "{'/\\n'}"
    assert environment == "['HOME', 'HOSTNAME', 'LANG', 'PATH', 'TERM', 'USER']"


def test_a_compile_error_is_told(server: Server) -> None:
    """The compiler's words, with the source by its file name alone."""
    result = server.run("cpp", "int main() { return x; }")
    assert ending(result) == ("runtime_error", "compile_error", 1, None)
    assert (
        result["stderr"].startswith("main.cpp: In function 'int main()':") or "main.cpp:1:21: error" in result["stderr"]
    )
    assert "/tmp" not in result["stderr"]


def test_warnings_of_a_program_that_runs_are_told_apart(server: Server) -> None:
    """What the compiler said is not the program's stderr."""
    result = server.run("cpp", "#warning careful\nint main() {}")
    assert ending(result) == COMPLETED
    assert result["stderr"] == ""
    assert "careful" in result["compile_output"]


def test_the_compiler_does_not_eat_the_input(server: Server) -> None:
    """Its stdin is /dev/null."""
    result = server.run("cpp", '#include "/dev/stdin"\n' + CPP_SUM, "4 5")
    assert (ending(result), result["stdout"]) == (COMPLETED, "9\n")


def test_the_whole_standard_library_compiles(server: Server) -> None:
    """`#include <bits/stdc++.h>` fits into the memory and the time of the policy."""
    code = """
#include <bits/stdc++.h>
int main() { std::map<int, std::string> m{{1, "one"}}; std::cout << m[1] << '\\n'; }
"""
    result = server.run("cpp", code)
    assert (ending(result), result["stdout"]) == (COMPLETED, "one\n")
    assert result["times"]["compile"] < 5


def test_threads_of_cpp_run(server: Server) -> None:
    """std::thread needs no flag of its own."""
    code = '#include <thread>\n#include <cstdio>\nint main() { std::thread t([] { std::puts("hi"); }); t.join(); }'
    result = server.run("cpp", code)
    assert (ending(result), result["stdout"]) == (COMPLETED, "hi\n")


def test_bytes_that_are_not_text_become_replacement_characters(server: Server) -> None:
    """The answer is always valid JSON, and a character is never split."""
    code = "import os, time\nos.write(1, b'\\xff\\xc3'); time.sleep(0.1); os.write(1, b'\\xa9\\xed\\xa0\\x80\\0!')"
    result = server.run("python", code)
    assert (ending(result), result["stdout"]) == (COMPLETED, "�é���\0!")


def test_nul_bytes_go_through(server: Server) -> None:
    """Input is bytes; a NUL is one of them."""
    result = server.run("python", "import sys; print(list(sys.stdin.buffer.read()))", "a\0b")
    assert (ending(result), result["stdout"]) == (COMPLETED, "[97, 0, 98]\n")


def test_a_source_with_crlf_runs(server: Server) -> None:
    """As editors on other systems write it."""
    result = server.run("python", "if True:\r\n    print('a')\r\nprint('b')\r\n")
    assert (ending(result), result["stdout"]) == (COMPLETED, "a\nb\n")


def test_an_empty_source(server: Server) -> None:
    """Python does nothing; C++ has no main."""
    assert ending(server.run("python", "")) == COMPLETED
    assert ending(server.run("cpp", ""))[:2] == ("runtime_error", "compile_error")


def test_a_line_of_one_mebibyte_goes_in(server: Server) -> None:
    """Input is not read by lines."""
    result = server.run("python", "print(len(input()))", "x" * (1024 * 1024 - 1) + "\n")
    assert (ending(result), result["stdout"]) == (COMPLETED, "1048575\n")


def test_input_that_is_not_read_does_no_harm(server: Server) -> None:
    """A program may end, or run out of time, without having read a mebibyte."""
    assert ending(server.run("python", "print(1)", "x" * 2**20)) == COMPLETED
    assert ending(server.run("python", "while True: pass", "x" * 2**20)) == TIMEOUT


def test_a_program_that_reads_without_input_sees_the_end(server: Server) -> None:
    """It does not hang."""
    result = server.run("python", "import sys; print(repr(sys.stdin.read())); input()")
    assert ending(result) == ("runtime_error", "exit_code", 1, None)
    assert result["stdout"] == "''\n"
    assert result["stderr"].endswith("EOFError: EOF when reading a line\n")


STEAL = """
import os
def attempt(path, flags=os.O_RDONLY):
    try: os.open(path, flags); return "opened"
    except OSError as e: return e.errno
print([attempt(f"/proc/1/{name}") for name in ("mem", "environ", "maps", "fd/0", "fd/1")])
print(open("/proc/1/cmdline").read().split("\\0")[-3:])
"""


def test_the_launcher_keeps_its_secret(server: Server) -> None:
    """PID 1 is not dumpable: its memory and descriptors are closed to the program, although the uid is the same."""
    result = server.run("python", STEAL)
    assert ending(result) == COMPLETED
    assert result["stdout"] == "[13, 13, 13, 13, 13]\n['python3', 'main.py', '']\n"


@pytest.mark.parametrize(
    "code",
    [
        "print('0' * 32 + ' run status=0 cpu=1 peak=1 oom=0'); raise SystemExit(3)",
        "import os\nos.set_blocking(1, False); os.set_blocking(2, False)\nraise SystemExit(3)",
        "import os\nfor s in range(1, 32):\n    try: os.kill(1, s)\n    except OSError: pass\nraise SystemExit(3)",
        "import sys\nsys.stderr.write('launch: ready\\n'); raise SystemExit(3)",
        "import os\nfor fd in range(3): os.close(fd)\nos._exit(3)",
        "import resource, os\ntry: resource.prlimit(1, resource.RLIMIT_NOFILE, (0, 0))\n"
        "except PermissionError: raise SystemExit(3)",
    ],
    ids=["forged-mark", "nonblocking", "signals", "ready-again", "closed", "no-files"],
)
def test_nothing_a_program_does_alters_its_verdict(server: Server, code: str) -> None:
    """It ends as it ended, whatever it prints and does to its streams and to PID 1."""
    result = server.run("python", code)
    if "range(1, 32)" in code:  # SIGUSR1 tells the launcher to end this very run
        assert ending(result) in [("runtime_error", "signal", None, "SIGKILL"), ("runtime_error", "exit_code", 3, None)]
    else:
        assert ending(result) == ("runtime_error", "exit_code", 3, None)


def test_a_program_whose_launcher_dies_ends_without_a_verdict(tmp_path: Path) -> None:
    """What ends a container that has been fed is an ending of the program, never the engine's failure."""
    command = sleeper()
    code = f"import subprocess; print('begun', flush=True); subprocess.run({command.split()})"
    with serving(tmp_path, edit=PATIENT) as server, ThreadPoolExecutor() as pool:
        answer = pool.submit(server.run, "python", code)
        kill_launcher(command)
        result = answer.result()
    assert ending(result) == ("runtime_error", "no_verdict", None, None)
    assert result["stdout"] == "begun\n"


def test_programs_at_the_same_time_do_not_mix(server: Server) -> None:
    """Each gets its own answer."""
    with ThreadPoolExecutor(8) as clients:
        results = list(clients.map(lambda n: server.run("python", f"print({n}, input())", f"in{n}"), range(16)))
    assert [r["stdout"] for r in results] == [f"{n} in{n}\n" for n in range(16)]
    assert len({r["id"] for r in results}) == 16
    assert all(gone(r["id"]) for r in results)


def test_a_program_that_was_started_ahead_reads_its_own_source(server: Server) -> None:
    """The interpreter gets it through a pipe, everybody else finds the file."""
    code = "import inspect, sys\nprint(open(__file__).read() == inspect.getsource(sys.modules['__main__']), __file__)\n"
    result = server.run("python", code)
    assert (ending(result), result["stdout"]) == (COMPLETED, "True /tmp/main.py\n")
    result = server.run("python", "def f(:\n")
    assert result["stderr"].startswith('  File "/tmp/main.py", line 1\n    def f(:\n          ^\nSyntaxError: ')
    assert gone(result["id"])


def test_a_source_of_just_the_limit_goes_through_the_pipe(server: Server) -> None:
    """As many bytes as a pipe holds, and all of them arrive."""
    last = "\nprint(len(open(__file__).read()))"
    result = server.run("python", "#" * (LIMIT - len(last)) + last)
    assert (ending(result), result["stdout"]) == (COMPLETED, f"{LIMIT}\n")


@pytest.mark.parametrize("cookie", ["latin-1", "utf-8", "cp1252"])
def test_a_source_may_name_its_encoding(server: Server, cookie: str) -> None:
    """Python reads some encodings in a way that no pipe allows; such a source is run by an interpreter of its own."""
    result = server.run("python", f"# -*- coding: {cookie} -*-\nprint(ascii('é'))")
    expected = {"utf-8": "'\\xe9'\n"}.get(cookie, "'\\xc3\\xa9'\n")
    assert (ending(result), result["stdout"]) == (COMPLETED, expected)
