"""Is this host fit? A finding for each thing that a container's boundaries or the service rest on. Pure."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from runner.host.facts import Facts
from runner.policy.settings import Settings

GIBIBYTE: Final = 1024**3
OLDEST: Final = (20, 10, 10)
"""The first engine that reads the seccomp profile of the policies."""
CHEAP: Final = (28,)
"""From which on a container takes a quarter less CPU time: tests/bench/README.md has the figures."""
CORE_PATTERN: Final = "/proc/sys/kernel/core_pattern"
DMESG: Final = "/proc/sys/kernel/dmesg_restrict"
BPF: Final = "/proc/sys/kernel/unprivileged_bpf_disabled"
COMMAND_LINE: Final = "/proc/cmdline"
SMT: Final = "/sys/devices/system/cpu/smt/active"
FLAWS: Final = "/sys/devices/system/cpu/vulnerabilities/"
"""A file for each flaw of the processor that the kernel knows."""


class Level(StrEnum):
    """What a finding means."""

    PASS = "PASS"  # noqa: S105 - a word, no password
    CAUTION = "CAUTION"
    """It holds, but something could be better, or could not be seen."""
    FAIL = "FAIL"
    """Programs do not run, or a boundary does not hold."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report."""

    check: str
    level: Level
    said: str
    remedy: str = ""


Said = tuple[Level, str, str]
Check = Callable[[Facts, Settings], Said]


def _engine(facts: Facts, settings: Settings) -> Said:
    if facts.info is None:
        return Level.FAIL, f"no Docker engine answers: {facts.engine_error or 'nothing was said'}", "make engine"
    version = str(facts.info.get("ServerVersion", ""))
    if _numbers(version) < OLDEST:
        return Level.FAIL, f"Docker {version} is too old for the seccomp profile", "install 20.10.10 or newer"
    return Level.PASS, f"Docker {version}, runtime {facts.info.get('DefaultRuntime')}", ""


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", version)[:3]))


def _cost(facts: Facts, settings: Settings) -> Said:
    """What a container takes is what limits the runs per second."""
    info = facts.info or {}
    version = str(info.get("ServerVersion", ""))
    dear = {
        f"Docker {version}, not 28 or newer": OLDEST <= _numbers(version) < CHEAP,
        "the image store of containerd, not overlay2": info.get("Driver") == "overlayfs",
        "runc, not crun": info.get("CgroupVersion") == "2" and info.get("DefaultRuntime") == "runc",
    }
    if found := [what for what, there in dear.items() if there]:
        remedy = "see tests/bench/README.md; then let `runner verify` prove the policies anew"
        return Level.CAUTION, f"a container takes more CPU time than it must: {'; '.join(found)}", remedy
    return Level.PASS, "engine, runtime and storage are those that take the least CPU time", ""


def _cgroups(facts: Facts, settings: Settings) -> Said:
    info = facts.info or {}
    needed = {
        "--memory": "MemoryLimit",
        "--memory-swap": "SwapLimit",
        "--cpus": "CpuCfsQuota",
        "--pids-limit": "PidsLimit",
    }
    if without := [flag for flag, key in needed.items() if not info.get(key)]:
        remedy = "boot with cgroup_enable=memory swapaccount=1, or use cgroup v2 with its controllers delegated"
        return Level.FAIL, f"the kernel does not keep {', '.join(without)}", remedy
    if info.get("CgroupVersion") == "1":
        return Level.CAUTION, "cgroup v1, which newer systems no longer have", "boot with cgroup v2 when you can"
    return Level.PASS, f"cgroup v{info.get('CgroupVersion')}, driver {info.get('CgroupDriver')}", ""


def _seccomp(facts: Facts, settings: Settings) -> Said:
    if not _option(facts, "seccomp"):
        return Level.FAIL, "the engine filters no system calls", "use a kernel and an engine with seccomp"
    return Level.PASS, "the engine filters system calls", ""


def _confinement(facts: Facts, settings: Settings) -> Said:
    if found := [name for name in ("apparmor", "selinux") if _option(facts, name)]:
        return Level.PASS, f"{found[0]} confines containers", ""
    return Level.CAUTION, "neither AppArmor nor SELinux confines containers", "switch on what your system has"


def _users(facts: Facts, settings: Settings) -> Said:
    if _option(facts, "rootless") or _option(facts, "userns"):
        return Level.PASS, "a container's users are none of the host's", ""
    said = "user ids are the host's; programs are never root, and their ids have no name here"
    return Level.CAUTION, said, "userns-remap in the engine's daemon.json, or a rootless engine"


def _option(facts: Facts, name: str) -> bool:
    return any(option.split(",")[0] == f"name={name}" for option in _listed(facts, "SecurityOptions"))


def _listed(facts: Facts, key: str) -> list[str]:
    found = (facts.info or {}).get(key)
    return [str(each) for each in found] if isinstance(found, list) else []


def _access(facts: Facts, settings: Settings) -> Said:
    told = any("without encryption" in warning for warning in _listed(facts, "Warnings"))
    if told or re.match(r"tcp://(?!(localhost|127\.|\[::1\]))", facts.docker_host):
        said = "the engine listens on the network: whoever reaches it is root here"
        return Level.FAIL, said, "use its socket, or ssh://"
    if facts.socket_mode is not None and facts.socket_mode & 0o006:
        return Level.FAIL, f"everybody may use the engine's socket (mode {facts.socket_mode:o})", "chmod 660"
    if facts.docker_group:
        said = f"in the group docker, which is root: {', '.join(facts.docker_group)}"
        return Level.CAUTION, said, "leave nobody in it but the service"
    return Level.PASS, "the engine is asked over a socket of its own", ""


def _warnings(facts: Facts, settings: Settings) -> Said:
    warnings = [warning for warning in _listed(facts, "Warnings") if "bridge-nf" not in warning]
    if warnings:
        return Level.CAUTION, f"docker info warns: {'; '.join(warnings)}", "see what it says"
    return Level.PASS, "docker info warns of nothing", ""


def _storage(facts: Facts, settings: Settings) -> Said:
    driver = str((facts.info or {}).get("Driver"))
    if driver not in ("overlay2", "overlayfs", "btrfs", "zfs"):
        return Level.CAUTION, f"storage driver {driver}: starts are slow", "use overlay2"
    if facts.disk_free is None:
        return Level.CAUTION, f"{driver}; how full its disk is cannot be seen from here", "look there"
    free = f"{driver}, {facts.disk_free / GIBIBYTE:.1f} GiB are free"
    if facts.disk_free < GIBIBYTE:
        return Level.FAIL, f"{free}: containers will not start when it is full", "make room"
    return (Level.PASS, free, "") if facts.disk_free > 5 * GIBIBYTE else (Level.CAUTION, free, "make room")


def _restore(facts: Facts, settings: Settings) -> Said:
    if (facts.info or {}).get("LiveRestoreEnabled"):
        said = "live-restore: programs go on while the engine is away, to the end of their time"
        return Level.CAUTION, said, "leave it off on a host of programs alone"
    return Level.PASS, "containers end with the engine", ""


def _images(facts: Facts, settings: Settings) -> Said:
    if facts.missing_images:
        return Level.FAIL, f"without their image: {', '.join(facts.missing_images)}", "make images"
    return Level.PASS, f"the images of {', '.join(settings.languages)} are there", ""


def _start(facts: Facts, settings: Settings) -> Said:
    if facts.start_seconds is None:
        return Level.FAIL, "a container did not start, or did not end by itself", "see what docker says: runner run"
    said = f"a container takes {facts.start_seconds:.2f} s from its command to its end"
    return (Level.PASS, said, "") if facts.start_seconds < 2 else (Level.CAUTION, said, "the host is slow, or busy")


def _audit(facts: Facts, settings: Settings) -> Said:
    if facts.audit_error:
        return Level.FAIL, facts.audit_error, "nothing runs that is not recorded: see above"
    if facts.audit_free is None:
        return Level.CAUTION, "audit-file is off: nobody will know what ran", "name a file in server.toml"
    said = f"the audit file has {facts.audit_free / GIBIBYTE:.1f} GiB, about {facts.audit_free // 2048:,} runs"
    return (Level.PASS, said, "") if facts.audit_free > GIBIBYTE else (Level.CAUTION, said, "make room")


def _swap(facts: Facts, settings: Settings) -> Said:
    said = f"{facts.swap / GIBIBYTE:.1f} GiB of swap" if facts.swap else "no swap"
    return Level.PASS, f"{said}; programs use none", ""


def _core(facts: Facts, settings: Settings) -> Said:
    pattern = facts.kernel.get(CORE_PATTERN)
    if pattern is None:
        return _unseen(CORE_PATTERN)
    if pattern.startswith("|"):
        said = f"a crash of a program starts `{pattern.split()[0][1:]}` as root: no limit of the container's stops it"
        return Level.CAUTION, said, "sysctl kernel.core_pattern=core"
    return Level.PASS, "no crash of a program starts anything", ""


def _dmesg(facts: Facts, settings: Settings) -> Said:
    return _switch(facts, DMESG, "the kernel's log", "kernel.dmesg_restrict=1")


def _bpf(facts: Facts, settings: Settings) -> Said:
    return _switch(facts, BPF, "BPF", "kernel.unprivileged_bpf_disabled=1")


def _switch(facts: Facts, path: str, what: str, remedy: str) -> Said:
    if path not in facts.kernel:
        return _unseen(path)
    if facts.kernel[path] == "0":
        said = f"{what} is open to every user; the policies' system calls do not reach it"
        return Level.CAUTION, said, f"sysctl {remedy}"
    return Level.PASS, f"{what} is root's alone", ""


def _vsyscall(facts: Facts, settings: Settings) -> Said:
    if "vsyscall=emulate" in facts.kernel.get(COMMAND_LINE, "").split():
        return Level.CAUTION, "vsyscall=emulate: a page at a known address", "boot with vsyscall=none"
    return Level.PASS, "no vsyscall page that can be read", ""


def _threads(facts: Facts, settings: Settings) -> Said:
    if facts.kernel.get(SMT) == "1":
        said = "two programs may share a core (SMT), and learn of each other by it"
        return Level.CAUTION, said, "boot with nosmt where programs must not"
    return Level.PASS, "no two programs share a core at a time", ""


def _mitigations(facts: Facts, settings: Settings) -> Said:
    states = {path.removeprefix(FLAWS): said for path, said in facts.kernel.items() if path.startswith(FLAWS)}
    if not states:
        return _unseen(FLAWS)
    if open_ones := sorted(name for name, said in states.items() if said.startswith("Vulnerable")):
        said = f"the processor is open to {', '.join(open_ones)}"
        return Level.CAUTION, said, "update its microcode and the kernel; do not boot with mitigations=off"
    return Level.PASS, "the kernel closes the processor's known flaws", ""


def _clock(facts: Facts, settings: Settings) -> Said:
    if facts.clock_offset is None:
        return Level.CAUTION, "the engine does not say what time it is", "see that both clocks are set"
    if abs(facts.clock_offset) > 5:
        return Level.CAUTION, f"the engine's clock is {facts.clock_offset:+.0f} s from ours", "set them by NTP"
    return Level.PASS, "the engine's clock is ours", ""


def _files(facts: Facts, settings: Settings) -> Said:
    wanted = 4 * settings.connections + 1024
    if 0 < facts.open_files < wanted:
        said = f"{facts.open_files} open files are too few for {settings.connections} connections"
        return Level.CAUTION, said, f"LimitNOFILE={wanted}, or ulimit -n"
    return Level.PASS, f"as many open files as {settings.connections} connections take", ""


def _unseen(path: str) -> Said:
    return Level.CAUTION, f"{path} cannot be read from here", "look on the host"


CHECKS: Final[tuple[tuple[str, Check], ...]] = (
    ("engine", _engine),
    ("access", _access),
    ("images", _images),
    ("start", _start),
    ("cost", _cost),
    ("audit", _audit),
    ("storage", _storage),
    ("cgroups", _cgroups),
    ("seccomp", _seccomp),
    ("confinement", _confinement),
    ("users", _users),
    ("warnings", _warnings),
    ("live-restore", _restore),
    ("swap", _swap),
    ("core dumps", _core),
    ("kernel log", _dmesg),
    ("bpf", _bpf),
    ("vsyscall", _vsyscall),
    ("smt", _threads),
    ("mitigations", _mitigations),
    ("clock", _clock),
    ("open files", _files),
)
WITHOUT_ENGINE: Final = frozenset(
    {"engine", "audit", "swap", "core dumps", "kernel log", "bpf", "vsyscall", "smt", "mitigations", "open files"}
)
"""What can be told where no engine answers."""


def findings(facts: Facts, settings: Settings) -> Iterator[Finding]:
    """One for each check; where no engine answers, those that need none."""
    for name, check in CHECKS:
        if facts.info is not None or name in WITHOUT_ENGINE:
            yield Finding(name, *check(facts, settings))
