"""What goes beside a program and what it leaves, in real containers: files, arguments, variables, results."""

import json
from base64 import b64decode, b64encode
from collections.abc import Iterator
from typing import Any

import pytest

from tests.harness import LANGUAGES, Server, audited, serving

BYTES = bytes(range(256))
ENV = ("env      = []", 'env      = ["MODE", "EMPTY"]')


@pytest.fixture(scope="module")
def server(engine: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One whose programs may be given two variables."""
    with serving(tmp_path_factory.mktemp("server"), edit={"python.toml": ENV}, languages=LANGUAGES) as running:
        yield running


def run(server: Server, code: str, language: str = "python", **beside: Any) -> dict[str, Any]:
    """The answer."""
    answer = server.post({"language": language, "code": code, **beside})
    assert answer.status_code == 200, answer.text
    report: dict[str, Any] = answer.json()
    return report


def encoded(data: bytes) -> dict[str, str]:
    """As a request and an answer have bytes."""
    return {"base64": b64encode(data).decode()}


def test_modules_and_data_lie_beside_the_program(server: Server) -> None:
    """In folders, too; the interpreter that was started ahead finds them."""
    files = {
        "helper.py": "value = 42",
        "pkg/__init__.py": "",
        "pkg/deep/mod.py": "from helper import value\nvalue += 1",
        "data.csv": "1,2\n",
        "-n a me": "odd",
        "é/\u202e": encoded(BYTES),
    }
    code = """
import helper, os
from pkg.deep.mod import value
print(helper.value, value, open("data.csv").read(), open("-n a me").read(), os.stat("data.csv").st_mode & 0o777)
print(open("é/\u202e", "rb").read() == bytes(range(256)), helper.__file__)
"""
    assert run(server, code, files=files)["stdout"] == "42 43 1,2\n odd 420\nTrue /tmp/helper.py\n"


def test_cpp_headers_and_sources(server: Server) -> None:
    """Every source is compiled for itself and linked; an error names the file; the results folder is there."""
    main = """#include "lib/twice.h"
#include <bits/stdc++.h>
int main(int count, char** args) {
    std::ofstream("results/o.txt") << twice(21);
    std::cout << count << args[1] << args[2];
    system("ls -a");
}"""
    files = {
        "lib/twice.h": "int twice(int);",
        "-x.cpp": "int unused;",
        "lib/twice.cc": '#include "twice.h"\nint twice(int x) { return 2 * x; }',
    }
    report = run(server, main, "cpp", files=files, args=["a b", ""])
    assert (report["compile_output"], report["stdout"]) == ("", "-x.cpp\n.\n..\nlib\nmain\nmain.cpp\nresults\n3a b")
    assert [(file["name"], file["content"]) for file in report["files"]] == [("o.txt", "42")]
    report = run(server, main, "cpp", files=files | {"lib/twice.cc": "int twice(int x) { return y; }"})
    assert (report["reason"], report["stderr"].splitlines()[1][:22]) == ("compile_error", "lib/twice.cc:1:27: err")


def test_arguments_and_variables(server: Server) -> None:
    """As they were sent, at the end of the policy's; a name that is not allowed is refused."""
    code = "import os, sys; print(sys.argv, {k: os.environ.get(k) for k in ('MODE', 'EMPTY', 'HOME')})"
    args = ["", "a b", "$(id)", "-c", "é\n", "--run"]
    report = run(server, code, args=args, env={"MODE": "a=b", "EMPTY": ""})
    assert report["stdout"] == f"{['main.py', *args]} {{'MODE': 'a=b', 'EMPTY': '', 'HOME': '/tmp'}}\n"
    assert all(arg not in report["command"] for arg in args[1:-1])
    assert server.post({"language": "python", "code": "", "env": {"PATH": "x"}}).status_code == 400


def test_every_run_finds_the_files_as_they_were_sent(server: Server) -> None:
    """Whatever the one before did to them; each has its own results."""
    code = """
import os, shutil
print(sorted(os.listdir(".")), open("d").read(), open("p/q").read(), os.listdir("results"))
open("d", "w").write("changed")
shutil.rmtree("p")
os.symlink("/etc", "p")
open("results/" + input(), "w").write("x")
"""
    report = run(server, code, files={"d": "1", "p/q": "2"}, inputs=["a", encoded(b"b")])
    results = report["results"]
    assert [each["stdout"] for each in results] == ["['d', 'main.py', 'p', 'results'] 1 2 []\n"] * 2, results
    assert [[file["name"] for file in each["files"]] for each in results] == [["a"], ["b"]]


def test_bytes_go_in_and_come_out(server: Server) -> None:
    """Exactly; also as events."""
    code = "import sys; sys.stdout.buffer.write(sys.stdin.buffer.read()); sys.stderr.buffer.write(b'\\xff')"
    body = {"input_base64": encoded(BYTES)["base64"], "encoding": "base64"}
    report = run(server, code, **body)
    assert (b64decode(report["stdout"]), report["stderr"]) == (BYTES, "/w==")
    accept = {"Accept": "text/event-stream"}
    events = server.post({"language": "python", "code": code, **body}, headers=accept).text.split("\n\n")
    heard = [json.loads(event.split("data: ")[1]) for event in events if event.startswith("event: stdout")]
    assert b"".join(b64decode(data["base64"]) for data in heard) == BYTES


def test_results_come_back(server: Server) -> None:
    """Regular files with their folders, sorted, text as text; nothing else, however it is called."""
    code = """
import os, socket
os.chdir("results")
open("b.csv", "w").write("1,2\\n")
open("a.png", "wb").write(bytes(range(256)))
os.makedirs("x/y")
open("x/y/é\u202e.txt", "w").write("")
open(b"\\xff.txt", "w").write("name")
os.symlink("/etc/passwd", "link")
os.symlink("..", "up")
os.mkfifo("fifo")
socket.socket(socket.AF_UNIX).bind("socket")
os.link("b.csv", "hard")
"""
    report = run(server, code)
    found = [(file["name"], file["size"], file["type"], file["content"]) for file in report["files"]]
    assert found == [
        ("a.png", 256, "image/png", encoded(BYTES)),
        ("b.csv", 4, "text/csv", "1,2\n"),
        ("hard", 4, "text/plain", "1,2\n"),
        ("\ufffd.txt", 4, "text/plain", "name"),
        ("x/y/é\u202e.txt", 0, "text/plain", ""),
    ]
    assert report["reached"] == []


@pytest.mark.parametrize(
    ("code", "names", "reached"),
    [
        ("f = open('results/sparse', 'wb'); f.truncate(60 << 20); open('results/z', 'w')", ["z"], ["results"]),
        ("[open(f'results/{n:03}', 'w') for n in range(17)]", [f"{n:03}" for n in range(16)], ["results"]),
        ("[open(f'results/{n}', 'w').close() for n in range(1900)]", None, ["results"]),
        ("open('results/a', 'wb').write(bytes(1 << 20)); open('results/b', 'w').write('x')", ["a"], ["results"]),
        ("open('results/a', 'w'); import os; os.chmod('results/a', 0)", [], ["results"]),
        ("import os; os.rmdir('results'); os.symlink('/etc', 'results')", [], []),
        ("import os; os.rmdir('results'); os.mkfifo('results')", [], []),
        ("import os; os.rmdir('results')", [], []),
        (
            "import os\nfor _ in range(600): os.chdir('results'); os.mkdir('results')\nopen('x', 'w')",
            [],
            [],
        ),
        ("import time; open('results/a', 'w').write('x'); time.sleep(60)", ["a"], []),
        ("open('results/a', 'w').write('x'); print('y' * 100000)", ["a"], []),
        ("open('results/a', 'w').write('x'); import os; os.kill(os.getpid(), 11)", ["a"], []),
    ],
)
def test_results_have_their_limits(server: Server, code: str, names: list[str] | None, reached: list[str]) -> None:
    """What is too many, too large, hidden, deep or no folder is left out; an end of whatever kind does not matter."""
    report = run(server, code)
    found = [file["name"] for file in report["files"]]
    assert (found if names is not None else len(found), report["reached"]) == (16 if names is None else names, reached)


def test_a_file_that_grows_and_is_swapped_to_the_end(server: Server) -> None:
    """Its processes are gone before it is read: what is sent is what a file was, whole."""
    code = """
import os
if os.fork() == 0:
    os.setsid()
    while True:
        with open("results/new", "w") as file: file.write("x" * 1000)
        os.rename("results/new", "results/a")
        os.symlink("/etc/passwd", "results/new2"); os.rename("results/new2", "results/a")
import time; time.sleep(0.2)
"""
    for file in run(server, code)["files"]:
        assert set(file["content"]) <= {"x"}


def test_the_audit_file_has_hashes_of_all_of_it(server: Server) -> None:
    """Never the text."""
    beside: dict[str, Any] = {"files": {"secret1": ""}, "args": ["secret2"], "env": {"MODE": "secret3"}}
    run(server, "open('results/a', 'w').write('secret-4')", **beside)
    written = (server.temporary.parent / "audit.jsonl").read_text()
    assert "secret" not in written
    started, ended = (json.loads(line) for line in written.splitlines()[-2:])
    assert [len(started[key]) for key in ("files", "args", "env")] == [1, 1, 1]
    assert [each["size"] for each in ended["results"]] == [8]
    assert audited(server.temporary.parent / "audit.jsonl")["open"] == {}
