"""codapi's contract: what may be asked, and that every answer has its five keys."""

import json
from dataclasses import replace
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.apis import codapi
from runner.errors import Refusal
from runner.runs.result import Status, decide
from runner.sandbox.job import Facts, File, Job, Output
from runner.sandbox.protocol import Step
from runner.web.problems import PROBLEMS
from tests.apis.test_piston import POLICIES, json_values
from tests.runs.test_result import COMMAND, COMPILED, CPP, DONE, PYTHON, RUN, observations, runs

BODY: Final[dict[str, Any]] = {"sandbox": "python", "version": "", "command": "run", "files": {"": "print(1)"}}
KEYS: Final = ["id", "ok", "duration", "stdout", "stderr"]


def parse(body: object) -> Job:
    return codapi.parse(json.dumps(body).encode(), POLICIES)


def outcome(body: bytes) -> Job | tuple[int, dict[str, object]]:
    """What a body comes to: a job, or a refusal's status and words."""
    try:
        return codapi.parse(body, POLICIES)
    except Refusal as error:
        return codapi.words(PROBLEMS[type(error)][0], str(error))


def test_the_least_that_can_be_asked() -> None:
    """The entry is the program; there is no input."""
    assert parse(BODY) == Job("python", b"print(1)", (b"",))


@pytest.mark.parametrize("version", [None, "", "3.13", "3"])
def test_a_version_that_is_there(version: str | None) -> None:
    """Or none."""
    assert parse({**BODY, "version": version}).language == "python"


def test_files_lie_beside_the_program() -> None:
    """Text, or what a data: URL holds."""
    files = {
        "": "data:text/plain;base64,cHJpbnQoMSk=",
        "a.bin": "data:application/octet-stream;base64,AP8=",
        "b.txt": "data:text/plain,x,y",
        "c.txt": "é",
    }
    beside = (File("a.bin", b"\0\xff"), File("b.txt", b"x,y"), File("c.txt", "é".encode()))
    assert parse({**BODY, "files": files}) == Job("python", b"print(1)", (b"",), files=beside)


def test_the_entry_may_have_its_own_name() -> None:
    """That which the policy gives it."""
    assert parse({**BODY, "sandbox": "cpp", "files": {"main.cpp": "x"}}) == Job("cpp", b"x", (b"",))


@pytest.mark.parametrize(
    ("change", "status", "said"),
    [
        ({"sandbox": "perl"}, 404, "unknown sandbox"),
        ({"sandbox": None, "command": "x"}, 404, "unknown sandbox"),
        ({"command": "test", "version": "2"}, 404, "unknown command"),
        ({"version": "2", "files": {}}, 404, "unknown version"),
        ({"files": None}, 400, "empty request"),
        ({"files": {"": " \n"}}, 400, "empty request"),
        ({"files": {"a": "1", "b": "2"}}, 400, 'files[""]: missing'),
        ({"files": {"": "1", "a": "data:x"}}, 400, "files[a]: a data: URL without a comma"),
        ({"files": {"": "1", "a": "data:;base64,x"}}, 400, "files[a]: not base64"),
        ({"files": {"": "1", "a": "data:;base64,é"}}, 400, "files[a]: not base64"),
        ({"files": {"": 5}}, 400, f"Expected `str`, got `int` - at `files[...]`. {codapi.CONTRACT}"),
    ],
)
def test_what_is_refused(change: dict[str, Any], status: int, said: str) -> None:
    """In all five keys."""
    body = json.dumps({**BODY, **change}).encode()
    assert outcome(body) == (status, {"id": "-", "ok": False, "duration": 0, "stdout": "", "stderr": said})


def test_what_may_go_well_later_is_429() -> None:
    """For which its widget has words."""
    assert codapi.words(503, "later") == (429, codapi.failed("later"))


names: Final = st.sampled_from(["", "a"]) | st.text(max_size=5)
contents: Final = st.text(max_size=9) | st.text(max_size=9).map("data:;base64,{}".format)
bodies: Final = st.fixed_dictionaries(
    {},
    optional={
        "sandbox": st.sampled_from(["python", "cpp"]) | json_values,
        "version": st.sampled_from(["", "*"]) | json_values,
        "command": st.just("run") | json_values,
        "files": st.dictionaries(names, contents, max_size=3) | json_values,
    },
)


@given(st.binary() | (bodies | json_values).map(lambda value: json.dumps(value).encode()))
def test_whatever_a_body_holds(body: bytes) -> None:
    """It is a job or a refusal."""
    match outcome(body):
        case Job(language=language):
            assert language in POLICIES
        case status, said:
            assert status in (400, 404)
            assert list(said) == KEYS
            assert json.dumps(said).encode()


def answered(*steps: Any) -> dict[str, Any]:
    policy = CPP if steps[0].step is Step.COMPILE else PYTHON
    return codapi.answer(decide(Facts("job", 0, steps, COMMAND), policy))


def test_a_run_that_went_well() -> None:
    """The whole of it, in its order; output is trimmed."""
    seen = replace(RUN, stdout=Output(b"1\n", 0), stderr=Output(b" 2\n", 0))
    answer = {"id": "job", "ok": True, "duration": 520, "stdout": "1", "stderr": "2"}
    assert json.dumps(answered(COMPILED, seen)) == json.dumps(answer)


spoken: Final = replace(RUN, stdout=Output(b"1\n", 0), stderr=Output(b"2\n", 0))


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        (replace(spoken, ending=replace(DONE, exit_code=3)), "12 (exit status 3)"),
        (replace(RUN, ending=replace(DONE, exit_code=3)), "exit status 3"),
        (replace(RUN, ending=replace(DONE, exit_code=None, signal=11)), "exit status 139"),
        (replace(spoken, timed_out=True), "code execution timeout"),
        (replace(RUN, stdout=Output(b"x", 5)), "x (too much output)"),
        (replace(RUN, ending=None), "the container has ended"),
        (replace(COMPILED, stderr=Output(b"no", 0), ending=replace(DONE, exit_code=1)), "no (exit status 1)"),
    ],
)
def test_a_run_that_did_not(seen: Any, said: str) -> None:
    """All that it wrote is in stderr, and why."""
    answer = answered(seen)
    assert (answer["ok"], answer["stdout"], answer["stderr"]) == (False, "", said)


@given(observations(Step.COMPILE), runs.filter(bool))
def test_whatever_was_seen_is_an_answer(compiled: Any, seen: tuple[Any, ...]) -> None:
    """With a word of why, where it did not go well."""
    for steps in ((seen[0],), (compiled, seen[0]), (compiled,)):
        answer = answered(*steps)
        result = decide(Facts("job", 0, steps, COMMAND), CPP if steps[0].step is Step.COMPILE else PYTHON)
        assert list(answer) == KEYS
        assert answer["ok"] is (result.last.status is Status.SUCCESS)
        assert answer["ok"] or (answer["stderr"] and not answer["stdout"])
        assert json.loads(json.dumps(answer)) == answer
