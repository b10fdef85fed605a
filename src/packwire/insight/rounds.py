"""Finding what repeats itself in a long list: rounds of a polling, told apart by keys."""

from collections.abc import Hashable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from packwire.messages import Int64s


class Fold(NamedTuple):
    """Items `first` to `first + period * rounds`: one round, and how many there are in all."""

    first: int
    period: int
    rounds: int

    def numbers(self, step: int) -> range:
        """Return the items of one step of the round."""
        return range(self.first + step, self.first + self.period * self.rounds, self.period)


def folds(
    keys: Sequence[Hashable], longest: int = 16, least: int = 3, *, least_alone: int = 3
) -> Iterator[Fold]:
    """Cut a list into folds, each as long as possible; an item that is not repeated is one of its own.

    Items that are the same have equal keys. A round has at most `longest` items, and comes `least` times or
    more, one of a single item `least_alone` times.
    """
    numbers: dict[Hashable, int] = {}
    number = np.array([numbers.setdefault(key, len(numbers)) for key in keys], dtype=np.int64)
    equal = [_equal_from(number, period) for period in range(1, longest + 1)]
    at = 0
    while at < len(number):
        best = Fold(at, 1, 1)
        for period, run in enumerate(equal, 1):
            rounds = int(run[at]) // period + 1 if at < len(run) else 1
            enough = rounds >= (least if period > 1 else least_alone)
            if enough and rounds * period > best.rounds * best.period:
                best = Fold(at, period, rounds)
        yield best
        at += best.period * best.rounds


def _equal_from(number: Int64s, period: int) -> Int64s:
    """Return for each item how many from there on equal the one a period later."""
    if len(number) <= period:
        return np.zeros(0, dtype=np.int64)
    same = number[period:] == number[:-period]
    index = np.arange(len(same))
    next_different = np.minimum.accumulate(np.where(same, len(same), index)[::-1])[::-1]
    return next_different - index
