"""Which bytes of a group of messages count, or tell the time.

A counter goes up by the same step from message to message; a clock goes up in proportion to the time
that passed. Both say nothing about a state, but change between any two moments, so `packwire diff` sets them
aside.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from packwire.capture.packets import NO_TIME
from packwire.messages import Bytes, Int64s

#: A counter's or a clock's byte must have gone up so many times at least.
_MIN_STEPS = 8
#: Steps above this are no counter's or clock's.
_MAX_STEP = 15
#: So many of the steps of a counter are the same.
_STEADY = 0.9
#: A clock may differ from a straight line by so many of its ticks.
_JITTER = 1.6


class Ticking(StrEnum):
    """What makes a byte go up."""

    COUNTER = "counter"
    CLOCK = "clock"


@dataclass(frozen=True, slots=True)
class Counter:
    """A counter or clock in the bytes `at` (ascending), its least significant byte at `low`."""

    kind: Ticking
    at: tuple[int, ...]
    low: int


def find_counters(matrix: Bytes, time: Int64s) -> tuple[Counter, ...]:
    """Find counters and clocks in `(n, width)` messages seen at `time` (ns); the rows in order of time.

    A byte is taken as modulo 256. Beside it, bytes that change exactly when it wraps belong to it, as its
    more significant bytes, on either side.
    """
    if len(matrix) <= _MIN_STEPS:
        return ()
    steps = np.diff(matrix, axis=0)
    found: list[Counter] = []
    for at in np.flatnonzero(steps.any(axis=0)):
        kind = _ticks(steps[:, at], time)
        if kind is not None:
            wraps = matrix[1:, at] < matrix[:-1, at]
            found.append(Counter(kind, _with_carries(steps, int(at), wraps), int(at)))
    return tuple(found)


def _ticks(steps: Bytes, time: Int64s) -> Ticking | None:
    moved = steps[steps > 0]
    if len(moved) < _MIN_STEPS or (np.count_nonzero(moved > _MAX_STEP) > len(moved) // 50):
        return None
    usual = int(np.bincount(moved).argmax())
    if np.count_nonzero(steps == usual) >= _STEADY * len(steps):
        return Ticking.COUNTER
    if moved.max() > _MAX_STEP or (time == NO_TIME).any():
        return None
    value = np.concatenate(([0.0], np.cumsum(steps, dtype=np.float64)))
    seconds = (time - time[0]) / 1e9
    return Ticking.CLOCK if _straight(value, seconds) else None


def _straight(value: NDArray[np.float64], seconds: NDArray[np.float64]) -> bool:
    """Say whether a value is a straight line over time, rounded down to whole ticks."""
    spread = float(((seconds - seconds.mean()) ** 2).sum())
    if spread == 0:
        return False
    slope = float(((seconds - seconds.mean()) * (value - value.mean())).sum()) / spread
    residue = value - value.mean() - slope * (seconds - seconds.mean())
    return bool(np.abs(residue).max() <= _JITTER)


def _with_carries(steps: Bytes, low: int, wraps: NDArray[np.bool_]) -> tuple[int, ...]:
    """Return the byte and its more significant neighbours: those that change only when it wraps."""
    bytes_ = [low]
    if not wraps.any():
        return (low,)
    for way in (-1, 1):
        at, carry = low + way, wraps
        while 0 <= at < steps.shape[1] and np.array_equal(steps[:, at] != 0, carry) and carry.any():
            bytes_.append(at)
            carry = carry & (steps[:, at] == 0)
            at += way
            break
    return tuple(sorted(bytes_))
