"""Records live connections as a pcapng file that Wireshark and every packwire command open.

    with open("session.pcapng", "wb", buffering=0) as file:
        recorder = Recorder(file)
        connection = recorder.connection(Endpoint("127.0.0.1", 50000), Endpoint("192.0.2.1", 65102))
        link.observers.append(connection.observe)

Packets are made of the bytes that passed, with the times at which they did. Hub logins, configurations and
texts are masked unless `keep_secrets`: masked bytes keep their places, checksums are mended. To know what is
a secret, bytes are held until their frame is whole, but no longer than `HOLD` where somebody calls `tick`
often enough.
"""

import time
from collections import Counter, deque
from collections.abc import Iterable
from typing import Literal, NamedTuple

from packwire.capture.redact.live import LiveMasker
from packwire.capture.sink import Sink, SinkRecorder
from packwire.capture.tcp_packets import LINKTYPE_ETHERNET, Endpoint, TcpPackets
from packwire.capture.writers.pcapng import interface_block, packet_block, section_block
from packwire.direction import Direction

__all__ = ["HOLD", "Endpoint", "RecordedConnection", "Recorder"]

#: Seconds; then what is held is written, masked where it could be a secret.
HOLD = 0.7
#: So many bytes of a connection are held at most.
_MAX_HELD = 1 << 20
#: Connections between the same endpoints are told apart by their first sequence numbers.
_SEQUENCE_STEP = 64_007


class Recorder(SinkRecorder):
    """Writes one file; see `SinkRecorder`.

    `counts` says how often what was masked; `packets` and `connections` count what was written.
    """

    def __init__(self, file: Sink, *, name: str = "packwire tap", keep_secrets: bool = False) -> None:
        super().__init__(file)
        self.keep_secrets = keep_secrets
        self.counts: Counter[str] = Counter()
        self.packets = 0
        self.connections = 0
        self._open: list[RecordedConnection] = []
        self._write(section_block() + interface_block(name, LINKTYPE_ETHERNET))

    def connection(self, client: Endpoint, server: Endpoint) -> "RecordedConnection":
        """Begin to record a connection; the client is who dialled."""
        self.connections += 1
        packets = TcpPackets(client, server, self.connections * _SEQUENCE_STEP)
        connection = RecordedConnection(self, packets)
        self._open.append(connection)
        return connection

    def tick(self, now: int | None = None) -> None:
        """Write what has been held for too long; `now` is in ns since the epoch."""
        for connection in self._open:
            connection.expire(time.time_ns() if now is None else now)

    def close(self) -> None:
        """Write all that is held; the file itself stays open."""
        for connection in list(self._open):
            connection.close()

    def write(self, at: int, packets: Iterable[bytes]) -> None:
        """Write packets that were seen at `at` (ns since the epoch)."""
        blocks = [packet_block(0, at, packet) for packet in packets]
        self.packets += len(blocks)
        self._write(b"".join(blocks))

    def forget(self, connection: "RecordedConnection") -> None:
        """Learn that a connection has ended and all of it is written."""
        if connection in self._open:
            self._open.remove(connection)


class _Event(NamedTuple):
    """What happened at a time: one side sent so many bytes, ended, or reset."""

    what: Literal["data", "end", "reset"]
    side: int
    at: int
    size: int = 0


class RecordedConnection:
    """One connection; side 0 dialled. Its packets are written in the order of what happened."""

    def __init__(self, recorder: Recorder, packets: TcpPackets) -> None:
        self._recorder = recorder
        self._packets = packets
        self._events: deque[_Event] = deque()
        self._held = 0
        self._ended = [False, False]
        self.begun = False
        self._maskers = tuple(LiveMasker(recorder.counts, may_log_in=side == 0) for side in (0, 1))
        self._clear = (bytearray(), bytearray())

    def opened(self, at: int | None = None) -> None:
        """Record the handshake; done by itself with the first bytes. Times (`at`) are in ns; None: now."""
        if not self.begun:
            self.begun = True
            self._recorder.write(time.time_ns() if at is None else at, self._packets.open())

    def observe(self, direction: Direction, data: bytes) -> None:
        """Take what passed a link: an observer for `Link.observers`."""
        self.data(1 if direction is Direction.FROM_DEVICE else 0, data)

    def data(self, side: int, data: bytes, at: int | None = None) -> None:
        """Record bytes that one side sent."""
        self.opened(at)
        if self._recorder.keep_secrets:
            self._clear[side].extend(data)
        else:
            self._maskers[side].feed(data)
        self._held += len(data)
        self._add(_Event("data", side, time.time_ns() if at is None else at, len(data)))
        if self._held > _MAX_HELD:
            self._force()

    def end(self, side: int, at: int | None = None) -> None:
        """Record that one side has sent its last byte."""
        if not self._ended[side]:
            self._ended[side] = True
            self.opened(at)
            self._add(_Event("end", side, time.time_ns() if at is None else at))
            if all(self._ended):
                self.close()

    def reset(self, side: int, at: int | None = None) -> None:
        """Record that one side broke the connection off."""
        if not all(self._ended):
            self._ended = [True, True]
            self.opened(at)
            self._add(_Event("reset", side, time.time_ns() if at is None else at))
            self.close()

    def expire(self, now: int) -> None:
        """Write what has been held for `HOLD` at the time `now` (ns)."""
        if self._events and now - self._events[0].at >= HOLD * 1e9:
            self._force()

    def close(self) -> None:
        """Write all that is held; nothing more comes."""
        self._force()
        self._recorder.forget(self)

    def _add(self, event: _Event) -> None:
        self._events.append(event)
        self._pump()

    def _force(self) -> None:
        for masker in self._maskers:
            masker.force()
        self._pump()

    def _pump(self) -> None:
        """Write the events whose bytes are decided, in their order."""
        while self._events:
            event = self._events[0]
            if event.what == "data":
                if self._ready(event.side) < event.size:
                    return
                content = self._take(event.side, event.size)
                self._held -= event.size
                self._recorder.write(event.at, self._packets.data(event.side, content))
            else:
                ending = self._packets.end if event.what == "end" else self._packets.reset
                self._recorder.write(event.at, ending(event.side))
            self._events.popleft()

    def _ready(self, side: int) -> int:
        return len(self._clear[side]) if self._recorder.keep_secrets else self._maskers[side].ready

    def _take(self, side: int, count: int) -> bytes:
        if not self._recorder.keep_secrets:
            return self._maskers[side].take(count)
        taken = bytes(self._clear[side][:count])
        del self._clear[side][:count]
        return taken
