"""Between the texts of other contracts and the bytes of a program: arguments in, output out. Pure."""

import codecs
import shlex

from runner.errors import BadRequest, TooLarge


def split(text: str, limit: int, what: str) -> tuple[bytes, ...]:
    """The words that a shell would see, quotes and backslashes understood; nothing is expanded, and no shell is run.

    ``what``: the field, for the ``Refusal`` of more than ``limit`` bytes, or of a quote that does not end.
    """
    if len(text.encode()) > limit:  # first: to split takes a microsecond for each character
        raise TooLarge(f"`{what}` has more than {limit} bytes.")
    try:
        return tuple(word.encode() for word in shlex.split(text))
    except ValueError:
        raise BadRequest(f"`{what}` has a quote or a backslash that does not end.") from None


def whole(data: bytes, *, cut: bool) -> bytes:
    """The same; but where a stream was ``cut``, half a character at its end is our doing, and left out."""
    if not cut:
        return data
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    decoder.decode(data)
    return data[: len(data) - len(decoder.getstate()[0])]
