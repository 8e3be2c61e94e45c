"""What the launcher is told of a job, and the files that it sends back: any bytes, exactly."""

import re

from hypothesis import given
from hypothesis import strategies as st

from runner.sandbox.handover import hand_over, results
from runner.sandbox.job import File, Job, Narrowed
from tests.strategies import unhurried

NONCE = b"9f86d081884c7d659a2feaa0c55ad015"
words = st.binary(max_size=20).map(lambda data: data.replace(b"\0", b"x"))
names = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=20)
variables = st.tuples(st.from_regex(r"[A-Za-z_]\w{0,5}", fullmatch=True).filter(str.isascii), words)
jobs = st.builds(
    Job,
    st.just("python"),
    st.binary(),
    st.lists(st.binary(), min_size=1, max_size=3).map(tuple),
    terminal=st.none() | st.tuples(st.integers(1, 1000), st.integers(1, 1000)),
    plain=st.booleans(),
    files=st.lists(st.builds(File, names, st.binary()), max_size=3).map(tuple),
    args=st.lists(words, max_size=3).map(tuple),
    compile_args=st.lists(words, max_size=3).map(tuple),
    env=st.lists(variables, max_size=3).map(tuple),
    narrowed=st.builds(
        Narrowed,
        cpu_time=st.none() | st.integers(1, 10**9).map(lambda us: us / 1e6),
        memory=st.none() | st.integers(1, 2**40),
    ),
)


def launcher_reads(stdin: bytes) -> tuple[bytes, list[tuple[str, bytes]]]:
    """The launcher's side, in Python: the nonce, and each message's kind and data."""
    nonce, rest = stdin[:33], stdin[33:]
    messages = []
    while rest:
        head = re.fullmatch(rb"(\w+) +(\d+)\n", rest[:24])
        assert head is not None
        messages.append((head[1].decode(), rest[24 : 24 + int(head[2])]))
        rest = rest[24 + int(head[2]) :]
    return nonce, messages


@unhurried
@given(jobs, st.booleans())
def test_the_launcher_gets_what_was_sent(job: Job, stays: bool) -> None:
    """Files, items and limits before the source, and then the first run: NUL, newlines and all."""
    nonce, messages = launcher_reads(hand_over(NONCE, job, stays=stays))
    assert nonce == NONCE + b"\n"
    files = [tuple(data.split(b"\0", 1)) for kind, data in messages if kind == "file"]
    assert files == [(file.name.encode(), file.data) for file in job.files]
    told = dict(messages)
    assert told["args"].split(b"\0") == [*job.args, b""]
    assert told["flags"].split(b"\0") == [*job.compile_args, b""]
    assert told["env"].split(b"\0") == [*(name.encode() + b"=" + value for name, value in job.env), b""]
    cpu, memory = map(int, told["limits"].split())
    assert (cpu / 1e6 or None, memory or None) == (job.narrowed.cpu_time, job.narrowed.memory)
    last = [kind for kind, _ in messages[messages.index(("source", job.source)) :]]
    assert last == (["source", "live", "type"] if job.terminal else ["source", "input"])
    assert ("again" in told) == (stays or len(job.inputs) > 1)
    if job.terminal:
        assert told["live"].decode().split() == [*map(str, job.terminal), *(["plain"] if job.plain else [])]
    assert told["type" if job.terminal else "input"] == job.inputs[0]


@unhurried
@given(st.lists(st.builds(File, names, st.binary())))
def test_results_are_what_was_sent(files: list[File]) -> None:
    """Empty ones, and such as look like the head of another."""
    sent = b"".join(b"%8d%16d\n%s%s" % (len(f.name.encode()), len(f.data), f.name.encode(), f.data) for f in files)
    assert list(results(sent)) == files


def test_a_name_that_is_no_text_can_be_told() -> None:
    """A program may call its files whatever Linux allows."""
    assert results(b"%8d%16d\n" % (2, 1) + b"\xffaX") == (File("\ufffda", b"X"),)
