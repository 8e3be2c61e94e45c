"""The machine as the kernel and the engine tell it."""

import json
import os
import platform
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from tests.bench.docker import docker

LOOK = 0.25
"""Seconds over which the machine's load is looked at."""
QUIET = 0.15
"""Share of all CPUs below which the machine counts as quiet."""
PATIENCE = 4.0
"""Seconds that are waited for quiet."""


def busy_ms() -> float:
    """CPU-milliseconds that all processes and the kernel have used since boot."""
    ticks = [int(word) for word in Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()[1:]]
    user, nice, system, _idle, _iowait, irq, softirq = ticks[:7]
    return (user + nice + system + irq + softirq) * 1000 / os.sysconf("SC_CLK_TCK")


def load(seconds: float = LOOK) -> float:
    """The share of all CPUs that is busy during so many seconds from now."""
    before, began = busy_ms(), time.perf_counter()
    time.sleep(seconds)
    return (busy_ms() - before) / 1000 / (time.perf_counter() - began) / (os.cpu_count() or 1)


def settle() -> bool:
    """Waits until the machine is quiet: everything torn down, the pool full again. Whether it was, in time."""
    deadline, quiet = time.monotonic() + PATIENCE, 0
    while quiet < 2 and time.monotonic() < deadline:
        quiet = quiet + 1 if load() < QUIET else 0
    return quiet == 2


def rss_mb(pid: int) -> float:
    """Resident memory of a process."""
    return _kb(Path(f"/proc/{pid}/status"), "VmRSS") / 1024


def _kb(file: Path, key: str) -> int:
    lines = file.read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{key}:"))


def _cpu_model() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def describe() -> dict[str, str]:
    """What the numbers depend on."""
    version = json.loads(docker("version", "--format={{json .}}"))
    info = json.loads(docker("info", "--format={{json .}}"))
    parts = ", ".join(f"{c['Name']} {c['Version']}" for c in version["Server"].get("Components", []))
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "cpu": f"{_cpu_model()}, {os.cpu_count()} cores",
        "memory": f"{_kb(Path('/proc/meminfo'), 'MemTotal') / 1024**2:.1f} GiB",
        "kernel": f"{platform.system()} {platform.release()}",
        "system": str(info.get("OperatingSystem")),
        "docker engine": f"{version['Server']['Version']} ({parts})",
        "docker client": version["Client"]["Version"],
        "storage, cgroup": f"{info.get('Driver')}, v{info.get('CgroupVersion')}",
        "python of the server": sys.version.split()[0],
    }
