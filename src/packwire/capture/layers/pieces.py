"""Putting a stream together: sequence numbers to positions, and overlapping segments to pieces.

Pure functions on columns. Nothing here takes more than n log n steps, whatever the numbers say.
"""

from collections.abc import Iterator
from heapq import heappop, heappush
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from packwire.messages import Int64s

#: A segment further than this from where its stream has got to is not of this connection: no receive window
#: is larger [RFC 7323, section 2.3].
MAX_JUMP = 1 << 30

_WRAP = 1 << 32
_BLOCK = 1 << 14


class Pieces(NamedTuple):
    """Non-overlapping pieces of a stream in its order.

    `position` in the stream, `size`, and where each comes from: `skip` bytes into segment `segment`.
    """

    position: Int64s
    size: Int64s
    segment: Int64s
    skip: Int64s


def unwrap(seq: Int64s, advance: Int64s, base: int | None) -> tuple[Int64s, NDArray[np.bool_]]:
    """Turn 32-bit sequence numbers, in order of arrival, into positions from `base` on.

    `advance` is how far each segment moves the stream on. Without a base (the connection began before the
    recording) positions count from the first segment and may be negative. Also returns which segments are
    strays: so far off that they belong to another connection.
    """
    count = len(seq)
    if count == 0:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.bool_)
    origin = int(seq[0]) if base is None else base
    steps = _signed(np.diff(seq, prepend=origin))
    if (np.abs(steps) < MAX_JUMP).all():
        positions = np.cumsum(steps)
        reached = np.maximum.accumulate(np.concatenate(([0], positions + advance)))[:-1]
        if (np.abs(positions - reached) < MAX_JUMP).all():
            return positions, np.zeros(count, dtype=np.bool_)
    positions, stray = _unwrap_one_by_one(seq, advance, origin)
    if base is None and 2 * np.count_nonzero(stray) > count:
        positions, stray = _unwrap_one_by_one(seq, advance, int(seq[count // 2]))
    return positions, stray


def _signed(difference: Int64s) -> Int64s:
    """Take differences of sequence numbers for the smallest steps that they can mean."""
    half = _WRAP >> 1
    return (difference + half) % _WRAP - half


def _unwrap_one_by_one(seq: Int64s, advance: Int64s, origin: int) -> tuple[Int64s, NDArray[np.bool_]]:
    """Do as `unwrap` where there may be strays: each number counts from how far the stream has got."""
    positions = np.zeros(len(seq), dtype=np.int64)
    stray = np.zeros(len(seq), dtype=np.bool_)
    reached = 0
    half = _WRAP >> 1
    for index, (number, size) in enumerate(_pairs(seq, advance)):
        step = (number - origin - reached + half) % _WRAP - half
        if abs(step) >= MAX_JUMP:
            stray[index] = True
            continue
        positions[index] = reached + step
        reached = max(reached, reached + step + size)
    return positions, stray


def _pairs(one: Int64s, other: Int64s) -> Iterator[tuple[int, int]]:
    """Yield numbers of two columns; some at a time, for as Python objects they take much memory."""
    for begin in range(0, len(one), _BLOCK):
        block = slice(begin, begin + _BLOCK)
        yield from zip(one[block].tolist(), other[block].tolist(), strict=True)


def first_wins(position: Int64s, size: Int64s) -> Pieces:
    """Put segments, given in order of arrival, in the order of the stream; the first copy of a byte wins."""
    order = np.lexsort((np.arange(len(position)), size, position))
    at, length = position[order], size[order]
    same = np.zeros(len(at), dtype=np.bool_)
    same[1:] = (at[1:] == at[:-1]) & (length[1:] == length[:-1])
    order, at, length = order[~same], at[~same], length[~same]
    if (at[:-1] + length[:-1] <= at[1:]).all():
        return Pieces(at, length, order, np.zeros(len(at), dtype=np.int64))
    return _sweep(at, length, order)


def _sweep(at: Int64s, length: Int64s, arrival: Int64s) -> Pieces:
    """Go along the stream with the segments that hold the current byte on a heap, the earliest on top."""
    begins: list[int] = at.tolist()
    ends: list[int] = (at + length).tolist()
    arrivals: list[int] = arrival.tolist()
    rows: list[tuple[int, int, int, int]] = []
    heap: list[tuple[int, int]] = []
    coming, here = 0, 0
    while heap or coming < len(begins):
        if not heap:
            here = begins[coming]
        while coming < len(begins) and begins[coming] <= here:
            heappush(heap, (arrivals[coming], coming))
            coming += 1
        if ends[heap[0][1]] <= here:
            heappop(heap)
            continue
        segment, index = heap[0]
        until = min(ends[index], begins[coming]) if coming < len(begins) else ends[index]
        _extend(rows, here, until, segment, here - begins[index])
        here = until
    table = np.array(rows, dtype=np.int64).reshape(-1, 4)
    return Pieces(table[:, 0], table[:, 1], table[:, 2], table[:, 3])


def _extend(rows: list[tuple[int, int, int, int]], here: int, until: int, segment: int, skip: int) -> None:
    """Add a piece, or make the last one longer where this continues it."""
    if rows:
        position, size, last, last_skip = rows[-1]
        if last == segment and position + size == here and last_skip + size == skip:
            rows[-1] = (position, size + until - here, segment, last_skip)
            return
    rows.append((here, until - here, segment, skip))
