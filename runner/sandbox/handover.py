"""A job as the launcher is told it, and the files that it sends back: what goes in-band beside the steps. Pure."""

from collections.abc import Iterable

from runner.sandbox.job import File, Job
from runner.sandbox.protocol import RESULT_HEAD, message


def hand_over(nonce: bytes, job: Job, *, stays: bool = False) -> bytes:
    """What the launcher gets first, up to the first run; further inputs follow.

    ``stays``: after the last run it waits for the end of its stdin. It remembers what the first run finds, for the next
    one: so that is not for what a compiler has made.
    """
    microseconds = round((job.narrowed.cpu_time or 0) * 1e6)
    return b"".join(
        (
            nonce + b"\n",
            *(message("file", file.name.encode() + b"\0" + file.data) for file in job.files),
            message("args", _items(job.args)),
            message("flags", _items(job.compile_args)),
            message("env", _items(name.encode() + b"=" + value for name, value in job.env)),
            message("limits", b"%d %d" % (microseconds, job.narrowed.memory or 0)),
            message("again") if stays or len(job.inputs) > 1 else b"",
            message("source", job.source),
            _first_run(job),
        )
    )


def _items(items: Iterable[bytes]) -> bytes:
    return b"".join(item + b"\0" for item in items)


def _first_run(job: Job) -> bytes:
    if job.terminal is None:
        return message("input", job.inputs[0])
    size = b"%d %d" % job.terminal + (b" plain" if job.plain else b"")
    return message("live", size) + message("type", job.inputs[0])


def results(sent: bytes) -> tuple[File, ...]:
    """The files of a run, as the launcher sends them; a name that is not UTF-8 gets U+FFFD for what is not."""
    found = []
    while sent:
        name, size = int(sent[:8]), int(sent[8:24])
        begin = RESULT_HEAD + name
        found.append(File(sent[RESULT_HEAD:begin].decode(errors="replace"), sent[begin : begin + size]))
        sent = sent[begin + size :]
    return tuple(found)
