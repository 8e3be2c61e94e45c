"""CLUSTER.md's "Setting it up" as scripts, for two hosts: node 1, at 10.0.0.1, is the manager and the front's."""

import re
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from tests.harness import ROOT
from tests.hosts import findings
from tests.hosts.machine import Machine, Unwell, project

[DEPLOY] = re.findall(
    r"```sh\n(docker stack deploy .*?)```", (ROOT / "images/server/CLUSTER.md").read_text(encoding="utf-8"), re.DOTALL
)
NAME: Final = "runner.example"
PROGRAM_TIME: Final = 2.0
"""`wall-time` of python.toml."""
STOP_TIME: Final = 5
"""`stop-time` of server.toml."""
LIMIT: Final = 300
"""Runs of a client in 15 minutes, on all nodes together."""
READY_TIME: Final = 900.0
"""Seconds until all nodes must be ready."""
AUDIT: Final = "/var/lib/docker/volumes/code-runner_logs/_data/audit.jsonl"

SERVER: Final = "code-runner-swarm:server"
STANDIN: Final = "code-runner-swarm:standin"
TAGS: Final = {"code-runner-server:1": SERVER, "redis:7-alpine": STANDIN, "caddy:2-alpine": STANDIN}
"""What the stack names, and what it is there."""
DEBIANS: Final = """
FROM code-runner-base:trixie
RUN apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends redis-server caddy
ENV XDG_CONFIG_HOME=/config XDG_DATA_HOME=/data
CMD ["caddy", "run", "--config", "/etc/caddy/Caddyfile", "--adapter", "caddyfile"]
"""
"""Debian's Redis and Caddy; with them it starts as with the images that it stands for, where no registry answers."""


def images(file: Path, times: float) -> None:
    """What the nodes need, saved; nothing of it stays here. The server's own bounds are so many times as long in it."""
    build = ("docker", "build", "--quiet", "--network=host", f"--tag={STANDIN}", "-")
    subprocess.run(build, input=DEBIANS.encode(), check=True, stdout=subprocess.DEVNULL)
    create = ("docker", "create", "code-runner-server:1")
    made = subprocess.run(create, check=True, capture_output=True, text=True).stdout.strip()
    copy = ("docker", "cp", "-", f"{made}:/srv/code-runner")
    subprocess.run(copy, input=project(times, "server.py", "runner"), check=True)
    for command in (("commit", made, SERVER), ("rm", made)):
        subprocess.run(["docker", *command], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["docker", "save", f"--output={file}", "code-runner-python:3", SERVER, STANDIN], check=True)
    subprocess.run(["docker", "rmi", SERVER, STANDIN], check=True, stdout=subprocess.DEVNULL)


def set_up(nodes: tuple[Machine, Machine], times: float) -> list[str]:
    """Steps 1 to 4; what `doctor` has said on each."""
    with ThreadPoolExecutor() as both:
        said = list(both.map(_prepared, nodes, (times, times)))
    manager, worker = nodes
    manager.sh("docker swarm init --advertise-addr 10.0.0.1").well()
    token = manager.sh("docker swarm join-token --quiet worker").well().strip()
    worker.sh(f"docker swarm join --advertise-addr 10.0.0.2 --token {token} 10.0.0.1:2377").well()
    manager.sh(f"docker node update --label-add front=yes node1\n{_settings(times)}").well()
    return said


def deploy(manager: Machine, revision: int) -> None:
    """Step 6."""
    variables = f"""
export HOST=http://{NAME} NODES='10.0.0.1:3000 10.0.0.2:3000' FRONT=10.0.0.1 REDIS_PASSWORD=swordfish
export DOCKER_GID=$(stat -c %g /var/run/docker.sock) REVISION={revision}
"""
    manager.sh(variables + DEPLOY).well()


def ready(manager: Machine) -> float:
    """Seconds until both servers are."""
    began = time.monotonic()
    ask = f"curl -s -m 60 -o /dev/null -w '%{{http_code}} ' -H 'Host: {NAME}'"
    said = ""
    while time.monotonic() - began < READY_TIME:
        said = manager.sh(f"{ask} http://10.0.0.1:3000/ready; {ask} http://10.0.0.2:3000/ready", 150).out
        if said.split() == ["200", "200"]:
            return time.monotonic() - began
        time.sleep(3)
    logs = "docker service ps --no-trunc code-runner_server; docker service logs --tail 3 code-runner_server 2>&1"
    raise Unwell(f"not ready within {READY_TIME:.0f} s: {said}; {manager.sh(logs).out[-900:]}")


def _prepared(machine: Machine, times: float) -> str:
    machine.fresh()
    machine.boot()
    machine.unpack(project(times), "/opt/code-runner")
    tags = "\n".join(f"docker tag {image} {tag}" for tag, image in TAGS.items())
    script = f"""
set -e
echo 10.0.0.1 {NAME} >>/etc/hosts
docker load --quiet </dev/vdb
{tags}
sed -i 's/^languages = .*/languages = ["python"]/' policies/server.toml
"""
    machine.sh(script, 900).well()
    return findings.doctor(machine.sh(".venv/bin/python -m runner doctor --json", 900).out)[0]


def _settings(times: float) -> str:
    """Of server.toml, and the time that programs have there."""
    values = {
        "host": '"0.0.0.0"',
        "allowed-hosts": f'["{NAME}"]',
        "trusted-proxies": '["10.0.0.1"]',
        "rate-limit": f'"{LIMIT} per 15 minutes"',
        "rate-limit-storage": '"redis://10.0.0.1:6379/0"',
        "audit-file": '"/var/log/code-runner/audit.jsonl"',
        "stop-time": f"{STOP_TIME * times:.0f}",
    }
    edits = "\n".join(f"s|^{key} = .*|{key} = {value}|" for key, value in values.items())
    return f"""
sed -i '{edits}' policies/server.toml
sed -i 's|^wall-time .*|wall-time = {PROGRAM_TIME * times}|' policies/python.toml
"""
