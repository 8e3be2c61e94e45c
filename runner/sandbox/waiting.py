"""Those who wait for a container, each in its turn: how long the line may be, and who hears what of it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from runner.errors import Busy
from runner.sandbox.container import Container
from runner.sandbox.demand import Pace
from runner.sandbox.line import dismissed, in_time, pause
from runner.sandbox.plan import Ticket
from runner.sandbox.turns import Turns

Placed = Callable[[int, float | None], None]
"""Hears the place in the line, 1 being the next and 0 none, and the seconds that it may take."""


@dataclass(slots=True)
class Request:
    """One that waits, or has waited."""

    ticket: Ticket
    placed: Placed
    holds: int
    """Bytes, while it waits."""
    patience: float
    """Seconds that it waits."""
    served: asyncio.Future[Container] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    @property
    def has_container(self) -> bool:
        """Whether it got what it waited for."""
        return self.served.done() and not self.served.cancelled() and not self.served.exception()


class Line:
    """The line. Mutable state: ``_requests``, and what is known of their turns and the pace."""

    def __init__(self, memory: int) -> None:
        """``memory``: bytes that all who wait may hold."""
        self._memory = memory
        self._requests: dict[int, Request] = {}
        self._numbers = 0
        self._turns = Turns()
        self._pace = Pace()

    def __len__(self) -> int:
        return len(self._requests)

    def live(self) -> int:
        """How many wait for a container of a live run."""
        return sum(request.ticket.live for request in self._requests.values())

    def of(self, language: str) -> int:
        """How many wait for a container of this language."""
        return sum(request.ticket.language == language for request in self._requests.values())

    def waiting(self) -> list[Request]:
        """Those for whom there is no container yet, as they are served."""
        return [request for request in self._in_turn() if not request.served.done()]

    def join(self, language: str, placed: Placed, *, client: str, live: bool, holds: int, patience: float) -> Request:
        """One more, at the place that is its client's turn."""
        self._numbers += 1
        ticket = Ticket(self._numbers, language, live, client, self._turns.join(client))
        request = Request(ticket, placed, holds, patience)
        self._requests[ticket.number] = request
        return request

    def bound(self, newcomer: Request) -> None:
        """Refuses the newcomer if its turn cannot come in time, and whoever is last while the line holds too much."""
        line = self.waiting()
        place, pace = line.index(newcomer) + 1, self._pace.seconds
        if not in_time(place, pace, newcomer.patience):
            self.leave(newcomer)
            said = f"{place - 1} programs come first, which takes longer than {newcomer.patience:g} s."
            raise Busy(f"{said} Try again shortly.", pause(place - 1, pace, newcomer.patience))
        kept = len(line) - dismissed([each.holds for each in line], self._memory)
        busy = Busy(f"{kept} programs wait already. Try again shortly.", pause(kept, pace))
        for last in line[kept:]:  # those of whoever has most in the line
            self.leave(last)
            if last is newcomer:
                raise busy
            last.served.set_exception(busy)

    def tell(self, request: Request) -> None:
        """Says at once which place a request has got."""
        place = 0 if request.served.done() else self._in_turn().index(request) + 1
        request.placed(place, self._pace.forecast(place))

    def tell_all(self) -> None:
        """Says which place each has now."""
        for place, request in enumerate(self._in_turn(), 1):
            request.placed(place, self._pace.forecast(place))

    def serve(self, number: int, container: Container) -> Ticket:
        """Gives a container to whoever has this number."""
        request = self._requests.pop(number)
        self._turns.serve(request.ticket.client, request.ticket.turn)
        self._pace.served(asyncio.get_running_loop().time(), line=bool(self._requests))
        request.served.set_result(container)
        return request.ticket

    def leave(self, request: Request) -> None:
        """Out of the line, if it is still there."""
        if self._requests.pop(request.ticket.number, None):
            self._turns.leave(request.ticket.client)
            if not self._requests:
                self._pace.rest()

    def give_up(self, request: Request) -> Busy:
        """Who has waited as long as it would: what it hears."""
        said = f"No place was free within {request.patience:g} s. Try again shortly."
        return Busy(said, pause(1, self._pace.seconds))

    def close(self, error: Exception) -> None:
        """All who wait hear this."""
        for request in self.waiting():
            request.served.set_exception(error)
        self._requests.clear()

    def _in_turn(self) -> list[Request]:
        return sorted(self._requests.values(), key=lambda request: (request.ticket.turn, request.ticket.number))
