"""How each flag is proved: one row a flag of ``flags``, and the verdict on what was seen."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from errno import ENETUNREACH, EPERM, EROFS
from typing import Final

from runner.policy.flags import FLAGS
from runner.policy.rules import Verdict, size
from runner.proof import boundaries, inspected, observers, quotas
from runner.proof.inspected import always, field, number, size_of, value, values
from runner.proof.observers import Observer, attempt, cgroup, own_namespace, status
from runner.proof.seen import Claim, Said, Seen


class Finding(StrEnum):
    """The verdict on one claim."""

    PROVED = "proved"
    FAILED = "FAILED"
    NOT_OBSERVED = "not observed"
    NO_OBSERVER = "no observer"
    WAIVED = "waived"


@dataclass(frozen=True, slots=True)
class Proof:
    """Who looks: docker's own words, and those that see the effect in the container or around it."""

    inspect: Observer | None
    effects: tuple[Observer, ...] = ()
    """Without any, a flag is never proved: what docker was told is not yet what happens."""
    engine: str = ""
    """What `docker info` calls the ability to keep this limit."""


def _cgroup(*names: str, want: Callable[[Claim], tuple[str, ...]]) -> Observer:
    return cgroup(names, want)


def _value(claim: Claim) -> tuple[str, ...]:
    return (claim.value,)


PROOFS: Final[Mapping[str, Proof]] = {
    "--rm": Proof(field("HostConfig.AutoRemove", always(True)), (boundaries.left_nothing,)),
    "--interactive": Proof(field("Config.OpenStdin", always(True)), (boundaries.arrived,)),
    "--pull": Proof(None),
    "--network": Proof(
        field("HostConfig.NetworkMode", value),
        (
            boundaries.no_network,
            own_namespace("net"),
            attempt("connect", "connect to 192.0.2.1", ENETUNREACH),
        ),
    ),
    "--cap-drop": Proof(
        inspected.capabilities,
        (
            status("CapBnd", "CapPrm", "CapEff", "CapInh", "CapAmb", want="0" * 16),
            attempt("mount", "mount", EPERM),
        ),
    ),
    "--read-only": Proof(
        field("HostConfig.ReadonlyRootfs", always(True)),
        (boundaries.read_only, attempt("write:/", "a file in /", EROFS)),
    ),
    "--security-opt": Proof(inspected.security_opt, (boundaries.restriction,)),
    "--user": Proof(inspected.user, (boundaries.user,)),
    "--cpus": Proof(field("HostConfig.NanoCpus", inspected.nano_cpus), (quotas.cpus,), "CpuCfsQuota"),
    "--memory": Proof(
        field("HostConfig.Memory", size_of),
        (_cgroup("memory/memory.limit_in_bytes", "memory.max", want=quotas.bytes_of), quotas.memory),
        "MemoryLimit",
    ),
    "--memory-swap": Proof(field("HostConfig.MemorySwap", size_of), (quotas.swap,), "SwapLimit"),
    "--pids-limit": Proof(
        field("HostConfig.PidsLimit", number),
        (_cgroup("pids/pids.max", "pids.max", want=_value), quotas.processes),
        "PidsLimit",
    ),
    "--tmpfs": Proof(inspected.tmpfs, (boundaries.tmpfs_mount, boundaries.tmpfs_full)),
    "--ipc": Proof(field("HostConfig.IpcMode", value), (boundaries.no_shared_memory, own_namespace("ipc"))),
    "--log-driver": Proof(field("HostConfig.LogConfig.Type", value)),
    "--blkio-weight": Proof(field("HostConfig.BlkioWeight", number)),
    "--cgroupns": Proof(field("HostConfig.CgroupnsMode", value), (boundaries.cgroup_paths, own_namespace("cgroup"))),
    "--cpu-shares": Proof(field("HostConfig.CpuShares", number), (quotas.shares,), "CPUShares"),
    "--cpuset-cpus": Proof(field("HostConfig.CpusetCpus", value), (quotas.allowed("Cpus_allowed_list"),), "CPUSet"),
    "--cpuset-mems": Proof(field("HostConfig.CpusetMems", value), (quotas.allowed("Mems_allowed_list"),), "CPUSet"),
    "--dns": Proof(field("HostConfig.Dns", values), (observers.resolver("nameserver"),)),
    "--dns-option": Proof(field("HostConfig.DnsOptions", values), (observers.resolver("options"),)),
    "--dns-search": Proof(field("HostConfig.DnsSearch", values), (observers.resolver("search"),)),
    "--domainname": Proof(field("Config.Domainname", value), (observers.file("/proc/sys/kernel/domainname"),)),
    "--env": Proof(inspected.environment, (boundaries.variable,)),
    "--hostname": Proof(
        field("Config.Hostname", value), (observers.file("/proc/sys/kernel/hostname"), own_namespace("uts"))
    ),
    "--memory-reservation": Proof(
        field("HostConfig.MemoryReservation", size_of),
        (_cgroup("memory/memory.soft_limit_in_bytes", "memory.low", want=quotas.bytes_of),),
    ),
    "--no-healthcheck": Proof(field("Config.Healthcheck.Test", always(["NONE"]))),
    "--oom-score-adj": Proof(field("HostConfig.OomScoreAdj", number), (observers.file("/proc/self/oom_score_adj"),)),
    "--quiet": Proof(None),
    "--runtime": Proof(field("HostConfig.Runtime", value)),
    "--shm-size": Proof(field("HostConfig.ShmSize", size_of)),
    "--ulimit": Proof(inspected.ulimit, (quotas.rlimit,)),
    "--workdir": Proof(field("Config.WorkingDir", value), (boundaries.working_folder,)),
}
"""Every flag that a policy may have."""

BESIDE: Final[Mapping[str, Proof]] = {
    "nothing is added to the command": Proof(None, (boundaries.command,)),
    "a seccomp filter is on": Proof(inspected.confined, (status("Seccomp", want="2"),)),
    "nothing of the host is shared": Proof(
        inspected.nothing_shared,
        (boundaries.own_mounts, own_namespace("mnt"), own_namespace("pid"), own_namespace("uts")),
    ),
    "no other variable is set": Proof(None, (boundaries.environment,)),
    "no other descriptor is open": Proof(None, (boundaries.descriptors,)),
    "no file raises privileges": Proof(None, (boundaries.no_setuid,)),
    "no namespace can be made": Proof(None, (attempt("unshare", "unshare", EPERM),)),
    "a program can signal its own processes": Proof(None, (attempt("signal", "a signal to a child", 0),)),
    "the launcher cannot be traced": Proof(None, (attempt("ptrace", "ptrace of PID 1", EPERM),)),
}
"""What the README says beside the flags."""


@dataclass(frozen=True, slots=True)
class Row:
    """One claim: the policy's line or a sentence, what docker says, what was seen, and the verdict."""

    claim: str
    finding: Finding
    inspect: str
    seen: str


def rows(lines: Sequence[str], seen: Seen, waivers: Collection[str] = ()) -> Iterator[Row]:
    """The policy's lines in their order, then what holds beside them."""
    opened = any(name in FLAGS and FLAGS[name].verdict is Verdict.FORBIDDEN for name in waivers)
    for line in lines:
        claim = Claim(line, tuple(lines))
        proof = PROOFS.get(claim.flag, Proof(None))
        yield _row(proof, claim, seen, (_ran(claim, seen),), waived=claim.flag in waivers)
    for sentence, proof in BESIDE.items():
        yield _row(proof, Claim(sentence, tuple(lines)), seen, (), waived=opened)


def _row(proof: Proof, claim: Claim, seen: Seen, command: tuple[Said | None, ...], *, waived: bool) -> Row:
    told = proof.inspect(claim, seen) if proof.inspect else None
    effects = [look(claim, seen) for look in proof.effects]
    able = inspected.engine(proof.engine)(claim, seen) if proof.engine else None
    needed = [*effects, *command, *([told] if proof.inspect else [])]
    texts = [said.text for said in effects if said]
    texts += [said.text for said in (*command, able) if said and not said.holds]
    if any(said and not said.holds for said in (*needed, able)):
        finding = Finding.WAIVED if waived else Finding.FAILED
    elif None in needed:
        finding = Finding.NOT_OBSERVED
    else:
        finding = Finding.PROVED if effects else Finding.NO_OBSERVER
    return Row(claim.line, finding, told.text if told else "", "; ".join(texts))


def _ran(claim: Claim, seen: Seen) -> Said | None:
    """Whether the line stood in the command that ran: for some flags nothing else could tell."""
    if not seen.ran:
        return None
    return Said("not in the command that ran", claim.line.replace("{uid}", str(seen.uid)) in seen.ran)


def bounds(lines: Sequence[str]) -> bytes:
    """What the probe may try to go beyond, see runner/proof/probe.pl."""
    claim = Claim("", tuple(lines))
    words = [f"pids {number}" for number in claim.values("--pids-limit")]
    words += [f"memory {size(text)}" for text in claim.values("--memory")]
    for text in claim.values("--tmpfs"):
        bytes_, files = boundaries.room(text, claim) or (0, 0)
        words.append(f"tmpfs {boundaries.path(text)} {bytes_} {files}")
    return "".join(f"{word}\n" for word in words).encode()
