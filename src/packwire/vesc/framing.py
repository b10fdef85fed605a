"""VESC frames: start byte, length, payload, CRC-16/XMODEM, stop byte 0x03 [bldc comm/packet.c].

Start byte 0x02 is followed by ONE length byte (1..255), 0x03 by two, 0x04 by three, big-endian; the length
counts the payload alone. Firmware never sends a length form longer than needed and refuses one.
"""

from binascii import crc_hqx
from enum import Enum

from packwire.wire.frame import Frame, FrameStats, Waiting

#: VESC Tool accepts this much; file reads over Wi-Fi use frames of about 4 000.
MAX_PAYLOAD = 10_000
#: What a device itself accepts [packet.h PACKET_MAX_PL_LEN].
DEVICE_MAX_PAYLOAD = 512

STOP = 0x03
#: Behind the payload: two bytes of CRC and the stop byte.
TRAILER = 3
_SHORTEST_FOR_START = {2: 1, 3: 255, 4: 65535}


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


class Framer:
    """Finds frames in a stream of bytes that comes in pieces of any size.

    After garbage it tries again one byte further, as the firmware does. A false header makes it wait for as
    many bytes as that header claims: `stats.waiting` shows it, and `give_up()` ends it.
    """

    __slots__ = ("_buffer", "max_payload", "stats")

    def __init__(self, max_payload: int = MAX_PAYLOAD) -> None:
        self.max_payload = max_payload
        self.stats = FrameStats()
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[Frame]:
        """Take the next bytes of the stream; return the frames that they complete."""
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

    def rescue(self) -> list[Frame]:
        """Look for whole frames behind a header that is still waited for.

        For a clock to call when nothing has come for a while. If there is one, the header was a false one
        and is dropped; if not, nothing changes: the rest of a slow frame may still come.
        """
        if self.stats.waiting is None:
            return []
        whole = next((at for at in range(1, len(self._buffer)) if self._whole_frame_at(at)), None)
        if whole is None:
            return []
        self.stats.abandoned += 1
        self._drop(whole)
        return self._scan()

    def give_up(self) -> list[Frame]:
        """Stop waiting for the frame that a header announced; look again one byte behind that header.

        Does nothing where nothing is waited for.
        """
        if self.stats.waiting is None:
            return []
        self.stats.abandoned += 1
        self._drop(1)
        return self._scan()

    def reset(self) -> None:
        """Forget a frame that has begun (a new connection starts a new stream); its bytes count as junk."""
        self._drop(len(self._buffer))
        self.stats.waiting = None

    def _drop(self, count: int) -> None:
        del self._buffer[:count]
        self.stats.junk += count

    def _scan(self) -> list[Frame]:
        frames: list[Frame] = []
        buffer, stats = self._buffer, self.stats
        at = junk_from = 0
        stats.waiting = None
        while at < len(buffer):
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
        stats.junk += at - junk_from
        del buffer[:at]
        return frames

    @property
    def _position(self) -> int:
        """Return where in the stream the buffer begins."""
        return self.stats.received - len(self._buffer)

    def _whole_frame_at(self, at: int) -> bool:
        """Tell whether a whole frame stands at a place, without counting anything."""
        buffer = self._buffer
        start = buffer[at]
        shortest = _SHORTEST_FOR_START.get(start)
        if shortest is None or len(buffer) - at < start:
            return False
        length = int.from_bytes(buffer[at + 1 : at + start])
        end = at + start + length + TRAILER
        if not shortest <= length <= self.max_payload or end > len(buffer) or buffer[end - 1] != STOP:
            return False
        return crc_hqx(buffer[at + start : end - TRAILER], 0) == buffer[end - 3] << 8 | buffer[end - 2]

    def _frame_at(self, at: int) -> Frame | _Found:
        """Look for a frame at one place of the buffer."""
        buffer = self._buffer
        start = buffer[at]
        shortest = _SHORTEST_FOR_START.get(start)
        if shortest is None:
            return _Found.NOTHING_HERE
        arrived = len(buffer) - at
        if arrived < start:
            self.stats.waiting = Waiting(self._position + at, start, arrived)
            return _Found.NEED_MORE
        length = int.from_bytes(buffer[at + 1 : at + start])
        if length < shortest:
            return _Found.NOTHING_HERE
        if length > self.max_payload:
            self.stats.oversize += 1
            return _Found.NOTHING_HERE
        size = start + length + TRAILER
        if arrived < size:
            self.stats.waiting = Waiting(self._position + at, size, arrived)
            return _Found.NEED_MORE
        if buffer[at + size - 1] != STOP:
            self.stats.bad_stops += 1
            return _Found.NOTHING_HERE
        payload = bytes(buffer[at + start : at + size - TRAILER])
        if crc_hqx(payload, 0) != buffer[at + size - 3] << 8 | buffer[at + size - 2]:
            self.stats.crc_errors += 1
            return _Found.NOTHING_HERE
        return Frame(payload, self._position + at, size)
