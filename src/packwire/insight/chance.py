"""How likely a bit which has nothing to do with a switch looks as if it had.

Two questions, because there are two kinds of evidence; all results are expectations or probabilities, at
most 1. Each is multiplied by the number of bits that were looked at, since the best of many is shown.
"""

from math import comb, exp, lgamma, log


def of_changes_at_marks(gaps: int, changes: int, window: int, states: int, bits: int) -> float:
    """Return the chance that a bit changes at the marks, and only there, by accident.

    The bit changed `changes` times in `gaps` places between two messages. Were these any places, all equally
    likely, then `window ** changes` of the `gaps` over `changes` sets of places would look like this one
    (each change may come up to `window` messages late), for each of the `2 ** (states - 1) - 1` ways in which
    a bit can depend on the state.
    """
    if changes == 0 or changes > gaps:
        return 1.0
    sets = lgamma(gaps + 1) - lgamma(changes + 1) - lgamma(gaps - changes + 1)
    ways = log(max(2 ** (min(states, 60) - 1) - 1, 1))
    return min(1.0, exp(min(changes * log(window) - sets + ways + log(max(bits, 1)), 0.0)))


def of_values_by_recording(recordings: int, states: int, bits: int) -> float:
    """Return the chance that a bit which is constant in each recording agrees with the states by accident.

    Between recordings any time may pass, so such a bit counts as a coin that is tossed for each recording:
    `2 ** states - 2` of the `2 ** recordings` outcomes agree with the states and differ between two of them.
    """
    return min(1.0, (2.0 ** min(states, 60) - 2) / 2.0 ** min(recordings, 1000) * max(bits, 1))


def of_hits(changes: int, hits: int, share: float, ways: int, bits: int) -> float:
    """Return the chance that `hits` or more of `changes` fall into windows which hold `share` of all places.

    A binomial tail, times the `ways` in which writes could have been matched with directions.
    """
    tail = sum(comb(changes, n) * share**n * (1 - share) ** (changes - n) for n in range(hits, changes + 1))
    return min(1.0, tail * ways * max(bits, 1))
