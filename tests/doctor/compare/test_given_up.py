"""Replies that a client gives up show in pauses that its usual ones do not explain."""

import random

import pytest

from packwire.doctor.compare.following import FollowingStep
from packwire.doctor.compare.given_up import given_up
from packwire.doctor.compare.session import QueryKind

MS = 1_000_000


def step(number: int, latency: float, wait: float) -> FollowingStep:
    """Return a step, times in ms."""
    begin = number * 1000 * MS
    asked = (QueryKind("ASKED"),)
    return FollowingStep((number,), asked, begin, begin + round(latency * MS), begin + round(wait * MS))


def right(count: int, chance: random.Random, *, busy: float = 0.0) -> list[FollowingStep]:
    """Return what a client does that pauses 100 ms behind each reply; now and then its computer is busy."""
    latencies = [chance.uniform(1, 15) for _ in range(count)]
    late = [chance.uniform(0, 40) if chance.random() < busy else chance.uniform(0, 0.4) for _ in range(count)]
    return [
        step(number, latency, latency + 100 + more)
        for number, (latency, more) in enumerate(zip(latencies, late, strict=True))
    ]


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("busy", [0.0, 0.15])
def test_a_right_client_gives_nothing_up(seed, busy):
    assert given_up(right(50, random.Random(seed), busy=busy)) == []


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("pause", [100, 200], ids=["asks on", "backs off"])
def test_slow_replies_that_are_given_up(seed, pause):
    chance = random.Random(seed)
    slow = [step(50 + number, chance.uniform(25, 60), 20 + pause) for number in range(5)]
    found = given_up([*right(45, chance), *slow])
    assert len(set(found) & set(slow)) >= 3


def test_who_goes_on_at_once_is_not_told():
    steps = [step(number, 5, 5.1) for number in range(30)]
    assert given_up(steps) == []


def test_of_few_steps_nothing_is_told():
    assert given_up([step(number, 30, 40) for number in range(5)]) == []
