"""Simulated devices on a pseudo-terminal: a serial port that needs no cable. Not on Windows."""

import asyncio
import os
from contextlib import suppress
from typing import Final

from packwire.link.pseudo_terminal import pseudo_terminal
from packwire.sim.port import Port

#: What bytes become that are read at another baud rate than they were sent at.
_NOISE: Final = 0b0101_1010


class SimulatedSerialPort:
    """A pseudo-terminal in raw mode; `path` is what a reader opens, such as /dev/pts/3.

    All the devices hang on one line and hear all that is sent on it. With `echo`, so does the sender, as with
    many RS485 adapters. `baud` is the rate that devices speak at: who opens the port at another one gets
    noise, and is not understood; None: any will do.

    Bytes that nobody reads are lost when its buffer is full, as on a serial line without flow control.
    """

    def __init__(self, *ports: Port, echo: bool = False, baud: int | None = None) -> None:
        self.path = ""
        self.echo = echo
        self.baud = baud
        self._ports = ports
        self._ours = -1
        self._theirs = -1

    def open(self) -> str:
        """Open it and return its path; raise BadOptionError where the system has none."""
        self._ours, self._theirs, self.path = pseudo_terminal("leave out --serial")
        for port in self._ports:
            port.attach(self.write, lambda: None)
        asyncio.get_running_loop().add_reader(self._ours, self._read)
        return self.path

    def close(self) -> None:
        """Close it: a reader sees the port vanish."""
        if self._ours >= 0:
            asyncio.get_running_loop().remove_reader(self._ours)
            for port in self._ports:
                port.detach()
            os.close(self._ours)
            os.close(self._theirs)
            self._ours = -1

    def _read(self) -> None:
        with suppress(OSError):
            data = os.read(self._ours, 4096)
            if self.echo:
                os.write(self._ours, data)
            for port in self._ports:
                port.received(data if self._in_tune else _noise(data))

    def write(self, data: bytes) -> None:
        """Put bytes on the line, as some device on it does."""
        if self._ours < 0:
            return
        with suppress(OSError):
            os.write(self._ours, data if self._in_tune else _noise(data))

    @property
    def _in_tune(self) -> bool:
        """Tell whether the reader has set the port to the devices' baud rate."""
        if self.baud is None:
            return True
        import termios  # noqa: PLC0415 - Windows has no such module

        return bool(termios.tcgetattr(self._theirs)[4] == getattr(termios, f"B{self.baud}"))


def _noise(data: bytes) -> bytes:
    return bytes(byte ^ _NOISE for byte in data[::2])
