"""What a container is given, and what was seen of it: the values between the sandbox and whoever judges a run."""

from dataclasses import dataclass

from runner.sandbox.protocol import Ending, Step


@dataclass(frozen=True, slots=True)
class Job:
    """What a client asks for: bytes, because a program's world is bytes."""

    language: str
    source: bytes
    inputs: tuple[bytes, ...]
    several: bool = False
    """Whether each input is a run of its own, and the answer a list."""


@dataclass(frozen=True, slots=True)
class Output:
    """The kept beginning of a stream."""

    data: bytes
    dropped: int
    """Bytes that were written after it."""


@dataclass(frozen=True, slots=True)
class Observed:
    """What was seen of one step."""

    step: Step
    stdout: Output
    stderr: Output
    ending: Ending | None
    """None: the launcher never told."""
    timed_out: bool
    """Whether its deadline passed before its end came."""
    seconds: float
    """By the runner's clock."""
    reached: bool = True
    """False: a run that the total limit left no time for, or that an earlier one's end took along."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What was seen of one container's work."""

    id: str
    queued: float
    """Seconds from the request to the hand-over."""
    steps: tuple[Observed, ...]
    """Those that began, in their order."""
    command: tuple[str, ...]
    """The `docker run` that was executed."""
