"""VESC frames in a stream: nearly every piece of it is exactly one frame, and those are found all at once.

Everything else (frames over several segments, several in one, junk) goes through the same Framer as live
bytes do, with the same result as if all had gone through it. Nothing is put together across a gap.
"""

from array import array
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from packwire.capture.layers.tcp_stream import Stream
from packwire.capture.packets import gather
from packwire.messages import Bytes, Int64s
from packwire.vesc.framing import MAX_PAYLOAD, STOP, TRAILER, Framer
from packwire.wire.checksum import crc16_xmodem
from packwire.wire.frame import Frame, FrameStats

_SHORT, _LONG = 2, 3
#: Start byte -> shortest payload; the number of the start byte is also the size of the header.
_SHORTEST = {_SHORT: 1, _LONG: 255}

LONGEST_FRAME = _LONG + MAX_PAYLOAD + TRAILER

#: Checksums are computed over this many bytes at a time, so that they stay in the processor's cache.
_BLOCK = 1 << 19
#: Where checksums would be computed over more than so many times the bytes that there are, all are at once.
_TIMES_OVER = 16


@dataclass(frozen=True, slots=True)
class StreamFrames:
    """The frames of one stream; `start` and `size` count recorded bytes of the stream (gaps left out).

    `payload_size` is int64 too. `payloads` holds the payloads, by row, of the frames that did not come in one
    piece. `stats` accounts for all bytes behind the hub line.
    """

    start: Int64s
    size: Int64s
    payload_size: Int64s
    payloads: dict[int, bytes]
    stats: FrameStats

    def __len__(self) -> int:
        return len(self.start)


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


def is_frame(data: Bytes, at: int) -> bool:
    """Check the CRC of something that `plausible_frames` found."""
    begin = int(data[at])
    length = int.from_bytes(data[at + 1 : at + begin].tobytes())
    payload_at = at + begin
    crc = int.from_bytes(data[payload_at + length : payload_at + length + 2].tobytes())
    return crc16_xmodem(data[payload_at : payload_at + length].tobytes()) == crc


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


def find_frames(stream: Stream, skip: int) -> StreamFrames:
    """Find all frames of a stream behind its first `skip` bytes, which are a line for a hub."""
    exact = _exact_frames(stream)
    if skip:
        exact[: int(np.searchsorted(np.cumsum(stream.size), skip, side="right")) + 1] = False
    reader = _Reader(stream, skip)
    # Where a run of exact frames begins or ends, and where bytes are missing, the way of reading changes.
    missing = stream.position[1:] != stream.position[:-1] + stream.size[:-1]
    changes = np.flatnonzero(missing | (exact[1:] != exact[:-1])) + 1
    bounds = [0, *changes.tolist(), len(exact)] if len(exact) else []
    for begin, end in pairwise(bounds):
        if begin and missing[begin - 1]:
            reader.break_off()
        while begin < end and not (exact[begin] and reader.at_boundary):
            reader.feed(begin)
            begin += 1  # noqa: PLW2901 - what is left of the run
        reader.take_exact(begin, end)
    return reader.result()


@dataclass(slots=True)
class _Columns:
    start: "array[int]" = field(default_factory=lambda: array("q"))
    size: "array[int]" = field(default_factory=lambda: array("q"))
    payload_size: "array[int]" = field(default_factory=lambda: array("q"))


class _Reader:
    """Takes the pieces of a stream in order, those that are exact frames many at a time."""

    def __init__(self, stream: Stream, skip: int) -> None:
        self._stream = stream
        self._view = memoryview(stream.data)
        self._skip = skip
        self._begins: Int64s = np.concatenate(([0], np.cumsum(stream.size)))
        self._framer = Framer()
        self._past = FrameStats()
        """What went past the framer."""
        self._columns = _Columns()
        self._payloads: dict[int, bytes] = {}

    @property
    def at_boundary(self) -> bool:
        """Whether no frame has begun, so that an exact frame is one."""
        return self._framer.stats.waiting is None

    @property
    def _ahead(self) -> int:
        """How many bytes of the stream the framer did not see: what its positions are short of."""
        return self._skip + self._past.received

    def feed(self, index: int) -> None:
        """Give one piece to the framer."""
        start, size = int(self._stream.start[index]), int(self._stream.size[index])
        skipped = min(max(self._skip - int(self._begins[index]), 0), size)
        self._add(self._framer.feed(bytes(self._view[start + skipped : start + size])))

    def take_exact(self, begin: int, end: int) -> None:
        """Take pieces that are exactly one frame each, with nothing begun before them."""
        if begin >= end:
            return
        size = self._stream.size[begin:end]
        header = self._stream.data[self._stream.start[begin:end]].astype(np.int64)
        self._columns.start.frombytes(self._begins[begin:end].tobytes())
        self._columns.size.frombytes(size.tobytes())
        self._columns.payload_size.frombytes((size - header - TRAILER).tobytes())
        self._past.frames += end - begin
        self._past.received += int(size.sum())

    def break_off(self) -> None:
        """Forget a frame that has begun: bytes are missing here."""
        self._rescue()
        self._framer.reset()

    def result(self) -> StreamFrames:
        """Return the frames; what the framer still waits for is in `stats`."""
        self._rescue()
        seen = self._framer.stats
        waiting = seen.waiting
        stats = replace(
            seen,
            received=seen.received + self._past.received,
            frames=seen.frames + self._past.frames,
            waiting=waiting._replace(since=waiting.since + self._ahead) if waiting else None,
        )
        columns = (self._columns.start, self._columns.size, self._columns.payload_size)
        start, size, payload_size = (np.array(column, dtype=np.int64) for column in columns)
        return StreamFrames(start, size, payload_size, self._payloads, stats)

    def _rescue(self) -> None:
        """Take the frames behind a false header: all bytes are known, so nothing else can come."""
        while more := self._framer.rescue():
            self._add(more)

    def _add(self, frames: list[Frame]) -> None:
        for frame in frames:
            start = frame.start + self._ahead
            piece = int(np.searchsorted(self._begins, start, side="right"))
            if start + frame.size > self._begins[piece]:
                self._payloads[len(self._columns.start)] = frame.payload
            self._columns.start.append(start)
            self._columns.size.append(frame.size)
            self._columns.payload_size.append(len(frame.payload))


def _exact_frames(stream: Stream) -> NDArray[np.bool_]:
    """Tell which pieces are exactly one frame with the right CRC."""
    result = np.zeros(len(stream.size), dtype=np.bool_)
    rows, size = plausible_frames(stream.data, stream.start, stream.start + stream.size)
    whole = size == stream.size[rows]
    rows, size = rows[whole], size[whole]
    for width in np.unique(size).tolist():
        same = rows[size == width]
        for block in range(0, len(same), max(_BLOCK // width, 1)):
            some = same[block : block + max(_BLOCK // width, 1)]
            result[some] = _right_crc(gather(stream.data, stream.start[some], f"V{width}"), width)
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


def _powers_of_x() -> NDArray[np.uint16]:
    powers = [1]
    while len(powers) < _PERIOD + 8:
        doubled = powers[-1] << 1
        powers.append(doubled ^ (0x11021 if doubled & 0x10000 else 0))
    return np.array(powers, dtype=np.uint16)


#: CRC-16/XMODEM of each single byte: what one step of the checksum adds.
_CRC_STEP = np.array([crc16_xmodem(bytes((value,))) for value in range(256)], dtype=np.uint16)
#: After so many powers of x the remainders come again.
_PERIOD = (1 << 15) - 1
_POWERS = _powers_of_x()
