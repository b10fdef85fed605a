"""What each bit of equal-length messages does: constant, how often it is set, how often it flips.

Bits are numbered from the least significant one: bit 0 of a byte has the value 1.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from packwire.messages import Bytes, Int64s

type Floats = NDArray[np.float64]
type Words = NDArray[np.uint64]

#: So many rows are added up in lanes of a word before a lane could overflow: 3 rows in lanes of two bits,
#: 5 such sums in lanes of four (3 * 5 = 15), 17 such sums in lanes of eight (15 * 17 = 255).
_STAGES = ((3, 1, 0x5555555555555555), (5, 2, 0x3333333333333333), (17, 4, 0x0F0F0F0F0F0F0F0F))
_BLOCK = 3 * 5 * 17
#: Bytes that are worked on at a time: small enough to stay in the processor's cache.
_CHUNK = 128 * 1024


@dataclass(frozen=True, slots=True)
class BitCounts:
    """The account of each bit of `(n, width)` messages; arrays have the shape `(width, 8)`.

    ones   int64, in how many messages the bit is set
    flips  int64, how often it differs from the message before
    """

    count: int
    ones: Int64s
    flips: Int64s

    @property
    def activity(self) -> Floats:
        """Return the flips of each bit per possible flip, 0 to 1: the data of a heat map."""
        return np.asarray(self.flips / max(self.count - 1, 1))


def count_bits(matrix: Bytes) -> BitCounts:
    """Count the set bits and the flips of `(n, width)` uint8 messages."""
    rows, width = matrix.shape
    words = -(-width // 8)
    chunk = max(_CHUNK // max(words * 8, 1) // _BLOCK, 1) * _BLOCK
    ones = np.zeros((8, words * 8), dtype=np.int64)
    flips = np.zeros((8, words * 8), dtype=np.int64)
    buffer = np.zeros((chunk + 1, words * 8), dtype=np.uint8)
    for begin in range(0, rows, chunk):
        taken = min(chunk, rows - begin)
        # Row 0 of the buffer is the message before: for the first one, the first message itself.
        buffer[0, :width] = matrix[max(begin - 1, 0)]
        buffer[1 : taken + 1, :width] = matrix[begin : begin + taken]
        padded = -(-taken // _BLOCK) * _BLOCK
        buffer[taken + 1 : padded + 1] = 0
        wide = buffer.view(np.uint64)
        ones += _lane_sums(wide[1 : padded + 1])
        changed = wide[1 : padded + 1] ^ wide[:padded]
        changed[taken:] = 0
        flips += _lane_sums(changed)
    return BitCounts(rows, ones.T[:width], flips.T[:width])


def bit_values(column: Bytes, bit: int) -> NDArray[np.bool_]:
    """Return one bit of a column of bytes."""
    return np.asarray((column >> np.uint8(bit)) & np.uint8(1), dtype=np.bool_)


def _lane_sums(rows: Words) -> Int64s:
    """Add up `(255 * n, words)` rows bit by bit; returns `(8, bytes)`: the sum for each bit of each byte."""
    lanes = rows[np.newaxis]
    for fold, shift, mask in _STAGES:
        low = lanes & np.uint64(mask)
        high = (lanes >> np.uint64(shift)) & np.uint64(mask)
        # Lane p of the result holds what lane p and p + shift held: keep both, the low one first.
        split = np.concatenate((low, high))
        split = split.reshape(split.shape[0], fold, -1, split.shape[2])
        lanes = split.sum(axis=1, dtype=np.uint64)
    # Row p of the lanes is bit p: each stage put the half that it shifted behind the other.
    return np.asarray(np.ascontiguousarray(lanes).view(np.uint8).sum(axis=1, dtype=np.int64))
