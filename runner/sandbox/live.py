"""A run as it goes on, between the container that makes it and whoever watches it."""

import asyncio
import hashlib
from collections.abc import AsyncIterator

from runner.errors import TooLarge
from runner.sandbox.protocol import Phase


class Feed:
    """A program's input as it comes. Never more than its limit, so what waits here is bounded, too."""

    def __init__(self, limit: int, taken: int) -> None:
        """``taken``: bytes of the limit that the program has got already."""
        self._limit = limit
        self._left = limit - taken
        self._hash = hashlib.sha256()
        self._waiting = bytearray()
        self._ended = False
        self._news = asyncio.Event()

    def add(self, data: bytes) -> None:
        """Takes more input; ``TooLarge`` when it is more than the limit in all."""
        self._left -= len(data)
        if self._left < 0:
            raise TooLarge(f"The input has more than {self._limit} bytes as UTF-8, all messages together.")
        self._waiting += data
        self._hash.update(data)
        self._news.set()

    def end(self) -> None:
        """The program reads the end of its input after what has come."""
        self._ended = True
        self._news.set()

    @property
    def digest(self) -> str:
        """The sha256 of what has come."""
        return self._hash.hexdigest()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """What comes, until the end."""
        while self._waiting or not self._ended:
            self._news.clear()
            if self._waiting:
                data = bytes(self._waiting)
                self._waiting.clear()
                yield data
            else:
                await self._news.wait()


class Live:
    """The phases that have begun, each growing while it goes on, and an event that is set when there is news."""

    def __init__(self, feed: Feed | None = None) -> None:
        """``feed``: where the rest of the program's input comes from, after that of its job."""
        self.feed = feed
        self.entered = False
        """Whether it has its place in the line."""
        self.phases: list[Phase] = []
        self.news = asyncio.Event()

    def enter(self) -> None:
        """It waits for a container from now on."""
        self.entered = True
        self.news.set()

    def begin(self, phase: Phase) -> None:
        """One more phase."""
        self.phases.append(phase)
        self.news.set()
