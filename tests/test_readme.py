"""Everything the README says is tried as it is written."""

import json
import re
import subprocess

import pytest

from runner.policy import argv, configuration
from runner.runs.result import STATUS
from runner.web.connection import REFUSALS
from runner.web.problems import PROBLEMS
from server import ROUTES
from tests.harness import ROOT, Server

README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, re.DOTALL)
EVENTS = "text/event-stream"
CURLS = [text for kind, text in BLOCKS if kind == "sh" and text.startswith("curl")]


def rows(heading: str) -> list[list[str]]:
    """The table below a heading, without its head."""
    section = README.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    lines = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line] for line in lines if "---" not in line[0]]


def curl(server: Server, command: str) -> str:
    """What a command prints; only the port is another."""
    command = command.replace("http://127.0.0.1:3000", server.url)
    return subprocess.run(["sh", "-c", command], capture_output=True, check=True, timeout=60, text=True).stdout


@pytest.mark.parametrize("command", [each for each in CURLS if EVENTS not in each])
def test_the_curls_run_as_written(server: Server, command: str) -> None:
    """And their answers are those that stand there."""
    answer = json.loads(curl(server, command))
    assert answer["status"] == "success"
    if "inputs" in command:
        assert [run["stdout"] for run in answer["results"]] == ["2", "4"]
    else:
        example = json.loads(next(text for kind, text in BLOCKS if kind == "json"))
        assert list(answer) == list(example)
        assert answer["times"].keys() == example["times"].keys()
        assert answer["policy"] == example["policy"]
        same = (
            "status",
            "reason",
            "stdout",
            "stderr",
            "truncated",
            "exit_code",
            "signal",
            "oom_kills",
            "compile_output",
        )
        assert {key: answer[key] for key in same} == {key: example[key] for key in same}
        python = configuration.load().policies["python"]
        uid = next(word for word in example["command"] if word.startswith("--user=")).partition(":")[2]
        assert example["command"] == list(argv.run(python, example["id"], uid, "main"))


def test_the_events_come_as_written(server: Server) -> None:
    """Up to the result, which differs from run to run."""
    command = next(each for each in CURLS if EVENTS in each)
    example = next(text for kind, text in BLOCKS if kind == "text" and text.startswith("event: "))
    told, seen = (text.partition("event: result\ndata: ") for text in (example, curl(server, command)))
    assert told[0] == re.sub(r'"}\n\nevent: stdout\ndata: {"text":"', "", seen[0])  # it may come in pieces
    assert json.loads(seen[2])["stdout"] == "6\n"


def test_every_reason_is_explained_with_its_status() -> None:
    """And no other."""
    told = {row[0].strip("`"): row[1] for row in rows("Endings")[1:]}
    assert told == {reason.value: status.value for reason, status in STATUS.items()}


def test_every_problem_and_route_is_told() -> None:
    """With its status and title."""
    table = rows("HTTP")
    told = {(row[0], title) for row in table if len(row) == 3 for title in row[1].split(", ")}
    assert told >= {(str(status), title) for status, title in PROBLEMS.values()}
    assert told >= {(str(status), said.title) for status, said in REFUSALS.items()}
    paths = {row[0].strip("`").split()[1] for row in table if row[0].startswith("`")}
    assert paths == {route.path for route in ROUTES}


def test_every_flag_of_the_python_policy_is_explained() -> None:
    """Line by line, in the policy's order."""
    told = [flag for row in rows("The command")[1:] for flag in re.findall(r"`(--[^`]+)`", row[0])]
    assert told == list(configuration.load().policies["python"].docker_run)


def test_the_limits_are_those_of_the_files() -> None:
    """Each number in the table stands so in policies/."""
    files = "".join((ROOT / "policies" / name).read_text() for name in ("cpp.toml", "server.toml"))
    for row in rows("Limits")[1:]:
        for name, value in re.findall(r"`([a-z-]+)` = ([\w. ]+?)(?:,|$| \()", row[0]):
            if name != "running":
                assert re.search(rf'(?m)^{name} *= "?{re.escape(value)}"?( |$)', files), (name, value)
