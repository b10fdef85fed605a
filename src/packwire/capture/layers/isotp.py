"""ISO-TP [ISO 15765-2]: messages of up to 4095 bytes in classic CAN frames.

CAN has no mark that says who uses it, so it is taken for ISO-TP only where all frames of an identifier fit
it and at least one message of several frames is whole.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from packwire.capture.layers.can import CanFrames
from packwire.capture.layers.can_transport import Transported
from packwire.capture.layers.link import Counts
from packwire.channel import Channel, Transport
from packwire.messages import Direction, Int64s

#: So many frames are looked at as Python numbers at a time.
_BLOCK = 1 << 16
_SINGLE, _FIRST, _CONSECUTIVE, _FLOW_CONTROL = range(4)


@dataclass(slots=True)
class _Receiver:
    """One identifier's messages so far."""

    channel: Channel
    found: list[Transported] = field(default_factory=list)
    long_ones: int = 0
    lost: int = 0
    consistent: bool = True
    size: int = 0
    next_number: int = 0
    frames: list[int] = field(default_factory=list)
    content: bytearray = field(default_factory=bytearray)

    def take(self, index: int, way: Direction, data: bytes) -> None:
        """Take the next frame."""
        kind = data[0] >> 4 if data else 15
        if kind == _SINGLE and 0 < data[0] < len(data):
            self._drop()
            self.found.append(Transported(self.channel, way, (index,), data[1 : 1 + data[0]]))
        elif kind == _FIRST and len(data) == 8 and (size := (data[0] & 15) << 8 | data[1]) > 7:
            self._drop()
            self.size, self.next_number = size, 1
            self.frames, self.content = [index], bytearray(data[2:])
        elif kind == _CONSECUTIVE and len(data) > 1:
            self._continue(index, way, data)
        else:
            self.consistent &= kind == _FLOW_CONTROL and len(data) >= 3

    def _continue(self, index: int, way: Direction, data: bytes) -> None:
        if not self.frames or data[0] & 15 != self.next_number:
            self.lost += 1
            self._drop()
            return
        self.next_number = (self.next_number + 1) & 15
        self.frames.append(index)
        self.content += data[1:]
        if len(self.content) >= self.size:
            content = bytes(self.content[: self.size])
            self.found.append(Transported(self.channel, way, tuple(self.frames), content))
            self.long_ones += 1
            self.frames = []

    def _drop(self) -> None:
        """Give up a message that has begun and cannot be completed."""
        self.lost += bool(self.frames)
        self.frames = []


def find_isotp(frames: CanFrames, among: NDArray[np.bool_], left_out: Counts) -> list[Transported]:
    """Return the ISO-TP messages of all identifiers that use it, of the frames of a mask."""
    result: list[Transported] = []
    key = frames.id.astype(np.uint32) * np.uint32(2) + frames.extended
    receivers: dict[int, _Receiver] = {}
    for begin in range(0, len(rows := _candidates(frames, key, among)), _BLOCK):
        for index in rows[begin : begin + _BLOCK].tolist():
            receiver = receivers.get(int(key[index]))
            if receiver is None:
                number, extended = int(frames.id[index]), bool(frames.extended[index])
                receiver = _Receiver(Channel(Transport.CAN, number, kind="iso-tp", extended=extended))
                receivers[int(key[index])] = receiver
            if receiver.consistent:
                receiver.take(index, Direction(int(frames.direction[index])), frames.content(index))
    for receiver in receivers.values():
        if receiver.consistent and receiver.long_ones > receiver.lost:
            result += receiver.found
            lost = receiver.lost + bool(receiver.frames)
            left_out.add("an ISO-TP message of which frames are missing", lost)
    return result


def _candidates(frames: CanFrames, key: NDArray[np.uint32], among: NDArray[np.bool_]) -> Int64s:
    """Return the frames of identifiers that have a first frame, and none that is of no kind."""
    if not len(frames):
        return np.zeros(0, dtype=np.int64)
    # An empty frame has no kind, and may lie at the very end.
    kind = frames.data[np.minimum(frames.start, len(frames.data) - 1)] >> 4
    odd = (kind > _FLOW_CONTROL) | (frames.size == 0)
    first = (kind == _FIRST) & (frames.size == 8)
    first &= among
    wanted = np.setdiff1d(np.unique(key[first]), np.unique(key[odd]))
    return np.flatnonzero(np.isin(key, wanted))
