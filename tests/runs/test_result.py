"""From facts to a verdict, and from a verdict to JSON: total, and by what was seen alone."""

import json
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.policy import policy
from runner.policy.policy import Policy
from runner.runs.report import as_json, text, told
from runner.runs.result import STATUS, Reason, Result, Status, Verdict, decide, signal_name
from runner.sandbox.job import Facts, File, Job, Observed, Output
from runner.sandbox.protocol import Ending, Step
from tests.strategies import unhurried


def shipped(name: str) -> Policy:
    """A policy of this repository."""
    return policy.parse(name, Path(f"policies/{name}.toml").read_text(encoding="utf-8"))


PYTHON: Final = shipped("python")
CPP: Final = shipped("cpp")
DONE: Final = Ending(exit_code=0, signal=None, wall_time=0.02, cpu_time=0.01, peak_memory=4096, oom_kills=0, reached=())
COMMAND: Final = ("docker", "run", "image")
NOTHING: Final = Output(b"", 0)
RUN: Final = Observed(Step.RUN, NOTHING, NOTHING, DONE, timed_out=False, seconds=0.02)
COMPILED: Final = replace(RUN, step=Step.COMPILE, ending=replace(DONE, wall_time=0.5), seconds=0.6)

outputs: Final = st.builds(Output, st.binary(max_size=50), st.sampled_from([0, 0, 1, 10**12]))
endings: Final = st.one_of(
    st.none(),
    st.builds(
        lambda status, wall, cpu, peak, oom, reached: Ending(
            status[0], status[1], wall, cpu, peak, oom, tuple(reached)
        ),
        st.one_of(st.tuples(st.integers(0, 255), st.none()), st.tuples(st.none(), st.integers(1, 127))),
        st.floats(0, 1e6),
        st.one_of(st.none(), st.floats(0, 1e6)),
        st.one_of(st.none(), st.integers(0, 2**40)),
        st.one_of(st.none(), st.integers(0, 64)),
        st.lists(st.sampled_from(["pids", "memory", "tmpfs", "shm", "cpu"]), unique=True),
    ),
)


def observations(step: Step) -> st.SearchStrategy[Observed]:
    """Any combination of what may have been seen of a step."""
    booleans, times = st.booleans(), st.floats(0, 1e6)
    return st.builds(Observed, st.just(step), outputs, outputs, endings, booleans, times, booleans)


runs: Final = st.lists(observations(Step.RUN), max_size=4).map(tuple)


def result(policy: Policy, first: Observed, more: tuple[Observed, ...]) -> Result:
    """What is decided of any steps."""
    return decide(Facts("job-1", 0.25, (first, *more), COMMAND), policy)


results: Final = st.one_of(
    st.builds(result, st.just(PYTHON), observations(Step.RUN), runs),
    st.builds(result, st.just(CPP), observations(Step.COMPILE), runs),
)


def reason(observed: Observed) -> Reason:
    """What is decided of one step alone."""
    facts = Facts("job-1", 0.0, (observed,), COMMAND)
    return decide(facts, CPP if observed.step is Step.COMPILE else PYTHON).last.reason


# The verdict


@unhurried
@given(results)
def test_every_combination_of_facts_has_a_verdict(result: Result) -> None:
    """Whatever was seen, there is one status, and it is that of the reason."""
    verdicts = [*([result.compiled] if result.compiled else []), *result.runs]
    assert [verdict.observed for verdict in verdicts] == list(result.facts.steps)
    assert [verdict.status for verdict in verdicts] == [STATUS[verdict.reason] for verdict in verdicts]
    assert result.last in verdicts


def test_every_reason_has_a_status() -> None:
    """The table is whole: three successes and timeouts, the rest is the program's error."""
    assert {reason: status for reason, status in STATUS.items() if status is not Status.RUNTIME_ERROR} == {
        Reason.COMPLETED: Status.SUCCESS,
        Reason.WALL_TIME: Status.TIMEOUT,
        Reason.CPU_TIME: Status.TIMEOUT,
        Reason.TOTAL_TIME: Status.TIMEOUT,
        Reason.COMPILE_TIMEOUT: Status.TIMEOUT,
    }
    assert set(STATUS) == set(Reason)


FAILED: Final = replace(DONE, exit_code=1, wall_time=0.5)
KILLED: Final = replace(DONE, exit_code=None, signal=9)
CRASHED: Final = replace(DONE, exit_code=None, signal=11)
FLOOD: Final = Output(b"aaa", 5)

TABLE: Final = [
    (RUN, Reason.COMPLETED),
    (replace(RUN, ending=replace(DONE, oom_kills=1)), Reason.COMPLETED),  # a child was killed, it went on
    (replace(RUN, ending=FAILED), Reason.EXIT_CODE),
    (replace(RUN, ending=replace(DONE, exit_code=137)), Reason.EXIT_CODE),  # a program's own exit code is no signal
    (replace(RUN, ending=replace(DONE, exit_code=125)), Reason.EXIT_CODE),  # nor is it docker's
    (replace(RUN, ending=replace(FAILED, oom_kills=1)), Reason.EXIT_CODE),
    (replace(RUN, ending=CRASHED), Reason.SIGNAL),
    (replace(RUN, ending=KILLED), Reason.SIGNAL),
    (replace(RUN, ending=replace(KILLED, oom_kills=None)), Reason.SIGNAL),  # the cgroup does not tell
    (replace(RUN, ending=replace(KILLED, oom_kills=1)), Reason.OUT_OF_MEMORY),
    (replace(RUN, ending=replace(CRASHED, oom_kills=1)), Reason.SIGNAL),
    (replace(RUN, ending=None), Reason.NO_VERDICT),
    (replace(RUN, ending=None, timed_out=True), Reason.WALL_TIME),
    (replace(RUN, ending=None, timed_out=True, own_time=False), Reason.TOTAL_TIME),
    (replace(RUN, ending=None, own_time=False), Reason.NO_VERDICT),
    (replace(RUN, ending=KILLED, timed_out=True), Reason.WALL_TIME),  # its end was our doing
    (replace(RUN, ending=replace(KILLED, reached=("cpu",))), Reason.CPU_TIME),
    (replace(RUN, ending=replace(KILLED, reached=("cpu",)), timed_out=True), Reason.WALL_TIME),
    (replace(RUN, ending=replace(KILLED, reached=("pids", "memory", "tmpfs", "shm"))), Reason.SIGNAL),
    (replace(RUN, stdout=FLOOD), Reason.OUTPUT_LIMIT),
    (replace(RUN, stderr=FLOOD), Reason.OUTPUT_LIMIT),
    (replace(RUN, stdout=FLOOD, ending=FAILED), Reason.OUTPUT_LIMIT),
    (replace(RUN, stdout=FLOOD, ending=None), Reason.OUTPUT_LIMIT),
    (replace(RUN, stdout=FLOOD, ending=None, timed_out=True), Reason.OUTPUT_LIMIT),
    (COMPILED, Reason.COMPLETED),
    (replace(COMPILED, stderr=FLOOD), Reason.COMPLETED),  # a flood of warnings is no error
    (replace(COMPILED, ending=replace(DONE, oom_kills=1)), Reason.COMPLETED),
    (replace(COMPILED, ending=FAILED), Reason.COMPILE_ERROR),
    (replace(COMPILED, ending=FAILED, stderr=FLOOD), Reason.COMPILE_ERROR),
    (replace(COMPILED, ending=CRASHED), Reason.COMPILE_ERROR),
    (replace(COMPILED, ending=replace(FAILED, oom_kills=1)), Reason.COMPILE_OUT_OF_MEMORY),  # g++ lost its cc1plus
    (replace(COMPILED, ending=replace(KILLED, oom_kills=1)), Reason.COMPILE_OUT_OF_MEMORY),
    (replace(COMPILED, ending=None, timed_out=True), Reason.COMPILE_TIMEOUT),
    (replace(COMPILED, ending=KILLED, timed_out=True), Reason.COMPILE_TIMEOUT),
    (replace(COMPILED, timed_out=True), Reason.COMPILE_TIMEOUT),  # it ended when that had been decided
    (replace(COMPILED, ending=None), Reason.NO_VERDICT),
]


@pytest.mark.parametrize(("observed", "expected"), TABLE)
def test_a_reason_is_what_was_seen(observed: Observed, expected: Reason) -> None:
    """Each ending has its one reason."""
    assert reason(observed) is expected


def test_the_table_has_every_reason() -> None:
    """No reason is without a case."""
    assert {expected for _, expected in TABLE} == set(Reason)


@pytest.mark.parametrize(
    ("policy", "steps", "decisive"),
    [
        (PYTHON, (RUN,), 0),
        (PYTHON, (RUN, RUN), 1),
        (PYTHON, (replace(RUN, ending=FAILED), RUN, replace(RUN, ending=None)), 0),
        (PYTHON, (RUN, replace(RUN, ending=FAILED), RUN), 1),
        (CPP, (COMPILED, RUN), 1),
        (CPP, (COMPILED, replace(RUN, ending=FAILED), RUN), 1),
        (CPP, (replace(COMPILED, ending=FAILED),), 0),
    ],
)
def test_the_first_run_that_failed_decides(policy: Policy, steps: tuple[Observed, ...], decisive: int) -> None:
    """Else the last one, else the compile step."""
    assert decide(Facts("job-1", 0.0, steps, COMMAND), policy).last.observed is steps[decisive]


def test_a_result_is_made_of_its_steps() -> None:
    """The compile step apart, then each run."""
    facts = Facts("job-1", 0.25, (COMPILED, RUN, replace(RUN, ending=FAILED)), COMMAND)
    assert decide(facts, CPP) == Result(
        facts,
        CPP,
        Verdict(Status.SUCCESS, Reason.COMPLETED, COMPILED),
        (
            Verdict(Status.SUCCESS, Reason.COMPLETED, RUN),
            Verdict(Status.RUNTIME_ERROR, Reason.EXIT_CODE, replace(RUN, ending=FAILED)),
        ),
    )


@pytest.mark.parametrize("reason", [Reason.WALL_TIME, Reason.TOTAL_TIME, Reason.CPU_TIME, Reason.OUTPUT_LIMIT])
@pytest.mark.parametrize("ending", [None, DONE, FAILED, KILLED])
def test_where_the_runner_ended_it_the_ending_is_always_told_the_same_way(reason: Reason, ending: Ending) -> None:
    """Whether its own end or our kill came first must not show."""
    verdict = Verdict(STATUS[reason], reason, replace(RUN, ending=ending))
    assert verdict.own is None


@pytest.mark.parametrize("number", range(1, 128))
def test_a_signal_has_a_name(number: int) -> None:
    """Every number that a wait status can hold; those without a name of their own by number."""
    known = {int(known): known.name for known in signal.Signals}
    assert signal_name(number) == known.get(number, f"SIG{number}")


# The JSON


@unhurried
@given(results, st.booleans())
def test_a_report_is_always_json(result: Result, several: bool) -> None:
    """Strict JSON in UTF-8 whatever a program wrote: no NaN, no lone surrogate."""
    report = as_json(result, several=several)
    sent = json.dumps(report, ensure_ascii=False, allow_nan=False).encode("utf-8")
    assert json.loads(sent) == report


@unhurried
@given(st.binary())
def test_text_is_the_bytes_where_they_are_utf_8(data: bytes) -> None:
    """What is not UTF-8 becomes U+FFFD, and what is stays."""
    shown = text(data)
    assert shown.encode("utf-8").decode("utf-8") == shown
    try:
        expected = data.decode("utf-8")
    except UnicodeDecodeError:
        assert "\ufffd" in shown
    else:
        assert shown == expected


@unhurried
@given(st.text())
def test_text_of_utf_8_is_what_was_written(written: str) -> None:
    """NUL, escapes and newlines of all kinds included."""
    assert text(written.encode("utf-8")) == written


@unhurried
@given(st.text(), st.characters(min_codepoint=0x80, exclude_categories=["Cs"]), st.data())
def test_a_cut_is_between_two_characters(written: str, last: str, data: st.DataObject) -> None:
    """Half a character at the end is ours if we have cut, and the program's if not."""
    half = last.encode()[: data.draw(st.integers(1, len(last.encode()) - 1))]
    assert text(written.encode() + half, cut=True) == written
    assert text(written.encode() + half) == written + "\ufffd"


def test_the_report_of_a_run() -> None:
    """The answer to a run of an interpreted language, whole."""
    observed = replace(RUN, stdout=Output(b"h\xc3\xa9\xff", 0), stderr=Output(b"/tmp/main.py\xe2\x82", 7))
    observed = replace(observed, ending=replace(DONE, wall_time=0.0212345678, reached=("pids", "cpu")))
    assert as_json(decide(Facts("job-1", 0.00000049, (observed,), COMMAND), PYTHON)) == {
        "id": "job-1",
        "policy": PYTHON.digest,
        "command": ["docker", "run", "image"],
        "status": "runtime_error",
        "reason": "output_limit",
        "reached": ["pids"],
        "stdout": "hé\ufffd",
        "stderr": "/tmp/main.py",
        "truncated": {"stdout": False, "stderr": True},
        "exit_code": None,
        "signal": None,
        "times": {"queued": 0.0, "compile": None, "wall": 0.021235, "cpu": 0.01},
        "peak_memory": 4096,
        "oom_kills": 0,
        "files": [],
        "compile_output": "",
    }


def test_the_report_of_a_compiled_run() -> None:
    """The compiler's warnings are beside the program's output, its time beside the run's."""
    compiled = replace(COMPILED, stdout=Output(b"note\n", 0), stderr=Output(b"/tmp/main.cpp: warning\n", 0))
    crashed = replace(RUN, ending=Ending(None, 11, 0.03, None, None, None, ("shm",)))
    assert as_json(decide(Facts("job-1", 0.5, (compiled, crashed), COMMAND), CPP)) == {
        "id": "job-1",
        "policy": CPP.digest,
        "command": ["docker", "run", "image"],
        "status": "runtime_error",
        "reason": "signal",
        "reached": ["shm"],
        "stdout": "",
        "stderr": "",
        "truncated": {"stdout": False, "stderr": False},
        "exit_code": None,
        "signal": "SIGSEGV",
        "times": {"queued": 0.5, "compile": 0.5, "wall": 0.03, "cpu": None},
        "peak_memory": None,
        "oom_kills": None,
        "files": [],
        "compile_output": "note\n/tmp/main.cpp: warning\n",
    }


def test_the_report_of_a_failed_compilation() -> None:
    """What the compiler said is the output; nothing was run, so there is no wall time."""
    failed = replace(COMPILED, stderr=Output(b"/tmp/main.cpp: error\n", 0), ending=FAILED)
    assert as_json(decide(Facts("job-1", 0.5, (failed,), COMMAND), CPP)) == {
        "id": "job-1",
        "policy": CPP.digest,
        "command": ["docker", "run", "image"],
        "status": "runtime_error",
        "reason": "compile_error",
        "reached": [],
        "stdout": "",
        "stderr": "/tmp/main.cpp: error\n",
        "truncated": {"stdout": False, "stderr": False},
        "exit_code": 1,
        "signal": None,
        "times": {"queued": 0.5, "compile": 0.5, "wall": None, "cpu": 0.01},
        "peak_memory": 4096,
        "oom_kills": 0,
        "files": [],
        "compile_output": "",
    }


def test_the_report_of_no_verdict() -> None:
    """Where the launcher told nothing, nothing is made up."""
    silent = replace(RUN, ending=None, timed_out=True, seconds=2.0)
    report = as_json(decide(Facts("job-1", 0.0, (silent,), COMMAND), PYTHON))
    unknown = ("exit_code", "signal", "peak_memory", "oom_kills")
    assert [report[key] for key in ("status", "reason", *unknown)] == ["timeout", "wall_time", *[None] * 4]
    assert report["times"] == {"queued": 0.0, "compile": None, "wall": 2.0, "cpu": None}


def test_the_report_of_several_runs() -> None:
    """One ending for all, and a result for each run, in the order of the inputs."""
    first = replace(RUN, stdout=Output(b"1\n", 0))
    second = replace(RUN, ending=None, timed_out=True, own_time=False, seconds=0.0)
    result = decide(Facts("job-1", 0.5, (COMPILED, first, second), COMMAND), CPP)
    report = as_json(result, several=True)
    assert {key: value for key, value in report.items() if key != "results"} == {
        "id": "job-1",
        "policy": CPP.digest,
        "command": ["docker", "run", "image"],
        "status": "timeout",
        "reason": "total_time",
        "compile_output": "",
        "times": {"queued": 0.5, "compile": 0.5},
    }
    none: dict[str, object] = {"exit_code": None, "signal": None, "peak_memory": None, "oom_kills": None, "files": []}
    whole = {"reached": [], "truncated": {"stdout": False, "stderr": False}, "stderr": ""}
    assert report["results"] == [
        {
            **whole,
            "status": "success",
            "reason": "completed",
            "stdout": "1\n",
            "times": {"wall": 0.02, "cpu": 0.01},
            "exit_code": 0,
            "signal": None,
            "peak_memory": 4096,
            "oom_kills": 0,
            "files": [],
        },
        {
            **whole,
            **none,
            "status": "timeout",
            "reason": "total_time",
            "stdout": "",
            "times": {"wall": 0.0, "cpu": None},
        },
    ]


def test_results_are_text_where_they_can_be() -> None:
    """Else base64, as all of the answer where that was asked for; the type goes by the name."""
    files = (File("a/plot.PNG", b"\x89"), File("b", "é".encode()), File("c.csv", b"1,2"), File("d.", b"\xff"))
    facts = Facts("job-1", 0.0, (replace(RUN, stdout=Output(b"\xff", 0), results=files),), COMMAND)
    result = decide(facts, PYTHON)
    assert as_json(result)["files"] == [
        {"name": "a/plot.PNG", "size": 1, "type": "image/png", "content": {"base64": "iQ=="}},
        {"name": "b", "size": 2, "type": "text/plain", "content": "é"},
        {"name": "c.csv", "size": 3, "type": "text/csv", "content": "1,2"},
        {"name": "d.", "size": 1, "type": "application/octet-stream", "content": {"base64": "/w=="}},
    ]
    report: Any = as_json(result, base64=True)
    assert report["stdout"] == "/w=="
    assert [file["content"]["base64"] for file in report["files"]] == ["iQ==", "w6k=", "MSwy", "/w=="]


@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize("base64", [False, True])
def test_what_is_told_goes_by_what_was_asked_for(several: bool, base64: bool) -> None:
    """Whoever asks, and however often."""
    result = decide(Facts("job-1", 0.0, (replace(RUN, stdout=Output(b"\xff", 0)),), COMMAND), PYTHON)
    job = Job("python", b"", (b"",), several=several, base64=base64)
    assert told(result, job) == as_json(result, several=several, base64=base64)


def test_several_runs_of_what_did_not_compile() -> None:
    """No run, no results; the compiler's words are there."""
    failed = replace(COMPILED, stderr=Output(b"error\n", 0), ending=FAILED)
    report = as_json(decide(Facts("job-1", 0.5, (failed,), COMMAND), CPP), several=True)
    assert (report["reason"], report["compile_output"], report["results"]) == ("compile_error", "error\n", [])
