"""The lower bound: the same interpreter or compiler in the image's root file system, without a container.

What is timed is starting the command, giving it its input, reading its output and reaping it, nothing else. A helper
process does it that has gone into the root (chroot) and become an unprivileged user once, before anything is
measured: so no run pays for `chroot` or `env` (an exec each), nor for a fork of this big process (`preexec_fn`). The
helper uses posix_spawn (vfork) and a clock of its own; the source is written, and what is left is removed, while that
clock stands.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from runner.policy.policy import Policy
from runner.sandbox.uids import FIRST
from tests.bench.cases import Case
from tests.bench.docker import export
from tests.bench.figures import Answer

PROJECT = Path(__file__).parents[2]
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""What docker gives a container whose image sets none."""
LONGEST = 60
"""Seconds for one case, then the helper dies."""
PIPE_SIZE = 65536


class Bare:
    """A column: runs cases through one helper per language."""

    name = "bare"

    def __init__(self, policies: Mapping[str, Policy], helpers: Mapping[str, subprocess.Popen[str]]) -> None:
        self._policies = policies
        self._helpers = helpers

    def __call__(self, case: Case) -> Answer:
        """Compiles, then runs once per input."""
        policy = self._policies[case.language]
        told = self._tell(policy, case.source, case.inputs)
        wrong = told["outputs"] != [text.decode() for text in case.expected]
        return Answer(time.perf_counter(), told["ms"], "wrong answer" if wrong else "")

    def version(self, language: str, *command: str) -> str:
        """The first line that a command prints in the image of a language."""
        policy = replace(self._policies[language], compile=(), run=command)
        told = self._tell(policy, b"", (b"",))
        return str(told["outputs"][0]).partition("\n")[0]

    def _tell(self, policy: Policy, source: bytes, inputs: Sequence[bytes]) -> dict[str, Any]:
        order = {
            "file": policy.source,
            "source": source.decode(),
            "compile": policy.compile,
            "run": policy.run,
            "inputs": [text.decode() for text in inputs],
            "environment": _environment(policy),
        }
        helper = self._helpers[policy.name]
        assert helper.stdin is not None
        assert helper.stdout is not None
        helper.stdin.write(json.dumps(order) + "\n")
        helper.stdin.flush()
        answer = helper.stdout.readline()
        if not answer:
            raise RuntimeError(f"the bare helper of {policy.name} has died")
        told: dict[str, Any] = json.loads(answer)
        return told


def _environment(policy: Policy) -> dict[str, str]:
    pairs = (line.removeprefix("--env=").partition("=")[::2] for line in policy.docker_run if line.startswith("--env="))
    return {"PATH": PATH, **dict(pairs)}


@contextmanager
def bare(policies: Mapping[str, Policy], instance: str, folder: Path) -> Iterator[Bare]:
    """Unpacks every image once and starts a helper in each."""
    helpers: dict[str, subprocess.Popen[str]] = {}
    try:
        for name, policy in policies.items():
            export(policy.image, instance, folder / name)
            helpers[name] = subprocess.Popen(
                ("unshare", "--mount", sys.executable, "-m", __name__, str(folder / name)),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                cwd=PROJECT,
                start_new_session=True,
            )
        yield Bare(policies, helpers)
    finally:
        for helper in helpers.values():
            helper.kill()
            helper.communicate()


def _serve(root: str) -> None:
    """The helper: one order a line, one answer a line."""
    null = os.open(os.devnull, os.O_RDWR)
    # In a mount namespace of its own: gone with this process. Without them Java, Mono and GHC do not start.
    for mount in (("--types=proc", "proc"), ("--bind", "/dev")):
        subprocess.run(("mount", *mount, f"{root}/{mount[1].strip('/')}"), check=True)
    os.chroot(root)
    os.chdir("/tmp")
    os.setgroups([])
    os.setgid(FIRST)
    os.setuid(FIRST)
    for line in sys.stdin:
        signal.alarm(LONGEST)
        work = tempfile.mkdtemp(dir="/tmp")
        os.chdir(work)
        print(json.dumps(_obey(json.loads(line), null)), flush=True)
        os.chdir("/tmp")
        shutil.rmtree(work)
        signal.alarm(0)


def _obey(order: Mapping[str, Any], null: int) -> dict[str, object]:
    Path(order["file"]).write_text(order["source"], encoding="utf-8")
    inputs = [text.encode() for text in order["inputs"]]
    assert all(len(text) < PIPE_SIZE for text in inputs)  # written before anything is read
    began = time.perf_counter()
    compiled = not order["compile"] or _step(order["compile"], b"", order["environment"], null)[0] == 0
    endings = [_step(order["run"], text, order["environment"], null) for text in inputs] if compiled else []
    ms = (time.perf_counter() - began) * 1000
    return {"ms": ms, "outputs": [output.decode() if code == 0 else "failed" for code, output in endings]}


def _step(command: Sequence[str], data: bytes, environment: Mapping[str, str], null: int) -> tuple[int, bytes]:
    """Runs one command: its wait status and its stdout."""
    stdin, feed = os.pipe()
    read, stdout = os.pipe()
    streams = [(os.POSIX_SPAWN_DUP2, source, target) for target, source in enumerate((stdin, stdout, null))]
    child = os.posix_spawnp(command[0], list(command), environment, file_actions=streams)
    os.close(stdin)
    os.close(stdout)
    with contextlib.suppress(BrokenPipeError):
        os.write(feed, data)
    os.close(feed)
    with open(read, "rb", buffering=0) as pipe:
        output = pipe.readall()
    return os.waitpid(child, 0)[1], output


if __name__ == "__main__":
    _serve(sys.argv[1])
