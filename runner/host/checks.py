"""Is this host fit? A finding for each thing that a container's boundaries or the service rest on. Pure."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from runner.host import kernel
from runner.host.facts import Facts
from runner.host.finding import GIBIBYTE, Check, Finding, Level, Said
from runner.policy.settings import Settings

FULL: Final = 64 * 1024**2
"""Bytes on the engine's disk below which containers do not start, or soon will not: each writes some KiB there."""
OLDEST: Final = (20, 10, 10)
"""The first engine that reads the seccomp profile of the policies."""
IDS: Final = "100000:2144000000"
"""Enough for the policies' uids; the 65536 that a system gives are not: no container starts."""
CHEAP: Final = (28,)
"""From which on a container takes a quarter less CPU time: tests/bench/README.md has the figures."""
LIMITS: Final = {
    "--memory": "MemoryLimit",
    "--memory-swap": "SwapLimit",
    "--cpus": "CpuCfsQuota",
    "--pids-limit": "PidsLimit",
}
"""What needs a controller of the kernel's, and how `docker info` says that it is there."""


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
        "runc, not crun": info.get("CgroupVersion") == "2"
        and info.get("DefaultRuntime") == "runc"
        and not _option(facts, "apparmor"),  # see _runtime
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
    remedy = "runc as default-runtime in the engine's daemon.json"
    if runtime == "crun" and info.get("CgroupVersion") == "1":
        said = "crun on cgroup v1: programs can make files in /sys/fs/cgroup"
        return Level.FAIL, said, f"{remedy}, or boot with cgroup v2"
    if runtime == "crun" and _option(facts, "apparmor"):  # it stays in force in the container: crun//&docker-default
        said = "crun and AppArmor: where crun has a profile of its own, nothing in a container can signal its processes"
        return Level.CAUTION, said, remedy
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
    version = (facts.info or {}).get("CgroupVersion")
    if _option(facts, "userns") and version == "2":  # the engine mounts cgroups writable there (moby, WithMounts)
        said = "userns-remap on cgroup v2: programs can make cgroups of their own in /sys/fs/cgroup"
        return Level.FAIL, said, "no userns-remap in the engine's daemon.json, or a rootless engine"
    if _option(facts, "rootless") or _option(facts, "userns"):
        return Level.PASS, "a container's users are none of the host's", ""
    said = "user ids are the host's; programs are never root, and their ids have no name here"
    remap = f"userns-remap; its user has {IDS} in /etc/subuid and /etc/subgid"
    return Level.CAUTION, said, remap if version == "1" else "a rootless engine"


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
        if _option(facts, "rootless") or _option(facts, "userns"):
            remedy = f"the engine's user needs {IDS} in /etc/subuid and /etc/subgid, for {{uid}}; else {remedy}"
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
    ("swap", kernel.swap),
    ("core dumps", kernel.core_dumps),
    ("kernel log", kernel.log),
    ("bpf", kernel.bpf),
    ("vsyscall", kernel.vsyscall),
    ("smt", kernel.smt),
    ("mitigations", kernel.mitigations),
    ("clock", _clock),
    ("open files", _files),
)
WITHOUT_ENGINE: Final = frozenset(
    {"engine", "audit", "swap", "core dumps", "kernel log", "bpf", "vsyscall", "smt", "mitigations", "open files"}
)
"""What can be told where no engine answers."""
RUNS: Final = frozenset({"engine", "images", "start", "audit", "storage", "cgroups", "users", "seccomp"})
"""Without which no program runs, or its limits do not hold: where one fails, `GET /ready` is 503."""
LASTING: Final = frozenset({"engine", "audit", "cgroups", "users", "seccomp"})
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
