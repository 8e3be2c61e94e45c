"""Whose turn it is in the line: fair by client, however many requests one of them has. Pure.

Start-time fair queueing (Goyal, Vin, Cheng 1996), each request being worth one round: a client's next request is one
round after its last, and a client that was not there begins in the round that is being served.
"""

from collections import Counter


class Turns:
    """The rounds of those who wait. Forgets a client with its last request."""

    def __init__(self) -> None:
        self._now = 0
        self._last: dict[str, int] = {}
        self._waiting: Counter[str] = Counter()

    def join(self, client: str) -> int:
        """The round of one more request."""
        turn = max(self._now, self._last.get(client, -1) + 1)
        self._last[client] = turn
        self._waiting[client] += 1
        return turn

    def serve(self, client: str, turn: int) -> None:
        """A request has got what it waited for."""
        self._now = max(self._now, turn)
        self.leave(client)

    def leave(self, client: str) -> None:
        """A request waits no longer."""
        self._waiting[client] -= 1
        if not self._waiting[client]:
            del self._waiting[client], self._last[client]
