"""What a container is given, and what was seen of it: the values between the sandbox and whoever judges a run."""

from dataclasses import dataclass

from runner.sandbox.protocol import Ending, Step


@dataclass(frozen=True, slots=True)
class File:
    """A regular file: what a client sends beside the source, or what a program has left."""

    name: str
    """Its path, relative to the folder in which it lies, with ``/`` between its parts."""
    data: bytes


@dataclass(frozen=True, slots=True)
class Narrowed:
    """Limits that a client asks for. Each can only be less than the policy's own, which None stands for."""

    wall_time: float | None = None
    """Seconds of a run."""
    cpu_time: float | None = None
    """Seconds of CPU of a run, all its processes together."""
    compile_time: float | None = None
    """Seconds of the compile step."""
    memory: int | None = None
    """Bytes of memory that each process of a run may have for itself: more is refused to it, and does not end it."""


@dataclass(frozen=True, slots=True)
class Job:
    """What a client asks for: bytes, because a program's world is bytes."""

    language: str
    source: bytes
    inputs: tuple[bytes, ...]
    several: bool = False
    """Whether each input is a run of its own, and the answer a list."""
    terminal: tuple[int, int] | None = None
    """Columns and rows, where it runs on a terminal: then the input is what is typed there at first."""
    plain: bool = False
    """Whether that terminal neither echoes nor adds carriage returns: it is read by a program."""
    files: tuple[File, ...] = ()
    """They lie beside the source, whenever a run begins."""
    args: tuple[bytes, ...] = ()
    """The program's arguments, after those of the policy's run command."""
    compile_args: tuple[bytes, ...] = ()
    """The same for the compile command."""
    env: tuple[tuple[str, bytes], ...] = ()
    """Variables of the program's environment, beside the policy's; the names are those that the policy allows."""
    narrowed: Narrowed = Narrowed()
    base64: bool = False
    """Whether the answer has its output in base64."""
    idempotency_key: str | None = None
    """The sha256 of the key with which it was asked for: who comes again with it gets the same answer."""

    @property
    def size(self) -> int:
        """Bytes of everything that was sent, without what Python takes for each part."""
        variables = (len(name) + len(value) for name, value in self.env)
        files = (len(file.name) + len(file.data) for file in self.files)
        parts = (*self.inputs, *self.args, *self.compile_args)
        return len(self.source) + sum(map(len, parts)) + sum(files) + sum(variables)


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
    own_time: bool = True
    """False: a run that the total limit has cut or left no time for."""
    results: tuple[File, ...] = ()
    """What the program has left in the policy's folder for results."""

    @property
    def cut(self) -> bool:
        """Whether it was stopped, or not listened to, before it ended by itself."""
        return self.timed_out or self.stdout.dropped > 0 or self.stderr.dropped > 0

    @property
    def wall_time(self) -> float:
        """Seconds, measured where it ran; by the runner's clock where that has decided, or nothing was told."""
        told = self.ending.wall_time if self.ending else 0.0
        return max(told, self.seconds) if self.timed_out or not self.ending else told


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
