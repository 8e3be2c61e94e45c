"""Our results -> Judge0 CE's statuses and fields. Pure."""

import base64
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from runner.apis import words
from runner.apis.judge0 import Asked
from runner.errors import BadRequest, Refusal
from runner.runs.result import Reason, Result

IN_QUEUE, PROCESSING, ACCEPTED, WRONG_ANSWER, TIME_LIMIT, COMPILATION_ERROR = 1, 2, 3, 4, 5, 6
SIGSEGV, SIGXFSZ, SIGFPE, SIGABRT, NZEC, OTHER, INTERNAL = 7, 8, 9, 10, 11, 12, 13
STATUSES: Final[Mapping[int, str]] = {
    IN_QUEUE: "In Queue",
    PROCESSING: "Processing",
    ACCEPTED: "Accepted",
    WRONG_ANSWER: "Wrong Answer",
    TIME_LIMIT: "Time Limit Exceeded",
    COMPILATION_ERROR: "Compilation Error",
    SIGSEGV: "Runtime Error (SIGSEGV)",
    SIGXFSZ: "Runtime Error (SIGXFSZ)",
    SIGFPE: "Runtime Error (SIGFPE)",
    SIGABRT: "Runtime Error (SIGABRT)",
    NZEC: "Runtime Error (NZEC)",
    OTHER: "Runtime Error (Other)",
    INTERNAL: "Internal Error",
    14: "Exec Format Error",
}
_REASONS: Final[Mapping[Reason, tuple[int, str | None]]] = {
    Reason.COMPLETED: (ACCEPTED, None),
    Reason.EXIT_CODE: (NZEC, "Exited with error status {ending.exit_code}"),
    Reason.SIGNAL: (OTHER, "Caught fatal signal {ending.signal}"),
    Reason.OUT_OF_MEMORY: (OTHER, "Out of memory"),
    Reason.OUTPUT_LIMIT: (SIGXFSZ, "Output limit exceeded"),
    Reason.WALL_TIME: (TIME_LIMIT, "Time limit exceeded (wall clock)"),
    Reason.CPU_TIME: (TIME_LIMIT, "Time limit exceeded"),
    Reason.TOTAL_TIME: (TIME_LIMIT, "Time limit exceeded (wall clock)"),
    Reason.COMPILE_ERROR: (COMPILATION_ERROR, None),
    Reason.COMPILE_TIMEOUT: (COMPILATION_ERROR, "Compilation time limit exceeded"),
    Reason.COMPILE_OUT_OF_MEMORY: (COMPILATION_ERROR, "The compiler ran out of memory"),
    Reason.NO_VERDICT: (INTERNAL, "The sandbox ended before it could tell how the program did"),
}
"""Status and message of each of our endings."""
_SIGNALS: Final[Mapping[int, int]] = {
    signal.SIGSEGV: SIGSEGV,
    signal.SIGXFSZ: SIGXFSZ,
    signal.SIGFPE: SIGFPE,
    signal.SIGABRT: SIGABRT,
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """How far a submission has come, and how it ended."""

    status: int
    message: str | None = None
    stdout: bytes = b""
    stderr: bytes = b""
    compile_output: bytes = b""
    exit_code: int | None = None
    exit_signal: int | None = None
    time: float | None = None
    """Seconds of CPU."""
    wall_time: float | None = None
    memory: int | None = None
    """Kilobytes."""


@dataclass(frozen=True, slots=True)
class Submission:
    """One as its clients may ask for it; times are ISO 8601, in UTC."""

    token: str
    asked: Asked
    created: str
    outcome: Outcome = Outcome(IN_QUEUE)
    finished: str | None = None

    @property
    def size(self) -> int:
        """Bytes that it takes, about."""
        job, said = self.asked.job, self.outcome
        texts = (job.source, *job.inputs, *(file.data for file in job.files), self.asked.expected or b"")
        return 2000 + sum(map(len, (*texts, said.stdout, said.stderr, said.compile_output)))


def outcome(result: Result, expected: bytes | None) -> Outcome:
    """How a submission ended."""
    last, compiled = result.last, result.compiled
    status, message = _REASONS[last.reason]
    said = (
        words.whole(compiled.observed.stdout.data + compiled.observed.stderr.data, cut=compiled.observed.cut)
        if compiled
        else b""
    )
    if not result.runs:
        return Outcome(status, message, compile_output=said)
    stdout, stderr = (words.whole(s.data, cut=last.observed.cut) for s in (last.observed.stdout, last.observed.stderr))
    ending, own = last.observed.ending, last.own
    if last.reason is Reason.SIGNAL and own and own.signal:
        status = _SIGNALS.get(own.signal, OTHER)
    elif status == ACCEPTED and expected is not None and _lines(expected) != _lines(stdout):
        status = WRONG_ANSWER
    return Outcome(
        status,
        message.format(ending=own) if message else None,
        stdout,
        stderr,
        said,
        exit_code=own.exit_code if own else None,
        exit_signal=own.signal if own else None,
        time=ending.cpu_time if ending else None,
        wall_time=last.observed.wall_time,
        memory=ending.peak_memory // 1024 if ending and ending.peak_memory is not None else None,
    )


def failed(error: Refusal) -> Outcome:
    """How a submission ended that could not be run."""
    return Outcome(INTERNAL, str(error))


def _lines(text: bytes) -> bytes:
    """Without what is blank at the ends of lines and at the end, as answers are compared there."""
    return b"\n".join(line.rstrip(b" \t\v\f\r\0") for line in text.split(b"\n")).rstrip(b" \t\n\v\f\r\0")


DEFAULT_FIELDS: Final = ("stdout", "time", "memory", "stderr", "token", "compile_output", "message", "status")
_NEVER: Final = (
    *("number_of_runs", "cpu_extra_time", "stack_limit", "max_processes_and_or_threads", "max_file_size"),
    *("enable_per_process_and_thread_time_limit", "enable_per_process_and_thread_memory_limit"),
    *("redirect_stderr_to_stdout", "callback_url", "additional_files", "enable_network"),
)
"""Fields of the contract for which there is nothing to tell: null."""
FIELDS: Final = (
    *("source_code", "language_id", "stdin", "expected_output", "stdout", "status_id", "created_at", "finished_at"),
    *("time", "memory", "stderr", "token", "cpu_time_limit", "wall_time_limit", "memory_limit", "compile_output"),
    *("exit_code", "exit_signal", "message", "wall_time", "compiler_options", "command_line_arguments"),
    *_NEVER,
    *("status", "language"),
)


def fields(asked: str) -> tuple[str, ...]:
    """Those that a client wants to see, or ``BadRequest``."""
    names = [name for name in asked.split(",") if name]
    if invalid := [name for name in names if name not in (*FIELDS, "*")]:
        raise BadRequest(f"invalid fields: [{', '.join(invalid):.300}]")
    return FIELDS if "*" in names else tuple(names) or DEFAULT_FIELDS


def shown(submission: Submission, names: Sequence[str], *, encoded: bool) -> dict[str, Any]:
    """Its fields. A ``UnicodeDecodeError`` where one that is not ``encoded`` in base64 is no UTF-8."""
    asked, said, job = submission.asked, submission.outcome, submission.asked.job
    texts = {
        "source_code": job.source,
        "stdin": job.inputs[0] or None,
        "expected_output": asked.expected,
        "stdout": said.stdout or None,
        "stderr": said.stderr or None,
        "compile_output": said.compile_output or None,
        "message": said.message.encode() if said.message else None,
    }
    plain = {
        "language_id": asked.language,
        "status_id": said.status,
        "created_at": submission.created,
        "finished_at": submission.finished,
        "time": _seconds(said.time),
        "wall_time": _seconds(said.wall_time),
        "memory": said.memory,
        "token": submission.token,
        "cpu_time_limit": job.narrowed.cpu_time,
        "wall_time_limit": job.narrowed.wall_time,
        "memory_limit": job.narrowed.memory and job.narrowed.memory // 1024,
        "exit_code": said.exit_code,
        "exit_signal": said.exit_signal,
        "compiler_options": asked.options,
        "command_line_arguments": asked.arguments,
        "status": {"id": said.status, "description": STATUSES[said.status]},
        "language": {"id": asked.language, "name": asked.title},
    }
    return {name: _text(texts[name], encoded=encoded) if name in texts else plain.get(name) for name in names}


def _text(data: bytes | None, *, encoded: bool) -> str | None:
    if data is None:
        return None
    return base64.b64encode(data).decode() if encoded else data.decode()


def _seconds(value: float | None) -> str | None:
    return None if value is None else f"{value:.3f}"
