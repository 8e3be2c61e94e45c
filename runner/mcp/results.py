"""What a call of a tool brings back, as the protocol's ``CallToolResult``. Pure.

There is no ``structuredContent``: widespread hosts hand a model that in the place of the content, pictures and all. The
report of a run is in ``_meta``, which is for programs.
"""

from base64 import b64decode
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote

from runner.mcp import words
from runner.policy.policy import Policy

META: Final = "code-runner/report"
"""The key of the report in ``_meta``."""
_PICTURES: Final = (
    (b"\x89PNG\r\n\x1a\n", b"", "image/png"),
    (b"\xff\xd8\xff", b"", "image/jpeg"),
    (b"GIF87a", b"", "image/gif"),
    (b"GIF89a", b"", "image/gif"),
    (b"RIFF", b"WEBP", "image/webp"),
)
"""How they begin, and what WebP has at its ninth byte."""

Block = dict[str, Any]


def run(report: Mapping[str, Any], policy: Policy) -> dict[str, Any]:
    """Of a program that was run, however it ended: that is no error of the call. ``report``: ``POST /run``'s answer."""
    files = report["files"]
    content = [
        text(_summary(report, policy)),
        *_outputs(report),
        *(_block(each, report["id"], policy) for each in files),
    ]
    bare = [{key: value for key, value in each.items() if key != "content"} for each in files]
    return {"content": content, "isError": False, "_meta": {META: {**report, "files": bare}}}


def refusal(said: str) -> dict[str, Any]:
    """Of a program that was not run: what was wrong, and what to do."""
    return {"content": [text(said)], "isError": True}


def text(said: str) -> Block:
    """A block of text."""
    return {"type": "text", "text": said}


def _summary(report: Mapping[str, Any], policy: Policy) -> str:
    """How it ended, and what is to be known of the blocks that follow."""
    times, cut = report["times"], [name for name, was in report["truncated"].items() if was]
    took = "" if times["wall"] is None else f" It ran for {words.seconds(times['wall'])}."
    said = [f"{words.ending(report, policy)}.{took}", *words.reached(report, policy)]
    if cut:
        said.append(f"Only the beginning of {' and '.join(cut)} was kept.")
    if not (report["stdout"] or report["stderr"]):
        said.append("It printed nothing.")
    if report["files"]:
        named = ", ".join(f"{each['name']!r} ({words.size(each['size'])})" for each in report["files"])
        said.append(f"It left in {policy.results}: {named}.")
    return " ".join(said)


def _outputs(report: Mapping[str, Any]) -> Iterator[Block]:
    """What was written, each stream by its name."""
    compiling = report["reason"].startswith("compile_")
    for key, name in (("stdout", "stdout"), ("stderr", "stderr"), ("compile_output", "compiler")):
        if written := report[key]:
            yield text(f"{'compiler' if compiling else name}:\n{written}")


def _block(file: Mapping[str, Any], job: str, policy: Policy) -> Block:
    """A file that was left: a picture, text, or else a resource of bytes.

    A picture is one by its first bytes: a host may fail for good on what only has the name of one.
    """
    content, name = file["content"], file["name"]
    if isinstance(content, str):
        return text(f"{policy.results}/{name}:\n{content}")
    data: str = content["base64"]
    if kind := picture(b64decode(data)):
        return {"type": "image", "data": data, "mimeType": kind}
    address = f"code-runner://{job}/{policy.results}/{quote(name)}"
    return {"type": "resource", "resource": {"uri": address, "mimeType": file["type"], "blob": data}}


def picture(data: bytes) -> str | None:
    """The media type of a picture that models are shown; None where it is none."""
    found = (kind for start, later, kind in _PICTURES if data.startswith(start) and data[8:12].startswith(later))
    return next(found, None)
