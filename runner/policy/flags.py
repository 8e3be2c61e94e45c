"""Every flag of ``docker run`` and what this project thinks of it: one row a flag.

``check`` reads the rules, ``show`` and ``GET /policies`` the reasons, ``verify`` proves the rows one by one.
A rule looks at one value; what two flags must agree on stands in ``policy``.
"""

from typing import Final

from runner.policy.rules import (
    Flag,
    Kind,
    Rule,
    Verdict,
    absolute,
    anything,
    environment,
    exactly,
    memory,
    number,
    security_opt,
    tmpfs,
    ulimit,
)

BENCHMARKS: Final = (
    "CIS: Docker Benchmark 1.6.0 to 1.8.0 (in older ones every 5.x is one lower); "
    "OWASP: rules of the Docker Security Cheat Sheet; NIST: countermeasures of SP 800-190"
)
"""What the ``sources`` of a row refer to."""


def _required(example: str, kind: Kind, why: str, without: str, sources: str, rule: Rule) -> Flag:
    return Flag(example.partition("=")[0], kind, Verdict.REQUIRED, why, without, sources, rule, example)


def _allowed(name: str, kind: Kind, why: str, without: str, sources: str = "", rule: Rule = anything) -> Flag:
    return Flag(name, kind, Verdict.ALLOWED, why, without, sources, rule)


def _forbidden(names: str, why: str, sources: str = "") -> tuple[Flag, ...]:
    return tuple(Flag(name, Kind.LIST, Verdict.FORBIDDEN, why, sources=sources) for name in names.split())


_ROWS: Final[tuple[Flag, ...]] = (
    _required(
        "--rm",
        Kind.SWITCH,
        "nothing is left of an ended container",
        "ended containers pile up with whatever they wrote",
        "CIS 6.2",
        exactly(""),
    ),
    _required(
        "--interactive",
        Kind.SWITCH,
        "code and input arrive on stdin",
        "the launcher has no stdin, and code would need a mount or a file on the host",
        "CIS 5.6",
        exactly(""),
    ),
    _required(
        "--pull=never",
        Kind.SCALAR,
        "a missing image is an error, never a download",
        "a client's request fetches whatever a registry has under that tag by then",
        "CIS 5.28; OWASP #13; NIST 4.1.5, 4.2.2",
        exactly("never"),
    ),
    _required(
        "--network=none",
        Kind.SCALAR,
        "no way out, no way to others",
        "programs reach the internet, the cloud's metadata service and their neighbours",
        "CIS 5.10, 5.30; OWASP #5; NIST 4.4.2",
        exactly("none"),
    ),
    _required(
        "--cap-drop=ALL",
        Kind.SCALAR,
        "no privilege of root is left",
        "14 capabilities stay within reach: raw sockets, mknod, chroot, setuid",
        "CIS 5.4; OWASP #3; NIST 4.4.3",
        exactly("ALL"),
    ),
    _required(
        "--read-only",
        Kind.SWITCH,
        "the image cannot be changed, and its layer not be filled",
        "a program writes to the host's disk through the container's own layer, without a bound",
        "CIS 5.13; OWASP #8; NIST 4.4.3, 4.4.4",
        exactly(""),
    ),
    _required(
        "--security-opt=no-new-privileges",
        Kind.KEYED,
        "no file raises privileges",
        "setuid files and file capabilities raise privileges",
        "CIS 5.26; OWASP #4; NIST 4.4.3",
        security_opt,
    ),
    _required(
        "--user={uid}:{uid}",
        Kind.SCALAR,
        "not root, and not the uid of a neighbour: limits per uid are host-wide",
        "root on the host after an escape; with a shared uid one program takes the others' inotify instances",
        "CIS 4.1; OWASP #2; NIST 4.4.3",
        exactly("{uid}:{uid}"),
    ),
    _required(
        "--cpus=1",
        Kind.SCALAR,
        "the others' CPU time",
        "one program takes every CPU of the host",
        "CIS 5.12; OWASP #7; NIST 4.4.3",
        number(0.01, 64, r"[0-9]+(\.[0-9]+)?"),
    ),
    _required(
        "--memory=256m",
        Kind.SCALAR,
        "the host's memory",
        "one program takes all memory, and the kernel kills others for it",
        "CIS 5.11; OWASP #7; NIST 4.4.3",
        memory,
    ),
    _required(
        "--memory-swap=256m",
        Kind.SCALAR,
        "no swap beside --memory",
        "docker grants as much swap again as memory, and the host thrashes",
        "CIS 5.11",
        memory,
    ),
    _required(
        "--pids-limit=64",
        Kind.SCALAR,
        "fork bombs end at this many",
        "a fork bomb takes every process id of the host",
        "CIS 5.29; OWASP #7",
        number(1, 4096),
    ),
    _required(
        "--tmpfs=/tmp:rw,noexec,nosuid,nodev,size=64m,nr_inodes=2048,mode=1777",
        Kind.KEYED,
        "the only writable place, with a bound on bytes and files",
        "no place for the source; without size= half of the host's memory, without nr_inodes= 250,000 files",
        "CIS 5.13, 5.6; OWASP #8",
        tmpfs,
    ),
    _required(
        "--ipc=none",
        Kind.SCALAR,
        "no shared memory with others",
        "shared memory with a bound of its own; with =host it is the host's",
        "CIS 5.17; OWASP #7; NIST 4.4.3",
        exactly("none", "private"),
    ),
    _required(
        "--log-driver=none",
        Kind.SCALAR,
        "output does not fill the host's disk",
        "the engine writes all output to a file on the host, 38 MB/s were measured",
        "CIS 2.13; OWASP #10",
        exactly("none"),
    ),
    _allowed("--blkio-weight", Kind.SCALAR, "a share of disk time", "an equal share", "CIS 5.12", number(10, 1000)),
    _allowed(
        "--cgroupns",
        Kind.SCALAR,
        "the host's cgroup paths stay unknown",
        "the container sees its own id and the host's cgroup paths (cgroup v1)",
        "CIS 5.25",
        exactly("private"),
    ),
    _allowed(
        "--cpu-shares",
        Kind.SCALAR,
        "the server stays ahead of the programs",
        "programs and server share the CPUs as equals",
        "CIS 5.12",
        number(2, 1024),
    ),
    _allowed("--cpuset-cpus", Kind.SCALAR, "which CPUs", "all CPUs", ""),
    _allowed("--cpuset-mems", Kind.SCALAR, "which memory nodes", "all memory nodes", ""),
    _allowed(
        "--dns",
        Kind.LIST,
        "the host's DNS servers stay unknown",
        "the host's /etc/resolv.conf is copied, even with no network",
        "",
    ),
    _allowed("--dns-option", Kind.LIST, "the host's DNS options stay unknown", "the host's are copied", ""),
    _allowed("--dns-search", Kind.LIST, "the host's search domains stay unknown", "the host's are copied", ""),
    _allowed("--domainname", Kind.SCALAR, "a fixed name instead of the host's", "none", ""),
    _allowed("--env", Kind.KEYED, "the program's environment", "the image's own environment alone", "", environment),
    _allowed("--hostname", Kind.SCALAR, "the container's id stays unknown", "the host name is the container's id", ""),
    _allowed("--memory-reservation", Kind.SCALAR, "memory given back under pressure", "none", "CIS 5.11", memory),
    _allowed(
        "--no-healthcheck",
        Kind.SWITCH,
        "no command of the image runs beside the program",
        "a HEALTHCHECK of the image would be run beside the program",
        "CIS 5.27, deliberately not followed: a health check has no use in two seconds",
        exactly(""),
    ),
    _allowed(
        "--oom-score-adj",
        Kind.SCALAR,
        "programs die before the server does",
        "when the host runs out of memory, the server may go first",
        "",
        number(0, 1000),
    ),
    _allowed("--quiet", Kind.SWITCH, "no pull messages", "nothing, with --pull=never", "", exactly("")),
    _allowed(
        "--runtime",
        Kind.SCALAR,
        "a stronger boundary than runc's",
        "the engine's default runtime",
        "NIST 4.4.1, 4.5.2",
        exactly("runc", "crun", "runsc"),
    ),
    _allowed("--shm-size", Kind.SCALAR, "the size of /dev/shm with --ipc=private", "64 MB", "", memory),
    _allowed(
        "--ulimit",
        Kind.KEYED,
        "limits per process",
        "what the engine itself has, 20,000 open files and more",
        "CIS 5.19; OWASP #7",
        ulimit,
    ),
    _allowed("--workdir", Kind.SCALAR, "where the source is put", "the root folder, which is read-only", "", absolute),
    *_forbidden("--privileged", "gives the program every device and capability of the host", "CIS 5.5"),
    *_forbidden("--cap-add", "gives back what --cap-drop=ALL took", "CIS 5.4"),
    *_forbidden(
        "--net --network-alias --link --link-local-ip --add-host --ip --ip6 --mac-address",
        "is for networks",
        "CIS 5.10",
    ),
    *_forbidden("--publish --publish-all --expose", "opens a port", "CIS 5.8, 5.9, 5.14"),
    *_forbidden(
        "--volume --mount --volumes-from --volume-driver",
        "mounts something of the host's",
        "CIS 5.6, 5.20; OWASP #1; NIST 4.5.5",
    ),
    *_forbidden("--use-api-socket", "mounts the engine's socket, which is root on the host", "CIS 5.32; OWASP #1"),
    *_forbidden("--device --device-cgroup-rule --gpus", "gives the program a device of the host", "CIS 5.18"),
    *_forbidden("--device-read-bps --device-read-iops --device-write-bps --device-write-iops", "names a device"),
    *_forbidden("--blkio-weight-device", "names a device"),
    *_forbidden("--pid --uts --userns", "shares a namespace with the host or a neighbour", "CIS 5.16, 5.21, 5.31"),
    *_forbidden("--group-add", "adds a group of the host's"),
    *_forbidden("--sysctl", "changes the kernel's settings"),
    *_forbidden("--cgroup-parent", "moves the container out of its limits", "CIS 5.25"),
    *_forbidden("--oom-kill-disable --memory-swappiness --kernel-memory", "undoes the memory limit", "CIS 5.11"),
    *_forbidden("--cpu-period --cpu-quota --cpu-rt-period --cpu-rt-runtime", "undoes --cpus", "CIS 5.12"),
    *_forbidden("--restart", "starts a program again", "CIS 5.15; OWASP #7"),
    *_forbidden("--tty --attach --detach --detach-keys --sig-proxy", "changes how the streams are connected"),
    *_forbidden("--stop-signal --stop-timeout", "is for `docker stop`, which is never used"),
    *_forbidden("--health-cmd --health-interval --health-retries", "runs a command beside the program", "CIS 5.27"),
    *_forbidden("--health-start-period --health-start-interval --health-timeout", "runs a command beside the program"),
    *_forbidden("--init --entrypoint", "puts something else in the place of the launcher"),
    *_forbidden("--env-file --label-file --cidfile", "reads or writes a file that this policy does not show"),
    *_forbidden("--name --label", "is added by the runner"),
    *_forbidden("--annotation --log-opt --storage-opt --isolation --platform", "has no use here"),
    *_forbidden("--disable-content-trust --help", "has no use here"),
)

FLAGS: Final[dict[str, Flag]] = {row.name: row for row in _ROWS}

SECCOMP: Final = _required(
    "--security-opt=seccomp",
    Kind.KEYED,
    "only the system calls of the profile: the part of the kernel that a program can reach",
    "the engine's own profile; that of Docker 20.10 lets through io_uring, AF_VSOCK and programs of 32 bits",
    "CIS 5.22; OWASP #6; NIST 4.4.3, 4.5.2",
    security_opt,
)
"""What that value of --security-opt is for; ``policy`` demands it beside no-new-privileges."""
