"""Replays recorded VESC sessions over real TCP connections, through whatever is put between the two ends.

    @every_session
    async def test_what_it_lets_pass_is_unchanged(session):
        async with RecordedEnd() as device, tap(upstream=device.port) as tapped:
            got = await replay(session, tapped.port, device)
        assert got == session.streams

Two ways, for two kinds of things in between:

- `replay` plays both ends piece by piece, as they were recorded (for a tap, for a hub). A piece is sent when
  the other end has got all that was sent before it, so nothing depends on time. What the far end gets may
  be less than what was sent, where the thing in between keeps something to itself: `keeps` (bytes) says how
  much of the stream of the end that dialled, from its begin (a login line at a hub).
- `RecordedDevice` answers each request with the reply that was recorded for it, in the order of the recording
  (for share: request by request and reply by reply, with as many clients as you like). `session.exchanges`
  says what a client asks, and what it has to get.

The sessions are those of ../shared/captures/vesc; where that folder is missing, `every_session` skips.
"""

import asyncio
import contextlib
import functools
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np
import pytest

from packwire.capture import open_capture
from packwire.capture.layers.conversation import Part
from packwire.capture.layers.spoken import SpokenConnection
from packwire.capture.layers.tcp import Connection
from packwire.direction import Direction
from packwire.vesc.framing import Framer, encode_frame
from tests.shared_data import CAPTURES, needs_captures

#: Long enough for bytes to arrive on a busy machine; a test that waits for so long fails.
PATIENCE = 90.0
_PIECE = 65536


class Piece(NamedTuple):
    """What one end sent in one segment; `side` 0 is the end that dialled."""

    side: int
    data: bytes


class Exchange(NamedTuple):
    """A request's payload and that of its reply; None where no reply was recorded."""

    request: bytes
    reply: bytes | None


@dataclass(frozen=True, slots=True)
class RecordedSession:
    """A recorded connection with VESC traffic.

    `streams` are all bytes that side 0 (it dialled) and side 1 sent; `device` is the side that is the device
    or stands for it; `login_size` counts the bytes of a client's or device's login line at a hub, at the
    begin of side 0 (0: there is none).
    """

    name: str
    pieces: tuple[Piece, ...]
    streams: tuple[bytes, bytes]
    device: int
    login_size: int
    exchanges: tuple[Exchange, ...]
    unsolicited: tuple[bytes, ...]


@functools.cache
def recorded_sessions() -> tuple[RecordedSession, ...]:
    """Return every recorded VESC session; none where the captures are missing."""
    folder = CAPTURES / "vesc"
    files = sorted(folder.iterdir()) if folder.exists() else []
    return tuple(
        _session(f"{file.name}-{connection.connection.index}", connection)
        for file in files
        for connection in open_capture(file).vesc.connections
    )


def every_session(test: Any) -> Any:
    """Run a test once for every recorded session, as its parameter `session`."""
    sessions = recorded_sessions()
    if not sessions:
        return needs_captures(test)
    return pytest.mark.parametrize("session", sessions, ids=[each.name for each in sessions])(test)


def _session(name: str, vesc: SpokenConnection[Connection]) -> RecordedSession:
    assert vesc.device is not None
    login = vesc.streams[0].hub_line
    streams = (vesc.connection.streams[0].joined(), vesc.connection.streams[1].joined())
    exchanges, unsolicited = _conversation(vesc)
    pieces = tuple(_pieces(vesc.connection))
    for side in (0, 1):
        assert b"".join(piece.data for piece in pieces if piece.side == side) == streams[side]
    return RecordedSession(
        name, pieces, streams, vesc.device, login.size if login else 0, exchanges, unsolicited
    )


def _pieces(connection: Connection) -> Iterable[Piece]:
    found = []
    for side in (0, 1):
        stream = connection.streams[side]
        columns = zip(stream.number.tolist(), stream.start.tolist(), stream.size.tolist(), strict=True)
        found += [
            (number, Piece(side, stream.data[at : at + size].tobytes())) for number, at, size in columns
        ]
    return (piece for _, piece in sorted(found, key=lambda row: row[0]))


def _conversation(vesc: SpokenConnection[Connection]) -> tuple[tuple[Exchange, ...], tuple[bytes, ...]]:
    conversation = vesc.conversation
    messages, partner = conversation.messages, conversation.partner
    asked = np.flatnonzero(messages.direction == Direction.TO_DEVICE).tolist()
    exchanges = tuple(
        Exchange(messages.payload(row), messages.payload(int(partner[row])) if partner[row] >= 0 else None)
        for row in asked
    )
    unasked = np.flatnonzero(conversation.part == Part.UNSOLICITED).tolist()
    return exchanges, tuple(messages.payload(row) for row in unasked)


class End:
    """One end of a TCP connection on loopback: all that it got is in `got`.

    `closed` says how the other end ended it: None while it is open, `"end"` or `"reset"`.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.got = bytearray()
        self.closed: str | None = None
        self.writer = writer
        self._reader = reader
        self._changed = asyncio.Condition()
        self._task = asyncio.create_task(self._read())

    @classmethod
    async def dial(cls, port: int) -> Self:
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def _read(self) -> None:
        closed = "end"
        try:
            while data := await self._reader.read(_PIECE):
                async with self._changed:
                    self.got += data
                    self._changed.notify_all()
        except ConnectionError:
            closed = "reset"
        async with self._changed:
            self.closed = closed
            self._changed.notify_all()

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def until(self, count: int) -> bytes:
        """Wait until so many bytes have come (or the other end has closed); return what came."""
        async with asyncio.timeout(PATIENCE), self._changed:
            await self._changed.wait_for(lambda: len(self.got) >= count or self.closed is not None)
        return bytes(self.got)

    async def until_closed(self) -> bytes:
        """Wait until the other end has closed; return all that came."""
        async with asyncio.timeout(PATIENCE), self._changed:
            await self._changed.wait_for(lambda: self.closed is not None)
        return bytes(self.got)

    async def close(self, *, reset: bool = False) -> None:
        if reset:
            self.writer.transport.abort()
        else:
            self.writer.close()
        with contextlib.suppress(ConnectionError):
            await self.writer.wait_closed()
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


class RecordedEnd:
    """A server on loopback that is dialled; what it sends is up to the test (`replay` does it)."""

    def __init__(self) -> None:
        self.port = 0
        self._ends: asyncio.Queue[End] = asyncio.Queue()
        self._all: list[End] = []

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for end in self._all:
            await end.close(reset=True)
        await self._server.wait_closed()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        end = End(reader, writer)
        self._all.append(end)
        self._ends.put_nowait(end)

    async def dialled(self) -> End:
        """Wait for the next connection."""
        async with asyncio.timeout(PATIENCE):
            return await self._ends.get()


async def replay(
    session: RecordedSession, port: int, far: RecordedEnd, *, keeps: int = 0
) -> tuple[bytes, bytes]:
    """Play a session: side 0 dials `port`, and what it dials has to dial `far`, which plays side 1.

    Returns what came out: side 0's stream as it arrived at the far end, and side 1's as it arrived at the
    near one. Both ends close at the end of the session, side 0 first, and see each other close.
    """
    near = await End.dial(port)
    first, *rest = session.pieces
    if first.side == 0:
        await near.send(first.data)
    else:
        rest = list(session.pieces)
    other = await far.dialled()
    ends, sent = (near, other), [len(first.data) if first.side == 0 else 0, 0]
    for piece in rest:
        await ends[0].until(sent[1])
        await ends[1].until(max(sent[0] - keeps, 0))
        await ends[piece.side].send(piece.data)
        sent[piece.side] += len(piece.data)
    await ends[0].until(sent[1])
    await ends[1].until(max(sent[0] - keeps, 0))
    near.writer.write_eof()
    await other.until_closed()
    await other.close()
    await near.until_closed()
    await near.close()
    return bytes(other.got), bytes(near.got)


class RecordedDevice:
    """A device on loopback that answers each request with the replies recorded for it, in their order.

    The last recorded reply is given again to a request that is asked more often than it was recorded, so that
    several clients may play one session. `asked` lists the payloads of all requests that came, in order;
    `strange` those that were never recorded (they get no answer); `junk` counts bytes outside of frames.
    """

    def __init__(self, session: RecordedSession) -> None:
        self.port = 0
        self.asked: list[bytes] = []
        self.strange: list[bytes] = []
        self.connections = 0
        self._replies: dict[bytes, deque[bytes | None]] = defaultdict(deque)
        for request, reply in session.exchanges:
            self._replies[request].append(reply)
        self._framers: list[Framer] = []
        self._writers: list[asyncio.StreamWriter] = []

    @property
    def junk(self) -> int:
        return sum(framer.stats.junk for framer in self._framers)

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator[Self]:
        """Listen on `port` meanwhile."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for writer in self._writers:
                writer.transport.abort()
            await server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.append(writer)
        framer = Framer()
        self._framers.append(framer)
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(_PIECE):
                for frame in framer.feed(data):
                    reply = self._reply(frame.payload)
                    if reply is not None:
                        writer.write(encode_frame(reply))
                await writer.drain()
        writer.close()

    def _reply(self, request: bytes) -> bytes | None:
        self.asked.append(request)
        waiting = self._replies.get(request)
        if not waiting:
            self.strange.append(request)
            return None
        return waiting.popleft() if len(waiting) > 1 else waiting[0]
