"""One side's stream of a TCP connection [RFC 9293]: put together from its segments, with gaps.

Streams are not copied: a stream is a list of pieces of the file, each with its position in the stream. Where
segments overlap, the one recorded first wins.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntFlag
from typing import NamedTuple, overload

import numpy as np
from numpy.typing import NDArray

from packwire.capture.layers.pieces import first_wins, unwrap
from packwire.capture.packets import Packets
from packwire.messages import Bytes, Int64s


class Flag(IntFlag):
    """Control bits of a segment."""

    FIN = 1
    SYN = 2
    RST = 4
    ACK = 16


#: So many pieces of a stream are joined at a time: as Python objects they take much memory.
_JOINED_AT_ONCE = 1 << 14


class Gap(NamedTuple):
    """Bytes of a stream that are not in the recording.

    `position` is that of the first missing byte in the stream. `after` is the number of the packet that holds
    the last byte before the gap (0: none does). `cut` says that this packet was cut short by the snap length;
    otherwise packets are missing.
    """

    position: int
    missing: int
    after: int
    cut: bool


@dataclass(frozen=True, slots=True)
class Stream:
    """The bytes that one side of a connection sent, as pieces of the file in the order of the stream.

    position  int64, where each piece begins in the stream; position 0 is the first byte behind the SYN, or
              the first byte recorded of a connection that began earlier
    size      int64, how many bytes it has
    start     int64, where they lie in `data`
    number    int64, the number of the packet that they are in
    time      int64, ns: when the piece and all before it had been seen, as a receiver gets them

    `acknowledged` is the position up to which the other side said that it got everything (None: it said
    nothing). `retransmitted` counts segments that brought nothing new, `reordered` those that came after
    later bytes, `strays` those that cannot be of this connection.
    """

    data: Bytes
    position: Int64s
    size: Int64s
    start: Int64s
    number: Int64s
    time: Int64s
    gaps: Sequence[Gap] = ()
    acknowledged: int | None = None
    retransmitted: int = 0
    reordered: int = 0
    strays: int = 0

    @property
    def end(self) -> int:
        """Return the position behind the last byte that was recorded."""
        return int(self.position[-1] + self.size[-1]) if len(self.position) else 0

    @property
    def recorded(self) -> int:
        """Return how many bytes are there, gaps not counted."""
        return int(self.size.sum())

    def joined(self) -> bytes:
        """Return the recorded bytes in one piece; what is missing in a gap is left out."""
        view, result = memoryview(self.data), bytearray()
        for begin in range(0, len(self.start), _JOINED_AT_ONCE):
            block = slice(begin, begin + _JOINED_AT_ONCE)
            pieces = zip(self.start[block].tolist(), self.size[block].tolist(), strict=True)
            result += b"".join([view[start : start + size] for start, size in pieces])
        return bytes(result)

    def piece_at(self, position: int) -> int:
        """Return the index of the piece that holds a position, or of the one before it in a gap; -1: none."""
        return int(np.searchsorted(self.position, position, side="right")) - 1


@dataclass(frozen=True, slots=True)
class Segments:
    """TCP segments: columns of equal length.

    row is the row in the table of packets; source and destination number the endpoints; seq is the sequence
    number of the first payload byte (behind a SYN); start and size say where the captured payload lies in the
    file, wire_size how much of it there was on the wire.
    """

    row: Int64s
    source: Int64s
    destination: Int64s
    seq: Int64s
    ack: Int64s
    flags: Int64s
    start: Int64s
    size: Int64s
    wire_size: Int64s

    def __len__(self) -> int:
        return len(self.row)

    def take(self, index: Int64s | slice) -> "Segments":
        """Return some of the segments, in the order given."""
        return Segments(*(getattr(self, column)[index] for column in self.__slots__))


def stream(packets: Packets, segments: Segments, of_side: NDArray[np.bool_]) -> Stream:
    """Put together what one side of a connection sent: the segments of a mask."""
    own = segments if of_side.all() else segments.take(np.flatnonzero(of_side))
    syn = np.flatnonzero(own.flags & Flag.SYN)
    base = int(own.seq[syn[0]]) if len(syn) else None
    position, stray = unwrap(own.seq, own.wire_size, base)
    if stray.any():
        own, position = own.take(np.flatnonzero(~stray)), position[~stray]
    before = np.iinfo(np.int64).min // 2
    reached = np.maximum.accumulate(np.concatenate(([before], position + own.wire_size)))[:-1]
    keep_alive = (position == reached - 1) & (own.wire_size <= 1) & (own.flags & ~Flag.ACK & 7 == 0)
    with_data = (own.size > 0) & ~keep_alive

    # Without a SYN the stream begins with the first byte seen; with one, nothing lies before position 0.
    lowest = int(position[with_data].min()) if base is None and with_data.any() else 0
    outside = np.maximum(lowest - position, 0)
    data_rows = np.flatnonzero(with_data & (own.size > outside))
    trim = outside[data_rows]
    pieces = first_wins(position[data_rows] - lowest + trim, own.size[data_rows] - trim)
    source = data_rows[pieces.segment]
    row = own.row[source]
    sent, acknowledged = _how_far(segments, of_side, own, position, lowest)
    cut = own.wire_size[source] > own.size[source]
    return Stream(
        data=packets.data,
        position=pieces.position,
        size=pieces.size,
        start=own.start[source] + outside[source] + pieces.skip,
        number=row + 1,
        time=np.maximum.accumulate(packets.time[row]),
        gaps=_gaps(pieces.position, pieces.size, row + 1, cut, sent),
        acknowledged=acknowledged,
        retransmitted=int(np.count_nonzero(with_data)) - _distinct(source, len(own)),
        reordered=_distinct(source[position[source] < reached[source]], len(own)),
        strays=int(np.count_nonzero(stray)),
    )


def _distinct(rows: Int64s, count: int) -> int:
    """Return how many different rows below `count` there are."""
    seen = np.zeros(count, dtype=np.bool_)
    seen[rows] = True
    return int(np.count_nonzero(seen))


def _how_far(
    segments: Segments, of_side: NDArray[np.bool_], own: Segments, position: Int64s, lowest: int
) -> tuple[int, int | None]:
    """Return up to which position the stream was sent, by all that both sides say, and acknowledged.

    A side that sent bytes which were not recorded gives itself away by its next sequence number, or the
    other side does by acknowledging them.
    """
    sent = int((position + own.wire_size).max()) - lowest if len(own) else 0
    origin = int(own.seq[0] - position[0]) % (1 << 32) if len(own) else None
    fin = np.flatnonzero(own.flags & Flag.FIN)
    last = int((position + own.wire_size)[fin[0]]) - lowest if len(fin) else None
    acks = np.flatnonzero(~of_side & (segments.flags & Flag.ACK != 0))
    acked, stray = unwrap(segments.ack[acks], np.zeros(len(acks), dtype=np.int64), origin)
    acknowledged = int(acked[~stray].max()) - lowest if not stray.all() else None
    if last is not None:
        sent = min(sent, last)
        acknowledged = min(acknowledged, last) if acknowledged is not None else None
    elif acknowledged == sent + 1:
        # A FIN counts as one byte; this one was not recorded.
        acknowledged = sent
    return max(sent, acknowledged or 0), acknowledged


class _Gaps(Sequence[Gap]):
    """Gaps kept as columns: a recording with holes may have one for every packet."""

    def __init__(self, columns: tuple[Int64s, Int64s, Int64s, NDArray[np.bool_]]) -> None:
        self._columns = columns

    def __len__(self) -> int:
        return len(self._columns[0])

    @overload
    def __getitem__(self, index: int) -> Gap: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Gap]: ...
    def __getitem__(self, index: int | slice) -> Gap | Sequence[Gap]:
        position, missing, after, cut = self._columns
        if isinstance(index, slice):
            return _Gaps((position[index], missing[index], after[index], cut[index]))
        return Gap(int(position[index]), int(missing[index]), int(after[index]), bool(cut[index]))


def _gaps(position: Int64s, size: Int64s, number: Int64s, cut: NDArray[np.bool_], sent: int) -> Sequence[Gap]:
    begins = np.concatenate(([0], position + size))
    missing = np.concatenate((position, [max(sent, int(begins[-1]))])) - begins
    at = np.flatnonzero(missing > 0)
    if not len(at):
        return ()
    after, was_cut = np.concatenate(([0], number)), np.concatenate(([False], cut))
    return _Gaps((begins[at], missing[at], after[at], was_cut[at]))
