"""What was seen of a host and its engine; None where it could not be seen. Nothing is judged here."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Facts:
    """Of one moment. What has a default need not be looked at, and is then taken for not seen."""

    info: Mapping[str, Any] | None
    """What `docker info` says; None where no engine of Docker's answers."""
    engine_error: str = ""
    """Docker's own words where none does."""
    podman: str = ""
    """The version of Podman, where that is what answers to the name of docker."""
    endpoint: str = ""
    """Where docker's client finds the engine, by its own word: ``unix:///var/run/docker.sock``."""
    socket_mode: int | None = None
    """The permissions of the engine's socket."""
    socket_group: str = ""
    """The group that the socket belongs to; "" for root's, or where it has no name here."""
    socket_users: tuple[str, ...] = ()
    """Who is in it."""
    disk_free: int | None = None
    """Bytes that are free where the engine keeps its images."""
    audit_error: str = ""
    """Why the audit file cannot be written; "" where it can, or is off."""
    audit_free: int | None = None
    """Bytes that it may still take; None where it is off."""
    missing_images: tuple[str, ...] = ()
    """Languages without their image."""
    not_starting: tuple[str, ...] = ()
    """Languages whose containers do not start."""
    start_error: str = ""
    """Docker's own words on that."""
    start_seconds: float | None = None
    """What a container takes from the command until it has ended by itself."""
    kernel: Mapping[str, str] = field(default_factory=dict)
    """Files of the engine's kernel by their paths, as far as they could be read."""
    swap: int | None = None
    """Bytes of swap space."""
    open_files: int = -1
    """The hard limit of this process; -1 for none."""
    clock_offset: float | None = None
    """Seconds that the engine's clock is ahead of ours."""


def engine(told: str) -> Facts:
    """What `docker info` has printed as JSON: Docker's, that its engine does not answer, or Podman's."""
    try:
        found = json.loads(told)
    except (ValueError, RecursionError):
        return Facts(None, "`docker info` prints no JSON: this is not Docker's client")
    if not isinstance(found, dict):
        return Facts(None, "`docker info` prints no object: this is not Docker's client")
    if errors := found.get("ServerErrors"):
        return Facts(None, "; ".join(map(str, errors)) if isinstance(errors, list) else str(errors))
    if podman := _podman(found):
        return Facts(None, podman=podman)
    return Facts(found)


def _podman(found: Mapping[str, Any]) -> str:
    """The version of Podman, by its own client or behind Docker's; "" where it is Docker."""
    version = found.get("version")
    if "host" in found and isinstance(version, dict):
        return str(version.get("Version", "of no version"))
    behind = found.get("IndexServerAddress") == "" and found.get("ContainerdCommit") == {"ID": ""}
    return str(found.get("ServerVersion")) if behind else ""
