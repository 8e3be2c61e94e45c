"""What a program can reach, as its container shows it: files, mounts, networks, other processes."""

from errno import EACCES, ENOSPC, EPERM, errorcode
from typing import Final

from runner.policy.rules import size
from runner.proof.observers import attempt, status, together
from runner.proof.seen import Claim, Said, Seen, mounts

_SHM: Final = "/dev/shm"  # noqa: S108
_KERNEL: Final = ("/proc", "/sys", "/dev")
_DOCKERS_FILES: Final = ("/etc/resolv.conf", "/etc/hostname", "/etc/hosts")
_DOCKERS_VARIABLES: Final = ("HOME", "HOSTNAME", "PATH")
_FAMILIES: Final = (
    attempt("socket:40", "AF_VSOCK", EPERM),
    attempt("socket:38", "AF_ALG", EPERM),
    attempt("socket:16", "AF_NETLINK", EPERM),
)


def user(claim: Claim, seen: Seen) -> Said | None:
    """Every uid and gid, and no other group."""
    found = [seen.status(name) for name in ("Uid", "Gid", "Groups")]
    if None in found:
        return None
    numbers = {number for text in found for number in (text or "").split()}
    return Said(f"uid, gid, groups: {' '.join(sorted(numbers))}", numbers == {str(seen.uid)})


def no_network(claim: Claim, seen: Seen) -> Said | None:
    """Only lo, and no route but its own."""
    devices, routes = seen.file("/proc/net/dev"), seen.file("/proc/net/route")
    if devices is None or routes is None:
        return None
    newer = seen.file("/proc/net/ipv6_route") or ""  # not there: no IPv6
    found = {line.partition(":")[0].strip() for line in devices.splitlines()[2:]}
    ways = {line.split()[0] for line in routes.splitlines()[1:] if line.strip()}
    ways |= {line.split()[-1] for line in newer.splitlines() if line.strip()}
    text = f"interfaces: {' '.join(sorted(found))}; routes by: {' '.join(sorted(ways - {'lo'})) or 'none'}"
    return Said(text, found == {"lo"} and ways <= {"lo"})


def read_only(claim: Claim, seen: Seen) -> Said | None:
    """The root, and whatever is not a tmpfs of the policy."""
    root, writable = seen.mount("/"), seen.answer("writable")
    if root is None or writable is None:
        return None
    extra = sorted(set(writable.items) - {path(value) for value in claim.values("--tmpfs")})
    text = f"/ is {'ro' if 'ro' in root.options else 'rw'}; writable beside the tmpfs: {' '.join(extra) or 'nothing'}"
    return Said(text, "ro" in root.options and not extra)


def path(tmpfs: str) -> str:
    """Where a --tmpfs is mounted."""
    return tmpfs.partition(":")[0]


def options(tmpfs: str) -> dict[str, str]:
    """Its options; those without a value have ""."""
    return dict(option.partition("=")[::2] for option in tmpfs.partition(":")[2].split(","))


def tmpfs_mount(claim: Claim, seen: Seen) -> Said | None:
    """Kind, options and mode are those of the line."""
    mount, mode = seen.mount(path(claim.value)), seen.answer(f"mode:{path(claim.value)}")
    if mode is None or seen.file("/proc/self/mountinfo") is None:
        return None
    if mount is None:
        return Said("not mounted", holds=False)
    wanted = options(claim.value)
    found = dict(option.partition("=")[::2] for option in mount.options)
    sizes = size(found.get("size", "")) == size(wanted.get("size", ""))
    files = found.get("nr_inodes") == wanted.get("nr_inodes")
    words = all((word in found) is (word in wanted) for word in ("nosuid", "nodev", "noexec"))
    right = int(mode.text, 8) == int(wanted.get("mode", "1777"), 8)
    shown = {"nosuid", "nodev", "noexec", "size", "nr_inodes"} & found.keys()
    told = ",".join(sorted(f"{name}={found[name]}" if found[name] else name for name in shown))
    return Said(f"{mount.kind} {told},mode={mode.text}", mount.kind == "tmpfs" and sizes and files and words and right)


def tmpfs_full(claim: Claim, seen: Seen) -> Said | None:
    """One byte or one file too many is refused, or the first where nobody may write."""
    where, bounds = path(claim.value), room(claim.value, claim)
    taken = seen.answer(f"bytes:{where}"), seen.answer(f"files:{where}")
    if not bounds:
        return Said("not filled: larger than --memory", holds=True)
    if taken[0] is None or taken[1] is None:
        return None
    holds = all(
        (answer.error == ENOSPC and int(answer.text) <= bound) or (answer.error == EACCES and answer.text == "0")
        for answer, bound in zip(taken, bounds, strict=True)
        if answer
    )
    ends = [errorcode.get(answer.error, "more") for answer in taken if answer]
    return Said(f"{taken[0].text} bytes, then {ends[0]}; {taken[1].text} files, then {ends[1]}", holds)


def room(tmpfs: str, claim: Claim) -> tuple[int, int] | None:
    """Its bytes and files, where it can be filled before the memory is."""
    wanted = options(tmpfs)
    bytes_, files = size(wanted.get("size", "")), wanted.get("nr_inodes", "")
    memory = next((size(value) for value in claim.values("--memory")), None)
    return (bytes_, int(files)) if bytes_ and files.isdecimal() and bytes_ + 2**25 <= (memory or 0) else None


def no_shared_memory(claim: Claim, seen: Seen) -> Said | None:
    """No /dev/shm but a tmpfs of the policy."""
    if seen.file("/proc/self/mountinfo") is None:
        return None
    of_policy = _SHM in {path(value) for value in claim.values("--tmpfs")}
    if seen.mount(_SHM) is None:
        return Said(f"no {_SHM}", holds=True)
    told = f"{_SHM} is the policy's own tmpfs" if of_policy else f"a {_SHM} that the policy does not have"
    return Said(told, of_policy or claim.value == "private")


def restriction(claim: Claim, seen: Seen) -> Said | None:
    """A filter is on; AppArmor's profile is enforced."""
    key, _, value = claim.value.partition("=")
    if key == "apparmor":
        text = seen.file("/proc/self/attr/current")
        return None if text is None else Said(text, text == f"{value} (enforce)")
    if key == "seccomp":
        found = [status("Seccomp", want="2")(claim, seen), *(look(claim, seen) for look in _FAMILIES)]
        return together(found)
    return status("NoNewPrivs", want="1")(claim, seen)


def cgroup_paths(claim: Claim, seen: Seen) -> Said | None:
    """Every path is the root of the namespace."""
    text = seen.file("/proc/self/cgroup")
    if not text:
        return None
    paths = {line.split(":", 2)[-1] for line in text.splitlines()}
    return Said(f"cgroup paths: {' '.join(sorted(paths))}", paths == {"/"})


def working_folder(claim: Claim, seen: Seen) -> Said | None:
    """Where a program starts."""
    answer = seen.answer("cwd")
    return None if answer is None or answer.error else Said(answer.text, answer.text == claim.value)


def variable(claim: Claim, seen: Seen) -> Said | None:
    """A variable with its value."""
    answer = seen.answer("env")
    if answer is None:
        return None
    name = claim.value.partition("=")[0]
    found = next((item for item in answer.items if item.partition("=")[0] == name), f"no {name}")
    return Said(found, found == claim.value)


def arrived(claim: Claim, seen: Seen) -> Said | None:
    """The probe's own text came on stdin."""
    return Said("the probe came on stdin", holds=True) if seen.inside else None


def left_nothing(claim: Claim, seen: Seen) -> Said | None:
    """What `docker ps --all` had of it after its end."""
    if seen.removed is None:
        return None
    return Said("gone after its end" if seen.removed else "still there after its end", seen.removed)


def own_mounts(claim: Claim, seen: Seen) -> Said | None:
    """The image, the kernel's file systems, the tmpfs of the policy and docker's three files; no socket."""
    text, sockets = seen.file("/proc/self/mountinfo"), seen.answer("sockets")
    if text is None or sockets is None:
        return None
    known = {"/", *_DOCKERS_FILES, *(path(value) for value in claim.values("--tmpfs"))}
    extra = {mount.path for mount in mounts(text) if not mount.path.startswith(_KERNEL)} - known
    found = sorted(extra | set(sockets.items))
    return Said(f"mounts and sockets of the host: {' '.join(found) or 'none'}", not found)


def environment(claim: Claim, seen: Seen) -> Said | None:
    """The policy's variables, the image's, and the three that docker sets."""
    answer = seen.answer("env")
    if answer is None:
        return None
    allowed = {*claim.values("--env"), *seen.image_environment}
    extra = [item for item in answer.items if item not in allowed and item.partition("=")[0] not in _DOCKERS_VARIABLES]
    return Said(f"other variables: {' '.join(extra) or 'none'}", not extra)


def descriptors(claim: Claim, seen: Seen) -> Said | None:
    """stdin, stdout, stderr."""
    answer = seen.answer("descriptors")
    if answer is None or answer.error:
        return None
    return Said(f"open: {' '.join(answer.items)}", answer.items == ("0", "1", "2"))


def no_setuid(claim: Claim, seen: Seen) -> Said | None:
    """In the whole image, as far as the program's uid can look."""
    answer = seen.answer("setuid")
    return None if answer is None else Said(f"found: {' '.join(answer.items) or 'none'}", not answer.items)


def command(claim: Claim, seen: Seen) -> Said | None:
    """The process table has what the policy says, with name and label, and not a word more."""
    if not seen.ran:
        return None
    extra = [word for word in seen.ran if word not in seen.expected]
    same = seen.ran == seen.expected
    return Said("as the policy says" if same else f"not as the policy says: {' '.join(extra)}", same)
