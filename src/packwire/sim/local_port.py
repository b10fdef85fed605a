"""The Express's own TCP port: one client; another one hears nothing until that goes, and is then reset."""

import asyncio
import contextlib
import logging
import os
import socket
import struct
from collections.abc import Callable
from typing import override

from packwire.errors import BadOptionError
from packwire.sim.faults import Faults
from packwire.sim.port import Port

log = logging.getLogger("packwire.sim")

LOOPBACK = "127.0.0.1"
#: What a web server says to bytes that are no HTTP request (the fault `http`).
_HTTP_BODY = b"<html><body><h1>400 Bad Request</h1></body></html>\r\n"
HTTP_ANSWER = (
    b"HTTP/1.1 400 Bad Request\r\nServer: sim\r\nContent-Type: text/html\r\nConnection: close\r\n"
    b"Content-Length: %d\r\n\r\n%b" % (len(_HTTP_BODY), _HTTP_BODY)
)
#: What a client leaves unread is thrown away beyond this, as a device with little memory must.
MAX_UNREAD = 1 << 20
#: The receive window of an Express, in bytes [vesc_express sdkconfig.defaults.esp32c3]; Linux takes more.
WINDOW = 2440


class LocalPort:
    """Listens for the one client that a VESC Express serves."""

    def __init__(self, port: Port, faults: Faults) -> None:
        self.port = port
        self.faults = faults
        self.client: LocalClient | None = None
        self.waiting: list[LocalClient] = []
        self.closing = False
        self._servers: list[asyncio.Server] = []
        self._unserved: list[socket.socket] = []
        self._reopening: asyncio.Task[None] | None = None
        port.on_wedge = self._wedged

    async def listen(self, host: str, port: int) -> int:
        """Listen and return the port's number; raise BadOptionError where it is taken."""
        server = await listen(lambda: LocalClient(self), host, port)
        self._servers.append(server)
        for listening in server.sockets:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, WINDOW)
        number: int = server.sockets[0].getsockname()[1]
        if self.port.wedged:
            self._wedged(wedged=True)
        return number

    async def close(self) -> None:
        """Stop listening and reset what is open."""
        self.closing = True
        if self._reopening is not None:
            await self._reopening
        for listening in self._unserved:
            listening.close()
        for server in self._servers:
            server.close()
        for client in [*self.waiting, self.client]:
            if client is not None:
                client.reset()
        for server in self._servers:
            await server.wait_closed()

    def _wedged(self, wedged: bool) -> None:
        """Read nothing more and accept nobody; or be switched off and on.

        The task that hangs is the one that accepts and reads. One connection more is taken by the network
        stack alone (`listen(sock, 1)` [comm_wifi.c]), and no other.
        """
        for client in [*self.waiting, *([self.client] if self.client else [])]:
            if wedged:
                client.pause()
            else:
                client.reset()
        if wedged and not self._unserved:
            self._unserved = [each.dup() for server in self._servers for each in server.sockets]
            for server in self._servers:
                server.close()
            for listening in self._unserved:
                listening.listen(0)  # the system lets one more wait than it is told
        elif not wedged and self._unserved and self._reopening is None:
            for listening in self._unserved:
                _reset_waiting(listening)
            self._reopening = asyncio.get_running_loop().create_task(self._reopen())

    async def _reopen(self) -> None:
        loop = asyncio.get_running_loop()
        unserved, self._unserved = self._unserved, []
        self._servers = [await loop.create_server(lambda: LocalClient(self), sock=each) for each in unserved]
        self._reopening = None
        if self.port.wedged:
            self._wedged(wedged=True)


class LocalClient(asyncio.Protocol):
    """One connection to the local port."""

    def __init__(self, local: LocalPort) -> None:
        self._local = local
        self._received: Callable[[bytes], None] = local.port.received
        self._displacement: asyncio.TimerHandle | None = None
        self._transport: asyncio.Transport
        self._name = ""

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Serve it, or let it wait in silence while another is served."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._name = peer_name(transport)
        local = self._local
        if local.closing:  # it was accepted at the very last moment
            self.reset()
            return
        if local.client is not None:
            log.info("%s connected and waits: another client is served", self._name)
            transport.pause_reading()
            local.waiting.append(self)
            return
        log.info("%s connected", self._name)
        local.client = self
        local.port.attach(self._write, transport.close)
        local.faults.on_change.append(self._fault_changed)
        for fault in local.faults:
            self._fault_changed(fault.name)

    @override
    def data_received(self, data: bytes) -> None:
        """Hand bytes to the device's parser, or to what a fault has put in its place."""
        self._received(data)

    @override
    def connection_lost(self, error: Exception | None) -> None:
        """Let the device go on without it; those that waited are reset."""
        local = self._local
        log.info("%s left%s", self._name, f" ({error})" if error else "")
        if self in local.waiting:
            local.waiting.remove(self)
        if local.client is self:
            local.client = None
            local.port.detach()
            local.faults.on_change.remove(self._fault_changed)
            if self._displacement is not None:
                self._displacement.cancel()
            for waiting in tuple(local.waiting):
                waiting.reset()

    def pause(self) -> None:
        """Let what the client sends pile up."""
        if not self._transport.is_closing():
            self._transport.pause_reading()

    def reset(self) -> None:
        """Close with a TCP reset."""
        connection: socket.socket = self._transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_RESET)
        self._transport.abort()

    def _write(self, data: bytes) -> None:
        transport = self._transport
        if not transport.is_closing() and transport.get_write_buffer_size() < MAX_UNREAD:
            transport.write(data)

    def _fault_changed(self, name: str) -> None:
        faults = self._local.faults
        match name:
            case "http":
                self._received = self._answer_http if name in faults else self._local.port.received
            case "one-way":
                if name in faults:
                    self._transport.pause_reading()
                else:
                    self._transport.resume_reading()
            case "displaced":
                if self._displacement is not None:
                    self._displacement.cancel()
                values = faults.get(name)
                if values:
                    loop = asyncio.get_running_loop()
                    self._displacement = loop.call_later(values[0], self._transport.close)

    def _answer_http(self, _: bytes) -> None:
        self._transport.write(HTTP_ANSWER)
        self._transport.close()


# On Windows the two numbers are 16 bits wide.
_LINGER_RESET = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)


def _reset_waiting(listening: socket.socket) -> None:
    """Reset the connections that nobody accepted."""
    listening.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        while True:
            waiting, _ = listening.accept()
            waiting.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_RESET)
            waiting.close()


def peer_name(transport: asyncio.Transport) -> str:
    """Return `127.0.0.1:50123` of the other end."""
    peer = transport.get_extra_info("peername")
    return f"{peer[0]}:{peer[1]}" if peer else "somebody"


async def listen(
    factory: Callable[[], asyncio.Protocol], host: str, port: int, option: str = "--listen"
) -> asyncio.Server:
    """Listen on a TCP port; raise BadOptionError that says what to do where that cannot be.

    `option` is the one that names the port on the command line.
    """
    loop = asyncio.get_running_loop()
    try:
        return await loop.create_server(factory, host, port)
    except OverflowError:
        raise BadOptionError(f"{port} is no port: ports are 1 to 65535, and 0 is any free one") from None
    except OSError as error:
        # asyncio's own words are long; a name that is not known has no number of the system.
        known = error.errno is not None and error.errno > 0
        reason = os.strerror(error.errno or 0).lower() if known else error.strerror or str(error)
        raise BadOptionError(
            f"cannot listen on {host} port {port}: {reason}; name another with {option} (0: any free one)"
        ) from None
