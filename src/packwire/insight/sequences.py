"""Sequence numbers: bytes that count messages, of whatever kind, and so tell no kinds of messages apart."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

#: So many messages show whether a byte counts them ...
_LEAST = 16
#: ... nearly all with a step of at most this, most with the same one. Lost messages make a longer one, and
#: what is said again none.
_MAX_STEP, _NEARLY_ALL, _MOST = 15, 0.95, 0.6
#: Registers asked for in turn count up too, but begin again before long: so many of the numbers on the way
#: must be met.
_MET = 0.8


def is_sequence(values: NDArray[np.integer[Any]]) -> bool:
    """Say whether bytes count on from message to message, modulo 256."""
    if len(values) < _LEAST:
        return False
    numbers: NDArray[np.int64] = values.astype(np.int64)
    steps = (numbers[1:] - numbers[:-1]) & 0xFF
    small = (steps > 0) & (steps <= _MAX_STEP)
    if small.mean() < _NEARLY_ALL:
        return False
    if np.bincount(steps[small]).max() < _MOST * len(steps):
        return False
    on_the_way = min(len(values), 256 / float(steps[small].mean()))
    return len(np.unique(values)) >= _MET * on_the_way


def sequence_places(cells: NDArray[np.integer[Any]], sizes: NDArray[np.integer[Any]]) -> frozenset[int]:
    """Return which of the first bytes of messages, `(n, places)` in order, are a sequence number.

    Bytes beside it that change exactly when it begins again belong to it. Where each kind of message has a
    number of its own, all of nearly all lengths must count.
    """
    found: set[int] = set()
    for at in range(cells.shape[1]):
        here = sizes > at
        if here.mean() >= _MET and _counts(cells[here, at], sizes[here]):
            found |= {at, *_carries(cells[here], at)}
    return frozenset(found)


def _counts(values: NDArray[np.integer[Any]], sizes: NDArray[np.integer[Any]]) -> bool:
    if is_sequence(values):
        return True
    lots = [values[sizes == size] for size in np.unique(sizes)] if len(np.unique(sizes)) > 1 else []
    return sum(len(lot) for lot in lots if is_sequence(lot)) >= _NEARLY_ALL * len(values)


def _carries(cells: NDArray[np.integer[Any]], low: int) -> list[int]:
    wraps = cells[1:, low] < cells[:-1, low]
    beside = [at for at in (low - 1, low + 1) if 0 <= at < cells.shape[1]]
    return [at for at in beside if wraps.any() and np.array_equal(cells[1:, at] != cells[:-1, at], wraps)]
