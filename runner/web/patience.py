"""How long a client is content to wait for its turn: `Prefer: wait=SECONDS`, RFC 7240. Pure."""

import re
from collections.abc import Iterable


def said(values: Iterable[str]) -> float | None:
    """Seconds, from all the `Prefer` headers of a request; None where nothing, or nothing valid, was said."""
    for preference in ",".join(values).split(","):
        if found := re.match(r'\s*wait\s*=\s*"?([0-9]{1,9})"?\s*(;|\Z)', preference, re.ASCII | re.IGNORECASE):
            return float(found[1])
    return None
