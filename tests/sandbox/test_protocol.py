"""The framing: what goes in comes out, byte for byte, however the streams are cut, and no program can end a step."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from runner.sandbox.protocol import (
    NONCE_SIZE,
    READY,
    Capture,
    Ending,
    Phase,
    Step,
    Stream,
    Tokens,
    Transcript,
    message,
)
from tests.strategies import cuts, unhurried

NONCE: Final = b"9f86d081884c7d659a2feaa0c55ad015"
OTHER: Final = b"a3bf4f1b2b0b822cd15d6c15b0f00a08"
COMPLETED: Final = Ending(
    exit_code=0, signal=None, wall_time=0.002, cpu_time=0.001234, peak_memory=4096, oom_kills=0, reached=()
)
SILENT: Final = b" wall=2000 cpu= peak= oom= results=0 reached="


FIGURES: Final = b"wall=1 cpu=1 peak=1 oom=0 results=0 reached="
GOOD: Final = b"status=0 wall=2000 cpu=1234 peak=4096 oom=0 results=0 reached="


def mark(step: Step, fields: bytes = GOOD, nonce: bytes = NONCE) -> bytes:
    """The line that the launcher writes on both streams after a step."""
    return b"%s %s %s\n" % (nonce, step.value.encode(), fields)


# Towards the launcher


@given(st.integers(0, 2**40))
def test_the_head_has_its_size_whatever_the_number(size: int) -> None:
    """The launcher reads 24 bytes before it knows anything."""

    class Huge(bytes):
        def __len__(self) -> int:
            return size

    assert message("source", Huge())[:24] == b"source %16d\n" % size


def test_the_frames_are_these() -> None:
    """The format, spelt out."""
    assert message("source", b"print(1)") == b"source                8\nprint(1)"
    assert message("stop", b"2") == b"stop                  1\n2"


# From the launcher: output


@dataclass(frozen=True)
class Said:
    """What one step wrote."""

    step: Step
    stdout: bytes
    stderr: bytes


_pieces: Final = st.one_of(
    st.binary(max_size=40),
    st.sampled_from(
        [
            *(
                READY,
                b"\n",
                b" ",
                b"\x00",
                "é€😀".encode(),
                mark(Step.RUN, nonce=OTHER),
                mark(Step.COMPILE, nonce=OTHER),
            ),
            *(
                OTHER,
                b"run status=0 " + FIGURES + b"\n",
                b" run status=0 " + FIGURES + b"\n",
            ),
        ]
    ),
    st.integers(1, NONCE_SIZE - 1).map(lambda n: NONCE[:n]),
    st.integers(1, NONCE_SIZE - 1).map(lambda n: NONCE[n:]),
    st.integers(1, NONCE_SIZE - 1).map(lambda n: NONCE[:n] + b"\n" + mark(Step.RUN)[n:]),
)
program_output: Final = (
    st.lists(_pieces, max_size=8).map(b"".join).filter(lambda data: (data + NONCE).find(NONCE) == len(data))
)
"""Anything, and above all what looks like the launcher's hand; but not the secret itself."""


def _both(step: Step) -> st.SearchStrategy[Said]:
    return st.builds(Said, st.just(step), program_output, program_output)


scripts: Final = st.tuples(
    st.lists(_both(Step.COMPILE), max_size=1), st.lists(_both(Step.RUN), min_size=1, max_size=4)
).map(lambda steps: (*steps[0], *steps[1]))
"""Perhaps a compile step, then one or more runs."""


@st.composite
def feeds(draw: st.DrawFn, stdout: bytes, stderr: bytes) -> list[tuple[Stream, bytes]]:
    """Both streams, each in pieces, in any order that keeps each stream's own."""
    pieces: dict[Stream, list[bytes]] = {"stdout": draw(cuts(stdout)), "stderr": draw(cuts(stderr))}
    names: list[Stream] = [stream for stream, its in pieces.items() for _ in its]
    return [(stream, pieces[stream].pop(0)) for stream in draw(st.permutations(names))]


def listen(steps: Sequence[Step], fed: Sequence[tuple[Stream, bytes]], limit: int = 10**6) -> Transcript:
    """A transcript that has heard all this."""
    transcript = Transcript(NONCE, [step for step in steps if step is Step.COMPILE] + [Step.RUN], limit)
    transcript.expect_runs(sum(step is Step.RUN for step in steps) - 1)
    for stream, data in fed:
        transcript.feed(stream, data)
    return transcript


def kept(data: bytes, limit: int) -> Capture:
    """What is kept of an output."""
    return Capture(limit, bytearray(data[:limit]), max(0, len(data) - limit))


@unhurried
@given(st.data(), scripts, st.sampled_from([0, 1, 7, 100, 10**6]), program_output)
def test_output_comes_out_exactly_however_it_is_cut(
    data: st.DataObject, script: tuple[Said, ...], limit: int, engine: bytes
) -> None:
    """Every byte of both streams is in its step, up to the limit, and the rest is counted; nothing forges an end."""
    assume(READY not in engine and (engine + READY).find(READY) == len(engine))
    stdout = b"".join(said.stdout + mark(said.step) for said in script)
    stderr = engine + READY + b"".join(said.stderr + mark(said.step) for said in script)
    transcript = listen([said.step for said in script], data.draw(feeds(stdout, stderr)), limit)
    assert transcript.phases == [
        Phase(said.step, kept(said.stdout, limit), kept(said.stderr, limit), COMPLETED) for said in script
    ]
    assert transcript.engine_text == kept(engine, limit)
    assert (transcript.ready, transcript.over) == (True, True)


@unhurried
@given(st.data(), scripts)
def test_streams_that_end_without_a_mark_keep_what_was_written(data: st.DataObject, script: tuple[Said, ...]) -> None:
    """A container that dies in its last step: all its output is there, also what looked like a mark's beginning."""
    *before, last = script
    stdout = b"".join(said.stdout + mark(said.step) for said in before) + last.stdout
    stderr = READY + b"".join(said.stderr + mark(said.step) for said in before) + last.stderr
    ends: list[tuple[Stream, bytes]] = [("stdout", b""), ("stderr", b"")]
    transcript = listen([said.step for said in script], data.draw(feeds(stdout, stderr)) + ends)
    limit = 10**6
    assert transcript.phases == [
        *(Phase(said.step, kept(said.stdout, limit), kept(said.stderr, limit), COMPLETED) for said in before),
        Phase(last.step, kept(last.stdout, limit), kept(last.stderr, limit), None),
    ]
    assert not transcript.over


@unhurried
@given(st.data(), st.lists(st.tuples(program_output, st.binary()), min_size=1, max_size=4))
def test_results_come_out_exactly_however_they_are_cut(data: st.DataObject, runs: list[tuple[bytes, bytes]]) -> None:
    """What follows the mark of a run on stdout is its results, whatever is in them, and then the next run's output."""

    def sized(sent: bytes) -> bytes:
        return mark(Step.RUN, GOOD.replace(b"results=0", b"results=%d" % len(sent)))

    stdout = b"".join(said + sized(sent) + sent for said, sent in runs)
    stderr = READY + b"".join(sized(sent) for _, sent in runs)
    transcript = Transcript(NONCE, [Step.RUN], 10**6, results=100)
    transcript.expect_runs(len(runs) - 1)
    whole = data.draw(feeds(stdout, stderr))
    for stream, piece in whole[:-1]:
        transcript.feed(stream, piece)
    assert not transcript.over
    transcript.feed(*whole[-1])
    assert [(bytes(phase.stdout.data), bytes(phase.results)) for phase in transcript.phases] == runs
    assert transcript.over


def test_more_results_than_may_come_are_not_believed() -> None:
    """The launcher does not send more than the policy's numbers: it is another hand."""
    sent = mark(Step.RUN, GOOD.replace(b"results=0", b"results=11")) + b"x" * 11
    transcript = Transcript(NONCE, [Step.RUN], 100, results=10)
    transcript.feed("stderr", READY + sent)
    transcript.feed("stdout", sent)
    assert (transcript.phases[0].ending, bytes(transcript.phases[0].results)) == (None, b"")


@unhurried
@given(st.data(), scripts, st.binary())
def test_what_comes_after_the_last_mark_is_ignored(data: st.DataObject, script: tuple[Said, ...], more: bytes) -> None:
    """A process that outlived its program has nothing to add, not even another mark."""
    stdout = b"".join(said.stdout + mark(said.step) for said in script)
    stderr = READY + b"".join(said.stderr + mark(said.step) for said in script)
    steps = [said.step for said in script]
    expected = listen(steps, [("stdout", stdout), ("stderr", stderr)]).phases
    late = more + mark(Step.RUN, b"status=256" + SILENT) + more
    assert listen(steps, data.draw(feeds(stdout + late, stderr + late))).phases == expected


@unhurried
@given(st.data(), program_output)
def test_before_ready_stderr_is_the_engines(data: st.DataObject, engine: bytes) -> None:
    """Docker's own words never reach a program's output, also when the launcher never comes."""
    assume(READY not in engine)
    transcript = listen([Step.RUN], [*data.draw(feeds(b"", engine)), ("stderr", b"")])
    assert transcript.engine_text == kept(engine, 10**6)
    assert transcript.phases == [Phase(Step.RUN, kept(b"", 10**6), kept(b"", 10**6), None)]
    assert not transcript.ready


def test_ready_is_one_whole_line() -> None:
    """Ready when the last byte of the line is there, not before."""
    transcript = Transcript(NONCE, [Step.RUN], 100)
    seen = []
    for byte in READY:
        transcript.feed("stderr", bytes([byte]))
        seen.append(transcript.ready)
    assert seen == [False] * (len(READY) - 1) + [True]


# From the launcher: endings


@unhurried
@given(st.data(), program_output, program_output, st.sampled_from(["stdout", "stderr"]))
def test_a_mark_on_one_stream_does_not_end_a_step(
    data: st.DataObject, stdout: bytes, stderr: bytes, stream: Stream
) -> None:
    """A step is over when both streams say so: until then the other may still bring output."""
    end = mark(Step.RUN)
    out, err = (stdout + end, stderr) if stream == "stdout" else (stdout, stderr + end)
    transcript = listen([Step.RUN], data.draw(feeds(out, READY + err)))
    assert (transcript.phases[0].ending, transcript.over) == (None, False)
    transcript.feed("stderr" if stream == "stdout" else "stdout", end)
    limit = 10**6
    assert transcript.phases == [Phase(Step.RUN, kept(stdout, limit), kept(stderr, limit), COMPLETED)]


def test_two_marks_that_differ_are_no_ending() -> None:
    """Both streams tell the same story or none."""
    first, second = mark(Step.RUN), mark(Step.RUN, b"status=256 wall=2000 cpu=1234 peak=4096 oom=0 results=0 reached=")
    assert listen([Step.RUN], [("stdout", first), ("stderr", READY + second)]).phases[0].ending is None


@unhurried
@given(
    exit_code=st.integers(0, 255),
    wall=st.integers(0, 10**15 - 1),
    cpu=st.one_of(st.none(), st.integers(0, 2**62)),
    peak=st.one_of(st.none(), st.integers(0, 2**62)),
    oom=st.one_of(st.none(), st.integers(0, 64)),
    reached=st.lists(st.sampled_from(["pids", "memory", "tmpfs", "shm", "cpu"]), unique=True),
)
def test_an_exit_code_and_figures_are_read(
    exit_code: int, wall: int, cpu: int | None, peak: int | None, oom: int | None, reached: list[str]
) -> None:
    """The wait status's upper byte is the exit code; what the cgroup does not tell is None, not 0."""
    text = tuple(b"" if value is None else b"%d" % value for value in (cpu, peak, oom))
    figures = b"status=%d wall=%d " % (exit_code << 8, wall) + b"cpu=%s peak=%s oom=%s " % text
    end = mark(Step.RUN, figures + b"results=0 reached=" + ",".join(reached).encode())
    expected = Ending(exit_code, None, wall / 1e6, None if cpu is None else cpu / 1e6, peak, oom, tuple(reached))
    assert listen([Step.RUN], [("stdout", end), ("stderr", READY + end)]).phases[0].ending == expected


@pytest.mark.parametrize("core", [0, 128])
@pytest.mark.parametrize("number", [1, 6, 9, 11, 15, 31, 64])
def test_a_signal_is_read(number: int, core: int) -> None:
    """A program that a signal ended has no exit code; whether it dumped core does not matter."""
    end = mark(Step.RUN, b"status=%d" % (number | core) + SILENT)
    ending = listen([Step.RUN], [("stdout", end), ("stderr", READY + end)]).phases[0].ending
    assert ending == Ending(None, number, 0.002, None, None, None, ())


@pytest.mark.parametrize("status", [256, 9])
def test_a_failed_compile_step_is_the_last(status: int) -> None:
    """Nothing is run that was not compiled."""
    end = mark(Step.COMPILE, b"status=%d" % status + SILENT)
    transcript = listen([Step.COMPILE, Step.RUN], [("stdout", end), ("stderr", READY + end)])
    assert [phase.ending is None for phase in transcript.phases] == [False, True]
    assert transcript.over


def test_a_compile_step_that_succeeded_is_followed() -> None:
    """It is not over before the run is."""
    end = mark(Step.COMPILE)
    assert not listen([Step.COMPILE, Step.RUN], [("stdout", end), ("stderr", READY + end)]).over


def test_a_run_that_failed_is_followed() -> None:
    """Of several runs each has its ending; the last one ends it all."""
    first, second = mark(Step.RUN, b"status=256" + SILENT), mark(Step.RUN)
    transcript = listen([Step.RUN, Step.RUN], [("stdout", first), ("stderr", READY + first)])
    assert not transcript.over
    transcript.feed("stdout", second)
    transcript.feed("stderr", second)
    assert [phase.ending for phase in transcript.phases] == [Ending(1, None, 0.002, None, None, None, ()), COMPLETED]
    assert transcript.over


MALFORMED: Final = (
    b"",
    b"\r",
    b" run",
    b" run status=",
    b" run status=0",
    b" run status= wall=1 cpu=1 peak=1 oom=0 results=0 reached=",
    b" run status=-1 wall=1 cpu=1 peak=1 oom=0 results=0 reached=",
    b" run status=0 wall= cpu=1 peak=1 oom=0 results=0 reached=",
    b" run status=0 wall=1 cpu=1 peak=1 oom=0 results=0 reached= ",
    b" run status=0 wall=1 cpu=1 peak=1 oom=0 results=0 reached=\r",
    b" run status=0 wall=1 cpu=1 peak=1 oom=0 results=0 reached=PIDS",
    b" run status=0 wall=1 cpu=1 peak=1 oom=0",
    b" run status=0 wall=1 cpu=1 peak=1 oom=0 results=0 reached= more=1",
    b" run status=0 wall=1 cpu=1.5 peak=1 oom=0 results=0 reached=",
    b" run status=0 wall=1  cpu=1 peak=1 oom=0 results=0 reached=",
    b" run status=0 wall=1 peak=1 cpu=1 oom=0 results=0 reached=",
    b" run status=0x0 wall=1 cpu=1 peak=1 oom=0 results=0 reached=",
    b"run status=0 wall=1 cpu=1 peak=1 oom=0 results=0 reached=",
    b" RUN status=0 wall=1 cpu=1 peak=1 oom=0 results=0 reached=",
    b" compile status=0 wall=1 cpu=1 peak=1 oom=0 results=0 reached=",
)


@unhurried
@given(st.data(), st.one_of(st.sampled_from(MALFORMED), st.binary(max_size=600)), program_output)
def test_a_malformed_mark_is_no_ending_and_nothing_after_it_is_believed(
    data: st.DataObject, bad: bytes, output: bytes
) -> None:
    """Whoever wrote that is not the launcher: no verdict, and what follows is not the program's."""
    bad = bad.replace(b"\n", b"").replace(NONCE, b"")
    assume(not re.fullmatch(rb" run status=\d+ wall=\d+ cpu=\d* peak=\d* oom=\d* reached=[a-z,]*", bad))
    sent = output + NONCE + bad + b"\n" + b"more" + mark(Step.RUN)
    transcript = listen([Step.RUN], data.draw(feeds(sent, READY + sent)))
    limit = 10**6
    assert transcript.phases == [Phase(Step.RUN, kept(output, limit), kept(output, limit), None)]
    assert not transcript.over


@pytest.mark.parametrize("size", [400, 513, 5000, 70_000])
def test_a_long_mark_means_the_same_however_it_is_cut(size: int) -> None:
    """The answer is the streams', not the chunks'; and no length of a number is an error of ours."""
    end = mark(Step.RUN, b"status=" + b"0" * size + SILENT)
    whole = listen([Step.RUN], [("stdout", end), ("stderr", READY + end)])
    cut: list[tuple[Stream, bytes]] = [("stderr", READY)]
    for at in range(0, len(end), 7):
        cut += [("stdout", end[at : at + 7]), ("stderr", end[at : at + 7])]
    assert whole.phases == listen([Step.RUN], cut).phases


@pytest.mark.parametrize("nonce", [OTHER, NONCE[:-1] + b"0", NONCE.upper(), b"0" + NONCE[1:], NONCE[::-1]])
def test_a_mark_of_another_nonce_is_output(nonce: bytes) -> None:
    """Without the secret a mark is what it is: something that a program printed."""
    said = mark(Step.RUN, nonce=nonce)
    transcript = listen([Step.RUN], [("stdout", said), ("stderr", READY + said)])
    assert transcript.phases == [Phase(Step.RUN, kept(said, 10**6), kept(said, 10**6), None)]


def test_a_mark_needs_no_line_of_its_own() -> None:
    """A program's last line may lack its newline."""
    sent = b"no newline" + mark(Step.RUN)
    transcript = listen([Step.RUN], [("stdout", sent), ("stderr", READY + sent)])
    assert (bytes(transcript.phases[0].stdout.data), transcript.phases[0].ending) == (b"no newline", COMPLETED)


def test_output_is_known_before_the_step_ends() -> None:
    """What was written counts at once, so that a flood can be stopped."""
    transcript = Transcript(NONCE, [Step.RUN], 4)
    transcript.feed("stdout", b"1234")
    before = transcript.phases[0].overflowed
    transcript.feed("stdout", b"5")
    assert (before, transcript.phases[0].overflowed) == (False, True)


# The parts


@unhurried
@given(st.lists(st.binary(max_size=20)), st.integers(0, 60))
def test_a_capture_keeps_the_first_bytes_and_counts_the_rest(pieces: list[bytes], limit: int) -> None:
    """However the pieces come: kept and dropped are all there was."""
    capture = Capture(limit)
    for piece in pieces:
        capture.add(piece)
    assert capture == kept(b"".join(pieces), limit)


@unhurried
@given(st.data(), st.sampled_from([b"ab", b"aab", b"abab", NONCE, READY]), st.integers(0, 30))
def test_a_token_is_found_however_it_is_cut(data: st.DataObject, token: bytes, size: int) -> None:
    """Before and after the first occurrence, as if the stream had come in one piece."""
    letters = st.sampled_from([token[:1], token[1:2], token[:-1], token[1:], token, b"x"])
    stream = b"".join(data.draw(st.lists(letters, min_size=size, max_size=size)))
    tokens = Tokens(token)
    before, after = b"", None
    for piece in data.draw(cuts(stream)):
        if after is not None:
            after += piece
            continue
        out, after = tokens.feed(piece)
        before += out
    expected, found, rest = stream.partition(token)
    assert (before + tokens.rest(), after) == (expected, rest if found else None)


@unhurried
@given(st.data(), st.sampled_from([b"ab", b"aab", NONCE]))
def test_only_what_may_be_a_tokens_beginning_is_held_back(data: st.DataObject, token: bytes) -> None:
    """Output is not delayed without need: what is held back is a beginning of the token, never more."""
    stream = data.draw(st.lists(st.sampled_from([token[:1], token[:-1], b"x"])).map(b"".join))
    assume(token not in stream)
    tokens, out = Tokens(token), b""
    for piece in data.draw(cuts(stream)):
        out += tokens.feed(piece)[0]
    held = tokens.rest()
    assert out + held == stream
    assert token.startswith(held)
    assert len(held) < len(token)
    assert tokens.rest() == b""
