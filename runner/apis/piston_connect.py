"""The messages of Piston's ``/connect`` from and to ours. Pure; see piston.md."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

import msgspec

from runner.apis import piston
from runner.apis.names import names, version
from runner.errors import BadRequest
from runner.policy.policy import Policy
from runner.runs.events import Event
from runner.runs.request import decoded
from runner.sandbox.job import Job

AGAIN: Final = "Already Initialized"
LATE: Final = "Initialization Timeout"
EARLY: Final = "Not yet initialized"
NOT_STDIN: Final = "Can only write to stdin"
NO_SIGNAL: Final = "Invalid signal"
CLOSES: Final[Mapping[str, int]] = {AGAIN: 4000, LATE: 4001, EARLY: 4003, NOT_STDIN: 4004, NO_SIGNAL: 4005}
"""What is refused by closing the connection, each with a code of its own."""
NOTIFIED: Final = (4002, "Notified Error")
"""After any other refusal, which is told in a message."""
DONE: Final = (4999, "Job Completed")
CONTRACT: Final = 'A message is a JSON object with a "type": "init", "data" or "signal".'
_TYPED: Final = {"SIGINT": b"\x03", "SIGQUIT": b"\x1c", "SIGTSTP": b"\x1a"}
"""The keys by which a terminal sends them."""
_ENDING: Final = ("SIGKILL", "SIGTERM")
_UNFELT: Final = ("SIGCHLD", "SIGCONT", "SIGURG", "SIGWINCH")
"""What no program notices that does not ask for it; Piston's own client sends it when its window changes."""


class Said(msgspec.Struct):
    """What any message may have."""

    type: Any = None
    stream: Any = None
    data: Any = None
    signal: Any = None


_said = msgspec.json.Decoder(Said)


def first(message: bytes, policies: Mapping[str, Policy]) -> Job | None:
    """The job of an ``init``, on a terminal; None for a message that means nothing."""
    said = decoded(_said, message, CONTRACT)
    if said.type in ("data", "signal"):
        raise BadRequest(EARLY)
    if said.type != "init":
        return None
    return replace(piston.parse(message, policies), inputs=(b"",), terminal=(80, 24), plain=True)


def more(message: bytes) -> bytes | str | None:
    """What a later message brings: what is typed, the name of the signal that ends the run, or nothing."""
    said = decoded(_said, message, CONTRACT)
    if said.type == "init":
        raise BadRequest(AGAIN)
    if said.type == "signal":
        return _signal(said.signal)
    if said.type != "data":
        return None
    if said.stream != "stdin":
        raise BadRequest(NOT_STDIN)
    if not isinstance(said.data, str):
        raise BadRequest("data must be a string")
    return said.data.encode()


def _signal(name: Any) -> bytes | str | None:
    if name in _UNFELT:
        return None
    if name in _ENDING:
        return str(name)
    if not isinstance(name, str) or name not in _TYPED:
        raise BadRequest(NO_SIGNAL)
    return _TYPED[name]


def error(detail: object) -> str:
    """A refusal, or a failure."""
    return _message("error", message=detail)


class Telling:
    """Our events in Piston's messages; remembers which stage goes on."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._stage = ""

    def told(self, event: Event) -> Iterator[str]:
        """What is sent for it."""
        match event.name:
            case "phase" if event.data["phase"] == "queued":
                yield _message("runtime", language=names(self._policy)[0], version=version(self._policy))
            case "phase":
                yield from self.ended(0, None)
                self._stage = str(event.data["phase"])
                yield _message("stage", stage=self._stage)
            case "stdout" | "stderr":
                yield _message("data", stream=event.name, data=event.data["text"])
            case "result":
                code = event.data["exit_code"]
                yield from self.ended(code, event.data["signal"] or ("SIGKILL" if code is None else None))

    def ended(self, code: object, signal: object) -> Iterator[str]:
        """The end of the stage that goes on, if there is one."""
        if self._stage:
            yield _message("exit", stage=self._stage, code=code, signal=signal)


def _message(kind: str, **fields: object) -> str:
    return msgspec.json.encode({"type": kind, **fields}).decode()
