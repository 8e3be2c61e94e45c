"""The project where everything takes longer: its own bounds in seconds, so many times as long. Pure."""

import io
import re
import tarfile

BOUND = re.compile(r"(?m)^([A-Z]+_TIME(?:: Final)? = )([\d.]+)$")
"""In a module: what the engine, a client or a container may take."""
PROBE = re.compile(r"(\bwall_time=)([\d.]+)")
"""In argv.py: what `verify` asks its container."""
PLACES = ("runner/host/", "runner/proof/", "runner/runs/", "runner/sandbox/", "runner/web/limiter.py")
WAITING = re.compile(r"(?m)^((?:waiting|body)-time = )([\d.]+)")
"""In server.toml."""
LOOKS = re.compile(r"\b(timeout[:=] ?|start_period: |stop_grace_period: )(\d+)")
"""In stack.yaml: what a look at a server may take, its start, and its stop."""
WAITING_MOST = 600.0
"""Seconds: more is refused there."""


def longer(path: str, text: str, times: float) -> str:
    """A file of the project. A program's limits stay as they are: they are what is tried."""

    def multiplied(found: re.Match[str]) -> str:
        return f"{found[1]}{float(found[2]) * times}"

    if path.startswith(PLACES) and path.endswith(".py"):
        return BOUND.sub(multiplied, text)
    if path == "runner/policy/argv.py":
        return PROBE.sub(multiplied, text)
    if path == "images/server/stack.yaml":
        return LOOKS.sub(multiplied, text)
    if path == "policies/server.toml":
        return WAITING.sub(lambda found: f"{found[1]}{min(float(found[2]) * times, WAITING_MOST)}", text)
    return text


def archive(packed: bytes, times: float) -> bytes:
    """The same for a tar archive of it."""
    made = io.BytesIO()
    with tarfile.open(fileobj=io.BytesIO(packed)) as old, tarfile.open(fileobj=made, mode="w") as new:
        for member in old:
            content = old.extractfile(member).read() if member.isfile() else b""  # type: ignore[union-attr]
            if member.name.endswith((".py", ".toml", ".yaml")):
                content = longer(member.name, content.decode(), times).encode()
                member.size = len(content)
            new.addfile(member, io.BytesIO(content))
    return made.getvalue()
