"""Piston's contract: what is asked in which order, and what every ending looks like."""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ultra_piston import ExecutionOutput, Package, Runtime  # type: ignore[import-untyped]

from runner.apis import piston, piston_connect
from runner.apis.piston import LIMITS
from runner.apis.piston_connect import AGAIN, CLOSES, EARLY, NO_SIGNAL, NOT_STDIN, Telling
from runner.errors import BadRequest, Refusal
from runner.policy.policy import Policy
from runner.runs.events import Event
from runner.runs.result import Reason, decide, signal_name
from runner.sandbox.job import Facts, File, Job, Narrowed, Output
from runner.sandbox.protocol import Step
from runner.web.problems import PROBLEMS
from tests.runs.test_result import COMMAND, COMPILED, CPP, DONE, PYTHON, RUN, observations, runs

POLICIES: Final = {"cpp": CPP, "python": PYTHON}
BODY: Final[dict[str, Any]] = {"language": "py", "version": "3.x", "files": [{"content": "print(1)"}]}
TEXT: Final = "files must include at least one utf8 encoded file"
STAGE: Final = ["signal", "stdout", "stderr", "code", "output", "memory", "message", "status", "cpu_time", "wall_time"]


def parse(body: object) -> Job:
    return piston.parse(json.dumps(body).encode(), POLICIES)


def refused(body: object) -> str:
    """What is said of it."""
    with pytest.raises(Refusal) as caught:
        parse(body)
    status, said = piston.words(PROBLEMS[type(caught.value)][0], str(caught.value))
    assert (status, list(said)) == (400, ["message"])
    return str(said["message"])


# What is asked


def test_the_least_that_can_be_asked() -> None:
    """A version that fits; the input has its line end."""
    assert parse(BODY) == Job("python", b"print(1)", (b"\n",))


def test_all_that_can_be_asked() -> None:
    """The first file that is text is the program, the others lie beside it."""
    files = [
        {"name": "data/a.bin", "content": "AP8", "encoding": "base64"},
        {"name": "any.py", "content": "print(1)", "encoding": "utf8"},
        {"name": "", "content": "00ff", "encoding": "hex"},
        {"name": None, "content": "é", "encoding": "latin1"},
        {"name": "b", "content": "-_\n8=", "encoding": "base64"},
    ]
    more = {"stdin": "1\n", "args": ["a", "b"], "run_timeout": 1500, "run_cpu_time": 0.5, "compile_timeout": 9e99}
    asked = {**BODY, "files": files, **more, "run_memory_limit": 1e6, "compile_memory_limit": 5, "compile_cpu_time": 5}
    assert parse(asked) == Job(
        "python",
        b"print(1)",
        (b"1\n",),
        files=(
            File("data/a.bin", b"\0\xff"),
            File("file2.code", b"\0\xff"),
            File("file3.code", "é".encode()),
            File("b", b"\xfb\xff"),
        ),
        args=(b"a", b"b"),
        narrowed=Narrowed(wall_time=1.5, cpu_time=0.001, compile_time=1e9, memory=1_000_000),
    )


@pytest.mark.parametrize("value", [None, "", False, 0, 0.0, -1, -1.0])
def test_what_is_no_limit_is_the_policys_own(value: object) -> None:
    """What the clients send who want none, too."""
    assert parse({**BODY, **dict.fromkeys(LIMITS, value)}).narrowed == Narrowed()


def test_as_much_memory_as_there_is_is_no_limit() -> None:
    """Nor is more."""
    for memory in (PYTHON.memory, 2 * PYTHON.memory, 10**400):
        assert parse({**BODY, "run_memory_limit": memory}).narrowed == Narrowed()


@pytest.mark.parametrize(("stdin", "seen"), [(None, b"\n"), ("", b"\n"), ("a", b"a\n"), ("a\n", b"a\n"), ("\n", b"\n")])
def test_the_input_ends_its_line(stdin: str | None, seen: bytes) -> None:
    """Once."""
    assert parse({**BODY, "stdin": stdin}).inputs == (seen,)


def test_the_order_of_what_is_refused() -> None:
    """The first thing that is wrong is told; each is put right in its turn."""
    body: dict[str, Any] = {"stdin": 5}
    steps: list[tuple[str, dict[str, Any]]] = [
        ("language is required as a string", {"language": 5}),
        ("language is required as a string", {"language": "perl"}),
        ("version is required as a string", {"version": ""}),
        ("version is required as a string", {"version": "7"}),
        ("files is required as an array", {"files": "x"}),
        ("files is required as an array", {"files": [{"content": ""}, {"content": None}]}),
        ("files[1].content is required as a string", {"files": [None]}),
        ("files[0].content is required as a string", {"files": []}),
        ("perl-7 runtime is unknown", {"language": "c++"}),
        ("c++-7 runtime is unknown", {"version": "14"}),
        (TEXT, {"files": [{"content": "x", "encoding": "hex"}]}),
        (TEXT, {"files": [{"content": "x", "encoding": "latin1"}]}),
        (
            "files must include at least one utf8 encoded file",
            {"files": [{"content": "x"}], **dict.fromkeys(LIMITS, "x")},
        ),
    ]
    for name in LIMITS:
        steps += [(f"If specified, {name} must be a number", {name: -2}), (f"{name} must be non-negative", {name: 5})]
    steps += [
        ("stdin must be a string", {"stdin": None, "args": "x"}),
        ("args must be an array of strings", {"args": []}),
    ]
    for said, change in steps:
        assert refused(body) == said
        body |= change
    assert parse(body).language == "cpp"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"files": [{"content": "", "name": 5}]}, "files[0].name must be a string"),
        ({"files": [{"content": ""}, {"content": "x", "encoding": "hex"}]}, "files[1].content is not hex"),
        ({"files": [{"content": ""}, {"content": "é", "encoding": "base64"}]}, "files[1].content is not base64"),
        ({"files": [{"content": ""}, {"content": "A", "encoding": "base64"}]}, "files[1].content is not base64"),
        ({"args": [1]}, "args must be an array of strings"),
        ({"run_timeout": True}, "If specified, run_timeout must be a number"),
        ({"run_timeout": []}, "If specified, run_timeout must be a number"),
        ({"language": "x" * 999}, f"{'x' * 200}-3.x runtime is unknown"),
    ],
)
def test_what_is_refused_beside(change: dict[str, Any], said: str) -> None:
    """Where Piston would fail, guess, or repeat all that was sent."""
    assert refused({**BODY, **change}) == said


def test_a_file_in_the_place_of_the_program_is_refused() -> None:
    """It would be another program than the first."""
    assert "is taken" in refused({**BODY, "files": [{"content": ""}, {"content": "", "name": "main.py"}]})


json_values: Final = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
encodings: Final = st.sampled_from(["utf8", "hex", "base64"])
files: Final = st.lists(
    st.fixed_dictionaries(
        {"content": st.text(max_size=9) | json_values},
        optional={"name": st.text(max_size=9) | json_values, "encoding": encodings | json_values},
    )
    | json_values,
    max_size=3,
)
bodies: Final = st.fixed_dictionaries(
    {},
    optional={
        "language": st.sampled_from(["python", "c++"]) | json_values,
        "version": st.sampled_from(["*", "3.x"]) | json_values,
        "files": files | json_values,
        "stdin": json_values,
        "args": json_values,
        **dict.fromkeys(LIMITS, json_values),
    },
)


def outcome(read: Callable[[bytes, Mapping[str, Policy]], Job | None], body: bytes) -> Job | tuple[int, object] | None:
    """What a body comes to: a job, nothing, or a refusal's status and words."""
    try:
        return read(body, POLICIES)
    except Refusal as error:
        return piston.words(PROBLEMS[type(error)][0], str(error))


@given(st.binary() | (bodies | json_values).map(lambda value: json.dumps(value).encode()))
def test_whatever_a_body_holds(body: bytes) -> None:
    """It is a job or a refusal with a message; so is the same as an ``init``."""
    for read in (piston.parse, piston_connect.first):
        match outcome(read, body):
            case Job(language=language):
                assert language in POLICIES
            case 400, {"message": str(said)}:
                assert json.dumps(said).encode()
            case nothing:
                assert (read, nothing) == (piston_connect.first, None)


# What is answered


def test_what_can_be_run() -> None:
    """In the order of the fields that it has there."""
    assert piston.runtimes(POLICIES) == [
        {"language": "c++", "version": "14.0.0", "aliases": ["cpp", "g++"]},
        {"language": "python", "version": "3.13.0", "aliases": ["py", "python3", "py3"]},
    ]
    assert [Runtime(**each) for each in piston.runtimes(POLICIES)]
    assert [Package(**each).installed for each in piston.packages(POLICIES)] == [True, True]


LOST: Final = "The container ended before it could say how the program did"
WIDE: Final = Narrowed()


def answered(facts: Facts, narrowed: Narrowed = WIDE) -> dict[str, Any]:
    return piston.answer(decide(facts, CPP if facts.steps[0].step is Step.COMPILE else PYTHON), narrowed)


def test_a_run_that_went_well() -> None:
    """The whole of it, in its order."""
    seen = replace(RUN, stdout=Output(b"1\n", 0), stderr=Output(b"2\n", 0))
    answer = answered(Facts("job", 0, (seen,), COMMAND), Narrowed(wall_time=9, cpu_time=0.5, memory=1))
    assert json.dumps(answer) == json.dumps(
        {
            "run": {
                "signal": None,
                "stdout": "1\n",
                "stderr": "2\n",
                "code": 0,
                "output": "1\n2\n",
                "memory": 4096,
                "message": None,
                "status": None,
                "cpu_time": 10.0,
                "wall_time": 20.0,
            },
            "language": "python",
            "version": "3.13.0",
            "limits": {"compile_timeout": None, "run_timeout": 2000.0, "run_cpu_time": 500.0, "run_memory_limit": 1},
        }
    )


def test_what_does_not_compile_is_its_run_too() -> None:
    """For clients that look nowhere else."""
    failed = replace(COMPILED, ending=replace(DONE, exit_code=1), stderr=Output(b"no", 0))
    answer = answered(Facts("job", 0, (failed,), COMMAND), Narrowed(compile_time=1.5))
    assert list(answer) == ["compile", "run", "language", "version", "limits"]
    assert answer["run"] == answer["compile"]
    assert (answer["run"]["code"], answer["run"]["status"]) == (1, "RE")
    assert answer["limits"]["compile_timeout"] == 1500
    assert answered(Facts("job", 0, (COMPILED, RUN), COMMAND))["limits"]["compile_timeout"] == 10000


ended: Final = replace(RUN, ending=replace(DONE, exit_code=None, signal=9, oom_kills=1))


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (replace(RUN, ending=replace(DONE, exit_code=3)), ("RE", "Exited with error status 3", 3, None)),
        (ended, ("SG", "Caught fatal signal 9", None, "SIGKILL")),
        (replace(ended, timed_out=True), ("TO", "Time limit exceeded (wall clock)", None, "SIGKILL")),
        (replace(ended, ending=replace(DONE, reached=("cpu",))), ("TO", "Time limit exceeded", None, "SIGKILL")),
        (replace(RUN, stdout=Output(b"", 1)), ("OL", "stdout length exceeded", None, "SIGKILL")),
        (replace(RUN, stderr=Output(b"", 1)), ("EL", "stderr length exceeded", None, "SIGKILL")),
        (
            replace(RUN, ending=None),
            ("XX", LOST, None, "SIGKILL"),
        ),
    ],
)
def test_how_a_run_ends(seen: Any, expected: tuple[object, ...]) -> None:
    """Status, message, code and signal."""
    run = answered(Facts("job", 0, (seen,), COMMAND))["run"]
    assert (run["status"], run["message"], run["code"], run["signal"]) == expected


def test_every_signal_has_its_name() -> None:
    """Those of real time by their distance from an end."""
    found = {number: piston.killed_by(number) for number in range(1, 65)}
    assert [found[number] for number in (11, 34, 35, 49, 50, 63, 64)] == [
        *("SIGSEGV", "SIGRTMIN", "SIGRTMIN+1", "SIGRTMIN+15", "SIGRTMAX-14", "SIGRTMAX-1", "SIGRTMAX"),
    ]
    assert all(found[number] == signal_name(number) for number in range(1, 35))


@given(observations(Step.COMPILE), runs.filter(bool))
def test_whatever_was_seen_is_an_answer(compiled: Any, seen: tuple[Any, ...]) -> None:
    """Which its most used client can read, with a reason for each that did not go well."""
    for steps in ((seen[0],), (compiled, seen[0]), (compiled,)):
        facts = Facts("job", 0, steps, COMMAND)
        answer = answered(facts)
        assert ExecutionOutput(**answer).run.stdout == answer["run"]["stdout"]
        for stage in (answer.get("compile"), answer["run"]):
            if stage:
                assert list(stage) == STAGE
                assert (stage["status"] is None) is (stage["message"] is None) is (stage["code"] == 0)
                assert (stage["code"] is None) is (stage["signal"] is not None)
        assert json.loads(json.dumps(answer)) == answer


def test_no_reason_is_without_words() -> None:
    """Each has a status, by a row or by the program's own ending."""
    own = {Reason.COMPLETED, Reason.EXIT_CODE, Reason.SIGNAL, Reason.OUT_OF_MEMORY, Reason.OUTPUT_LIMIT}
    assert set(Reason) - set(piston._ENDED) == own | {Reason.COMPILE_ERROR, Reason.COMPILE_OUT_OF_MEMORY}


def test_what_is_refused_elsewhere_keeps_its_status() -> None:
    """But for sizes, for which Piston has none."""
    assert piston.words(429, "later") == (429, {"message": "later"})
    assert piston.words(413, "large") == (400, {"message": "large"})
    assert piston.words(415, "type") == (415, {"message": "requests must be of type application/json"})


# /connect


def connected(message: object) -> bytes | str | None:
    return piston_connect.more(json.dumps(message).encode())


def closes(message: object, *, begun: bool = True) -> str:
    """The refusal of a message."""
    data = json.dumps(message).encode()
    with pytest.raises(BadRequest) as caught:
        piston_connect.more(data) if begun else piston_connect.first(data, POLICIES)
    return str(caught.value)


def test_an_init_is_a_job_on_a_terminal() -> None:
    """Its input is what is typed."""
    init = json.dumps({"type": "init", **BODY, "stdin": "x"}).encode()
    job = piston_connect.first(init, POLICIES)
    assert job == replace(parse(BODY), inputs=(b"",), terminal=(80, 24), plain=True)
    assert piston_connect.first(b'{"type": "x"}', POLICIES) is None


def test_what_later_messages_bring() -> None:
    """Input, the keys of a terminal, an end, or nothing."""
    assert connected({"type": "data", "stream": "stdin", "data": "é\n"}) == "é\n".encode()
    assert connected({"type": "signal", "signal": "SIGINT"}) == b"\x03"
    assert connected({"type": "signal", "signal": "SIGKILL"}) == "SIGKILL"
    assert connected({"type": "signal", "signal": "SIGWINCH"}) is None
    assert connected({"type": "x"}) is None


def test_what_ends_a_connection() -> None:
    """Each has its own code."""
    said = [
        closes({"type": "init"}),
        closes({"type": "data"}, begun=False),
        closes({"type": "signal"}, begun=False),
        closes({"type": "data", "stream": "stdout"}),
        closes({"type": "signal", "signal": "SIGUSR1"}),
        closes({"type": "signal", "signal": []}),
    ]
    assert said == [AGAIN, EARLY, EARLY, NOT_STDIN, NO_SIGNAL, NO_SIGNAL]
    assert sorted(CLOSES.values()) == [4000, 4001, 4003, 4004, 4005]
    assert closes({"type": "data", "stream": "stdin", "data": 5}) == "data must be a string"
    assert json.loads(piston_connect.error("no")) == {"type": "error", "message": "no"}


@given(st.binary() | json_values.map(lambda value: json.dumps(value).encode()))
def test_whatever_a_later_message_holds(message: bytes) -> None:
    """It brings something, or nothing, or is refused."""
    with suppress(BadRequest):
        assert isinstance(piston_connect.more(message), bytes | str | None)


def told(*events: Event) -> list[dict[str, Any]]:
    telling = Telling(CPP)
    return [json.loads(message) for event in events for message in telling.told(event)]


def test_a_run_is_told_stage_by_stage() -> None:
    """Each with its end."""
    assert told(
        Event("phase", {"phase": "queued", "place": 2, "forecast": None}),
        Event("phase", {"phase": "queued", "place": 1, "forecast": 0.5}),
        Event("phase", {"phase": "compile"}),
        Event("stderr", {"text": "careful"}),
        Event("phase", {"phase": "run", "run": 1}),
        Event("stdout", {"text": "1\n"}),
        Event("result", {"exit_code": 3, "signal": None}),
    ) == [
        {"type": "runtime", "language": "c++", "version": "14.0.0"},
        {"type": "stage", "stage": "compile"},
        {"type": "data", "stream": "stderr", "data": "careful"},
        {"type": "exit", "stage": "compile", "code": 0, "signal": None},
        {"type": "stage", "stage": "run"},
        {"type": "data", "stream": "stdout", "data": "1\n"},
        {"type": "exit", "stage": "run", "code": 3, "signal": None},
    ]


@pytest.mark.parametrize(("signal", "expected"), [("SIGSEGV", "SIGSEGV"), (None, "SIGKILL")])
def test_a_signal_has_no_code(signal: str | None, expected: str) -> None:
    """That of the program, or ours where the runner has ended it."""
    run, result = Event("phase", {"phase": "run", "run": 1}), Event("result", {"exit_code": None, "signal": signal})
    assert told(run, result)[-1] == {"type": "exit", "stage": "run", "code": None, "signal": expected}


def test_what_has_not_begun_has_no_end() -> None:
    """Nor a problem a message of its own: that comes with the end."""
    assert list(Telling(CPP).ended(None, "SIGKILL")) == []
    assert told(Event("problem", {})) == []
