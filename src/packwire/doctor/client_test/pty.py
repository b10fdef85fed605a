"""A pseudo-terminal for a client that opens a serial port: it is served as one that connects."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing, suppress

from packwire.doctor.client_test.client_line import ClientLine
from packwire.link.pseudo_terminal import pseudo_terminal


@asynccontextmanager
async def serial_port(make: Callable[[], asyncio.Protocol]) -> AsyncIterator[str]:
    """Let clients come by a pseudo-terminal, whose path is returned; `make` makes the protocol of each."""
    with closing(SerialPlace(make)) as place:
        yield place.path


class SerialPlace:
    """A pseudo-terminal in raw mode; `path` is what the client opens, such as /dev/pts/3.

    Who opens it is not seen: the first bytes begin a connection, which `make` makes the protocol of.
    """

    def __init__(self, make: Callable[[], asyncio.Protocol]) -> None:
        self._make = make
        self._ours, self._theirs, self.path = pseudo_terminal("let your client connect to a port")
        self._loop = asyncio.get_running_loop()
        self._line: ClientLine | None = None
        self._loop.add_reader(self._ours, self._read)

    def write(self, data: bytes) -> None:
        """Send bytes; what nobody reads is lost when the buffer is full, as on a serial line."""
        with suppress(OSError):
            os.write(self._ours, data)

    def over(self) -> None:
        """Begin anew with the next bytes."""
        self._line = None

    def close(self) -> None:
        """Close it: the client sees its port vanish."""
        self._loop.remove_reader(self._ours)
        os.close(self._ours)
        os.close(self._theirs)

    def _read(self) -> None:
        with suppress(OSError):
            data = os.read(self._ours, 4096)
            if self._line is None:
                protocol = self._make()
                self._line = ClientLine(protocol, self.write, self.over)
                protocol.connection_made(self._line)
            self._line.protocol.data_received(data)
