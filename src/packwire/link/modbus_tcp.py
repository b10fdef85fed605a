"""Modbus TCP: frames of Modbus RTU without their checksum, in an envelope [Modbus Messaging V1.0b, 3.1].

The protocol above speaks RTU, whatever carries it: the checksum is made here, because TCP has its own.
"""

import struct
from typing import Final, override

from packwire.link.tcp import TcpLink
from packwire.wire.checksum import CHECKSUMS

#: Number of the transaction, number of the protocol (0), bytes that follow.
_ENVELOPE: Final = struct.Struct(">HHH")
#: No frame has more bytes behind its envelope.
_MOST: Final = 254
_CRC: Final = CHECKSUMS["CRC-16/MODBUS"]


class ModbusTcpLink(TcpLink):
    """A connection to a gateway or a device that speaks Modbus TCP."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(host, port)
        self._buffer = b""
        self._number = 0

    @override
    def write(self, data: bytes) -> None:
        self._number = (self._number + 1) & 0xFFFF
        super().write(_ENVELOPE.pack(self._number, 0, len(data) - 2) + data[:-2])

    @override
    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while len(self._buffer) >= _ENVELOPE.size:
            _, protocol, size = _ENVELOPE.unpack_from(self._buffer)
            if protocol != 0 or not 2 <= size <= _MOST:
                # Not Modbus TCP at all: let the frames above say what it is, as they come.
                rest, self._buffer = self._buffer, b""
                super().data_received(rest)
                return
            end = _ENVELOPE.size + size
            if len(self._buffer) < end:
                return
            frame = self._buffer[_ENVELOPE.size : end]
            self._buffer = self._buffer[end:]
            super().data_received(frame + _CRC.of(frame).to_bytes(2, "little"))
