"""Our results and refusals -> Jobe's outcomes and messages. Pure."""

import re
from collections.abc import Mapping
from typing import Any, Final

from runner.apis import words
from runner.policy.policy import Policy
from runner.runs.result import Reason, Result, Verdict

COMPILE_ERROR, RUN_ERROR, TIME_LIMIT, SUCCESS, MEMORY_LIMIT, INTERNAL, OVERLOAD = 11, 12, 13, 15, 17, 20, 21
OUTCOMES: Final[Mapping[Reason, int]] = {
    Reason.COMPLETED: SUCCESS,
    Reason.EXIT_CODE: SUCCESS,  # there a program has failed when it has written to stderr, whatever it exits with
    Reason.SIGNAL: RUN_ERROR,
    Reason.OUT_OF_MEMORY: MEMORY_LIMIT,
    Reason.WALL_TIME: TIME_LIMIT,
    Reason.CPU_TIME: TIME_LIMIT,
    Reason.TOTAL_TIME: TIME_LIMIT,
    Reason.OUTPUT_LIMIT: TIME_LIMIT,
    Reason.COMPILE_ERROR: COMPILE_ERROR,
    Reason.COMPILE_TIMEOUT: COMPILE_ERROR,
    Reason.COMPILE_OUT_OF_MEMORY: COMPILE_ERROR,
    Reason.NO_VERDICT: INTERNAL,
}
_COMPILER: Final[Mapping[Reason, str]] = {
    Reason.COMPILE_ERROR: "The compiler failed.\n",
    Reason.COMPILE_TIMEOUT: "The compiler took too long.\n",
    Reason.COMPILE_OUT_OF_MEMORY: "The compiler ran out of memory.\n",
}
"""For those who look whether ``cmpinfo`` is empty."""


MISSING: Final = "One or more of the specified files is missing/unavailable"


def report(result: Result) -> dict[str, Any]:
    """The answer to a run."""
    last = result.last
    outcome = OUTCOMES[last.reason]
    if not result.runs:
        return _answer(outcome, cmpinfo=_cmpinfo(last) if outcome == COMPILE_ERROR else "")
    streams = (last.observed.stdout, last.observed.stderr)
    stdout, stderr = (_text(words.whole(stream.data, cut=last.observed.cut)) for stream in streams)
    if _is_no_python(last, result.policy):
        return _answer(COMPILE_ERROR, cmpinfo=stderr)
    if outcome == SUCCESS and stderr:
        outcome = RUN_ERROR
    return _answer(outcome, stdout=stdout, stderr="" if outcome == TIME_LIMIT else stderr)


def _answer(outcome: int, *, cmpinfo: str = "", stdout: str = "", stderr: str = "") -> dict[str, Any]:
    return {"run_id": None, "outcome": outcome, "cmpinfo": cmpinfo, "stdout": stdout, "stderr": stderr}


def _cmpinfo(compiled: Verdict) -> str:
    said = _text(words.whole(compiled.observed.stdout.data + compiled.observed.stderr.data, cut=compiled.observed.cut))
    return said if said and compiled.reason is Reason.COMPILE_ERROR else said + _COMPILER[compiled.reason]


def _is_no_python(run: Verdict, policy: Policy) -> bool:
    """Whether Python could not read the source: Jobe compiles it before it is run, here nothing of it has run.

    The interpreter's own words say so: a message about the source itself, which no traceback leads to. A program that
    writes the very same deceives nobody but its author.
    """
    if policy.name != "python" or run.reason is not Reason.EXIT_CODE or run.observed.stdout.data:
        return False
    source = re.escape(f"{policy.workdir}/{policy.source}".encode())
    words = rb'  File "%s", line \d+\n.*^(?:SyntaxError|IndentationError|TabError): ' % source
    return re.match(words, run.observed.stderr.data, re.DOTALL | re.MULTILINE) is not None


def _text(data: bytes) -> str:
    r"""UTF-8; where it is not, all bytes but printable ASCII, tabs and ends of lines are ``\xNN``."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return "".join(chr(b) if 0x20 <= b <= 0x7E or b in b"\n\r\t" else f"\\x{b:02x}" for b in data)


def refusal(status: int, detail: str) -> tuple[int, Any]:
    """Our problem as a JSON string with one of the statuses that Jobe has, and 503, which says that a try may help."""
    return {401: 403}.get(status, status if status in (403, 404, 429, 500, 503) else 400), detail


def run_refusal(status: int, detail: str) -> tuple[int, Any]:
    """The same for runs, which have an outcome for an overload."""
    return (200, _answer(OVERLOAD, stderr=detail)) if status == 503 else refusal(status, detail)
