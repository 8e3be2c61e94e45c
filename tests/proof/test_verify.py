"""Proved in real containers: `verify` says so of the policies as they are, and notices whatever is taken away."""

import asyncio
import dataclasses
import json
import secrets
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import pytest

from runner.errors import EngineError
from runner.policy import argv, configuration
from runner.policy.argv import LABEL
from runner.policy.flags import FLAGS
from runner.policy.policy import Policy
from runner.policy.rules import Verdict
from runner.proof import proofs
from runner.proof.proofs import BESIDE, PROOFS, Finding
from runner.proof.seen import Seen
from runner.proof.verification import observe
from tests.commands.test_cli import runner
from tests.harness import Server, docker, eventually, fake_docker, serving

pytestmark = pytest.mark.usefixtures("engine")
POLICIES: Final = configuration.load().policies
PYTHON: Final = POLICIES["python"]
TMP: Final = next(line for line in PYTHON.docker_run if line.startswith("--tmpfs=/tmp:"))
SECCOMP: Final = "--security-opt=seccomp=policies/seccomp.json"
WEAKER: Final[dict[str, dict[str, str]]] = {
    "--rm": {"--rm": ""},
    "--pull=never": {"--pull=never": ""},
    # not the bridge: it would get an address now, and a browser drops what it asks for when addresses change
    "--network=none": {"--network=none": "--network=host"},
    "--cap-drop=ALL": {"--cap-drop=ALL": ""},
    "--read-only": {"--read-only": ""},
    "--security-opt=no-new-privileges": {"--security-opt=no-new-privileges": ""},
    SECCOMP: {SECCOMP: ""},
    "--user={uid}:{uid}": {"--user={uid}:{uid}": ""},
    "--cpus=1": {"--cpus=1": ""},
    # docker refuses --memory-swap without it
    "--memory=256m": {"--memory=256m": "--memory=512m", "--memory-swap=256m": "--memory-swap=512m"},
    "--memory-swap=256m": {"--memory-swap=256m": ""},
    "--pids-limit=64": {"--pids-limit=64": ""},
    TMP: {TMP: "--tmpfs=/tmp:rw,exec"},  # without any, the program has no place
    "--ipc=none": {"--ipc=none": "", TMP.replace("/tmp", "/dev/shm"): ""},
    "--log-driver=none": {"--log-driver=none": ""},
}
"""What is claimed -> what runs instead. Not --interactive: without it no program arrives, see below."""


def observed(policy: Policy, bounds: bytes = b"") -> Seen:
    """What is seen of a container of this policy, whose instance is no other's."""
    return asyncio.run(observe(policy, bounds, f"test-{secrets.token_hex(4)}"))


def verdicts(policy: Policy, change: dict[str, str]) -> dict[str, Finding]:
    """What is found of a policy's claims where other lines run."""
    lines = tuple(new for line in policy.docker_run if (new := change.get(line, line)))
    assert lines != policy.docker_run
    weaker = dataclasses.replace(policy, docker_run=lines)
    seen = observed(weaker, proofs.bounds(policy.docker_run))
    return {row.claim: row.finding for row in proofs.rows(policy.docker_run, seen)}


def test_every_line_of_the_floor_is_taken_away_once() -> None:
    """The table above lacks none."""
    required = {line for line in PYTHON.docker_run if FLAGS[line.partition("=")[0]].verdict is Verdict.REQUIRED}
    assert required - WEAKER.keys() == {"--interactive", *(x for x in required if x.startswith("--tmpfs=/dev/"))}


def test_what_is_taken_away_is_noticed() -> None:
    """Each line alone, in a real container: the claim fails."""
    with ThreadPoolExecutor(2) as two:
        found = dict(zip(WEAKER, two.map(lambda change: verdicts(PYTHON, change), WEAKER.values()), strict=True))
    assert {claim: findings[claim] for claim, findings in found.items()} == dict.fromkeys(WEAKER, Finding.FAILED)
    beside = [findings["nothing is added to the command"] for findings in found.values()]
    assert set(beside) == {Finding.PROVED}  # what ran was what observe was told to run


def test_other_flags_are_noticed_too() -> None:
    """All of them at once: limits per process, names, addresses, the environment."""
    others = [line for line in PYTHON.docker_run if FLAGS[line.partition("=")[0]].verdict is Verdict.ALLOWED]
    others.remove("--workdir=/tmp")
    found = verdicts(PYTHON, dict.fromkeys(others, ""))
    failed = {claim for claim, finding in found.items() if finding is Finding.FAILED}
    assert failed == set(others)


def test_without_stdin_there_is_no_proof() -> None:
    """The launcher ends, as nobody asks: an error, or claims that nobody observed, as the one or the other is first."""
    try:
        found = verdicts(PYTHON, {"--interactive": ""})
    except EngineError:
        return
    assert found["--interactive"] in (Finding.FAILED, Finding.NOT_OBSERVED)
    assert found["--cap-drop=ALL"] is Finding.NOT_OBSERVED


def test_what_the_policy_does_not_have_is_noticed() -> None:
    """A folder of the host, a capability, a device: each is seen from inside or in docker's words."""
    more = ("--volume=/etc:/opt:ro", "--cap-add=SYS_ADMIN", "--env=HTTP_PROXY=x", "--pid=host")
    weaker = dataclasses.replace(PYTHON, docker_run=(*PYTHON.docker_run, *more))
    seen = observed(weaker)
    found = {row.claim: row.finding for row in proofs.rows(PYTHON.docker_run, seen)}
    assert found["--cap-drop=ALL"] is Finding.FAILED
    assert found["nothing of the host is shared"] is Finding.FAILED
    assert found["no other variable is set"] is Finding.FAILED


def test_a_cgroup_in_which_folders_can_be_made_is_noticed() -> None:
    """No file can be made there; an engine with userns-remap on cgroup v2 gives each container such a one."""
    root = next(path for path in (Path("/sys/fs/cgroup/pids"), Path("/sys/fs/cgroup")) if path.is_dir())
    own = root / f"test-{secrets.token_hex(4)}"
    own.mkdir()
    try:
        own.chmod(0o777)
        weaker = dataclasses.replace(PYTHON, docker_run=(*PYTHON.docker_run, f"--volume={own}:/opt"))
        seen = observed(weaker)
    finally:
        own.rmdir()
    [row] = [row for row in proofs.rows(PYTHON.docker_run, seen) if row.claim == "--read-only"]
    assert (row.finding, row.seen) == (
        Finding.FAILED,
        "/ is ro; writable beside the tmpfs: /opt; a file in /: EROFS",
    )


def test_a_program_that_cannot_end_its_own_child_is_noticed(tmp_path: Path) -> None:
    """Here by another seccomp profile; crun beside AppArmor refuses it, too."""
    text = Path("policies/seccomp.json").read_text()
    assert text.count('"kill",') == 1
    (tmp_path / "seccomp.json").write_text(text.replace('"kill",', ""))
    found = verdicts(PYTHON, {SECCOMP: f"--security-opt=seccomp={tmp_path}/seccomp.json"})
    assert found["a program can signal its own processes"] is Finding.FAILED


@pytest.mark.parametrize("policy", POLICIES.values(), ids=POLICIES)
def test_only_the_program_is_another(policy: Policy) -> None:
    """Up to the launcher the command is production's, byte for byte."""
    command = argv.run(policy, "name", 7, "main")
    probed = argv.run(argv.probe(policy), "name", 7, "main")
    here = len(command) - len(argv.launch(policy)) + len(policy.launcher)
    assert probed[:here] == command[:here]
    program = ("--source=probe.pl", "--wall-time=10", "--live-time=60", "--run", "/usr/lib/runner/perl", "probe.pl")
    assert probed[here:] == program


def test_the_command_proves_every_line() -> None:
    """A table and JSON with the same verdicts; exit code 0."""
    code, out, err = runner("verify", "python")
    assert (code, err) == (0, "")
    code, text, err = runner("verify", "--json")
    assert (code, err) == (0, "")
    found = {data["language"]: data for data in json.loads(text)}
    assert list(found) == sorted(POLICIES)
    for name, data in found.items():
        assert [row["claim"] for row in data["rows"]] == [*POLICIES[name].docker_run, *BESIDE]
        assert (data["failed"], data["not_observed"]) == ([], [])
        assert data["no_observer"] == ["--pull=never", "--no-healthcheck", "--log-driver=none"]
        assert data["engine"]["swap_limit"] is True
    for row in found["python"]["rows"]:
        assert any(line.startswith(row["finding"]) and f" {row['claim']}" in line for line in out.splitlines())


def test_the_command_says_what_failed(tmp_path: Path) -> None:
    """Exit code 1; here of a policy whose waivers hide nothing: a capability that was given back."""
    folder = tmp_path / "policies"
    folder.mkdir()
    for file in Path("policies").iterdir():
        (folder / file.name).write_text(file.read_text())
    text = (folder / "python.toml").read_text()
    text = text.replace('"--cap-drop=ALL",', '"--cap-drop=ALL", "--cap-add=NET_RAW",')
    (folder / "python.toml").write_text(f'{text}\n[waivers]\n"--cap-add" = "a test of what is noticed"\n')
    code, out, _ = runner("--policies", str(folder), "verify", "python")
    assert code == 1
    assert [line.split()[:2] for line in out.splitlines() if line.startswith("FAILED")] == [
        ["FAILED", "--cap-drop=ALL"]
    ]


def test_the_command_says_why_there_is_no_container(tmp_path: Path) -> None:
    """In docker's words; exit code 1."""
    command = ["env", f"DOCKER_HOST=unix://{tmp_path}/none", ".venv/bin/python", "-m", "runner", "verify", "python"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert f"{tmp_path}/none" in ended.stderr


def test_the_probe_keeps_itself_within_bounds() -> None:
    """A container without any limit: it stops a little above what it was told."""
    limits = {line: "" for line in PYTHON.docker_run if line.partition("=")[0] in PROOFS and "=" in line}
    kept = ("--tmpfs=/tmp:size=64m", "--network=none", "--workdir=/tmp")
    open_ = dataclasses.replace(PYTHON, docker_run=(*(line for line in PYTHON.docker_run if line not in limits), *kept))
    bounds = b"pids 20\nmemory 33554432\ntmpfs /tmp 1048576 50\n"
    inside = observed(open_, bounds).inside or {}
    told = {name: (inside[name].error, int(inside[name].text)) for name in ("processes", "memory", "bytes:/tmp")}
    assert told == {"processes": (0, 28), "memory": (0, 2**25 + 2**24), "bytes:/tmp": (0, 2**21)}
    assert inside["files:/tmp"].text == "58"
    assert inside["end"].error == 0


# In the service

DROPS: Final = """\
[ "$1" = run ] || exec REAL "$@"
for word do shift; [ "$word" = --cap-drop=ALL ] || set -- "$@" "$word"; done
exec REAL "$@"
"""


def test_the_server_verifies_itself(server: Server) -> None:
    """In the background; readiness tells the sum and its age."""
    assert eventually(lambda: all(server.get("/ready").json()["verified"].values()), 90)
    found = server.get("/ready").json()["verified"]
    assert {name: (sums["proved"] > 30, sums["failed"]) for name, sums in found.items()} == {
        name: (True, []) for name in POLICIES
    }
    assert all(0 <= sums["age"] < 3600 for sums in found.values())


def test_a_claim_that_fails_makes_the_server_not_ready(tmp_path: Path) -> None:
    """And is named; here a docker of another's making leaves out a flag."""
    with serving(tmp_path, fake_docker(tmp_path, DROPS)) as server:
        assert eventually(lambda: server.get("/ready").status_code == 503, 30)
        detail = server.get("/ready").json()["detail"]
        assert detail.split("; ")[0] == f"python: verification failed: --cap-drop=ALL, {next(iter(BESIDE))}"


def test_a_server_that_stops_takes_its_verification_along(tmp_path: Path) -> None:
    """A start is ready before it, and removes what a killed server has left of its own."""
    instance = f"test-{secrets.token_hex(4)}"
    name, label = f"{instance}-left", f"--label={LABEL}=verify/{instance}"
    docker("create", "--name", name, label, "--network=none", "--entrypoint=sleep", PYTHON.image, "9")
    with serving(tmp_path, instance=instance) as started:
        server = dataclasses.replace(started, instance=instance)
        first = server.get("/ready")
        assert (first.status_code, first.json()["verified"]) == (200, {"python": None})
        assert eventually(lambda: name not in server.verifying(), 30)
        assert eventually(lambda: bool(server.verifying()), 10)
        assert server.stop() < 8
        assert server.verifying() == []
