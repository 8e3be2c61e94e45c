"""What clients come back for: kept in memory, bounded in number, bytes and time; the oldest goes first. Pure."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class _Held(Generic[V]):
    value: V
    size: int
    since: float


class Kept(Generic[K, V]):
    """At most so many values, of so many bytes together, each for so many seconds of whatever clock the caller has."""

    def __init__(self, number: int, size: int, age: float) -> None:
        self._number, self._size, self._age = number, size, age
        self._held: dict[K, _Held[V]] = {}
        self._bytes = 0

    def put(self, key: K, value: V, size: int, now: float) -> None:
        """Keeps a value in the place of an earlier one; those that it leaves no room for go."""
        self._drop(key)
        self._held[key] = _Held(value, size, now)
        self._bytes += size
        self._evict(now)

    def get(self, key: K, now: float) -> V | None:
        """What is kept there, if it still is."""
        self._evict(now)
        held = self._held.get(key)
        return held.value if held else None

    def _evict(self, now: float) -> None:
        """A dict keeps the order of arrival, which is that of age."""
        while self._held:
            oldest, held = next(iter(self._held.items()))
            fits = len(self._held) <= self._number and self._bytes <= self._size
            if fits and now - held.since <= self._age:
                return
            self._drop(oldest)

    def _drop(self, key: K) -> None:
        if held := self._held.pop(key, None):
            self._bytes -= held.size
