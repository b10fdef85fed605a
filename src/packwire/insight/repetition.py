"""How much likelier messages are if they repeat requests than if they go on by themselves."""

from collections import Counter
from itertools import pairwise
from math import log

import numpy as np
from numpy.typing import NDArray

#: So many of the requests before a reply may be its own.
IN_A_ROW = 16
#: A byte that was never there before is worth as much as so many that were.
_NEVER = 4.0
#: What a device repeats is the newest request, or the first that waits, or any that waits.
_NEWEST, _IN_TURN, _ANY = 0.5, 0.3, 0.2
#: What so many times as many messages repeat as there are requests is a state that was written.
_GOES_ON = 4

#: The bytes that an echo repeats; below zero: behind the end.
type Cells = tuple[int, ...]


def common_bytes(heard: NDArray[np.int32]) -> NDArray[np.float64]:
    """Return how often a device says each byte, at whatever place."""
    counts = np.bincount(heard[heard >= 0], minlength=256) + 1.0
    return np.asarray(counts / counts.sum())


def evidence_of(x: list[Cells], y: list[Cells], behind: list[int], common: NDArray[np.float64]) -> float:
    """Return the log of how much likelier messages are if they repeat requests than if they do not.

    `x` are the bytes asked with, `y` those said, `behind` for each message its last request, `common` how
    often each byte is said at all. Without an echo, a value stays as it is for a while; then another comes
    that was there before, the likelier the more often, or one that is new. Each message is foretold both ways
    from those before it. So by chance a result of `e` comes once in `exp(e)` times at most, whatever is
    constant, rare or slow [G. Shafer, Testing by betting, 2021].
    """
    stay = (sum(one == other for one, other in pairwise(y)) + 1) / (len(y) + 1)
    visits: Counter[Cells] = Counter()
    taken = [False] * len(x)
    hits, tries, claimed, score = 1.0, 2.0, -1, 0.0
    before: Cells | None = None
    for value, last in zip(y, behind, strict=True):
        new = float(np.prod([common[byte] if byte >= 0 else 1.0 for byte in value]))
        alone = (1 - stay) * (visits[value] + _NEVER * new) / (visits.total() + _NEVER)
        alone += stay * (value == before)
        free = [index for index in range(max(last - IN_A_ROW + 1, 0), last + 1) if not taken[index]]
        if free:
            meant = [index for index in free if x[index] == value]
            turn = next((index for index in free if index > claimed), free[-1])
            said = _NEWEST * (x[free[-1]] == value) + _IN_TURN * (x[turn] == value)
            said += _ANY * len(meant) / len(free)
            share = hits / tries
            score += log(1 - share + share * said / alone)
            tries += 1
            if meant:
                hits += 1
                claimed = meant[-1]
                taken[claimed] = True
        if value != before:
            visits[value] += 1
        before = value
    return score


def is_state(x: list[Cells], y: list[Cells], behind: list[int]) -> bool:
    """Say whether what is said shows what was asked for again and again: then it was written."""
    repeated = sum(last >= 0 and value == x[last] for value, last in zip(y, behind, strict=True))
    return repeated >= _GOES_ON * len(x)
