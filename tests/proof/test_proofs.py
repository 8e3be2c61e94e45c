"""How a flag is proved: verdicts on what was seen, without a container. The real ones are in test_verify."""

import dataclasses
import json
from collections.abc import Mapping
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.policy import configuration
from runner.policy.flags import FLAGS
from runner.policy.rules import Verdict
from runner.proof import proofs
from runner.proof.evidence import Evidence
from runner.proof.proofs import BESIDE, PROOFS, Finding, Row
from runner.proof.seen import Answer, Claim, Seen, answers, mounts

PROFILE: Final = {"defaultAction": "SCMP_ACT_ERRNO"}
TMP: Final = "--tmpfs=/tmp:rw,noexec,nosuid,nodev,size=64m,nr_inodes=2048,mode=1777"
LINES: Final = (
    "--rm",
    "--interactive",
    "--pull=never",
    "--network=none",
    "--cap-drop=ALL",
    "--read-only",
    "--security-opt=no-new-privileges",
    "--security-opt=seccomp=policies/seccomp.json",
    "--security-opt=apparmor=runner",
    "--user={uid}:{uid}",
    "--cpus=1.5",
    "--memory=256m",
    "--memory-swap=256m",
    "--pids-limit=64",
    TMP,
    "--ipc=none",
    "--log-driver=none",
    "--blkio-weight=100",
    "--cgroupns=private",
    "--cpu-shares=256",
    "--cpuset-cpus=0,1",
    "--cpuset-mems=0",
    "--dns=192.0.2.1",
    "--dns-option=ndots:0",
    "--dns-search=.",
    "--domainname=example",
    "--env=LANG=C",
    "--hostname=sandbox",
    "--memory-reservation=64m",
    "--no-healthcheck",
    "--oom-score-adj=500",
    "--quiet",
    "--runtime=runc",
    "--shm-size=32m",
    "--ulimit=nofile=256:512",
    "--ulimit=core=0",
    "--workdir=/tmp",
)
UNSEEN: Final = {
    line for line in LINES if line.split("=")[0] in {"--pull", "--quiet", "--log-driver", "--runtime", "--shm-size"}
} | {"--blkio-weight=100", "--no-healthcheck"}
RAN: Final = ("docker", "run", *(line.replace("{uid}", "7") for line in LINES), "image", "launcher")
STATUS: Final = "".join(
    f"{name}:\t{text}\n"
    for name, text in {
        **dict.fromkeys(("Uid", "Gid"), "7\t7\t7\t7"),
        "Groups": "7 ",
        **dict.fromkeys(("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"), "0" * 16),
        "NoNewPrivs": "1",
        "Seccomp": "2",
        "Cpus_allowed_list": "0-1",
        "Mems_allowed_list": "0",
    }.items()
)
MOUNTS: Final = (
    "1 0 0:1 / / ro,relatime master:2 - overlay overlay rw,lowerdir=/x\n"
    "2 1 0:2 / /proc rw,nosuid - proc proc rw\n"
    "3 1 0:3 / /tmp rw,nosuid,nodev,noexec - tmpfs tmpfs rw,size=65536k,nr_inodes=2048\n"
    "4 1 0:4 /x /etc/hosts ro - ext4 /dev/vda rw\n"
)
V1: Final = {
    "memory/memory.limit_in_bytes": "268435456",
    "memory/memory.memsw.limit_in_bytes": "268435456",
    "memory/memory.soft_limit_in_bytes": "67108864",
    "cpu/cpu.cfs_quota_us": "150000",
    "cpu/cpu.cfs_period_us": "100000",
    "cpu/cpu.shares": "256",
    "pids/pids.max": "64",
}
V2: Final = {
    "memory.max": "268435456",
    "memory.swap.max": "0",
    "memory.low": "67108864",
    "cpu.max": "150000 100000",
    "cpu.weight": "10",
    "pids.max": "64",
}
FILES: Final = {
    "/proc/self/status": STATUS,
    "/proc/self/limits": "Max core file size     0   0   bytes\nMax open files     256   512   files\n",
    "/proc/self/mountinfo": MOUNTS,
    "/proc/self/cgroup": "1:cpu:/\n0::/\n",
    "/proc/self/oom_score_adj": "500\n",
    "/proc/self/attr/current": "runner (enforce)\n",
    "/proc/net/dev": "Inter-|\n face |\n    lo:       0 0\n",
    "/proc/net/route": "Iface\tDestination\n",
    "/proc/net/ipv6_route": "0000 00       lo\n",
    "/proc/sys/kernel/hostname": "sandbox\n",
    "/proc/sys/kernel/domainname": "example\n",
    "/etc/resolv.conf": "nameserver 192.0.2.1\noptions ndots:0\n",
}
NAMESPACES: Final = ("cgroup", "ipc", "mnt", "net", "pid", "uts")
TRIED: Final = {
    "descriptors": (0, "0\0001\0002"),
    "env": (0, "HOME=/\0LANG=C\0PATH=/bin\0VENDOR=x"),
    "cwd": (0, "/tmp"),
    "mode:/tmp": (0, "1777"),
    "writable": (0, "/tmp"),
    "setuid": (0, ""),
    "sockets": (0, ""),
    "write:/": (30, ""),
    "connect": (101, ""),
    "signal": (0, ""),
    **{f"socket:{family}": (1, "") for family in (16, 38, 40)},
    **dict.fromkeys(("mount", "unshare", "ptrace"), (1, "")),
    "processes": (11, "64"),
    "bytes:/tmp": (28, "67100672"),
    "files:/tmp": (28, "2045"),
    "memory": (-9, "260046848"),
}
INSPECT: Final[dict[str, Any]] = {
    "AppArmorProfile": "runner",
    "Mounts": [],
    "Config": {
        "OpenStdin": True,
        "User": "7:7",
        "Domainname": "example",
        "Hostname": "sandbox",
        "Env": ["LANG=C", "PATH=/bin"],
        "Healthcheck": {"Test": ["NONE"]},
        "WorkingDir": "/tmp",
    },
    "HostConfig": {
        "AutoRemove": True,
        "NetworkMode": "none",
        "CapDrop": ["ALL"],
        "CapAdd": None,
        "ReadonlyRootfs": True,
        "SecurityOpt": ["no-new-privileges", f"seccomp={json.dumps(PROFILE)}", "apparmor=runner"],
        "NanoCpus": 1500000000,
        "Memory": 268435456,
        "MemorySwap": 268435456,
        "MemoryReservation": 67108864,
        "PidsLimit": 64,
        "Tmpfs": {"/tmp": TMP.partition(":")[2]},
        "IpcMode": "none",
        "LogConfig": {"Type": "none"},
        "BlkioWeight": 100,
        "CgroupnsMode": "private",
        "CpuShares": 256,
        "CpusetCpus": "0,1",
        "CpusetMems": "0",
        "Dns": ["192.0.2.1"],
        "DnsOptions": ["ndots:0"],
        "DnsSearch": ["."],
        "OomScoreAdj": 500,
        "Runtime": "runc",
        "ShmSize": 33554432,
        "Ulimits": [{"Name": "nofile", "Soft": 256, "Hard": 512}, {"Name": "core", "Soft": 0, "Hard": 0}],
        "Privileged": False,
        "Binds": None,
    },
}


def inside(cgroups: Mapping[str, str] = V1) -> dict[str, Answer]:
    """What the probe sees where everything is as it is claimed."""
    files = {f"file:{path}": (0, text) for path, text in FILES.items()}
    files |= {f"file:/sys/fs/cgroup/{path}": (0, f"{text}\n") for path, text in cgroups.items()}
    spaces = {f"ns:{kind}": (0, f"{kind}:[1]") for kind in NAMESPACES}
    return {name: Answer(*answer) for name, answer in {**files, **spaces, **TRIED}.items()}


GOOD: Final = Seen(
    uid=7,
    ran=RAN,
    expected=RAN,
    inspect=INSPECT,
    image_environment=("PATH=/bin", "VENDOR=x"),
    engine=dict.fromkeys(("MemoryLimit", "SwapLimit", "PidsLimit", "CpuCfsQuota", "CPUShares", "CPUSet"), True),
    namespaces={kind: f"{kind}:[2]" for kind in NAMESPACES},
    profile=PROFILE,
    inside=inside(),
    removed=True,
)


def verdicts(seen: Seen, lines: tuple[str, ...] = LINES) -> dict[str, Finding]:
    """By claim."""
    return {row.claim: row.finding for row in proofs.rows(lines, seen)}


def saw(**changes: Any) -> Seen:
    """What was good, but for this."""
    return dataclasses.replace(GOOD, **changes)


def showed(name: str, error: int, text: str = "") -> Seen:
    """One other observation."""
    return saw(inside={**inside(), name: Answer(error, text)})


def told(section: str, key: str, value: object) -> Seen:
    """One other word of docker's."""
    return saw(inspect={**INSPECT, section: {**INSPECT[section], key: value}})


def test_every_flag_that_may_stand_in_a_policy_has_its_row() -> None:
    """And no other; a required one has someone who looks at it, unless nothing can."""
    assert set(PROOFS) == {flag.name for flag in FLAGS.values() if flag.verdict is not Verdict.FORBIDDEN}
    required = {flag.name for flag in FLAGS.values() if flag.verdict is Verdict.REQUIRED}
    assert {name for name in required if not PROOFS[name].effects} == {"--pull", "--log-driver"}
    assert {line.partition("=")[0] for line in LINES} == set(PROOFS)


@pytest.mark.parametrize("cgroups", [V1, V2, {**V2, "cpu.weight": "35"}], ids=["v1", "v2", "v2, newer runc"])
def test_what_is_as_claimed_is_proved(cgroups: Mapping[str, str]) -> None:
    """On both versions of cgroups; and what nobody can see is never called proved."""
    found = verdicts(saw(inside=inside(cgroups)))
    assert {claim for claim, finding in found.items() if finding is Finding.NO_OBSERVER} == UNSEEN
    assert {finding for claim, finding in found.items() if claim not in UNSEEN} == {Finding.PROVED}


def test_without_any_observation_nothing_is_proved() -> None:
    """Nor does anything fail."""
    found = verdicts(Seen(uid=7))
    assert set(found.values()) == {Finding.NOT_OBSERVED}


@given(st.sets(st.sampled_from(sorted(inside()))))
def test_what_is_not_seen_is_not_proved_and_does_not_fail(missing: set[str]) -> None:
    """Whatever a kernel or a runtime does not show."""
    found = verdicts(saw(inside={name: answer for name, answer in inside().items() if name not in missing}))
    assert set(found.values()) <= {Finding.PROVED, Finding.NOT_OBSERVED, Finding.NO_OBSERVER}


@pytest.mark.parametrize("name", sorted(inside().keys() - {"file:/proc/net/ipv6_route"}))
def test_every_observation_counts(name: str) -> None:
    """Without any one of them, some claim is not observed. But for IPv6, which a host may lack."""
    left = {key: answer for key, answer in inside().items() if key != name}
    assert Finding.NOT_OBSERVED in verdicts(saw(inside=left)).values()


STATUS_OF: Final = {
    "--cap-drop=ALL": ("CapBnd:\t" + "0" * 16, "CapBnd:\t00000000a80425fb"),
    "--security-opt=no-new-privileges": ("NoNewPrivs:\t1", "NoNewPrivs:\t0"),
    "--security-opt=seccomp=policies/seccomp.json": ("Seccomp:\t2", "Seccomp:\t0"),
    "--user={uid}:{uid}": ("Gid:\t7\t7", "Gid:\t0\t7"),
}


@pytest.mark.parametrize("claim", STATUS_OF)
def test_the_status_of_the_process_decides(claim: str) -> None:
    """The bounding set too: of a process that is not root the others are 0 in any case."""
    text = STATUS.replace(*STATUS_OF[claim])
    assert text != STATUS
    assert verdicts(showed("file:/proc/self/status", 0, text))[claim] is Finding.FAILED


OTHERWISE: Final = [
    ("--network=none", "file:/proc/net/dev", 0, "\n\n lo: 0\n eth0: 0"),
    ("--network=none", "file:/proc/net/route", 0, "Iface\neth0\t00000000\n"),
    ("--network=none", "file:/proc/net/ipv6_route", 0, "0000 00 eth0\n"),
    ("--network=none", "connect", 115, ""),
    ("--network=none", "ns:net", 0, "net:[2]"),
    ("--cap-drop=ALL", "mount", 0, ""),
    ("--read-only", "write:/", 13, ""),
    ("--read-only", "writable", 0, "/tmp\0/dev/mqueue"),
    ("--read-only", "file:/proc/self/mountinfo", 0, MOUNTS.replace(" ro,relatime", " rw,relatime")),
    ("--security-opt=seccomp=policies/seccomp.json", "socket:40", 0, ""),
    ("--security-opt=apparmor=runner", "file:/proc/self/attr/current", 0, "runner (complain)"),
    ("--cpus=1.5", "file:/sys/fs/cgroup/cpu/cpu.cfs_quota_us", 0, "-1"),
    ("--cpus=1.5", "file:/sys/fs/cgroup/cpu/cpu.cfs_quota_us", 0, "200000"),
    ("--memory=256m", "file:/sys/fs/cgroup/memory/memory.limit_in_bytes", 0, "9223372036854771712"),
    ("--memory=256m", "memory", 0, "285212672"),
    ("--memory=256m", "memory", -9, "285212672"),
    ("--memory-swap=256m", "file:/sys/fs/cgroup/memory/memory.memsw.limit_in_bytes", 0, "536870912"),
    ("--pids-limit=64", "file:/sys/fs/cgroup/pids/pids.max", 0, "max"),
    ("--pids-limit=64", "processes", 0, "72"),
    ("--pids-limit=64", "processes", 11, "65"),
    (TMP, "bytes:/tmp", 0, "68157440"),
    (TMP, "bytes:/tmp", 28, "68157440"),
    (TMP, "files:/tmp", 0, "2056"),
    (TMP, "mode:/tmp", 0, "755"),
    (TMP, "file:/proc/self/mountinfo", 0, MOUNTS.replace("noexec - tmpfs", "exec - tmpfs")),
    (TMP, "file:/proc/self/mountinfo", 0, MOUNTS.replace(",nodev", "")),
    (TMP, "file:/proc/self/mountinfo", 0, MOUNTS.replace("65536k", "65537k")),
    (TMP, "file:/proc/self/mountinfo", 0, MOUNTS.replace("- tmpfs tmpfs", "- ext4 /dev/vda")),
    (TMP, "file:/proc/self/mountinfo", 0, MOUNTS.replace("/tmp", "/etc/hosts")),
    ("--ipc=none", "file:/proc/self/mountinfo", 0, f"{MOUNTS}5 1 0:5 / /dev/shm rw - tmpfs shm rw,size=65536k\n"),
    ("--ipc=none", "ns:ipc", 0, "ipc:[2]"),
    ("--cgroupns=private", "file:/proc/self/cgroup", 0, "1:cpu:/docker/1234\n"),
    ("--cpu-shares=256", "file:/sys/fs/cgroup/cpu/cpu.shares", 0, "1024"),
    ("--cpuset-cpus=0,1", "file:/proc/self/status", 0, STATUS.replace("list:\t0-1", "list:\t0-2")),
    ("--dns=192.0.2.1", "file:/etc/resolv.conf", 0, "nameserver 192.0.2.1\nnameserver 10.0.0.1"),
    ("--dns-search=.", "file:/etc/resolv.conf", 0, "search example.org"),
    ("--env=LANG=C", "env", 0, "PATH=/bin\0LANG=de"),
    ("--env=LANG=C", "env", 0, "PATH=/bin"),
    ("--hostname=sandbox", "file:/proc/sys/kernel/hostname", 0, "0123456789ab"),
    ("--oom-score-adj=500", "file:/proc/self/oom_score_adj", 0, "0"),
    ("--ulimit=nofile=256:512", "file:/proc/self/limits", 0, "Max open files  20000  20000  files\n"),
    ("--ulimit=core=0", "file:/proc/self/limits", 0, "Max core file size  0  unlimited  bytes\n"),
    ("--workdir=/tmp", "cwd", 0, "/"),
    ("nothing of the host is shared", "sockets", 0, "/run/docker.sock"),
    ("nothing of the host is shared", "file:/proc/self/mountinfo", 0, f"{MOUNTS}5 1 8:1 /home /home ro - ext4 a rw\n"),
    ("no other variable is set", "env", 0, "LANG=C\0HTTP_PROXY=http://user:word@proxy"),
    ("no other descriptor is open", "descriptors", 0, "0\0001\0002\0003"),
    ("no file raises privileges", "setuid", 0, "/usr/bin/su"),
    ("no namespace can be made", "unshare", 0, ""),
    ("a program can signal its own processes", "signal", 1, ""),
    ("the launcher cannot be traced", "ptrace", 0, ""),
    ("the launcher cannot be traced", "ptrace", -31, ""),
]


@pytest.mark.parametrize(("claim", "name", "error", "text"), OTHERWISE)
def test_what_is_seen_otherwise_fails(claim: str, name: str, error: int, text: str) -> None:
    """Each effect alone, whatever docker says."""
    assert verdicts(showed(name, error, text))[claim] is Finding.FAILED


WORDS: Final = [
    ("--rm", "HostConfig", "AutoRemove", False),
    ("--cap-drop=ALL", "HostConfig", "CapAdd", ["SYS_ADMIN"]),
    ("--cap-drop=ALL", "HostConfig", "CapDrop", None),
    ("--security-opt=no-new-privileges", "HostConfig", "SecurityOpt", ["no-new-privileges:false"]),
    ("--security-opt=seccomp=policies/seccomp.json", "HostConfig", "SecurityOpt", ['seccomp={"defaultAction": "X"}']),
    ("--security-opt=seccomp=policies/seccomp.json", "HostConfig", "SecurityOpt", ["seccomp=builtin"]),
    ("a seccomp filter is on", "HostConfig", "SecurityOpt", ["seccomp=unconfined"]),
    ("--user={uid}:{uid}", "Config", "User", "8:8"),
    (TMP, "HostConfig", "Tmpfs", {"/tmp": "rw,size=64m"}),
    (TMP, "HostConfig", "Tmpfs", None),
    ("--env=LANG=C", "Config", "Env", None),
    ("--ulimit=nofile=256:512", "HostConfig", "Ulimits", [{"Name": "nofile", "Soft": 1, "Hard": 1}]),
    ("--ulimit=nofile=256:512", "HostConfig", "Ulimits", None),
    ("--log-driver=none", "HostConfig", "LogConfig", {"Type": "json-file"}),
    ("--no-healthcheck", "Config", "Healthcheck", None),
    ("nothing of the host is shared", "HostConfig", "Binds", ["/:/host"]),
    ("nothing of the host is shared", "HostConfig", "Privileged", True),
]


@pytest.mark.parametrize(("claim", "section", "key", "value"), WORDS)
def test_what_docker_says_otherwise_fails(claim: str, section: str, key: str, value: object) -> None:
    """Also where nothing else can look."""
    assert verdicts(told(section, key, value))[claim] is Finding.FAILED


@pytest.mark.parametrize("words", ["no-new-privileges:true", "no-new-privileges=true"])
def test_other_engines_spell_it_otherwise(words: str) -> None:
    """The same restriction."""
    found = verdicts(told("HostConfig", "SecurityOpt", [words]))
    assert found["--security-opt=no-new-privileges"] is Finding.PROVED


def test_a_mount_of_docker_inspect_is_the_hosts() -> None:
    """A volume, whichever way it came there."""
    found = verdicts(saw(inspect={**INSPECT, "Mounts": [{"Type": "bind"}]}))
    assert found["nothing of the host is shared"] is Finding.FAILED


def test_a_container_that_is_left_fails() -> None:
    """The engine was told otherwise, or did not do it."""
    assert verdicts(saw(removed=False))["--rm"] is Finding.FAILED


@pytest.mark.parametrize("line", LINES)
def test_a_line_that_did_not_run_fails(line: str) -> None:
    """Whatever else is seen: what is read is what runs."""
    shorter = tuple(word for word in RAN if word != line.replace("{uid}", "7"))
    found = verdicts(saw(ran=shorter))
    assert (found[line], found["nothing is added to the command"]) == (Finding.FAILED, Finding.FAILED)


def test_a_word_that_was_added_fails() -> None:
    """And is told."""
    row = {r.claim: r for r in proofs.rows(LINES, saw(ran=("docker", "run", "--privileged", *RAN[2:])))}
    assert row["nothing is added to the command"].finding is Finding.FAILED
    assert row["nothing is added to the command"].seen == "not as the policy says: --privileged"


@pytest.mark.parametrize(
    ("flag", "key"), [(flag, proof.engine) for flag, proof in PROOFS.items() if proof.engine], ids=lambda value: value
)
def test_a_limit_that_the_engine_cannot_keep_fails(flag: str, key: str) -> None:
    """Docker drops it with a warning; an engine that does not say so is believed what is seen."""
    line = next(line for line in LINES if line.partition("=")[0] == flag)
    assert verdicts(saw(engine={key: False}))[line] is Finding.FAILED
    assert verdicts(saw(engine={}))[line] is Finding.PROVED


def test_shared_memory_may_be_the_policys_own() -> None:
    """A tmpfs of its lines; or docker's, where --ipc=private asks for it."""
    shm = "--tmpfs=/dev/shm:rw,noexec,nosuid,nodev,size=16m,nr_inodes=64,mode=1777"
    text = f"{MOUNTS}5 1 0:5 / /dev/shm rw,nosuid,nodev,noexec - tmpfs tmpfs rw,size=16384k,nr_inodes=64\n"
    seen = showed("file:/proc/self/mountinfo", 0, text)
    seen = dataclasses.replace(seen, ran=(*RAN, shm, "--ipc=private"))
    assert verdicts(seen, (*LINES, shm))["--ipc=none"] is Finding.PROVED
    assert verdicts(seen)["--ipc=none"] is Finding.FAILED
    private = dataclasses.replace(seen, inspect={"HostConfig": {"IpcMode": "private"}})
    assert verdicts(private, ("--ipc=private",))["--ipc=private"] is Finding.PROVED


def test_a_tmpfs_that_nobody_may_write_to_is_proved() -> None:
    """Its first byte is refused."""
    line = TMP.replace("1777", "0555")
    seen = dataclasses.replace(
        told("HostConfig", "Tmpfs", {"/tmp": line.partition(":")[2]}),
        ran=(line,),
        inside=inside() | {"mode:/tmp": Answer(0, "555")} | {f"{n}:/tmp": Answer(13, "0") for n in ("bytes", "files")},
    )
    assert verdicts(seen, (line, "--memory=256m"))[line] is Finding.PROVED


def test_a_tmpfs_larger_than_the_memory_is_not_filled() -> None:
    """The kernel would kill the probe; the mount's own size is the proof."""
    line = TMP.replace("64m", "256m")
    assert proofs.bounds((line, "--memory=256m", "--pids-limit=64")) == b"pids 64\nmemory 268435456\ntmpfs /tmp 0 0\n"
    seen = dataclasses.replace(
        told("HostConfig", "Tmpfs", {"/tmp": line.partition(":")[2]}),
        ran=(line,),
        inside={**inside(), "file:/proc/self/mountinfo": Answer(0, MOUNTS.replace("65536k", "262144k"))},
    )
    assert verdicts(seen, (line, "--memory=256m"))[line] is Finding.PROVED


def test_a_tmpfs_without_a_bound_is_not_filled() -> None:
    """Such a line needs a waiver, and has no end."""
    for line in ("--tmpfs=/tmp", "--tmpfs=/tmp:size=1m", "--tmpfs=/tmp:nr_inodes=5"):
        assert proofs.bounds((line, "--memory=256m")) == b"memory 268435456\ntmpfs /tmp 0 0\n"
    assert proofs.bounds((TMP,)) == b"tmpfs /tmp 0 0\n"


def test_what_is_waived_does_not_fail() -> None:
    """The line itself; and what the README says beside the flags, where a forbidden one was let in."""
    lines = ("--network=host", "--volume=/:/host")
    seen = dataclasses.replace(showed("sockets", 0, "/run/docker.sock"), ran=lines)
    found = {row.claim: row.finding for row in proofs.rows(lines, seen, {"--network": "why", "--volume": "why"})}
    assert found["--network=host"] is Finding.WAIVED
    assert found["--volume=/:/host"] is Finding.NO_OBSERVER
    assert found["nothing of the host is shared"] is Finding.WAIVED
    found = {row.claim: row.finding for row in proofs.rows(lines, seen, {"--network": "why"})}
    assert found["nothing of the host is shared"] is Finding.FAILED


def test_the_bounds_are_those_of_the_policy() -> None:
    """What the probe may go beyond, by a little."""
    assert proofs.bounds(LINES) == b"pids 64\nmemory 268435456\ntmpfs /tmp 67108864 2048\n"
    assert proofs.bounds(()) == b""


# What the probe prints


@given(st.dictionaries(st.from_regex(r"[a-z:/.]+", fullmatch=True), st.tuples(st.integers(-64, 4095), st.text())))
def test_the_probes_lines_are_read(there: dict[str, tuple[int, str]]) -> None:
    """Any text, in the probe's encoding."""
    encoded = {
        name: "".join(f"%{byte:02X}" if not 32 <= byte < 127 or byte == 37 else chr(byte) for byte in text.encode())
        for name, (_, text) in there.items()
    }
    lines = "".join(f"{name}\t{error}\t{encoded[name]}\n" for name, (error, _) in there.items())
    assert answers(lines.encode()) == {name: Answer(*answer) for name, answer in there.items()}


@given(st.binary())
def test_other_output_is_no_observation(output: bytes) -> None:
    """It is left out, and so is a line that was cut."""
    assert all(name + "\t" in output.decode(errors="replace") for name in answers(output))
    assert answers(b"cwd\t0\t/tm") == answers(b"cwd\tx\t/tmp\n") == answers(b"cwd 0 /tmp\n") == {}


def test_a_line_that_is_no_mount_is_left_out() -> None:
    """A kernel of another kind."""
    assert list(mounts("nonsense\n1 2 3 4 5 6 - 7\n")) == []


def test_a_claim_has_its_flag_and_value() -> None:
    """Split at the first equals sign."""
    claim = Claim("--env=A=B", ("--rm", "--env=A=B", "--env=C=D"))
    assert (claim.flag, claim.value, claim.values("--env"), claim.values("--rm")) == (
        "--env",
        "A=B",
        ("A=B", "C=D"),
        ("",),
    )


# What is told


def evidence(seen: Seen) -> Evidence:
    """Of the python policy."""
    return Evidence(configuration.load().policies["python"], tuple(proofs.rows(LINES, seen)), seen.engine, 0.5)


def test_the_evidence_has_the_same_in_json_and_in_the_table() -> None:
    """Every row, and the sums."""
    found = evidence(showed("connect", 0, ""))
    data = json.loads(json.dumps(found.as_json()))
    text = " ".join(found.as_text().split())
    assert data["failed"] == ["--network=none"]
    assert data["no_observer"] == [line for line in LINES if line in UNSEEN]
    assert len(data["rows"]) == len(LINES) + len(BESIDE)
    assert all(
        " ".join(row[key].split()) in text for row in data["rows"] for key in ("claim", "finding", "inspect", "seen")
    )
    assert (
        found.as_text().splitlines()[-1]
        == "python: 38 proved, 1 FAILED, 0 not observed, 7 no observer, 0 waived, in 0.50 s"
    )
    assert found.summary(61.9) == {"proved": 38, "failed": ["--network=none"], "age": 61}


def test_only_what_failed_or_was_not_observed_does_not_hold() -> None:
    """What nothing can look at is told, and is nobody's failure."""
    assert evidence(GOOD).holds
    assert not evidence(showed("connect", 0, "")).holds
    assert not evidence(saw(engine=None, inspect=None)).holds


def test_a_long_line_has_a_line_of_its_own_in_the_table() -> None:
    """So that the columns stay where they are."""
    found = dataclasses.replace(evidence(GOOD), rows=(Row("x" * 80, Finding.PROVED, "told", "seen"),))
    assert found.as_text().splitlines()[1:3] == ["proved       " + "x" * 80, " " * 83 + "told | seen"]


def test_the_table_has_no_control_characters() -> None:
    """What a container says goes to a terminal."""
    text = evidence(showed("file:/proc/sys/kernel/hostname", 0, "\x1b[31mred")).as_text()
    assert all(char.isprintable() or char == "\n" for char in text)
