"""Jobe's contract and ours, both ways: whatever comes, the answer is one that Jobe has."""

import base64
import json
import signal
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.apis import jobe, jobe_results
from runner.apis.jobe_results import OUTCOMES
from runner.errors import BadRequest, Busy, Refusal, TooLarge
from runner.policy import configuration
from runner.runs.result import Reason, Result
from runner.sandbox.job import Job, Narrowed, Output
from tests.runs.test_result import COMPILED, CPP, DONE, PYTHON, RUN, result, results
from tests.strategies import anything

POLICIES: Final = configuration.load().policies
OWN: Final = Narrowed(wall_time=10.0, cpu_time=5.0, memory=256 * 1024**2)
MESSAGE: Final = b"  File \"/tmp/main.py\", line 1\n    print(\n         ^\nSyntaxError: '(' was never closed\n"


def asked(language: str = "python3", source: str = "", **spec: Any) -> jobe.Asked:
    """What a run asks for."""
    body = {"run_spec": {"language_id": language, "sourcecode": source, **spec}}
    return jobe.parse(json.dumps(body).encode(), POLICIES)


def job(language: str = "python3", **parameters: Any) -> Job:
    """The job of a run with these parameters."""
    return asked(language, parameters=parameters).job


def test_a_run_is_a_job() -> None:
    """In its whole; a language's name has no case, and what is not known is nothing to us."""
    found = asked(
        "PYTHON3",
        "print(1)",
        input="x\n",
        sourcefilename="test.py",
        file_list=[["d41d8cd98f00", "data-1_a.txt"], ["d41d8cd98f00", "b", False]],
        parameters={"runargs": ["a", "'b c'"], "memorylimit": 100, "numprocs": 20},
        debug=True,
        more=[[1]],
    )
    narrowed = replace(OWN, memory=102_400_000)
    expected = Job("python", b"print(1)", (b"x\n",), args=(b"a", b"b c"), narrowed=narrowed)
    assert found == jobe.Asked(expected, (("d41d8cd98f00", "data-1_a.txt"), ("d41d8cd98f00", "b")))


@pytest.mark.parametrize("empty", [None, [], {}])
def test_php_has_one_kind_of_empty(empty: object) -> None:
    """No parameters are those that Jobe has when a run does not say."""
    assert asked(parameters=empty, input=None, sourcefilename=None, file_list=None).job == Job(
        "python", b"", (b"",), narrowed=OWN
    )


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"cputime": 1}, replace(OWN, wall_time=2.0, cpu_time=1.0)),
        ({"cputime": "1.5"}, replace(OWN, wall_time=3.0, cpu_time=1.5)),
        ({"cputime": 0}, replace(OWN, wall_time=None, cpu_time=None)),
        ({"cputime": -1}, replace(OWN, wall_time=None, cpu_time=None)),
        ({"cputime": "; id"}, OWN),
        ({"cputime": "nan"}, OWN),
        ({"cputime": None, "memorylimit": True}, OWN),
        ({"cputime": ["1"], "memorylimit": "inf"}, OWN),
        ({"memorylimit": 200_000}, OWN),
        ({"memorylimit": 1e300}, OWN),
        ({"memorylimit": 0}, replace(OWN, memory=None)),
        ({"memorylimit": -1}, replace(OWN, memory=None)),
    ],
)
def test_limits_are_those_of_the_policy_or_less(parameters: dict[str, Any], expected: Narrowed) -> None:
    """Nothing that is sent is an error; 0 and less are no limit of the client's."""
    assert job(**parameters).narrowed == expected


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({}, (b"-Wall", b"-Werror")),
        ({"compileargs": []}, ()),
        ({"compileargs": ["-g -O0"], "linkargs": ["-lm"]}, (b"-g", b"-O0", b"-lm")),
        ({"linkargs": ["-lm"]}, (b"-Wall", b"-Werror", b"-lm")),
    ],
)
def test_a_compiler_has_arguments(parameters: dict[str, Any], expected: tuple[bytes, ...]) -> None:
    """Those of Jobe where a run does not say; who compiles nothing has none."""
    assert job("cpp", **parameters).compile_args == expected
    assert job("python3", **parameters).compile_args == ()


def test_what_is_its_own_command_has_no_interpreter() -> None:
    """What is for that is the program's, as there."""
    assert job("cpp", interpreterargs=["-a"], runargs=["b"]).args == (b"-a", b"b")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "Non-JSON post data received"),
        (b"[]", "Non-JSON post data received"),
        (b'"\\ud800"', "Non-JSON post data received"),
        (b"{}", "No run_spec attribute found in post data"),
        (b'{"run_spec": []}', "No run_spec attribute found in post data"),
        (b'{"run_spec": {"sourcecode": ""}}', "run_spec is missing the required attribute 'language_id'"),
        (b'{"run_spec": {"language_id": "c"}}', "run_spec is missing the required attribute 'sourcecode'"),
        (
            b'{"run_spec": {"language_id": 1}}',
            "run_spec: Expected `str | null`, got `int` at `language_id`",
        ),
        (b'{"run_spec": {"language_id": "Cobol", "sourcecode": ""}}', "Language 'cobol' is not known"),
    ],
)
def test_a_wrong_body_is_told_in_their_words(body: bytes, said: str) -> None:
    """As they stand there."""
    with pytest.raises(BadRequest) as refused:
        jobe.parse(body, POLICIES)
    assert str(refused.value) == said


@pytest.mark.parametrize(
    ("spec", "kind", "said"),
    [
        (
            {"parameters": {"cputime": 121}},
            BadRequest,
            "cputime exceeds maximum allowed on this Jobe server (120 secs)",
        ),
        ({"sourcefilename": "../x"}, BadRequest, "The sourcefilename for the run_spec is illegal"),
        ({"sourcefilename": ".x"}, BadRequest, "The sourcefilename for the run_spec is illegal"),
        ({"file_list": [["short", "a"]]}, BadRequest, "Invalid file specifier: ['short', 'a']"),
        ({"file_list": [["longenough", ".."]]}, BadRequest, "Invalid file specifier: ['longenough', '..']"),
        ({"file_list": [["longenough"]]}, BadRequest, "Invalid file specifier: ['longenough']"),
        ({"file_list": [[1, 2]]}, BadRequest, "Invalid file specifier: [1.0, 2.0]"),
        ({"parameters": {"runargs": "x"}}, BadRequest, "runargs must be a list of strings"),
        ({"parameters": {"runargs": ["'"]}}, BadRequest, "`runargs` has a quote or a backslash that does not end."),
        ({"parameters": {"runargs": ["x" * 20_000]}}, TooLarge, "`runargs` has more than 16384 bytes."),
        (
            {"parameters": {"interpreterargs": ["-c 1"]}},
            BadRequest,
            "interpreterargs cannot be given: python is run as `python3 main.py`. Use runargs.",
        ),
        (
            {"source": jobe.OVERLOAD_TEST},
            Busy,
            "This is the answer to the source that tests for an overload.",
        ),
    ],
    ids=range(12),
)
def test_what_is_refused(spec: dict[str, Any], kind: type[Refusal], said: str) -> None:
    """And nothing runs."""
    with pytest.raises(kind) as refused:
        asked(**spec)
    assert str(refused.value) == said


specs: Final = st.fixed_dictionaries(
    {},
    optional={
        "language_id": st.sampled_from(["python3", "cpp"]) | anything,
        "sourcecode": st.text(max_size=20) | anything,
        "sourcefilename": st.text(max_size=20) | anything,
        "input": st.text(max_size=20) | anything,
        "file_list": st.lists(st.tuples(st.sampled_from(["longenough", ""]), st.text(max_size=5))) | anything,
        "parameters": st.dictionaries(
            st.sampled_from(["cputime", "memorylimit", "compileargs", "linkargs", "interpreterargs", "runargs"]),
            st.lists(st.text(max_size=5), max_size=3) | anything,
        )
        | anything,
    },
)


@given(st.binary(max_size=100) | anything.map(lambda v: json.dumps(v).encode()) | specs)
def test_any_body_is_a_job_within_the_policy_or_refused(body: bytes | dict[str, Any]) -> None:
    """Never another exception."""
    with suppress(Refusal):
        found = jobe.parse(body if isinstance(body, bytes) else json.dumps({"run_spec": body}).encode(), POLICIES)
        narrowed = found.job.narrowed
        assert narrowed.memory is None or narrowed.memory <= POLICIES[found.job.language].memory
        assert narrowed.cpu_time is None or 0 < narrowed.cpu_time <= 120


# Files


def test_a_file_has_its_bytes() -> None:
    """In base64."""
    body = json.dumps({"file_contents": base64.b64encode(bytes(range(256))).decode()}).encode()
    assert jobe.contents("d41d8cd98f00", body) == bytes(range(256))


@pytest.mark.parametrize(
    ("key", "body", "said"),
    [
        ("longenough", b"", "put: missing file_contents parameter"),
        ("longenough", b"[", "put: missing file_contents parameter"),
        ("longenough", b"{}", "put: missing file_contents parameter"),
        ("longenough", b'{"file_contents": 1}', "put: missing file_contents parameter"),
        ("longenough", b'{"file_contents": "%"}', "put: contents of file longenough are not valid base-64"),
        ("longenough", '{"file_contents": "é"}'.encode(), "put: contents of file longenough are not valid base-64"),
        ("short", b'{"file_contents": ""}', "put: a file's id is 8 to 128 letters and digits"),
        ("with.dots.in.it", b'{"file_contents": ""}', "put: a file's id is 8 to 128 letters and digits"),
    ],
)
def test_no_file(key: str, body: bytes, said: str) -> None:
    """Nothing is kept of it."""
    with pytest.raises(BadRequest) as refused:
        jobe.contents(key, body)
    assert str(refused.value) == said


# Answers


def answer(result: Result) -> tuple[int, str, str, str]:
    """An answer without the id that it never has."""
    found = jobe_results.report(result)
    assert list(found) == ["run_id", "outcome", "cmpinfo", "stdout", "stderr"]
    assert found.pop("run_id") is None
    outcome, cmpinfo, stdout, stderr = found.values()
    return outcome, cmpinfo, stdout, stderr


@given(results)
def test_every_result_has_an_answer(result: Result) -> None:
    """Of their outcomes; compiler's words are there exactly where it refused the program, and all of it is JSON."""
    outcome, cmpinfo, stdout, stderr = answer(result)
    assert outcome in {11, 12, 13, 15, 17, 20}
    assert (outcome == 11) is (cmpinfo != "")
    assert not (cmpinfo and (stdout or stderr))
    assert outcome != 15 or not stderr
    json.dumps(jobe_results.report(result)).encode()


def test_every_ending_has_an_outcome() -> None:
    """The table lacks none."""
    assert OUTCOMES.keys() == set(Reason)


OUT, ERR = Output(b"out", 0), Output(b"err", 0)
FAILED, KILLED = replace(DONE, exit_code=1), replace(DONE, exit_code=None, signal=signal.SIGKILL)
LATE = replace(RUN, stdout=OUT, stderr=ERR, timed_out=True)


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        ((PYTHON, replace(RUN, stdout=OUT), ()), (15, "", "out", "")),
        ((PYTHON, replace(RUN, stdout=OUT, ending=FAILED), ()), (15, "", "out", "")),
        ((PYTHON, replace(RUN, stdout=OUT, stderr=ERR), ()), (12, "", "out", "err")),
        ((PYTHON, replace(RUN, ending=KILLED), ()), (12, "", "", "")),
        ((PYTHON, replace(RUN, ending=replace(KILLED, oom_kills=1), stderr=ERR), ()), (17, "", "", "err")),
        ((PYTHON, LATE, ()), (13, "", "out", "")),
        ((PYTHON, replace(RUN, stdout=Output(b"\xc3\xa9\xc3", 9)), ()), (13, "", "é", "")),
        ((PYTHON, replace(RUN, ending=None), ()), (20, "", "", "")),
        ((PYTHON, replace(RUN, stderr=Output(MESSAGE, 0), ending=FAILED), ()), (11, MESSAGE.decode(), "", "")),
        (
            (PYTHON, replace(RUN, stdout=OUT, stderr=Output(MESSAGE, 0), ending=FAILED), ()),
            (12, "", "out", MESSAGE.decode()),
        ),
        ((CPP, replace(COMPILED, stderr=ERR), (RUN,)), (15, "", "", "")),
        ((CPP, replace(COMPILED, stderr=ERR, ending=FAILED), ()), (11, "err", "", "")),
        ((CPP, replace(COMPILED, ending=FAILED), ()), (11, "The compiler failed.\n", "", "")),
        ((CPP, replace(COMPILED, stderr=ERR, timed_out=True), ()), (11, "errThe compiler took too long.\n", "", "")),
        ((CPP, replace(COMPILED, stderr=ERR, ending=None), ()), (20, "", "", "")),
    ],
    ids=range(15),
)
def test_answers(seen: Any, expected: tuple[int, str, str, str]) -> None:
    """Who has written to stderr has failed; what was not Python was not run."""
    assert answer(result(*seen)) == expected


def test_output_that_is_no_text_is_spelt_out() -> None:
    """All bytes that are not printable ASCII; control characters alone are text."""
    odd = replace(RUN, stdout=Output(b"a\n\t\r~\x7f\x01\x06\xc0\xc9", 0))
    assert answer(result(PYTHON, odd, ()))[2] == "a\n\t\r~\\x7f\\x01\\x06\\xc0\\xc9"
    assert answer(result(PYTHON, replace(RUN, stdout=Output(b"\x01\x7f", 0)), ()))[2] == "\x01\x7f"


@pytest.mark.parametrize(
    ("status", "runs", "files"),
    [
        (400, 400, 400),
        (401, 403, 403),
        (403, 403, 403),
        (408, 400, 400),
        (413, 400, 400),
        (415, 400, 400),
        (429, 429, 429),
        (503, 200, 503),
    ],
)
def test_refusals_have_their_statuses(status: int, runs: int, files: int) -> None:
    """An overload is an outcome; all else is a string."""
    code, said = jobe_results.run_refusal(status, "why")
    assert (code, said if code != 200 else said["stderr"]) == (runs, "why")
    assert jobe_results.refusal(status, "why") == (files, "why")


def test_languages_have_the_last_number_of_their_title() -> None:
    """By their names there."""
    odd = {"box": replace(PYTHON, name="box", title="Box")}
    assert jobe.languages(POLICIES) == [["cpp", "14"], ["python3", "3.13"]]
    assert jobe.languages(odd) == [["box", "Unknown"]]
