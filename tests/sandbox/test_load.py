"""Saturation: the short form of ``make soak``."""

import random
from pathlib import Path

from tests.soak import soak


def test_at_saturation_every_answer_is_right_and_nothing_grows(engine: None, tmp_path: Path) -> None:
    """With clients that leave: no answer is another's, nothing is lost, nothing stays."""
    assert soak(tmp_path, 40, random.SystemRandom().getrandbits(32)) == []
