"""A run as it goes on, between the container that makes it and whoever watches it."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from typing import Final

from runner.errors import TooLarge
from runner.sandbox.protocol import Phase, message

END: Final = b"\x04"
"""What a terminal takes for the end of its input, at the beginning of a line."""


class Feed:
    """What is typed at a program's terminal as it comes, and the terminal's size.

    Never more than the limit of input, so what waits here is bounded, too.
    """

    def __init__(self, limit: int, typed: bytes) -> None:
        """``limit``: bytes in all; ``typed``: what the program has got already."""
        self._limit = limit
        self._left = limit - len(typed)
        self._last = typed[-1:]
        self._hash = hashlib.sha256()
        self._typed = bytearray()
        self._size: tuple[int, int] | None = None
        self._ended = False
        self._news = asyncio.Event()

    def add(self, data: bytes) -> None:
        """Takes more input; ``TooLarge`` when it is more than the limit in all."""
        self._left -= len(data)
        if self._left < 0:
            raise TooLarge(f"The input has more than {self._limit} bytes as UTF-8, all messages together.")
        self._typed += data
        self._last = data[-1:] or self._last
        self._hash.update(data)
        self._news.set()

    def add_end(self) -> None:
        """The end of the input, as on a terminal: Ctrl+D, and once more where a line has begun."""
        self.add(END if self._last in (b"", b"\n", b"\r", END) else END + END)

    def resize(self, size: tuple[int, int]) -> None:
        """The terminal has so many columns and rows from now on."""
        self._size = size
        self._news.set()

    def end(self) -> None:
        """The run is over: nothing more is handed on."""
        self._ended = True
        self._news.set()

    @property
    def digest(self) -> str:
        """The sha256 of what has come."""
        return self._hash.hexdigest()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Messages for the launcher, until the end."""
        while not self._ended:
            self._news.clear()
            if self._size:
                (columns, rows), self._size = self._size, None
                yield message("size", b"%d %d" % (columns, rows))
            if self._typed:
                typed = bytes(self._typed)
                self._typed.clear()
                yield message("type", typed)
            if not self._news.is_set():
                await self._news.wait()


class Live:
    """The phases that have begun, each growing while it goes on, and an event that is set when there is news."""

    def __init__(self, feed: Feed | None = None) -> None:
        """``feed``: where the rest of the program's input comes from, after that of its job."""
        self.feed = feed
        self.entered = False
        """Whether it has been taken into the line."""
        self.place = 0
        """Its place in the line, 1 being the next; 0 where it does not wait."""
        self.forecast: float | None = None
        """Seconds that it may have to wait, if anything can be said of that."""
        self.phases: list[Phase] = []
        self.news = asyncio.Event()

    def enter(self, place: int, forecast: float | None) -> None:
        """It waits for a container, at this place from now on."""
        self.entered = True
        self.place, self.forecast = place, forecast
        self.news.set()

    def begin(self, phase: Phase) -> None:
        """One more phase."""
        self.phases.append(phase)
        self.news.set()
