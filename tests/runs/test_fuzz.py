"""What is given as text or bytes, mutated: it is refused in the one way there is, or it is right by other measures."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.errors import PolicyError, Refusal
from runner.policy import configuration, policy
from runner.policy import settings as service
from runner.policy.policy import Policy
from runner.runs import request
from runner.sandbox.job import Job
from runner.sandbox.protocol import NONCE_SIZE, READY, Step, Transcript
from tests.harness import SOAK
from tests.strategies import cuts

FILES: Final = {path.name: path.read_text(encoding="utf-8") for path in sorted(Path("policies").glob("*.toml"))}
POLICIES: Final = configuration.load().policies
often: Final = settings(max_examples=20_000 if SOAK else 400, deadline=None)

VALUES: Final = [
    *("0", "-1", "1", "1.5", "1e9", "inf", "nan", "true", '""', "[]", "{}", '"x"', "256m", "512m", "0m", "65536"),
    *("none", "host", "ALL", "all", "unconfined", "{uid}:{uid}", "0:0", "root", "missing", "always", "/tmp", "/"),
]
LINES: Final = [
    *("--privileged", "--network=host", "--network=bridge", "--cap-add=SYS_ADMIN", "--volume=/:/host", "--pid=host"),
    *("--mount=type=bind,src=/,dst=/host", "--device=/dev/mem", "--user=0:0", "--env=SECRET", "--env-file=/etc/passwd"),
    *("--security-opt=seccomp=unconfined", "--security-opt=apparmor=unconfined", "--ipc=host", "--uts=host"),
    *("--memory=128m", "--rm=false", "--pull=always", "-v=/:/host", "--cap-drop=NET_RAW", "--entrypoint=sh", "--init"),
    *("--tmpfs=/run", "--publish=80:80", "--cgroup-parent=/", "--restart=always", "--detach", "--read-only=false"),
]


@st.composite
def mutated(draw: st.DrawFn, texts: Sequence[str]) -> str:
    """One of these, with some lines and characters changed as a careless or malicious editor may."""
    lines = draw(st.sampled_from(texts)).split("\n")
    for _ in range(draw(st.integers(1, 3))):
        at, other = (draw(st.integers(0, len(lines) - 1)) for _ in range(2))
        line = lines[at]
        match draw(st.sampled_from(["drop", "repeat", "swap", "value", "flag", "cut", "character", "waive"])):
            case "drop" if len(lines) > 1:
                del lines[at]
            case "repeat":
                lines.insert(other, line)
            case "swap":
                lines[at], lines[other] = lines[other], line
            case "value":
                value = draw(st.sampled_from(VALUES))
                lines[at] = re.sub(r"=\s*[^,#\s\"]+", f"= {value}" if " = " in line else f"={value}", line, count=1)
            case "flag":
                lines[at] = re.sub(r'"--[^"]+"', lambda _: f'"{draw(st.sampled_from(LINES))}"', line, count=1)
            case "cut":
                lines[at] = line[: draw(st.integers(0, len(line)))]
            case "character":
                place = draw(st.integers(0, len(line)))
                lines[at] = line[:place] + draw(st.characters(codec="utf-8")) + line[place + draw(st.integers(0, 1)) :]
            case "waive":
                lines += ["[waivers]", f'"{draw(st.sampled_from(LINES)).partition("=")[0]}" = "a reason"']
    return "\n".join(lines)


# Policies: what must hold of one that is accepted, in other words than the tables of flags


ONCE: Final = {
    "--rm": r"",
    "--interactive": r"",
    "--read-only": r"",
    "--pull": r"never",
    "--network": r"none",
    "--cap-drop": r"(?i:ALL|CAP_ALL)",
    "--user": r"\{uid\}:\{uid\}",
    "--pids-limit": r"[1-9][0-9]*",
    "--ipc": r"none|private",
    "--log-driver": r"none",
}
HARMLESS: Final = {
    *("--cpus", "--cpu-shares", "--cpuset-cpus", "--cpuset-mems", "--memory", "--memory-swap", "--memory-reservation"),
    *("--ulimit", "--oom-score-adj", "--tmpfs", "--cgroupns", "--hostname", "--domainname", "--dns", "--dns-search"),
    *(
        "--no-healthcheck",
        "--workdir",
        "--env",
        "--security-opt",
        "--runtime",
        "--blkio-weight",
        "--quiet",
        "--shm-size",
    ),
}


def weaknesses(found: Policy) -> Iterator[str]:
    """What a stranger would find wrong with a command line."""
    lines = [line.partition("=") for line in found.docker_run]
    values = {flag: [value for name, _, value in lines if name == flag] for flag, _, _ in lines}
    waived = set(found.waivers)
    for flag, right in ONCE.items():
        if flag not in waived and [bool(re.fullmatch(right, value)) for value in values.get(flag, [])] != [True]:
            yield f"{flag}: {values.get(flag)}"
    yield from values.keys() - ONCE.keys() - HARMLESS - waived
    sizes = [_bytes(value) for flag in ("--memory", "--memory-swap") for value in values.get(flag, [])]
    if not {"--memory", "--memory-swap"} & waived and (len(sizes) != 2 or sizes[0] != sizes[1]):
        yield f"memory and swap: {sizes}"
    options = values.get("--security-opt", [])
    if "--security-opt" not in waived:
        if sum(each.startswith("seccomp=") for each in options) != 1 or "no-new-privileges" not in options:
            yield f"security options: {options}"
        if any("unconfined" in each or each.endswith(("false", "disable")) for each in options):
            yield f"security options: {options}"
    for each in values.get("--tmpfs", []):
        if "--tmpfs" not in waived and not {"nosuid", "nodev"} <= set(each.partition(":")[2].split(",")):
            yield f"tmpfs: {each}"
        if "--tmpfs" not in waived and not re.search(r"[:,]size=[1-9].*", each):
            yield f"tmpfs without a size: {each}"
    yield from (f"copied from the host: {each}" for each in values.get("--env", []) if "=" not in each)
    yield from (f"not one line: {line!r}" for line in found.docker_run if not line.isprintable())


def _bytes(value: str) -> int:
    number, unit = re.fullmatch(r"([0-9.]+)([bkmgBKMG]?)[bB]?", value).groups()  # type: ignore[union-attr]
    return int(float(number) * 1024 ** "bkmg".index(unit.lower() or "b"))


@often
@given(mutated([FILES["python.toml"], FILES["cpp.toml"]]))
def test_a_changed_policy_is_refused_or_as_strong_as_ever(text: str) -> None:
    """Never anything but a PolicyError, or a policy whose floor holds."""
    try:
        found = policy.parse("box", text)
    except PolicyError:
        return
    assert list(weaknesses(found)) == []
    assert all(getattr(found.limits, name) > 0 for name in ("wall_time", "output", "source", "inputs"))


@pytest.mark.parametrize("line", LINES)
def test_what_a_stranger_finds_is_refused(line: str) -> None:
    """The measures above see each of these lines, and so does the parser."""
    python = POLICIES["python"]
    assert list(weaknesses(python)) == []
    assert list(weaknesses(replace(python, docker_run=(*python.docker_run, line)))) != []
    with pytest.raises(PolicyError):
        policy.parse("box", FILES["python.toml"].replace('"--rm",', f'"--rm", "{line}",'))


@often
@given(mutated([FILES["server.toml"]]))
def test_changed_settings_are_refused_or_in_their_bounds(text: str) -> None:
    """Never anything but a PolicyError, or settings that a server can be started with."""
    try:
        found = service.parse(text)
    except PolicyError:
        return
    assert 0 <= found.port <= 65535
    assert re.fullmatch(r"[a-z0-9-]{1,40}", found.instance)
    assert found.waiting_memory > 0
    assert 1 <= found.containers <= 64
    assert 0 < found.waiting_time < float("inf")
    assert 0 < found.body_time < float("inf")
    assert 1 <= found.connections <= 65536
    assert found.memory > 0
    assert found.rate.amount > 0


# Requests


TEXT: Final = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
bodies: Final = st.fixed_dictionaries(
    {"language": st.sampled_from([*POLICIES, "cobol"]), "code": TEXT},
    optional={"input": TEXT, "inputs": st.lists(TEXT, max_size=3)},
).map(lambda body: json.dumps(body, ensure_ascii=False))


@often
@given(st.data(), bodies)
def test_a_changed_body_is_a_job_within_the_limits_or_a_refusal(data: st.DataObject, body: str) -> None:
    """Bytes dropped, repeated, replaced: another exception fails the test."""
    sent = bytearray(body.encode())
    for _ in range(data.draw(st.integers(0, 3))):
        at = data.draw(st.integers(0, max(0, len(sent) - 1)))
        sent[at : at + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=4) | st.just(sent[at : at + 9]))
    try:
        job = request.parse(bytes(sent), POLICIES)
    except Refusal:
        return
    limits = POLICIES[job.language].limits
    assert isinstance(job, Job)
    assert len(job.source) <= limits.source
    assert 1 <= len(job.inputs) <= limits.inputs
    assert sum(map(len, job.inputs)) <= limits.input
    assert job.source.decode() in json.loads(sent.decode()).values()


# The launcher's streams


NONCE: Final = b"9f86d081884c7d659a2feaa0c55ad015"
forged: Final = st.binary(min_size=NONCE_SIZE, max_size=NONCE_SIZE).filter(lambda nonce: nonce != NONCE)
noise: Final = st.lists(
    st.one_of(
        st.binary(max_size=200),
        st.just(READY),
        st.builds(lambda nonce, step: nonce + step, forged, st.sampled_from([b" run", b" compile"])),
        st.sampled_from([b" status=0 cpu=1 peak=1 oom=0\n", NONCE[:-1], NONCE[1:], NONCE.upper(), b"\n", b"launch: "]),
    ),
    max_size=10,
).map(lambda pieces: b"".join(pieces).replace(NONCE, b""))


@often
@given(st.data(), noise, noise, st.sampled_from([0, 10, 1000]))
def test_without_the_secret_nothing_is_a_verdict(data: st.DataObject, stdout: bytes, stderr: bytes, limit: int) -> None:
    """Whatever comes on both streams, however it is cut: no step has ended, and no more is kept than may be."""
    transcript = Transcript(NONCE, [Step.COMPILE, Step.RUN], limit)
    for stream, sent in (("stdout", stdout), ("stderr", stderr)):
        for piece in data.draw(cuts(sent)):
            transcript.feed(stream, piece)  # type: ignore[arg-type]
        transcript.feed(stream, b"")  # type: ignore[arg-type]
    assert [phase.ending for phase in transcript.phases] == [None, None]
    assert not transcript.over
    kept = [phase.stdout.data for phase in transcript.phases] + [phase.stderr.data for phase in transcript.phases]
    assert all(len(each) <= limit for each in kept)
