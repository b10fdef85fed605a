"""A tap: a wire with a recorder. Clients connect to it, and all passes through to the device unchanged.

Byte for byte, with half-closes and resets passed on; a slow side pauses the other one. What passes is shown
to a watcher and written by a recorder, which can change nothing. Passing on comes first; what has passed is
shown afterwards, a piece of each connection in turn, so that a flood delays its own connection alone.
"""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple, Self, cast, override

from packwire.address import place
from packwire.capture.recorder import Endpoint, RecordedConnection, Recorder
from packwire.errors import PackwireError, Reason, UnreachableError
from packwire.link.tcp import keep_alive, not_listening
from packwire.tap.ends import (
    SERIAL_CLIENT,
    SERIAL_DEVICE,
    EndWay,
    PseudoTerminal,
    Side,
    UpstreamEnd,
    peer,
    reset,
)
from packwire.tap.watcher import Watcher

#: Clients at one time.
MOST_CLIENTS = 32
#: Of what one side sent, so many bytes are passed on and shown before the others have their turn.
AT_ONCE = 2048
#: With so many bytes that have passed and are not shown yet, a connection rests.
MOST_UNSEEN = 8192
#: Seconds between looks at what is held or waited for.
TICK = 0.2


class Tap:
    """Listens on `host` and `port` (0: any free one), or where `port` is None on a pseudo-terminal.

    >>> async with Tap(TcpUpstream("192.0.2.1", 65102), watcher, port=65102) as tap:    # doctest: +SKIP
    ...     print(tap.where)
    """

    def __init__(
        self,
        upstream: UpstreamEnd,
        watcher: Watcher,
        *,
        host: str = "127.0.0.1",
        port: int | None = 0,
        recorder: Recorder | None = None,
        most_clients: int = MOST_CLIENTS,
    ) -> None:
        self.most_clients = most_clients
        self.upstream = upstream
        self.watcher = watcher
        self.recorder = recorder
        self.host = host
        self.port = port
        self.where = ""
        """`127.0.0.1:65101`, or the path of the pseudo-terminal."""
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done when the serial port of a pseudo-terminal has gone, or with what went wrong here."""
        self.count = 0
        self._relays: set[_Relay] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._unseen: dict[_Relay, None] = {}
        """Connections of which something is to be shown, the next one first."""

    async def __aenter__(self) -> Self:
        if self.port is None:
            await self._open_terminal()
        else:
            await self._listen(self.port)
        self._start(self._tick())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server:
            self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for relay in list(self._relays):
            relay.stop()
        while self._unseen:
            self._see_next()
        if self.recorder:
            self.recorder.close()

    async def _listen(self, port: int) -> None:
        loop = asyncio.get_running_loop()
        try:
            self._server = await loop.create_server(lambda: _Side(self._new_relay(), 0), self.host, port)
        except OSError as error:
            raise not_listening(self.host, port, error) from error
        self.port = self._server.sockets[0].getsockname()[1]
        self.where = place(self.host, self.port)

    async def _open_terminal(self) -> None:
        """Connect upstream first: a port that cannot be opened is known at once."""
        relay = self._new_relay()
        terminal = PseudoTerminal()
        near = _Side(relay, 0)
        await terminal.open(near)
        self.where = terminal.path
        relay.ways[0] = terminal
        relay.rest(0, "no device yet")
        try:
            await relay.connect()
        except PackwireError:
            terminal.abort()
            raise

    def _new_relay(self) -> "_Relay":
        self.count += 1
        relay = _Relay(self, self.count)
        self._relays.add(relay)
        return relay

    def no_room(self, relay: "_Relay") -> str | None:
        """Say why one more client cannot be served, or None."""
        others = len(self._relays - {relay})
        if self.upstream.one_at_a_time and others:
            return f"{self.upstream.name} is in use by another client of this tap"
        return f"this tap has {others} clients already" if others >= self.most_clients else None

    def connect(self, relay: "_Relay") -> None:
        """Connect a client that has come."""
        self._start(relay.connect_or_close())

    def forget(self, relay: "_Relay") -> None:
        """Learn that a connection is over."""
        self._relays.discard(relay)
        if self.port is None and not self.over.done():
            self.over.set_result(None)

    def see_later(self, relay: "_Relay") -> None:
        """Show what has passed when it is this connection's turn."""
        if not self._unseen:
            asyncio.get_running_loop().call_soon(self._see_in_turn)
        self._unseen.setdefault(relay)

    def _see_in_turn(self) -> None:
        if self._unseen:
            self._see_next()
        if self._unseen:
            asyncio.get_running_loop().call_soon(self._see_in_turn)

    def _see_next(self) -> None:
        relay = next(iter(self._unseen))
        del self._unseen[relay]
        if relay.see_next():
            self._unseen[relay] = None

    def beside[**P](self, see: Callable[P, object], *what: P.args, **more: P.kwargs) -> None:
        """Show or record something; where that fails, what passes still passes, and `over` gets the error."""
        try:
            see(*what, **more)
        except Exception as error:  # noqa: BLE001 - the wire goes on, whoever runs the tap gets it
            if not self.over.done():
                self.over.set_exception(error)

    def _start(self, work: "asyncio._CoroutineLike[None]") -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK)
            # No later than what is not shown yet: a reply may be among it.
            now = min([time.time_ns(), *(relay.oldest_unseen for relay in self._unseen)])
            if self.recorder:
                self.beside(self.recorder.tick, now)
            self.beside(self.watcher.tick, now)


class _Seen(NamedTuple):
    """Something to be shown: what happened at `at` (ns), and how many bytes it is about."""

    at: int
    size: int
    what: Callable[..., object]
    about: tuple[Any, ...]


class _Relay:
    """One connection through the tap: two ways, joined."""

    def __init__(self, tap: Tap, number: int) -> None:
        self.ways: list[EndWay | None] = [None, None]
        self._tap = tap
        self._number = number
        self._recorded: RecordedConnection | None = None
        self._ended = [False, False]
        self._over = False
        self._unseen: deque[_Seen] = deque()
        self._unseen_bytes = 0
        self._resting: tuple[set[str], set[str]] = set(), set()
        """Why nothing is read from each side for now."""

    def see(self, what: Callable[..., object], *about: Any, at: int | None = None, size: int = 0) -> None:
        """Show or record something in its turn; `about` is what it is called with."""
        self._unseen.append(_Seen(time.time_ns() if at is None else at, size, what, about))
        self._unseen_bytes += size
        self._tap.see_later(self)
        if self._unseen_bytes > MOST_UNSEEN:
            for side in (0, 1):
                self.rest(side, "unseen")

    def see_next(self) -> bool:
        """Show the next thing; tell whether there is more."""
        seen = self._unseen.popleft()
        self._unseen_bytes -= seen.size
        self._tap.beside(seen.what, *seen.about)
        if self._unseen_bytes <= MOST_UNSEEN // 2:
            for side in (0, 1):
                self.go_on(side, "unseen")
        return bool(self._unseen)

    @property
    def oldest_unseen(self) -> int:
        """Return the time of what is to be shown next."""
        return self._unseen[0].at

    def rest(self, side: int, why: str) -> None:
        """Read nothing from a side until each reason for it is gone."""
        if not self._resting[side]:
            self._read(side, paused=True)
        self._resting[side].add(why)

    def go_on(self, side: int, why: str) -> None:
        """Take back a reason."""
        if why in self._resting[side]:
            self._resting[side].discard(why)
            if not self._resting[side]:
                self._read(side, paused=False)

    def _read(self, side: int, *, paused: bool) -> None:
        way = self.ways[side]
        if way is not None and not self._over:
            with contextlib.suppress(RuntimeError):  # it has just closed
                if paused:
                    way.pause_reading()
                else:
                    way.resume_reading()

    async def connect_or_close(self) -> None:
        """Connect upstream; where that fails, close the client and say why."""
        try:
            if problem := self._tap.no_room(self):
                raise UnreachableError(problem, reason=Reason.BUSY)
            await self.connect()
        except PackwireError as error:
            if not self._over:
                self.see(self._tap.watcher.failed, self._number, error)
                self._finish()

    async def connect(self) -> None:
        """Connect upstream, then let the client's bytes come. Raises UnreachableError."""
        near = self.ways[0]
        assert near is not None
        client = peer(near)
        self.see(self._tap.watcher.opened, self._number, place(*client) if client else self._tap.where)
        await self._tap.upstream.connect(_Side(self, 1))
        if not self._over:
            self.go_on(0, "no device yet")

    def came(self, side: int, way: EndWay) -> None:
        """Learn that a side is connected. Nothing is read from a client before the device is there."""
        self.ways[side] = way
        if side == 0:
            self.rest(0, "no device yet")
            keep_alive(cast("asyncio.BaseTransport", way))
            self._tap.connect(self)
            return
        near = self.ways[0]
        if self._over or near is None:  # the client went meanwhile
            way.abort()
            return
        if self._resting[1]:
            way.pause_reading()
        if self._tap.recorder:
            client, server = peer(near) or SERIAL_CLIENT, peer(way) or SERIAL_DEVICE
            self.see(self._record, self._tap.recorder, client, server, time.time_ns())

    def _record(self, recorder: Recorder, client: Endpoint, server: Endpoint, at: int) -> None:
        self._recorded = recorder.connection(client, server)
        self._recorded.opened(at)

    def passed(self, side: int, data: bytes) -> None:
        """Pass bytes on, then show them."""
        now = time.time_ns()  # before: else what they cause may seem to come sooner after them than it can
        other = self.ways[1 - side]
        if other is not None and not self._over:
            other.write(data)
        self.see(self._see_passed, side, data, now, at=now, size=len(data))

    def _see_passed(self, side: int, data: bytes, at: int) -> None:
        if self._recorded:
            self._tap.beside(self._recorded.data, side, data, at)
        self._tap.watcher.passed(self._number, side, data, at)

    def _see_end(self, side: int, at: int) -> None:
        if self._recorded:
            self._recorded.end(side, at)

    def _see_reset(self, side: int, at: int) -> None:
        if self._recorded:
            self._recorded.reset(side, at)

    def ended(self, side: int) -> None:
        """Pass on that a side will send no more; when both will not, it is over."""
        first = 1 - side if self._ended[1 - side] else side
        self._ended[side] = True
        self.see(self._see_end, side, time.time_ns())
        other = self.ways[1 - side]
        if other is not None and other.can_write_eof() and not all(self._ended):
            other.write_eof()
            return
        self.see(self._tap.watcher.closed, self._number, first, "closed it")
        self._finish()

    def lost(self, side: int, error: Exception | None) -> None:
        """Pass on that a side broke the connection off."""
        if self._over:
            return
        self.see(self._see_reset, side, time.time_ns())
        other = self.ways[1 - side]
        self._over = True
        if other is not None:
            reset(other)
        how = f"broke it off ({error})" if error else "broke it off"
        self.see(self._tap.watcher.closed, self._number, side, how)
        self._tap.forget(self)

    def flow(self, side: int, *, paused: bool) -> None:
        """Let a side rest while the other one takes no more."""
        (self.rest if paused else self.go_on)(1 - side, "the other is slow")

    def stop(self) -> None:
        """End it because the tap ends."""
        if not self._over:
            self.see(self._tap.watcher.closed, self._number, None, "the tap ends")
            self._finish()

    def _finish(self) -> None:
        self._over = True
        for way in self.ways:
            if way is not None:
                way.close()
        self._tap.forget(self)


class _Side(Side):
    """One side's asyncio protocol. Its small buffer lets the event loop serve all sides in turns."""

    def __init__(self, relay: _Relay, side: int) -> None:
        self._relay = relay
        self._side = side
        self._buffer = bytearray(AT_ONCE)

    @override
    def get_buffer(self, sizehint: int) -> bytearray:
        return self._buffer

    @override
    def buffer_updated(self, nbytes: int) -> None:
        self._relay.passed(self._side, bytes(self._buffer[:nbytes]))

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._relay.came(self._side, cast("EndWay", transport))

    @override
    def data_received(self, data: bytes) -> None:
        self._relay.passed(self._side, data)

    @override
    def eof_received(self) -> bool:
        self._relay.ended(self._side)
        return True

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._relay.lost(self._side, exc)

    @override
    def pause_writing(self) -> None:
        self._relay.flow(self._side, paused=True)

    @override
    def resume_writing(self) -> None:
        self._relay.flow(self._side, paused=False)
