"""The table of a protocol's messages: of all streams, by time."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from packwire.capture.layers.stream_frames import StreamFrames
from packwire.capture.layers.tcp_stream import Stream
from packwire.channel import Channel
from packwire.columns import offsets_of
from packwire.messages import Bytes, Direction, Int64s, Messages


class LocatedFrames(NamedTuple):
    """The frames of one stream and where their payloads lie: columns, a row for each frame.

    `start` is the payload's offset in the file, -1 where it is not in one piece; `first` and `last` are the
    pieces that the whole frame begins and ends in.
    """

    frames: StreamFrames
    start: Int64s
    first: Int64s
    last: Int64s


class FrameTable:
    """Collects the messages of all streams into the columns of one table, sorted by time."""

    def __init__(self, data: Bytes) -> None:
        self.data = data
        self._joined = bytearray()
        self._columns: list[tuple[Int64s, ...]] = []
        self._several: dict[tuple[int, int], list[int]] = {}

    def add(
        self, channel: int, stream: Stream, found: LocatedFrames, direction: Direction | Sequence[Direction]
    ) -> None:
        """Take the messages of one stream, of one direction or each with its own."""
        start = found.start.copy()
        for row in np.flatnonzero(start < 0).tolist():
            start[row] = len(self.data) + len(self._joined)
            self._joined += found.frames.payloads[row]
        block = len(self._columns)
        for row in np.flatnonzero(found.last > found.first).tolist():
            numbers = stream.number[found.first[row] : found.last[row] + 1].tolist()
            self._several[block, row] = list(dict.fromkeys(numbers))
        count = len(start)
        self._columns.append(
            (
                stream.time[found.last],
                np.broadcast_to(np.array(direction, dtype=np.int64), (count,)),
                np.full(count, channel),
                start,
                found.frames.payload_size,
                stream.number[found.last],
                np.full(count, block),
                np.arange(count),
                # Where a hole was filled late, several messages come at one time: in the stream's order.
                np.maximum.accumulate(stream.number[found.last]),
            )
        )

    def messages(self, channels: list[Channel]) -> Messages:
        """Return the table. Messages of equal time stay in the order of their packets."""
        none = np.zeros(0, dtype=np.int64)
        parts = list(zip(*self._columns, strict=True)) or [(none,)] * 9
        columns = [part[0] if len(part) == 1 else np.concatenate(part) for part in parts]
        self._columns.clear()
        order = np.lexsort((columns[7], columns[8], columns[0]))
        time, direction, channel, start, size, number, block, row, _ = (column[order] for column in columns)
        packets, offsets = self._packet_numbers(number, block, row)
        return Messages(
            time=time,
            direction=direction.astype(np.int8),
            channel=channel.astype(np.int32),
            start=start,
            size=size,
            packets=packets,
            packet_offsets=offsets,
            channels=tuple(channels),
            data=self.data,
            joined=np.frombuffer(bytes(self._joined), dtype=np.uint8),
        )

    def _packet_numbers(self, number: Int64s, block: Int64s, row: Int64s) -> tuple[Int64s, Int64s]:
        """Return the packets of all messages and where those of each begin; nearly all have one."""
        counts = np.ones(len(number), dtype=np.int64)
        if not self._several:
            return number, np.arange(len(number) + 1, dtype=np.int64)
        lists: dict[int, list[int]] = {}
        keys = zip(block.tolist(), row.tolist(), strict=True)
        for index, key in enumerate(keys):
            if key in self._several:
                lists[index] = self._several[key]
                counts[index] = len(lists[index])
        offsets = offsets_of(counts)
        packets = np.repeat(number, counts)
        for index, numbers in lists.items():
            packets[offsets[index] : offsets[index + 1]] = numbers
        return packets, offsets
