"""Every flag of ``docker run`` and what this project thinks of it: one row a flag, read by the policy loader.

Sources of the rules: CIS Docker Benchmark 1.8.0 section 5, OWASP Docker Security Cheat Sheet, NIST SP 800-190
section 4. A rule looks at one value; what two flags must agree on stands in ``policy``.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final

Rule = Callable[[str], str | None]
"""Takes a flag's value, returns what is wrong with it, as words that follow ``flag=value:``, or None."""


class Kind(Enum):
    """How often a flag may stand in a policy; docker itself silently lets the last one win."""

    SWITCH = "takes no value"
    SCALAR = "may stand once"
    LIST = "may repeat with other values"
    KEYED = "may repeat with other keys, where the key ends at the first = or :"


class Verdict(Enum):
    """What the floor says."""

    REQUIRED = "must be there"
    ALLOWED = "may be there"
    FORBIDDEN = "must not be there"


@dataclass(frozen=True, slots=True)
class Flag:
    """One row: ``why`` says what a good flag stops, or what a forbidden one would open."""

    name: str
    kind: Kind
    verdict: Verdict
    why: str
    rule: Rule = lambda value: None
    example: str = ""


_SIZE = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,15})?)(?:([kmgt]?)b?)", re.IGNORECASE)


def size(value: str) -> int | None:
    """Docker's byte sizes (``256m``, ``0.25g``, ``268435456``) as a number of bytes; None for anything else."""
    match = _SIZE.fullmatch(value)
    if match is None:
        return None
    return int(float(match[1]) * 1024 ** " kmgt".index(match[2].lower() or " "))


def _exactly(*wanted: str) -> Rule:
    return lambda value: None if value in wanted else f"must be {' or '.join(wanted)}"


def _number(low: float, high: float, form: str = r"-?[0-9]+") -> Rule:
    def rule(value: str) -> str | None:
        ok = re.fullmatch(form, value) and low <= float(value) <= high
        return None if ok else f"must be a number from {low:g} to {high:g}"

    return rule


def _memory(value: str) -> str | None:
    number = size(value)
    return None if number and number >= 16 * 1024**2 else "must be a size of at least 16m, such as 256m"


# Among the others, suid and dev undo the policy, and nr_blocks=0 undoes size.
_TMPFS_OPTIONS: Final = {"rw", "exec", "noexec", "nosuid", "nodev", "size", "nr_inodes", "mode", "noatime"}


def _tmpfs(value: str) -> str | None:
    return next(_tmpfs_problems(value), None)


def _tmpfs_problems(value: str) -> Iterator[str]:
    path, _, text = value.partition(":")
    options = text.split(",") if text else []
    values = {name: setting for name, _, setting in (option.partition("=") for option in options)}
    if not re.fullmatch(r"(/[a-z0-9_-]+)+", path):
        yield "must start with an absolute path in lower case"
    if wrong := values.keys() - _TMPFS_OPTIONS:
        yield f"must not have the option {' or '.join(sorted(wrong))}"
    if len(values) < len(options):
        yield "must not have an option twice: the last would win"
    if missing := {"nosuid", "nodev"} - set(options):
        yield f"must have the option {' and '.join(sorted(missing))}"
    if not size(values.get("size", "")):
        yield "must have a size=, or it may grow to half of the host's memory"
    if not re.fullmatch("[1-9][0-9]{0,9}", values.get("nr_inodes", "")):
        yield "must have nr_inodes=, or millions of empty files fill the kernel's memory"


def _security_opt(value: str) -> str | None:
    if value == "no-new-privileges":
        return None
    key, equals, setting = value.partition("=")
    if equals and key in ("seccomp", "apparmor") and setting not in ("", "unconfined"):
        return None
    return "must be no-new-privileges, seccomp=PROFILE or apparmor=PROFILE, and not unconfined"


def _environment(value: str) -> str | None:
    ok = re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*=.*", value)
    return None if ok else "must be NAME=VALUE: a name alone copies the server's own variable"


def _ulimit(value: str) -> str | None:
    ok = re.fullmatch(r"[a-z]+=[0-9]+(:[0-9]+)?", value) and not value.startswith("nproc=")
    return None if ok else "must be NAME=SOFT:HARD; nproc counts over all containers of a uid, use --pids-limit"


def _absolute(value: str) -> str | None:
    return None if re.fullmatch(r"(/[a-z0-9_-]+)+", value) else "must be an absolute path in lower case"


def _required(name: str, kind: Kind, why: str, rule: Rule, example: str) -> Flag:
    return Flag(name, kind, Verdict.REQUIRED, why, rule, example)


def _allowed(name: str, kind: Kind, why: str, rule: Rule = lambda value: None) -> Flag:
    return Flag(name, kind, Verdict.ALLOWED, why, rule)


def _forbidden(names: str, why: str) -> tuple[Flag, ...]:
    return tuple(Flag(name, Kind.LIST, Verdict.FORBIDDEN, why) for name in names.split())


_ROWS: Final[tuple[Flag, ...]] = (
    _required("--rm", Kind.SWITCH, "nothing is left of an ended container", _exactly(""), "--rm"),
    _required("--interactive", Kind.SWITCH, "code and input arrive on stdin", _exactly(""), "--interactive"),
    _required(
        "--pull", Kind.SCALAR, "a missing image is an error, never a download", _exactly("never"), "--pull=never"
    ),
    _required("--network", Kind.SCALAR, "no way out, no way to others", _exactly("none"), "--network=none"),
    _required("--cap-drop", Kind.SCALAR, "no privilege of root is left", _exactly("ALL"), "--cap-drop=ALL"),
    _required("--read-only", Kind.SWITCH, "nothing outside the tmpfs can be written", _exactly(""), "--read-only"),
    _required(
        "--security-opt",
        Kind.KEYED,
        "no setuid file raises privileges; system calls are filtered",
        _security_opt,
        "--security-opt=no-new-privileges",
    ),
    _required(
        "--user",
        Kind.SCALAR,
        "not root, and not the uid of a neighbour: limits per uid are host-wide",
        _exactly("{uid}:{uid}"),
        "--user={uid}:{uid}",
    ),
    _required("--cpus", Kind.SCALAR, "the others' CPU time", _number(0.01, 64, r"[0-9]+(\.[0-9]+)?"), "--cpus=1"),
    _required("--memory", Kind.SCALAR, "the host's memory", _memory, "--memory=256m"),
    _required("--memory-swap", Kind.SCALAR, "no swap beside --memory", _memory, "--memory-swap=256m"),
    _required("--pids-limit", Kind.SCALAR, "fork bombs end at this many", _number(1, 4096), "--pids-limit=64"),
    _required(
        "--tmpfs",
        Kind.KEYED,
        "the only writable place, with a bound on bytes and files",
        _tmpfs,
        "--tmpfs=/tmp:rw,noexec,nosuid,nodev,size=64m,nr_inodes=2048,mode=1777",
    ),
    _required("--ipc", Kind.SCALAR, "no shared memory with others", _exactly("none", "private"), "--ipc=none"),
    _required(
        "--log-driver", Kind.SCALAR, "output does not fill the host's disk", _exactly("none"), "--log-driver=none"
    ),
    _allowed("--blkio-weight", Kind.SCALAR, "a share of disk time", _number(10, 1000)),
    _allowed("--cgroupns", Kind.SCALAR, "the container's id and the host's paths", _exactly("private")),
    _allowed("--cpu-shares", Kind.SCALAR, "the server stays ahead of the programs", _number(2, 1024)),
    _allowed("--cpuset-cpus", Kind.SCALAR, "which CPUs"),
    _allowed("--cpuset-mems", Kind.SCALAR, "which memory nodes"),
    _allowed("--dns", Kind.LIST, "the host's DNS servers stay unknown"),
    _allowed("--dns-option", Kind.LIST, "the host's DNS options stay unknown"),
    _allowed("--dns-search", Kind.LIST, "the host's search domains stay unknown"),
    _allowed("--domainname", Kind.SCALAR, "a fixed name instead of the host's"),
    _allowed("--env", Kind.KEYED, "the program's environment", _environment),
    _allowed("--hostname", Kind.SCALAR, "the container's id"),
    _allowed("--memory-reservation", Kind.SCALAR, "memory given back under pressure", _memory),
    _allowed("--no-healthcheck", Kind.SWITCH, "an image's own command beside the program", _exactly("")),
    _allowed("--oom-score-adj", Kind.SCALAR, "programs die before the server does", _number(0, 1000)),
    _allowed("--quiet", Kind.SWITCH, "pull messages", _exactly("")),
    _allowed("--runtime", Kind.SCALAR, "a stronger boundary than runc's", _exactly("runc", "crun", "runsc")),
    _allowed("--shm-size", Kind.SCALAR, "the size of /dev/shm with --ipc=private", _memory),
    _allowed("--ulimit", Kind.KEYED, "limits per process", _ulimit),
    _allowed("--workdir", Kind.SCALAR, "where the source is put", _absolute),
    *_forbidden("--privileged", "gives the program every device and capability of the host"),
    *_forbidden("--cap-add", "gives back what --cap-drop=ALL took"),
    *_forbidden("--net --network-alias --link --link-local-ip --add-host --ip --ip6 --mac-address", "is for networks"),
    *_forbidden("--publish --publish-all --expose", "opens a port"),
    *_forbidden("--volume --mount --volumes-from --volume-driver", "mounts something of the host's"),
    *_forbidden("--use-api-socket", "mounts the engine's socket, which is root on the host"),
    *_forbidden("--device --device-cgroup-rule --gpus", "gives the program a device of the host"),
    *_forbidden("--device-read-bps --device-read-iops --device-write-bps --device-write-iops", "names a device"),
    *_forbidden("--blkio-weight-device", "names a device"),
    *_forbidden("--pid --uts --userns", "shares a namespace with the host or a neighbour"),
    *_forbidden("--group-add", "adds a group of the host's"),
    *_forbidden("--sysctl", "changes the kernel's settings"),
    *_forbidden("--cgroup-parent", "moves the container out of its limits"),
    *_forbidden("--oom-kill-disable --memory-swappiness --kernel-memory", "undoes the memory limit"),
    *_forbidden("--cpu-period --cpu-quota --cpu-rt-period --cpu-rt-runtime", "undoes --cpus"),
    *_forbidden("--restart", "starts a program again"),
    *_forbidden("--tty --attach --detach --detach-keys --sig-proxy", "changes how the streams are connected"),
    *_forbidden("--stop-signal --stop-timeout", "is for `docker stop`, which is never used"),
    *_forbidden("--health-cmd --health-interval --health-retries", "runs a command beside the program"),
    *_forbidden("--health-start-period --health-start-interval --health-timeout", "runs a command beside the program"),
    *_forbidden("--init --entrypoint", "puts something else in the place of the launcher"),
    *_forbidden("--env-file --label-file --cidfile", "reads or writes a file that this policy does not show"),
    *_forbidden("--name --label", "is added by the runner"),
    *_forbidden("--annotation --log-opt --storage-opt --isolation --platform", "has no use here"),
    *_forbidden("--disable-content-trust --help", "has no use here"),
)

FLAGS: Final[dict[str, Flag]] = {row.name: row for row in _ROWS}
