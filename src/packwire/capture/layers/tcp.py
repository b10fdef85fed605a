"""TCP [RFC 9293]: segments, the connections they belong to, and the two streams of bytes of each.

Everything is known when a recording is read, so nothing is waited for: bytes that are not in the recording
are a gap with a position and a size.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import overload

import numpy as np
from numpy.typing import NDArray

from packwire.address import place
from packwire.capture.layers.ip import TCP, Carried, open_ip
from packwire.capture.layers.link import Counts, locate_ip
from packwire.capture.layers.tcp_stream import Flag, Segments, Stream, stream
from packwire.capture.packets import Packets
from packwire.channel import Channel, Transport
from packwire.columns import distinct_values, gather
from packwire.messages import Bytes, Int64s


class Ending(StrEnum):
    """How a connection ended within the recording."""

    OPEN = "open"
    CLOSED = "closed"
    RESET = "reset"


@dataclass(frozen=True)
class Connection:
    """A TCP connection as far as it was recorded. `ends[0]` dialled, or (`began_before`) spoke first.

    `rows` are the rows of its packets. `ended_by` is the end that sent the first FIN or RST, `ended_at` when.
    """

    index: int
    ends: tuple[str, str]
    began_before: bool
    ending: Ending
    ended_by: int | None
    ended_at: int | None
    segments: Segments
    sides: NDArray[np.int8]
    packets: Packets

    @property
    def rows(self) -> Int64s:
        """Return the rows of its packets in the table of packets."""
        return self.segments.row

    @property
    def channel(self) -> Channel:
        """Return its channel, `tcp 127.0.0.1:65101 <-> 127.0.0.1:51392`: the end that dialled last."""
        return Channel(Transport.TCP, address=f"{self.ends[1]} <-> {self.ends[0]}")

    @cached_property
    def streams(self) -> tuple[Stream, Stream]:
        """Return what `ends[0]` sent and what `ends[1]` sent."""
        return self._stream(0), self._stream(1)

    def _stream(self, side: int) -> Stream:
        return stream(self.packets, self.segments, self.sides == side)


class Connections(Sequence[Connection]):
    """The connections of a recording, in the order of their first packets; made when they are looked at.

    `segments` holds all segments, those of connection `i` at `bounds[i]:bounds[i + 1]`; `left_out` counts the
    packets that are not here, by reason.
    """

    def __init__(self, packets: Packets) -> None:
        self.packets = packets
        counts = Counts()
        segments, self._endpoints = _read_segments(packets, counts)
        self.left_out = dict(counts.by_reason)
        number, total = _connection_numbers(segments)
        in_order = bool((number[1:] >= number[:-1]).all())
        self.segments = segments if in_order else segments.take(np.argsort(number, kind="stable"))
        sizes = np.bincount(number, minlength=total) if total else np.zeros(0, dtype=np.int64)
        self.bounds: Int64s = np.concatenate(([0], np.cumsum(sizes))).astype(np.int64)
        self._made: dict[int, Connection] = {}

    @property
    def data(self) -> Bytes:
        """Return the bytes of the recording."""
        return self.packets.data

    def __len__(self) -> int:
        return len(self.bounds) - 1

    @overload
    def __getitem__(self, index: int) -> Connection: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Connection]: ...
    def __getitem__(self, index: int | slice) -> Connection | Sequence[Connection]:
        if isinstance(index, slice):
            return [self[each] for each in range(*index.indices(len(self)))]
        if index < 0:
            index += len(self)
        if not 0 <= index < len(self):
            raise IndexError(index)
        if index not in self._made:
            self._made[index] = self.glance(index)
        return self._made[index]

    def glance(self, index: int) -> Connection:
        """Return connection `index` without keeping it: looking at all of many would take much memory."""
        own = self.segments.take(slice(int(self.bounds[index]), int(self.bounds[index + 1])))
        return _connection(index, own, self._endpoints, self.packets)


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Addresses with ports, by number; made into text when they are shown."""

    addresses: tuple[str, ...]
    codes: Int64s

    def text(self, number: int) -> str:
        """Return `192.0.2.7:65102`."""
        address, port = divmod(int(self.codes[number]), 65536)
        return place(self.addresses[address], port)


_HEADER = np.dtype(
    [
        ("source", ">u2"),
        ("destination", ">u2"),
        ("seq", ">u4"),
        ("ack", ">u4"),
        ("offset", "u1"),
        ("flags", "u1"),
        ("rest", "V6"),
    ]
)


def _read_segments(packets: Packets, left_out: Counts) -> tuple[Segments, Endpoints]:
    """Find all TCP segments, in the order of the file."""
    carried = open_ip(packets.data, locate_ip(packets, left_out), left_out).of_protocol(TCP, left_out)
    whole = carried.located.end - carried.located.at >= _HEADER.itemsize
    left_out.add("cut off inside the TCP header", int(np.count_nonzero(~whole)))
    carried = carried.where(whole)
    found = carried.located
    header = gather(packets.data, found.at, _HEADER)
    header_size = 4 * (header["offset"] >> 4).astype(np.int64)
    kept = (header_size >= _HEADER.itemsize) & (found.wire_end - found.at >= header_size)
    left_out.add("with a malformed TCP header", int(np.count_nonzero(~kept)))
    carried, header, header_size = carried.where(kept), header[kept], header_size[kept]
    found = carried.located
    flags = header["flags"].astype(np.int64)
    source, destination, endpoints = number_endpoints(carried, header["source"], header["destination"])
    start = np.minimum(found.at + header_size, found.end)
    # What a reset carries is a text for a human reader, not data [RFC 9293, section 3.5.3].
    data_bytes = flags & Flag.RST == 0
    return (
        Segments(
            row=found.row,
            source=source,
            destination=destination,
            seq=(header["seq"].astype(np.int64) + (flags & Flag.SYN != 0)) % (1 << 32),
            ack=header["ack"].astype(np.int64),
            flags=flags,
            start=start,
            size=(found.end - start) * data_bytes,
            wire_size=(found.wire_end - found.at - header_size) * data_bytes,
        ),
        endpoints,
    )


def number_endpoints(
    carried: Carried, source_port: Int64s, destination_port: Int64s
) -> tuple[Int64s, Int64s, Endpoints]:
    """Return a number for each end of what IP packets carry, and what these are."""
    source = carried.source * 65536 + source_port
    destination = carried.destination * 65536 + destination_port
    codes = distinct_values(np.concatenate([distinct_values(source), distinct_values(destination)]))
    return (
        np.searchsorted(codes, source),
        np.searchsorted(codes, destination),
        Endpoints(carried.addresses, codes),
    )


def _connection_numbers(segments: Segments) -> tuple[Int64s, int]:
    """Return which connection each segment belongs to, numbered by first packets, and how many there are."""
    if not len(segments):
        return np.zeros(0, dtype=np.int64), 0
    low = np.minimum(segments.source, segments.destination)
    high = np.maximum(segments.source, segments.destination)
    pair = low * (int(high.max()) + 1) + high
    order = np.argsort(pair, kind="stable")
    begins = np.concatenate(([True], np.diff(pair[order]) != 0))
    _split_at_syns(segments, order, begins)
    by_pair = np.cumsum(begins) - 1
    first_row = segments.row[order][begins]
    rank = np.empty(len(first_row), dtype=np.int64)
    rank[np.argsort(first_row)] = np.arange(len(first_row))
    number = np.empty(len(order), dtype=np.int64)
    number[order] = rank[by_pair]
    return number, len(first_row)


#: A SYN that comes this close in front of bytes already seen was only recorded out of order.
_NEAR = 1 << 20


def _split_at_syns(segments: Segments, order: Int64s, begins: NDArray[np.bool_]) -> None:
    """Mark where a pair of endpoints begins a new connection: at a SYN with another initial sequence number.

    `order` sorts the segments by pair; `begins` has their first ones marked and gets the others.
    """
    first_of_pair = np.maximum.accumulate(np.where(begins, np.arange(len(begins)), 0))
    first = -1
    initial: dict[int, int] = {}
    for index in np.flatnonzero(segments.flags[order] & Flag.SYN):
        if first_of_pair[index] > first:
            first, initial = int(first_of_pair[index]), {}
        syn = int(order[index])
        source, seq = int(segments.source[syn]), int(segments.seq[syn])
        known = initial.get(source)
        if known is None:
            fresh = index != first and not _follows(segments, int(order[first]), syn)
        else:
            fresh = known != seq and not _answers(segments, syn, initial)
        if fresh:
            begins[index] = True
            first, initial = int(index), {}
        initial[source] = seq


def _follows(segments: Segments, earlier: int, syn: int) -> bool:
    """Tell whether the first segment of a connection fits a SYN that was recorded after it."""
    begin = int(segments.seq[syn])
    if segments.source[earlier] == segments.source[syn]:
        return (int(segments.seq[earlier]) - begin) % (1 << 32) < _NEAR
    if segments.flags[earlier] & Flag.ACK:
        return (int(segments.ack[earlier]) - begin) % (1 << 32) < _NEAR
    return bool(segments.flags[earlier] & Flag.SYN)


def _answers(segments: Segments, syn: int, initial: dict[int, int]) -> bool:
    """Tell whether this is a second, different SYN-ACK to the SYN of the same connection."""
    asked = initial.get(int(segments.destination[syn]))
    return bool(segments.flags[syn] & Flag.ACK) and asked == int(segments.ack[syn])


def _connection(index: int, segments: Segments, endpoints: Endpoints, packets: Packets) -> Connection:
    syn = np.flatnonzero(segments.flags & Flag.SYN)
    dialled = int(segments.source[0])
    if len(syn):
        answer = segments.flags[syn[0]] & Flag.ACK
        dialled = int((segments.destination if answer else segments.source)[syn[0]])
    sides = (segments.source != dialled).astype(np.int8)
    other = segments.source[0] if segments.source[0] != dialled else segments.destination[0]
    ends = np.flatnonzero(segments.flags & (Flag.FIN | Flag.RST))
    ending = Ending.CLOSED if len(ends) else Ending.OPEN
    if (segments.flags & Flag.RST).any():
        ending = Ending.RESET
    return Connection(
        index=index,
        ends=(endpoints.text(dialled), endpoints.text(int(other))),
        began_before=not len(syn),
        ending=ending,
        ended_by=int(sides[ends[0]]) if len(ends) else None,
        ended_at=int(packets.time[segments.row[ends[0]]]) if len(ends) else None,
        segments=segments,
        sides=sides,
        packets=packets,
    )
