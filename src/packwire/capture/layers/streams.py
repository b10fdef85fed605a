"""Frames of a battery's own protocol on a network: a serial line behind a bridge, a Wi-Fi module.

A connection is taken where most of what one side says lies in right frames of a framing that is known. Which
end is the device is told by what answers what; where that says nothing, the end that dialled asks.
"""

from collections.abc import Container, Iterable, Iterator
from itertools import pairwise
from typing import Protocol

import numpy as np

from packwire.capture.framings import TRIAL, answering, family_of, frames_in, recognise
from packwire.capture.layers.link import Counts
from packwire.capture.layers.tcp import Connection, Connections
from packwire.capture.layers.tcp_stream import Stream
from packwire.channel import Channel
from packwire.columns import distinct
from packwire.messages import Direction, Int64s, Messages

#: So many connections are looked at, and beyond that one for so many bytes of the recording.
FREE_SEARCHES, _BYTES_A_SEARCH = 2048, 4096
#: One frame may be chance.
_LEAST_FRAMES = 2


class TwoWays(Protocol):
    """What two ends said to each other."""

    @property
    def channel(self) -> Channel:
        """Return its channel."""

    @property
    def streams(self) -> tuple[Stream, Stream]:
        """Return what each end sent."""


def known_streams(
    connections: Connections, taken: Container[int], left_out: Counts
) -> Iterator[tuple[Connection, int]]:
    """Yield the connections with frames of a known framing, and which end (0 or 1) is the device.

    `taken` are the numbers of the connections that are something else; those not looked at are counted.
    """
    segments = connections.segments
    number = np.searchsorted(connections.bounds, np.flatnonzero(segments.size > 0), side="right") - 1
    others = [index for index in distinct(number) if index not in taken]
    searched = max(FREE_SEARCHES, len(connections.packets.data) // _BYTES_A_SEARCH)
    left_out.add(
        "a TCP connection that was not searched for known frames, there are so many",
        max(len(others) - searched, 0),
    )
    for index in others[:searched]:
        connection = connections.glance(index)
        device = device_side(connection.streams)
        if device is not None:
            yield connection, device


def stream_messages(found: Iterable[tuple[TwoWays, int]]) -> Messages | None:
    """Return what came on connections with the ends that are the devices, piece by piece; None: none are."""
    channels: dict[Channel, int] = {}
    parts: list[tuple[Stream, int, Direction]] = []
    for each, device in found:
        channel = channels.setdefault(each.channel, len(channels))
        for side, stream in enumerate(each.streams):
            way = Direction.FROM_DEVICE if side == device else Direction.TO_DEVICE
            parts.append((stream, channel, way))
    return _table(parts, tuple(channels)) if parts else None


def device_side(streams: tuple[Stream, Stream]) -> int | None:
    """Return which end is the device; None: there are no frames of a known framing."""
    frames: list[tuple[int, int, int, bytes]] = []
    names: set[str] = set()
    for side, stream in enumerate(streams):
        content = stream.joined()[:TRIAL]
        framings = recognise(content)
        names.update(family_of(each) for each in framings)
        begins = np.concatenate(([0], np.cumsum(stream.size)))
        for found in frames_in(content, framings) if framings else ():
            if found.ok:
                piece = int(np.searchsorted(begins, found.start + found.size - 1, side="right")) - 1
                frame = content[found.start : found.start + found.size]
                frames.append((int(stream.time[piece]), int(stream.number[piece]), side, frame))
    if len(frames) < _LEAST_FRAMES:
        return None
    frames.sort(key=lambda frame: frame[:2])
    families = [each for name, each in answering().items() if name in names]
    answered = [0, 0]
    for (*_, one, request), (*_, other, reply) in pairwise(frames):
        if one != other and any(each.is_answer(request, reply) for each in families):
            answered[other] += 1
    return 0 if answered[0] > answered[1] else 1


def _table(parts: list[tuple[Stream, int, Direction]], channels: tuple[Channel, ...]) -> Messages:
    def column(values: list[Int64s]) -> Int64s:
        return np.concatenate(values)

    time = column([stream.time for stream, _, _ in parts])
    number = column([stream.number for stream, _, _ in parts])
    count = [len(stream.time) for stream, _, _ in parts]
    table = Messages(
        time=time,
        direction=np.repeat(np.array([way for _, _, way in parts], dtype=np.int8), count),
        channel=np.repeat(np.array([channel for _, channel, _ in parts], dtype=np.int32), count),
        start=column([stream.start for stream, _, _ in parts]),
        size=column([stream.size for stream, _, _ in parts]),
        packets=number,
        packet_offsets=np.arange(len(time) + 1, dtype=np.int64),
        channels=channels,
        data=parts[0][0].data,
        joined=np.zeros(0, dtype=np.uint8),
    )
    # Within a stream pieces stay in its order: where a hole was filled late, several come at one time.
    order = np.concatenate([np.maximum.accumulate(stream.number) for stream, _, _ in parts])
    return table.select(np.lexsort((order, time)))
