"""The server as a unit of systemd and in a container of its own."""

import re
import secrets
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from runner.policy.argv import LABEL
from tests.harness import ROOT, copy_policies, docker, eventually, free_port, listens

pytestmark = pytest.mark.usefixtures("engine")
UNIT = ROOT / "images" / "server" / "code-runner.service"
SOCKET = Path("/var/run/docker.sock")
GOOD = {"language": "python", "code": "import os; print(os.getuid() > 1_900_000_000)"}


def analyze(*words: str) -> str:
    """What systemd says of the unit."""
    command = ["systemd-analyze", *words, str(UNIT)]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    return answer.stdout + answer.stderr


def test_the_unit_is_valid() -> None:
    """By systemd's own word; only the project is not in /opt on this machine."""
    said = [line for line in analyze("verify").splitlines() if "code-runner.service" in line]
    assert [line for line in said if "/opt/code-runner" not in line] == []


def test_the_unit_leaves_little_in_reach() -> None:
    """What stays open is the network, the group docker, and the host's file system to read."""
    said = analyze("security", "--offline=yes", "--no-pager")
    level = re.search(r"Overall exposure level for code-runner.service: ([\d.]+)", said)
    assert level
    assert float(level[1]) <= 1.4


def served(port: int) -> None:
    """A program runs there, and all is well."""
    assert eventually(lambda: listens(port), 20)
    answer = httpx.post(f"http://127.0.0.1:{port}/run", json=GOOD, timeout=30).json()
    assert (answer["status"], answer["stdout"]) == ("success", "True\n")
    assert httpx.get(f"http://127.0.0.1:{port}/ready", timeout=30).json()["status"] == "ready"


def command(service: dict[str, Any], name: str, policies: Path) -> list[str]:
    """The `docker run` of a service of compose.yaml, with other policies and a nameless volume.

    Fails where the service says more than this knows.
    """
    volumes = [each.replace("./policies", str(policies)).removeprefix("logs:") for each in service.pop("volumes")]
    groups = [re.sub(r"^\$\{DOCKER_GID:\?.*\}$", str(SOCKET.stat().st_gid), each) for each in service.pop("group_add")]
    flags = [
        *("--detach", f"--name={name}", f"--pull={service.pop('pull_policy')}"),
        *(f"--network={service.pop('network_mode')}", f"--user={service.pop('user')}"),
        *(f"--group-add={group}" for group in groups),
        *(f"--volume={volume}" for volume in volumes),
        *(["--read-only"] if service.pop("read_only") else []),
        *(f"--cap-drop={capability}" for capability in service.pop("cap_drop")),
        *(f"--security-opt={option}" for option in service.pop("security_opt")),
        *(f"--memory={service.pop('mem_limit')}", f"--memory-swap={service.pop('memswap_limit')}"),
        f"--pids-limit={service.pop('pids_limit')}",
        *(f"--ulimit={limit}={value}" for limit, value in service.pop("ulimits").items()),
        f"--log-driver={service.pop('logging')['driver']}",
        *(f"--stop-timeout={service.pop('stop_grace_period').rstrip('s')}", service.pop("image")),
    ]
    assert service == {"restart": "unless-stopped"}
    return flags


def test_the_server_in_a_container(tmp_path: Path) -> None:
    """As compose.yaml says: not root, without capabilities, read-only; and nothing is left when it has stopped."""
    port, instance = free_port(), f"test-{secrets.token_hex(4)}"
    audit = "/var/log/code-runner/audit.jsonl"
    policies = copy_policies(tmp_path, {"port": port, "instance": instance, "audit-file": audit}, {})
    ((name, service),) = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"].items()
    container = f"{name}-{instance}"
    docker("run", *command(service, container, policies))
    try:
        served(port)
        status = docker("exec", container, "cat", "/proc/1/status")
        assert re.findall(r"(?m)^(?:CapBnd|NoNewPrivs):\t(\w+)", status) == ["0" * 16, "1"]
        assert '"started"' in docker("exec", container, "cat", audit)
        assert re.findall(r"(?m)^Uid:\t(\d+)", status) == ["10001"]
    finally:
        print(docker("logs", container))
        docker("stop", container)
        docker("rm", "--volumes", container)
    assert docker("ps", "-aq", f"--filter=label={LABEL}={instance}") == ""
