"""The ``Idempotency-Key`` of a request, as draft-ietf-httpapi-idempotency-key-header-07 has it. Pure."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from runner.errors import BadRequest
from runner.runs.client import Client
from runner.sandbox.job import Job

HEADER: Final = "Idempotency-Key"
LONGEST: Final = 255
"""Characters of a key."""
PATTERN: Final = rf'^"(?:[ !#-\[\]-~]|\\["\\]){{1,{LONGEST}}}"$'
"""A string of RFC 8941, which is in quotes; there is nothing beside it."""
_CONTRACT: Final = (
    f"`{HEADER}` is one string in quotes, of 1 to {LONGEST} printable ASCII characters, such as "
    '"8e03978e-40d5-43dd-bc93-6894a57f9324". Take a new one for each program.'
)


@dataclass(frozen=True, slots=True)
class Asked:
    """A run that was asked for with a key."""

    client: Client
    job: Job
    body: str
    """The sha256 of the request's body: another one is another request."""

    @property
    def name(self) -> tuple[str, str | None]:
        """What makes two requests one: the client, and the key's sha256."""
        return self.client.identity, self.job.idempotency_key


def sent(values: Sequence[str]) -> str | None:
    """The sha256 of the key among the header's values, None where there is none; ``BadRequest`` where it is none."""
    if not values:
        return None
    if len(values) > 1 or not re.fullmatch(PATTERN, values[0]):
        raise BadRequest(_CONTRACT)
    return hashlib.sha256(values[0].encode()).hexdigest()


def asked(client: Client, job: Job, key: str, body: bytes) -> Asked:
    """``key``: from ``sent``."""
    return Asked(client, replace(job, idempotency_key=key), hashlib.sha256(body).hexdigest())
