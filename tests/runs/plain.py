"""The same program without the server: by hand, in the same image, with the policy's own `docker run` lines."""

import subprocess
from dataclasses import dataclass

from runner.policy import argv
from runner.policy.policy import Policy
from tests.harness import ROOT

UID = 1_899_999_999  # below those that servers give out

# A shell says itself what killed a program; Perl does not.
START = "system @ARGV; exit($? & 127 ? 128 + ($? & 127) : $? >> 8)"


@dataclass(frozen=True)
class Plain:
    """What came back."""

    code: int
    stdout: str
    stderr: str


def command(policy: Policy, size: int, build: tuple[str, ...]) -> tuple[str, ...]:
    """Stdin is a source of that size and the input: the one is compiled, the other is the program's."""
    full = argv.run(policy, "plain", UID, "plain")
    own = full[: full.index(policy.image) + 1]
    lines = (word for word in own if not word.startswith(("--name=", "--label=")))
    script = f'head -c {size} >{policy.source}; cat >input; {_words(build or (":",))} && exec perl -e "$0" "$@" <input'
    return (*lines, "sh", "-c", script, START, *policy.run)


def run(policy: Policy, code: str, input: str = "", build: tuple[str, ...] | None = None) -> Plain:
    """Runs the policy's steps, or another one in the place of the first."""
    source = code.encode()
    words = command(policy, len(source), policy.compile if build is None else build)
    sent = source + input.encode()
    ended = subprocess.run(words, cwd=ROOT, input=sent, capture_output=True, timeout=60, check=False)
    return Plain(ended.returncode, ended.stdout.decode(errors="replace"), ended.stderr.decode(errors="replace"))


def _words(step: tuple[str, ...]) -> str:
    return " ".join(f"'{word}'" for word in step)
