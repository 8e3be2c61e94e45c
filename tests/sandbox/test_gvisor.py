"""A kernel of its own for every program: the documents' three changed lines, on an engine that has gVisor's runsc."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.harness import LANGUAGES, ROOT, Server, docker, eventually, processes, serving

README = (ROOT / "images" / "server" / "README.md").read_text()
IMAGE = "code-runner-python:3"
FIVE = "import subprocess as s\nprint([p.wait() for p in [s.Popen(['sleep', '0.1']) for _ in range(5)]])"
TWENTY = FIVE.replace("5", "20").replace("0.1", "2")


@contextmanager
def an_engine(folder: Path) -> Iterator[str]:
    """A second engine with images/server/daemon.json, which touches nothing of the first; its address."""
    address = f"unix://{folder}/docker.sock"
    command = ["unshare", "--net", "dockerd", f"--config-file={ROOT}/images/server/daemon.json", f"--host={address}"]
    folders = (f"--data-root={folder}/data", f"--exec-root={folder}/exec", f"--pidfile={folder}/pid")
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([*command, *folders, "--iptables=false"], stdout=log, stderr=log)
    try:
        asked = ["docker", f"--host={address}", "version"]
        answers = eventually(lambda: subprocess.run(asked, capture_output=True, check=False).returncode == 0, 20)
        assert answers, f"a second engine needs root: {(folder / 'log').read_text()}"
        load = ["docker", f"--host={address}", "load"]
        with subprocess.Popen(["docker", "save", IMAGE], stdout=subprocess.PIPE) as save:
            subprocess.run(load, stdin=save.stdout, check=True, capture_output=True)
        yield address
    finally:
        process.terminate()
        process.wait(timeout=30)
        shutil.rmtree(folder / "data")
    left = [c for _, _, c in processes() if str(folder) in c]  # docker does not list every sandbox
    assert not left


@pytest.fixture(scope="module")
def gvisor(engine: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    """The environment of a server: the engine that answers, if it has runsc, else a second one."""
    if "runsc" in docker("info", "--format={{.Runtimes}}"):
        yield {}
        return
    with an_engine(tmp_path_factory.mktemp("engine")) as address, pytest.MonkeyPatch.context() as patch:
        patch.setenv("DOCKER_HOST", address)
        yield {"DOCKER_HOST": address}


def changed(text: str) -> str:
    """A policy with the lines of images/server/README.md."""
    lines = re.findall(r"^([-+]) *(.*)$", README.partition("```diff\n")[2].partition("```")[0], re.MULTILINE)
    assert [sign for sign, _ in lines] == ["+", "-", "+", "-", "+"]
    added, (old_limit, limit), (old_launcher, launcher) = lines[0][1], lines[1:3], lines[3:5]
    for old, new in ((old_limit[1], limit[1]), (old_launcher[1], launcher[1])):
        assert old in text
        text = text.replace(old, new)
    text = text.replace("wall-time    = 2.0", "wall-time    = 4.0")  # to take 256 MB needs a second there, or more
    return text.replace("docker-run = [\n", f"docker-run = [\n  {added}\n")


@pytest.fixture(scope="module")
def server(gvisor: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with Python under gVisor; its `cpp` is the same with as few threads as without gVisor."""
    text, other = ((ROOT / "policies" / name).read_text() for name in ("python.toml", "cpp.toml"))
    few = changed(text).replace("--pids-limit=256", "--pids-limit=64")
    only = {"python.toml": (text, changed(text)), "cpp.toml": (other, few)}
    with serving(tmp_path_factory.mktemp("server"), gvisor, only, languages=LANGUAGES) as running:
        yield running


def test_a_program_has_another_kernel(server: Server) -> None:
    """And runs as it does elsewhere; what the launcher reads from cgroups is unknown, but for CPU in a newer one."""
    code = "import time\nwhile time.process_time() < 0.6: pass\nprint(open('/proc/version').read().split()[2], input())"
    answer = server.run("python", code, "x")
    assert (answer["status"], answer["stdout"], answer["exit_code"]) == ("success", "4.4.0 x\n", 0)
    assert os.uname().release != "4.4.0"
    assert answer["oom_kills"] is None
    assert answer["times"]["cpu"] is None or 0.5 <= answer["times"]["cpu"] < 4.0
    assert 1_000_000 < answer["peak_memory"] < 256 * 2**20  # of the largest process, as its kernel counts


@pytest.mark.parametrize(
    ("code", "reason", "said"),
    [
        ("import sys; print('a'); sys.exit(2)", "exit_code", "a\n"),
        ("import os; os.kill(os.getpid(), 11)", "signal", ""),
        ("while True: print('x' * 1000)", "output_limit", None),
        ("x = bytearray(400 << 20)", "no_verdict", ""),  # the whole sandbox is killed for its memory
        (FIVE, "completed", "[0, 0, 0, 0, 0]\n"),
        ("open('/proc/1/mem')", "exit_code", ""),  # the nonce stays secret, with a perl that can be read
    ],
)
def test_the_endings(server: Server, code: str, reason: str, said: str | None) -> None:
    """The verdict is the launcher's there, too."""
    answer = server.run("python", code)
    assert answer["reason"] == reason
    assert said is None or answer["stdout"] == said


def test_each_input_is_a_run_of_its_own(server: Server) -> None:
    """Also after one that was ended for its time."""
    code = "import os\nn = input()\nwhile n == '2': pass\nopen('/tmp/' + n, 'w')\nprint(sorted(os.listdir('/tmp')))"
    runs = server.post({"language": "python", "code": code, "inputs": ["1", "2", "3"]}).json()["results"]
    assert [(run["reason"], run["stdout"]) for run in runs] == [
        ("completed", "['1', 'main.py', 'results']\n"),
        ("wall_time", ""),
        ("completed", "['3', 'main.py', 'results']\n"),
    ]


def test_a_crash_of_the_sandbox_is_no_programs_ending(server: Server) -> None:
    """It ends with code 2 when it gets no more threads: 503, and the next program runs."""
    answer = server.post({"language": "cpp", "code": TWENTY})
    assert (answer.status_code, answer.json()["title"]) == (503, "Engine not available")
    assert "gVisor's own process has crashed" in server.log.read_text()
    assert server.run("python", "print(1)")["status"] == "success"
