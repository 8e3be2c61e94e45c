"""Who asks for a run: what the limiter counts, and what the audit file says."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Client:
    """Somebody who may run programs."""

    address: str
    """An IPv4 address, an IPv6 /64, or ``cli`` where no network is between."""
    api: str = "run"
    """What they speak: ``run``, or one of the other runners' APIs."""
