"""The table of messages: what was said, when, in which direction and on which channel.

A capture and a live link both give this table, so that all that works on one works on the other. Payloads
stay where they lie in the file (memory-mapped) wherever they are contiguous; only what had to be put
together from several packets is held in a second segment.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from importlib import import_module
from typing import Any, NamedTuple, overload, override

import numpy as np
from numpy.typing import NDArray

from packwire.channel import Channel
from packwire.clock import NO_TIME, moment, nanoseconds
from packwire.columns import offsets_of, spans
from packwire.direction import DIRECTION_NAMES, Direction
from packwire.errors import missing_extra
from packwire.phrases import few

__all__ = ["Direction", "Message", "MessageRow", "Messages", "concatenated", "from_rows"]

type Int8s = NDArray[np.int8]
type Int32s = NDArray[np.int32]
type Int64s = NDArray[np.int64]
type Bytes = NDArray[np.uint8]


#: So many messages at a time are put in one piece; byte by byte, which is fast where they are short, or else
#: one by one.
_BLOCK, _SMALL = 1 << 12, 1 << 18
#: So many channels are named in a `repr`.
_SHOWN = 3


class Message(NamedTuple):
    """One message: `when` in UTC (None: the recording does not say), `packets` as Wireshark counts."""

    when: datetime | None
    direction: Direction
    channel: Channel
    payload: bytes
    packets: tuple[int, ...]


@dataclass(frozen=True, slots=True, repr=False)
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

    @override
    def __repr__(self) -> str:
        used = [str(self.channels[code]) for code in np.flatnonzero(np.bincount(self.channel)).tolist()]
        known = self.time[self.time != NO_TIME]
        span = f", {(int(known.max()) - int(known.min())) / 1e9:.1f} s" if len(known) else ""
        return f"<{len(self)} messages{span}, on {few(used, _SHOWN) or 'no channel'}>"

    @overload
    def __getitem__(self, index: int) -> Message: ...
    @overload
    def __getitem__(self, index: slice | NDArray[np.bool_] | Int64s) -> "Messages": ...
    def __getitem__(self, index: int | slice | NDArray[np.bool_] | Int64s) -> "Message | Messages":
        """Return one message by its number, or those of a slice, a mask or an array of numbers."""
        if isinstance(index, slice):
            return self.select(np.arange(len(self), dtype=np.int64)[index])
        if isinstance(index, np.ndarray):
            return self.select(index)
        row = range(len(self))[index]
        time = int(self.time[row])
        return Message(
            None if time == NO_TIME else moment(time),
            Direction(int(self.direction[row])),
            self.channels[int(self.channel[row])],
            self.payload(row),
            self.packets_of(row),
        )

    def __iter__(self) -> Iterator[Message]:
        return (self[row] for row in range(len(self)))

    def where(
        self,
        *,
        prefix: bytes = b"",
        channel: str | Sequence[str] = (),
        direction: Direction | None = None,
        begin: datetime | int | None = None,
        end: datetime | int | None = None,
    ) -> "Messages":
        """Return the messages of which all that is given is true.

        `prefix`: they begin with these bytes. `channel`: the name of theirs holds this text, or one of these,
        whatever its case. `begin` and `end`: from this moment on, and up to that one; ns since the epoch
        where it is a number. A message whose time is not known is in no time.
        """
        fits = np.ones(len(self), dtype=np.bool_)
        texts = [each.lower() for each in ([channel] if isinstance(channel, str) else channel)]
        if texts:
            wanted = [any(text in str(each).lower() for text in texts) for each in self.channels]
            fits &= np.array(wanted, dtype=np.bool_)[self.channel]
        if direction is not None:
            fits &= self.direction == direction
        if begin is not None:
            fits &= (self.time != NO_TIME) & (self.time >= _ns(begin))
        if end is not None:
            fits &= (self.time != NO_TIME) & (self.time <= _ns(end))
        rows = np.flatnonzero(fits & (self.size >= len(prefix)))
        if prefix:
            rows = rows[
                np.array([self.payload(row).startswith(prefix) for row in rows.tolist()], dtype=np.bool_)
            ]
        return self.select(rows)

    def to_arrow(self) -> Any:
        """Return a pyarrow table: time (timestamp, ns, UTC), direction, channel, size, data, packets (list).

        Raises MissingExtraError where pyarrow is not installed.
        """
        try:
            import pyarrow as pa  # noqa: PLC0415 - an extra, and slow to load
        except ImportError:
            raise missing_extra("parquet", "a table of pyarrow") from None
        text = pa.dictionary(pa.int32(), pa.string())
        texts = [str(each) for each in self.channels]
        packets = [self.packets_of(row) for row in range(len(self))]
        columns = {
            "time": pa.array(
                [None if time == NO_TIME else time for time in self.time.tolist()],
                type=pa.timestamp("ns", tz="UTC"),
            ),
            "direction": pa.array([DIRECTION_NAMES[each] for each in self.direction.tolist()], pa.string()),
            "channel": pa.array([texts[each] for each in self.channel.tolist()], pa.string()),
            "size": pa.array(self.size, type=pa.int32()),
            "data": pa.array(list(self.payloads()), type=pa.binary()),
            "packets": pa.array(packets, type=pa.list_(pa.int64())),
        }
        named = {"direction", "channel"}
        return pa.table({name: each.cast(text) if name in named else each for name, each in columns.items()})

    def to_pandas(self) -> Any:
        """Return a pandas DataFrame with the columns of `to_arrow`; pandas is to be installed beside."""
        pd = import_module("pandas")  # none of packwire's extras, and without types

        texts = [str(each) for each in self.channels]
        return pd.DataFrame(
            {
                "time": pd.to_datetime(self.time, utc=True),  # NO_TIME is its NaT
                "direction": pd.Categorical([DIRECTION_NAMES[each] for each in self.direction.tolist()]),
                "channel": pd.Categorical([texts[each] for each in self.channel.tolist()]),
                "size": self.size,
                "data": list(self.payloads()),
                "packets": [self.packets_of(row) for row in range(len(self))],
            }
        )

    def payload(self, index: int) -> bytes:
        """Return the bytes of one message."""
        start, size = int(self.start[index]), int(self.size[index])
        if start < len(self.data):
            return self.data[start : start + size].tobytes()
        start -= len(self.data)
        return self.joined[start : start + size].tobytes()

    def payloads(self) -> Iterator[bytes]:
        """Yield the bytes of each message in order."""
        data, joined, boundary = memoryview(self.data), memoryview(self.joined), len(self.data)
        for begin in range(0, len(self), _BLOCK):
            columns = self.start[begin : begin + _BLOCK].tolist(), self.size[begin : begin + _BLOCK].tolist()
            for start, size in zip(*columns, strict=True):
                if start < boundary:
                    yield data[start : start + size].tobytes()
                else:
                    yield joined[start - boundary : start - boundary + size].tobytes()

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
        first, last = self.packet_offsets[index : index + 2].tolist()
        return tuple(self.packets[first:last].tolist())

    def select(self, rows: NDArray[np.bool_] | Int64s) -> "Messages":
        """Return the rows that a mask or an index array names, in the order given."""
        index = np.flatnonzero(rows) if rows.dtype == np.bool_ else rows.astype(np.int64)
        counts = np.diff(self.packet_offsets)[index]
        offsets = offsets_of(counts)
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
class MessageRow:
    """One message to be put in a table by `from_rows`."""

    time: int
    direction: Direction
    channel: int
    start: int
    size: int
    packets: Sequence[int]


def from_rows(
    rows: Sequence[MessageRow], channels: Sequence[Channel], data: Bytes, joined: Bytes
) -> Messages:
    """Build the table from rows; for readers whose messages come one by one."""
    counts = [len(row.packets) for row in rows]
    return Messages(
        time=np.array([row.time for row in rows], dtype=np.int64),
        direction=np.array([row.direction for row in rows], dtype=np.int8),
        channel=np.array([row.channel for row in rows], dtype=np.int32),
        start=np.array([row.start for row in rows], dtype=np.int64),
        size=np.array([row.size for row in rows], dtype=np.int64),
        packets=np.array([number for row in rows for number in row.packets], dtype=np.int64),
        packet_offsets=offsets_of(counts),
        channels=tuple(channels),
        data=data,
        joined=joined,
    )


def concatenated(parts: Sequence[Messages]) -> Messages:
    """Return the rows of several tables, one table's behind the other's; all are of one recording."""

    def column(name: str) -> Any:
        return np.concatenate([getattr(each, name) for each in parts])

    counts = np.concatenate([np.diff(each.packet_offsets) for each in parts])
    return replace(
        parts[0],
        **{name: column(name) for name in ("time", "direction", "channel", "start", "size", "packets")},
        packet_offsets=offsets_of(counts),
    )


def _ns(when: datetime | int) -> int:
    return when if isinstance(when, int) else nanoseconds(when)
