"""How likely a value which has nothing to do with a switch looks as if it had.

The null model is a value that persists: between two messages it changes with some probability, at most one
half, and it is just as likely to change back. How often it changes is not known, so the rate that suits the
observation best is taken, once with all gaps between messages alike, once with gaps that count by the time
that they last (where an app is silent for a minute, a voltage goes on falling). The larger chance counts.
Each result is to be multiplied by the number of ways in which something could have been found.
"""

from dataclasses import dataclass
from math import exp, log
from typing import Self

import numpy as np
from numpy.typing import NDArray

from packwire.capture.packets import NO_TIME
from packwire.messages import Int64s

type Floats = NDArray[np.float64]

#: Rates of change that are tried: from one change in ten recordings to a value that forgets at once.
_RATES = 32
#: No gap counts less than this part of the usual one: a change takes no time.
_LEAST_GAP = 0.05


@dataclass(frozen=True, slots=True)
class Gaps:
    """The gaps between the messages of a group: what a change may fall into.

    share    for each gap its part of the whole time
    change   log of the chance to change in a gap, `(gaps, rates)`
    stay     log of the chance not to, summed up over all gaps, `(rates,)`
    """

    share: Floats
    change: Floats
    stay: Floats

    @classmethod
    def between(cls, time: Int64s) -> Self:
        """Return the gaps of messages at `time` (ns); all alike where a time is missing or goes back."""
        length = np.ones(max(len(time) - 1, 0))
        if len(time) > 1 and not (time == NO_TIME).any():
            seconds = np.diff(time) / 1e9
            if (seconds >= 0).all() and seconds.any():
                length = np.maximum(seconds, _LEAST_GAP * float(np.median(seconds)))
                length = np.maximum(length, 1e-9)
        share = length / max(length.sum(), 1e-300)
        rates = np.geomspace(0.2, 40.0 * max(len(length), 1), _RATES)
        decay = np.exp(-np.minimum(share[:, None] * rates, 50.0))
        stay = np.log1p(decay)
        return cls(share, np.log(np.maximum(-np.expm1(-share[:, None] * rates), 1e-300)) - stay,
                   (stay - log(2)).sum(axis=0))  # fmt: skip

    def of_changes(self, rows: Int64s) -> float:
        """Return the log of the chance that a value changes in these gaps, and in no other."""
        timed = float((self.stay + self.change[rows].sum(axis=0)).max())
        return max(timed, of_pattern(len(self.share), len(rows)))


def of_pattern(gaps: int, changes: int) -> float:
    """Return the log of the chance that a value changes in certain gaps and no other, all being alike."""
    if gaps == 0:
        return 0.0
    rate = min(changes / gaps, 0.5)
    kept = (gaps - changes) * log(1 - rate) if rate < 1 else 0.0
    return (changes * log(rate) if changes else 0.0) + kept


def ways_to_depend(states: int) -> int:
    """Return in how many ways a bit can depend on the state, a bit and its opposite being the same."""
    return int(2 ** (min(states, 60) - 1)) - 1


def chance_of(log_chance: float, ways: float) -> float:
    """Return the probability, at most 1, of what could have been found in so many ways."""
    return min(1.0, exp(min(log_chance + log(max(ways, 1.0)), 0.0)))


def of_hits(share: Floats, windows: NDArray[np.bool_], changes: int, misses: int, first: int) -> float:
    """Return the chance that of so many changes, in any gaps, all but `misses` fall into their windows.

    `windows` is `(2, gaps)`: where a change to 0 and where one to 1 is expected; changes alternate, beginning
    with one to `first`. Each set of gaps is as likely as the product of the times that they last, or as any
    other; the larger chance counts.
    """
    return max(_of_hits(part, windows, changes, misses, first) for part in (share, np.full_like(share, 1.0)))


def _of_hits(weight: Floats, windows: NDArray[np.bool_], changes: int, misses: int, first: int) -> float:
    weight = weight / max(float(weight.mean()), 1e-300)
    expected = windows[(first + np.arange(changes)) % 2].T
    # Row j, column m: the sum over all sets of j gaps so far of which m are outside of their windows.
    sums = np.zeros((changes + 1, changes + 2))
    sums[0, 0] = 1.0
    for part, right in zip(weight, expected, strict=True):
        step = part * sums[:-1, :-1]
        sums[1:, :-1] += np.where(right[:, None], step, 0.0)
        sums[1:, 1:] += np.where(right[:, None], 0.0, step)
    total = float(sums[changes].sum())
    return float(sums[changes, : misses + 1].sum()) / total if total else 1.0
