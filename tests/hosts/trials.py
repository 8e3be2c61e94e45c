"""What is tried on a host: each gives its cell of the table, and more where there is more to say."""

import re
import shlex
import subprocess
import time
from collections.abc import Callable
from typing import Final

from tests.harness import ROOT
from tests.hosts import findings
from tests.hosts.kinds import Host
from tests.hosts.machine import Machine, Unwell

Told = tuple[str, list[str]]
"""The cell; further lines."""
SUITE: Final = ROOT / "tests" / "hosts" / "suite"
PYTHON: Final = ".venv/bin/python"
ANSWER_TIME: Final = 900.0
"""Seconds until a server that was started must answer: it may have to set itself up."""
[CURL] = re.findall(r"```sh\n(curl .*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
RIGHT: Final = re.compile(r'"stdout": ?"6\\n"')
ENDED: Final = "make serve has ended"
SERVE: Final = f"setsid nohup sh -c 'make serve; echo {ENDED}' >/tmp/serve.log 2>&1 </dev/null &"
SERVED: Final = "tail -n 4 /tmp/serve.log"
JOURNAL: Final = "journalctl --unit code-runner --no-pager --output cat --lines 3"
UNIT: Final = "systemctl enable --now code-runner"
STOP: Final = r"""
pkill -TERM -x -f '\S*python server.py'
for _ in $(seq 240); do pgrep -x -f '\S*python server.py' >/dev/null || break; sleep 1; done
"""
SPIN: Final = '{"language": "python", "code": "while True: pass"}'
LOUD: Final = f"""
cat >/tmp/loud <<'END'
while :; do
    curl -s -m 120 -o /dev/null -w '%{{http_code}}\\n' http://127.0.0.1:3000/run \\
        -H 'Content-Type: application/json' -d {shlex.quote(SPIN)} >>/tmp/codes
    sleep 1
done
END
rm -f /tmp/codes
for _ in 1 2 3; do setsid nohup sh /tmp/loud >/dev/null 2>&1 </dev/null & done
"""
QUIET: Final = "pkill -f 'sh /tmp/loud'; pkill curl; cat /tmp/codes 2>/dev/null"
LEFT: Final = r"""
docker ps --all --format 'container {{.Names}} {{.Status}}'
pgrep -a -f /usr/lib/runner/launch | grep -v pgrep | sed 's/^/process /'
find /sys/fs/cgroup -type d -regex '.*/\(docker\|libpod\)[-/].*' 2>/dev/null | sed 's/^/cgroup /'
"""


def suite(machine: Machine, host: Host) -> Told:
    """README's test command, before the host is switched on: its programs, this machine's kernel; a log is kept."""
    with machine.disk.with_suffix(".tests").open("w+b") as log:
        code = subprocess.run([SUITE, machine.disk], stdin=subprocess.DEVNULL, stdout=log, check=False).returncode
        log.seek(0)
        cell, lines = findings.held(log.read().decode(errors="replace"))
    return cell, [*lines, *([f"exit code {code}, see {log.name}"] if code else [])]


def commands(machine: Machine, host: Host) -> Told:
    """README's two: `make serve`, and the program that is asked for with curl."""
    machine.sh(SERVE)
    return f"{answers(machine):.0f} s", []


def doctor(machine: Machine, host: Host) -> Told:
    """Whether this host is fit."""
    return findings.doctor(_output(machine, f"{PYTHON} -m runner doctor --json"))


def verify(machine: Machine, host: Host) -> Told:
    """The policies that are served, line by line."""
    return findings.verified(_output(machine, f"{PYTHON} -m runner verify --json"))


def attacks(stretch: float, chosen: str) -> Callable[[Machine, Host], Told]:
    """The corpus, where everything may take so many times as long; ``chosen``: pytest's expression of names."""

    def tried(machine: Machine, host: Host) -> Told:
        some = f"-k {shlex.quote(chosen)}" if chosen else ""
        script = f"{PYTHON} -m pytest --override-ini=addopts= -q -rfE --tb=line {some} tests/runs/test_attacks.py"
        told = f"COLUMNS=400 STRETCH={stretch:g} {script}"  # a line has room for why one did not hold
        return findings.held(_output(machine, told, 2 * 3600))

    return tried


def killed(machine: Machine, host: Host) -> Told:
    """The engine dies while programs run, and is started again as the host does it."""
    machine.sh(LOUD)
    time.sleep(20)
    machine.sh(f"kill -9 $({host.engine})").well()
    began = time.monotonic()
    time.sleep(60)
    meanwhile = findings.codes(machine.sh(QUIET, user="root").out)  # who asks beside them waits for minutes there
    answers(machine)
    return f"answers after {time.monotonic() - began:.0f} s", [f"meanwhile {meanwhile}"]


def left(machine: Machine, host: Host) -> Told:
    """The server is stopped: what is still there."""
    machine.sh(STOP, user="root").well()
    time.sleep(5)
    found = machine.sh(LEFT).out.splitlines()
    return (f"{len(found)} things" if found else "nothing"), found


def cut(machine: Machine, host: Host) -> Told:
    """The power goes while programs run; what lies there afterwards, and whether the next start sweeps it."""
    log = JOURNAL if host.service else SERVED
    machine.sh("sync", user="root")
    machine.sh(UNIT if host.service else SERVE)
    answers(machine, log)
    machine.sh(LOUD)
    time.sleep(20)
    machine.cut()
    machine.boot()
    _engine(machine)
    lay = machine.sh("docker ps --all --quiet").out.split()
    if not host.service:
        machine.sh(SERVE)
    took = answers(machine, log)
    script = f"{PYTHON} -m runner audit {'/var/log/code-runner/' if host.service else ''}audit.jsonl"
    audit = machine.sh(f"{script} >/tmp/audit 2>&1; echo $?").well().strip()
    chain = "the audit file holds" if audit == "0" else f"audit: {machine.sh('tail -n 3 /tmp/audit').out}"
    return f"answers after {took:.0f} s", [f"{len(lay)} containers lay there after the boot", chain]


def answers(machine: Machine, log: str = SERVED) -> float:
    """Seconds until README's program has its right answer; ``log`` prints why it has none."""
    began = time.monotonic()
    said = logged = ""
    while time.monotonic() - began < ANSWER_TIME:
        said = machine.sh(CURL, 120).out
        if RIGHT.search(said):
            return time.monotonic() - began
        logged = machine.sh(log).out
        if ENDED in logged:
            raise Unwell(" ".join(logged.split()))
        time.sleep(2)
    raise Unwell(f"no answer within {ANSWER_TIME:.0f} s: {said[-300:] or logged}")


def _engine(machine: Machine) -> None:
    for _ in range(60):
        if not machine.sh("docker version", 60).code:
            return
        time.sleep(3)
    raise Unwell("the engine does not answer after the boot")


def _output(machine: Machine, script: str, seconds: float = 900) -> str:
    said = machine.sh(script, seconds)
    return said.out if said.out.strip() else said.error
