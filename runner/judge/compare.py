"""Whether a program's output is the one that was expected, and where they differ first. Pure."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Final

from runner.errors import BadRequest

LONGEST: Final = 40
"""Characters of an output that are quoted."""
_NUMBER: Final = re.compile(rb"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_USE: Final = "`--compare` is exact, tokens, or float=1e-6 with another number."

Same = Callable[[bytes, bytes], bool]


@dataclass(frozen=True, slots=True)
class Compare:
    """A way to compare."""

    name: str
    cut: Callable[[bytes], Sequence[bytes]]
    """Output -> the pieces that are compared one by one."""
    piece: str
    """What a piece is called."""
    same: Same


def parse(text: str) -> Compare:
    """``exact``: byte for byte. ``tokens``: what stands between white space. ``float=E``: the same, numbers nearly.

    Those may differ by E, or by E times the expected one. ``BadRequest`` for any other text.
    """
    if text == "exact":
        return Compare(text, _lines, "line", bytes.__eq__)
    if text == "tokens":
        return Compare(text, bytes.split, "word", bytes.__eq__)
    name, _, number = text.partition("=")
    if name != "float" or not _NUMBER.fullmatch(number.encode()):
        raise BadRequest(_USE)
    return Compare(text, bytes.split, "word", _near(float(number)))


def _lines(data: bytes) -> Sequence[bytes]:
    """Each with its end, so that what is missing there is seen."""
    return data.splitlines(keepends=True)


def _near(tolerance: float) -> Same:
    def same(expected: bytes, got: bytes) -> bool:
        if expected == got:
            return True
        if not (_NUMBER.fullmatch(expected) and _NUMBER.fullmatch(got)):
            return False
        wanted, found = float(expected), float(got)
        return abs(wanted - found) <= tolerance * max(1.0, abs(wanted))

    return same


def difference(compare: Compare, expected: bytes, got: bytes) -> str | None:
    """The first one in words; None where there is none."""
    pairs = zip_longest(compare.cut(expected), compare.cut(got))
    for number, (wanted, found) in enumerate(pairs, 1):
        if wanted is None or found is None or not compare.same(wanted, found):
            return f"{compare.piece} {number}: expected {_quoted(wanted)}, got {_quoted(found)}"
    return None


def _quoted(piece: bytes | None) -> str:
    """In ASCII without control characters: it goes to a terminal."""
    if piece is None:
        return "the end"
    said = ascii(piece.decode(errors="replace"))
    return said if len(said) <= LONGEST else f"{said[:LONGEST]}..."
