"""Generated sessions: nearly all messages go to the request that they answer, and none is made up.

A small part of `python -m tests.insight.bench_pairs`.
"""

import pytest

from tests.insight.bench_pairs import Score, score
from tests.insight.sessions import FAMILIES, session


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_pairs_of_made_up_sessions(family):
    total = Score(0, 0, 0, 0, 0)
    for seed in range(1000, 1008):
        total += score(session(seed, family, 80))
    assert total.alike >= 0.98 * total.answers
    assert total.right >= 0.97 * total.answers
    assert total.invented <= 0.002 * total.answers


def test_all_families_together():
    total = Score(0, 0, 0, 0, 0)
    for family in FAMILIES:
        for seed in range(2000, 2006):
            total += score(session(seed, family, 80))
    assert total.right >= 0.99 * total.answers
    assert total.invented <= 1
