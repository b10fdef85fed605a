"""Records a CAN bus as pcapng, in Linux's form of CAN frames, which Wireshark opens.

LINKTYPE_CAN_SOCKETCAN: see `packwire.capture.layers.can`.
"""

import struct
import time
from typing import Final

from packwire.capture.packets import LINKTYPE_CAN_SOCKETCAN
from packwire.capture.sink import Sink, SinkRecorder
from packwire.capture.writers.pcapng import interface_block, packet_block, section_block
from packwire.direction import Direction

#: The identifier with its flags, how much data there is, and three bytes of nothing.
_HEADER: Final = struct.Struct(">4sB3x")
_IDENTIFIER: Final = 4


class CanRecorder(SinkRecorder):
    """Writes one file; see `SinkRecorder`."""

    def __init__(self, file: Sink, name: str) -> None:
        super().__init__(file)
        self.frames = 0
        self._write(section_block() + interface_block(name, LINKTYPE_CAN_SOCKETCAN))

    def observe(self, direction: Direction, unit: bytes) -> None:  # noqa: ARG002 - all are received
        """Take a frame as CAN links carry them: an observer for `Link.observers`."""
        data = unit[_IDENTIFIER:]
        self._write(packet_block(0, time.time_ns(), _HEADER.pack(unit[:_IDENTIFIER], len(data)) + data))
        self.frames += self.failed is None
