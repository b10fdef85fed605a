"""How many bits it takes to write down what bytes do over time, as numbers of some width and byte order.

Whoever reads bytes in the way in which a firmware wrote them needs the fewest bits: a number that moves a
little has small differences, and its high byte says nothing that the carry of the low byte does not. Read at
the wrong place, or in the wrong order, the same bytes jump. This is the principle of minimum description
length; differences of bits are logarithms (base 2) of a Bayes factor.

All lengths are in bits, for each column of an `(n, m)` array of raw numbers.
"""

from functools import lru_cache
from math import log2

import numpy as np
from numpy.typing import NDArray

type Floats = NDArray[np.float64]
type Numbers = NDArray[np.int64]

#: The chance that a number never changes in a recording.
_CONSTANT = 0.5
#: What is expected of the size of a difference before any was seen: 0, then 1, 2 to 3, 4 to 7 and so on.
_FIRST, _NEXT, _RATIO = 1.0, 1.2, 0.75
#: So many different values at most may be those of an enumeration.
_NAMES = 12
#: The chance that a number begins with 0, that it is negative, and that it is near the one before it.
_ZERO, _NEGATIVE, _NEAR = 0.25, 0.12, 0.5
#: Floats are taken to lie between 2 ** -14 and 2 ** 24, or to be 0.
_EXPONENTS = range(127 - 14, 127 + 25)


def numbers(cells: NDArray[np.uint8], width: int, *, little: bool) -> Numbers:
    """Return the number of `width` bytes (8 at most) that begins at each place of `(n, m)` bytes."""
    places = cells.shape[1] - width + 1
    result = np.zeros((len(cells), max(places, 0)), dtype=np.int64)
    for byte in range(width if places > 0 else 0):
        shift = 8 * (byte if little else width - 1 - byte)
        result |= cells[:, byte : byte + places].astype(np.int64) << shift
    return np.asarray(result)


def over_time(series: Numbers, bits: int, *, is_float: bool = False) -> Floats:
    """Return how many bits it takes to say how each series goes on, once its first number is known.

    Floats were often made from coarse numbers: their lowest bits may never change.
    """
    rows, columns = series.shape
    if rows < 2 or not columns:
        return np.zeros(columns)
    half, mask = 1 << bits - 1, (1 << bits) - 1
    steps = ((np.diff(series, axis=0) + half) & mask) - half
    size = np.frexp(np.abs(steps).astype(np.float64))[1]
    counts = np.zeros((columns, bits + 1), dtype=np.int64)
    np.add.at(counts, (np.arange(columns), size), 1)
    learnt = _learning(bits + 1, rows)
    by_steps = learnt[-1][rows - 1] - learnt[np.arange(bits + 1), counts].sum(axis=1)
    by_steps += (counts * np.arange(bits + 1)).sum(axis=1)
    if is_float:
        by_steps -= _unused(steps) * (rows - 1 - counts[:, 0])
    by_steps = np.minimum(by_steps, _by_names(series, counts[:, 0], bits, is_float=is_float)) + 1
    still = counts[:, 0] == rows - 1
    return np.where(still, -log2(_CONSTANT), by_steps - log2(1 - _CONSTANT))


@lru_cache(maxsize=16)
def _learning(kinds: int, rows: int) -> Floats:
    """Return sums of logarithms for a Dirichlet distribution: for each kind by its count, last for all."""
    expected = np.array([_FIRST, *(_NEXT * _RATIO**kind for kind in range(kinds - 1))])
    weights = np.append(expected, expected.sum())
    steps = np.log2(weights[:, None] + np.arange(rows)[None])
    return np.concatenate((np.zeros((kinds + 1, 1)), np.cumsum(steps, axis=1)), axis=1)


def _unused(steps: Numbers) -> Numbers:
    """Return how many of the lowest bits are 0 in all steps."""
    together = np.bitwise_or.reduce(np.abs(steps), axis=0)
    lowest = np.frexp((together & -together).astype(np.float64))[1] - 1
    return np.asarray(np.maximum(lowest, 0), dtype=np.int64)


def _by_names(series: Numbers, unchanged: Numbers, bits: int, *, is_float: bool) -> Floats:
    """Return the bits it takes to say when each series changes, and to which of a few values.

    An integer that is a name moves in one byte: two that change together are two fields.
    """
    rows = len(series)
    ordered = np.sort(series, axis=0)
    values = (ordered[1:] != ordered[:-1]).sum(axis=0) + 1
    changes = rows - 1 - unchanged
    learnt = _learning(2, rows)
    result = learnt[-1][rows - 1] - learnt[0][unchanged] - learnt[1][changes]
    half, mask = 1 << bits - 1, (1 << bits) - 1
    away = ((series - series[0] + half) & mask) - half
    spread = np.frexp((away.max(axis=0) - away.min(axis=0)).astype(np.float64))[1]
    result = (
        result
        + (values - 1) * spread
        + log2(bits)
        + np.maximum(changes - values + 1, 0) * np.log2(np.maximum(values, 2))
    )
    return np.where((values <= _NAMES) & (is_float | (spread <= 8)), result, np.inf)


def at_first(first: Numbers, bits: int) -> Floats:
    """Return how many bits it takes to write down a number of which nothing is known: small ones take few."""
    negative = (first >> bits - 1) & 1 == 1
    size = np.where(negative, (1 << bits) - first, first)
    length = np.frexp(size.astype(np.float64))[1]
    result = log2(bits) + np.maximum(length - 1, 0) - log2(1 - _ZERO)
    result += np.where(negative, -log2(_NEGATIVE), -log2(1 - _NEGATIVE))
    return np.where(first == 0, -log2(_ZERO), result)


def beside(first: Numbers, before: Numbers, bits: int) -> Floats:
    """Return how many bits a number takes beside one of the same form, to which it may be near."""
    length = np.frexp(np.abs(first - before).astype(np.float64))[1]
    near = log2(bits) + length
    near = np.where(length == 0, 1.5, near) - log2(_NEAR)
    far = at_first(first, bits) - log2(1 - _NEAR)
    return np.minimum(near, far)


def as_float(series: Numbers) -> tuple[NDArray[np.bool_], Floats]:
    """Return which series of 32 bits may be floats, and the bits that the first number takes as one."""
    exponent = (series >> 23) & 0xFF
    low, high = _EXPONENTS.start, _EXPONENTS.stop
    plausible = ((series & 0x7FFFFFFF) == 0) | ((exponent >= low) & (exponent < high))
    moving = (series != series[:1]).any(axis=0)
    mantissa = series[0] & 0x7FFFFF
    trailing = np.frexp((mantissa & -mantissa).astype(np.float64))[1] - 1
    digits = np.where(mantissa == 0, 0, 23 - np.maximum(trailing, 0))
    length = log2(len(_EXPONENTS)) + 1.0 + digits + 1.5
    zero = (series[0] & 0x7FFFFFFF) == 0
    possible = plausible.all(axis=0) & (moving | ~zero)
    return possible, np.where(zero, -log2(_ZERO), length)
