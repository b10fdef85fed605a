"""A protocol spoken on a link: frames, hub logins, and who is the device. On TCP it is found on any port.

A connection is one where a stream of it holds a frame with the right checksum or begins with a hub's login.
Ports say nothing, and neither does who dialled: a device dials its hub.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple, Protocol

import numpy as np

from packwire.capture.layers.conversation import Conversation, converse
from packwire.capture.layers.frame_scan import framed_connections
from packwire.capture.layers.frame_table import FrameTable, LocatedFrames
from packwire.capture.layers.lines import RecordedLine
from packwire.capture.layers.link import Counts
from packwire.capture.layers.stream_frames import StreamFrames, find_frames
from packwire.capture.layers.tcp import Connection, Connections, Ending
from packwire.capture.layers.tcp_stream import Stream
from packwire.capture.packets import Packets
from packwire.channel import Channel
from packwire.messages import Bytes, Direction, Int64s, Messages
from packwire.protocol.observing import Caller, LoginLine, Observer, Opening
from packwire.protocol.words import Words
from packwire.protocols import observer, words
from packwire.wire.family import Family
from packwire.wire.frame import FrameStats

#: How many stretches of junk of one stream are described; all their bytes are counted.
MAX_JUNK = 100
#: The streams of more connections are not kept but put together again when they are looked at.
_MANY = 1000
#: How many messages of a connection are looked at to see who is the device.
_MAX_VOTES = 2000


class Carrier(Protocol):
    """What carries a conversation: a TCP connection, or a `lines.RecordedLine`."""

    @property
    def index(self) -> int:
        """Return its number in the recording, from 0."""

    @property
    def ends(self) -> tuple[str, str]:
        """Return who talks, the one that dialled first."""

    @property
    def channel(self) -> Channel:
        """Return its channel."""

    @property
    def rows(self) -> Int64s:
        """Return the rows of its packets in the table of packets."""

    @property
    def packets(self) -> Packets:
        """Return the packets of the recording."""

    @property
    def streams(self) -> tuple[Stream, Stream]:
        """Return what each end sent."""

    @property
    def began_before(self) -> bool:
        """Tell whether it began before the recording."""

    @property
    def ending(self) -> Ending:
        """Return how it ended."""

    @property
    def ended_by(self) -> int | None:
        """Return which end ended it."""

    @property
    def ended_at(self) -> int | None:
        """Return when, in ns."""


class Carriers[On: Carrier](Protocol):
    """All connections, or all lines, of a recording."""

    @property
    def data(self) -> Bytes:
        """Return the bytes that the pieces of their streams lie in."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> On: ...

    def glance(self, index: int) -> On:
        """Return one without keeping it."""


class HubLine(NamedTuple):
    """A line for or from a hub at the begin of a stream.

    `login` is None for an answer (`PONG`, `NULL`), which has no `role` either, and for a login that no hub
    accepts; `text` then holds the answer, or what is wrong, never a password. `size` counts the bytes of the
    line in the stream; `caller` says whose line it is.
    """

    side: int
    role: StrEnum | None
    caller: Caller | None
    login: LoginLine | None
    text: str
    size: int
    number: int
    time: int


class Junk(NamedTuple):
    """Bytes of a stream that are in no frame: where, how many, in which packet, and the first of them."""

    position: int
    size: int
    number: int
    begin: bytes


@dataclass(frozen=True, slots=True)
class SpokenStream:
    """What one side of a connection said.

    `stats` accounts for every byte behind the hub line; what it waits for at the end is in packet
    `waiting_number`.
    """

    stats: FrameStats
    hub_line: HubLine | None
    junk: tuple[Junk, ...]
    waiting_number: int | None


@dataclass(frozen=True)
class SpokenConnection[On: Carrier]:
    """A connection on which a protocol is spoken; its messages are the rows `rows` of `messages`.

    `device` is the end (0 or 1) that is the device or stands for it, None where nothing tells; `evidence`
    says what told.
    """

    observer: Observer
    connection: On
    device: int | None
    evidence: str
    streams: tuple[SpokenStream, SpokenStream]
    messages: Messages
    rows: Int64s

    @property
    def hub_lines(self) -> tuple[HubLine, ...]:
        """Return the hub lines of both sides, in the order of the packets."""
        lines = [stream.hub_line for stream in self.streams if stream.hub_line is not None]
        return tuple(sorted(lines, key=lambda line: line.number))

    @property
    def words(self) -> Words:
        """Return its protocol's words for its messages."""
        return words(self.observer.protocol.name)

    @cached_property
    def conversation(self) -> Conversation:
        """Return its messages as requests and replies."""
        return converse(self.messages.select(self.rows), self.observer)


@dataclass(frozen=True, slots=True)
class SpokenTraffic[On: Carrier]:
    """All traffic of one protocol in a recording; `other_connections` counts the connections without any.

    `left_out` counts the connections that were not looked at, by reason.
    """

    messages: Messages
    connections: tuple[SpokenConnection[On], ...]
    other_connections: int
    left_out: dict[str, int] = field(default_factory=dict)

    @property
    def families(self) -> dict[Channel, Family]:
        """Return the family of framings that was found on each channel."""
        return {each.connection.channel: each.observer.family for each in self.connections}


def read_vesc(connections: Connections) -> SpokenTraffic[Connection]:
    """Find the VESC traffic of a recording."""
    vesc, left_out = observer("vesc"), Counts()
    assert vesc.columns is not None
    indices = framed_connections(connections, vesc, vesc.columns, left_out)
    return read_spoken(connections, vesc, indices, left_out)


def read_spoken[On: Carrier](
    connections: Carriers[On], observer: Observer, indices: Sequence[int], left_out: Counts
) -> SpokenTraffic[On]:
    """Read the connections of these numbers, on which a protocol is spoken."""
    table = FrameTable(connections.data)
    parts: list[tuple[On, tuple[int | None, str], tuple[SpokenStream, SpokenStream]]] = []
    for index in indices:
        connection = connections[index] if len(indices) <= _MANY else connections.glance(index)
        lines = _hub_lines(connection, observer)
        found = [_find(connection.streams[side], lines[side], observer) for side in (0, 1)]
        if not any(lines) and not any(len(each.frames) for each in found):
            continue
        role = _device_side(observer, lines, [_payloads(table.data, each, _MAX_VOTES) for each in found])
        mixed = isinstance(connection, RecordedLine) and connection.mixed
        if mixed:
            role = None, "both ways are one stream here; what a frame says tells who sent it"
        for side in (0, 1):
            way: Direction | list[Direction] = _direction(role[0], side)
            if mixed:
                way = [_told(observer, payload) for payload in _payloads(table.data, found[side])]
            table.add(len(parts), connection.streams[side], found[side], way)
        reports = [_report(connection.streams[side], lines[side], found[side].frames) for side in (0, 1)]
        if len(indices) > _MANY:
            connection = connections.glance(index)
        parts.append((connection, role, (reports[0], reports[1])))
    messages = table.messages([connection.channel for connection, _, _ in parts])
    rows = np.argsort(messages.channel, kind="stable")
    bounds = np.searchsorted(messages.channel[rows], np.arange(len(parts) + 1))
    return SpokenTraffic(
        messages,
        tuple(
            SpokenConnection(observer, connection, *role, streams, messages, rows[begin:end])
            for (connection, role, streams), (begin, end) in zip(
                parts, pairwise(bounds.tolist()), strict=True
            )
        ),
        len(connections) - len(parts),
        left_out.by_reason,
    )


def _direction(device: int | None, side: int) -> Direction:
    if device is None:
        return Direction.UNKNOWN
    return Direction.FROM_DEVICE if side == device else Direction.TO_DEVICE


def _told(observer: Observer, payload: bytes) -> Direction:
    asks = observer.asks(payload)
    if asks is None:
        return Direction.UNKNOWN
    return Direction.TO_DEVICE if asks else Direction.FROM_DEVICE


def _hub_lines(connection: Carrier, observer: Observer) -> tuple[HubLine | None, HubLine | None]:
    """Read the hub's login line, from whichever side, and its answer to `PING`."""
    first, second = (_opening(side, stream, observer) for side, stream in enumerate(connection.streams))
    for login, side in ((first, 1), (second, 0)):
        if login and login.caller is Caller.INQUIRER:
            answer = _answer(side, connection.streams[side], observer)
            return (first, answer) if side else (answer, second)
    return first, second


def _begin(stream: Stream, count: int) -> bytes:
    """Return the first bytes of a stream, as far as there is no gap."""
    result = b""
    for index in range(len(stream.position)):
        if stream.position[index] != len(result) or len(result) >= count:
            break
        start = int(stream.start[index])
        result += stream.data[start : start + int(stream.size[index])].tobytes()[:count]
    return result[:count]


def _opening(side: int, stream: Stream, observer: Observer) -> HubLine | None:
    return _line(side, stream, observer.opening(_begin(stream, observer.longest_opening)))


def _answer(side: int, stream: Stream, observer: Observer) -> HubLine | None:
    return _line(side, stream, observer.answer_to_opening(_begin(stream, 8)))


def _line(side: int, stream: Stream, opening: Opening | None) -> HubLine | None:
    return HubLine(side, *opening, *_place(stream, opening.size - 1)) if opening else None


def _place(stream: Stream, position: int) -> tuple[int, int]:
    piece = stream.piece_at(position)
    return int(stream.number[piece]), int(stream.time[piece])


def _find(stream: Stream, line: HubLine | None, observer: Observer) -> LocatedFrames:
    frames = find_frames(stream, line.size if line else 0, observer)
    begins = _begins(stream)
    payload = frames.start + frames.size - observer.trailer - frames.payload_size
    first, last, piece = (
        np.searchsorted(begins, at, side="right") - 1
        for at in (frames.start, frames.start + frames.size - 1, payload)
    )
    start = stream.start[piece] + payload - begins[piece]
    start[payload + frames.payload_size > begins[piece + 1]] = -1
    return LocatedFrames(frames, start, first, last)


def _begins(stream: Stream) -> Int64s:
    """Return how many recorded bytes come before each piece, and before the end."""
    return np.concatenate(([0], np.cumsum(stream.size)))


def _payloads(data: Bytes, found: LocatedFrames, most: int | None = None) -> list[bytes]:
    """Return the payloads of the messages of a stream, at most so many."""
    columns = (found.start[:most].tolist(), found.frames.payload_size[:most].tolist())
    return [
        data[start : start + size].tobytes() if start >= 0 else found.frames.payloads[row]
        for row, (start, size) in enumerate(zip(*columns, strict=True))
    ]


def _report(stream: Stream, line: HubLine | None, frames: StreamFrames) -> SpokenStream:
    begins = _begins(stream)
    waiting = frames.stats.waiting
    piece = int(np.searchsorted(begins, waiting.since, side="right")) - 1 if waiting else 0
    junk = tuple(_junk(stream, begins, line.size if line else 0, frames))
    return SpokenStream(frames.stats, line, junk, int(stream.number[piece]) if waiting else None)


def _junk(stream: Stream, begins: Int64s, skip: int, frames: StreamFrames) -> Iterator[Junk]:
    """Yield the stretches between the frames, gaps not counted; what is waited for at the end is not junk."""
    waiting = frames.stats.waiting
    end = int(begins[-1]) - (waiting.arrived if waiting else 0)
    froms = np.concatenate(([skip], frames.start + frames.size))
    tos = np.concatenate((frames.start, [end]))
    for index in np.flatnonzero(tos > froms)[:MAX_JUNK]:
        begin = int(froms[index])
        piece = int(np.searchsorted(begins, begin, side="right")) - 1
        within = begin - int(begins[piece])
        at = int(stream.start[piece]) + within
        there = min(int(tos[index]) - begin, int(stream.size[piece]) - within, 16)
        yield Junk(
            int(stream.position[piece]) + within,
            int(tos[index]) - begin,
            int(stream.number[piece]),
            stream.data[at : at + there].tobytes(),
        )


def _device_side(
    observer: Observer, lines: tuple[HubLine | None, HubLine | None], payloads: list[list[bytes]]
) -> tuple[int | None, str]:
    """Return which end is the device, or stands for it, and what tells."""
    for line in lines:
        if line and line.caller is Caller.CLIENT:
            return 1 - line.side, f"the other end logs in at it as a client ({line.role}:)"
        if line and line.caller is Caller.DEVICE:
            return line.side, f"it logs in at a hub as the device ({line.role}:)"
        if line and line.caller is Caller.INQUIRER:
            return None, "a question to a hub, no device takes part"
    votes: Counter[int] = Counter()
    for side in (0, 1):
        for payload in payloads[side]:
            asks = observer.asks(payload)
            if asks is not None:
                votes[1 - side if asks else side] += 1
    if votes[0] == votes[1]:
        return None, "nothing tells which end is the device"
    return (0 if votes[0] > votes[1] else 1), "it sends the replies, the other end the requests"
