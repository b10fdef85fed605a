"""Replies that a client may have given up: behind them it pauses otherwise than behind the others."""

from collections.abc import Sequence
from math import comb
from typing import NamedTuple

import numpy as np

from packwire.doctor.compare.following import (
    LEAST_TIMEOUT,
    MAX_SHUFFLED,
    FollowingStep,
    answered,
    lie_close,
    width,
)
from packwire.messages import Int64s

#: Of fewer steps nothing is told, and of so many at the most.
_LEAST_STEPS, _MAX_STEPS = 6, 5000
_SEVERAL, _TWICE = 3, 2
#: Enough to say that nothing can be told.
_MAYBE_CHANCE = 0.01
#: Pauses are others than usual outside so many times the width of the usual ones, and by so much (ns).
_OTHERWISE = 3
_LEAST_OTHERWISE = 1_000_000
#: And by far where they are so many times as long. Of the slowest replies this share is given up.
_MUCH_LONGER = 1.5
_MOSTLY = 0.75
#: Shorter by this share are no jitter.
_SHORTER = 0.05


class _Usual(NamedTuple):
    """Within which pauses (ns) half of all lie as close together as they do anywhere, and what is near it."""

    least: int
    most: int
    margin: int

    def holds(self, gap: int) -> bool:
        return self.least - self.margin <= gap <= self.most + self.margin


def _usual(gaps: Int64s) -> _Usual:
    ordered, half = np.sort(gaps), (len(gaps) + 1) // 2
    begin = int(np.argmin(ordered[half - 1 :] - ordered[: 1 - half or None]))
    least, most = int(ordered[begin]), int(ordered[begin + half - 1])
    return _Usual(least, most, max(_OTHERWISE * (most - least), _LEAST_OTHERWISE))


def given_up(steps: Sequence[FollowingStep]) -> list[FollowingStep]:
    """Return the steps behind which a client pauses otherwise than usual, as if no reply had come.

    Its usual pauses are counted from the replies on. These are counted from its own requests on; or they are
    those behind the slowest replies, and far from usual; or shorter. Empty where none of it is to be seen:
    what a busy computer makes longer is as far from either, seldom longer by far, and never shorter.
    """
    some = [step for step in answered(steps) if step.gap >= 0][:_MAX_STEPS]
    if len(some) < _LEAST_STEPS:
        return []
    usual = _usual(np.array([step.gap for step in some]))
    odd = [step for step in some if not usual.holds(step.gap)]
    if len(odd) < _SEVERAL or usual.least < LEAST_TIMEOUT:
        return []
    # Who waits for a reply never goes on sooner: two of these are enough.
    short = [step for step in odd if step.gap < usual.least - max(usual.margin, _SHORTER * usual.least)]
    if len(short) >= _TWICE:
        return short
    sooner = usual.least - _LEAST_OTHERWISE
    far = {step for step in some if step.gap < sooner or step.gap >= _MUCH_LONGER * usual.most}
    slow = _slow_ones(some[:MAX_SHUFFLED], far)
    if slow:
        return slow
    waits, latencies = np.array([[step.wait, step.latency] for step in odd[:MAX_SHUFFLED]]).T
    steady = width(waits) <= usual.margin
    return odd if steady and lie_close(waits, -latencies, _MAYBE_CHANCE) else []


def _slow_ones(some: Sequence[FollowingStep], far: set[FollowingStep]) -> list[FollowingStep]:
    """Return the steps of a set that are among the slowest, where nearly all of these are of it."""
    slowest, far = sorted(some, key=lambda step: -step.latency), far.intersection(some)
    for count in range(_SEVERAL, min(2 * len(far), len(some)) + 1):
        found = [step for step in slowest[:count] if step in far]
        if len(found) >= max(_SEVERAL, _MOSTLY * count):
            others = len(some) - len(far)
            ways = sum(
                comb(len(far), each) * comb(others, count - each) for each in range(len(found), count + 1)
            )
            if ways <= _MAYBE_CHANCE * comb(len(some), count):
                return found
    return []
