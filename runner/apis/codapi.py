"""codapi's API: a request of its -> a ``Job``, a ``Result`` -> an answer of its. Pure; see codapi.md."""

import base64
import binascii
from collections.abc import Mapping
from typing import Final

import msgspec

from runner.apis.names import called, latest
from runner.errors import BadRequest, UnknownLanguage
from runner.policy.policy import Policy
from runner.runs.report import text
from runner.runs.request import decoded
from runner.runs.result import Reason, Result, Status, Verdict
from runner.sandbox.job import File, Job

CONTRACT: Final = 'The body is a JSON object: "sandbox", "command" and "files", as of codapi\'s API.'
COMMAND: Final = "run"
"""The one that every sandbox has."""


class Asked(msgspec.Struct):
    """``POST /v1/exec``; null is the same as nothing, as in Go."""

    sandbox: str | None = None
    version: str | None = None
    command: str | None = None
    files: dict[str, str] | None = None


_asked = msgspec.json.Decoder(Asked)


def parse(body: bytes, policies: Mapping[str, Policy]) -> Job:
    """The job that a body asks for, not checked yet; or a ``Refusal``."""
    asked = decoded(_asked, body, CONTRACT)
    files = asked.files or {}
    policy = _policy(asked, policies)
    if len(files) < 2 and not "".join(files.values()).strip():
        raise BadRequest("empty request")
    entry = "" if "" in files else policy.source
    if entry not in files:
        raise BadRequest('files[""]: missing')
    beside = tuple(File(name, _data(name, content)) for name, content in files.items() if name != entry)
    return Job(policy.name, _data(entry, files[entry]), (b"",), files=beside)


def _policy(asked: Asked, policies: Mapping[str, Policy]) -> Policy:
    sandbox = asked.sandbox or ""
    if not called(sandbox, policies):
        raise UnknownLanguage("unknown sandbox")
    if asked.command != COMMAND:
        raise UnknownLanguage("unknown command")
    policy = latest(sandbox, asked.version or "*", policies)
    if policy is None:
        raise UnknownLanguage("unknown version")
    return policy


def _data(name: str, content: str) -> bytes:
    """Of a text, or of a data: URL."""
    if not content.startswith("data:"):
        return content.encode()
    kind, comma, encoded = content.partition(",")
    if not comma:
        raise BadRequest(f"files[{name:.200}]: a data: URL without a comma")
    if not kind.endswith("base64"):
        return encoded.encode()
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise BadRequest(f"files[{name:.200}]: not base64") from None


def failed(detail: str, job: str = "-") -> dict[str, object]:
    """Nothing was run, or it did not end well."""
    return {"id": job, "ok": False, "duration": 0, "stdout": "", "stderr": detail}


def words(status: int, detail: str) -> tuple[int, dict[str, object]]:
    """A problem as codapi would say it: what is not there is 404, and what may go well later is 429."""
    return {422: 404, 503: 429}.get(status, status), failed(detail)


def answer(result: Result) -> dict[str, object]:
    """How a program ended: its output, or else all of it in ``stderr``, and why."""
    last = result.last
    spent = sum(each.observed.wall_time for each in (result.compiled, *result.runs) if each)
    stdout, stderr = (
        text(each.data, cut=last.observed.cut).strip() for each in (last.observed.stdout, last.observed.stderr)
    )
    ok = last.status is Status.SUCCESS
    return {
        "id": result.facts.id,
        "ok": ok,
        "duration": round(spent * 1000),
        "stdout": stdout if ok else "",
        "stderr": stderr if ok else _said(last, stdout + stderr),
    }


def _said(verdict: Verdict, output: str) -> str:
    if verdict.status is Status.TIMEOUT:
        return "code execution timeout"
    why = _why(verdict)
    return f"{output} ({why})" if output else why


def _why(verdict: Verdict) -> str:
    """As the exit of `docker run`; where the runner has ended it, in our words."""
    own = verdict.own
    if verdict.reason is Reason.OUTPUT_LIMIT:
        return "too much output"
    if own is None:
        return "the container has ended"
    return f"exit status {128 + own.signal if own.signal else own.exit_code}"
