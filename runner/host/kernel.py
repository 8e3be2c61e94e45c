"""What of the kernel a container's boundaries rest on. Pure."""

from typing import Final

from runner.host.facts import Facts
from runner.host.finding import GIBIBYTE, Level, Said, unseen
from runner.policy.settings import Settings

CORE_PATTERN: Final = "/proc/sys/kernel/core_pattern"
DMESG: Final = "/proc/sys/kernel/dmesg_restrict"
BPF: Final = "/proc/sys/kernel/unprivileged_bpf_disabled"
VSYSCALL: Final = "/proc/self/maps"
"""Of its lines, that of the page of old system calls; "" where there is none."""
SMT: Final = "/sys/devices/system/cpu/smt/active"
FLAWS: Final = "/sys/devices/system/cpu/vulnerabilities/"
"""A file for each flaw of the processor that the kernel knows."""


def swap(facts: Facts, settings: Settings) -> Said:
    """Programs use none, whatever there is."""
    if facts.swap is None:
        return unseen("/proc/meminfo")
    said = f"{facts.swap / GIBIBYTE:.1f} GiB of swap" if facts.swap else "no swap"
    return Level.PASS, f"{said}; programs use none", ""


def core_dumps(facts: Facts, settings: Settings) -> Said:
    """What a crash starts, outside of any container."""
    pattern = facts.kernel.get(CORE_PATTERN)
    if pattern is None:
        return unseen(CORE_PATTERN)
    if pattern.startswith("|"):
        said = f"a crash of a program starts `{pattern.split()[0][1:]}` as root: no limit of the container's stops it"
        return Level.CAUTION, said, "sysctl kernel.core_pattern=core"
    return Level.PASS, "no crash of a program starts anything", ""


def log(facts: Facts, settings: Settings) -> Said:
    """Who reads the kernel's log."""
    return _switch(facts, DMESG, "the kernel's log", "kernel.dmesg_restrict=1")


def bpf(facts: Facts, settings: Settings) -> Said:
    """Who may load programs into the kernel."""
    return _switch(facts, BPF, "BPF", "kernel.unprivileged_bpf_disabled=1")


def _switch(facts: Facts, path: str, what: str, remedy: str) -> Said:
    if path not in facts.kernel:
        return unseen(path)
    if facts.kernel[path] == "0":
        said = f"{what} is open to every user; the policies' system calls do not reach it"
        return Level.CAUTION, said, f"sysctl {remedy}"
    return Level.PASS, f"{what} is root's alone", ""


def vsyscall(facts: Facts, settings: Settings) -> Said:
    """Code at an address that is the same in every process."""
    if VSYSCALL not in facts.kernel:
        return unseen("the page of old system calls (vsyscall)")
    if " r-xp " in facts.kernel[VSYSCALL]:
        said = "vsyscall=emulate: code at an address that every program knows"
        return Level.CAUTION, said, "boot with vsyscall=none"
    return Level.PASS, "no vsyscall page that can be read", ""


def smt(facts: Facts, settings: Settings) -> Said:
    """Whether two programs share a core."""
    if SMT not in facts.kernel:
        return unseen(SMT)
    if facts.kernel[SMT] == "1":
        said = "two programs may share a core (SMT), and learn of each other by it"
        return Level.CAUTION, said, "boot with nosmt where programs must not"
    return Level.PASS, "no two programs share a core at a time", ""


def mitigations(facts: Facts, settings: Settings) -> Said:
    """The processor's known flaws."""
    states = {path.removeprefix(FLAWS): said for path, said in facts.kernel.items() if path.startswith(FLAWS)}
    if not states:
        return unseen(FLAWS)
    if open_ones := sorted(name for name, said in states.items() if said.startswith("Vulnerable")):
        said = f"the processor is open to {', '.join(open_ones)}"
        return Level.CAUTION, said, "update its microcode and the kernel; do not boot with mitigations=off"
    return Level.PASS, "the kernel closes the processor's known flaws", ""
