"""A pseudo-terminal for a client that opens a serial port: it is served as one that connects."""

import asyncio
import os
from collections.abc import Callable
from contextlib import suppress
from typing import override

from packwire.errors import BadOptionError


class SerialPlace:
    """A pseudo-terminal in raw mode; `path` is what the client opens, such as /dev/pts/3.

    Who opens it is not seen: the first bytes begin a connection, which `make` makes the protocol of.
    """

    def __init__(self, make: Callable[[], asyncio.Protocol]) -> None:
        try:
            from tty import setraw  # noqa: PLC0415 - Windows has no such module
        except ImportError:
            raise BadOptionError(
                "this system has no pseudo-terminals: let your client connect to a port"
            ) from None
        self._make = make
        # Their end stays open here too: else every close by a client would look like a broken line.
        self._ours, self._theirs = os.openpty()
        setraw(self._theirs)
        os.set_blocking(self._ours, False)
        self.path = os.ttyname(self._theirs)
        self._loop = asyncio.get_running_loop()
        self._line: _Line | None = None
        self.listen()

    def listen(self) -> None:
        """Take what comes."""
        self._loop.add_reader(self._ours, self._read)

    def deafen(self) -> None:
        """Leave what comes where it is."""
        self._loop.remove_reader(self._ours)

    def write(self, data: bytes) -> None:
        """Send bytes; what nobody reads is lost when the buffer is full, as on a serial line."""
        with suppress(OSError):
            os.write(self._ours, data)

    def over(self) -> None:
        """Begin anew with the next bytes."""
        self._line = None

    def close(self) -> None:
        """Close it: the client sees its port vanish."""
        self.deafen()
        os.close(self._ours)
        os.close(self._theirs)

    def _read(self) -> None:
        with suppress(OSError):
            data = os.read(self._ours, 4096)
            if self._line is None:
                protocol = self._make()
                self._line = _Line(self, protocol)
                protocol.connection_made(self._line)
            self._line.protocol.data_received(data)


class _Line(asyncio.Transport):
    """One client at the terminal, for as long as it is examined."""

    def __init__(self, place: SerialPlace, protocol: asyncio.Protocol) -> None:
        super().__init__()
        self.protocol = protocol
        self._place = place
        self._open = True

    @override
    def write(self, data: bytes | bytearray | memoryview) -> None:
        if self._open:
            self._place.write(bytes(data))

    @override
    def pause_reading(self) -> None:
        self._place.deafen()

    @override
    def resume_reading(self) -> None:
        self._place.listen()

    @override
    def abort(self) -> None:
        if self._open:
            self._open = False
            self._place.over()
            self.protocol.connection_lost(None)

    @override
    def close(self) -> None:
        self.abort()
