"""On a busy computer replies and clients are late together: that is no sign that one follows the other."""

import random

import pytest

from packwire.doctor.compare.following import FollowingStep, follow_replies
from packwire.doctor.compare.session import QueryKind

ASKED = (QueryKind("values", 4),)
PAUSE = 100e6


def steps(
    seed: int, *, follows: bool, kinds: tuple[float, ...] = (0.7, 7.0), bursts: float = 0.0
) -> list[FollowingStep]:
    """Return the steps of a client that pauses after each reply, or after each request.

    `kinds` are usual latencies in ms, by turns; `bursts` are by how many ms all is late, again and again.
    """
    chance = random.Random(seed)
    found: list[FollowingStep] = []
    time = busy = 0.0
    for number in range(40):
        latency = kinds[number % len(kinds)] + abs(chance.gauss(0, 0.2)) + busy * chance.random()
        busy = 0.8 * busy + (chance.expovariate(1 / bursts) if bursts and chance.random() < 0.15 else 0.0)
        late = abs(chance.gauss(0, 0.3)) + busy * chance.random()
        after = time + PAUSE + late * 1e6 + (latency * 1e6 if follows else 0.0)
        found.append(FollowingStep((number,), ASKED, int(time), int(time + latency * 1e6), int(after)))
        time = after
    return found


@pytest.mark.parametrize("bursts", [0.0, 5.0, 20.0])
def test_who_follows_the_replies_is_seen_to(bursts):
    told = [follow_replies(steps(seed, follows=True, bursts=bursts)) for seed in range(60)]
    assert told.count(True) > 50
    assert False not in told


@pytest.mark.parametrize("kinds", [(0.7,), (0.7, 7.0), (5.0, 9.0, 20.0)])
@pytest.mark.parametrize("bursts", [0.0, 5.0, 20.0, 80.0])
def test_who_reads_nothing_is_not_seen_to_follow(kinds, bursts):
    told = [follow_replies(steps(seed, follows=False, kinds=kinds, bursts=bursts)) for seed in range(60)]
    assert told.count(True) <= 1


def recorded_late(seed: int, *, lag: float, often: float, replies: float) -> list[FollowingStep]:
    """Return the steps of a client that pauses after each request, in a recording that is late with these.

    `lag` is how late in ms, `often` in which share of them; of replies it is so many times as late.
    """
    chance = random.Random(seed)

    def late(times: float) -> float:
        usual = chance.expovariate(1 / lag) if chance.random() < often else abs(chance.gauss(0, 0.1))
        return times * usual

    found: list[FollowingStep] = []
    time, behind = 0.0, late(1)
    for number in range(40):
        replied = time + 0.7 + abs(chance.gauss(0, 0.2)) + late(replies)
        after, next_behind = time + 100 + abs(chance.gauss(0, 0.3)), late(1)
        seen = time + behind
        times = (round(each * 1e6) for each in (seen, max(replied, seen + 0.1), after + next_behind))
        found.append(FollowingStep((number,), ASKED, *times))
        time, behind = after, next_behind
    return found


@pytest.mark.parametrize("replies", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("often", [0.1, 0.5, 1.0])
@pytest.mark.parametrize("lag", [2.0, 30.0])
def test_a_recording_that_is_late_with_requests_shows_no_following(lag, often, replies):
    told = [follow_replies(recorded_late(seed, lag=lag, often=often, replies=replies)) for seed in range(60)]
    assert told.count(True) <= 2


def test_one_pause_that_is_far_too_long_changes_nothing():
    usual = steps(1, follows=True)
    odd = usual[20]._replace(next_time=usual[20].next_time + 900_000_000)
    assert follow_replies([*usual[:20], odd, *usual[21:]]) is True
