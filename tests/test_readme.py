"""Everything that README.md and the documents beside the code say is tried as it is written."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import pytest

from runner.policy import argv, configuration, keys
from runner.proof.proofs import Finding
from runner.runs.result import STATUS
from runner.web.connection import REFUSALS
from runner.web.problems import PROBLEMS
from server import ROUTES
from tests.harness import ROOT, Server, copy_policies

FOLDERS: Final = ("images", "policies", "runner", "tests")
DOCUMENTS: Final = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for path in sorted([*ROOT.glob("*.md"), *(path for name in FOLDERS for path in (ROOT / name).rglob("*.md"))])
}
"""By their path from the top."""
README: Final = "README.md"
HTTP: Final = "runner/web/README.md"
POLICIES: Final = "policies/README.md"
PROOF: Final = "runner/proof/README.md"
EVENTS: Final = "text/event-stream"
LINK: Final = re.compile(r"\[[^]]*\]\(([^)\s]+)\)")
SERVERS: Final = (
    ".venv/bin/python -m runner mcp",
    ".venv/bin/python -m pip install -r runner/mcp/requirements.txt",
    ".venv/bin/python server.py --log-format=json",
    "DOCKER_GID=$(stat -c %g /var/run/docker.sock) docker compose up --detach",
    "docker stack deploy --resolve-image=never --compose-file images/server/stack.yaml code-runner",
    "npm install --no-package-lock && npm run build",
)
"""What no test here starts; others do."""


def blocks(document: str) -> list[tuple[str, str]]:
    """Kind and text of each block of code."""
    return re.findall(r"^```(\w+)\n(.*?)^```$", DOCUMENTS[document], re.DOTALL | re.MULTILINE)


def prose(document: str) -> str:
    """All but its blocks of code."""
    return re.sub(r"^```.*?^```$", "", DOCUMENTS[document], flags=re.DOTALL | re.MULTILINE)


def lines(document: str) -> list[str]:
    """Every command of its shell blocks, without its comment; a curl may have several lines."""
    texts = [text.replace("\\\n", "") for kind, text in blocks(document) if kind == "sh"]
    return [re.sub(r" +# .*", "", line) for text in texts for line in text.splitlines()]


def rows(document: str, heading: str, table: int = 0) -> list[list[str]]:
    """A table below a heading, without its head; the last of several by -1."""
    section = re.split(r"\n#+ ", DOCUMENTS[document].partition(f" {heading}\n")[2])[0]
    found = re.findall(r"(?m)(?:^\|.*\n)+", section)[table]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in found.splitlines()]
    assert set(cells[1]) == {"---"}
    return cells[2:]


def curls() -> Iterator[Any]:
    """Each with the block that follows it: its answer."""
    for document in DOCUMENTS:
        found = [*blocks(document), ("", "")]
        for (kind, text), (_, answer) in pairwise(found):
            if kind == "sh" and "curl" in text:
                yield pytest.param(text, answer, id=f"{document}-{text.splitlines()[-1][-50:].strip()}")


def curl(server: Server, command: str) -> str:
    """What a command prints; only the port is another."""
    assert command.startswith("curl -s")
    command = command.replace("http://127.0.0.1:3000", server.url)
    return subprocess.run(["sh", "-c", command], capture_output=True, check=True, timeout=60, text=True).stdout


# What is run


@pytest.mark.parametrize(("command", "told"), list(curls()))
def test_the_curls_run_as_written(server: Server, command: str, told: str) -> None:
    """And their answers are those that stand there."""
    seen = curl(server, command)
    if "/mcp -H" in command:
        same_call(told, seen)
    elif "/run -H" not in command:
        assert steady(json.loads(told)) == steady(json.loads(seen))
    elif EVENTS in command:
        same_events(told, seen)
    elif "Idempotency-Key" in command:
        assert seen == curl(server, command)
        assert json.loads(seen)["stdout"] == "3\n"
    elif '"inputs"' in command:
        answer = json.loads(seen)
        assert answer["status"] == "success"
        assert [run["stdout"] for run in answer["results"]] == ["2", "4"]
    elif '"files"' in command:
        assert json.loads(told)["files"] == json.loads(seen)["files"]
    elif "id" in json.loads(told):
        same_run(json.loads(told), json.loads(seen))
    else:
        assert json.loads(told) == json.loads(seen)


def steady(answer: Any) -> Any:
    """Without what differs from run to run."""
    differ = ("id", "duration", "memory", "cpu_time", "wall_time")
    if isinstance(answer, dict):
        return {key: 0 if key in differ else steady(value) for key, value in answer.items()}
    return answer


def same_call(told: str, seen: str) -> None:
    """The result of a tool, as the last event has it; but for how long it took."""
    data = re.findall(r"(?m)^data: (.*)$", seen)[-1]
    result = json.loads(re.sub(r"ran for [\d.]+ (m|µ)?s", "ran for 9.8 ms", data))["result"]
    assert json.loads(told).items() <= result.items()


def same_events(told: str, seen: str) -> None:
    """Up to the result, which differs from run to run."""
    queued = 'event: phase\ndata: {"phase":"queued"'
    seen = re.sub(rf"({queued}[^}}]*}}\n\n)+", rf"{queued}}}\n\n", seen)  # it may have to wait
    before, after = (text.partition("event: result\ndata: ") for text in (told, seen))
    assert before[0].startswith("event: ")
    assert before[0] == re.sub(r'"}\n\nevent: stdout\ndata: {"text":"', "", after[0])  # it may come in pieces
    assert json.loads(after[2])["stdout"] == "6\n"


def same_run(told: dict[str, Any], seen: dict[str, Any]) -> None:
    """All but times and memory; the command is that of the policy."""
    assert list(seen) == list(told)
    assert seen["times"].keys() == told["times"].keys()
    differ = ("id", "command", "times", "peak_memory")
    assert {key: value for key, value in seen.items() if key not in differ} == {
        key: value for key, value in told.items() if key not in differ
    }
    assert seen["status"] == "success"
    python = configuration.load().policies["python"]
    uid = next(word for word in told["command"] if word.startswith("--user=")).partition(":")[2]
    assert told["command"] == list(argv.run(python, told["id"], uid, "main"))


@pytest.fixture(scope="module")
def place(engine: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as after an installation: the policies, their lock, a program, and an audit file with its run."""
    folder = tmp_path_factory.mktemp("place")
    copy_policies(folder, {}, {})
    (folder / "program.py").write_text("print(input())\n")
    (folder / "tests").mkdir()
    for name in ("1.in", "1.out"):
        (folder / "tests" / name).write_text("1 2 3\n")
    for command in ("lock", "run python program.py"):
        ended = shell(folder, f".venv/bin/python -m runner {command}")
        assert ended.returncode == 0, ended.stderr
    for node in ("node1", "node2"):
        (folder / node).mkdir()
        (folder / node / "audit.jsonl").write_text((folder / "audit.jsonl").read_text())
    return folder


def shell(folder: Path, command: str) -> subprocess.CompletedProcess[str]:
    """Runs a command there; only the Python, and an example's job, are others."""
    command = command.replace(".venv/bin/python", sys.executable)
    if "--find" in command:
        runs = map(json.loads, (folder / "audit.jsonl").read_text().splitlines())
        job = next(run["job"] for run in runs if "job" in run)
        command = re.sub(r"job-\d{8}T\d{6}-[0-9a-f]{16}", job, command)
        assert job in command
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        ["sh", "-c", command],
        cwd=folder,
        input="1 2 3\n",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=environment,
    )


COMMANDS: Final = list(
    dict.fromkeys(
        line
        for name in DOCUMENTS
        for line in lines(name)
        if line.startswith(".venv/bin/python -m runner") and line not in SERVERS
    )
)
"""Each once."""


@pytest.mark.parametrize("command", COMMANDS)
def test_the_commands_run_as_written(place: Path, server: Server, command: str) -> None:
    """With exit code 0: on what is shipped, on the lock that was written, on the record of what ran."""
    ended = shell(place, command.replace("http://127.0.0.1:3000", server.url))
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert ended.stdout
    if "verify" in command:
        seen = {" ".join(line.split()) for line in ended.stdout.splitlines()}
        told = next(text for kind, text in blocks(PROOF) if kind == "text")
        assert {" ".join(line.split()) for line in told.splitlines()} <= seen


def test_the_python_runs_as_written(server: Server) -> None:
    """And prints what its words say."""
    [code] = [text for kind, text in blocks("runner/judge/README.md") if kind == "python"]
    code = code.replace("http://127.0.0.1:3000", server.url)
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    lines = ended.stdout.splitlines()
    assert lines[:2] == ["completed cba", ""]
    queued = "phase {'phase': 'queued'"
    assert lines.pop(2).startswith(queued)
    events = [line for line in lines[2:] if not line.startswith(queued)]  # it may have to wait, and hear of it again
    assert events[:2] == ["phase {'phase': 'run', 'run': 1}", "stdout {'text': 'beside\\n'}"]
    assert events[2].startswith("result {'id': 'job-")
    assert events[3:] == ["Unknown language: `language` must be one of cpp, python."]


def test_every_command_is_tried() -> None:
    """By a test above; or it is a target of the Makefile, or starts what no test here starts."""
    targets = re.findall(r"(?m)^([a-z-]+):", (ROOT / "Makefile").read_text())
    for document in DOCUMENTS:
        for line in lines(document):
            if line.startswith("make "):
                assert line.split()[1] in targets, line
            else:
                assert line.startswith("curl -s") or line in (*COMMANDS, *SERVERS), line


def test_the_makefile_names_what_there_is() -> None:
    """The tests that it runs by their path."""
    paths = re.findall(r"\btests/[\w/.]+\.py\b", (ROOT / "Makefile").read_text())
    assert paths
    assert [path for path in paths if not (ROOT / path).is_file()] == []


def test_a_waiver_as_it_is_written(tmp_path: Path) -> None:
    """It lets go of the line that it names."""
    block = next(text for kind, text in blocks(POLICIES) if kind == "toml" and text.startswith("[waivers]"))
    folder = copy_policies(tmp_path, {}, {"python.toml": ('  "--read-only",', "  ")})
    assert [problem.text for problem in configuration.read([folder / "python.toml"]).problems]
    with (folder / "python.toml").open("a") as file:
        file.write(f"\n{block}")
    assert configuration.load(folder).policies["python"].waivers.keys() == {"--read-only"}


def test_the_keys_are_as_they_are_written() -> None:
    """What the command makes where there was no file; only the hash is another key's."""
    block = next(text for kind, text in blocks(POLICIES) if kind == "toml" and "[keys.alice]" in text)
    made = keys.new("", "alice", f"{keys.PREFIX}{'0' * 36}", configuration.load().settings.rate_limit)
    assert re.sub(r'(?<=")[0-9a-f]{64}', "", block) == re.sub(r'(?<=")[0-9a-f]{64}', "", made)
    assert keys.parse(block).names == ["alice"]


# How they hang together


def target(document: str, link: str) -> tuple[Path, str]:
    """The file or folder that a link leads to, and the heading in it."""
    path, _, anchor = link.partition("#")
    return ((ROOT / document).parent / path).resolve() if path else ROOT / document, anchor


def links(document: str) -> list[str]:
    """Those into the project."""
    return [link for link in LINK.findall(prose(document)) if not re.match(r"https?://", link)]


def anchors(document: str) -> set[str]:
    """What its headings are called in links."""
    headings = re.findall(r"(?m)^#+ (.+)$", prose(document))
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_link_leads_somewhere(document: str) -> None:
    """To a file or folder of this project that is there; an anchor to a heading."""
    for link in links(document):
        path, anchor = target(document, link)
        assert path.is_relative_to(ROOT), link
        assert path.exists(), link
        if anchor:
            assert anchor in anchors(path.relative_to(ROOT).as_posix()), link


def test_every_document_is_reached_from_the_readme() -> None:
    """Step by step; and from its first page those that stand beside what they describe."""
    reached, new = set(), {README}
    first = {target(README, link)[0].relative_to(ROOT).as_posix() for link in links(README)}
    while new:
        reached |= new
        paths = {target(name, link)[0] for name in new for link in links(name)}
        new = ({path.relative_to(ROOT).as_posix() for path in paths} & DOCUMENTS.keys()) - reached
    assert reached == DOCUMENTS.keys()
    assert {name for name in DOCUMENTS if name != README} <= first


def test_the_readme_is_short() -> None:
    """A newcomer finishes it; its picture is small, and nothing that the server serves."""
    assert len(DOCUMENTS[README].splitlines()) <= 200
    picture = ROOT / "runner" / "web" / "page.png"
    assert picture.relative_to(ROOT).as_posix() in links(README)
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert picture.stat().st_size < 150_000


@pytest.mark.parametrize("document", [name for name in DOCUMENTS if name not in ("CHANGELOG.md",)])
def test_a_document_begins_with_what_it_is_and_a_command(document: str) -> None:
    """On its first screen."""
    top = "\n".join(DOCUMENTS[document].splitlines()[:25])
    assert re.match(r"# .+\n\n\S", top)
    assert "```sh\n" in top


def test_every_folder_is_told() -> None:
    """Those of runner/, each with what is there."""
    told = [re.findall(r"\[(\w+)/\]", row[0])[0] for row in rows(README, "The code")]
    assert sorted(told) == sorted(path.parent.name for path in (ROOT / "runner").glob("*/__init__.py"))


# Tables


def test_every_reason_is_explained_with_its_status() -> None:
    """And no other."""
    told = {row[0].strip("`"): row[1] for row in rows(README, "Endings")}
    assert told == {reason.value: status.value for reason, status in STATUS.items()}


def test_every_problem_is_told() -> None:
    """With its status and title."""
    told = {(row[0], title) for row in rows(HTTP, "Problems") for title in row[1].split(", ")}
    assert told >= {(str(status), title) for status, title in PROBLEMS.values()}
    assert told >= {(str(status), said.title) for status, said in REFUSALS.items()}


def test_every_route_is_told() -> None:
    """And no other."""
    paths = {row[0].strip("`").split()[1] for row in rows(HTTP, "HTTP")}
    assert paths == {route.path for route in ROUTES}


def test_every_field_of_an_answer_is_told() -> None:
    """In its order."""
    told = [name for row in rows(HTTP, "POST /run", -1) for name in re.findall(r"`(\w+)`", row[0])]
    assert told == list(json.loads(next(text for kind, text in blocks(README) if kind == "json")))


def test_every_verdict_of_verify_is_told() -> None:
    """And no other."""
    assert [row[0].strip("`") for row in rows(PROOF, "Proof")] == [finding.value for finding in Finding]


def test_every_flag_of_the_python_policy_is_explained() -> None:
    """Line by line, in the policy's order."""
    told = [flag for row in rows(POLICIES, "The command") for flag in re.findall(r"`(--[^`]+)`", row[0])]
    assert told == list(configuration.load().policies["python"].docker_run)


def test_the_policy_is_quoted_as_it_is() -> None:
    """Its lines, with their reasons, and how many there are."""
    block, after = re.findall(r"(?s)```toml\n(docker-run.*?)```(.*?)\n##", DOCUMENTS[README])[0]
    quoted = block.splitlines()
    assert [line for line in (ROOT / "policies" / "python.toml").read_text().splitlines() if line in quoted] == quoted
    flags = len(configuration.load().policies["python"].docker_run)
    assert f"are {len(quoted) - 2} of the {flags} flags" in after


@pytest.mark.parametrize("document", [README, POLICIES])
def test_the_limits_are_those_of_the_files(document: str) -> None:
    """Each number in the table stands so in policies/."""
    files = "".join((ROOT / "policies" / name).read_text() for name in ("cpp.toml", "server.toml"))
    table = rows(document, "Limits")
    for row in table:
        for name, value in re.findall(r"`([a-z-]+)` = ([\w. ]+?)(?:,|$| \()", row[0]):
            if name != "running":
                assert re.search(rf'(?m)^{name} *= "?{re.escape(value)}"?( |$)', files), (name, value)
    flags = {flag for row in table for flag in re.findall(r"`(--[a-z-]+=[^`]+)`", row[0])}
    assert flags
    assert flags <= set(configuration.load().policies["python"].docker_run)
