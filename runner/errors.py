"""What can be refused and what can fail. A program's ending is never one of these: it is a ``Result``."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a file."""

    file: str
    line: int | None
    """Counted from 1; None where it is about the file as a whole."""
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.text}" if self.line else f"{self.file}: {self.text}"


class PolicyError(Exception):
    """One or more configuration files cannot be served; says every problem, one a line."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


class Refusal(Exception):
    """A request that is not served. ``str()`` is for the client: what was wrong, and what to do."""


class BadRequest(Refusal):
    """The request is not what the contract says."""


class NoValidKey(Refusal):
    """No key came where one is required, or one that is unknown."""


class ForbiddenLanguage(Refusal):
    """The key that came may not run programs of this language."""


class ForbiddenSite(Refusal):
    """The request was made by a page of an origin, or for a host name, that is not allowed here."""


class TooLarge(Refusal):
    """The body, the code or the input is over its limit."""


class TooSlow(Refusal):
    """The body did not arrive in time."""


class WrongType(Refusal):
    """The body is not application/json."""


class UnknownLanguage(Refusal):
    """There is no policy of that name."""


class KeyReused(Refusal):
    """An idempotency key stands for another request already."""


class RetryLater(Refusal):
    """A refusal that a later try may not meet; ``seconds`` is when."""

    def __init__(self, message: str, seconds: float) -> None:
        super().__init__(message)
        self.seconds = seconds


class RateLimited(RetryLater):
    """The client has used up its requests."""


class LimiterError(RetryLater):
    """Requests cannot be counted; the log says why."""


class Busy(RetryLater):
    """As many programs run and wait as may."""


class AuditError(RetryLater):
    """The audit file does not take a line, so nothing may run. ``detail`` is for the log."""

    def __init__(self, detail: str) -> None:
        super().__init__("The audit file cannot be written, and nothing runs unrecorded. Try again shortly.", 5.0)
        self.detail = detail


class EngineError(RetryLater):
    """Docker could not do its part. ``detail`` is docker's own words: for the log, never for the client."""

    def __init__(self, detail: str) -> None:
        super().__init__("The container engine cannot start programs at the moment. Try again shortly.", 5.0)
        self.detail = detail
