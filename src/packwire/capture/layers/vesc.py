"""VESC traffic on TCP, found by its content on any port: frames, hub logins, and who is the device.

A connection is VESC where a stream of it holds a frame with the right CRC or begins with a hub's login line.
Ports say nothing, and neither does who dialled: a device dials its hub.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np

from packwire.capture.layers.conversation import Conversation, converse
from packwire.capture.layers.link import Counts
from packwire.capture.layers.tcp import Connection, Connections
from packwire.capture.layers.tcp_stream import Stream
from packwire.capture.layers.vesc_frames import StreamFrames, find_frames
from packwire.capture.layers.vesc_scan import vesc_connections
from packwire.capture.layers.vesc_table import Located, VescTable
from packwire.messages import Bytes, Direction, Int64s, Messages
from packwire.vesc.commands import Command
from packwire.vesc.framing import TRAILER
from packwire.vesc.hublogin import MAX_LINE, Login, Role, parse_login
from packwire.vesc.traits import traits, unsolicited
from packwire.wire.frame import FrameStats

#: How many stretches of junk of one stream are described; all their bytes are counted.
MAX_JUNK = 100
#: The streams of more connections are not kept but put together again when they are looked at.
_MANY = 1000
#: How many messages of a connection are looked at to see who is the device.
_MAX_VOTES = 2000


class HubLine(NamedTuple):
    """A line for or from a hub at the begin of a stream.

    `login` is None for an answer (`PONG`, `NULL`), which has no `role` either, and for a login that no hub
    accepts; `text` then holds the answer, or what is wrong, never a password. `size` counts the bytes of the
    line in the stream.
    """

    side: int
    role: Role | None
    login: Login | None
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
class VescStream:
    """What one side of a connection said.

    `stats` accounts for every byte behind the hub line; what it waits for at the end is in packet
    `waiting_number`.
    """

    stats: FrameStats
    hub_line: HubLine | None
    junk: tuple[Junk, ...]
    waiting_number: int | None


@dataclass(frozen=True)
class VescConnection:
    """A connection with VESC traffic; its messages are the rows `rows` of `messages`.

    `device` is the end (0 or 1) that is the device or stands for it, None where nothing tells; `evidence`
    says what told.
    """

    connection: Connection
    device: int | None
    evidence: str
    streams: tuple[VescStream, VescStream]
    messages: Messages
    rows: Int64s

    @property
    def hub_lines(self) -> tuple[HubLine, ...]:
        """Return the hub lines of both sides, in the order of the packets."""
        lines = [stream.hub_line for stream in self.streams if stream.hub_line is not None]
        return tuple(sorted(lines, key=lambda line: line.number))

    @cached_property
    def conversation(self) -> Conversation:
        """Return its messages as requests and replies."""
        return converse(self.messages.select(self.rows))


@dataclass(frozen=True, slots=True)
class VescTraffic:
    """All VESC traffic of a recording; `other_connections` counts the TCP connections without any.

    `left_out` counts the connections that were not looked at, by reason.
    """

    messages: Messages
    connections: tuple[VescConnection, ...]
    other_connections: int
    left_out: dict[str, int] = field(default_factory=dict)


def read_vesc(connections: Connections) -> VescTraffic:
    """Find the VESC traffic of a recording."""
    table = VescTable(connections.packets.data)
    parts: list[tuple[Connection, tuple[int | None, str], tuple[VescStream, VescStream]]] = []
    left_out = Counts()
    indices = vesc_connections(connections, left_out)
    for index in indices:
        connection = connections[index] if len(indices) <= _MANY else connections.glance(index)
        lines = _hub_lines(connection)
        found = [_find(connection.streams[side], lines[side]) for side in (0, 1)]
        if not any(lines) and not any(len(each.frames) for each in found):
            continue
        role = _device_side(lines, [_first_payloads(table.data, each) for each in found])
        for side in (0, 1):
            table.add(len(parts), connection.streams[side], found[side], _direction(role[0], side))
        reports = [_report(connection.streams[side], lines[side], found[side].frames) for side in (0, 1)]
        if len(indices) > _MANY:
            connection = connections.glance(index)
        parts.append((connection, role, (reports[0], reports[1])))
    messages = table.messages([connection.channel for connection, _, _ in parts])
    rows = np.argsort(messages.channel, kind="stable")
    bounds = np.searchsorted(messages.channel[rows], np.arange(len(parts) + 1))
    return VescTraffic(
        messages,
        tuple(
            VescConnection(connection, *role, streams, messages, rows[bounds[index] : bounds[index + 1]])
            for index, (connection, role, streams) in enumerate(parts)
        ),
        len(connections) - len(parts),
        left_out.by_reason,
    )


def _direction(device: int | None, side: int) -> Direction:
    if device is None:
        return Direction.UNKNOWN
    return Direction.FROM_DEVICE if side == device else Direction.TO_DEVICE


def _hub_lines(connection: Connection) -> tuple[HubLine | None, HubLine | None]:
    """Read the hub's login line, from whichever side, and its answer to `PING`."""
    first, second = (_hub_login(side, stream) for side, stream in enumerate(connection.streams))
    for login, side in ((first, 1), (second, 0)):
        if login and login.role is Role.PING:
            answer = _ping_answer(side, connection.streams[side])
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


def _hub_login(side: int, stream: Stream) -> HubLine | None:
    begin = _begin(stream, MAX_LINE + 2)
    role = next((role for role in Role if begin.startswith(f"{role}:".encode())), None)
    if role is None or b"\n" not in begin:
        return None
    size = begin.index(b"\n") + 1
    login = parse_login(begin[: size - 1])
    if login is None and role is Role.PING:
        return None  # other protocols begin like this too
    text = "" if login else _wrong_login(begin[: size - 1])
    size += begin[size : size + 1] == b"\0"
    return HubLine(side, role, login, text, size, *_place(stream, size - 1))


def _wrong_login(line: bytes) -> str:
    parts = line.count(b":") + 1
    if parts != 3:
        return (
            f"a login line of {parts} parts instead of 3: a colon in the id or in the password can never work"
        )
    return "a login line whose id is too short"


def _ping_answer(side: int, stream: Stream) -> HubLine | None:
    begin = _begin(stream, 8)
    for answer in (b"PONG", b"NULL"):
        if begin.startswith(answer):
            size = len(answer) + (begin[len(answer) :][:1] == b"\n")
            return HubLine(side, None, None, answer.decode(), size, *_place(stream, size - 1))
    return None


def _place(stream: Stream, position: int) -> tuple[int, int]:
    piece = stream.piece_at(position)
    return int(stream.number[piece]), int(stream.time[piece])


def _find(stream: Stream, line: HubLine | None) -> Located:
    frames = find_frames(stream, line.size if line else 0)
    begins = _begins(stream)
    payload = frames.start + frames.size - TRAILER - frames.payload_size
    first, last, piece = (
        np.searchsorted(begins, at, side="right") - 1
        for at in (frames.start, frames.start + frames.size - 1, payload)
    )
    start = stream.start[piece] + payload - begins[piece]
    start[payload + frames.payload_size > begins[piece + 1]] = -1
    return Located(frames, start, first, last)


def _begins(stream: Stream) -> Int64s:
    """Return how many recorded bytes come before each piece, and before the end."""
    return np.concatenate(([0], np.cumsum(stream.size)))


def _first_payloads(data: Bytes, found: Located) -> list[bytes]:
    """Return the payloads of the first messages of a stream."""
    columns = (found.start[:_MAX_VOTES].tolist(), found.frames.payload_size[:_MAX_VOTES].tolist())
    return [
        data[start : start + size].tobytes() if start >= 0 else found.frames.payloads[row]
        for row, (start, size) in enumerate(zip(*columns, strict=True))
    ]


def _report(stream: Stream, line: HubLine | None, frames: StreamFrames) -> VescStream:
    begins = _begins(stream)
    waiting = frames.stats.waiting
    piece = int(np.searchsorted(begins, waiting.since, side="right")) - 1 if waiting else 0
    junk = tuple(_junk(stream, begins, line.size if line else 0, frames))
    return VescStream(frames.stats, line, junk, int(stream.number[piece]) if waiting else None)


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
    lines: tuple[HubLine | None, HubLine | None], payloads: list[list[bytes]]
) -> tuple[int | None, str]:
    """Return which end is the device, or stands for it, and what tells."""
    for line in lines:
        if line and line.role is Role.CLIENT:
            return 1 - line.side, "the other end logs in at it as a client (VESCTOOL:)"
        if line and line.role is Role.DEVICE:
            return line.side, "it logs in at a hub as the device (VESC:)"
        if line and line.role is Role.PING:
            return None, "a question to a hub, no device takes part"
    votes: Counter[int] = Counter()
    for side in (0, 1):
        for payload in payloads[side]:
            asks = _asks(payload)
            if asks is not None:
                votes[1 - side if asks else side] += 1
    if votes[0] == votes[1]:
        return None, "nothing tells which end is the device"
    return (0 if votes[0] > votes[1] else 1), "it sends the replies, the other end the requests"


def _asks(payload: bytes) -> bool | None:
    """Tell whether a payload is a request (True) or comes from a device (False); None: it may be either."""
    command = payload[0]
    if command == Command.FORWARD_CAN:
        return True
    if unsolicited(command):
        return False
    row = traits(command)
    if not row.shorter:
        return False if command == Command.PING_CAN and len(payload) > 1 else None
    return len(payload) <= 1 + row.arguments.longest
