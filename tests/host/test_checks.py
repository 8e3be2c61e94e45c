"""From what was seen of a host to findings: everything that is not as it should be is told, with a remedy."""

from dataclasses import replace
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.host.checks import BPF, CHECKS, COMMAND_LINE, CORE_PATTERN, DMESG, FLAWS, SMT, WITHOUT_ENGINE, findings
from runner.host.facts import Facts
from runner.policy import configuration

SETTINGS: Final = configuration.load().settings
GIBIBYTE: Final = 1024**3
INFO: Final[dict[str, Any]] = {
    "ServerVersion": "28.5.2+dfsg4",
    "DefaultRuntime": "crun",
    "MemoryLimit": True,
    "SwapLimit": True,
    "CpuCfsQuota": True,
    "PidsLimit": True,
    "CgroupVersion": "2",
    "CgroupDriver": "systemd",
    "SecurityOptions": ["name=apparmor", "name=seccomp,profile=builtin", "name=userns", "name=cgroupns"],
    "Driver": "overlay2",
    "LiveRestoreEnabled": False,
    "Warnings": None,
}
FIT: Final = Facts(
    info=INFO,
    engine_error="",
    docker_host="",
    socket_mode=0o660,
    docker_group=(),
    disk_free=50 * GIBIBYTE,
    audit_error="",
    audit_free=10 * GIBIBYTE,
    missing_images=(),
    start_seconds=0.3,
    kernel={
        CORE_PATTERN: "core",
        DMESG: "1",
        BPF: "2",
        COMMAND_LINE: "quiet",
        SMT: "0",
        f"{FLAWS}l1tf": "Not affected",
    },
    swap=GIBIBYTE,
    open_files=1_048_576,
    clock_offset=0.2,
)


def changed(kernel: dict[str, str] | None = None, info: dict[str, Any] | None = None, **facts: Any) -> Facts:
    """A fit host, but for these."""
    return replace(FIT, info=INFO | (info or {}), kernel={**FIT.kernel, **(kernel or {})}, **facts)


def told(facts: Facts) -> list[tuple[str, str, str]]:
    """What does not pass."""
    return [(each.level, each.check, each.said) for each in findings(facts, SETTINGS) if each.level != "PASS"]


def test_a_fit_host_passes() -> None:
    """Every check, in its order, and none has a remedy."""
    found = list(findings(FIT, SETTINGS))
    assert [each.check for each in found] == [name for name, _ in CHECKS]
    assert {(each.level, each.remedy) for each in found} == {("PASS", "")}


@pytest.mark.parametrize(
    ("facts", "level", "check", "said"),
    [
        (changed(info={"ServerVersion": "20.10.5"}), "FAIL", "engine", "Docker 20.10.5 is too old"),
        (changed(info={"PidsLimit": False}), "FAIL", "cgroups", "the kernel does not keep --pids-limit"),
        (changed(info={"CgroupVersion": "1"}), "CAUTION", "cgroups", "cgroup v1"),
        (changed(info={"ServerVersion": "26.1.5"}), "CAUTION", "cost", "a container takes more CPU time"),
        (changed(info={"Driver": "overlayfs"}), "CAUTION", "cost", "a container takes more CPU time"),
        (changed(info={"DefaultRuntime": "runc"}), "CAUTION", "cost", "a container takes more CPU time"),
        (changed(info={"Driver": "vfs"}), "CAUTION", "storage", "storage driver vfs"),
        (changed(disk_free=None), "CAUTION", "storage", "overlay2; how full"),
        (changed(disk_free=GIBIBYTE // 2), "FAIL", "storage", "overlay2, 0.5 GiB are free"),
        (changed(disk_free=2 * GIBIBYTE), "CAUTION", "storage", "overlay2, 2.0 GiB are free"),
        (changed(info={"LiveRestoreEnabled": True}), "CAUTION", "live-restore", "live-restore: programs go on"),
        (changed(missing_images=("java",)), "FAIL", "images", "without their image: java"),
        (changed(start_seconds=None), "FAIL", "start", "a container did not start"),
        (changed(start_seconds=3.0), "CAUTION", "start", "a container takes 3.00 s"),
        (changed(audit_error="audit-file: x cannot be written"), "FAIL", "audit", "audit-file: x cannot"),
        (changed(audit_free=None), "CAUTION", "audit", "audit-file is off"),
        (changed(audit_free=GIBIBYTE), "CAUTION", "audit", "the audit file has 1.0 GiB, about 524,288 runs"),
        (changed(docker_host="tcp://192.0.2.1:2375"), "FAIL", "access", "the engine listens on the network"),
        (changed(socket_mode=0o666), "FAIL", "access", "everybody may use the engine's socket (mode 666)"),
        (changed(docker_group=("ann", "bob")), "CAUTION", "access", "in the group docker, which is root: ann, bob"),
        (changed(info={"Warnings": ["WARNING: No swap limit support"]}), "CAUTION", "warnings", "docker info warns"),
        (changed({CORE_PATTERN: "|/usr/bin/apport %p"}), "CAUTION", "core dumps", "a crash of a program starts `/usr/"),
        (changed({DMESG: "0"}), "CAUTION", "kernel log", "the kernel's log is open"),
        (changed({BPF: "0"}), "CAUTION", "bpf", "BPF is open"),
        (changed({COMMAND_LINE: "a vsyscall=emulate b"}), "CAUTION", "vsyscall", "vsyscall=emulate"),
        (changed({SMT: "1"}), "CAUTION", "smt", "two programs may share a core"),
        (changed({f"{FLAWS}mds": "Vulnerable: no"}), "CAUTION", "mitigations", "the processor is open to mds"),
        (changed(clock_offset=10.0), "CAUTION", "clock", "the engine's clock is +10 s"),
        (changed(clock_offset=None), "CAUTION", "clock", "the engine does not say"),
        (changed(open_files=1024), "CAUTION", "open files", "1024 open files are too few"),
    ],
)
def test_what_is_not_as_it_should_be_is_told(facts: Facts, level: str, check: str, said: str) -> None:
    """That, and nothing else; with what to do."""
    [found] = told(facts)
    assert (found[0], found[1], found[2][: len(said)]) == (level, check, said)
    assert all(each.remedy for each in findings(facts, SETTINGS) if each.level != "PASS")


def test_what_confines_containers() -> None:
    """One of the two is enough; users of their own come by a remapping or a rootless engine."""
    bare = changed(info={"SecurityOptions": ["name=seccomp,profile=default"]})
    assert [check for _, check, _ in told(bare)] == ["confinement", "users"]
    assert told(changed(info={"SecurityOptions": ["name=seccomp", "name=selinux", "name=rootless"]})) == []
    open_door = changed(info={"SecurityOptions": None})
    assert [level for level, check, _ in told(open_door) if check == "seccomp"] == ["FAIL"]


def test_an_engine_on_the_network_is_found_by_its_own_warning() -> None:
    """Docker says so where it is; an address of this host alone is none."""
    warning = ["WARNING: API is accessible on http://0.0.0.0:2375 without encryption."]
    assert ("FAIL", "access") in [(level, check) for level, check, _ in told(changed(info={"Warnings": warning}))]
    assert told(changed(docker_host="tcp://127.0.0.1:2375")) == []


def test_without_an_engine_the_rest_is_told() -> None:
    """Docker's own words, and what can be seen without it."""
    facts = replace(FIT, info=None, engine_error="permission denied", docker_group=("ann",), swap=0)
    found = list(findings(facts, SETTINGS))
    assert {each.check for each in found} == WITHOUT_ENGINE
    assert told(facts) == [("FAIL", "engine", "no Docker engine answers: permission denied")]
    assert told(replace(facts, engine_error=""))[0][2].endswith("nothing was said")


def test_what_cannot_be_read_is_said() -> None:
    """Never taken for well."""
    found = told(replace(FIT, kernel={}))
    assert [(level, check) for level, check, _ in found] == [
        ("CAUTION", name) for name in ("core dumps", "kernel log", "bpf", "mitigations")
    ]


@given(st.dictionaries(st.sampled_from(sorted(INFO)), st.none() | st.booleans() | st.text() | st.lists(st.text())))
def test_whatever_docker_says_is_judged(info: dict[str, Any]) -> None:
    """An engine may leave out, or fill, what it wants."""
    assert len(list(findings(changed(info=info), SETTINGS))) == len(CHECKS)
