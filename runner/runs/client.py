"""Who asks for a run: what the limiter counts, and what the audit file says."""

import math
from dataclasses import dataclass

from runner.errors import ForbiddenLanguage
from runner.policy.keys import ApiKey


@dataclass(frozen=True, slots=True)
class Client:
    """Somebody who may run programs."""

    address: str
    """An IPv4 address, an IPv6 /64, or ``cli`` where no network is between."""
    api: str = "run"
    """What they speak: ``run``, or one of the other runners' APIs."""
    held: ApiKey | None = None
    """What is known of the key that they sent."""
    patience: float = math.inf
    """Seconds that they are content to wait for their turn, if that is less than the service lets anybody."""

    @property
    def key(self) -> str | None:
        """The name of their key; never the key."""
        return self.held.name if self.held else None

    @property
    def identity(self) -> str:
        """What makes two requests those of one client: the key, or else the address."""
        return f"key:{self.key}" if self.held else self.address

    def check(self, language: str) -> None:
        """``ForbiddenLanguage`` where they may not run a program of this one."""
        allowed = self.held.languages if self.held else None
        if allowed is not None and language not in allowed:
            raise ForbiddenLanguage(
                f"The key {self.key} may not run {language}; it is for {', '.join(sorted(allowed))}."
            )
