"""What the host says of itself, asked for real: by doctor, and by a server before it starts."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.commands.test_cli import runner
from tests.harness import ROOT, copy_policies, fake_docker

PODMAN: Final = {
    "host": {"arch": "amd64", "cgroupVersion": "v2", "security": {"rootless": True, "seccompEnabled": True}},
    "store": {"graphDriverName": "overlay"},
    "version": {"APIVersion": "4.3.1", "Version": "4.3.1"},
}
"""Of what `podman info --format='{{json .}}'` prints, the parts that matter."""
REFUSED: Final = "The server does not start: see above."


def refused(folder: Path, environment: dict[str, str]) -> list[str]:
    """The last words of a server that does not start."""
    policies = copy_policies(folder, {"audit-file": str(folder / "audit.jsonl")}, {})
    command = [sys.executable, str(ROOT / "server.py"), f"--policies={policies}"]
    own = {**os.environ, **environment}
    ended = subprocess.run(command, cwd=ROOT, env=own, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 1
    return ended.stderr.splitlines()


def test_podman_in_dockers_place_is_told(tmp_path: Path) -> None:
    """By doctor, with what can be told without an engine; and no server starts on it."""
    script = f"[ \"$1\" = info ] || exit 125\ncat <<'END'\n{json.dumps(PODMAN)}\nEND\n"
    podman = fake_docker(tmp_path, script)
    said = "FAIL    engine: Podman 4.3.1 answers to the name of docker: what a policy asks for is not proved there"
    line = f"{said}. Remedy: install Docker's engine, and its own client"
    code, out, err = runner("doctor", PATH=podman["PATH"])
    assert (code, err, out.splitlines()[0]) == (1, "", line)
    assert len(out.splitlines()) > 5
    assert refused(tmp_path, podman) == [line, REFUSED]


@pytest.mark.usefixtures("engine")
def test_an_engine_that_answers_once_is_told(tmp_path: Path) -> None:
    """As one does that is too slow: a report all the same, with its own words."""
    script = '[ "$1" != info ] && { echo too slow >&2; exit 1; }\nexec REAL "$@"\n'
    code, out, err = runner("doctor", PATH=fake_docker(tmp_path, script)["PATH"])
    first, *others = out.splitlines()
    assert (code, err) == (1, "")
    assert first.startswith("FAIL    engine: the container engine does not answer: too slow. Remedy: start it")
    assert len(others) > 5


@pytest.mark.usefixtures("engine")
def test_a_kernel_that_keeps_no_limit_stops_the_start(tmp_path: Path) -> None:
    """Docker itself would start containers without it, and only warn."""
    script = (
        'if [ "$1" = info ]; then REAL "$@" | sed s/\'"PidsLimit":true/"PidsLimit":false\'/; else exec REAL "$@"; fi\n'
    )
    [line, last] = refused(tmp_path, fake_docker(tmp_path, script))
    assert line.startswith("FAIL    cgroups: cgroup v")
    assert "--pids-limit would be ignored. Remedy: boot with " in line
    assert last == REFUSED


def test_the_engine_is_that_of_the_users_context(tmp_path: Path) -> None:
    """As of Docker Desktop or a rootless engine: found by docker's own client, in a configuration that no run sees."""
    folder = str(tmp_path)
    words = ["docker", "context", "create", "other", f"--docker=host=unix://{tmp_path}/none.sock"]
    subprocess.run(words, env={**os.environ, "DOCKER_CONFIG": folder}, check=True, capture_output=True, timeout=20)
    code, out, _ = runner("doctor", DOCKER_CONFIG=folder, DOCKER_CONTEXT="other")
    assert (code, f"does not answer: Cannot connect to the Docker daemon at unix://{tmp_path}/none.sock" in out) == (
        1,
        True,
    )
    code, out, _ = runner("doctor", DOCKER_CONTEXT="no-such-context")
    assert (code, "no-such-context" in out) == (1, True)
