"""What is known of one container: what it showed inside, docker's words, the process table. Nothing is judged here."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

SEPARATOR = "\0"


@dataclass(frozen=True, slots=True)
class Answer:
    """One observation of the probe."""

    error: int
    """0: it worked; above: errno; below: the signal that ended it."""
    text: str

    @property
    def items(self) -> tuple[str, ...]:
        """The text as the list that it is."""
        return tuple(self.text.split(SEPARATOR)) if self.text else ()


def answers(output: bytes) -> dict[str, Answer]:
    """The lines of runner/proof/probe.pl; what is not such a line, or was cut, is not an observation."""
    found = {}
    for line in output.decode(errors="replace").split("\n")[:-1]:
        name, _, rest = line.partition("\t")
        error, tab, text = rest.partition("\t")
        if tab and error.removeprefix("-").isdecimal() and error.isascii():
            found[name] = Answer(int(error), unquote(text))
    return found


@dataclass(frozen=True, slots=True)
class Mount:
    """One line of mountinfo."""

    path: str
    kind: str
    options: frozenset[str]
    """Of the mount and of its file system; where they differ in ro and rw, the mount's."""


def mounts(mountinfo: str) -> Iterator[Mount]:
    """The mounts in their order: of two on one path the later one is seen."""
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        fields, kinds = before.split(" "), after.split(" ")
        if len(fields) >= 6 and len(kinds) >= 3:
            own = frozenset(fields[5].split(","))
            yield Mount(fields[4], kinds[0], own | frozenset(kinds[2].split(",")) - {"ro", "rw"})


@dataclass(frozen=True, slots=True)
class Seen:
    """Everything that was observed of one container; what was not observed is missing."""

    uid: int
    """Which it was given."""
    ran: tuple[str, ...] = ()
    """The command line of its `docker run`, as the process table shows it."""
    expected: tuple[str, ...] = ()
    """What that command line should be."""
    inspect: Mapping[str, Any] | None = None
    image_environment: tuple[str, ...] = ()
    engine: Mapping[str, Any] | None = None
    """`docker info`."""
    namespaces: Mapping[str, str] | None = None
    """Those of the observer, outside."""
    profile: object = None
    """The seccomp profile that the policy names, as JSON."""
    inside: Mapping[str, Answer] | None = None
    removed: bool | None = None
    """Whether docker had nothing left of it after its end."""

    def answer(self, name: str) -> Answer | None:
        """What the probe saw of something."""
        return (self.inside or {}).get(name)

    def file(self, *paths: str) -> str | None:
        """The first of these files that could be read inside, without the last newline."""
        found = (self.answer(f"file:{path}") for path in paths)
        return next((answer.text.removesuffix("\n") for answer in found if answer and answer.error == 0), None)

    def cgroup(self, *paths: str) -> str | None:
        """The same for files of the container's cgroups: version 1, then version 2."""
        return self.file(*(f"/sys/fs/cgroup/{path}" for path in paths))

    def status(self, name: str) -> str | None:
        """A line of /proc/self/status."""
        lines = (self.file("/proc/self/status") or "").splitlines()
        found = (line.partition(":")[2].strip() for line in lines if line.startswith(f"{name}:"))
        return next(found, None)

    def mount(self, path: str) -> Mount | None:
        """What is mounted on a path."""
        return {mount.path: mount for mount in mounts(self.file("/proc/self/mountinfo") or "")}.get(path)

    def docker(self, path: str) -> object:
        """A value of `docker inspect`, such as HostConfig.Memory; None where there is none."""
        found: Any = self.inspect
        for key in path.split("."):
            found = found.get(key) if isinstance(found, Mapping) else None
        return found


@dataclass(frozen=True, slots=True)
class Claim:
    """One line of a policy, among the others."""

    line: str
    lines: tuple[str, ...]

    @property
    def flag(self) -> str:
        """The flag's name."""
        return self.line.partition("=")[0]

    @property
    def value(self) -> str:
        """What stands after the first equals sign."""
        return self.line.partition("=")[2]

    def values(self, flag: str) -> tuple[str, ...]:
        """What the policy says of a flag, line by line."""
        return tuple(line.partition("=")[2] for line in self.lines if line.partition("=")[0] == flag)


@dataclass(frozen=True, slots=True)
class Said:
    """What an observer saw, in few words, and whether the claim holds by it."""

    text: str
    holds: bool
