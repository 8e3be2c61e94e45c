"""What a client sees while its program runs: from captured bytes to events, and from events to what is sent."""

import codecs
import json
import re
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from runner.sandbox.protocol import Phase, Step

CHUNK: Final = 16 * 1024
"""Bytes of output in one event, at most."""
KEEP_ALIVE: Final = b": still here\n\n"
"""A comment of server-sent events, so that nobody between takes the silence for an end."""
_ASKED: Final = r"text/event-stream\s*(;(?!\s*q=0(\.0*)?\s*(;|$)).*)?"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that has happened."""

    name: Literal["phase", "stdout", "stderr", "result", "problem"]
    data: Mapping[str, object]


def said(phase: Mapping[str, Any]) -> str:
    """The data of a phase in words, for a line of progress."""
    if phase["phase"] != "queued":
        return {"compile": "compiling", "run": "running"}[phase["phase"]]
    if not (place := phase.get("place")):
        return "waiting for a place"
    forecast = phase.get("forecast")
    return f"waiting: place {place} in the line" + ("" if forecast is None else f", about {max(1, round(forecast))} s")


def as_sse(event: Event | None) -> bytes:
    """In the format of server-sent events; JSON has no line breaks of its own. None: nothing has happened."""
    return KEEP_ALIVE if event is None else f"event: {event.name}\ndata: {_json(event.data)}\n\n".encode()


def as_message(event: Event) -> str:
    """As the text of a WebSocket message."""
    return _json({"event": event.name, "data": event.data})


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def wanted(accept: str) -> bool:
    """Whether an Accept header asks for server-sent events by name; ``*/*`` is not asking."""
    return any(re.fullmatch(_ASKED, item.strip()) for item in accept.lower().split(","))


class Tail:
    """Reads phases from where it has left off; what it is given grows between two calls and is never held twice."""

    def __init__(self, *, base64: bool = False) -> None:
        """``base64``: whether output is told as that."""
        self._base64 = base64
        self._begun = 0
        self._streams: tuple[_Stream, ...] = ()

    def take(self, phases: Sequence[Phase], *, over: bool = False) -> Iterator[Event]:
        """What is new. ``over``: nothing will be added any more."""
        if self._begun:
            yield from self._output(phases[self._begun - 1], final=over or len(phases) > self._begun)
        for phase in phases[self._begun :]:
            self._begun += 1
            self._streams = (_Stream("stdout", self._base64), _Stream("stderr", self._base64))
            yield Event("phase", _described(phase, phases[: self._begun]))
            yield from self._output(phase, final=over or len(phases) > self._begun)

    def _output(self, phase: Phase, *, final: bool) -> Iterator[Event]:
        for stream, capture in zip(self._streams, (phase.stdout, phase.stderr), strict=True):
            yield from stream.take(capture.data, final=final and not phase.cut)


def _described(phase: Phase, begun: Sequence[Phase]) -> dict[str, object]:
    run = {"run": sum(p.step is Step.RUN for p in begun)} if phase.step is Step.RUN else {}
    return {"phase": phase.step.value, **run}


class _Stream:
    """One stream of one phase; no character is cut in two."""

    def __init__(self, name: Literal["stdout", "stderr"], base64: bool) -> None:
        self._base64 = base64
        self._name: Literal["stdout", "stderr"] = name
        self._taken = 0
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode

    def take(self, data: bytearray, *, final: bool) -> Iterator[Event]:
        """What has been added, in pieces. ``final``: half a character at the end is one that was printed so."""
        for start in range(self._taken, len(data), CHUNK):
            yield from self._event(bytes(data[start : start + CHUNK]))
        self._taken = len(data)
        if final:
            yield from self._event(b"", final=True)

    def _event(self, data: bytes, *, final: bool = False) -> Iterator[Event]:
        if self._base64:
            if data:
                yield Event(self._name, {"base64": b64encode(data).decode()})
        elif text := self._decode(data, final):
            yield Event(self._name, {"text": text})
