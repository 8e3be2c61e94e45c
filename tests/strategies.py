"""What several test files generate: policy files, byte streams, and the ways a stream is cut."""

import json
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from hypothesis import settings
from hypothesis import strategies as st

from runner.errors import PolicyError
from runner.policy import policy

unhurried: Final = settings(deadline=None)
"""For properties: a loaded machine is not a failure."""

MEBIBYTE: Final = 1024**2

FLOOR: Final = (
    "--rm",
    "--interactive",
    "--pull=never",
    "--network=none",
    "--cap-drop=ALL",
    "--read-only",
    "--security-opt=no-new-privileges",
    "--security-opt=seccomp=policies/seccomp.json",
    "--user={uid}:{uid}",
    "--cpus=1",
    "--memory=256m",
    "--memory-swap=256m",
    "--pids-limit=64",
    "--tmpfs=/tmp:rw,noexec,nosuid,nodev,size=64m,nr_inodes=2048,mode=1777",
    "--ipc=none",
    "--log-driver=none",
    "--workdir=/tmp",
)
"""The weakest ``docker run`` line that is accepted; --workdir is there because the source has to be put somewhere."""

_PYTHON: Final = tomllib.loads(Path("policies/python.toml").read_text(encoding="utf-8"))

LIMITS: Final[Mapping[str, Any]] = {**_PYTHON["limits"], "wall-time": 2.0, "compile-time": 10.0}

BASE: Final[Mapping[str, Any]] = {
    **_PYTHON,
    "title": "Box",
    "docker-run": list(FLOOR),
    "image": "code-runner-box:1",
    "launcher": ["/usr/lib/runner/launch"],
    "source": "main.box",
    "compile": [],
    "run": ["box", "main.box"],
    "ahead-unless": "",
    "limits": dict(LIMITS),
}
"""The data of a valid policy file; tests change one thing of it."""


def toml_text(data: Mapping[str, Any]) -> str:
    """The data as TOML; tables are written inline, so that the keys keep their order."""
    return "".join(f"{json.dumps(key, ensure_ascii=False)} = {_value(value)}\n" for key, value in data.items())


def _value(value: object) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_value(key)} = {_value(item)}" for key, item in value.items()) + "}"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_value, value)) + "]"
    return str(value).lower() if isinstance(value, bool) else repr(value)


def problems(data: Mapping[str, Any] | str, name: str = "box") -> tuple[str, ...]:
    """What is wrong with a policy of this text, or of this data; empty when nothing is."""
    try:
        policy.parse(name, data if isinstance(data, str) else toml_text(data))
    except PolicyError as error:
        return tuple(f"{problem.file}: {problem.text}" for problem in error.problems)
    return ()


def line_problems(*lines: str, **keys: Any) -> tuple[str, ...]:
    """What is wrong with a policy that has these lines of ``docker run``."""
    return problems({**BASE, "docker-run": list(lines), **keys})


def without(flag: str, lines: Sequence[str] = FLOOR) -> tuple[str, ...]:
    """The lines but those of one flag."""
    return tuple(line for line in lines if line.partition("=")[0] != flag)


def replaced(line: str, lines: Sequence[str] = FLOOR) -> tuple[str, ...]:
    """The lines with those of this line's flag replaced by it."""
    flag = line.partition("=")[0]
    return tuple(line if old.partition("=")[0] == flag else old for old in lines)


printable: Final = st.text(
    st.one_of(st.just(" "), st.characters(codec="utf-8", exclude_categories=("C", "Z"), exclude_characters="{}")),
    min_size=1,
    max_size=20,
)
"""What may stand in a command: one line, nothing invisible."""

_names: Final = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True)
_paths: Final = st.from_regex(r"(/[a-z0-9_-]{1,6}){1,3}", fullmatch=True)


@st.composite
def equal_sizes(draw: st.DrawFn) -> tuple[str, str]:
    """Two spellings of the same number of bytes, at least 16 MiB."""
    quarters = draw(st.integers(1, 64))  # of 64 MiB: each is exact in every unit
    amount = quarters * 64
    number = amount * MEBIBYTE
    spellings = [f"{amount}m", f"{amount}M", f"{amount}mb", f"{number}", f"{number}b", f"{amount / 1024}g"]
    return draw(st.sampled_from(spellings)), draw(st.sampled_from(spellings))


@st.composite
def tmpfs_lines(draw: st.DrawFn, path: str) -> str:
    """A bounded tmpfs, its options in any order."""
    options = ["nosuid", "nodev", f"size={draw(st.integers(1, 512))}m", f"nr_inodes={draw(st.integers(1, 9999))}"]
    options += draw(st.lists(st.sampled_from(["rw", "exec", "noexec", "mode=1777", "noatime"]), unique=True))
    return f"--tmpfs={path}:" + ",".join(draw(st.permutations(options)))


@st.composite
def docker_run_lines(draw: st.DrawFn) -> list[str]:
    """The floor and some of what is allowed beside it, in any order."""
    memory, swap = draw(equal_sizes())
    workdir = draw(_paths)
    lines = [
        *FLOOR[:9],
        f"--cpus={draw(st.sampled_from(['1', '0.5', '2', '0.01', '64']))}",
        f"--memory={memory}",
        f"--memory-swap={swap}",
        f"--pids-limit={draw(st.integers(1, 4096))}",
        draw(tmpfs_lines(workdir)),
        f"--ipc={draw(st.sampled_from(['none', 'private']))}",
        "--log-driver=none",
        f"--workdir={workdir}",
    ]
    once = {
        "--blkio-weight": st.integers(10, 1000),
        "--cgroupns": st.just("private"),
        "--cpu-shares": st.integers(2, 1024),
        "--cpuset-cpus": st.sampled_from(["0", "0-1", "0,2"]),
        "--cpuset-mems": st.just("0"),
        "--domainname": printable,
        "--hostname": printable,
        "--memory-reservation": st.sampled_from(["16m", "64m"]),
        "--oom-score-adj": st.integers(0, 1000),
        "--runtime": st.sampled_from(["runc", "crun", "runsc"]),
        "--shm-size": st.just("16m"),
    }
    lines += [f"{flag}={draw(values)}" for flag, values in once.items() if draw(st.booleans())]
    lines += draw(st.lists(st.sampled_from(["--no-healthcheck", "--quiet"]), unique=True))
    lines += draw(st.lists(st.sampled_from(["--dns=192.0.2.1", "--dns=192.0.2.2", "--dns-search=."]), unique=True))
    lines += draw(st.sampled_from([(), ("--security-opt=apparmor=own",)]))
    environment = draw(st.dictionaries(_names, st.one_of(st.just(""), printable), max_size=4))
    lines += [f"--env={name}={value}" for name, value in environment.items()]
    ulimits = draw(st.dictionaries(st.sampled_from(["nofile", "core", "fsize", "stack"]), st.integers(0, 10**9)))
    lines += [f"--ulimit={name}={value}:{value}" for name, value in ulimits.items()]
    if draw(st.booleans()):
        lines.append(draw(tmpfs_lines("/dev/shm").filter(lambda line: workdir != "/dev/shm")))
    return draw(st.permutations(lines))


@st.composite
def policy_data(draw: st.DrawFn) -> dict[str, Any]:
    """The data of a valid policy file."""
    words = st.lists(printable.filter(lambda word: word != "--run"), min_size=1, max_size=4)
    compiled = draw(st.one_of(st.just([]), words))
    data = {
        **BASE,
        "title": draw(printable),
        "docker-run": draw(docker_run_lines()),
        "image": draw(st.sampled_from(["box", "code-runner-box:1", "r.example:5000/a/b@sha256:" + "0" * 64])),
        "launcher": draw(words),
        "source": draw(st.from_regex(r"[a-z][A-Za-z0-9_.-]{0,9}", fullmatch=True)),
        "compile": compiled,
        "run": draw(words),
        "ahead-unless": "" if compiled else draw(st.sampled_from(["", "^#.*coding", "x y"])),
        "limits": {
            **LIMITS,
            "wall-time": draw(st.sampled_from([0.1, 0.5, 1, 2.0, 2.5, 60, 3600])),
            "compile-time": draw(st.sampled_from([0.25, 1, 10.0, 3600])),
        },
    }
    return {key: data[key] for key in draw(st.permutations(list(data)))}


@st.composite
def cuts(draw: st.DrawFn, data: bytes) -> list[bytes]:
    """The bytes in pieces, none of them empty: as a pipe may bring them."""
    if draw(st.booleans()):
        step = draw(st.integers(1, 7))
        return [data[at : at + step] for at in range(0, len(data), step)]
    points = sorted(draw(st.sets(st.integers(1, max(1, len(data) - 1)), max_size=12)))
    pieces = [data[start:end] for start, end in zip([0, *points], [*points, len(data)], strict=True)]
    return [piece for piece in pieces if piece]


anything: Final = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=9), inner, max_size=2),
    max_leaves=3,
)
"""What a JSON text may have, where nobody keeps to a contract."""
