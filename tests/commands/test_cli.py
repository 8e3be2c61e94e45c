"""The ops commands, as an ops person calls them."""

import fcntl
import json
import os
import re
import secrets
import signal
import subprocess
import sys
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from runner.policy import configuration, keys
from tests.harness import PATIENT, ROOT, Server, copy_policies, docker, eventually, gone, processes, sleeper
from tests.mcp.conversation import runs

pytestmark = pytest.mark.usefixtures("engine")


def environ(pid: int) -> str:
    """The environment of a process, or nothing when it has gone."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/environ").read_text(errors="replace")
    return ""


BUSY = re.compile(r"^Executing <.*> took \d+\.\d+ seconds\n", re.MULTILINE)
"""What asyncio's debug mode says where a machine is busy."""


def runner(*words: str, input: str = "", cwd: Path = ROOT, **more: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of ``python -m runner ...``; ``more``: variables of its environment."""
    command = [sys.executable, "-X", "dev", "-W", "error", "-m", "runner", *words]
    mark = f"/nonexistent/{secrets.token_hex(8)}"  # docker's clients get PATH, and little else
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PATH": f"{os.environ['PATH']}:{mark}", **more}
    ended = subprocess.run(
        command, input=input, capture_output=True, text=True, timeout=60, check=False, cwd=cwd, env=environment
    )
    assert not [command for pid, _, command in processes() if mark in environ(pid)]
    return ended.returncode, ended.stdout, BUSY.sub("", ended.stderr)


def test_check_says_that_all_is_well() -> None:
    """A line a policy, with its digest."""
    code, out, err = runner("check")
    assert (code, err) == (0, "")
    lines = [re.sub(r"[0-9a-f]{64}", "X", line) for line in out.splitlines()]
    assert {"cpp.toml: ok, 34 flags, sha256 X", "python.toml: ok, 33 flags, sha256 X"} <= {*lines}
    assert [line.split(":")[0] for line in lines] == [
        f"{name}.toml" for name in configuration.languages(ROOT / "policies")
    ]


def line(file: Path, text: str) -> int:
    """The number of the first line with this text."""
    return next(number for number, each in enumerate(file.read_text().split("\n"), 1) if text in each)


def test_check_says_all_that_is_wrong(tmp_path: Path) -> None:
    """One line a problem: file, flag, remedy; exit code 2."""
    edit = {"python.toml": ('"--memory-swap=256m"', '"--memory-swap=512m"'), "cpp.toml": ("output  ", "outptu  ")}
    folder = copy_policies(tmp_path, {}, edit)
    swap = "must equal --memory (256m), or the rest is swap"
    code, out, err = runner("check", cwd=tmp_path)
    assert (code, out) == (2, "")
    assert err.splitlines() == [
        f"cpp.toml:{line(folder / 'cpp.toml', 'outptu')}: limits: 'outptu' is unknown: did you mean output?",
        f"cpp.toml:{line(folder / 'cpp.toml', '[limits]')}: limits: output is missing",
        f"python.toml:{line(folder / 'python.toml', '--memory-swap')}: --memory-swap=512m: {swap}",
    ]
    assert runner("--policies", str(folder), "check")[0] == 2


def test_check_reads_files_of_ones_own(tmp_path: Path) -> None:
    """Whatever their folder, also for a program to read."""
    mine = tmp_path / "mine.toml"
    mine.write_text((ROOT / "policies" / "python.toml").read_text().replace("--cpus=1", "--cpus=0"))
    code, out, err = runner("check", str(mine))
    said = "--cpus=0: must be a number from 0.01 to 64"
    assert (code, out, err) == (2, "", f"mine.toml:{line(mine, '--cpus')}: {said}\n")
    code, out, err = runner("check", "--json", str(mine), str(ROOT / "policies" / "cpp.toml"))
    report = json.loads(out)
    assert (code, err) == (2, "")
    assert report["problems"] == [{"file": "mine.toml", "line": line(mine, "--cpus"), "text": said}]
    assert [policy["policy"] for policy in report["policies"]] == ["cpp"]
    assert (runner("check", "--json")[0], json.loads(runner("check", "--json")[1])["problems"]) == (0, [])


def test_check_asks_for_reasons(tmp_path: Path) -> None:
    """A line that differs from python.toml's without saying why is a hint, and no problem."""
    mine = tmp_path / "mine.toml"
    mine.write_text((ROOT / "policies" / "cpp.toml").read_text().replace('"--cpus=1",', '"--cpus=2",'))
    said = "--cpus=2 is not in python.toml: say why in a comment of its line"
    code, out, err = runner("check", str(mine))
    assert (code, out.splitlines()[1:], err) == (0, [f"hint: mine.toml:{line(mine, '--cpus')}: {said}"], "")
    hints = json.loads(runner("check", "--json", str(mine))[1])["hints"]
    assert hints == [{"file": "mine.toml", "line": line(mine, "--cpus"), "text": said}]


def test_key_makes_keys(tmp_path: Path) -> None:
    """The key alone on stdout, its hash in the file; whatever stood there stays, and so do its owner and mode."""
    folder = copy_policies(tmp_path, {"rate-limit": "7 per hour"}, {})
    file = folder / "keys.toml"
    made = {}
    for name in ("alice", "bob"):
        code, out, err = runner("--policies", str(folder), "key", name)
        assert (code, len(re.findall(r"crk_[0-9a-f]{36}\b", out + err))) == (0, 1)
        assert f'[keys.{name}]\nsha256 = "{keys.digest(out.strip())}"\nrate-limit = "7 per hour"' in err
        assert "programs are run without a key, too" in err
        made[name] = out.strip()
        if name == "alice":
            file.write_text(f"{file.read_text()}# mine")
            file.chmod(0o640)
            os.chown(file, 1234, 1234)
    read = keys.parse(file.read_text())
    assert {name: getattr(read.find(key), "name", None) for name, key in made.items()} == {
        "alice": "alice",
        "bob": "bob",
    }
    assert "# mine\n" in file.read_text()
    assert (oct(file.stat().st_mode & 0o777), file.stat().st_uid) == ("0o640", 1234)
    code, out, _ = runner("--policies", str(folder), "check")
    assert (code, out.splitlines()[-1]) == (0, "keys.toml: ok, 2 keys, programs run without one, too: alice, bob")
    told = json.loads(runner("--policies", str(folder), "check", "--json")[1])
    assert told["keys"] == {"required": False, "names": ["alice", "bob"]}


def test_key_refuses_in_one_line(tmp_path: Path) -> None:
    """A name that is there or is none, a file that has problems or no room: then nothing is changed."""
    folder = copy_policies(tmp_path, {}, {})
    assert runner("--policies", str(folder), "key", "a b")[::2] == (
        2,
        "keys.toml: keys.'a b': a name has 1 to 40 of A-Z, a-z, 0-9, _ and -\n",
    )
    file = folder / "keys.toml"
    assert not file.exists()
    assert runner("--policies", str(folder), "key", "alice")[0] == 0
    text = file.read_text()
    assert runner("--policies", str(folder), "key", "alice") == (
        2,
        "",
        f"keys.toml:{line(file, '[keys.alice]')}: keys.alice is there already: take another name\n",
    )
    with file.open() as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        assert (
            runner("--policies", str(folder), "key", "bob")[2]
            == "keys.toml: another command is writing it: try again\n"
        )
    assert file.read_text() == text
    file.write_text(text.replace('["*"]', '["cobol"]'))
    assert "'cobol' is unknown" in runner("--policies", str(folder), "key", "bob")[2]
    assert "'cobol' is unknown" in runner("--policies", str(folder), "check")[2]


def test_key_leaves_no_half_a_file(tmp_path: Path) -> None:
    """On a disk without room: the file is as it was before, or not there."""
    folder = copy_policies(tmp_path, {}, {})
    script = """
import resource, signal, sys
from runner.__main__ import main
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (300, 300))
sys.exit(main())
"""

    def key(name: str) -> int:
        command = [sys.executable, "-c", script, "--policies", str(folder), "key", name]
        return subprocess.run(command, cwd=ROOT, capture_output=True, timeout=60, check=False).returncode

    assert (key("alice"), (folder / "keys.toml").exists()) == (2, False)
    (folder / "keys.toml").write_text("required = true\n#" + "x" * 100 + "\n")
    before = (folder / "keys.toml").read_text()
    assert (key("alice"), (folder / "keys.toml").read_text()) == (2, before)


@pytest.mark.parametrize(
    ("language", "source", "program"),
    [("python", "main.py", "print(42)"), ("cpp", "main.cpp", '#include <cstdio>\nint main() { puts("42"); }')],
)
def test_the_shell_line_of_show_can_be_pasted(tmp_path: Path, language: str, source: str, program: str) -> None:
    """It is the command with a name and a uid filled in, and it runs a program."""
    (tmp_path / "policies").symlink_to(ROOT / "policies")
    (tmp_path / source).write_text(program)
    _, line, _ = runner("show", language, "--shell", cwd=tmp_path)
    shell = partial(subprocess.run, capture_output=True, text=True, timeout=60, check=True, cwd=tmp_path)
    assert "42\n" + "0" * 32 + " run status=0 " in shell(["sh", "-c", line]).stdout
    words = shell(["sh", "-c", f"printf '%s\\n' {line.partition(' | ')[2]}"]).stdout
    words = re.sub(r"--name=job-\d{8}T\d{6}-[0-9a-f]{16}", "--name=job-<timestamp>-<random>", words)
    words = words.replace("--user=1900000000:1900000000", "--user={uid}:{uid}")
    shown = json.loads(runner("show", language, "--json")[1])["command"]
    assert words.splitlines() == [word.replace("code-runner=main", "code-runner=shown") for word in shown]


def test_show_says_why(server: Server) -> None:
    """Every argument on a line of its own; below a flag what it stops, what is without it, and who asks for it."""
    code, out, _ = runner("show", "python")
    policy = json.loads(runner("show", "python", "--json")[1])
    lines = out.splitlines()
    assert code == 0
    assert [line for line in lines if not line.startswith(("#", "    "))] == policy["command"]
    place = lines.index("--network=none")
    assert lines[place + 1 : place + 4] == [
        "    for:     no way out, no way to others",
        "    without: programs reach the internet, the cloud's metadata service and their neighbours",
        "    asked:   CIS 5.10, 5.30; OWASP #5; NIST 4.4.2",
    ]
    assert [flag["line"] for flag in policy["flags"]] == policy["command"][2 : 2 + len(policy["flags"])]
    assert all(flag["why"] and flag["without"] for flag in policy["flags"])
    served = server.get("/policies/python").json()
    own = {
        "command": [word.replace("code-runner=main", f"code-runner={server.instance}") for word in policy["command"]]
    }
    flags = [{key: value for key, value in flag.items() if key != "verified"} for flag in served["flags"]]
    assert {**served, "flags": flags}.items() >= {**policy, **own}.items()
    image = docker("image", "inspect", "--format={{.Id}}", policy["image"]).strip()
    assert served["image_id"] == image
    listed = server.get("/policies").json()["policies"]
    assert [(each["language"], each["digest"], each["image_id"]) for each in listed][1:] == [
        ("python", policy["digest"], image)
    ]
    assert server.get("/policies/cobol").status_code == 422


SUMMARY = re.compile(r"(\w+ \(\w+\)): queued \d+\.\d{3} s(, (compile|wall|cpu) \d+\.\d{3} s)+(, \d+\.\d MiB)?")


@pytest.mark.parametrize(
    ("source", "code", "out", "ending"),
    [
        ("import sys\nprint(input()[::-1])\nsys.stderr.write('é\\n')", 0, "cba\n", "success (completed)"),
        ("raise SystemExit(3)", 3, "", "runtime_error (exit_code)"),
        ("import os; os.kill(os.getpid(), 11)", 139, "", "runtime_error (signal)"),
        ("import os; os.kill(os.getpid(), 40)", 168, "", "runtime_error (signal)"),
        ("print(1)\nwhile True: pass", 124, "1\n", "timeout (wall_time)"),
        ("print('x' * 65537)", 1, "x" * 65536, "runtime_error (output_limit)"),
    ],
    ids=range(6),
)
def test_run_runs_one_program(tmp_path: Path, source: str, code: int, out: str, ending: str) -> None:
    """Without HTTP: input, output and exit code are those of this command, with a line on stderr about its end."""
    program = tmp_path / "any name.py"
    program.write_text(source)
    found, stdout, stderr = runner("run", "python", str(program), input="abc")
    written, _, last = stderr.rstrip("\n").rpartition("\n")
    line = SUMMARY.fullmatch(last)
    assert line, stderr
    assert (found, stdout, written, line[1]) == (code, out, "é" if "é" in source else "", ending)


def test_run_prints_a_report_instead(tmp_path: Path) -> None:
    """The answer as JSON, and nothing else; the exit code is the same."""
    program = tmp_path / "program.py"
    program.write_text("print(input())\nraise SystemExit(2)")
    code, out, err = runner("run", "python", str(program), "--json", input="abc")
    report = json.loads(out)
    assert (code, report["stdout"], report["exit_code"], err) == (2, "abc\n", 2, "")


def test_run_shows_output_as_it_comes(tmp_path: Path) -> None:
    """Before the program has ended."""
    program = tmp_path / "program.py"
    program.write_text("import time\nprint('now')\ntime.sleep(1)")
    command = [sys.executable, "-m", "runner", "run", "python", str(program)]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as started:
        assert started.stdout is not None
        assert started.stdout.readline() == b"now\n"
        assert started.poll() is None
        assert started.wait(20) == 0


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
    inside = sleeper()
    program = tmp_path / "forever.py"
    program.write_text(f"import os; os.execvp('sleep', {inside.split()})")
    folder = copy_policies(tmp_path, {}, PATIENT)
    heard = ("env", "--default-signal=INT")  # a script's `&` ignores it, and so does whatever is started below that
    command = [*heard, sys.executable, "-m", "runner", f"--policies={folder}", "run", "python", str(program)]
    mark = f"/nonexistent/{secrets.token_hex(8)}"
    environment = {**os.environ, "PATH": f"{os.environ['PATH']}:{mark}"}
    started = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )

    def clients() -> list[str]:
        own = [command for pid, _, command in processes() if mark in environ(pid)]
        return [found[1] for command in own if (found := re.search(r"--name=(\S+)", command))]

    assert eventually(lambda: runs(inside))
    [name] = clients()
    started.send_signal(signal.SIGINT)
    out, err = started.communicate(timeout=20)
    assert (started.returncode, out, err) == (130, b"", b"interrupted\n")
    assert clients() == []
    assert gone(name)
    assert not runs(inside)


def test_doctor_judges_this_host() -> None:
    """It is fit; each line is a check, with a remedy where it does not pass; nothing is left."""
    code, out, err = runner("doctor", "--json")
    found = json.loads(out)
    assert (code, err) == (0, "")
    assert {each["level"] for each in found} <= {"PASS", "CAUTION"}
    assert all(each["remedy"] for each in found if each["level"] != "PASS")
    assert "start" in {each["check"] for each in found}
    code, out, err = runner("doctor", DOCKER_HOST="unix:///nonexistent")
    assert (code, err) == (1, "")
    assert out.startswith("FAIL    engine: the container engine does not answer: Cannot connect ")
