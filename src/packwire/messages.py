"""The table of messages: what was said, when, in which direction and on which channel.

A capture and a live link both give this table, so that all that works on one works on the other. Payloads
stay where they lie in the file (memory-mapped) wherever they are contiguous; only what had to be put
together from several packets is held in a second segment.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from packwire.channel import Channel
from packwire.columns import spans
from packwire.direction import Direction

__all__ = ["Direction", "Messages", "Row", "from_rows"]

type Int8s = NDArray[np.int8]
type Int32s = NDArray[np.int32]
type Int64s = NDArray[np.int64]
type Bytes = NDArray[np.uint8]


#: So many messages at a time are put in one piece; byte by byte, which is fast where they are short, or else
#: one by one.
_BLOCK, _SMALL = 1 << 12, 1 << 18


@dataclass(frozen=True, slots=True)
class Messages:
    """Byte strings with their columns; row `i` of each column belongs to message `i`.

    time       int64, nanoseconds since the epoch
    direction  int8, see `Direction`
    channel    int32, index into `channels`
    start      int64, where the payload begins: below `len(data)` in `data` (the file), above in `joined`
    size       int64, how many bytes it has
    packets    int64, the numbers (from 1, as Wireshark counts) of the packets that message `i` came from are
               `packets[packet_offsets[i]:packet_offsets[i + 1]]`
    """

    time: Int64s
    direction: Int8s
    channel: Int32s
    start: Int64s
    size: Int64s
    packets: Int64s
    packet_offsets: Int64s
    channels: tuple[Channel, ...]
    data: Bytes
    joined: Bytes

    def __len__(self) -> int:
        return len(self.time)

    def payload(self, index: int) -> bytes:
        """Return the bytes of one message."""
        start, size = int(self.start[index]), int(self.size[index])
        if start < len(self.data):
            return self.data[start : start + size].tobytes()
        start -= len(self.data)
        return self.joined[start : start + size].tobytes()

    def payloads(self) -> Iterator[bytes]:
        """Yield the bytes of each message in order."""
        return (self.payload(index) for index in range(len(self)))

    def stream(self, rows: Int64s) -> bytes:
        """Return the bytes of some messages, in the order given, in one piece."""
        parts = []
        for begin in range(0, len(rows), _BLOCK):
            block = rows[begin : begin + _BLOCK]
            start, size = self.start[block], self.size[block]
            if (start < len(self.data)).all() and size.sum() <= _SMALL:
                parts.append(self.data[spans(start, size)].tobytes())
            else:
                parts += [self.payload(row) for row in block.tolist()]
        return b"".join(parts)

    def packets_of(self, index: int) -> tuple[int, ...]:
        """Return the numbers of the packets that one message came from."""
        first, last = self.packet_offsets[index : index + 2]
        return tuple(int(number) for number in self.packets[first:last])

    def select(self, rows: NDArray[np.bool_] | Int64s) -> "Messages":
        """Return the rows that a mask or an index array names, in the order given."""
        index = np.flatnonzero(rows) if rows.dtype == np.bool_ else rows.astype(np.int64)
        counts = np.diff(self.packet_offsets)[index]
        offsets = np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
        numbers = self.packets[spans(self.packet_offsets[:-1][index], counts)]
        return replace(
            self,
            time=self.time[index],
            direction=self.direction[index],
            channel=self.channel[index],
            start=self.start[index],
            size=self.size[index],
            packets=numbers,
            packet_offsets=offsets,
        )

    def matrix(self, rows: NDArray[np.bool_] | Int64s | None = None) -> Bytes:
        """Return equal-length messages as `(n, width)` uint8.

        Raises ValueError where the lengths differ: group by `size` first.
        """
        picked = self if rows is None else self.select(rows)
        if len(picked) == 0:
            return np.zeros((0, 0), dtype=np.uint8)
        width = int(picked.size[0])
        if (picked.size != width).any():
            raise ValueError("messages of different lengths have no matrix: group them by size first")
        result = np.empty((len(picked), width), dtype=np.uint8)
        columns = np.arange(width)
        in_file = picked.start < len(self.data)
        result[in_file] = self.data[picked.start[in_file, None] + columns]
        result[~in_file] = self.joined[picked.start[~in_file, None] - len(self.data) + columns]
        return result


@dataclass(frozen=True, slots=True)
class Row:
    """One message to be put in a table by `from_rows`."""

    time: int
    direction: Direction
    channel: int
    start: int
    size: int
    packets: Sequence[int]


def from_rows(rows: Sequence[Row], channels: Sequence[Channel], data: Bytes, joined: Bytes) -> Messages:
    """Build the table from rows; for readers whose messages come one by one."""
    counts = [len(row.packets) for row in rows]
    return Messages(
        time=np.array([row.time for row in rows], dtype=np.int64),
        direction=np.array([row.direction for row in rows], dtype=np.int8),
        channel=np.array([row.channel for row in rows], dtype=np.int32),
        start=np.array([row.start for row in rows], dtype=np.int64),
        size=np.array([row.size for row in rows], dtype=np.int64),
        packets=np.array([number for row in rows for number in row.packets], dtype=np.int64),
        packet_offsets=np.concatenate(([0], np.cumsum(counts))).astype(np.int64),
        channels=tuple(channels),
        data=data,
        joined=joined,
    )
