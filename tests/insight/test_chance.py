"""The chances are those of a plain simulation."""

from math import exp

import numpy as np
import pytest

from packwire.insight.chance import Gaps, chance_of, of_hits, of_pattern, ways_to_depend

SECOND = 1_000_000_000


def test_a_pattern_is_likeliest_where_changes_are_as_frequent_as_in_it():
    assert exp(of_pattern(40, 4)) == pytest.approx(0.1**4 * 0.9**36)
    assert exp(of_pattern(5, 5)) == 2**-5
    assert of_pattern(5, 0) == of_pattern(0, 0) == 0


def test_coins_tossed_for_each_recording():
    tosses = np.random.default_rng(1).integers(0, 2, (200_000, 4))
    agree = (tosses[:, 0] == tosses[:, 2]) & (tosses[:, 1] == tosses[:, 3]) & (tosses[:, 0] != tosses[:, 1])
    assert chance_of(of_pattern(3, 3), ways_to_depend(2)) == pytest.approx(agree.mean(), rel=0.05)


@pytest.mark.parametrize("rate", [0.02, 0.1, 0.5])
def test_no_rate_of_change_gives_a_pattern_more_often(rate):
    noise = np.random.default_rng(2)
    changes = noise.random((200_000, 12)) < rate
    wanted = np.isin(np.arange(12), [3, 8])
    seen = (changes == wanted).all(axis=1).mean()
    chance = exp(Gaps.between(np.arange(13) * SECOND).of_changes(np.array([3, 8])))
    assert seen <= 1.1 * chance


def test_what_changes_in_a_long_silence_is_no_wonder():
    steady = Gaps.between(np.arange(41) * SECOND)
    silent = np.arange(41) * SECOND
    silent[20:] += 100 * SECOND
    assert Gaps.between(silent).of_changes(np.array([19])) > steady.of_changes(np.array([19])) + 2


def test_times_that_are_missing_make_all_gaps_alike():
    none = np.full(5, np.iinfo(np.int64).min)
    assert Gaps.between(none).share.tolist() == [0.25] * 4
    assert Gaps.between(none[:1]).of_changes(np.array([], dtype=np.int64)) == 0


def test_hits_are_those_of_a_plain_simulation():
    """Six gaps: changes to 1 are expected in 0 and 3, changes to 0 in 1 and 4."""
    windows = np.zeros((2, 6), dtype=np.bool_)
    windows[1, [0, 3]] = windows[0, [1, 4]] = True
    even = np.full(6, 1 / 6)
    assert of_hits(even, windows, 2, 0, first=1) == pytest.approx(3 / 15)
    assert of_hits(even, windows, 2, 2, first=1) == 1
    assert of_hits(even, windows, 4, 0, first=1) == pytest.approx(1 / 15)
