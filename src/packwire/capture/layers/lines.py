"""Links that are no TCP connections, as the streams of bytes that passed both ways.

A serial line, a Bluetooth device's notifications and the writes to it, datagrams, the bytes of a log: all
that is in a known framing of one device. What a connection has besides (who dialled, how it ended) they do
not.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np

from packwire.capture.framings import Framing
from packwire.capture.layers.tcp import Ending
from packwire.capture.layers.tcp_stream import Stream
from packwire.capture.packets import Packets
from packwire.channel import Channel, Transport
from packwire.direction import Direction
from packwire.messages import Bytes, Int64s, Messages

#: What stands for the end that asks; no recording of such a link says who it is.
CLIENT = "the client"
#: And for the only device of a recording.
DEVICE = "the device"


@dataclass(frozen=True, slots=True)
class RecordedLine:
    """One link: `ends[0]` asks, `ends[1]` is the device. `rows` are those of its packets.

    `mixed`: the recording does not say which way bytes went, and all of them are in the first stream.
    """

    index: int
    ends: tuple[str, str]
    channel: Channel
    rows: Int64s
    streams: tuple[Stream, Stream]
    packets: Packets
    mixed: bool = False
    began_before: bool = False
    ending: Ending = Ending.OPEN
    ended_by: int | None = None
    ended_at: int | None = None


class RecordedLines(Sequence[RecordedLine]):
    """The links of a recording; `data` holds all their bytes."""

    def __init__(self, lines: Sequence[RecordedLine], data: Bytes) -> None:
        self.data = data
        self._lines = tuple(lines)

    def __len__(self) -> int:
        return len(self._lines)

    @overload
    def __getitem__(self, index: int) -> RecordedLine: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[RecordedLine]: ...
    def __getitem__(self, index: int | slice) -> RecordedLine | Sequence[RecordedLine]:
        return self._lines[index]

    def glance(self, index: int) -> RecordedLine:
        """Return one; they are all kept."""
        return self._lines[index]


def lines_of(
    packets: Packets, raw: Messages, framed: dict[tuple[int, int], tuple[Framing, ...]]
) -> RecordedLines:
    """Return the links of a recording; `framed` are the ways on which frames of a framing were found."""
    ways: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
    for (number, direction), framings in framed.items():
        channel = raw.channels[number]
        known = any(not each.inferred for each in framings)
        if known and channel.transport not in (Transport.TCP, Transport.CAN):
            ways[channel.device].append((number, direction))
    data = np.concatenate((raw.data, raw.joined)) if len(raw.joined) else raw.data
    lines = [_line(index, name, of, packets, raw, data) for index, (name, of) in enumerate(ways.items())]
    return RecordedLines(lines, data)


def _line(
    index: int, name: str, ways: list[tuple[int, int]], packets: Packets, raw: Messages, data: Bytes
) -> RecordedLine:
    rows = {
        way: np.flatnonzero(
            (raw.direction == way) & np.isin(raw.channel, [number for number, each in ways if each == way])
        )
        for way in Direction
    }
    mixed = not len(rows[Direction.FROM_DEVICE]) and len(rows[Direction.UNKNOWN]) > 0
    asked = rows[Direction.UNKNOWN] if mixed else rows[Direction.TO_DEVICE]
    own = np.concatenate((asked, rows[Direction.FROM_DEVICE]))
    from_device = [number for number, way in ways if way == Direction.FROM_DEVICE]
    channel = raw.channels[from_device[0] if from_device else ways[0][0]]
    return RecordedLine(
        index=index,
        ends=_ends(name, channel),
        channel=channel,
        rows=np.unique(np.concatenate([raw.packets_of(int(row)) for row in own])) - 1,
        streams=(_stream(raw, data, asked), _stream(raw, data, rows[Direction.FROM_DEVICE])),
        packets=packets,
        mixed=mixed,
    )


def _ends(name: str, channel: Channel) -> tuple[str, str]:
    if channel.transport is Transport.UDP:
        device, _, client = channel.address.partition(" <-> ")
        return client, device
    return CLIENT, name or DEVICE


def _stream(raw: Messages, data: Bytes, rows: Int64s) -> Stream:
    size = raw.size[rows]
    ends = raw.packet_offsets[1:][rows] - 1
    return Stream(
        data=data,
        position=np.cumsum(size) - size,
        size=size,
        start=raw.start[rows],
        number=raw.packets[ends],
        time=raw.time[rows],
    )
