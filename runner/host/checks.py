"""Is this host fit? A finding for each thing that a container's boundaries or the service rest on. Pure."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from runner.host.facts import Facts
from runner.policy.settings import Settings

GIBIBYTE: Final = 1024**3
FULL: Final = 64 * 1024**2
"""Bytes on the engine's disk below which containers do not start, or soon will not: each writes some KiB there."""
OLDEST: Final = (20, 10, 10)
"""The first engine that reads the seccomp profile of the policies."""
IDS: Final = "100000:2144000000"
"""Enough for the policies' uids; the 65536 that a system gives are not: no container starts."""
CHEAP: Final = (28,)
"""From which on a container takes a quarter less CPU time: tests/bench/README.md has the figures."""
CORE_PATTERN: Final = "/proc/sys/kernel/core_pattern"
DMESG: Final = "/proc/sys/kernel/dmesg_restrict"
BPF: Final = "/proc/sys/kernel/unprivileged_bpf_disabled"
VSYSCALL: Final = "/proc/self/maps"
"""Of its lines, that of the page of old system calls; "" where there is none."""
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
    """For whoever asks, without anything internal where it is a check of `RUNS`."""
    remedy: str = ""
    detail: str = ""
    """The engine's or the kernel's own words: for who operates it, never for a client."""

    def __str__(self) -> str:
        detail = f": {' '.join(self.detail.split())}" if self.detail else ""
        remedy = f". Remedy: {self.remedy}" if self.remedy else ""
        return f"{self.level:8}{self.check}: {self.said}{detail}{remedy}"


LIMITS: Final = {
    "--memory": "MemoryLimit",
    "--memory-swap": "SwapLimit",
    "--cpus": "CpuCfsQuota",
    "--pids-limit": "PidsLimit",
}
"""What needs a controller of the kernel's, and how `docker info` says that it is there."""

Said = tuple[Level, str, str] | tuple[Level, str, str, str]
"""The level, what was said, the remedy, and own words of the engine's."""
Check = Callable[[Facts, Settings], Said]


def _engine(facts: Facts, settings: Settings) -> Said:
    if facts.podman:
        said = f"Podman {facts.podman} answers to the name of docker: what a policy asks for is not proved there"
        return Level.FAIL, said, "install Docker's engine, and its own client"
    if facts.info is None:
        said = "the container engine does not answer"
        return Level.FAIL, said, "start it: make engine", facts.engine_error or "nothing was said"
    version = str(facts.info.get("ServerVersion") or "")
    if _numbers(version) < OLDEST:
        said = f"the engine is {version or 'of no version'}: too old for the seccomp profile, or none of Docker's"
        return Level.FAIL, said, "install Docker 20.10.10 or newer"
    client = facts.info.get("ClientInfo")
    own = client.get("Version") if isinstance(client, Mapping) else None
    return Level.PASS, f"Docker {version}, client {own}, runtime {facts.info.get('DefaultRuntime')}", ""


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
    version = f"cgroup v{info.get('CgroupVersion') or ' of no version'}, driver {info.get('CgroupDriver')}"
    if without := [flag for flag, key in LIMITS.items() if info.get(key) is False]:
        remedy = "boot with cgroup_enable=memory swapaccount=1, or use cgroup v2 with its controllers delegated"
        return Level.FAIL, f"{version}: {', '.join(without)} would be ignored", remedy
    if untold := [flag for flag, key in LIMITS.items() if not info.get(key)]:
        return Level.CAUTION, f"{version}: docker info does not tell of {', '.join(untold)}", "see runner verify"
    said = f"{version}, keeps {', '.join(LIMITS)}"
    if info.get("CgroupVersion") == "1":
        return Level.CAUTION, f"{said}; newer systems have no v1", "boot with cgroup v2 when you can"
    return Level.PASS, said, ""


def _runtime(facts: Facts, settings: Settings) -> Said:
    info = facts.info or {}
    runtime = str(info.get("DefaultRuntime"))
    if runtime == "crun" and info.get("CgroupVersion") == "1":
        said = "crun on cgroup v1: programs can make files in /sys/fs/cgroup"
        return Level.FAIL, said, "runc as default-runtime in the engine's daemon.json, or boot with cgroup v2"
    return Level.PASS, f"containers are started by {runtime}", ""


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
    return Level.CAUTION, said, f"a rootless engine, or userns-remap; its user has {IDS} in /etc/subuid and /etc/subgid"


def _option(facts: Facts, name: str) -> bool:
    return any(option.split(",")[0] == f"name={name}" for option in _listed(facts, "SecurityOptions"))


def _listed(facts: Facts, key: str) -> list[str]:
    found = (facts.info or {}).get(key)
    return [str(each) for each in found] if isinstance(found, list) else []


def _access(facts: Facts, settings: Settings) -> Said:
    told = any("API is accessible on" in warning for warning in _listed(facts, "Warnings"))
    if told or re.match(r"tcp://(?!(localhost|127\.|\[::1\]))", facts.endpoint):
        said = "the engine listens on the network: whoever reaches it is root on its host"
        return Level.FAIL, said, "use its socket, or ssh://"
    if facts.socket_mode is not None and facts.socket_mode & 0o006:
        return Level.FAIL, f"everybody may use {facts.endpoint} (mode {facts.socket_mode:o})", "chmod 660"
    if facts.socket_users:
        said = f"in the group {facts.socket_group}, which is root: {', '.join(facts.socket_users)}"
        return Level.CAUTION, said, "leave nobody in it but the service"
    if facts.socket_mode is None:
        return Level.CAUTION, f"who may use {facts.endpoint or 'the engine'} cannot be seen from here", "look there"
    return Level.PASS, f"{facts.endpoint}, mode {facts.socket_mode:o}", ""


def _warnings(facts: Facts, settings: Settings) -> Said:
    warnings = [warning for warning in _listed(facts, "Warnings") if "bridge-nf" not in warning]
    if warnings:
        return Level.CAUTION, f"docker info warns: {'; '.join(warnings)}", "see what it says"
    return Level.PASS, "docker info warns of nothing", ""


def _storage(facts: Facts, settings: Settings) -> Said:
    driver = str((facts.info or {}).get("Driver") or "unknown")
    if facts.disk_free is not None and facts.disk_free < FULL:
        return Level.FAIL, "the engine's disk is full", "make room: docker system df says what takes it"
    if driver not in ("overlay2", "overlayfs", "btrfs", "zfs"):
        return Level.CAUTION, f"storage driver {driver}: starts are slow", "use overlay2"
    if facts.disk_free is None:
        return Level.CAUTION, f"{driver}; how full its disk is cannot be seen from here", "look there"
    said = f"{driver}, {facts.disk_free / GIBIBYTE:.1f} GiB are free; programs write nothing there"
    return (Level.PASS, said, "") if facts.disk_free > 5 * GIBIBYTE else (Level.CAUTION, said, "make room")


def _restore(facts: Facts, settings: Settings) -> Said:
    if (facts.info or {}).get("LiveRestoreEnabled"):
        said = "live-restore: programs go on while the engine is away, to the end of their time"
        return Level.CAUTION, said, "leave it off on a host of programs alone"
    return Level.PASS, "containers end with the engine", ""


def _images(facts: Facts, settings: Settings) -> Said:
    if missing := facts.missing_images:
        return Level.FAIL, f"the image of {' and of '.join(missing)} is missing", "`make images` builds it"
    return Level.PASS, f"the images of {', '.join(settings.languages)} are there", ""


def _start(facts: Facts, settings: Settings) -> Said:
    if facts.not_starting:
        said = f"containers for {' and '.join(facts.not_starting)} do not start"
        remedy = "see what docker says: `runner doctor`, or the log"
        if _option(facts, "rootless"):
            remedy = f"a rootless engine's user needs the ids of {{uid}} in /etc/subuid and /etc/subgid; else {remedy}"
        return Level.FAIL, said, remedy, facts.start_error
    if facts.start_seconds is None:
        return Level.CAUTION, "none was started", "see the other lines"
    said = f"a container takes {facts.start_seconds:.2f} s from its command to its end"
    return (Level.PASS, said, "") if facts.start_seconds < 2 else (Level.CAUTION, said, "the host is slow, or busy")


def _audit(facts: Facts, settings: Settings) -> Said:
    if facts.audit_error:
        said, remedy = "the audit file cannot be written", "nothing runs unrecorded: mend that, or name another"
        return Level.FAIL, said, remedy, facts.audit_error
    if facts.audit_free is None:
        return Level.CAUTION, "audit-file is off: nobody will know what ran", "name a file in server.toml"
    if facts.audit_free <= 0:
        return Level.FAIL, "the audit file's disk is full", "nothing runs unrecorded: make room"
    said = f"the audit file has {facts.audit_free / GIBIBYTE:.1f} GiB, about {facts.audit_free // 2048:,} runs"
    return (Level.PASS, said, "") if facts.audit_free > GIBIBYTE else (Level.CAUTION, said, "make room")


def _swap(facts: Facts, settings: Settings) -> Said:
    if facts.swap is None:
        return _unseen("/proc/meminfo")
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
    if VSYSCALL not in facts.kernel:
        return _unseen("the page of old system calls (vsyscall)")
    if " r-xp " in facts.kernel[VSYSCALL]:
        said = "vsyscall=emulate: code at an address that every program knows"
        return Level.CAUTION, said, "boot with vsyscall=none"
    return Level.PASS, "no vsyscall page that can be read", ""


def _threads(facts: Facts, settings: Settings) -> Said:
    if SMT not in facts.kernel:
        return _unseen(SMT)
    if facts.kernel[SMT] == "1":
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
    ("runtime", _runtime),
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
RUNS: Final = frozenset({"engine", "images", "start", "audit", "storage", "cgroups", "seccomp"})
"""Without which no program runs, or its limits do not hold: where one fails, `GET /ready` is 503."""
LASTING: Final = frozenset({"engine", "audit", "cgroups", "seccomp"})
"""Those that nothing mends but somebody: where one fails, no server starts."""


def findings(facts: Facts, settings: Settings) -> Iterator[Finding]:
    """One for each check; where no engine answers, those that need none."""
    for name, check in CHECKS:
        if facts.info is not None or name in WITHOUT_ENGINE:
            yield Finding(name, *check(facts, settings))


def failures(facts: Facts, settings: Settings) -> list[Finding]:
    """Why no program can run, or must not, as far as it was looked."""
    return [each for each in findings(facts, settings) if each.level is Level.FAIL and each.check in RUNS]


def forbidding(facts: Facts, settings: Settings) -> list[Finding]:
    """Why no server may start. An engine that is not there may come, as after a boot: until then it is not ready."""
    away = facts.info is None and not facts.podman
    found = [each for each in failures(facts, settings) if each.check in LASTING]
    return [each for each in found if not (away and each.check == "engine")]
