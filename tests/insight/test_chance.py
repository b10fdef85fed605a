"""The chances are those of a plain simulation."""

from math import comb

import numpy as np
import pytest

from packwire.insight.chance import of_changes_at_marks, of_hits, of_values_by_recording


def test_changes_at_the_marks_alone():
    assert of_changes_at_marks(52, 4, 1, 2, 1) == pytest.approx(1 / comb(52, 4))
    assert of_changes_at_marks(52, 4, 2, 3, 5) == pytest.approx(2**4 * 3 * 5 / comb(52, 4))
    assert of_changes_at_marks(52, 0, 1, 2, 1) == 1
    assert of_changes_at_marks(3, 9, 1, 2, 1) == 1


def test_coins_tossed_for_each_recording():
    tosses = np.random.default_rng(1).integers(0, 2, (200_000, 4))
    agree = (tosses[:, 0] == tosses[:, 2]) & (tosses[:, 1] == tosses[:, 3]) & (tosses[:, 0] != tosses[:, 1])
    assert of_values_by_recording(4, 2, 1) == pytest.approx(agree.mean(), rel=0.05)


def test_hits_are_a_binomial_tail():
    assert of_hits(4, 4, 0.1, 1, 1) == pytest.approx(1e-4)
    assert of_hits(2, 0, 0.1, 1, 1) == 1
