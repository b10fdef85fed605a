"""The simulated device on a pseudo-terminal: a serial port that needs no cable. Not on Windows."""

import asyncio
import os
from contextlib import suppress

from packwire.errors import BadOptionError
from packwire.sim.port import Port


class SimulatedSerialPort:
    """A pseudo-terminal in raw mode; `path` is what a reader opens, such as /dev/pts/3.

    Bytes that nobody reads are lost when its buffer is full, as on a serial line without flow control.
    """

    def __init__(self, port: Port) -> None:
        self.path = ""
        self._port = port
        self._ours = -1
        self._theirs = -1

    def open(self) -> str:
        """Open it and return its path; raise BadOptionError where the system has none."""
        try:
            from tty import setraw  # noqa: PLC0415 - Windows has no such module
        except ImportError:
            raise BadOptionError("this system has no pseudo-terminals: leave out --serial") from None
        # Their end stays open here too: else every close by a reader would look like a broken line.
        self._ours, self._theirs = os.openpty()
        setraw(self._theirs)
        os.set_blocking(self._ours, False)
        self.path = os.ttyname(self._theirs)
        self._port.attach(self._write, lambda: None)
        asyncio.get_running_loop().add_reader(self._ours, self._read)
        return self.path

    def close(self) -> None:
        """Close it: a reader sees the port vanish."""
        if self._ours >= 0:
            asyncio.get_running_loop().remove_reader(self._ours)
            self._port.detach()
            os.close(self._ours)
            os.close(self._theirs)
            self._ours = -1

    def _read(self) -> None:
        with suppress(OSError):
            self._port.received(os.read(self._ours, 4096))

    def _write(self, data: bytes) -> None:
        with suppress(OSError):
            os.write(self._ours, data)
