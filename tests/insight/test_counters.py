"""Counters and clocks are recognised; switches, voltages and noise are not."""

import numpy as np
import pytest

from packwire.insight.counters import Ticking, find_counters

COUNT = 60
TIME = np.arange(COUNT, dtype=np.int64) * 1_270_000_000


def _column(values):
    return np.asarray(values, dtype=np.int64).astype(np.uint8)[:, None]


@pytest.mark.parametrize("step", [1, 2, 7])
def test_a_counter_also_where_it_wraps(step):
    (found,) = find_counters(_column(250 + step * np.arange(COUNT)), TIME)
    assert found.kind is Ticking.COUNTER


def test_a_clock_of_seconds_with_its_high_byte_on_either_side():
    seconds = 3000 + TIME // 1_000_000_000
    low, high = _column(seconds), _column(seconds >> 8)
    for matrix, where in ((np.hstack([high, low]), 1), (np.hstack([low, high]), 0)):
        (found,) = find_counters(matrix, TIME)
        assert (found.kind, found.low, found.at) == (Ticking.CLOCK, where, (0, 1))


@pytest.mark.parametrize(
    "values",
    [np.arange(COUNT) >= 30, np.random.default_rng(1).integers(0, 256, COUNT), 100 + np.arange(COUNT) % 3],
    ids=["switch", "noise", "a voltage"],
)
def test_what_does_not_count(values):
    assert find_counters(_column(values), TIME) == ()


def test_few_messages_tell_nothing():
    assert find_counters(np.zeros((0, 4), dtype=np.uint8), TIME[:0]) == ()
    assert find_counters(_column(range(5)), TIME[:5]) == ()
