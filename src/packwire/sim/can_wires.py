"""How a simulated pack on a CAN bus is reached without an adapter: as slcan, as socketcand.

Both are what python-can speaks with adapters, so that the same reader runs on either.
"""

import re
from collections.abc import Callable
from typing import Final, Protocol, override

from packwire.sim.port import Port, Served
from packwire.wire.frame import StreamFramer

_EXTENDED: Final = 1 << 31
_IDENTIFIER: Final = 4
#: So many bytes of commands are looked at; what is longer is none.
_MOST_HELD: Final = 4096


class CanWire(Protocol):
    """A way to carry CAN frames in bytes."""

    def greet(self) -> bytes:
        """Begin anew; return what a new connection is told."""

    def answer(self, data: bytes) -> bytes:
        """Take what the reader says; return what it is answered."""

    def frame(self, unit: bytes) -> bytes:
        """Return the bytes that carry a frame; none where nobody wants it."""


class Slcan:
    """The ASCII protocol of serial CAN adapters [LAWICEL CANUSB]."""

    def __init__(self) -> None:
        self._held = b""
        self._open = False

    def greet(self) -> bytes:
        """Return nothing: adapters wait."""
        self._held, self._open = b"", False
        return b""

    def answer(self, data: bytes) -> bytes:
        """Take commands, each of which ends with a carriage return."""
        *commands, held = (self._held + data).split(b"\r")
        self._held = held[-_MOST_HELD:]
        said = b""
        for command in commands:
            if command[:1] in {b"O", b"L"}:
                self._open = True
            elif command[:1] == b"C":
                self._open = False
            said += b"\r"
        return said

    def frame(self, unit: bytes) -> bytes:
        """Return a line: `t3558...` or, with 29 bits, `T...`."""
        if not self._open:
            return b""
        number, data = int.from_bytes(unit[:_IDENTIFIER]), unit[_IDENTIFIER:]
        head = f"T{number & 0x1FFF_FFFF:08X}" if number & _EXTENDED else f"t{number:03X}"
        return f"{head}{len(data)}{data.hex().upper()}\r".encode()


class Socketcand:
    """The text protocol of socketcand."""

    def __init__(self) -> None:
        self._held = b""
        self._raw = False

    def greet(self) -> bytes:
        """Return what a new connection is told."""
        self._held, self._raw = b"", False
        return b"< hi >"

    def answer(self, data: bytes) -> bytes:
        """Take commands in angle brackets."""
        self._held = (self._held + data)[-_MOST_HELD:]
        said = b""
        for command in re.findall(rb"<\s*(\w+)[^<>]{0,200}>", self._held):
            self._raw = self._raw or command == b"rawmode"
            said += b"< ok >" if command in {b"open", b"rawmode"} else b""
        self._held = self._held[self._held.rfind(b">") + 1 :]
        return said

    def frame(self, unit: bytes) -> bytes:
        """Return `< frame 355 0.0 3C00 >`."""
        if not self._raw:
            return b""
        number, data = int.from_bytes(unit[:_IDENTIFIER]), unit[_IDENTIFIER:]
        text = f"{number & 0x1FFF_FFFF:08X}" if number & _EXTENDED else f"{number:03X}"
        return f"< frame {text} 0.0 {data.hex().upper()} >".encode()


class CanPort(Port):
    """A port whose frames go by a CAN adapter's protocol."""

    def __init__(self, device: Served, name: str, framer: StreamFramer, wire: CanWire) -> None:
        super().__init__(device, name, framer)
        self._wire = wire

    @override
    def attach(self, write: Callable[[bytes], None], close: Callable[[], None]) -> None:
        greeting = self._wire.greet()  # first: what the client before wanted counts no more
        super().attach(write, close)
        write(greeting)

    @override
    def received(self, data: bytes) -> None:
        said = self._wire.answer(data)
        if said:
            super().send(said)

    @override
    def send(self, frame: bytes) -> None:
        said = self._wire.frame(frame)
        if said:
            super().send(said)
