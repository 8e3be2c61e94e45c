"""Programs as their authors ran them: ``python3 main.py < input``, ``g++ ... && ./main < input``.

In the same image, with the same lines of the policy, but without the launcher and the server; one container for all.
"""

import base64
import shlex
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

from runner.policy import argv, configuration
from runner.sandbox import names, uids
from tests.harness import ROOT

# A shell says itself what killed a program; Perl does not.
START = "system @ARGV; exit($? & 127 ? 128 + ($? & 127) : $? >> 8)"
STEP = """
cd /tmp; find . -mindepth 1 -delete; mkdir {results}
echo {source} | base64 -d >{file}; echo {data} | base64 -d >/dev/shm/input
{{ {compile}perl -e '{start}' {run} </dev/shm/input; }} >/dev/shm/out 2>/dev/shm/err; code=$?
echo "$(base64 -w0 /dev/shm/out)" "$(base64 -w0 /dev/shm/err)" $code
"""


@dataclass(frozen=True)
class Ended:
    """How one ended there."""

    stdout: bytes
    stderr: bytes
    code: int
    """128 and its number for a signal."""


def run(language: str, *programs: tuple[str, str], command: Sequence[str] = ()) -> list[Ended]:
    """What each source prints for its input; ``command``: instead of the policy's `run` line."""
    policy = configuration.load(ROOT / "policies").policies[language]
    words = argv.run(policy, names.new(), uids.Uids().take(), "plain")
    compiling = f"{shlex.join(policy.compile)} </dev/null && " if policy.compile else ""
    script = "".join(
        STEP.format(
            source=shlex.quote(_packed(source)),
            data=shlex.quote(_packed(data)),
            file=policy.source,
            results=policy.results,
            compile=compiling,
            start=START,
            run=shlex.join(command or policy.run),
        )
        for source, data in programs
    )
    plain = (*words[: words.index(policy.image) + 1], "sh")
    done = subprocess.run(plain, input=script.encode(), cwd=ROOT, capture_output=True, timeout=90, check=True)
    assert done.stderr == b""
    lines = (line.split(b" ") for line in done.stdout.splitlines())
    return [Ended(base64.b64decode(out), base64.b64decode(err), int(code)) for out, err, code in lines]


def _packed(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
