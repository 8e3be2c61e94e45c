"""The framing between the runner and images/launch. Sans-IO: bytes in, facts out; no clock, no file, no await.

Both streams of a container read: docker's own text, then (stderr only) the ready line, then what the compile step
wrote and its mark, then for each input what the program wrote and its mark, then nothing that matters. A mark is a
line that starts with a secret nonce, which the launcher learns only when it is handed the source; so whatever a
program prints, it is a program's bytes.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, Literal

READY: Final = b"launch: ready\n"
NONCE_SIZE: Final = 32
_LONGEST_MARK: Final = 512
_MARK: Final = re.compile(
    rb" (compile|run) status=(\d{1,9}) wall=(\d{1,15}) cpu=(\d{0,20}) peak=(\d{0,20}) oom=(\d{0,20})"
    rb" results=(\d{1,10}) reached=((?:[a-z]{1,10},?){0,10})"
)
RESULT_HEAD: Final = 25
"""Bytes before the name of a result."""
RESULT_NAME: Final = 4096
"""Bytes of a path, at the most: what Linux allows."""

Stream = Literal["stdout", "stderr"]
Kind = Literal[
    "file", "args", "flags", "env", "limits", "again", "source", "input", "live", "type", "size", "stop", "end"
]


class Step(Enum):
    """What the launcher does with a program, in this order."""

    COMPILE = "compile"
    RUN = "run"


@dataclass(frozen=True, slots=True)
class Ending:
    """How a step ended, as the launcher saw it; None is what its cgroup does not tell."""

    exit_code: int | None
    signal: int | None
    wall_time: float
    """Seconds from the step's start to its end, by the container's clock."""
    cpu_time: float | None
    """Seconds of CPU of all processes of the step."""
    peak_memory: int | None
    """Bytes: what the container used at the most for this step, and at least its largest process."""
    oom_kills: int | None
    """Processes of the step that the kernel killed for want of memory."""
    reached: tuple[str, ...]
    """The limits that the step has reached, as far as the kernel tells: see images/launch."""
    results: int = 0
    """Bytes that follow on stdout: the files that the run has left."""


def message(kind: Kind, data: bytes = b"") -> bytes:
    """What the launcher is told, see there: a head of 24 bytes, then the data."""
    return b"%-7s%16d\n" % (kind.encode(), len(data)) + data


@dataclass(slots=True)
class Capture:
    """The first ``limit`` bytes of what was written; the rest is counted and dropped."""

    limit: int
    data: bytearray = field(default_factory=bytearray)
    dropped: int = 0

    def add(self, data: bytes) -> None:
        """Keeps what fits."""
        kept = data[: self.limit - len(self.data)]
        self.data += kept
        self.dropped += len(data) - len(kept)

    def close(self) -> None:
        """Keeps no more than there is."""
        self.limit = len(self.data)


class Tokens:
    """Finds a token in a stream however the stream is cut; holds back only what may be the token's beginning."""

    def __init__(self, token: bytes) -> None:
        self._token = token
        self._held = b""

    def feed(self, data: bytes) -> tuple[bytes, bytes | None]:
        """What came before the token, and what came after it, or None while it has not been seen."""
        data = self._held + data
        before, found, after = data.partition(self._token)
        if found:
            self._held = b""
            return before, after
        keep = next(n for n in range(min(len(data), len(self._token) - 1), -1, -1) if data.endswith(self._token[:n]))
        self._held = data[len(data) - keep :]
        return data[: len(data) - keep], None

    def rest(self) -> bytes:
        """What was held back, when the stream has ended."""
        held, self._held = self._held, b""
        return held


@dataclass(slots=True)
class Phase:
    """One step as it goes on: what it has written so far, and how it ended once it has."""

    step: Step
    stdout: Capture
    stderr: Capture
    ending: Ending | None = None
    cut: bool = False
    """Whether the runner has stopped listening before its end."""
    results: bytearray = field(default_factory=bytearray)
    """What has come of its results, see ``Ending``."""

    @property
    def over(self) -> bool:
        """Whether all of it has come."""
        return self.ending is not None and len(self.results) == self.ending.results

    def close(self, *, cut: bool) -> None:
        """Keeps no more than there is."""
        self.stdout.close()
        self.stderr.close()
        self.cut = cut

    @property
    def overflowed(self) -> bool:
        """Whether more was written than is kept."""
        return self.stdout.dropped > 0 or self.stderr.dropped > 0


class Transcript:
    """Everything one container said, from docker's first word to the last mark."""

    def __init__(self, nonce: bytes, steps: Sequence[Step], limit: int, results: int = 0) -> None:
        """``limit``: bytes kept of each step's stdout and stderr; ``results``: bytes of a run's, at the most."""
        self.engine_text = Capture(limit)
        self.phases = [Phase(step, Capture(limit), Capture(limit)) for step in steps]
        self._stdout = _Reader(nonce, self.phases, results, ready=True)
        self._stderr = _Reader(nonce, self.phases, results, ready=False)

    @property
    def ready(self) -> bool:
        """Whether the launcher waits for a program, or did."""
        return self._stderr.ready

    def expect_runs(self, more: int) -> None:
        """Says, before the hand-over, that there will be so many more runs than one."""
        limit = self.engine_text.limit
        self.phases.extend(Phase(Step.RUN, Capture(limit), Capture(limit)) for _ in range(more))

    def feed(self, stream: Stream, data: bytes) -> None:
        """Takes what a stream brought; b"" is its end."""
        reader = self._stdout if stream == "stdout" else self._stderr
        for index, output in reader.feed(data):
            if index is None:
                self.engine_text.add(output)
            else:
                phase = self.phases[index]
                (phase.stdout if stream == "stdout" else phase.stderr).add(output)
        # A step is over when both streams say so: then all that it wrote has arrived.
        for phase, first, second in zip(self.phases, self._stdout.endings, self._stderr.endings, strict=False):
            phase.ending = first if first == second else None

    @property
    def over(self) -> bool:
        """Whether no further step will come."""
        first, last = self.phases[0], self.phases[-1]
        failed = first.step is Step.COMPILE and first.ending is not None and first.ending.exit_code != 0
        return failed or last.over


class _Reader:
    """One stream: cuts it into output and marks."""

    def __init__(self, nonce: bytes, phases: Sequence[Phase], results: int, *, ready: bool) -> None:
        self.ready = ready
        self.endings: list[Ending] = []
        self._brings_results = ready
        self._results = results
        self._due = 0
        self._phases = phases
        self._nonce = nonce
        self._tokens = Tokens(nonce if ready else READY)
        self._mark: bytes | None = None
        self._believed = True

    def feed(self, data: bytes) -> Iterator[tuple[int | None, bytes]]:
        """Pairs of the index of a step, or None for docker's own text, and what was written in it."""
        if not data and self._mark is None:
            yield from self._output(self._tokens.rest())
        while data:
            if self._due:
                data = self._read_results(data)
                continue
            if self._mark is not None:
                data = self._read_mark(self._mark + data)
                continue
            before, after = self._tokens.feed(data)
            yield from self._output(before)
            if after is None:
                return
            data = after
            if self.ready:
                self._mark = b""
            else:
                self.ready, self._tokens = True, Tokens(self._nonce)

    def _output(self, data: bytes) -> Iterator[tuple[int | None, bytes]]:
        if data and not self.ready:
            yield None, data
        elif data and self._believed and len(self.endings) < len(self._phases):
            yield len(self.endings), data

    def _read_mark(self, line: bytes) -> bytes:
        """Takes the mark at the front of ``line`` if it is whole; returns what is left to read."""
        mark, newline, rest = line.partition(b"\n")
        if not newline and len(line) <= _LONGEST_MARK:
            self._mark = line
            return b""
        self._mark = None
        match = _MARK.fullmatch(mark)
        expected = self._phases[len(self.endings)].step.value if len(self.endings) < len(self._phases) else None
        if self._believed and match and match[1].decode() == expected and int(match[7]) <= self._results:
            self.endings.append(_ending(*match.groups()[1:]))
            self._due = self.endings[-1].results if self._brings_results else 0
        else:
            self._believed = False  # not the launcher's hand: nothing after it counts
        return rest

    def _read_results(self, data: bytes) -> bytes:
        """Takes what belongs to the results of the step that has ended last; returns what is left to read."""
        taken, rest = data[: self._due], data[self._due :]
        self._phases[len(self.endings) - 1].results += taken
        self._due -= len(taken)
        return rest


def _ending(status: bytes, wall: bytes, cpu: bytes, peak: bytes, oom: bytes, results: bytes, reached: bytes) -> Ending:
    code, signal = int(status) >> 8, int(status) & 0x7F
    return Ending(
        exit_code=None if signal else code,
        signal=signal or None,
        wall_time=int(wall) / 1e6,
        cpu_time=int(cpu) / 1e6 if cpu else None,
        peak_memory=int(peak) if peak else None,
        oom_kills=int(oom) if oom else None,
        reached=tuple(reached.decode().split(",")) if reached else (),
        results=int(results),
    )
