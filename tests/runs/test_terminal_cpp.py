"""Programs behave as they would by hand on a terminal: what compiles, what is printed when, what the names say."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.harness import Server, eventually, gone
from tests.runs import plain

BITS = "#include <bits/stdc++.h>\n"
SMALL = (
    "using namespace std;\nint main() { int a, b; cin >> a >> b; vector<int> v{a, b}; cout << v[0] + v[1] << endl; }\n"
)
REGEX = r"""
using namespace std;
int main() {
    regex re("(\\w+)@(\\w+)"); smatch m; string s = "bob@example";
    if (regex_search(s, m, re)) println("{} at {}", m[1].str(), m[2].str());
    for (auto c : views::iota(1, 10) | views::chunk(3)) { for (int x : c) print("{} ", x); println(""); }
    println("{}", format("{:%Y-%m-%d}", chrono::sys_days{chrono::year{2024} / 2 / 29}));
}
"""
BEFORE = {
    "nothing": "",
    "include": "#include <iostream>\n",
    "alias": "using ll = long long;\n",
    "macro": "#define ll long long\n",
    "include-macro": "#include <iostream>\n#define ll long long\n",
    "debug": "#define _GLIBCXX_DEBUG\n",
    "debug-later": '#pragma GCC optimize("O3")\n#define _GLIBCXX_DEBUG\n#include <cstdio>\n',
    "ndebug": "#define NDEBUG\n",
    "optimize": '#pragma GCC optimize("O3,unroll-loops")\n',
    "condition": '#include <cstdio>\n#ifdef LOCAL\n#include "debug.h"\n#else\n#define dbg(...)\n#endif\n',
}


@pytest.fixture(autouse=True)
def nothing_left(server: Server) -> Iterator[None]:
    """After each program: none of its processes."""
    yield
    assert eventually(lambda: not server.jobs()), server.jobs()


def as_by_hand(server: Server, language: str, code: str, input: str = "") -> dict[str, Any]:
    """The server's answer, whose bytes are those of the same steps without it."""
    result = server.run(language, code, input)
    (by_hand,) = plain.run(language, (code, input))
    assert (result["stdout"].encode(), result["stderr"].encode()) == (by_hand.stdout, by_hand.stderr), result
    assert gone(result["id"])
    return result


@pytest.mark.parametrize("before", BEFORE.values(), ids=BEFORE)
def test_the_whole_library_compiles_whatever_comes_before_it(server: Server, before: str) -> None:
    """Within the memory and the time of the policy."""
    result = server.run("cpp", before + BITS + SMALL, "3 1")
    assert (result["reason"], result["stdout"], result["oom_kills"]) == ("completed", "4\n", 0), result


HEAVY = {
    "much-of-the-library": (
        "#include <iostream>\n" + BITS + REGEX,
        "bob at example\n1 2 3 \n4 5 6 \n7 8 9 \n2024-02-29\n",
    ),
    "no-precompiled-header": ("#include <iostream>\n#define N 100\n" + BITS + SMALL, "4\n"),
}


@pytest.mark.parametrize(("code", "stdout"), HEAVY.values(), ids=HEAVY)
def test_what_takes_the_compiler_long_fits_into_the_memory(server: Server, code: str, stdout: str) -> None:
    """Four to nine seconds of CPU time, for which a busy machine may not have the time."""
    result = server.run("cpp", code, "3 1")
    assert (result["reason"], result["stdout"]) in [("completed", stdout), ("compile_timeout", "")], result


@pytest.mark.parametrize(
    ("code", "stdout"),
    [
        ("#define NDEBUG\n" + BITS + 'int main() { assert(false); puts("on"); }', "on\n"),
        ("#include <cassert>\n#define NDEBUG\n" + BITS + 'int main() { assert(false); puts("on"); }', "on\n"),
        ("#include <cstdio>\n" + BITS + 'int main() { puts("before"); assert(false); }', "before\n"),
    ],
)
def test_what_is_moved_to_the_front_changes_no_meaning(server: Server, code: str, stdout: str) -> None:
    """assert() heeds NDEBUG where the program says so."""
    assert server.run("cpp", code)["stdout"] == stdout


def test_the_debug_mode_of_the_library_is_on(server: Server) -> None:
    """An index out of bounds ends the program, with the library's words."""
    for before in (BEFORE["debug"], BEFORE["debug-later"]):
        result = server.run(
            "cpp", before + BITS + "int main() { std::vector<int> v(3); int n; std::cin >> n; v[n] = 1; }", "3"
        )
        assert result["signal"] == "SIGABRT", result
        assert "attempt to subscript container with out-of-bounds index 3" in result["stderr"]


CRASHES = {"crash": "*(volatile int *)nullptr = 5;", "abort": "std::abort();", "kill": "std::raise(SIGKILL);"}
PRINTS = {
    "printf": 'std::printf("step %d\\n", 1); std::puts("step 2"); std::printf("lost");',
    "cout": 'std::cout << "step " << 1 << \'\\n\' << "step 2\\n" << "lost";',
}


@pytest.mark.parametrize("end", CRASHES.values(), ids=CRASHES)
@pytest.mark.parametrize("lines", PRINTS.values(), ids=PRINTS)
def test_lines_are_there_before_a_program_dies(server: Server, lines: str, end: str) -> None:
    """As on a terminal: whole lines, and not what had no end."""
    headers = "#include <csignal>\n#include <cstdio>\n#include <cstdlib>\n#include <iostream>\n"
    result = server.run("cpp", f"{headers}int main() {{ {lines} {end} }}")
    assert (result["reason"], result["stdout"]) == ("signal", "step 1\nstep 2\n")


def test_lines_are_there_before_the_time_is_up(server: Server) -> None:
    """Printed before an endless loop."""
    code = '#include <cstdio>\nint main() { for (int i = 1; i <= 3; i++) printf("i=%d\\n", i); for (;;) getc(stdin); }'
    result = server.run("cpp", code)
    assert (result["reason"], result["stdout"]) == ("wall_time", "i=1\ni=2\ni=3\n")


def test_a_line_without_an_end_is_kept_by_a_program_that_ends(server: Server) -> None:
    """exit() writes it; sync_with_stdio(false) loses nothing either."""
    assert as_by_hand(server, "cpp", '#include <cstdio>\nint main() { printf("no end"); }')["stdout"] == "no end"
    code = '#include <iostream>\nint main() { std::ios::sync_with_stdio(false); std::cout << "a\\nb"; }'
    assert as_by_hand(server, "cpp", code)["stdout"] == "a\nb"


def test_the_stack_grows_to_the_memory_limit(server: Server) -> None:
    """200,000 calls deep, and 16 MB of locals."""
    code = """
#include <cstdio>
#include <cstring>
int deep(int n) { volatile char block[200] = {}; return n ? deep(n - 1) + 1 + block[n % 200] : 0; }
int main() { int a[4000000]; memset(a, 1, sizeof a); int n; scanf("%d", &n); printf("%d %d\\n", a[n], deep(n)); }
"""
    assert as_by_hand(server, "cpp", code, "200000")["stdout"] == "16843009 200000\n"


def test_sixty_threads_start(server: Server) -> None:
    """Though each may have a stack as large."""
    code = """
#include <atomic>
#include <iostream>
#include <thread>
#include <vector>
int main() {
    std::atomic<int> n{0}; std::vector<std::thread> all;
    auto sleep = [&] { n++; std::this_thread::sleep_for(std::chrono::milliseconds(200)); };
    for (int i = 0; i < 60; i++) all.emplace_back(sleep);
    for (auto &one : all) one.join();
    std::cout << n << std::endl;
}
"""
    assert as_by_hand(server, "cpp", code)["stdout"] == "60\n"


def test_a_judge_says_that_it_is_one(server: Server) -> None:
    """ONLINE_JUDGE is defined, so the usual freopen does not hide the output."""
    code = '#include <cstdio>\nint main() {\n#ifdef ONLINE_JUDGE\nputs("judge");\n#endif\n}'
    assert as_by_hand(server, "cpp", code)["stdout"] == "judge\n"


def test_cpp_knows_english_and_utf_8(server: Server) -> None:
    """By their names."""
    code = """
#include <clocale>
#include <iostream>
#include <locale>
int main() {
    for (auto name : {"", "en_US.UTF-8", "C.UTF-8"}) std::cout << setlocale(LC_ALL, name) << '\\n';
    std::cout.imbue(std::locale("en_US.UTF-8"));
    std::cout << 1234567 << '\\n';
}
"""
    assert as_by_hand(server, "cpp", code)["stdout"] == "C.UTF-8\nen_US.UTF-8\nC.UTF-8\n1,234,567\n"


def test_python_knows_english_and_utf_8(server: Server) -> None:
    """By their names."""
    code = """
import locale
print(locale.setlocale(locale.LC_ALL, ""), locale.setlocale(locale.LC_ALL, "en_US.UTF-8"), f"{1234567:n}")
print(locale.currency(1234.5, grouping=True), locale.setlocale(locale.LC_ALL, "C.UTF-8"))
"""
    assert as_by_hand(server, "python", code)["stdout"] == "C.UTF-8 en_US.UTF-8 1,234,567\n$1,234.50 C.UTF-8\n"


def test_the_user_and_the_terminal_have_names(server: Server) -> None:
    """getpass.getuser() works, `clear` and `tput` print what a terminal understands, and no traceback is coloured."""
    code = """
import getpass, readline, subprocess
print(getpass.getuser())
for words in (["tput", "bold"], ["clear"]): print(subprocess.run(words, capture_output=True).stdout)
1 / 0
"""
    result = server.run("python", code)
    assert result["stdout"] == "runner\nb'\\x1b[1m'\nb'\\x1b[H\\x1b[2J\\x1b[3J'\n"
    assert "\x1b" not in result["stderr"]
    assert "\x1b" not in server.run("cpp", "int main() { return x; }")["stderr"]
    assert (
        as_by_hand(server, "cpp", '#include <cstdlib>\nint main() { return system("clear; tput bold"); }')["reason"]
        == "completed"
    )


def test_python_lines_are_there_before_it_dies(server: Server) -> None:
    """Whole lines, and what ends by itself loses nothing."""
    result = server.run("python", "import os\nprint('a')\nprint('b', end='')\nos.kill(os.getpid(), 9)")
    assert result["stdout"] == "a\n"
    assert as_by_hand(server, "python", "import sys\nprint('a', end='')\nsys.stdout.buffer.raw")["stdout"] == "a"


def test_a_line_of_python_is_one_write(server: Server) -> None:
    """Those of several processes are never torn."""
    code = """
import subprocess, sys
child = "for i in range(200): print('x' * 20)"
all = [subprocess.Popen([sys.executable, "-c", child]) for _ in range(4)]
for one in all: one.wait()
"""
    result = server.run("python", code)
    assert (result["reason"], set(result["stdout"].splitlines())) == ("completed", {"x" * 20})
    assert result["stdout"].count("\n") == 800
