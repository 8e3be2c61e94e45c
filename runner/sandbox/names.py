"""What containers are called: ``job-<timestamp>-<random>``, unique and not to be guessed."""

import secrets
from datetime import UTC, datetime


def new() -> str:
    """A name for a container that is made now."""
    return f"job-{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(8)}"


def begun(name: str) -> datetime | None:
    """When the container of this name was made; None where nobody here has named it."""
    try:
        return datetime.strptime(name[:19], "job-%Y%m%dT%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None
