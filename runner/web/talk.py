"""``WS /run/live``: a program that asks questions. Input comes and events go while it runs."""

from collections.abc import Iterable, Mapping
from typing import Final

from starlette.websockets import WebSocket

from runner.errors import Refusal, RetryLater, TooSlow
from runner.policy.configuration import Configuration
from runner.runs import request
from runner.runs.events import Event, as_message
from runner.sandbox.job import Job
from runner.sandbox.live import Feed
from runner.web.conversation import End, converse

DONE: Final = 1000
REFUSED: Final = 1008
TRY_LATER: Final = 1013
FAILED: Final = 1011


async def talk(socket: WebSocket) -> None:
    """In our own words."""
    await converse(socket, Own(socket.app.state.config))


class Own:
    """A ``Dialect``: JSON messages of input and of events."""

    api = "run"

    def __init__(self, config: Configuration) -> None:
        self._policies = config.policies
        self.first_time = config.settings.body_time
        self.late: Refusal = TooSlow(f"The first message did not arrive within {self.first_time:g} s.")
        self.done = End(DONE)

    def first(self, message: bytes) -> Job:
        """The first message."""
        return request.first(message, self._policies)

    def more(self, message: bytes, feed: Feed) -> None:
        """Any later one."""
        match request.more(message):
            case None:
                feed.add_end()
            case bytes(typed):
                feed.add(typed)
            case size:
                feed.resize(size)

    def told(self, event: Event) -> Iterable[str]:
        """The event itself."""
        return (as_message(event),)

    def refused(self, error: Exception, problem: Mapping[str, object]) -> End:
        """The problem is the last event."""
        known = TRY_LATER if isinstance(error, RetryLater) else REFUSED
        return End(known if isinstance(error, Refusal) else FAILED, word=as_message(Event("problem", problem)))
