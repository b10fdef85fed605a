"""TCP [RFC 9293]: segments, the connections they belong to, and the two streams of bytes of each.

Everything is known when a recording is read, so nothing is waited for: bytes that are not in the recording
are a gap with a position and a size. Where segments overlap, the one recorded first wins. Streams are not
copied: a stream is a list of pieces of the file, each with its position in the stream.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntFlag, StrEnum
from functools import cached_property
from typing import NamedTuple, overload

import numpy as np
from numpy.typing import NDArray

from packwire.capture.layers.ip import TCP, Carried, open_ip
from packwire.capture.layers.link import Counts, locate_ip
from packwire.capture.layers.pieces import first_wins, unwrap
from packwire.capture.packets import Packets, gather
from packwire.channel import Channel, Transport
from packwire.messages import Bytes, Int64s


class Flag(IntFlag):
    """Control bits of a segment."""

    FIN = 1
    SYN = 2
    RST = 4
    ACK = 16


class Ending(StrEnum):
    """How a connection ended within the recording."""

    OPEN = "open"
    CLOSED = "closed"
    RESET = "reset"


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
    keep_alives: int = 0
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
        return _stream(self, 0), _stream(self, 1)


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
class _Endpoints:
    """Addresses with ports, by number; made into text when they are shown."""

    addresses: tuple[str, ...]
    codes: Int64s

    def text(self, number: int) -> str:
        address, port = divmod(int(self.codes[number]), 65536)
        host = self.addresses[address]
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


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


def _read_segments(packets: Packets, left_out: Counts) -> tuple[Segments, _Endpoints]:
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
    source, destination, endpoints = _number_endpoints(carried, header["source"], header["destination"])
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


def _number_endpoints(
    carried: Carried, source_port: Int64s, destination_port: Int64s
) -> tuple[Int64s, Int64s, _Endpoints]:
    source = carried.source * 65536 + source_port
    destination = carried.destination * 65536 + destination_port
    codes = np.unique(np.concatenate([np.unique(source), np.unique(destination)]))
    return (
        np.searchsorted(codes, source),
        np.searchsorted(codes, destination),
        _Endpoints(carried.addresses, codes),
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


def _connection(index: int, segments: Segments, endpoints: _Endpoints, packets: Packets) -> Connection:
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


def _stream(connection: Connection, side: int) -> Stream:
    """Put together what one side sent."""
    packets = connection.packets
    of_side = connection.sides == side
    own = connection.segments if of_side.all() else connection.segments.take(np.flatnonzero(of_side))
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
    sent, acknowledged = _how_far(connection, side, own, position, lowest)
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
        keep_alives=int(np.count_nonzero(keep_alive)),
        strays=int(np.count_nonzero(stray)),
    )


def _distinct(rows: Int64s, count: int) -> int:
    """Return how many different rows below `count` there are."""
    seen = np.zeros(count, dtype=np.bool_)
    seen[rows] = True
    return int(np.count_nonzero(seen))


def _how_far(
    connection: Connection, side: int, own: Segments, position: Int64s, lowest: int
) -> tuple[int, int | None]:
    """Return up to which position the stream was sent, by all that both sides say, and acknowledged.

    A side that sent bytes which were not recorded gives itself away by its next sequence number, or the
    other side does by acknowledging them.
    """
    sent = int((position + own.wire_size).max()) - lowest if len(own) else 0
    origin = int(own.seq[0] - position[0]) % (1 << 32) if len(own) else None
    fin = np.flatnonzero(own.flags & Flag.FIN)
    last = int((position + own.wire_size)[fin[0]]) - lowest if len(fin) else None
    acks = np.flatnonzero((connection.sides != side) & (connection.segments.flags & Flag.ACK != 0))
    acked, stray = unwrap(connection.segments.ack[acks], np.zeros(len(acks), dtype=np.int64), origin)
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
