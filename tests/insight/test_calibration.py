"""A small part of `bench_differences`: hardly anything is found where nothing was switched, and switches are."""

import pytest

from packwire.insight.differences import MAX_CHANCE
from tests.insight.bench_differences import examine
from tests.insight.shaped_sessions import SHAPES, session_of
from tests.insight.switch_sessions import session


@pytest.mark.parametrize("begin", [1000, 1020])
def test_where_nothing_follows_the_writes_hardly_anything_is_found(begin):
    outcomes = [examine(session(seed, switch=False)) for seed in range(begin, begin + 20)]
    assert sum(outcome.chance <= MAX_CHANCE for outcome in outcomes) <= 1


@pytest.mark.parametrize("begin", [1000, 1020])
def test_a_switch_is_first_and_one_field(begin):
    outcomes = [examine(session(seed, switch=True)) for seed in range(begin, begin + 20)]
    assert sum(outcome.first for outcome in outcomes) >= 18


def test_further_shapes_without_a_switch():
    outcomes = [
        examine(session_of(name, seed, switch=False)) for name in SHAPES for seed in range(1000, 1003)
    ]
    assert sum(outcome.chance <= MAX_CHANCE for outcome in outcomes) <= 1


@pytest.mark.parametrize("name", SHAPES)
def test_a_switch_in_further_shapes(name):
    outcomes = [examine(session_of(name, seed, switch=True)) for seed in range(1000, 1006)]
    assert sum(outcome.first for outcome in outcomes) >= 5
