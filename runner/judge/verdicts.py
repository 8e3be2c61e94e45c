"""From the report of a run to the verdict on a test. Pure."""

import re
from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from runner.judge.compare import Compare, difference

OK: Final = "ok"
WRONG: Final = "wrong answer"
COMPILE: Final = "compile error"
VERDICTS: Final[Mapping[str, str]] = {
    "completed": OK,
    "exit_code": "runtime error",
    "signal": "runtime error",
    "no_verdict": "runtime error",
    "out_of_memory": "memory limit",
    "output_limit": "output limit",
    "wall_time": "time limit",
    "cpu_time": "time limit",
    "total_time": "time limit",
    "compile_error": COMPILE,
    "compile_timeout": COMPILE,
    "compile_out_of_memory": COMPILE,
}
"""By the reason of a report; a program that has completed may still be wrong."""
CUT: Final = "total_time"
"""The reason of a run that its neighbours have left no time for."""
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
LONGEST: Final = 80
"""Characters of a program's last words."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """On one test."""

    test: str
    verdict: str
    detail: str
    """The first difference, or how the program ended; "" where there is nothing to say."""
    seconds: float | None
    memory: int | None
    """Bytes at the peak."""


def judge(test: str, run: Mapping[str, Any], expected: bytes, compare: Compare) -> Verdict:
    """``run``: one of a report's ``results``, with its output in base64."""
    verdict, detail = VERDICTS[run["reason"]], _ending(run)
    if verdict == OK and (found := difference(compare, expected, b64decode(run["stdout"]))):
        verdict, detail = WRONG, found
    return Verdict(test, verdict, detail, run["times"]["wall"], run["peak_memory"])


def unbuilt(test: str, reason: str) -> Verdict:
    """Where nothing was run."""
    return Verdict(test, VERDICTS[reason], "", None, None)


def shown(data: bytes) -> str:
    """A compiler's words for a terminal: they quote a program, which may have tried to move a cursor."""
    return _CONTROL.sub("\ufffd", data.decode(errors="replace"))


def _ending(run: Mapping[str, Any]) -> str:
    """What the verdict does not say, and the last line of stderr."""
    if run["reason"] not in ("exit_code", "signal"):
        return ""
    own = run["signal"] or f"exit code {run['exit_code']}"
    lines = b64decode(run["stderr"]).decode(errors="replace").rstrip().splitlines()
    return f"{own}: {ascii(lines[-1][:LONGEST])[1:-1]}" if lines else own


def judged(results: Sequence[Mapping[str, Any]]) -> int:
    """How many of a batch's runs had their own time: the first at least, and none after one that had not."""
    cut = (index for index, run in enumerate(results) if run["reason"] == CUT and index)
    return next(cut, len(results))


def batch(sizes: Sequence[int], inputs: int, data: int) -> int:
    """How many of the first tests one request has: at least one, at most ``inputs``, of ``data`` bytes together."""
    taken = 0
    for count, size in enumerate(sizes[:inputs]):
        taken += size
        if count and taken > data:
            return count
    return min(len(sizes), inputs)


def rows(verdicts: Sequence[Verdict], width: int) -> Iterator[str]:
    """A line for each; ``width``: characters of the longest name."""
    for each in verdicts:
        time = "" if each.seconds is None else f"{each.seconds:.3f} s"
        memory = "" if each.memory is None else f"{each.memory / 2**20:.1f} MiB"
        yield f"{each.test:<{width}}  {each.verdict:<13}  {time:>8}  {memory:>9}  {each.detail}".rstrip()
