"""RFCOMM, the serial ports of Bluetooth Classic [RFCOMM with TS 07.10, Bluetooth SIG; 3GPP TS 07.10, 5.2].

A frame is address, control, a length of 1 or 2 bytes, a byte of credits where the poll bit of a data frame is
set, the data, and a check sequence.
"""

from array import array
from dataclasses import dataclass

import numpy as np

from packwire.messages import Int64s

_SABM, _UIH = 0x2F, 0xEF
_POLL = 0x10
#: The multiplexer's own channel: no data of an application.
_CONTROL = 0
_LEAST = 4


@dataclass(frozen=True, slots=True)
class Chunks:
    """Bytes that one side wrote to serial ports: columns of equal length.

    row is the row in the table of packets; `way` is that of the packet (see `PacketDirection`); `start` and
    `size` say where the bytes lie.
    """

    row: Int64s
    link: Int64s
    way: Int64s
    port: Int64s
    start: Int64s
    size: Int64s

    def __len__(self) -> int:
        return len(self.row)


@dataclass(slots=True)
class _Session:
    """Who opened the session (the way of its first packet), 0: not recorded."""

    opened: int = 0


def carried(frame: bytes) -> tuple[int, int] | None:
    """Return where the data of a data frame (UIH) begins, and its size; None: it is none, or not whole."""
    if len(frame) < _LEAST or frame[1] & ~_POLL != _UIH:
        return None
    at, size = (3, frame[2] >> 1) if frame[2] & 1 else (4, frame[2] >> 1 | frame[3] << 7)
    at += bool(frame[1] & _POLL) and frame[0] >> 2 != _CONTROL
    return (at, size) if at + size + 1 <= len(frame) else None


class Rfcomm:
    """Reads the frames of all RFCOMM sessions; `chunks()` is what applications said."""

    def __init__(self) -> None:
        self._columns = tuple(array("q") for _ in range(6))
        self._sessions: dict[int, _Session] = {}

    def add(self, row: int, link: int, way: int, start: int, frame: bytes) -> bool:
        """Take one frame that begins at `start`; tell whether it could be read."""
        if len(frame) < _LEAST:
            return False
        dlci, kind = frame[0] >> 2, frame[1] & ~_POLL
        if kind == _SABM:
            session = self._sessions.setdefault(link, _Session())
            session.opened = session.opened or way
        if kind != _UIH or dlci == _CONTROL:
            return True
        data = carried(frame)
        if data is None:
            return False
        at, size = data
        if size:
            values = (row, link, way, dlci >> 1, start + at, size)
            for column, value in zip(self._columns, values, strict=True):
                column.append(value)
        return True

    def chunks(self) -> Chunks:
        """Return what applications said."""
        return Chunks(*(np.array(column, dtype=np.int64) for column in self._columns))

    def opened_by(self, link: int) -> int:
        """Return the way of the packets of the side that opened the session; if unknown, the recorder's."""
        session = self._sessions.get(link)
        return (session.opened if session else 0) or 1
