"""A policy: one complete TOML file, whose lines are the ``docker run`` command line of one language."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from runner.errors import PolicyError, Problem, UnknownLanguage
from runner.policy import toml
from runner.policy.flags import FLAGS
from runner.policy.rules import Flag, Kind, Verdict, name_of, size
from runner.policy.toml import Key

SECCOMP: Final = "--security-opt=seccomp="


@dataclass(frozen=True, slots=True)
class Limits:
    """What the runner itself keeps; the README says what happens when each is reached."""

    wall_time: float
    """Seconds from hand-over, or from the end of compilation, to ``docker kill``; of CPU time, where a run is live."""
    live_time: float
    """The same where a person types at the program's terminal: it waits for that, which is not running."""
    compile_time: float
    """Seconds from hand-over to the end of compilation; 0 where nothing is compiled."""
    source: int
    """Bytes of source code."""
    input: int
    """Bytes of input; of all inputs together, where there are several."""
    inputs: int
    """How many inputs one request may have."""
    total_time: float
    """Seconds that the runs of one request may take together, where there are several."""
    output: int
    """Bytes kept of each of stdout and stderr, of each step."""
    files: int
    """How many files one request may have beside its source."""
    file_bytes: int
    """Bytes of all of them together."""
    args: int
    """Bytes of the program's arguments and environment together, each with its end."""
    result_files: int
    """How many files of a run are sent back; 0: none, and the run has no folder for them."""
    result_bytes: int
    """Bytes of all of them together."""


@dataclass(frozen=True, slots=True)
class Policy:
    """One language: the command that runs its programs, and its limits."""

    name: str
    title: str
    docker_run: tuple[str, ...]
    image: str
    launcher: tuple[str, ...]
    source: str
    compile: tuple[str, ...]
    run: tuple[str, ...]
    ahead_unless: str
    """The run command is started before the source is there, unless this matches that, or the name of a file beside it.

    "" matches all.
    """
    env: tuple[str, ...]
    """The variables that a request may set."""
    results: str
    """The folder, beside the source, whose files are sent back."""
    warm: int
    """Containers kept ready."""
    limits: Limits
    waivers: Mapping[str, str]
    """Flag name -> why this policy may break its rule."""
    digest: str
    """sha256 of the file."""
    profile: str = ""
    """sha256 of the seccomp profile's file, as docker's client reads it; "" where a waiver goes without one."""

    @property
    def workdir(self) -> str:
        """Where the source is written, inside."""
        return self.value("--workdir=", "/")

    @property
    def seccomp(self) -> str:
        """The file of the seccomp profile, from where the server is started; "" where there is none."""
        value = self.value(SECCOMP)
        return value if value.endswith(".json") else ""

    @property
    def memory(self) -> int:
        """Bytes that a container may use."""
        return size(self.value("--memory=")) or 0

    def value(self, flag: str, default: str = "") -> str:
        """Of the first line that begins so, such as ``--memory=``."""
        return next((line.removeprefix(flag) for line in self.docker_run if line.startswith(flag)), default)


def _regex(value: str) -> str | None:
    try:
        re.compile(value)
    except (re.error, OverflowError, RecursionError) as error:
        return f"must be a regular expression: {error}"
    return None


def _plain_name(value: str) -> str | None:
    return None if re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", value) else "must be a plain file name"


def _variables(value: list[object]) -> str | None:
    ok = all(isinstance(name, str) and re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) for name in value)
    return None if ok else 'must be a list of names of variables, such as "DEBUG"'


_FIELDS: Final = {
    "title": Key(str, lambda v: toml.line(v) or toml.filled(v)),
    "docker-run": Key(list),
    "image": Key(str, lambda v: None if re.fullmatch(r"[a-z0-9][\w./:@-]*", v) else "must be an image name"),
    "launcher": Key(list, toml.filled),
    "source": Key(str, _plain_name),
    "compile": Key(list),
    "run": Key(list, toml.filled),
    "ahead-unless": Key(str, lambda v: toml.line(v) or _regex(v)),
    "env": Key(list, _variables),
    "results": Key(str, _plain_name),
    "warm": Key(int, toml.between(0, 64)),
    "limits": Key(dict),
}
_LIMITS: Final = {
    "wall-time": Key(float, toml.between(0.1, 3600)),
    "live-time": Key(float, toml.between(0.1, 3600)),
    "compile-time": Key(float, toml.between(0, 3600)),
    "source": Key(int, toml.between(1, 2**24)),
    "input": Key(int, toml.between(0, 2**26)),
    "inputs": Key(int, toml.between(1, 1000)),
    "total-time": Key(float, toml.between(0.1, 3600)),
    "output": Key(int, toml.between(1, 2**24)),
    "files": Key(int, toml.between(0, 1000)),
    "file-bytes": Key(int, toml.between(0, 2**26)),
    "args": Key(int, toml.between(0, 2**17)),
    "result-files": Key(int, toml.between(0, 1000)),
    "result-bytes": Key(int, toml.between(0, 2**26)),
}


def parse(name: str, text: str) -> Policy:
    """The policy of a file's text, or a ``PolicyError`` that lists everything that is wrong with it."""
    data = toml.read(f"{name}.toml", text)
    if found := [Problem(f"{name}.toml", toml.line_of(text, subject), said) for subject, said in _problems(data)]:
        raise PolicyError(*found)
    limits = {key.replace("-", "_"): value for key, value in data["limits"].items()}
    return Policy(
        name=name,
        title=data["title"],
        docker_run=tuple(data["docker-run"]),
        image=data["image"],
        launcher=tuple(data["launcher"]),
        source=data["source"],
        compile=tuple(data["compile"]),
        run=tuple(data["run"]),
        ahead_unless=data["ahead-unless"],
        env=tuple(data["env"]),
        results=data["results"],
        warm=data["warm"],
        limits=Limits(**limits),
        waivers=dict(data.get("waivers", {})),
        digest=hashlib.sha256(text.encode()).hexdigest(),
    )


def named(language: str, policies: Mapping[str, Policy]) -> Policy:
    """The policy of that name, or ``UnknownLanguage``."""
    policy = policies.get(language)
    if policy is None:
        raise UnknownLanguage(f"`language` must be one of {', '.join(sorted(policies))}.")
    return policy


def _problems(data: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Everything that is wrong, in the order of the file format: what ``toml.line_of`` can find, and the message."""
    yield from toml.problems(data, _FIELDS, optional={"waivers": Key(dict)})
    limits = data.get("limits")
    if isinstance(limits, dict):
        yield from ((f"limits.{key}", f"limits: {said}") for key, said in toml.problems(limits, _LIMITS))
    waivers = data.get("waivers", {})
    if isinstance(waivers, dict):
        yield from _waiver_problems(waivers)
    for key in ("docker-run", "launcher", "compile", "run"):
        lines = data.get(key)
        if isinstance(lines, list):
            yield from _line_problems(key, lines)
    lines = data.get("docker-run")
    if isinstance(lines, list) and isinstance(waivers, dict):
        broken = tuple(flag_problems(tuple(line for line in lines if isinstance(line, str))))
        places = ((line if line in lines else "docker-run", name_of(line), said) for line, said in broken)
        yield from ((place, said) for place, flag, said in places if flag not in waivers)
        used = {name_of(line) for line, _ in broken}
        unused = (flag for flag in waivers if flag not in used)
        yield from ((f"waivers.{flag}", f"waivers: {flag} waives nothing: remove it") for flag in unused)
    if data.get("compile") and data.get("ahead-unless"):
        yield "ahead-unless", 'ahead-unless must be "" where there is a compile step'
    if isinstance(limits, dict) and data.get("compile") and not limits.get("compile-time"):
        yield "limits.compile-time", "limits: compile-time must be more than 0 where there is a compile step"


def _waiver_problems(waivers: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    for flag, reason in waivers.items():
        if flag not in FLAGS:
            yield f"waivers.{flag}", f"waivers: {toml.unknown(flag, FLAGS)}"
        if not isinstance(reason, str) or len(reason.strip()) < 10:
            yield f"waivers.{flag}", f"waivers: {flag} must give its reason, in a sentence"


def _line_problems(key: str, lines: list[object]) -> Iterator[tuple[str, str]]:
    for line in lines:
        if not isinstance(line, str) or not line:
            yield key, f"{key}: {line!r} must be a string that is not empty"
        elif problem := toml.line(line):
            yield key, f"{key}: {line!r}: {problem}"
        elif (key == "run" and line == "--run") or (key == "compile" and line == "--run"):
            yield key, f"{key}: --run belongs to the launcher"


def flag_problems(lines: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """What is wrong with the lines of ``docker run``: pairs of the line, or the flag that has none, and the message."""
    parsed = [(line, *line.partition("=")[::2]) for line in lines]
    for line, name, value in parsed:
        yield from ((line, f"{line}: {problem}") for problem in _flag_problem(line, name, value))
    yield from _repeats([(name, value) for _, name, value in parsed])
    names = {name for _, name, _ in parsed}
    for flag in FLAGS.values():
        if flag.verdict is Verdict.REQUIRED and flag.name not in names:
            yield flag.name, f"{flag.name} is missing ({flag.why}): add {flag.example}"
    yield from _pair_problems({name: value for _, name, value in parsed}, lines)


def _flag_problem(line: str, name: str, value: str) -> Iterator[str]:
    flag = FLAGS.get(name)
    if not name.startswith("--") or flag is None:
        yield f"{toml.unknown(name, FLAGS)}; write --flag=value, one flag a line"
    elif flag.verdict is Verdict.FORBIDDEN:
        yield f"is forbidden: it {flag.why}; remove it"
    elif flag.kind is Kind.SWITCH and "=" in line:
        yield f"takes no value: write {name}"
    elif flag.kind is not Kind.SWITCH and not value:
        yield f"needs a value: write {name}=VALUE"
    elif problem := flag.rule(value):
        yield problem
    elif re.search(r"[{}]", value) and name != "--user":
        yield "only --user has a placeholder"


def _repeats(flags: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    for (name, key), count in Counter((name, _key(name, value)) for name, value in flags).items():
        if count > 1:
            last = next(f"{n}={v}" if v else n for n, v in reversed(flags) if (n, _key(n, v)) == (name, key))
            yield last, f"{name}={key}".rstrip("=") + f" stands {count} times: docker would keep the last; keep one"


def _key(name: str, value: str) -> str:
    flag: Flag | None = FLAGS.get(name)
    if flag is None or flag.kind is Kind.LIST:
        return value
    return re.split("[=:]", value)[0] if flag.kind is Kind.KEYED else ""


def _pair_problems(flags: Mapping[str, str], lines: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Rules about more than one line."""
    memory, swap = flags.get("--memory", ""), flags.get("--memory-swap", "")
    if size(memory) and size(swap) and size(memory) != size(swap):
        yield f"--memory-swap={swap}", f"--memory-swap={swap}: must equal --memory ({memory}), or the rest is swap"
    if "--security-opt" in flags and "--security-opt=no-new-privileges" not in lines:
        yield "--security-opt", "--security-opt=no-new-privileges is missing (setuid files would work): add it"
    if "--security-opt" in flags and not any(line.startswith(SECCOMP) for line in lines):
        missing = (
            f"{SECCOMP}policies/seccomp.json is missing (docker's default lets through io_uring and vsock): add it"
        )
        yield "--security-opt", missing
    workdir = flags.get("--workdir", "/")
    if not any(line.startswith(f"--tmpfs={workdir}:") for line in lines):
        yield f"--workdir={workdir}", f"--workdir={workdir}: must be the path of a --tmpfs, where the source is written"
