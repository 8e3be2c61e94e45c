"""Programs to try a language with: NAME.txt has one after each `=== PROGRAM`, or `=== PROGRAM: what stderr has`."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PROGRAMS: Final = (*("hello", "sum", "everything", "compile_error", "error", "sleep", "memory", "threads", "output"),)
"""What each language has a program for, see tests/images/test_languages.py."""
HELLO: Final = "héllo, wörld ✓ 😀\n"
"""What the first of them prints."""


@dataclass(frozen=True, slots=True)
class Program:
    """One of them."""

    code: str
    said: str
    """A regular expression for what is on stderr; "" where nothing need be."""


def programs(language: str) -> dict[str, Program]:
    """By name."""
    text = Path(__file__).with_name(f"{language}.txt").read_text(encoding="utf-8")
    parts = re.split(r"(?m)^=== (\w+)(?:: (.*))?\n", text)[1:]
    return {name: Program(code, said or "") for name, said, code in zip(*[iter(parts)] * 3, strict=True)}
