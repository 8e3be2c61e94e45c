"""Judge0's contract and ours, both ways: whatever comes, the answer is one that Judge0 has."""

import base64
import json
import signal
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.apis import judge0, judge0_about, judge0_results
from runner.apis.judge0 import Asked, Invalid
from runner.apis.judge0_results import FIELDS, STATUSES, Outcome, Submission
from runner.errors import BadRequest, Busy, Refusal, TooLarge
from runner.policy import configuration
from runner.runs.result import Result
from runner.sandbox.job import File, Job, Narrowed, Output
from tests.runs.test_result import COMPILED, CPP, DONE, PYTHON, RUN, result, results
from tests.strategies import anything

POLICIES: Final = configuration.load().policies
GOOD: Final = {"language_id": 71, "source_code": "print(1)"}


def read(body: object, *, encoded: bool = False, files: tuple[File, ...] = ()) -> Asked | Invalid:
    """What a submission asks for."""
    given = judge0.one(json.dumps(body).encode())
    judge0.archive(given)
    return judge0.read(given, files, POLICIES, encoded=encoded)


def asked(**more: Any) -> Asked:
    """The same for one that is right."""
    found = read(GOOD | more)
    assert isinstance(found, Asked)
    return found


def b64(text: str) -> str:
    """As Ruby writes it: with ends of lines."""
    return base64.encodebytes(text.encode()).decode()


def test_a_submission_is_a_job() -> None:
    """In its whole; numbers may be strings, and what is not ours to set is nothing to us."""
    files = (File("a.txt", b"x"),)
    body = {
        "language_id": "54",
        "source_code": "int main() {}",
        "stdin": "1\n",
        "expected_output": "",
        "compiler_options": "-O1 -DX='a b'",
        "command_line_arguments": "x 'y z' $HOME",
        "cpu_time_limit": "1.5",
        "wall_time_limit": 3,
        "memory_limit": 128_000,
        "number_of_runs": 5,
        "max_processes_and_or_threads": {},
        "enable_network": False,
        "callback_url": "",
    }
    job = Job(
        "cpp",
        b"int main() {}",
        (b"1\n",),
        files=files,
        args=(b"x", b"y z", b"$HOME"),
        compile_args=(b"-O1", b"-DX=a b"),
        narrowed=Narrowed(wall_time=3.0, cpu_time=1.5, memory=131_072_000),
    )
    options, arguments = "-O1 -DX='a b'", "x 'y z' $HOME"
    expected = Asked(job, 54, POLICIES["cpp"].title, b"", options, arguments)
    assert read(body, files=files) == expected


def test_its_texts_may_be_base64() -> None:
    """Those that the contract says; whole lines, and without their end."""
    body = {"language_id": 71, "source_code": b64("print(1)" * 20), "stdin": "w6k", "expected_output": b64("1\n")}
    found = read(body, encoded=True)
    assert isinstance(found, Asked)
    assert (found.job.source, found.job.inputs, found.expected) == (b"print(1)" * 20, ("é".encode(),), b"1\n")


@pytest.mark.parametrize("value", [None, 0, -1, "nan", "inf"])
def test_limits_that_are_none(value: object) -> None:
    """They are the policy's own."""
    found = asked(cpu_time_limit=value, wall_time_limit=value, memory_limit=value)
    assert found.job.narrowed == Narrowed()
    assert asked(memory_limit=1e300).job.narrowed == Narrowed(memory=2**50)


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({}, {"source_code": ["can't be blank"], "language_id": ["can't be blank"]}),
        ({**GOOD, "source_code": " \n"}, {"source_code": ["can't be blank"]}),
        ({**GOOD, "language_id": 1}, {"language_id": ["language with id 1 doesn't exist"]}),
        ({**GOOD, "language_id": 60}, {"language_id": ["language with id 60 doesn't exist"]}),
        (
            {**GOOD, "compiler_options": "-O2"},
            {"compiler_options": ["setting compiler options is only allowed for compiled languages"]},
        ),
        ({**GOOD, "callback_url": "http://x"}, {"callback_url": ["setting callback is not allowed"]}),
        ({**GOOD, "enable_network": True}, {"enable_network": ["this option cannot be enabled"]}),
        ({**GOOD, "redirect_stderr_to_stdout": 1}, {"redirect_stderr_to_stdout": ["this option cannot be enabled"]}),
    ],
)
def test_what_is_invalid(body: object, errors: dict[str, list[str]]) -> None:
    """In their words, for each field."""
    assert read(body) == Invalid(errors)


def test_what_is_no_base64() -> None:
    """One letter more than whole ones."""
    errors = {name: ["is not valid base64"] for name in ("source_code", "stdin")}
    assert read({**GOOD, "source_code": "abcde", "stdin": "x"}, encoded=True) == Invalid(errors)
    with pytest.raises(BadRequest, match="`additional_files` is not valid base64"):
        read({**GOOD, "additional_files": "abcde"})


@pytest.mark.parametrize(
    ("more", "kind"),
    [
        ({"source_code": "#" * 65_537}, TooLarge),
        ({"command_line_arguments": "x" * 16_385}, TooLarge),
        ({"command_line_arguments": "'"}, BadRequest),
        ({"source_code": []}, BadRequest),
        ({"language_id": 2**40}, BadRequest),
    ],
)
def test_what_is_refused(more: dict[str, Any], kind: type[Refusal]) -> None:
    """As on every other way in."""
    with pytest.raises(kind):
        read(GOOD | more)


def test_a_batch_has_its_bounds() -> None:
    """Of submissions, and of tokens."""
    assert len(judge0.several(json.dumps({"submissions": [{}] * 20}).encode())) == 20
    assert judge0.tokens("a,b,") == ["a", "b"]
    many, none = "should be less than or equal to 20", "at least one submission"
    for body, said in (({"submissions": [1] * 21}, many), ({"submissions": []}, none), ({}, none), ([], "a batch is")):
        with pytest.raises(BadRequest, match=said):
            judge0.several(json.dumps(body).encode())
    for text, said in (("x," * 21, many), ("", none)):
        with pytest.raises(BadRequest, match=said):
            judge0.tokens(text)


submissions: Final = st.fixed_dictionaries(
    {"language_id": st.sampled_from([71, 54, "50"]) | anything, "source_code": st.text(max_size=20) | anything},
    optional=dict.fromkeys(
        judge0.Given.__struct_fields__[2:],
        st.text(max_size=5) | st.sampled_from(["nan", "-inf", "1e400"]) | st.floats() | anything,
    ),
)


@given(st.binary(max_size=100) | submissions.map(lambda v: json.dumps(v).encode()), st.booleans())
def test_any_body_is_a_submission_or_refused(body: bytes, encoded: bool) -> None:
    """Never another exception; what is invalid says why."""
    with suppress(Refusal):
        judge0.several(b'{"submissions": [' + body + b"]}")
    with suppress(Refusal):
        given = judge0.one(body)
        judge0.archive(given)
        found = judge0.read(given, (), POLICIES, encoded=encoded)
        assert isinstance(found, Asked) or (found.errors and all(found.errors.values()))
        if isinstance(found, Asked):
            shown = judge0_results.shown(Submission("t", found, "now"), FIELDS, encoded=True)
            assert json.loads(json.dumps(shown, allow_nan=False)) == shown


# Results


@given(results, st.none() | st.binary(max_size=5))
def test_every_result_has_a_status(result: Result, expected: bytes | None) -> None:
    """Of theirs; what is told of it is JSON, in base64 whatever it is."""
    found = judge0_results.outcome(result, expected)
    assert found.status in STATUSES.keys() - {1, 2, 14}
    submission = Submission("t", asked(), "now", found, "now")
    shown = judge0_results.shown(submission, FIELDS, encoded=True)
    assert tuple(shown) == FIELDS
    assert shown["status"] == {"id": found.status, "description": STATUSES[found.status]}
    json.dumps(shown)
    try:
        judge0_results.shown(submission, FIELDS, encoded=False)
    except UnicodeDecodeError:
        with pytest.raises(UnicodeDecodeError):
            (found.stdout + b"\n" + found.stderr + b"\n" + found.compile_output).decode()


SAID = replace(RUN, stdout=Output(b"a \nb\n\n", 0))
FAILED = replace(DONE, exit_code=3)


def killed(number: int) -> Any:
    """A run that a signal has ended."""
    return (PYTHON, replace(RUN, ending=replace(DONE, exit_code=None, signal=number)), ())


@pytest.mark.parametrize(
    ("seen", "expected", "status", "message"),
    [
        ((PYTHON, SAID, ()), None, 3, None),
        ((PYTHON, SAID, ()), b"a\nb", 3, None),
        ((PYTHON, SAID, ()), b"a\r\nb\t\0\r\n\r\n", 3, None),
        ((PYTHON, SAID, ()), b"a b", 4, None),
        ((PYTHON, SAID, ()), b"a\n\nb", 4, None),
        ((PYTHON, SAID, ()), b" a\nb", 4, None),
        ((PYTHON, RUN, ()), b"\n", 3, None),
        ((PYTHON, replace(RUN, ending=FAILED), ()), b"", 11, "Exited with error status 3"),
        ((PYTHON, replace(RUN, timed_out=True), ()), None, 5, "Time limit exceeded (wall clock)"),
        ((PYTHON, replace(RUN, ending=replace(DONE, reached=("cpu",))), ()), None, 5, "Time limit exceeded"),
        ((PYTHON, replace(RUN, stdout=Output(b"x", 1)), ()), b"x", 8, "Output limit exceeded"),
        (
            (PYTHON, replace(RUN, ending=None), ()),
            None,
            13,
            "The sandbox ended before it could tell how the program did",
        ),
        (killed(signal.SIGSEGV), None, 7, "Caught fatal signal 11"),
        (killed(signal.SIGXFSZ), None, 8, "Caught fatal signal 25"),
        (killed(signal.SIGFPE), None, 9, "Caught fatal signal 8"),
        (killed(signal.SIGABRT), None, 10, "Caught fatal signal 6"),
        (killed(signal.SIGKILL), None, 12, "Caught fatal signal 9"),
        ((CPP, replace(COMPILED, ending=FAILED), ()), None, 6, None),
        ((CPP, replace(COMPILED, timed_out=True), ()), None, 6, "Compilation time limit exceeded"),
        (
            (CPP, replace(COMPILED, ending=None), ()),
            None,
            13,
            "The sandbox ended before it could tell how the program did",
        ),
    ],
    ids=range(20),
)
def test_statuses(seen: Any, expected: bytes | None, status: int, message: str | None) -> None:
    """Answers are compared without what is blank at the ends of lines and of all."""
    found = judge0_results.outcome(result(*seen), expected)
    assert (found.status, found.message) == (status, message)


def test_what_is_told_of_a_run() -> None:
    """CPU time and wall time, kilobytes, an empty stream as null."""
    seen = replace(RUN, stdout=Output(b"out", 0))
    found = judge0_results.outcome(result(CPP, replace(COMPILED, stderr=Output(b"warning", 0)), (seen,)), None)
    submission = Submission("t", asked(stdin="x", cpu_time_limit="inf", memory_limit=2048), "then", found, "now")
    assert judge0_results.shown(submission, judge0_results.fields(""), encoded=False) == {
        "stdout": "out",
        "time": "0.010",
        "memory": 4,
        "stderr": None,
        "token": "t",
        "compile_output": "warning",
        "message": None,
        "status": {"id": 3, "description": "Accepted"},
    }
    names = judge0_results.fields(
        "cpu_time_limit,memory_limit,exit_code,exit_signal,wall_time,language,stdin,finished_at"
    )
    assert judge0_results.shown(submission, names, encoded=True) == {
        "cpu_time_limit": None,
        "memory_limit": 2048,
        "exit_code": 0,
        "exit_signal": None,
        "wall_time": "0.020",
        "language": {"id": 71, "name": "Python 3.13"},
        "stdin": "eA==",
        "finished_at": "now",
    }


def test_what_could_not_be_run_says_why() -> None:
    """As an internal error; before, it waits."""
    assert judge0_results.failed(Busy("Too many.", 1.0)) == Outcome(13, "Too many.")
    assert Submission("t", asked(), "now").outcome == Outcome(1)
    assert Submission("t", asked(stdin="x"), "now").size == 2009


def test_fields() -> None:
    """All, some, the usual ones; others are refused."""
    assert judge0_results.fields("*") == FIELDS
    assert judge0_results.fields("stdout,token") == ("stdout", "token")
    with pytest.raises(BadRequest, match=r"^invalid fields: \[x, y\]$"):
        judge0_results.fields("stdout,x,y")


# What it says of itself


def test_languages() -> None:
    """Every number under which a policy is known, and what is run for it."""
    assert [each["id"] for each in judge0_about.languages(POLICIES)] == [71, 113, 52, 53, 54, 105]
    assert judge0_about.language("71", POLICIES) == {
        "id": 71,
        "name": "Python 3.13",
        "is_archived": False,
        "source_file": "main.py",
        "compile_cmd": None,
        "run_cmd": "python3 main.py",
    }
    assert [judge0_about.language(each, POLICIES) for each in ("60", "x", "-1")] == [None] * 3


def test_statuses_and_limits() -> None:
    """All fourteen; the limits are those of the largest policy."""
    assert [each["id"] for each in judge0_about.statuses()] == list(range(1, 15))
    assert judge0_about.about()["version"] == "1.13.1"
    info = judge0_about.config_info(POLICIES, 64, 3600.0)
    assert (info["max_cpu_time_limit"], info["max_memory_limit"], info["max_extract_size"]) == (2.0, 262_144, 1024)
    assert (info["max_processes_and_or_threads"], info["max_queue_size"]) == (64, 64)


def test_refusals_keep_their_status() -> None:
    """And say why."""
    assert judge0.refusal(429, "why") == (429, {"error": "why"})
