"""From what was seen of a host to findings: everything that is not as it should be is told, with a remedy."""

from dataclasses import replace
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.host.checks import CHECKS, LASTING, RUNS, WITHOUT_ENGINE, failures, findings, forbidding
from runner.host.facts import Facts, engine
from runner.host.kernel import BPF, CORE_PATTERN, DMESG, FLAWS, SMT, VSYSCALL
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
    "SecurityOptions": ["name=selinux", "name=seccomp,profile=builtin", "name=rootless", "name=cgroupns"],
    "Driver": "overlay2",
    "LiveRestoreEnabled": False,
    "Warnings": None,
    "ClientInfo": {"Version": "26.1.5+dfsg1"},
}
FIT: Final = Facts(
    info=INFO,
    endpoint="unix:///var/run/docker.sock",
    socket_mode=0o660,
    disk_free=50 * GIBIBYTE,
    audit_free=10 * GIBIBYTE,
    start_seconds=0.3,
    kernel={
        CORE_PATTERN: "core",
        DMESG: "1",
        BPF: "2",
        VSYSCALL: "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0    [vsyscall]",
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
    assert str(found[0]) == "PASS    engine: Docker 28.5.2+dfsg4, client 26.1.5+dfsg1, runtime crun"


@pytest.mark.parametrize(
    ("facts", "level", "check", "said"),
    [
        (changed(info={"ServerVersion": "20.10.5"}), "FAIL", "engine", "the engine is 20.10.5: too old"),
        (changed(info={"ServerVersion": None}), "FAIL", "engine", "the engine is of no version: too old"),
        (changed(info={"PidsLimit": False}), "FAIL", "cgroups", "cgroup v2, driver systemd: --pids-limit would be ign"),
        (changed(info={"SwapLimit": None}), "CAUTION", "cgroups", "cgroup v2, driver systemd: docker info does not te"),
        (
            changed(info={"CgroupVersion": "1", "DefaultRuntime": "runc"}),
            "CAUTION",
            "cgroups",
            "cgroup v1, driver systemd, keeps --memory, --",
        ),
        (changed(info={"ServerVersion": "26.1.5"}), "CAUTION", "cost", "a container takes more CPU time"),
        (changed(info={"Driver": "overlayfs"}), "CAUTION", "cost", "a container takes more CPU time"),
        (changed(info={"DefaultRuntime": "runc"}), "CAUTION", "cost", "a container takes more CPU time"),
        (
            changed(info={"SecurityOptions": ["name=selinux", "name=seccomp", "name=userns"]}),
            *("FAIL", "users", "userns-remap on cgroup v2: programs can make cgroups of their own"),
        ),
        (changed(info={"Driver": "vfs"}), "CAUTION", "storage", "storage driver vfs"),
        (changed(info={"Driver": None}), "CAUTION", "storage", "storage driver unknown"),
        (changed(disk_free=None), "CAUTION", "storage", "overlay2; how full"),
        (changed(disk_free=2**20), "FAIL", "storage", "the engine's disk is full"),
        (changed(disk_free=2 * GIBIBYTE), "CAUTION", "storage", "overlay2, 2.0 GiB are free"),
        (changed(info={"LiveRestoreEnabled": True}), "CAUTION", "live-restore", "live-restore: programs go on"),
        (changed(missing_images=("java", "go")), "FAIL", "images", "the image of java and of go is missing"),
        (changed(not_starting=("go",)), "FAIL", "start", "containers for go do not start"),
        (changed(start_seconds=None), "CAUTION", "start", "none was started"),
        (changed(start_seconds=3.0), "CAUTION", "start", "a container takes 3.00 s"),
        (changed(audit_error="No such file"), "FAIL", "audit", "the audit file cannot be written"),
        (changed(audit_free=0), "FAIL", "audit", "the audit file's disk is full"),
        (changed(audit_free=None), "CAUTION", "audit", "audit-file is off"),
        (changed(audit_free=GIBIBYTE), "CAUTION", "audit", "the audit file has 1.0 GiB, about 524,288 runs"),
        (changed(endpoint="tcp://192.0.2.1:2375"), "FAIL", "access", "the engine listens on the network"),
        (changed(socket_mode=0o666), "FAIL", "access", "everybody may use unix:///var/run/docker.sock (mode 666)"),
        (changed(socket_mode=None), "CAUTION", "access", "who may use unix:///var/run/docker.sock cannot be seen"),
        (
            changed(socket_group="docker", socket_users=("ann", "bob")),
            *("CAUTION", "access", "in the group docker, which is root: ann, bob"),
        ),
        (changed(info={"Warnings": ["WARNING: No swap limit support"]}), "CAUTION", "warnings", "docker info warns"),
        (changed({CORE_PATTERN: "|/usr/bin/apport %p"}), "CAUTION", "core dumps", "a crash of a program starts `/usr/"),
        (changed({DMESG: "0"}), "CAUTION", "kernel log", "the kernel's log is open"),
        (changed({BPF: "0"}), "CAUTION", "bpf", "BPF is open"),
        (changed({VSYSCALL: "ff-ff r-xp 0 00:00 0 [vsyscall]"}), "CAUTION", "vsyscall", "vsyscall=emulate"),
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
    for option, remaps in {"name=rootless": True, "name=userns": True, "name=apparmor": False}.items():
        failing = changed(info={"SecurityOptions": ["name=seccomp", option]}, not_starting=("go",))
        remedy = next(each.remedy for each in findings(failing, SETTINGS) if each.check == "start")
        assert ("/etc/subuid" in remedy) == remaps
    open_door = changed(info={"SecurityOptions": None})
    assert [level for level, check, _ in told(open_door) if check == "seccomp"] == ["FAIL"]


def test_an_engine_on_the_network_is_found_by_its_own_warning() -> None:
    """Docker says so where it is; an address of this host alone is none."""
    warning = ["WARNING: API is accessible on http://0.0.0.0:2375 without encryption."]
    assert ("FAIL", "access") in [(level, check) for level, check, _ in told(changed(info={"Warnings": warning}))]
    [here] = told(changed(endpoint="tcp://127.0.0.1:2375", socket_mode=None))
    assert here == ("CAUTION", "access", "who may use tcp://127.0.0.1:2375 cannot be seen from here")


def test_without_an_engine_the_rest_is_told() -> None:
    """Docker's own words, and what can be seen without it."""
    facts = replace(FIT, info=None, engine_error="permission denied;\n\ntry", socket_users=("ann",), swap=0)
    found = list(findings(facts, SETTINGS))
    assert {each.check for each in found} == WITHOUT_ENGINE
    assert told(facts) == [("FAIL", "engine", "the container engine does not answer")]
    said = "the container engine does not answer: permission denied; try. Remedy: start it: make engine"
    assert str(found[0]) == f"FAIL    engine: {said}"
    assert next(findings(replace(facts, engine_error=""), SETTINGS)).detail == "nothing was said"


def test_what_cannot_be_read_is_said() -> None:
    """Never taken for well."""
    found = told(replace(FIT, kernel={}, swap=None))
    names = ("swap", "core dumps", "kernel log", "bpf", "vsyscall", "smt", "mitigations")
    assert [(level, check) for level, check, _ in found] == [("CAUTION", name) for name in names]


def test_what_stops_a_run_stops_a_server() -> None:
    """But not what may pass: then the server starts, and is not ready."""
    assert failures(FIT, SETTINGS) == forbidding(FIT, SETTINGS) == []
    assert {name for name, _ in CHECKS} > RUNS > LASTING
    for facts, check in (
        (changed(info={"ServerVersion": "19.03.1"}), "engine"),
        (replace(FIT, info=None, podman="5.4.2"), "engine"),
        (changed(info={"MemoryLimit": False}), "cgroups"),
        (changed(info={"SecurityOptions": ["name=apparmor", "name=seccomp", "name=userns"]}), "users"),
        (changed(info={"SecurityOptions": ["name=apparmor", "name=rootless"]}), "seccomp"),
        (changed(audit_free=-1), "audit"),
    ):
        assert [each.check for each in failures(facts, SETTINGS)] == [check]
        assert [each.check for each in forbidding(facts, SETTINGS)] == [check]
    for facts, check in (
        (replace(FIT, info=None), "engine"),
        (changed(missing_images=("java",)), "images"),
        (changed(not_starting=("java",)), "start"),
        (changed(disk_free=0), "storage"),
    ):
        assert [each.check for each in failures(facts, SETTINGS)] == [check]
        assert forbidding(facts, SETTINGS) == []
    assert failures(changed(socket_mode=0o666), SETTINGS) == []  # the host's door: no program reaches it
    away = replace(FIT, info=None, audit_error="No such file")
    assert [each.check for each in forbidding(away, SETTINGS)] == ["audit"]


@pytest.mark.parametrize(
    ("told", "facts"),
    [
        ('{"ServerVersion": "26.1.5"}', Facts({"ServerVersion": "26.1.5"})),
        ('{"ServerErrors": ["Cannot connect", "a"]}', Facts(None, "Cannot connect; a")),
        ('{"ServerErrors": "Cannot connect"}', Facts(None, "Cannot connect")),
        ('{"host": {"arch": "amd64"}, "version": {"Version": "4.3.1"}}', Facts(None, podman="4.3.1")),
        (
            '{"ServerVersion": "5.4.2", "IndexServerAddress": "", "ContainerdCommit": {"ID": ""}}',
            Facts(None, podman="5.4.2"),
        ),
        ('{"host": {}, "version": {}}', Facts(None, podman="of no version")),
        ("[]", Facts(None, "`docker info` prints no object: this is not Docker's client")),
        ("Emulate Docker CLI", Facts(None, "`docker info` prints no JSON: this is not Docker's client")),
    ],
)
def test_whoever_answers_to_the_name_of_docker_is_known(told: str, facts: Facts) -> None:
    """Docker's client, Podman's, or something else: it is said in words."""
    assert engine(told) == facts


def test_crun_is_refused_on_the_old_cgroups_alone() -> None:
    """There a program can make files in /sys/fs/cgroup; with cgroup v2 it cannot."""
    old = told(changed(info={"DefaultRuntime": "crun", "CgroupVersion": "1"}))
    assert [check for level, check, _ in old if level == "FAIL"] == ["runtime"]
    assert told(changed(info={"DefaultRuntime": "crun"})) == []


def test_crun_is_not_advised_beside_apparmor() -> None:
    """Seen on Debian trixie and sid: the profile of crun itself stays in force in a container, and refuses signals."""
    confined = {"SecurityOptions": ["name=apparmor", "name=seccomp", "name=rootless"]}
    assert told(changed(info=confined | {"DefaultRuntime": "runc"})) == []
    [(level, check, said)] = told(changed(info=confined))
    assert (level, check, said[:17]) == ("CAUTION", "runtime", "crun and AppArmor")


@given(st.dictionaries(st.sampled_from(sorted(INFO)), st.none() | st.booleans() | st.text() | st.lists(st.text())))
def test_whatever_docker_says_is_judged(info: dict[str, Any]) -> None:
    """An engine may leave out, or fill, what it wants."""
    assert len(list(findings(changed(info=info), SETTINGS))) == len(CHECKS)
