"""Rates as the files have them, such as ``100 per 15 minutes``. Pure."""

import re

import limits
from limits import RateLimitItem


def parse(value: str) -> RateLimitItem:
    """A rate that has no ``problem``, in the terms of the limits library."""
    return limits.parse(value)


def problem(value: str) -> str | None:
    """A check that a string is a rate, in words that follow the key's name."""
    try:
        if not re.fullmatch(r"[1-9]\d{0,8}( per |/)([1-9]\d{0,8} ?)?[a-z]+", value):
            raise ValueError
        parse(value)
    except ValueError:
        return 'must be a rate such as "100 per 15 minutes"'
    return None
