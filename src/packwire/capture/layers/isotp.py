"""ISO-TP [ISO 15765-2]: messages of up to 4095 bytes in classic CAN frames.

CAN has no mark that says who uses it, so it is taken for ISO-TP only where all frames of an identifier fit
it and at least one message of several frames is whole.
"""

from dataclasses import dataclass, field

import numpy as np

from packwire.capture.layers.can import CanFrames
from packwire.capture.layers.can_transport import Transported
from packwire.capture.layers.link import Counts
from packwire.messages import Direction

_SINGLE, _FIRST, _CONSECUTIVE, _FLOW_CONTROL = range(4)


@dataclass(slots=True)
class _Receiver:
    """One identifier's messages so far."""

    channel: str
    found: list[Transported] = field(default_factory=list)
    long_ones: int = 0
    lost: int = 0
    consistent: bool = True
    size: int = 0
    next_number: int = 0
    frames: list[int] = field(default_factory=list)
    content: bytearray = field(default_factory=bytearray)

    def take(self, index: int, data: bytes) -> None:
        """Take the next frame."""
        kind = data[0] >> 4 if data else 15
        if kind == _SINGLE and 0 < data[0] < len(data):
            self._drop()
            self.found.append(Transported(self.channel, Direction.UNKNOWN, (index,), data[1 : 1 + data[0]]))
        elif kind == _FIRST and len(data) == 8 and (size := (data[0] & 15) << 8 | data[1]) > 7:
            self._drop()
            self.size, self.next_number = size, 1
            self.frames, self.content = [index], bytearray(data[2:])
        elif kind == _CONSECUTIVE and len(data) > 1:
            self._continue(index, data)
        else:
            self.consistent &= kind == _FLOW_CONTROL and len(data) >= 3

    def _continue(self, index: int, data: bytes) -> None:
        if not self.frames or data[0] & 15 != self.next_number:
            self.lost += 1
            self._drop()
            return
        self.next_number = (self.next_number + 1) & 15
        self.frames.append(index)
        self.content += data[1:]
        if len(self.content) >= self.size:
            content = bytes(self.content[: self.size])
            self.found.append(Transported(self.channel, Direction.UNKNOWN, tuple(self.frames), content))
            self.long_ones += 1
            self.frames = []

    def _drop(self) -> None:
        """Give up a message that has begun and cannot be completed."""
        self.lost += bool(self.frames)
        self.frames = []


def find_isotp(frames: CanFrames, left_out: Counts) -> list[Transported]:
    """Return the ISO-TP messages of all identifiers that use it."""
    # The high half of the first byte tells the kind: an identifier with a first frame may be one.
    eight = np.flatnonzero(frames.size == 8)
    first = eight[frames.data[frames.start[eight]] >> 4 == 1]
    result: list[Transported] = []
    key = frames.id * 2 + frames.extended
    wanted = np.isin(key, np.unique(key[first]))
    receivers: dict[int, _Receiver] = {}
    for index in np.flatnonzero(wanted).tolist():
        receiver = receivers.get(int(key[index]))
        if receiver is None:
            digits = 8 if frames.extended[index] else 3
            receiver = _Receiver(f"can 0x{int(frames.id[index]):0{digits}x} iso-tp")
            receivers[int(key[index])] = receiver
        if receiver.consistent:
            receiver.take(index, frames.content(index))
    for receiver in receivers.values():
        if receiver.consistent and receiver.long_ones > receiver.lost:
            result += receiver.found
            lost = receiver.lost + bool(receiver.frames)
            left_out.add("an ISO-TP message of which frames are missing", lost)
    return result
