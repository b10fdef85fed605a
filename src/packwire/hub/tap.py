"""A tap: a wire with a recorder. Clients connect to it, and all passes through to the device unchanged.

Byte for byte, with half-closes and resets passed on; a slow side pauses the other one. What passes is shown
to a watcher and written by a recorder, which can change nothing.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import Protocol, Self, cast, override

from packwire.capture.recorder import Endpoint, RecordedConnection, Recorder
from packwire.errors import PackwireError, Reason, UnreachableError
from packwire.hub.tap_ends import (
    SERIAL_CLIENT,
    SERIAL_DEVICE,
    PseudoTerminal,
    Upstream,
    Way,
    peer,
    reset,
)
from packwire.link.tcp import keep_alive, not_listening, place

#: Seconds between looks at what is held or waited for.
TICK = 0.2


class Watcher(Protocol):
    """Sees what passes. Connections are numbered from 1; side 0 is the client, side 1 the device."""

    def opened(self, number: int, client: str) -> None:
        """Learn that a client came."""

    def passed(self, number: int, side: int, data: bytes, at: int) -> None:
        """See bytes that one side sent, at a time in ns since the epoch."""

    def failed(self, number: int, error: PackwireError) -> None:
        """Learn that there is no connection upstream: the client is closed."""

    def closed(self, number: int, side: int | None, how: str) -> None:
        """Learn that a connection is over: which side ended it (None: the tap), and how."""

    def tick(self, now: int) -> None:
        """Take note of the time (ns since the epoch), a few times a second."""


class Tap:
    """Listens on `host` and `port` (0: any free one), or where `port` is None on a pseudo-terminal.

    >>> async with Tap(TcpUpstream("192.0.2.1", 65102), watcher, port=65102) as tap:    # doctest: +SKIP
    ...     print(tap.where)
    """

    def __init__(
        self,
        upstream: Upstream,
        watcher: Watcher,
        *,
        host: str = "127.0.0.1",
        port: int | None = 0,
        recorder: Recorder | None = None,
    ) -> None:
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
        terminal.pause_reading()
        self.where = terminal.path
        relay.ways[0] = terminal
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

    def busy(self, relay: "_Relay") -> bool:
        """Tell whether another client has what takes only one."""
        return self.upstream.one_at_a_time and len(self._relays - {relay}) > 0

    def connect(self, relay: "_Relay") -> None:
        """Connect a client that has come."""
        self._start(relay.connect_or_close())

    def forget(self, relay: "_Relay") -> None:
        """Learn that a connection is over."""
        self._relays.discard(relay)
        if self.port is None and not self.over.done():
            self.over.set_result(None)

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
            if self.recorder:
                self.beside(self.recorder.tick)
            self.beside(self.watcher.tick, time.time_ns())


class _Relay:
    """One connection through the tap: two ways, joined."""

    def __init__(self, tap: Tap, number: int) -> None:
        self.ways: list[Way | None] = [None, None]
        self._tap = tap
        self._number = number
        self._recorded: RecordedConnection | None = None
        self._ended = [False, False]
        self._over = False

    async def connect_or_close(self) -> None:
        """Connect upstream; where that fails, close the client and say why."""
        try:
            if self._tap.busy(self):
                raise UnreachableError(
                    f"{self._tap.upstream.name} is in use by another client of this tap", reason=Reason.BUSY
                )
            await self.connect()
        except PackwireError as error:
            if not self._over:
                self._tap.beside(self._tap.watcher.failed, self._number, error)
                self._finish()

    async def connect(self) -> None:
        """Connect upstream, then let the client's bytes come. Raises UnreachableError."""
        near = self.ways[0]
        assert near is not None
        client = peer(near)
        name = place(*client) if client else self._tap.where
        self._tap.beside(self._tap.watcher.opened, self._number, name)
        await self._tap.upstream.connect(_Side(self, 1))
        if not self._over:
            near.resume_reading()

    def came(self, side: int, way: Way) -> None:
        """Learn that a side is connected. Nothing is read from a client before the device is there."""
        self.ways[side] = way
        if side == 0:
            way.pause_reading()
            keep_alive(cast("asyncio.BaseTransport", way))
            self._tap.connect(self)
            return
        near = self.ways[0]
        if self._over or near is None:  # the client went meanwhile
            way.abort()
        elif self._tap.recorder:
            client, server = peer(near) or SERIAL_CLIENT, peer(way) or SERIAL_DEVICE
            self._tap.beside(self._record, self._tap.recorder, client, server)

    def _record(self, recorder: Recorder, client: Endpoint, server: Endpoint) -> None:
        self._recorded = recorder.connection(client, server)
        self._recorded.opened()

    def passed(self, side: int, data: bytes) -> None:
        """Pass bytes on, then show them."""
        other = self.ways[1 - side]
        if other is not None and not self._over:
            other.write(data)
        if self._recorded:
            self._tap.beside(self._recorded.data, side, data)
        self._tap.beside(self._tap.watcher.passed, self._number, side, data, time.time_ns())

    def ended(self, side: int) -> None:
        """Pass on that a side will send no more; when both will not, it is over."""
        first = 1 - side if self._ended[1 - side] else side
        self._ended[side] = True
        if self._recorded:
            self._tap.beside(self._recorded.end, side)
        other = self.ways[1 - side]
        if other is not None and other.can_write_eof() and not all(self._ended):
            other.write_eof()
            return
        self._tap.beside(self._tap.watcher.closed, self._number, first, "closed it")
        self._finish()

    def lost(self, side: int, error: Exception | None) -> None:
        """Pass on that a side broke the connection off."""
        if self._over:
            return
        if self._recorded:
            self._tap.beside(self._recorded.reset, side)
        other = self.ways[1 - side]
        self._over = True
        if other is not None:
            reset(other)
        how = f"broke it off ({error})" if error else "broke it off"
        self._tap.beside(self._tap.watcher.closed, self._number, side, how)
        self._tap.forget(self)

    def flow(self, side: int, *, paused: bool) -> None:
        """Let a side rest while the other one takes no more."""
        other = self.ways[1 - side]
        if other is not None and not self._over:
            with contextlib.suppress(RuntimeError):  # it has just closed
                if paused:
                    other.pause_reading()
                else:
                    other.resume_reading()

    def stop(self) -> None:
        """End it because the tap ends."""
        if not self._over:
            self._tap.beside(self._tap.watcher.closed, self._number, None, "the tap ends")
            self._finish()

    def _finish(self) -> None:
        self._over = True
        for way in self.ways:
            if way is not None:
                way.close()
        self._tap.forget(self)


class _Side(asyncio.Protocol):
    """One side's asyncio protocol."""

    def __init__(self, relay: _Relay, side: int) -> None:
        self._relay = relay
        self._side = side

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._relay.came(self._side, cast("Way", transport))

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
