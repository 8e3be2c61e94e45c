"""How long a client is content to wait, as RFC 7240 has it."""

import pytest

from runner.web import patience


@pytest.mark.parametrize(
    ("values", "seconds"),
    [
        ([], None),
        (["wait=10"], 10.0),
        (["respond-async, Wait = 10"], 10.0),
        (["return=minimal", 'wait="7"; x=y'], 7.0),
        (["wait=5, wait=9"], 5.0),
        (["wait=0"], 0.0),
        (["wait"], None),
        (["wait="], None),
        (["wait=-1"], None),
        (["wait=1.5"], None),
        (["wait=ten"], None),
        (["wait=9999999999"], None),
        (["wait=\u0661"], None),
        (["await=3, waiting=3"], None),
    ],
)
def test_a_preference_that_is_understood_is_taken(values: list[str], seconds: float | None) -> None:
    """The first that is valid; any other is passed over, for a preference is no demand."""
    assert patience.said(values) == seconds
