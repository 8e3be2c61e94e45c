"""What happened -> status and reason: a total function over frozen facts."""

import signal
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from runner.policy.policy import Policy
from runner.sandbox.job import Facts, Observed
from runner.sandbox.protocol import Step


class Status(StrEnum):
    """The three endings of a program."""

    SUCCESS = "success"
    TIMEOUT = "timeout"
    RUNTIME_ERROR = "runtime_error"


class Reason(StrEnum):
    """Why a program ended as it did; the README explains each."""

    COMPLETED = "completed"
    WALL_TIME = "wall_time"
    CPU_TIME = "cpu_time"
    TOTAL_TIME = "total_time"
    COMPILE_TIMEOUT = "compile_timeout"
    COMPILE_ERROR = "compile_error"
    COMPILE_OUT_OF_MEMORY = "compile_out_of_memory"
    EXIT_CODE = "exit_code"
    SIGNAL = "signal"
    OUT_OF_MEMORY = "out_of_memory"
    OUTPUT_LIMIT = "output_limit"
    NO_VERDICT = "no_verdict"


STATUS: Final[dict[Reason, Status]] = dict.fromkeys(Reason, Status.RUNTIME_ERROR) | {
    Reason.COMPLETED: Status.SUCCESS,
    Reason.WALL_TIME: Status.TIMEOUT,
    Reason.CPU_TIME: Status.TIMEOUT,
    Reason.TOTAL_TIME: Status.TIMEOUT,
    Reason.COMPILE_TIMEOUT: Status.TIMEOUT,
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """How one step ended, in the contract's words."""

    status: Status
    reason: Reason
    observed: Observed
    stderr: bytes
    """With the source's path as its file name alone."""


@dataclass(frozen=True, slots=True)
class Result:
    """How a program ended: a verdict for each run, or that of the compile step if nothing was run."""

    facts: Facts
    policy: Policy
    compiled: Verdict | None
    runs: tuple[Verdict, ...]

    @property
    def last(self) -> Verdict:
        """What decided: the first run that failed, else the last one, else the compile step."""
        failed = (run for run in self.runs if run.reason is not Reason.COMPLETED)
        verdict = next(failed, self.runs[-1] if self.runs else self.compiled)
        assert verdict is not None
        return verdict


def decide(facts: Facts, policy: Policy) -> Result:
    """The result of what was seen."""
    verdicts = [_verdict(step, policy) for step in facts.steps]
    compiled = verdicts.pop(0) if policy.compile else None
    return Result(facts, policy, compiled, tuple(verdicts))


def _verdict(observed: Observed, policy: Policy) -> Verdict:
    reason = _compile_reason(observed) if observed.step is Step.COMPILE else _run_reason(observed)
    stderr = observed.stderr.data.replace(policy.source_path, policy.source.encode())
    return Verdict(STATUS[reason], reason, observed, stderr)


def _compile_reason(observed: Observed) -> Reason:
    ending = observed.ending
    if ending is None:
        return Reason.COMPILE_TIMEOUT if observed.timed_out else Reason.NO_VERDICT
    if ending.exit_code == 0:
        return Reason.COMPLETED
    return Reason.COMPILE_OUT_OF_MEMORY if ending.oom_kills else Reason.COMPILE_ERROR


def _run_reason(observed: Observed) -> Reason:
    ending = observed.ending
    if observed.stdout.dropped or observed.stderr.dropped:
        return Reason.OUTPUT_LIMIT  # whether its own end or our kill came first must not decide
    if observed.timed_out:
        return Reason.WALL_TIME if observed.reached else Reason.TOTAL_TIME
    if ending is None:
        return Reason.NO_VERDICT
    if ending.signal == signal.SIGKILL and ending.oom_kills:
        return Reason.OUT_OF_MEMORY
    if ending.signal:
        return Reason.SIGNAL
    return Reason.EXIT_CODE if ending.exit_code else Reason.COMPLETED


def signal_name(number: int) -> str:
    """``SIGSEGV`` for 11; ``SIG40`` for those without a name."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"SIG{number}"
