"""Who asks for a run: what the limiter counts, and what the audit file says."""

from dataclasses import dataclass

from runner.errors import ForbiddenLanguage


@dataclass(frozen=True, slots=True)
class Client:
    """Somebody who may run programs."""

    address: str
    """An IPv4 address, an IPv6 /64, or ``cli`` where no network is between."""
    api: str = "run"
    """What they speak: ``run``, or one of the other runners' APIs."""
    key: str | None = None
    """The name of the key that they sent; never the key."""
    languages: frozenset[str] | None = None
    """What that key may run; None: every language."""

    def check(self, language: str) -> None:
        """``ForbiddenLanguage`` where they may not run a program of this one."""
        if self.languages is not None and language not in self.languages:
            allowed = ", ".join(sorted(self.languages))
            raise ForbiddenLanguage(f"The key {self.key} may not run {language}; it is for {allowed}.")
