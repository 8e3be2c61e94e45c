"""From captured bytes to events: whatever the cuts, what a watcher has read is what the result says."""

import json
from base64 import b64decode
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.runs.events import CHUNK, KEEP_ALIVE, Event, Tail, as_message, as_sse, wanted
from runner.runs.events import said as phase_words
from runner.runs.report import text
from runner.sandbox.protocol import Capture, Phase, Step
from tests.strategies import unhurried

WORDS: Final = ("é", "\U0001f600", "/tmp/main.py", "x", "\n", "\r\n", "data: ")
pieces: Final = st.lists(
    st.sampled_from([word.encode()[a:b] for word in WORDS for a, b in ((0, 1), (1, None), (0, None))])
    | st.binary(max_size=5),
    max_size=12,
)


def phase(step: Step = Step.RUN, limit: int = 10**6) -> Phase:
    """One that has written nothing."""
    return Phase(step, Capture(limit), Capture(limit))


def said(events: list[Event], name: str) -> str:
    """What was written to one stream."""
    return "".join(str(event.data["text"]) for event in events if event.name == name)


@unhurried
@given(st.lists(st.tuples(pieces, pieces, st.booleans(), st.booleans()), min_size=1, max_size=4))
def test_what_is_seen_is_what_the_result_says(runs: list[tuple[list[bytes], list[bytes], bool, bool]]) -> None:
    """Each run's stdout and stderr, however its writes and our looks are cut, and where we stop."""
    tail, phases, seen = Tail(), list[Phase](), list[list[Event]]()
    for stdout, stderr, look, cut in runs:
        phases.append(phase())
        for stream, data in [("stdout", part) for part in stdout] + [("stderr", part) for part in stderr]:
            getattr(phases[-1], stream).add(data)
            if look:
                seen.append(list(tail.take(phases)))
        phases[-1].close(cut=cut)
    events = [event for some in [*seen, list(tail.take(phases, over=True))] for event in some]
    starts = [index for index, event in enumerate(events) if event.name == "phase"]
    assert [events[index].data for index in starts] == [{"phase": "run", "run": n + 1} for n in range(len(runs))]
    for run, start, end in zip(phases, starts, [*starts[1:], len(events)], strict=True):
        assert said(events[start:end], "stdout") == text(bytes(run.stdout.data), cut=run.cut)
        assert said(events[start:end], "stderr") == text(bytes(run.stderr.data), cut=run.cut)
    assert list(tail.take(phases, over=True)) == []


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"phase": "queued"}, "waiting for a place"),
        ({"phase": "queued", "place": 7, "forecast": None}, "waiting: place 7 in the line"),
        ({"phase": "queued", "place": 7, "forecast": 1.9}, "waiting: place 7 in the line, about 2 s"),
        ({"phase": "queued", "place": 1, "forecast": 0.1}, "waiting: place 1 in the line, about 1 s"),
        ({"phase": "compile"}, "compiling"),
        ({"phase": "run", "run": 1}, "running"),
    ],
)
def test_a_phase_in_words(data: dict[str, object], words: str) -> None:
    """For a line of progress."""
    assert phase_words(data) == words


def test_output_is_told_at_once_but_for_half_a_character() -> None:
    """A character's first byte waits for its second, nothing else for anything."""
    tail, run = Tail(), phase()
    run.stdout.add(b"caf\xc3")
    run.stderr.add(b'File "/tmp/ma')
    assert list(tail.take([run])) == [
        Event("phase", {"phase": "run", "run": 1}),
        Event("stdout", {"text": "caf"}),
        Event("stderr", {"text": 'File "/tmp/ma'}),
    ]
    assert list(tail.take([run])) == []
    run.stdout.add(b"\xa9")
    run.stderr.add(b"in.py")
    assert list(tail.take([run])) == [Event("stdout", {"text": "é"}), Event("stderr", {"text": "in.py"})]


def test_the_phases_are_those_of_the_policy() -> None:
    """The compile step has no number, the runs count from 1."""
    phases = [phase(Step.COMPILE), phase(), phase()]
    assert [event.data for event in Tail().take(phases)] == [
        {"phase": "compile"},
        {"phase": "run", "run": 1},
        {"phase": "run", "run": 2},
    ]


def test_a_flood_comes_in_pieces() -> None:
    """No event has more than a chunk."""
    run = phase()
    run.stdout.add(b"x" * (3 * CHUNK + 1))
    sizes = [len(str(event.data["text"])) for event in Tail().take([run]) if event.name == "stdout"]
    assert sizes == [CHUNK, CHUNK, CHUNK, 1]


def test_a_closed_capture_keeps_no_more() -> None:
    """What comes after the verdict is counted only: a watcher never sees more than the result has."""
    capture = Capture(10)
    capture.add(b"abc")
    capture.close()
    capture.add(b"def")
    assert (bytes(capture.data), capture.dropped) == (b"abc", 3)


@unhurried
@given(st.lists(st.binary(max_size=50), max_size=5))
def test_output_in_base64_is_exact(pieces: list[bytes]) -> None:
    """However it comes: each event has whole bytes of its own."""
    phase, tail = Phase(Step.RUN, Capture(10**6), Capture(10**6)), Tail(base64=True)
    seen = []
    for piece in pieces:
        phase.stdout.add(piece)
        seen += list(tail.take([phase]))
    seen += list(tail.take([phase], over=True))
    written = [b64decode(str(event.data["base64"])) for event in seen if event.name == "stdout"]
    assert b"".join(written) == b"".join(pieces)


json_text: Final = st.text(st.characters(exclude_categories=["Cs"]))


@unhurried
@given(json_text)
def test_an_event_is_three_lines_whatever_is_in_it(written: str) -> None:
    """A program cannot print an event: its line breaks are escaped."""
    sent = as_sse(Event("stdout", {"text": written}))
    name, data, *rest = sent.split(b"\n")
    assert (name, rest) == (b"event: stdout", [b"", b""])
    assert b"\r" not in data
    assert json.loads(data.removeprefix(b"data: ")) == {"text": written}


def test_the_formats() -> None:
    """As the contract has them."""
    event = Event("phase", {"phase": "run", "run": 1})
    assert as_sse(event) == b'event: phase\ndata: {"phase":"run","run":1}\n\n'
    assert as_message(event) == '{"event":"phase","data":{"phase":"run","run":1}}'
    assert as_sse(None) == KEEP_ALIVE
    assert KEEP_ALIVE.startswith(b":")


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("text/event-stream", True),
        ("TEXT/Event-Stream ; q=0.5", True),
        ("application/json, text/event-stream", True),
        ("text/event-stream;charset=utf-8", True),
        ("text/event-stream;q=0", False),
        ("text/event-stream; q=0.00", False),
        ("text/event-stream;q=0.01", True),
        ("text/event-streams", False),
        ("text/*", False),
        ("*/*", False),
        ("application/json", False),
        ("", False),
    ],
)
def test_events_are_sent_to_whom_asks_for_them(accept: str, expected: bool) -> None:
    """By name."""
    assert wanted(accept) is expected
