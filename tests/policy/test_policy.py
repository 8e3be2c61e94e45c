"""A policy file: what is accepted is the command, byte for byte; everything weaker is refused, all at once."""

import re
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from runner.errors import PolicyError
from runner.policy import argv, policy
from runner.policy.flags import FLAGS
from runner.policy.rules import Flag, Kind, Verdict, size
from runner.sandbox import uids
from tests.strategies import (
    BASE,
    FLOOR,
    LIMITS,
    equal_sizes,
    line_problems,
    policy_data,
    printable,
    problems,
    replaced,
    toml_text,
    unhurried,
    without,
)

SHIPPED: Final = sorted(path for path in Path("policies").glob("*.toml") if path.name != "server.toml")
REQUIRED: Final = [flag for flag in FLAGS.values() if flag.verdict is Verdict.REQUIRED]
PROFILE: Final = "--security-opt=seccomp=policies/seccomp.json"
REASON: Final = "measured: the program needs it, see issue 7"


def beside(*lines: str) -> tuple[str, ...]:
    """What is wrong with the floor and these lines after it."""
    return line_problems(*FLOOR, *lines)


def _plain(value: object) -> object:
    """A policy's value as TOML has it."""
    if isinstance(value, policy.Limits):
        return {key.replace("_", "-"): held for key, held in asdict(value).items()}
    return list(value) if isinstance(value, tuple) else value


# What is accepted


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_policy_is_valid_and_needs_no_waiver(path: Path) -> None:
    """The policies of this repository keep every rule."""
    shipped = policy.parse(path.stem, path.read_text(encoding="utf-8"))
    assert (shipped.name, shipped.waivers) == (path.stem, {})


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_the_lines_of_a_shipped_file_are_its_command(path: Path) -> None:
    """Whoever reads the quoted lines of the file, in their order, has read the options of the command."""
    text = path.read_text(encoding="utf-8")
    block = text[text.index("docker-run = [") : text.index("\n]\n")]
    lines = re.findall(r'^  "(--[^"]*)",', block, re.MULTILINE)
    command = argv.run(policy.parse(path.stem, text), "job-1", "{uid}", "main")
    image = re.findall(r'^image *= "(.*?)"', text, re.MULTILINE)
    expected = ("docker", "run", *lines, "--name=job-1", "--label=code-runner=main", *image)
    assert command[: len(expected)] == expected


@unhurried
@given(policy_data(), st.integers(1, 2**31))
def test_the_command_is_the_lines_then_name_and_label_then_image_then_launcher(data: dict[str, Any], uid: int) -> None:
    """For every valid policy: each line once and in order, the uid filled in, and nothing but name and label added."""
    command = argv.run(policy.parse("box", toml_text(data)), "job-1", uid, "main")
    lines = tuple(line.replace("{uid}", str(uid)) for line in data["docker-run"])
    ahead = (f"--ahead-unless={data['ahead-unless']}",) if data["ahead-unless"] else ()
    limits = data["limits"]
    numbers = (f"--result-files={limits['result-files']}", f"--result-bytes={limits['result-bytes']}")
    results = (f"--results={data['results']}", *numbers) if limits["result-files"] else ()
    compile_step: tuple[str, ...] = ()
    if data["compile"]:
        compile_step = (f"--compile-time={limits['compile-time']:g}", "--compile", *data["compile"])
    assert command == (
        *("docker", "run", *lines, "--name=job-1", "--label=code-runner=main"),
        *(data["image"], *data["launcher"]),
        *(f"--source={data['source']}", *ahead, f"--wall-time={limits['wall-time']:g}"),
        *(f"--live-time={limits['live-time']:g}", *results, *compile_step),
        *("--run", *data["run"]),
    )
    options = command[2 : len(lines) + 4]
    assert [options.count(line) for line in lines] == [1] * len(lines)


@unhurried
@given(policy_data())
def test_what_a_file_says_is_what_a_policy_holds(data: dict[str, Any]) -> None:
    """No value is changed, completed or dropped on its way."""
    parsed = policy.parse("box", toml_text(data))
    held = {key: _plain(getattr(parsed, key.replace("-", "_"))) for key in data}
    assert held == data


@unhurried
@given(policy_data())
def test_the_workdir_is_what_the_line_says(data: dict[str, Any]) -> None:
    """The source is put where --workdir points."""
    parsed = policy.parse("box", toml_text(data))
    assert f"--workdir={parsed.workdir}" in parsed.docker_run


def test_the_digest_is_that_of_the_file() -> None:
    """sha256sum of the file gives the digest of the audit log."""
    digest = policy.parse("box", toml_text(BASE)).digest
    assert len(digest) == 64
    assert digest != policy.parse("box", toml_text(BASE) + "# a comment\n").digest


def test_without_a_workdir_the_root_is_meant() -> None:
    """A waived --workdir leaves docker's default."""
    data = {**BASE, "docker-run": list(without("--workdir")), "waivers": {"--workdir": REASON}}
    assert policy.parse("box", toml_text(data)).workdir == "/"


@unhurried
@given(equal_sizes())
def test_sizes_are_compared_as_bytes(sizes: tuple[str, str]) -> None:
    """256m, 268435456 and 0.25g are the same --memory and --memory-swap."""
    memory, swap = sizes
    lines = replaced(f"--memory-swap={swap}", replaced(f"--memory={memory}"))
    parsed = policy.parse("box", toml_text({**BASE, "docker-run": list(lines)}))
    assert parsed.memory == size(memory) == size(swap)


# Every flag of the floor, weakened


@pytest.mark.parametrize("flag", REQUIRED, ids=lambda flag: flag.name)
def test_a_missing_flag_is_refused(flag: Flag) -> None:
    """A policy without one flag of the floor is refused, with the line to add."""
    found = line_problems(*without(flag.name))
    expected = f"box.toml: {flag.name} is missing ({flag.why}): add {flag.example}"
    follows = "box.toml: --workdir=/tmp: must be the path of a --tmpfs, where the source is written"
    assert found == ((expected, follows) if flag.name == "--tmpfs" else (expected,))


def test_the_floor_is_this() -> None:
    """No flag leaves the floor unnoticed."""
    assert {flag.name for flag in REQUIRED} == {line.partition("=")[0] for line in FLOOR} - {"--workdir"}


@pytest.mark.parametrize("flag", REQUIRED, ids=lambda flag: flag.name)
def test_the_line_to_add_mends_it(flag: Flag) -> None:
    """The remedy that a message names is one; where two lines of a flag are needed, the next is named then."""
    assert line_problems(*without(flag.name), flag.example) == ((NO_PROFILE,) if flag.name == "--security-opt" else ())


ONE_NUMBER: Final = "must be a number from"
SIZE: Final = "must be a size of at least 16m, such as 256m"
OPTION: Final = "must be no-new-privileges, seccomp=FILE.json or apparmor=PROFILE, and not unconfined"
ULIMIT: Final = "must be NAME=SOFT:HARD; nproc counts over all containers of a uid, use --pids-limit"
NAME: Final = "must be NAME=VALUE: a name alone copies the server's own variable"
SWAP: Final = "must equal --memory (256m), or the rest is swap"
NO_SIZE: Final = "must have a size=, or it may grow to half of the host's memory"
NO_INODES: Final = "must have nr_inodes=, or millions of empty files fill the kernel's memory"
PATH: Final = "must start with an absolute path in lower case"
PLACE: Final = "must be an absolute path in lower case"

WEAKENED: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "--pull": {"must be never": ("always", "missing", "Never", "never ", "true")},
    "--network": {"must be none": ("host", "bridge", "default", "container:job-1", "own", "None", "none,host")},
    "--cap-drop": {"must be ALL": ("all", "CAP_ALL", "NET_RAW", "ALL,NET_RAW", "none")},
    "--user": {
        "must be {uid}:{uid}": (
            *("0:0", "0", "root", "1000:1000", "65534:65534"),
            *("{uid}", "{uid}:0", "0:{uid}", "{uid}:{gid}", "{uid}:{uid}:0", "{ uid}:{uid}"),
        )
    },
    "--cpus": {f"{ONE_NUMBER} 0.01 to 64": ("0", "0.0", "-1", "65", "0.001", "x", "1,5", "inf", "nan", "1e1", "1 ")},
    "--memory": {SIZE: ("0", "-1", "15m", "16777215", "x", "256q", "1e9", "256 m", "m", "256m,1g")},
    "--memory-swap": {
        SIZE: ("-1", "0", "x"),
        SWAP: ("512m", "255m", "268435457", "1g"),
    },
    "--pids-limit": {f"{ONE_NUMBER} 1 to 4096": ("0", "-1", "4097", "x", "unlimited", "max", "0x40")},
    "--ipc": {"must be none or private": ("host", "shareable", "container:job-1")},
    "--log-driver": {"must be none": ("json-file", "local", "syslog", "journald")},
    "--tmpfs": {
        PATH: (
            "tmp:nosuid,nodev,size=1m,nr_inodes=9",
            "/:nosuid,nodev,size=1m,nr_inodes=9",
            "/tmp/:nosuid,nodev,size=1m,nr_inodes=9",
            "/tmp/../etc:nosuid,nodev,size=1m,nr_inodes=9",
        ),
        "must have the option nodev and nosuid": ("/tmp", "/tmp:", "/tmp:size=1m,nr_inodes=9"),
        "must have the option nosuid": ("/tmp:nodev,size=1m,nr_inodes=9",),
        "must have the option nodev": ("/tmp:nosuid,size=1m,nr_inodes=9", "/tmp:nosuid,size=nodev"),
        "must not have the option suid": ("/tmp:nosuid,suid,nodev,size=1m,nr_inodes=9",),
        "must not have the option dev": ("/tmp:dev,nosuid,nodev,size=1m,nr_inodes=9",),
        "must not have the option dev or suid": ("/tmp:nosuid,nodev,size=1m,nr_inodes=9,suid,dev",),
        "must not have an option twice: the last would win": (
            "/tmp:nosuid,nodev,size=1m,size=0,nr_inodes=9",
            "/tmp:nosuid,nodev,size=1m,nr_inodes=9,nr_inodes=0",
        ),
        NO_SIZE: (
            "/tmp:nosuid,nodev,nr_inodes=9",
            "/tmp:nosuid,nodev,size,nr_inodes=9",
            "/tmp:nosuid,nodev,size=,nr_inodes=9",
            "/tmp:nosuid,nodev,size=0,nr_inodes=9",
            "/tmp:nosuid,nodev,size=50%,nr_inodes=9",
        ),
        NO_INODES: (
            "/tmp:nosuid,nodev,size=1m",
            "/tmp:nosuid,nodev,size=1m,nr_inodes=0",
            "/tmp:nosuid,nodev,size=1m,nr_inodes=-1",
        ),
    },
}
"""Flag of the floor -> what is said -> the values of which it is said."""

WEAK: Final = [
    (f"{flag}={v}", said) for flag, rules in WEAKENED.items() for said, values in rules.items() for v in values
]


@pytest.mark.parametrize(("line", "said"), WEAK)
def test_a_weakened_flag_is_refused(line: str, said: str) -> None:
    """A flag of the floor with a weaker value is refused, with the value it must have."""
    found = line_problems(*replaced(line))
    assert found[0] == f"box.toml: {line}: {said}"
    assert set(found[1:]) <= {  # what follows from it
        f"box.toml: --memory-swap=256m: must equal --memory ({line.partition('=')[2]}), or the rest is swap",
        "box.toml: --workdir=/tmp: must be the path of a --tmpfs, where the source is written",
    }


@pytest.mark.parametrize("value", ["false", "true", "0", "1", ""])
@pytest.mark.parametrize("flag", [flag.name for flag in FLAGS.values() if flag.kind is Kind.SWITCH and flag.example])
def test_a_switch_takes_no_value(flag: str, value: str) -> None:
    """--read-only=false would undo it; there is one way to write a switch."""
    line = f"{flag}={value}"
    assert line_problems(*(line if old == flag else old for old in FLOOR)) == (
        f"box.toml: {line}: takes no value: write {flag}",
    )


@pytest.mark.parametrize("flag", [line.partition("=")[0] for line in FLOOR if "=" in line])
def test_a_flag_without_its_value_is_refused(flag: str) -> None:
    """--flag= and --flag alone would take docker's default, or the next line as value."""
    for line in (flag, f"{flag}="):
        said = f"box.toml: {line}: needs a value: write {flag}=VALUE"
        assert said in line_problems(*(line if old.startswith(f"{flag}=") else old for old in FLOOR))


EXACT: Final = ("--pull", "--network", "--cap-drop", "--user", "--ipc", "--log-driver", "--cgroupns", "--runtime")


@unhurried
@given(st.sampled_from(EXACT), printable)
def test_no_other_value_passes(flag: str, value: str) -> None:
    """Flags with a fixed value accept that value and nothing else, whatever it is."""
    good = ("never", "none", "ALL", "private", "runc", "crun", "runsc")
    assume(value not in good)
    line = f"{flag}={value}"
    lines = (*without(flag), line)
    assert [found for found in line_problems(*lines) if found.startswith(f"box.toml: {line}: must be ")] != []


@pytest.mark.parametrize(
    "options",
    [
        "size=64m,nr_inodes=2048,nr_blocks=0",
        "nr_blocks=0,size=64m,nr_inodes=2048",
        "size=64m,nr_inodes=2048,nr_blocks=99999999",
    ],
)
def test_a_second_bound_of_a_tmpfs_is_refused(options: str) -> None:
    """nr_blocks is size in other words, and the kernel keeps the last of the two: 0 is no bound at all."""
    assert line_problems(*replaced(f"--tmpfs=/tmp:rw,nosuid,nodev,{options}")) != ()


# Security options


NOT_THERE: Final = "box.toml: --security-opt=no-new-privileges is missing (setuid files would work): add it"
NO_PROFILE: Final = (
    "box.toml: --security-opt=seccomp=policies/seccomp.json is missing "
    "(docker's default lets through io_uring and vsock): add it"
)


@pytest.mark.parametrize(
    "value",
    [
        *("no-new-privileges=false", "no-new-privileges:false", "no-new-privileges=true", "no-new-privileges:true"),
        *("seccomp=unconfined", "seccomp:unconfined", "seccomp=", "seccomp", "apparmor=unconfined", "apparmor="),
        *(
            "seccomp=builtin",
            "seccomp=own",
            "seccomp=own.json2",
            "seccomp=.json",
            "seccomp={}.json",
            "seccomp:own.json",
        ),
        *("label=disable", "label:disable", "label=type:x", "systempaths=unconfined", "writable-cgroups=true", "x"),
    ],
)
def test_a_security_option_that_opens_something_is_refused(value: str) -> None:
    """In the place of no-new-privileges and beside it: neither passes."""
    line = f"--security-opt={value}"
    found = line_problems(*without("--security-opt"), line)
    assert found[:2] == (f"box.toml: {line}: {OPTION}", NOT_THERE)
    assert set(found[2:]) <= {NO_PROFILE}
    assert f"box.toml: {line}: {OPTION}" in beside(line)


def test_a_profile_does_not_stand_for_no_new_privileges() -> None:
    """Each is needed beside the other."""
    assert line_problems(*without("--security-opt"), PROFILE) == (NOT_THERE,)


@pytest.mark.parametrize("beside", [(), ("--security-opt=apparmor=own",)])
def test_a_policy_without_a_seccomp_profile_is_refused(beside: tuple[str, ...]) -> None:
    """What the engine's version would let through is not left to it."""
    lines = (*without("--security-opt"), "--security-opt=no-new-privileges", *beside)
    assert line_problems(*lines) == (NO_PROFILE,)


@pytest.mark.parametrize("file", ["own.json", "policies/seccomp.json", "/etc/code-runner/own.json", "../a_b-c.json"])
def test_a_profile_is_a_file(file: str) -> None:
    """Any path that docker's client opens: relative to where the server is started, or absolute."""
    lines = (*(line for line in FLOOR if line != PROFILE), f"--security-opt=seccomp={file}")
    parsed = policy.parse("box", toml_text({**BASE, "docker-run": list(lines)}))
    assert (parsed.seccomp, parsed.profile) == (file, "")


@pytest.mark.parametrize("line", [None, "--security-opt=seccomp=unconfined"])
def test_without_a_profile_there_is_no_file(line: str | None) -> None:
    """A waiver may go without; then there is nothing to read."""
    lines = [old for old in FLOOR if old != PROFILE] + ([line] if line else [])
    data = {**BASE, "docker-run": lines, "waivers": {"--security-opt": REASON}}
    assert policy.parse("box", toml_text(data)).seccomp == ""


# Flags that are allowed, with values that are not


ARABIC: Final = "\u0666\u0664"
"""64, in digits that Python takes for a number."""


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("--env=PATH", NAME),
        ("--env==x", NAME),
        ("--env=1A=x", NAME),
        ("--env=A-B=x", NAME),
        ("--env=A={uid}", "only --user has a placeholder"),
        ("--hostname={uid}", "only --user has a placeholder"),
        ("--ulimit=nproc=64:64", ULIMIT),
        ("--ulimit=nproc=64", ULIMIT),
        ("--ulimit=nofile=-1:-1", ULIMIT),
        ("--ulimit=nofile=unlimited", ULIMIT),
        ("--ulimit=nofile", ULIMIT),
        ("--cgroupns=host", "must be private"),
        ("--cpu-shares=0", "must be a number from 2 to 1024"),
        ("--cpu-shares=262144", "must be a number from 2 to 1024"),
        ("--oom-score-adj=-1", "must be a number from 0 to 1000"),
        ("--oom-score-adj=-1000", "must be a number from 0 to 1000"),
        ("--blkio-weight=0", "must be a number from 10 to 1000"),
        ("--runtime=nvidia", "must be runc or crun or runsc"),
        ("--runtime=io.containerd.runc.v2", "must be runc or crun or runsc"),
        ("--memory-reservation=1m", SIZE),
        ("--shm-size=0", SIZE),
        ("--quiet=false", "takes no value: write --quiet"),
        ("--no-healthcheck=false", "takes no value: write --no-healthcheck"),
        ("--dns=", "needs a value: write --dns=VALUE"),
    ],
)
def test_an_allowed_flag_has_its_rule_too(line: str, said: str) -> None:
    """What may be there must still be well-formed and harmless."""
    assert beside(line) == (f"box.toml: {line}: {said}",)


@pytest.mark.parametrize("path", ["tmp", "/", "/tmp/", "/TMP", "/tmp/..", "//tmp"])
def test_a_workdir_is_a_plain_path(path: str) -> None:
    """--workdir is an absolute path without detours."""
    assert line_problems(*replaced(f"--workdir={path}"))[0] == f"box.toml: --workdir={path}: {PLACE}"


@pytest.mark.parametrize("path", ["/box", "/tmp/box", "/tm"])
def test_the_workdir_is_a_tmpfs(path: str) -> None:
    """The source has to be written somewhere, and everything else is read-only."""
    said = f"box.toml: --workdir={path}: must be the path of a --tmpfs, where the source is written"
    assert line_problems(*replaced(f"--workdir={path}")) == (said,)


@pytest.mark.parametrize(
    "line",
    [
        *("--pids-limit=64.5", "--cpu-shares=256.5", "--oom-score-adj=1.5", "--blkio-weight=10.5"),
        *(f"--pids-limit={ARABIC}", f"--cpus={ARABIC}", f"--ulimit=nofile={ARABIC}:{ARABIC}"),
        *(f"--memory-reservation={ARABIC}m", "--memory-reservation=268435456bb"),
        f"--tmpfs=/tmp:rw,nosuid,nodev,size=64m,nr_inodes={ARABIC}",
    ],
)
def test_a_number_that_docker_cannot_read_is_refused(line: str) -> None:
    """Docker reads ASCII digits, and whole numbers for counts: anything else would fail at the first run."""
    lines = replaced(line) if line.partition("=")[0] in {old.partition("=")[0] for old in FLOOR} else (*FLOOR, line)
    assert line_problems(*lines) != ()


# Flags that must not be there


FORBIDDEN: Final = (
    *("--privileged", "--cap-add", "--net", "--network-alias", "--link", "--link-local-ip", "--add-host"),
    *("--ip", "--ip6", "--mac-address", "--publish", "--publish-all", "--expose", "--volume", "--mount"),
    *("--volumes-from", "--volume-driver", "--use-api-socket", "--device", "--device-cgroup-rule"),
    *("--device-read-bps", "--device-read-iops", "--device-write-bps", "--device-write-iops", "--gpus", "--pid"),
    *("--uts", "--userns", "--oom-kill-disable", "--memory-swappiness", "--kernel-memory", "--cgroup-parent"),
    *("--sysctl", "--group-add", "--env-file", "--label-file", "--cidfile", "--tty", "--attach", "--detach"),
    *("--detach-keys", "--sig-proxy", "--entrypoint", "--init", "--isolation", "--platform", "--storage-opt"),
    *("--log-opt", "--annotation", "--restart", "--stop-signal", "--stop-timeout", "--cpu-period"),
    *("--cpu-quota", "--cpu-rt-period", "--cpu-rt-runtime", "--blkio-weight-device", "--health-cmd"),
    *("--health-interval", "--health-retries", "--health-timeout", "--health-start-period"),
    *("--health-start-interval", "--name", "--label", "--disable-content-trust", "--help"),
)


def test_the_forbidden_flags_are_these() -> None:
    """No flag becomes allowed unnoticed."""
    assert sorted(flag.name for flag in FLAGS.values() if flag.verdict is Verdict.FORBIDDEN) == sorted(FORBIDDEN)


@pytest.mark.parametrize("value", ["", "=", "=host", "=true", "=false", "=/:/host:ro"])
@pytest.mark.parametrize("flag", FORBIDDEN)
def test_a_forbidden_flag_is_refused_with_any_value(flag: str, value: str) -> None:
    """Also --privileged=false: a flag that does nothing is one that somebody switches on later."""
    line = f"{flag}{value}"
    assert beside(line) == (f"box.toml: {line}: is forbidden: it {FLAGS[flag].why}; remove it",)


UNKNOWN: Final = (
    *("-v=/:/host", "-v/:/host", "-p", "-P", "-p8080:80", "-t", "-d", "-i", "-it", "-itd", "-ti=false", "-m=64m"),
    *("-m64m", "-u0", "-u=0", "-e", "-eNAME", "-e=NAME", "-w=/", "-h=x", "-l=x", "-c=2", "-a=stdout", "-q", "-"),
    *("--", "---read-only", "--READ-ONLY", "--Read-Only", "--readonly", "--no-rm", "read-only", " --read-only", ""),
    *("--read-only true", "--memory 256m", "--network none", "--network host", "--ipc none", "--volume /:/host"),
    *("--dns-opt=x", "--memroy=1g", "--H=x", "--host=tcp://x", "--context=x", "--config=/x", "-H=x", "-D"),
    *("docker", "run", "alpine", "sh", "code-runner-box:1", "=", "=x", "--=x", "--runtime:runc", "--user:{uid}"),
)


@pytest.mark.parametrize("line", UNKNOWN)
def test_a_line_that_is_no_known_long_flag_is_refused(line: str) -> None:
    """No short flag, no joined shorts, no alias, no `--flag value`, no word that docker would take for the image."""
    name = line.partition("=")[0]
    found = beside(line)
    assert re.fullmatch(
        rf"box\.toml: {re.escape(line)}: {re.escape(repr(name))} is unknown(: did you mean --?[a-z0-9-]+\?)?"
        "; write --flag=value, one flag a line",
        found[-1],
    )
    assert found[:-1] == (() if line else ("box.toml: docker-run: '' must be a string that is not empty",))


@pytest.mark.parametrize(
    ("line", "near"),
    [
        ("--memroy=1g", "--memory"),
        ("--readonly", "--read-only"),
        ("--capdrop=ALL", "--cap-drop"),
        ("--tmpf=/x", "--tmpfs"),
        ("--read-only true", "--read-only"),
    ],
)
def test_an_unknown_flag_is_refused_with_the_nearest_one(line: str, near: str) -> None:
    """A misspelt flag is told from a wrong one."""
    name = line.partition("=")[0]
    said = f"box.toml: {line}: {name!r} is unknown: did you mean {near}?; write --flag=value, one flag a line"
    assert beside(line) == (said,)


@unhurried
@given(
    st.one_of(st.sampled_from(sorted(FLAGS)), st.sampled_from(UNKNOWN), st.text(max_size=8)),
    st.sampled_from(["=", " ", ":", ""]),
    st.one_of(printable, st.text(max_size=30), st.sampled_from(["true", "false", "host", "0", "{uid}", "ALL"])),
)
def test_a_line_is_accepted_only_in_one_form(name: str, between: str, value: str) -> None:
    """Whatever line is added, it passes only as a known and allowed flag, with = and a value, or a switch without."""
    line = name + between + value
    if beside(line) == ():
        flag = FLAGS[line.partition("=")[0]]
        assert flag.verdict is Verdict.ALLOWED
        assert line == flag.name if flag.kind is Kind.SWITCH else line.startswith(f"{flag.name}=")
        assert line.isprintable()


@pytest.mark.parametrize("character", ["\n", "\r", "\t", "\0", "\x1b", "\x7f", "\x85", "\u2028", "\u202e", "\u200b"])
@pytest.mark.parametrize("key", ["docker-run", "launcher", "compile", "run"])
def test_an_invisible_character_is_refused(key: str, character: str) -> None:
    """What an auditor cannot see must not be in a command."""
    line = f"--hostname=a{character}b"
    lines = [*BASE[key], line]
    assert problems({**BASE, key: lines}) == (f"box.toml: {key}: {line!r}: must not have control characters",)


# Repeats


ONCE: Final = [line for line in FLOOR if FLAGS[line.partition("=")[0]].kind in (Kind.SCALAR, Kind.SWITCH)]


@pytest.mark.parametrize("line", [*ONCE, "--hostname=sandbox", "--quiet", "--cpu-shares=256", "--runtime=runsc"])
def test_a_repeated_flag_is_refused(line: str) -> None:
    """Docker silently keeps the last one; even the same line twice is refused."""
    flag = line.partition("=")[0]
    lines = (*without(flag), line, line)
    assert line_problems(*lines) == (f"box.toml: {flag} stands 2 times: docker would keep the last; keep one",)


@pytest.mark.parametrize("line", ["--memory=0", "--memory=1g", "--network=host", "--user=0:0", "--cap-drop=NET_RAW"])
def test_a_second_value_is_refused_on_either_side(line: str) -> None:
    """A weaker line before or after the good one: both are refused for the repeat as well."""
    flag = line.partition("=")[0]
    said = f"box.toml: {flag} stands 2 times: docker would keep the last; keep one"
    assert said in line_problems(line, *FLOOR)
    assert said in line_problems(*FLOOR, line)


@pytest.mark.parametrize(
    ("first", "second", "shown"),
    [
        ("--env=A=1", "--env=A=2", "--env=A"),
        ("--ulimit=nofile=1:1", "--ulimit=nofile=2:2", "--ulimit=nofile"),
        ("--security-opt=apparmor=a", "--security-opt=apparmor=b", "--security-opt=apparmor"),
        (
            "--tmpfs=/x:nosuid,nodev,size=1m,nr_inodes=9",
            "--tmpfs=/x:nosuid,nodev,size=9m,nr_inodes=9",
            "--tmpfs=/x",
        ),
        ("--dns=192.0.2.1", "--dns=192.0.2.1", "--dns=192.0.2.1"),
    ],
)
def test_a_repeated_key_is_refused(first: str, second: str, shown: str) -> None:
    """Flags that may repeat may not repeat what they are about."""
    said = f"box.toml: {shown} stands 2 times: docker would keep the last; keep one"
    assert beside(first, second) == (said,)
    assert beside(first) == beside(second) == ()


def test_other_keys_may_repeat_a_flag() -> None:
    """Two variables, two limits, another profile, two servers."""
    assert (
        beside(
            *("--env=A=1", "--env=B=1", "--ulimit=nofile=1:1", "--ulimit=core=0:0"),
            *("--security-opt=apparmor=b", "--dns=192.0.2.1", "--dns=192.0.2.2"),
            "--tmpfs=/dev/shm:rw,nosuid,nodev,size=16m,nr_inodes=64",
        )
        == ()
    )


# The other keys


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"title": 1}, "title must be a string"),
        ({"title": ""}, "title must not be empty"),
        ({"title": "a\nb"}, "title must not have control characters"),
        ({"docker-run": "--rm"}, "docker-run must be a list of strings"),
        ({"image": ""}, "image must be an image name"),
        ({"image": "--privileged"}, "image must be an image name"),
        ({"image": "a b"}, "image must be an image name"),
        ({"image": ["a"]}, "image must be a string"),
        ({"launcher": []}, "launcher must not be empty"),
        ({"launcher": "sh"}, "launcher must be a list of strings"),
        ({"launcher": ["sh", 1]}, "launcher: 1 must be a string that is not empty"),
        ({"launcher": ["sh", ""]}, "launcher: '' must be a string that is not empty"),
        ({"source": ""}, "source must be a plain file name"),
        ({"source": "../x"}, "source must be a plain file name"),
        ({"source": "/x"}, "source must be a plain file name"),
        ({"source": "a/b"}, "source must be a plain file name"),
        ({"source": ".x"}, "source must be a plain file name"),
        ({"source": "-x"}, "source must be a plain file name"),
        ({"source": "é.py"}, "source must be a plain file name"),  # the launcher takes ASCII
        ({"compile": "cc"}, "compile must be a list of strings"),
        ({"compile": ["--run"]}, "compile: --run belongs to the launcher"),
        (
            {"ahead-unless": "("},
            "ahead-unless must be a regular expression: missing ), unterminated subpattern at position 0",
        ),
        ({"ahead-unless": "x", "compile": ["cc"]}, 'ahead-unless must be "" where there is a compile step'),
        ({"run": []}, "run must not be empty"),
        ({"run": ["x", "--run"]}, "run: --run belongs to the launcher"),
        ({"run": [["x"]]}, "run: ['x'] must be a string that is not empty"),
        ({"limits": 1}, "limits must be a table"),
        ({"limits": {**LIMITS, "wall-time": "2"}}, "limits: wall-time must be a number"),
        ({"limits": {**LIMITS, "wall-time": True}}, "limits: wall-time must be a number"),
        ({"limits": {**LIMITS, "wall-time": 0}}, "limits: wall-time must be from 0.1 to 3600"),
        ({"limits": {**LIMITS, "wall-time": float("inf")}}, "limits: wall-time must be from 0.1 to 3600"),
        ({"limits": {**LIMITS, "wall-time": float("nan")}}, "limits: wall-time must be from 0.1 to 3600"),
        ({"limits": {**LIMITS, "compile-time": -1}}, "limits: compile-time must be from 0 to 3600"),
        ({"limits": {**LIMITS, "total-time": 0}}, "limits: total-time must be from 0.1 to 3600"),
        ({"limits": {**LIMITS, "source": 0}}, "limits: source must be from 1 to 1.67772e+07"),
        ({"limits": {**LIMITS, "source": 1.5}}, "limits: source must be a whole number"),
        ({"limits": {**LIMITS, "input": -1}}, "limits: input must be from 0 to 6.71089e+07"),
        ({"limits": {**LIMITS, "inputs": 0}}, "limits: inputs must be from 1 to 1000"),
        ({"limits": {**LIMITS, "output": False}}, "limits: output must be a whole number"),
        ({"limits": {**LIMITS, "wal-time": 1}}, "limits: 'wal-time' is unknown: did you mean wall-time?"),
        ({"imagee": "x"}, "'imagee' is unknown: did you mean image?"),
        ({"docker_run": []}, "'docker_run' is unknown: did you mean docker-run?"),
        ({"zzz": 1}, "'zzz' is unknown"),
        ({"waivers": []}, "waivers must be a table"),
    ],
)
def test_a_wrong_key_is_refused(change: dict[str, Any], said: str) -> None:
    """Each key has one type and one range; unknown ones are refused with the nearest known name."""
    assert problems({**BASE, **change}) == (f"box.toml: {said}",)


@pytest.mark.parametrize("key", sorted(BASE))
def test_a_missing_key_is_refused(key: str) -> None:
    """There are no defaults."""
    assert problems({k: v for k, v in BASE.items() if k != key}) == (f"box.toml: {key} is missing",)


@pytest.mark.parametrize("key", sorted(LIMITS))
def test_a_missing_limit_is_refused(key: str) -> None:
    """There is no default for a limit."""
    limits = {k: v for k, v in LIMITS.items() if k != key}
    assert problems({**BASE, "limits": limits}) == (f"box.toml: limits: {key} is missing",)


def test_a_compile_step_needs_time() -> None:
    """compile-time 0 is for languages that compile nothing."""
    limits = {**LIMITS, "compile-time": 0}
    assert problems({**BASE, "limits": limits}) == ()
    said = "box.toml: limits: compile-time must be more than 0 where there is a compile step"
    assert problems({**BASE, "limits": limits, "compile": ["cc"]}) == (said,)


# All at once


def test_all_problems_are_reported_at_once() -> None:
    """Five faults are five lines, in the order of the file format."""
    lines = (*without("--log-driver", replaced("--network=host", replaced("--memory-swap=512m"))), "--privileged")
    data = {**BASE, "title": "", "docker-run": list(lines)}
    with pytest.raises(PolicyError) as caught:
        policy.parse("box", toml_text(data))
    assert str(caught.value).split("\n") == [
        "box.toml:1: title must not be empty",
        "box.toml:2: --network=host: must be none",
        "box.toml:2: --privileged: is forbidden: "
        "it gives the program every device and capability of the host; remove it",
        "box.toml:2: --log-driver is missing (output does not fill the host's disk): add --log-driver=none",
        "box.toml:2: --memory-swap=512m: must equal --memory (256m), or the rest is swap",
    ]


def test_an_empty_file_lacks_everything() -> None:
    """Every key that must be there is named."""
    assert sorted(problems("")) == sorted(f"box.toml: {key} is missing" for key in BASE)


def test_no_flags_at_all() -> None:
    """Every flag of the floor is named, and where the source would go."""
    missing = [f"box.toml: {flag.name} is missing ({flag.why}): add {flag.example}" for flag in REQUIRED]
    last = "box.toml: --workdir=/: must be the path of a --tmpfs, where the source is written"
    assert line_problems() == (*missing, last)


@unhurried
@given(st.sets(st.sampled_from(WEAK), min_size=1, max_size=5).map(sorted))
def test_no_fault_hides_another(faults: list[tuple[str, str]]) -> None:
    """Faults of different flags are all reported, whatever they are."""
    by_flag = {line.partition("=")[0]: (line, said) for line, said in faults}
    lines: tuple[str, ...] = FLOOR
    for line, _ in by_flag.values():
        lines = replaced(line, lines)
    found = set(line_problems(*lines))
    expected = {f"box.toml: {line}: {said}" for line, said in by_flag.values() if said != SWAP}
    assert expected <= found


# Waivers


@pytest.mark.parametrize("flag", [flag.name for flag in REQUIRED])
def test_a_waiver_with_a_reason_lets_a_rule_be_broken(flag: str) -> None:
    """A missing flag passes under a waiver, and the policy carries the reason."""
    waivers = {flag: REASON} | ({"--workdir": REASON} if flag == "--tmpfs" else {})
    data = {**BASE, "docker-run": list(without(flag)), "waivers": waivers}
    parsed = policy.parse("box", toml_text(data))
    assert (parsed.waivers, parsed.docker_run) == (waivers, without(flag))


@pytest.mark.parametrize(
    "line", ["--privileged", "--cap-add=SYS_PTRACE", "--init", "--cpu-quota=1", "--ulimit=nproc=9", "--quiet=false"]
)
def test_a_waived_line_is_in_the_command(line: str) -> None:
    """What is waived is run as it stands."""
    waivers = {line.partition("=")[0]: REASON}
    data = {**BASE, "docker-run": [*FLOOR, line], "waivers": waivers}
    command = argv.run(policy.parse("box", toml_text(data)), "job-1", 7, "main")
    assert command[2 : len(FLOOR) + 3] == (*(old.replace("{uid}", "7") for old in FLOOR), line)


@unhurried
@given(st.sampled_from(WEAK), st.sampled_from(WEAK))
def test_a_waiver_covers_its_own_flag_alone(waived: tuple[str, str], other: tuple[str, str]) -> None:
    """A waiver for one flag never lets another flag's rule be broken."""
    first, second = waived[0].partition("=")[0], other[0].partition("=")[0]
    assume(first != second and other[1] != SWAP)
    lines = replaced(other[0], replaced(waived[0]))
    found = line_problems(*lines, waivers={first: REASON})
    assert f"box.toml: {other[0]}: {other[1]}" in found
    assert f"box.toml: {waived[0]}: {waived[1]}" not in found


@pytest.mark.parametrize("flag", ["--network", "--privileged", "--env", "--workdir", "--rm"])
def test_a_waiver_that_waives_nothing_is_refused(flag: str) -> None:
    """A waiver does not stay when its break has gone."""
    said = f"box.toml: waivers: {flag} waives nothing: remove it"
    assert problems({**BASE, "waivers": {flag: REASON}}) == (said,)


def test_waivers_that_waive_nothing_are_named_in_their_order() -> None:
    """The same file gives the same message every time."""
    waivers = {flag.name: REASON for flag in REQUIRED}
    said = tuple(f"box.toml: waivers: {flag} waives nothing: remove it" for flag in waivers)
    assert problems({**BASE, "waivers": waivers}) == said


@pytest.mark.parametrize("reason", ["", "         ", "needed", "x" * 9, True, 1, 1.5, ["measured, see issue 7"]])
def test_a_waiver_without_a_reason_is_refused(reason: object) -> None:
    """A reason is a sentence that an auditor can read."""
    data = {**BASE, "docker-run": list(without("--ipc")), "waivers": {"--ipc": reason}}
    assert problems(data) == ("box.toml: waivers: --ipc must give its reason, in a sentence",)


@pytest.mark.parametrize(
    ("line", "flag", "near"),
    [
        ("--memroy=1g", "--memroy", ": did you mean --memory?"),
        ("-x=1g", "-x", ""),
        ("--read-only true", "--read-only true", ": did you mean --read-only?"),
    ],
)
def test_a_waiver_for_an_unknown_flag_is_refused(line: str, flag: str, near: str) -> None:
    """No waiver lets a line pass that the linter cannot read."""
    found = line_problems(*FLOOR, line, waivers={flag: REASON})
    assert found == (f"box.toml: waivers: {flag!r} is unknown{near}",)


# Whatever the text


KEYS: Final = [*BASE, *LIMITS, "waivers", *list(FLAGS)[:20]]
scalars: Final = st.one_of(
    st.none().map(lambda _: "1979-05-27"),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=10),
    st.sampled_from(FLOOR),
)
values: Final = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.one_of(st.sampled_from(KEYS), st.text(max_size=5)), inner, max_size=4),
    ),
    max_leaves=12,
)
fragments: Final = st.sampled_from(
    [
        *(*KEYS, *FLOOR, "[", "]", "[[", "]]", "{", "}", "=", ".", ",", '"', "'", '"""', "\n", "#", " ", "\\", "\\u"),
        *("1", "inf", "nan", "0x", "1e9", "true", "1979-05-27T07:32:00Z", "\r", "\0", "\ufeff", "é"),
    ]
)


def parses_or_says(text: str) -> None:
    """Either a policy, or problems that each name the file; any other exception fails the test."""
    assert [found for found in problems(text) if not found.startswith("box.toml: ")] == []


@unhurried
@given(st.one_of(st.text(), st.lists(fragments).map("".join)))
def test_any_text_parses_or_is_refused(text: str) -> None:
    """Nothing but a PolicyError leaves the parser."""
    parses_or_says(text)


@unhurried
@given(st.dictionaries(st.sampled_from(KEYS), values, max_size=6))
def test_any_data_parses_or_is_refused(data: dict[str, Any]) -> None:
    """Values of any type in any place are refused by name."""
    parses_or_says(toml_text({**BASE, **data}))


@unhurried
@given(st.sampled_from(sorted(FLAGS)), st.text(max_size=40))
def test_any_value_of_a_flag_parses_or_is_refused(flag: str, value: str) -> None:
    """No rule stumbles over a value."""
    parses_or_says(toml_text({**BASE, "docker-run": [*without(flag), f"{flag}={value}"]}))


@pytest.mark.parametrize(
    "text",
    [
        "title = " + "[" * 5000,
        "title = " + "{a=" * 5000,
        "title = " + "1" * 5000,
        toml_text({**BASE, "docker-run": [*replaced("--memory=" + "9" * 400)]}),
        toml_text({**BASE, "docker-run": [*replaced("--memory=" + "9" * 308 + "t")]}),
        toml_text({**BASE, "docker-run": [*replaced("--tmpfs=/tmp:nosuid,nodev,nr_inodes=9,size=" + "9" * 400)]}),
        toml_text({**BASE, "docker-run": [*replaced("--tmpfs=/tmp:nosuid,nodev,size=1m,nr_inodes=" + "9" * 5000)]}),
        toml_text({**BASE, "docker-run": [*replaced("--cpus=" + "9" * 5000)]}),
    ],
    ids=["nested lists", "nested tables", "long number", "memory", "memory in t", "tmpfs size", "inodes", "cpus"],
)
def test_an_absurd_text_is_refused(text: str) -> None:
    """Depth and length end in a PolicyError too, not in the reader's own limits."""
    assert problems(text) != ()


# The uid that is filled in


def test_uids_are_of_a_stated_range_and_never_two_alike() -> None:
    """A container's uid is its own for as long as it lives, from a range that nothing else uses."""
    pool = uids.Uids()
    taken = [pool.take() for _ in range(uids.BLOCK)]
    assert len(set(taken)) == uids.BLOCK
    assert (uids.FIRST, uids.FIRST + uids.BLOCK * uids.BLOCKS) == (1_900_000_000, 2_143_200_000)
    assert min(taken) >= uids.FIRST
    assert max(taken) < uids.FIRST + uids.BLOCK * uids.BLOCKS


def test_the_uid_that_is_given_back_is_taken_last() -> None:
    """What a uid's kernel limits still hold has the longest time to go away."""
    pool = uids.Uids()
    first = pool.take()
    pool.give_back(first)
    assert [pool.take() for _ in range(uids.BLOCK)].index(first) == uids.BLOCK - 1


# The other commands


def test_every_other_command_is_this() -> None:
    """Whoever reads this has read every other command line that is executed."""
    assert argv.kill("job-1") == ("docker", "kill", "job-1")
    assert argv.remove("job-1", "job-2") == ("docker", "rm", "--force", "--volumes", "job-1", "job-2")
    listing = ("docker", "ps", "--all", "--no-trunc")
    assert argv.names_like("job-1") == (*listing, "--filter=name=^job-1$", "--format={{.Names}}")
    assert argv.names_of("main") == (*listing, "--filter=label=code-runner=main", "--format={{.Names}}")
    states = ("--filter=status=created", "--filter=status=exited", "--filter=status=dead")
    shown = '--format={{.Label "code-runner"}} {{.Names}}'
    assert argv.left_over() == (*listing, "--filter=label=code-runner", *states, shown)
    identity = "{{.Id}}{{range .RepoDigests}} {{.}}{{end}}"
    assert argv.image_identity("box:1") == ("docker", "image", "inspect", f"--format={identity}", "box:1")
    assert argv.engine_version() == ("docker", "version", "--format={{.Server.Version}}")
    assert argv.engine_endpoint() == ("docker", "context", "inspect", "--format={{.Endpoints.docker.Host}}")
