"""Modbus TCP: frames of Modbus RTU without their checksum, in an envelope [Modbus Messaging V1.0b, 3.1].

The protocol above speaks RTU, whatever carries it: the checksum is made here, because TCP has its own.
"""

import struct
from collections.abc import Iterator
from typing import Final

from packwire.wire.checksum import CHECKSUMS

#: Number of the transaction, number of the protocol (0), bytes that follow.
_HEADER: Final = struct.Struct(">HHH")
#: No frame has more bytes behind its envelope.
_MOST: Final = 254
_CRC: Final = CHECKSUMS["CRC-16/MODBUS"]


class ModbusEnvelope:
    """Puts frames into envelopes, and takes them out."""

    def __init__(self) -> None:
        self._buffer = b""
        self._number = 0

    def wrapped(self, frame: bytes) -> bytes:
        """Return a frame of RTU in its envelope."""
        self._number = (self._number + 1) & 0xFFFF
        return _HEADER.pack(self._number, 0, len(frame) - 2) + frame[:-2]

    def unwrapped(self, data: bytes) -> Iterator[bytes]:
        """Yield the frames that the next bytes complete; what is no Modbus TCP, as it is."""
        self._buffer += data
        while len(self._buffer) >= _HEADER.size:
            _, protocol, size = _HEADER.unpack_from(self._buffer)
            if protocol != 0 or not 2 <= size <= _MOST:
                rest, self._buffer = self._buffer, b""
                yield rest  # the frames above say what it is
                return
            end = _HEADER.size + size
            if len(self._buffer) < end:
                return
            frame = self._buffer[_HEADER.size : end]
            self._buffer = self._buffer[end:]
            yield frame + _CRC.of(frame).to_bytes(2, "little")
