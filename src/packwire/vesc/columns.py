"""VESC frames in many places at once: nearly every piece of a recording is exactly one frame.

The checksum is computed only where start byte, length and stop byte fit together.
"""

import numpy as np
from numpy.typing import NDArray

from packwire.columns import distinct, gather
from packwire.messages import Bytes, Int64s
from packwire.vesc.framing import MAX_PAYLOAD, STOP, TRAILER
from packwire.wire.checksum import crc16_xmodem

_SHORT, _LONG = 2, 3
#: Start byte -> shortest payload; the number of the start byte is also the size of the header.
_SHORTEST = {_SHORT: 1, _LONG: 255}

#: Checksums are computed over this many bytes at a time, so that they stay in the processor's cache.
_BLOCK = 1 << 19
#: Where checksums would be computed over more than so many times the bytes that there are, all are at once.
_TIMES_OVER = 16


class VescColumns:
    """The looks below, as `packwire.protocol.observing.Columns`."""

    longest = _LONG + MAX_PAYLOAD + TRAILER

    def plausible(self, data: Bytes, at: Int64s, end: Int64s) -> tuple[Int64s, Int64s]:
        """Return the rows at whose place something stands that ends like a frame, and its size."""
        return plausible_frames(data, at, end)

    def right(self, data: Bytes, at: Int64s, size: Int64s) -> NDArray[np.bool_]:
        """Tell of what `plausible` found whether the CRC is right."""
        return frames_among(data, at, size)

    def exact(self, data: Bytes, start: Int64s, size: Int64s) -> NDArray[np.bool_]:
        """Tell which pieces are exactly one right frame each."""
        return exact_frames(data, start, size)

    def message_sizes(self, data: Bytes, start: Int64s, size: Int64s) -> Int64s:
        """Return how many bytes the payloads in right frames have."""
        return size - data[start].astype(np.int64) - TRAILER

    def candidates(self, data: Bytes) -> Int64s:
        """Return the places where a frame may begin."""
        return np.flatnonzero((data == _SHORT) | (data == _LONG))


def plausible_frames(data: Bytes, at: Int64s, end: Int64s) -> tuple[Int64s, Int64s]:
    """Return the rows at whose offset something stands that ends like a frame, before `end`, and its size."""
    rows_of, size_of = [], []
    for begin, shortest in _SHORTEST.items():
        rows = np.flatnonzero(end - at >= begin + shortest + TRAILER)
        rows = rows[data[at[rows]] == begin]
        length = gather(data, at[rows] + 1, "u1" if begin == _SHORT else ">u2").astype(np.int64)
        size = begin + length + TRAILER
        fits = (length >= shortest) & (length <= MAX_PAYLOAD) & (size <= (end - at)[rows])
        rows, size = rows[fits], size[fits]
        stops = data[at[rows] + size - 1] == STOP
        rows_of.append(rows[stops])
        size_of.append(size[stops])
    rows, size = np.concatenate(rows_of), np.concatenate(size_of)
    order = np.argsort(rows)
    return rows[order], size[order]


def frames_among(data: Bytes, at: Int64s, size: Int64s) -> NDArray[np.bool_]:
    """Tell of which places, with the sizes that `plausible_frames` found, the CRC is right.

    Where they overlap many times over, as false headers do, it is not computed for each of them anew.
    """
    begin, end = at + data[at], at + size - 1
    if int((end - begin).sum()) <= _TIMES_OVER * len(data):
        view = memoryview(data)
        places = zip(begin.tolist(), end.tolist(), strict=True)
        return np.array([crc16_xmodem(view[first:last]) == 0 for first, last in places], dtype=np.bool_)
    sums = _running_sums(data)
    same: NDArray[np.bool_] = sums[begin] == sums[end]
    return same


def _running_sums(data: Bytes) -> NDArray[np.uint16]:
    """Return a number for each place, the same at two of them where the bytes between have a CRC of 0.

    A CRC is the remainder of a polynomial: here of all bytes up to a place, divided by x to its power.
    """
    power = (-8 * np.arange(len(data), dtype=np.int64)) % _PERIOD
    terms = np.zeros(len(data) + 1, dtype=np.uint16)
    for bit in range(8):
        terms[1:] ^= np.where(data >> np.uint8(bit) & np.uint8(1), _POWERS[power + bit], np.uint16(0))
    sums: NDArray[np.uint16] = np.bitwise_xor.accumulate(terms)
    return sums


def exact_frames(data: Bytes, start: Int64s, sizes: Int64s) -> NDArray[np.bool_]:
    """Tell which pieces are exactly one frame with the right CRC."""
    result = np.zeros(len(sizes), dtype=np.bool_)
    rows, size = plausible_frames(data, start, start + sizes)
    whole = size == sizes[rows]
    rows, size = rows[whole], size[whole]
    for width in distinct(size):
        same = rows[size == width]
        for block in range(0, len(same), max(_BLOCK // width, 1)):
            some = same[block : block + max(_BLOCK // width, 1)]
            result[some] = _right_crc(gather(data, start[some], f"V{width}"), width)
    return result


def _right_crc(frames: NDArray[np.void], width: int) -> NDArray[np.bool_]:
    """Check many frames of one size at once."""
    columns = np.ascontiguousarray(frames.view(np.uint8).reshape(-1, width).T)
    header = _SHORT if width <= _SHORT + 0xFF + TRAILER else _LONG
    crc = np.zeros(columns.shape[1], dtype=np.uint16)
    for row in range(header, width - TRAILER):
        crc = crc << np.uint16(8) ^ _CRC_STEP[(crc >> np.uint16(8)).astype(np.uint8) ^ columns[row]]
    said = columns[width - 3].astype(np.uint16) << np.uint16(8) | columns[width - 2]
    good: NDArray[np.bool_] = crc == said
    return good


def _times_x(remainders: NDArray[np.uint32]) -> NDArray[np.uint32]:
    doubled = remainders << 1
    return np.where(doubled & 0x10000, doubled ^ 0x11021, doubled)


def _powers_of_x() -> NDArray[np.uint16]:
    """Return the remainders of the powers of x; from each number of them follow as many again."""
    powers = np.ones(1, dtype=np.uint32)
    while len(powers) < _PERIOD + 8:
        next_power = int(_times_x(powers[-1:])[0])
        product, shifted = np.zeros_like(powers), powers
        while next_power:
            if next_power & 1:
                product = product ^ shifted
            next_power >>= 1
            shifted = _times_x(shifted)
        powers = np.concatenate((powers, product))
    return powers[: _PERIOD + 8].astype(np.uint16)


#: CRC-16/XMODEM of each single byte: what one step of the checksum adds.
_CRC_STEP = np.array([crc16_xmodem(bytes((value,))) for value in range(256)], dtype=np.uint16)
#: After so many powers of x the remainders come again.
_PERIOD = (1 << 15) - 1
_POWERS = _powers_of_x()
