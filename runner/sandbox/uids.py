"""A uid of its own for every living container: the kernel's limits per uid are host-wide."""

import secrets
from typing import Final

FIRST: Final = 1_900_000_000
BLOCK: Final = 64
BLOCKS: Final = 3_800_000
"""1,900,000,000 to 2,143,199,999 lies in a range that nothing uses (systemd's table of uid ranges)."""


class Uids:
    """A block of uids, drawn at random, so that two runners on one host do not meet: 1 in 3.8 million."""

    def __init__(self) -> None:
        first = FIRST + BLOCK * secrets.randbelow(BLOCKS)
        self._free = list(range(first, first + BLOCK))

    def take(self) -> int:
        """The uid that has been free for the longest."""
        return self._free.pop(0)

    def give_back(self, uid: int) -> None:
        """Only when the container is gone."""
        self._free.append(uid)
