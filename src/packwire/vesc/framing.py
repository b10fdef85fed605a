"""VESC frames: start byte, length, payload, CRC-16/XMODEM, stop byte 0x03 [bldc comm/packet.c].

Start byte 0x02 is followed by ONE length byte (1..255), 0x03 by two, 0x04 by three, big-endian; the length
counts the payload alone. Firmware never sends a length form longer than needed and refuses one.
"""

import re
from binascii import crc_hqx
from enum import Enum
from typing import override

from packwire.wire.frame import Frame, StreamFramer, Waiting

#: VESC Tool accepts this much; file reads over Wi-Fi use frames of about 4 000.
MAX_PAYLOAD = 10_000
#: What a device itself accepts [packet.h PACKET_MAX_PL_LEN].
DEVICE_MAX_PAYLOAD = 512

#: What devices send at most: files over Wi-Fi, in pieces of 3 900 bytes [vesc_express main/commands.c].
SENT_MAX_PAYLOAD = 4096

STOP = 0x03
#: Behind the payload: two bytes of CRC and the stop byte.
TRAILER = 3
_SHORTEST_FOR_START = {2: 1, 3: 255, 4: 65535}
_START = re.compile(rb"[\x02-\x04]")

#: The work that false headers may cost, in bytes of which a checksum is computed. A look at a header costs
#: about as much as `LOOK` of them; each byte of the stream adds `WORK_A_BYTE`, up to `MAX_WORK`. Noise needs
#: 4 a byte, a damaged reply of 500 bytes with a start byte in each fifth place a twentieth of `MAX_WORK`.
LOOK = 300
WORK_A_BYTE = 32
MAX_WORK = 1 << 20
#: Where the work is used up, so many bytes are passed over without a look.
PASSED_OVER = 256


class _Found(Enum):
    """What a look at the buffer ended with, when it did not end with a frame."""

    NEED_MORE = 1
    NOTHING_HERE = 2


def encode_frame(payload: bytes) -> bytes:
    """Wrap a payload of 1 to 16 777 215 bytes, with the shortest header that can hold its length."""
    size = len(payload)
    if size == 0:
        raise ValueError("a VESC frame has no empty payload")
    if size <= 0xFF:
        header = bytes((2, size))
    elif size <= 0xFFFF:
        header = b"\x03" + size.to_bytes(2)
    else:
        header = b"\x04" + size.to_bytes(3)
    return b"%b%b%b\x03" % (header, payload, crc_hqx(payload, 0).to_bytes(2))


class Framer(StreamFramer):
    """Finds VESC frames in a live stream, as the firmware does.

    The work is bounded for each byte, whatever comes: where a stream is nothing but false headers, some of it
    is passed over without a look, and counted in `stats.unchecked`.
    """

    __slots__ = ("_looked_behind", "_work", "_worked_until", "max_payload", "work")

    def __init__(self, max_payload: int = MAX_PAYLOAD) -> None:
        super().__init__()
        self.max_payload = max_payload
        self._work = MAX_WORK
        """How much work is left."""
        self._worked_until = 0
        """Up to where in the stream the bytes have added to it."""
        self._looked_behind = 0
        """Up to where in the stream `rescue` has looked for whole frames."""
        self.work = 0
        """How much work false headers have cost."""

    @override
    def feed(self, data: bytes) -> list[Frame]:
        stats = self.stats
        position = stats.received
        stats.received = position + len(data)
        waiting = stats.waiting
        if waiting:
            if len(data) < waiting.missing:
                self._buffer += data
                stats.waiting = waiting._replace(arrived=waiting.arrived + len(data))
                return []
            position -= len(self._buffer)
            data = bytes(self._buffer) + data
            self._buffer.clear()
            stats.waiting = None
        frames: list[Frame] = []
        at, size = 0, len(data)
        # Nearly always a piece is whole short frames and nothing else: they need no buffer.
        add, new_tuple = frames.append, tuple.__new__
        while size - at > 5 and data[at] == 2 and (length := data[at + 1]):
            end = at + 5 + length
            if end > size or data[end - 1] != STOP:
                break
            checked = data[at + 2 : end - 1]
            if crc_hqx(checked, 0):  # over payload and CRC together it is 0
                break
            # A NamedTuple's own constructor costs twice as much.
            add(new_tuple(Frame, (checked[:-2], position + at, end - at)))
            at = end
        stats.frames += len(frames)
        if at < size:
            self._buffer += data[at:]
            frames += self._scan()
        return frames

    @override
    def rescue(self) -> list[Frame]:
        if self.stats.waiting is None:
            return []
        buffer, begin = self._buffer, self._position
        known = self._looked_behind - begin
        at = 1
        while self._work > 0 and (start := _START.search(buffer, at)):
            at = start.start()
            if self._whole_frame_at(at, known):
                return self._abandon(at)
            at += 1
        if self._work > 0:
            self._looked_behind = begin + len(buffer)
        return []

    @override
    def _scan(self) -> list[Frame]:
        frames: list[Frame] = []
        buffer, stats = self._buffer, self.stats
        at = junk_from = 0
        stats.waiting = None
        while start := _START.search(buffer, at):
            at = start.start()
            self._earn(at)
            if self._work <= 0:
                skipped = min(PASSED_OVER, len(buffer) - at)
                stats.unchecked += skipped
                at += skipped
                continue
            found = self._frame_at(at)
            if found is _Found.NEED_MORE:
                break
            if isinstance(found, Frame):
                stats.junk += at - junk_from
                stats.frames += 1
                frames.append(found)
                at += found.size
                junk_from = at
            else:
                at += 1
        else:
            at = len(buffer)
        stats.junk += at - junk_from
        del buffer[:at]
        return frames

    def _earn(self, at: int) -> None:
        """Add the work that the bytes before a place of the buffer allow."""
        position = self._position + at
        if position > self._worked_until:
            self._work = min(self._work + (position - self._worked_until) * WORK_A_BYTE, MAX_WORK)
            self._worked_until = position

    def _spend(self, checked: int) -> None:
        """Count a false header, and over how many bytes its checksum was computed."""
        self.work += LOOK + checked
        self._work -= LOOK + checked

    @property
    def _position(self) -> int:
        """Return where in the stream the buffer begins."""
        return self.stats.received - len(self._buffer)

    def _whole_frame_at(self, at: int, known: int) -> bool:
        """Tell whether a whole frame stands at a place that ends behind `known`, without counting it."""
        buffer = self._buffer
        start = buffer[at]
        length = int.from_bytes(buffer[at + 1 : at + start])
        end = at + start + length + TRAILER
        if (
            not _SHORTEST_FOR_START[start] <= length <= self.max_payload
            or not known < end <= len(buffer)
            or buffer[end - 1] != STOP
        ):
            self._spend(0)
            return False
        if crc_hqx(buffer[at + start : end - TRAILER], 0) == buffer[end - 3] << 8 | buffer[end - 2]:
            return True
        self._spend(length)
        return False

    def _frame_at(self, at: int) -> Frame | _Found:
        """Look for a frame at one place of the buffer."""
        buffer = self._buffer
        start = buffer[at]
        arrived = len(buffer) - at
        if arrived < start:
            self.stats.waiting = Waiting(self._position + at, start, arrived)
            return _Found.NEED_MORE
        length = int.from_bytes(buffer[at + 1 : at + start])
        if length < _SHORTEST_FOR_START[start]:
            self._spend(0)
            return _Found.NOTHING_HERE
        if length > self.max_payload:
            self.stats.oversize += 1
            self._spend(0)
            return _Found.NOTHING_HERE
        size = start + length + TRAILER
        if arrived < size:
            self.stats.waiting = Waiting(self._position + at, size, arrived)
            return _Found.NEED_MORE
        if buffer[at + size - 1] != STOP:
            self.stats.bad_stops += 1
            self._spend(0)
            return _Found.NOTHING_HERE
        payload = bytes(buffer[at + start : at + size - TRAILER])
        if crc_hqx(payload, 0) != buffer[at + size - 3] << 8 | buffer[at + size - 2]:
            self.stats.crc_errors += 1
            self._spend(length)
            return _Found.NOTHING_HERE
        return Frame(payload, self._position + at, size)
