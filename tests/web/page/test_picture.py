"""The picture in the README: `cp .screenshots/page.png runner/web/page.png` renews it."""

from typing import Final

from tests.web.page.screen import Opener

PROGRAM: Final = """\
import sys
from collections import Counter

words = sys.stdin.read().split()
print(f"{len(words)} words, the longest is {max(words, key=len)!r}")
for length, times in sorted(Counter(map(len, words)).items()):
    print(f"{length:>2} letters {'#' * times}")
print("this line goes to stderr", file=sys.stderr)"""
INPUT: Final = "what is read is what runs, and nothing is added to it"


def test_the_page_as_the_readme_shows_it(opener: Opener) -> None:
    """A program, its input, what it printed, and below them the command that ran it."""
    with opener(viewport={"width": 1200, "height": 680}, device_scale_factor=0.8) as screen:
        assert screen.run(PROGRAM, input=INPUT) == "Finished"
        assert screen.blocks()[0][1].startswith("12 words, the longest is 'nothing'")
        path = screen.pictures / "page.png"
        screen.page.screenshot(path=path, full_page=True, clip={"x": 0, "y": 0, "width": 1200, "height": 1000})
