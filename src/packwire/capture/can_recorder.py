"""Records a CAN bus as pcapng, in Linux's form of CAN frames, which Wireshark opens.

LINKTYPE_CAN_SOCKETCAN: see `packwire.capture.layers.can`.
"""

import struct
import time
from typing import Final

from packwire.capture.packets import LINKTYPE_CAN_SOCKETCAN
from packwire.capture.recorder import Sink
from packwire.capture.writers.pcapng import interface_block, packet_block, section_block
from packwire.direction import Direction

#: The identifier with its flags, how much data there is, and three bytes of nothing.
_HEADER: Final = struct.Struct(">4sB3x")
_IDENTIFIER: Final = 4


class CanRecorder:
    """Writes one file. `failed` is the error that ended it (a full disk): nothing is written after it."""

    def __init__(self, file: Sink, name: str) -> None:
        self.frames = 0
        self.failed: OSError | None = None
        self._file = file
        self._write(section_block() + interface_block(name, LINKTYPE_CAN_SOCKETCAN))

    def observe(self, direction: Direction, unit: bytes) -> None:  # noqa: ARG002 - all are received
        """Take a frame as CAN links carry them: an observer for `Link.observers`."""
        data = unit[_IDENTIFIER:]
        self._write(packet_block(0, time.time_ns(), _HEADER.pack(unit[:_IDENTIFIER], len(data)) + data))
        self.frames += self.failed is None

    def _write(self, data: bytes) -> None:
        if self.failed is not None:
            return
        view = memoryview(data)
        try:
            while view:  # an unbuffered file may take a part
                view = view[self._file.write(view) :]
        except OSError as error:
            self.failed = error
