"""What was seen of a host and its engine; None where it could not be seen. Nothing is judged here."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Facts:
    """Of one moment."""

    info: Mapping[str, Any] | None
    """What `docker info` says; None where no engine answers."""
    engine_error: str
    """Docker's own words where none does."""
    docker_host: str
    """Where the engine is asked for; "" for docker's default."""
    socket_mode: int | None
    """The permissions of the engine's socket."""
    docker_group: tuple[str, ...]
    """Who is in the group ``docker``."""
    disk_free: int | None
    """Bytes that are free where the engine keeps its images."""
    audit_error: str
    """Why the audit file cannot be written; "" where it can, or is off."""
    audit_free: int | None
    """Bytes that are free where it lies; None where it is off."""
    missing_images: tuple[str, ...]
    """Languages without their image."""
    start_seconds: float | None
    """What a container takes from the command until it has ended by itself; None where it did not."""
    kernel: Mapping[str, str]
    """Files of the kernel by their paths, as far as they could be read."""
    swap: int
    """Bytes of swap space."""
    open_files: int
    """The hard limit of this process."""
    clock_offset: float | None
    """Seconds that the engine's clock is ahead of ours."""
