"""The server as its unit and as its container: their limits are there, and what happens where they are reached."""

import time
from typing import Final

from tests.hosts.kinds import Host
from tests.hosts.machine import Machine, Unwell
from tests.hosts.trials import JOURNAL, Told, answers

AUDIT: Final = """
sed -i 's|^audit-file = [^ ]*|audit-file = "/var/log/code-runner/audit.jsonl"|' policies/server.toml
"""
"""What both say in their heads."""
UNIT: Final = """
id -u code-runner >/dev/null 2>&1 || useradd --system --no-create-home --shell /usr/sbin/nologin code-runner
cp images/server/code-runner.service /etc/systemd/system
systemctl daemon-reload
systemctl enable --quiet --now code-runner
"""
KEPT: Final = """
cd /sys/fs/cgroup/system.slice/code-runner.service
echo memory.max $(cat memory.max), pids.max $(cat pids.max), \
    oom_score_adj $(cat /proc/$(systemctl show --property=MainPID --value code-runner)/oom_score_adj), \
    of it used: $(cat memory.current) bytes, $(cat pids.current) tasks
"""
RESTARTS: Final = "systemctl show --property=NRestarts --value code-runner"
ONE: Final = (
    "curl -s -m 100 -o /tmp/one -w '%{http_code} ' http://127.0.0.1:3000/run -H 'Content-Type: application/json'"
    """ -d '{"language": "python", "code": "print(1)"}'; cut -c -300 /tmp/one"""
)
GROUP: Final = """export DOCKER_GID=$(stat -c %g /var/run/docker.sock) COMPOSE_FILE=compose.yaml:/tmp/stretched.yaml
echo 'services: {code-runner: {volumes: ["./runner:/srv/code-runner/runner:ro"]}}' >/tmp/stretched.yaml
"""
"""In the image, the server's own bounds are those of a machine that is not emulated."""
INSIDE: Final = f"""{GROUP}id=$(docker compose ps --quiet)
cd /sys/fs/cgroup/system.slice/docker-$id.scope
echo memory.max $(cat memory.max), pids.max $(cat pids.max), swap $(cat memory.swap.max)
"""


def limit(name: str, value: str) -> str:
    """The unit with another limit, until it is stopped."""
    return f"systemctl set-property --runtime code-runner {name}={value}"


def unit(machine: Machine, host: Host) -> Told:
    """It serves; without memory it is killed and starts anew, without tasks docker fails; then it serves again."""
    machine.sh(AUDIT + UNIT).well()
    lines = [f"after {answers(machine, JOURNAL):.0f} s", machine.sh(KEPT).well()]
    machine.sh(limit("MemoryMax", "30M")).well()
    time.sleep(60)
    journal = "journalctl --unit code-runner --no-pager --output cat | grep -i -m 3 -E 'oom|killed'"
    lines += [f"MemoryMax=30M: {machine.sh(RESTARTS).out.strip()} restarts", machine.sh(journal).out]
    machine.sh(f"{limit('MemoryMax', '2G')}; systemctl reset-failed code-runner; systemctl start code-runner").well()
    lines.append(f"MemoryMax=2G: an answer after {answers(machine, JOURNAL):.0f} s")
    machine.sh(limit("TasksMax", "16")).well()
    machine.sh("docker kill $(docker ps --quiet)")  # those that were started ahead
    lines += [f"TasksMax=16: {machine.sh(ONE, 120).out}"]
    machine.sh(limit("TasksMax", "1024")).well()
    lines.append(f"TasksMax=1024: an answer after {answers(machine, JOURNAL):.0f} s")
    began = time.monotonic()
    machine.sh("systemctl stop code-runner").well()
    stopped = time.monotonic() - began
    left = machine.sh("docker ps --all --quiet").out.split()
    return f"stops in {stopped:.0f} s, {len(left)} containers left", [line.strip() for line in lines]


def compose(machine: Machine, host: Host) -> Told:
    """It serves within its limits; stopped, nothing of it is left."""
    up = machine.sh(f"{AUDIT}{GROUP}docker compose up --detach 2>&1", 600).out.strip().splitlines()
    try:
        lines = [f"after {answers(machine, f'{GROUP}docker compose logs --tail 3'):.0f} s", machine.sh(INSIDE).well()]
    except Unwell as unwell:
        raise Unwell(f"{unwell}; {' '.join(up[-2:])}") from unwell
    finally:  # the next listens at the same port
        machine.sh(f"{GROUP}docker compose down --volumes 2>&1", 300)
    left = machine.sh("docker ps --all --quiet").out.split()
    return f"{len(left)} containers left", [line.strip() for line in lines]
