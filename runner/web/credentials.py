"""The key of a request, wherever a client of one API or another puts it. Pure."""

from collections.abc import Iterable
from typing import Final

from runner.errors import BadRequest

HEADERS: Final = ("x-auth-token", "x-api-key")
"""Those of Judge0 and of Jobe; everybody else writes ``Authorization: Bearer KEY``."""


def sent(headers: Iterable[tuple[str, str]], beside: str = "") -> str:
    """The key, "" where there is none; ``BadRequest`` where there are several. ``beside``: from a first message."""
    found = {key for key in (beside, *(_key(name.lower(), value) for name, value in headers)) if key}
    if len(found) > 1:
        raise BadRequest("There are several keys, and they differ: send one, as `Authorization: Bearer KEY`.")
    return found.pop() if found else ""


def _key(name: str, value: str) -> str:
    if name in HEADERS:
        return value.strip()
    scheme, _, key = value.strip().partition(" ")
    return key.strip() if name == "authorization" and scheme.lower() == "bearer" else ""
