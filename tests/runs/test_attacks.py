"""Hostile programs: each file of attacks/ says what it tries and what must come back; the real server runs them.

The head of a file, in comments:

    tries      what it is up to
    ends       the reasons that are allowed, of each of its runs
    within     seconds in which the answer must be there
    prints     the whole of stdout, as a regular expression
    never      what may stand nowhere in the answer, as a regular expression
    inputs     several inputs, so several runs; else there is one, without input
    unchanged  files of the host that must be what they were
    absent     files of the host that must not come into being
"""

import os
import re
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from runner.runs.result import STATUS
from tests.bench.neighbours import LOUD, QUIET, SUFFIXES
from tests.harness import ROOT, STRETCH, Server, eventually, serving
from tests.hosts.longer import WAITING_MOST

KEYS: Final = {"tries", "ends", "within", "prints", "never", "inputs", "unchanged", "absent"}
TOLD: Final = ("stdout", "stderr", "compile_output")
PATIENCE: Final = 6.0
"""Seconds more of wall time, where it is not what is attacked."""
KINDS: Final[Mapping[str, tuple[str, str]]] = {
    "patient": ("wall-time    = 2.0", f"wall-time    = {2 + PATIENCE}"),
    "short": ("compile-time = 10.0", "compile-time = 5.0"),
}
"""Policies beside the project's, each with one limit of its own."""


@dataclass(frozen=True, eq=False)
class Attack:
    """One file."""

    path: Path
    code: str
    head: Mapping[str, str]

    def listed(self, key: str) -> list[str]:
        """The values of a key that may have several."""
        return self.head[key].split(", ") if key in self.head else []

    @property
    def kind(self) -> str:
        """What time it has: where that is not what it attacks, it has more, for the machine is shared."""
        ends = {*self.listed("ends")}
        return "short" if "compile_timeout" in ends else "" if {"wall_time", "total_time"} & ends else "patient"

    def body(self, kind: str) -> dict[str, object]:
        """What is sent; ``kind``: of its policy."""
        inputs = {"inputs": self.listed("inputs")} if "inputs" in self.head else {}
        return {"language": SUFFIXES[self.path.suffix] + kind, "code": self.code, **inputs}


def read(path: Path) -> Attack:
    """The file, its head apart."""
    code = path.read_bytes().decode()
    lines = re.findall(r"^\ufeff?(?:#|//) ([a-z]+):(?: (.*))?$", code, re.MULTILINE)
    return Attack(path, code, {key: value for key, value in lines if key in KEYS})


ATTACKS: Final = [read(path) for path in sorted((ROOT / "tests" / "runs" / "attacks").iterdir())]
HOST: Final = sorted({Path(name) for attack in ATTACKS for name in attack.listed("unchanged")})


@dataclass(frozen=True)
class Outcome:
    """What came back, and what was seen of the host afterwards."""

    answer: Mapping[str, Any]
    seconds: float

    def runs(self) -> list[Mapping[str, Any]]:
        """Each run's own part; where nothing compiled, the whole is all there is."""
        return self.answer.get("results") or [self.answer]


def send(server: Server, attack: Attack, kind: str = "") -> Outcome:
    """Runs it; the time in the queue, and that of a compilation which succeeded, is not the attack's."""
    began = time.monotonic()
    answer = server.post(attack.body(kind))
    assert answer.status_code == 200, f"{attack.path.name}: {answer.text}"
    found = answer.json()
    compiled = 0.0 if found["reason"].startswith("compile_") else found["times"]["compile"] or 0.0
    return Outcome(found, time.monotonic() - began - found["times"]["queued"] - compiled)


@dataclass(frozen=True)
class Aftermath:
    """The whole corpus: its answers, and what was left when all had been given."""

    outcomes: Mapping[Path, Outcome]
    neighbours: list[bytes]
    """What honest programs printed meanwhile."""
    containers: list[str]
    jobs: list[str]
    host: Mapping[Path, bytes]
    healthy: bool


@pytest.fixture(scope="module")
def aftermath(
    engine: None, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Aftermath]:
    """All attacks, or those that pytest was asked for, two at a time, on a server of their own."""
    named = {item.callspec.id for item in request.session.items if hasattr(item, "callspec")}
    chosen = [attack for attack in ATTACKS if attack.path.name in named] or ATTACKS
    folder = tmp_path_factory.mktemp("attacks")
    (folder / "more").mkdir()
    kinds = {(attack.kind, SUFFIXES[attack.path.suffix]) for attack in chosen if attack.kind}
    for kind, language in {*kinds, ("patient", QUIET.language)}:
        text = (ROOT / "policies" / f"{language}.toml").read_text()
        assert KINDS[kind][0] in text
        (folder / "more" / f"{language}{kind}.toml").write_text(text.replace(*KINDS[kind]))
    languages = sorted({"python", *(SUFFIXES[attack.path.suffix] for attack in chosen)})
    waiting = min(60 * STRETCH, WAITING_MOST)
    with serving(folder, languages=languages, more=folder / "more", running=2, waiting_time=waiting) as server:
        with ThreadPoolExecutor(2) as pool:
            sent, beside = {}, []
            for attack in chosen:
                sent[attack] = pool.submit(send, server, attack, attack.kind)
                if attack.path.name in LOUD:
                    beside.append(pool.submit(server.run, f"{QUIET.language}patient", QUIET.source.decode()))
            outcomes = {attack: answer.result() for attack, answer in sent.items()}
            neighbours = [answer.result()["stdout"].encode() for answer in beside]
        jobs = [] if eventually(lambda: not server.jobs()) else server.jobs()  # later a new container may be starting
        ids = {outcome.answer["id"] for outcome in outcomes.values()}
        eventually(lambda: not ids & set(server.containers()))
        yield Aftermath(
            {attack.path: outcome for attack, outcome in outcomes.items()},
            neighbours,
            server.containers(),
            jobs,
            {path: path.read_bytes() for path in HOST},
            server.run("python", "print(input())", "well")["stdout"] == "well\n" and server.process.poll() is None,
        )


BEFORE: Final = {path: path.read_bytes() for path in HOST}


def test_there_are_many_and_each_says_what_must_come_back() -> None:
    """A file without a head proves nothing."""
    assert len(ATTACKS) >= 80
    assert [attack.path.name for attack in ATTACKS if not {"tries", "ends", "within"} <= attack.head.keys()] == []
    assert {reason for attack in ATTACKS for reason in attack.listed("ends")} <= {reason.value for reason in STATUS}


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.path.name)
def test_an_attack_ends_as_its_file_says(aftermath: Aftermath, attack: Attack) -> None:
    """In time, with an allowed reason and output, and nothing of it is left."""
    outcome = aftermath.outcomes[attack.path]
    said = [(run["reason"], run.get("stdout", ""), str(run)[:2000]) for run in outcome.runs()]
    assert {reason for reason, _, _ in said} <= set(attack.listed("ends")), said
    assert all(run["status"] == {r.value: s.value for r, s in STATUS.items()}[run["reason"]] for run in outcome.runs())
    if "prints" in attack.head:
        wanted = attack.head["prints"].replace(r"\n", "\n")
        assert [text for _, text, _ in said if not re.fullmatch(wanted, text, re.DOTALL)] == [], said
    if "never" in attack.head:
        told = [text for part in (outcome.answer, *outcome.runs()) for text in map(part.get, TOLD) if text]
        assert [text for text in told if re.search(attack.head["never"], text)] == []
    patience = PATIENCE if attack.kind == "patient" else 0.0
    assert outcome.seconds <= (float(attack.head["within"]) + patience) * STRETCH, said
    assert outcome.answer["id"] not in aftermath.containers
    assert [path for path in attack.listed("unchanged") if aftermath.host[Path(path)] != BEFORE[Path(path)]] == []
    assert [path for path in attack.listed("absent") if os.path.exists(path)] == []  # a folder may be closed to us


def test_nothing_is_left_of_them_all(aftermath: Aftermath) -> None:
    """No process, no container, and the server is well."""
    assert (aftermath.jobs, aftermath.healthy) == ([], True)


def test_neighbours_get_their_right_answers_meanwhile(aftermath: Aftermath) -> None:
    """What an attack costs them in time, the benchmark says: `make bench ARGS='--only neighbours'`."""
    assert aftermath.neighbours == [*QUIET.expected] * sum(path.name in LOUD for path in aftermath.outcomes)
