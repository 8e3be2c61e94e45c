"""A policy for people and programs to read: its command, and for each flag what it stops and who asks for it. Pure."""

import shlex
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from runner.policy import argv
from runner.policy.flags import BENCHMARKS, FLAGS, SECCOMP
from runner.policy.policy import Policy
from runner.policy.rules import name_of


def policy(read: Policy, instance: str) -> dict[str, Any]:
    """Everything that is said of a policy; the command has a placeholder for each run's own name and uid."""
    return {
        "language": read.name,
        "title": read.title,
        "digest": f"sha256:{read.digest}",
        "profile": f"sha256:{read.profile}" if read.profile else None,
        "image": read.image,
        "command": list(argv.run(read, argv.NAME_PLACEHOLDER, argv.UID_PLACEHOLDER, instance)),
        "flags": [flag(line) for line in read.docker_run],
        "benchmarks": BENCHMARKS,
        "limits": asdict(read.limits),
        "waivers": dict(read.waivers),
    }


def flag(line: str) -> dict[str, str]:
    """One line of ``docker run``."""
    row = SECCOMP if line.startswith(f"{SECCOMP.example}=") else FLAGS[name_of(line)]
    return {"line": line, "name": row.name, "why": row.why, "without": row.without, "sources": row.sources}


def text(read: Policy, instance: str) -> Iterator[str]:
    """The same for a person: the command, one argument a line, with the reasons below each flag."""
    said = policy(read, instance)
    reasons = {each["line"]: each for each in said["flags"]}
    yield f"# {said['title']}: policy {said['digest']}, seccomp profile {said['profile']}"
    yield f"# {BENCHMARKS}"
    for word in said["command"]:
        yield word
        if word in reasons:
            each = reasons[word]
            yield f"    for:     {each['why']}"
            yield f"    without: {each['without']}"
            if each["sources"]:
                yield f"    asked:   {each['sources']}"


def shell(read: Policy, name: str, uid: int) -> str:
    """The same for a shell, in the folder where the server is started: runs the file that the policy calls source."""
    source = shlex.quote(read.source)
    head = "printf '%-7s%16d\\n'"
    program = f"{{ echo {'0' * 32}; {head} source $(wc -c <{source}); cat {source}; {head} input 0; {head} end 0; }}"
    return f"{program} | {shlex.join(argv.run(read, name, uid, 'shown'))}"
