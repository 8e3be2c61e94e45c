"""A program behaves as its author saw it: each is compared with itself, run plainly in the same image."""

import itertools
import re
from collections.abc import Iterator
from typing import Final

import pytest

from runner.policy import configuration
from tests.harness import Server, eventually
from tests.runs import plain


@pytest.fixture(autouse=True)
def nothing_left(server: Server) -> Iterator[None]:
    """After each: no process of a program."""
    yield
    assert eventually(lambda: not server.jobs()), server.jobs()


def same(server: Server, language: str, code: str, *inputs: str) -> None:
    """Byte for byte what the plain program prints, and its exit code: for the first input, then for all in a row."""
    expected = plain.run(language, *((code, data) for data in inputs))
    answer = server.post({"language": language, "code": code, "inputs": inputs})
    assert answer.status_code == 200, answer.text
    told = [server.run(language, code, inputs[0]), *answer.json()["results"]]
    assert [(each["stdout"].encode(), each["stderr"].encode(), each["exit_code"]) for each in told] == [
        (each.stdout, each.stderr, each.code) for each in (expected[0], *expected)
    ]


# stdin is a file

READERS: Final = {
    "its size": "import os\nprint(os.fstat(0).st_size, os.read(0, os.fstat(0).st_size))",
    "seek": "from sys import stdin\na = stdin.read(); stdin.seek(0); print(a == stdin.read(), stdin.seekable())",
    "from the end": "import os\nprint(os.lseek(0, -2, 2), os.read(0, 9), os.pread(0, 3, 1))",
    "mmap": "import mmap as m\ntry: print(m.mmap(0, 0, access=m.ACCESS_READ)[:3])\nexcept ValueError as e: print(e)",
    "its kind": "import os, stat\nprint(stat.filemode(os.fstat(0).st_mode), os.isatty(0))",
    "lines, then bytes": "import sys\nprint(sys.stdin.readline(), sys.stdin.buffer.tell() >= 0, sys.stdin.read())",
    "fileinput": "import fileinput\nprint([(fileinput.lineno(), l) for l in fileinput.input()])",
    "opened again": "print([open('/dev/stdin').read() for _ in range(2)])",
    "not for writing": "import os\ntry: print(os.write(0, b'x'))\nexcept OSError as e: print(e)",
    "a child reads on": "import os, subprocess\nprint(os.read(0, 2)); print(subprocess.check_output('cat'))",
    "select": "import select\nprint(select.select([0], [], [], 1)[0])",
    "epoll": "import select\ntry: select.epoll().register(0)\nexcept OSError as e: print(e)",
    "asyncio": (
        "import asyncio, sys\nasync def main():\n    loop = asyncio.get_running_loop(); r = asyncio.StreamReader()\n"
        "    try: await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(r), sys.stdin)\n"
        "    except ValueError as e: print(e)\nasyncio.run(main())"
    ),
}


@pytest.mark.parametrize("reader", READERS.values(), ids=READERS)
def test_stdin_is_a_file(server: Server, reader: str) -> None:
    """As of `< input`: it has a size and a position, and may be read twice; also an empty one."""
    same(server, "python", reader, "3\n1 2 3\n", "abc", "")


def test_a_large_input_is_a_file_too(server: Server) -> None:
    """All of it is there when the program begins."""
    code = "import os, sys, zlib\nprint(os.fstat(0).st_size, zlib.crc32(sys.stdin.buffer.read()))"
    data = "x" * 70_000 + "".join(map(str, range(10_000)))
    same(server, "python", code, data, "")


CPP_READERS: Final = {
    "fseek": (
        "#include <cstdio>\nint main() { int r = fseek(stdin, 0, SEEK_END); long n = ftell(stdin);"
        ' rewind(stdin); int a = 0; int k = scanf("%d", &a); printf("%d %ld %d %d\\n", r, n, k, a); }'
    ),
    "mmap": (
        "#include <cstdio>\n#include <sys/mman.h>\n#include <sys/stat.h>\nint main() { struct stat s; fstat(0, &s);"
        " char* p = (char*)mmap(0, s.st_size, PROT_READ, MAP_PRIVATE, 0, 0);"
        ' printf("%ld %.3s\\n", (long)s.st_size, p); }'
    ),
    "seekg": (
        "#include <iostream>\nint main() { std::string a, b; std::cin >> a; std::cin.seekg(0); std::cin >> b;"
        ' std::cout << a << b << "\\n"; }'
    ),
}


@pytest.mark.parametrize("reader", CPP_READERS.values(), ids=CPP_READERS)
def test_stdin_is_a_file_for_what_was_compiled(server: Server, reader: str) -> None:
    """The same in C and C++."""
    same(server, "cpp", reader, "10 20 30\n")


# What is printed is what is seen


PRINTERS: Final = (
    "import sys\nfor s in (sys.stdout, sys.stderr): print('saved /data/tmp/main.py.bak and /tmp/main.pyc', file=s)",
    "1/0",
    "def f(:",
    "import traceback as t, sys\ntry: {}['x']\nexcept KeyError: t.print_exc(); t.print_exc(file=sys.stdout)",
    "import sys\nprint(__file__, sys.argv, sys.path[0], sys.flags.unbuffered)",
    "raise SystemExit('bye')",
    "import warnings\nwarnings.warn('old')",
    "import os\nprint(os.getcwd(), sorted(os.listdir()))",
)


def test_what_a_program_prints_is_not_altered(server: Server) -> None:
    """On neither stream, and tracebacks are the same on both."""
    for code, expected in zip(PRINTERS, plain.run("python", *((code, "") for code in PRINTERS)), strict=True):
        result = server.run("python", code)
        assert (result["stdout"].encode(), result["stderr"].encode()) == (expected.stdout, expected.stderr), code
        assert result["exit_code"] == expected.code


@pytest.mark.parametrize(("text", "size"), [("x", 65536), ("x", 65537), ("é", 65536), ("你", 65537), ("😀", 65538)])
def test_output_is_cut_between_two_characters(server: Server, text: str, size: int) -> None:
    """The beginning of what was printed, without a character that nobody printed; told in one way."""
    printed = ("y" + text * size).encode()[:size]
    code = f"import sys\nsys.stdout.buffer.write(('y' + {text!r} * {size}).encode()[:{size}])"
    result = server.run("python", code)
    assert result["stdout"] == printed[:65536].decode(errors="replace" if size <= 65536 else "ignore")
    ended = (result["reason"], result["truncated"]["stdout"], result["exit_code"], result["signal"])
    assert ended == (("output_limit", True, None, None) if size > 65536 else ("completed", False, 0, None))


# Source cookies

UTF_8: Final = (
    "utf-8",
    "UTF-8",
    "utf8",
    "U8",
    "utf_8",
    "UTF_8",
    "utf8-ucs2",
    "utf-8-sig",
    "utf_8_sig",
    "cp65001",
    "UTF",
)
OTHERS: Final = (
    *(
        "latin-1",
        "latin1",
        "iso-8859-1",
        "iso8859-1",
        "ISO_8859-1",
        "L1",
        "cp819",
        "8859",
        "iso-latin-1",
        "latin-1-unix",
    ),
    *("iso-8859-15", "latin9", "cp1252", "windows-1252", "cp437", "koi8-r", "cp1251", "ascii", "us-ascii", "646"),
    *("mac-roman", "gbk", "gb2312", "big5", "shift_jis", "euc-jp", "euc-kr", "utf-16", "utf-7", "rot13", "no-such"),
)
FORMS: Final = (
    *(
        "# -*- coding: {} -*-",
        "# vim: set fileencoding={} :",
        "# vim:fileencoding={}",
        "#coding={}",
        "#!/usr/bin/python3\n#coding: {}",
    ),
    *(
        "\n# coding:{}",
        "\t \f# This Python file uses the following encoding: {}",
        "# coding : {}",
        "# encoding={}, or so",
    ),
    *(
        "'''x'''  # coding: {}",
        "# not here\n# nor here\n# coding: {}",
        "x = 1 # coding: {}",
        "# coding: utf-8 coding: {}",
    ),
)
ENDING: Final = "\nprint('ok', 'h\u00e9llo'.encode('utf-8'))\n"


def cookies() -> Iterator[str]:
    """Every spelling in the usual form, every form with a few spellings; and line ends of old."""
    yield from (f"# -*- coding: {name} -*-{ENDING}" for name in (*UTF_8, *OTHERS))
    yield from (form.format(name) + ENDING for form, name in itertools.product(FORMS, ("utf8", "utf-8", "latin-1")))
    yield from (
        f"{blank}# coding: latin-1{ENDING}".replace("\n", end) for blank in ("", "\n") for end in ("\r", "\r\n")
    )
    yield f"\ufeff# coding: utf8{ENDING}"
    yield f"\ufeff# coding: latin-1{ENDING}"


PIPED: Final = ("sh", "-c", "mv main.py source; mkfifo main.py; cat source >main.py & exec python3 main.py")


def test_every_source_that_python_runs_is_run(server: Server) -> None:
    """Whatever encoding it names, in whatever form; and what Python refuses, it refuses in the same words.

    The interpreter that is started ahead reads a pipe: all that may come through it mean the same there.
    """
    sources = tuple((code, "") for code in cookies())
    expected = plain.run("python", *sources)
    assert 0 < sum(each.code != 0 for each in expected) < 25
    ahead_unless = configuration.load().policies["python"].ahead_unless
    ahead = [not re.search(ahead_unless, code, re.MULTILINE) for code, _ in sources]
    piped = plain.run("python", *sources, command=PIPED)
    assert [a for a, b, may in zip(expected, piped, ahead, strict=True) if may and a != b] == []
    assert 5 < sum(ahead) < len(ahead) - 40
    for (code, _), plainly in list(zip(sources, expected, strict=True))[:: len(sources) // 12]:
        result = server.run("python", code)
        assert (result["stdout"].encode(), result["stderr"].encode()) == (plainly.stdout, plainly.stderr), code


# Figures

BURN: Final = "import time\nwhile time.process_time() < {seconds}: pass\n"


def test_wall_and_cpu_are_measured_where_it_runs(server: Server) -> None:
    """In every run, however short: wall is not below what was used, but for what the launcher does at the same time."""
    spin = "int main() { long s = 0; for (volatile int i = 0; i < 3000000; i = i + 1) s += i; return s == 1; }"
    for result in (server.run("cpp", spin), server.run("python", BURN.format(seconds=0.3)), server.run("python", "")):
        assert result["times"]["wall"] + 0.005 > 0.9 * result["times"]["cpu"] > 0
    assert 0.25 <= server.run("python", BURN.format(seconds=0.3))["times"]["cpu"] < 0.6


@pytest.mark.parametrize(
    ("code", "reason", "least"),
    [
        ("x = bytearray(b'x') * (90 * 2**20)\nwhile True: pass", "wall_time", 90),
        ("x = bytearray(b'x') * (90 * 2**20)\nwhile True: print('x' * 999)", "output_limit", 90),
        ("x = bytearray(b'x') * (300 * 2**20)", "out_of_memory", 240),
        (
            "import os\nx = bytearray(b'x') * (60 * 2**20)\nos.fork(); x[::4096] = b'y' * len(x[::4096])",
            "completed",
            100,
        ),
        ("open('f', 'wb').write(b'x' * (50 * 2**20))", "completed", 50),
    ],
    ids=["timeout", "flood", "memory", "children", "files"],
)
def test_figures_are_told_whatever_the_ending(server: Server, code: str, reason: str, least: int) -> None:
    """Also after a kill: of all processes, and files in memory count."""
    result = server.run("python", code)
    assert result["reason"] == reason
    assert least * 2**20 <= result["peak_memory"] <= 260 * 2**20
    assert 0 < result["times"]["cpu"] <= 1.2 * result["times"]["wall"] + 0.1
    assert result["oom_kills"] == (reason == "out_of_memory")


def test_memory_is_that_of_the_run_itself(server: Server) -> None:
    """Neither the compiler's nor an earlier input's."""
    assert server.run("cpp", "#include <iostream>\nint main() { std::cout << 1; }")["peak_memory"] < 20 * 2**20
    code = "n = int(input()); x = bytearray(b'x') * (n * 2**20)"
    answer = server.post({"language": "python", "code": code, "inputs": ["200", "1", "100", "1"]})
    peaks = [run["peak_memory"] / 2**20 for run in answer.json()["results"]]
    assert [low <= peak < low + 30 for low, peak in zip((200, 1, 100, 1), peaks, strict=True)] == [True] * 4, peaks


@pytest.mark.parametrize(
    ("code", "reached"),
    [
        (
            "import threading, time\nfor _ in range(99): threading.Thread(target=time.sleep, args=(0.3,)).start()",
            ["pids"],
        ),
        ("x = bytearray(300 * 2**20)", ["memory"]),
        ("open('f', 'wb').write(b'x' * (70 * 2**20))", ["tmpfs"]),
        ("for i in range(3000): open(str(i), 'w').close()", ["tmpfs"]),
        ("open('/dev/shm/f', 'wb').write(b'x' * (20 * 2**20))", ["shm"]),
        ("import os\nopen('f', 'wb').write(b'x' * (60 * 2**20)); os.remove('f')", []),
        ("import threading\nfor _ in range(40): threading.Thread(target=int).start()", []),
    ],
    ids=range(7),
)
def test_a_limit_that_was_reached_is_named(server: Server, code: str, reached: list[str]) -> None:
    """By the kernel's own counters, so that a program's message explains itself; and by no more than that."""
    result = server.run("python", code)
    assert result["reached"] == reached
    assert (result["status"] == "success") is (reached == [])


def test_a_limit_is_named_for_the_run_that_reached_it(server: Server) -> None:
    """Not for those after it."""
    code = (
        "import threading, time\nfor _ in range(int(input())): threading.Thread(target=time.sleep, args=(0.2,)).start()"
    )
    answer = server.post({"language": "python", "code": code, "inputs": ["1", "99", "1"]})
    assert [run["reached"] for run in answer.json()["results"]] == [[], ["pids"], []]
