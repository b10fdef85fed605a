"""How values are written for people."""

import pytest

from packwire.quantity import QUANTITIES


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"), (45, "45 s"), (59.6, "1 min"), (125, "2 min 5 s"), (7500, "2 h 5 min"), (86_400, "1 d"),
        (1_222_000, "14 d 3 h"), (-90, "-1 min 30 s"),
    ],
)  # fmt: skip
def test_a_duration_is_told_in_units_that_people_use(seconds, words):
    assert QUANTITIES["runtime"].format(seconds) == words


def test_what_rounds_to_nothing_has_no_sign():
    assert QUANTITIES["current"].format(-0.001) == "0.00 A"
    assert QUANTITIES["current"].format(-0.01) == "-0.01 A"
