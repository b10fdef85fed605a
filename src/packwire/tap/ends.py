"""The two ends of a tap: a device, a hub or a serial port upstream; a pseudo-terminal on this side."""

import asyncio
import contextlib
import os
import socket
import struct
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Protocol, cast, override

from packwire.address import Address, place
from packwire.capture.recorder import Endpoint
from packwire.link.pseudo_terminal import pseudo_terminal
from packwire.link.serial import serial_connection
from packwire.link.tcp import CONNECT_TIMEOUT, keep_alive, unreachable

#: VESC Tool and a VESC agree on nothing else.
_BAUD = 115_200
#: Where a serial port stands in a recording, which needs addresses.
SERIAL_DEVICE = Endpoint("127.0.0.2", 65102)
SERIAL_CLIENT = Endpoint("127.0.0.1", 65102)
#: Reset instead of a close [SO_LINGER with a time of 0].
_RESET = struct.pack("ii", 1, 0)


class EndWay(Protocol):
    """What a tap needs of a transport."""

    def write(self, data: bytes) -> None:
        """Send bytes."""

    def write_eof(self) -> None:
        """Send no more."""

    def can_write_eof(self) -> bool:
        """Tell whether the other end can learn that no more will be sent."""

    def pause_reading(self) -> None:
        """Take no bytes for a while."""

    def resume_reading(self) -> None:
        """Take bytes again."""

    def close(self) -> None:
        """Close when all is sent."""

    def abort(self) -> None:
        """Close at once."""

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Return the socket, or an address."""


def reset(way: EndWay) -> None:
    """Break a connection off, so that the other end sees a reset."""
    sock = way.get_extra_info("socket")
    if sock is not None:
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    way.abort()


def peer(way: EndWay) -> Endpoint | None:
    """Return who is at the other end of a TCP connection; None for anything else."""
    name = way.get_extra_info("peername")
    return Endpoint(name[0], name[1]) if isinstance(name, tuple) else None


class Side(asyncio.BufferedProtocol):
    """The protocol of one side: a socket fills its buffer, a serial port or a terminal gives it bytes."""

    @abstractmethod
    def data_received(self, data: bytes) -> None:
        """Take bytes."""


class UpstreamEnd(ABC):
    """Where a tap leads. `one_at_a_time`: it takes one client only."""

    name: str
    one_at_a_time = False

    @abstractmethod
    async def connect(self, protocol: Side) -> EndWay:
        """Connect; raise UnreachableError and its kin."""


class TcpUpstream(UpstreamEnd):
    """A device's own port, or a hub."""

    def __init__(self, host: str, port: int) -> None:
        self.host = host
        self.port = port
        self.name = place(host, port)

    @override
    async def connect(self, protocol: Side) -> EndWay:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT):
                *others, last = await _addresses(self.host, self.port)
                for address in others:
                    with contextlib.suppress(OSError):
                        transport, _ = await loop.create_connection(lambda: protocol, address, self.port)
                        break
                else:
                    transport, _ = await loop.create_connection(lambda: protocol, last, self.port)
        except (OSError, UnicodeError) as error:
            raise unreachable(self.host, self.port, error) from error
        keep_alive(transport)
        return transport


async def _addresses(host: str, port: int) -> list[str]:
    """Return the addresses of a name, those to be tried first before others. Raises OSError, UnicodeError.

    asyncio looks names up in a thread that the process waits for at its end, as long as a name server takes:
    this thread is a daemon.
    """
    found: Future[list[str]] = Future()
    found.set_running_or_notify_cancel()

    def look_up() -> None:
        try:
            known = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            found.set_result(list(dict.fromkeys(str(each[4][0]) for each in known)))
        except (OSError, UnicodeError) as error:
            found.set_exception(error)

    threading.Thread(target=look_up, name="look up", daemon=True).start()
    return await asyncio.wrap_future(found)


class SerialUpstream(UpstreamEnd):
    """A serial port, opened anew for each connection."""

    one_at_a_time = True

    def __init__(self, address: Address) -> None:
        self._address = address
        self.name = str(address)

    @override
    async def connect(self, protocol: Side) -> EndWay:
        side = cast("asyncio.Protocol", protocol)  # it takes bytes in both ways
        way: EndWay = await serial_connection(lambda: side, self._address.target, self._address.baud or _BAUD)
        return way


class PseudoTerminal:
    """A serial port that a program on this computer opens: `path`. Not on Windows.

    What is written waits in the terminal's buffer until somebody reads it.
    """

    def __init__(self) -> None:
        self.path = ""
        self._theirs = -1
        self._reading: asyncio.ReadTransport | None = None
        self._writing: asyncio.WriteTransport | None = None

    async def open(self, protocol: Side) -> None:
        """Make it, and read for `protocol`; raise BadOptionError where the system has none."""
        ours, self._theirs, self.path = pseudo_terminal("give --listen with a TCP port")
        loop = asyncio.get_running_loop()
        incoming, outgoing = os.fdopen(ours, "rb", 0), os.fdopen(os.dup(ours), "wb", 0)
        self._reading, _ = await loop.connect_read_pipe(lambda: _Half(protocol.data_received), incoming)
        self._writing, _ = await loop.connect_write_pipe(lambda: _Flow(protocol), outgoing)

    def write(self, data: bytes) -> None:
        """Send bytes."""
        if self._writing:
            self._writing.write(data)

    def write_eof(self) -> None:
        """Do nothing: a serial line has no end."""

    def can_write_eof(self) -> bool:
        """Return False: a serial line has no end."""
        return False

    def pause_reading(self) -> None:
        """Take no bytes for a while."""
        if self._reading:
            self._reading.pause_reading()

    def resume_reading(self) -> None:
        """Take bytes again."""
        if self._reading:
            self._reading.resume_reading()

    def close(self) -> None:
        """Let the port vanish."""
        self.abort()

    def abort(self) -> None:
        """Let the port vanish."""
        if self._theirs >= 0:
            if self._reading:
                self._reading.close()
            if self._writing:
                self._writing.abort()
            os.close(self._theirs)
            self._theirs = -1

    def get_extra_info(self, name: str, default: Any = None) -> Any:  # noqa: ARG002 - as transports have it
        """Return the default: there is neither a socket nor an address."""
        return default


class _Half(asyncio.Protocol):
    """Passes on what comes from the pseudo-terminal."""

    def __init__(self, received: Callable[[bytes], None]) -> None:
        self._received = received

    @override
    def data_received(self, data: bytes) -> None:
        self._received(data)


class _Flow(asyncio.BaseProtocol):
    """Passes on that the pseudo-terminal takes no more, or takes it again."""

    def __init__(self, protocol: Side) -> None:
        self._protocol = protocol

    @override
    def pause_writing(self) -> None:
        self._protocol.pause_writing()

    @override
    def resume_writing(self) -> None:
        self._protocol.resume_writing()
