"""Frames that stand where none was sent: within a frame, or across several.

A receiver that meets a damaged frame looks again one byte further [bldc comm/packet.c]. So whatever reads as
a frame within the arguments of a request, or from one request into the next, is run once a byte before it is
damaged, lost or added on the line. What is looked for here is its end: a length, so many bytes, their CRC
and the stop byte. What stands before the length does not count: it may be what is damaged.
"""

from binascii import crc_hqx
from collections.abc import Iterator
from functools import lru_cache

from packwire.vesc.framing import DEVICE_MAX_PAYLOAD, STOP

#: From a length's last byte to the stop byte of the longest frame.
REACH = DEVICE_MAX_PAYLOAD + 3
_START = b"\x02"
#: From a length's last byte to the stop byte of the shortest: a payload of one byte, and its CRC.
SHORTEST = 4
_LENGTHS = bytes(length & 0xFF for length in range(DEVICE_MAX_PAYLOAD, 0, -1))
#: What a byte adds to the checksum, and which byte did, by the lower half of that.
_STEP = tuple(crc_hqx(bytes((value,)), 0) for value in range(256))
_STEPS = frozenset(_STEP)
_BYTE_OF = {step & 0xFF: value for value, step in enumerate(_STEP)}


def holds_frame(frame: bytes, *, data: bool) -> bool:
    """Tell whether a frame stands within a whole frame.

    Also what becomes one when a single byte of it is changed, lost or added counts, but not in `data`: in
    many bytes there is always something like that, and whoever may write programs needs no frame.
    """
    own = frame[0] - 1
    for low in _lengths(frame, 0, len(frame)):
        if low != own and (not data or _begins(frame, low)):
            return True
    return not data and (_nearly_holds(frame) or _lost_between(frame[frame[0] : -3]))


#: What is polled repeats, and so do the bytes: remembered answers cost 0.7 us instead of 4 to 25 a request.
_remembers = lru_cache(maxsize=1024)


@_remembers
def completes_frame(stream: bytes, begin: int) -> bool:
    """Tell whether something that begins before `begin` in a stream ends behind it, and is a frame."""
    return any(True for _ in _lengths(stream, begin, begin))


@_remembers
def nearly_completes_frame(stream: bytes, begin: int) -> bool:
    """Tell whether what begins before `begin`, and ends behind it, may be a frame after a single bad byte.

    Answers yes where it is in doubt: a start byte, a length and a stop byte are enough.
    """
    at = stream.find(_START, max(begin - REACH, 0))
    while 0 <= at < begin:
        end = at + stream[at + 1] + 4 if at + 1 < len(stream) else 0
        if STOP in stream[max(end - 1, begin) : max(end + 2, begin)]:
            return True
        stop = stream.find(STOP, max(begin, at + SHORTEST))
        while stop >= 0:
            if any(not crc_hqx(stream[first:stop], 0) for first in (at + 1, at + 2)):
                return True
            stop = stream.find(STOP, stop + 1)
        at = stream.find(_START, at + 1)
    return False


def tails(payload: bytes) -> list[int]:
    """Return where a payload's ends begin that have the same checksum as the whole of it.

    Behind the header of an earlier frame, with all between them lost on the line, such an end is a frame.
    """
    crc, found = 0, []
    for at, byte in enumerate(payload[:-1], 1):
        crc = (crc << 8 & 0xFF00) ^ _STEP[crc >> 8 ^ byte]
        if not crc:
            found.append(at)
    return found


@_remembers
def has_tail(frame: bytes) -> bool:
    """Tell whether a frame's end reads as a frame behind another one's header."""
    return bool(tails(frame[frame[0] : -3]))


def _lost_between(payload: bytes) -> bool:
    """Tell whether a start byte, a length and an end of this payload make a frame, were the rest lost."""
    for at in tails(payload):
        start = payload.find(_START, 0, at)
        if start >= 0 and payload.find(len(payload) - at & 0xFF, start + 1, at) >= 0:
            return True
    return False


def _lengths(stream: bytes, begin: int, until: int) -> Iterator[int]:
    """Yield where lengths stand, before `until`, that so many bytes, their CRC and a stop byte follow.

    The stop byte is not before `begin`.
    """
    stop = stream.find(STOP, max(begin, SHORTEST))
    while stop >= 0:
        first = max(stop - REACH, 0)
        window = stream[first : min(stop - 3, until)]
        wanted = _LENGTHS[first + REACH - stop :][: len(window)]
        unlike = (int.from_bytes(window) ^ int.from_bytes(wanted)).to_bytes(len(window))
        place = unlike.find(0)
        while place >= 0:
            low = first + place
            length = stop - 3 - low
            if (length <= 0xFF or stream[low - 1 : low] == bytes((length >> 8,))) and not crc_hqx(
                stream[low + 1 : stop], 0
            ):
                yield low
            place = unlike.find(0, place + 1)
        stop = stream.find(STOP, stop + 1)


def _begins(stream: bytes, low: int) -> bool:
    """Tell whether a length, whose last byte is at `low`, stands behind a start byte that fits it."""
    return any(low >= size - 1 and stream[low + 1 - size] == size for size in (2, 3, 4))


def _nearly_holds(frame: bytes) -> bool:
    """Tell whether a single byte changed, lost or added makes a frame of what begins within a frame."""
    begin = frame.find(_START, 1)
    while 0 <= begin < len(frame) - 4:
        at, length = begin + 2, frame[begin + 1]
        end = at + length + 2
        if length and end <= len(frame) and not crc_hqx(frame[at:end], 0):
            return True
        if length and any(
            frame[end + more : end + more + 1] == b"\x03" and _mends(frame[at : end + more], more)
            for more in (-1, 0, 1)
        ):
            return True
        stop = frame.find(STOP, at + 2)
        while stop >= 0:
            # The length itself may be what is damaged. (The frame's own payload is no other one.)
            if any(not crc_hqx(frame[first:stop], 0) for first in (at - 1, at) if first != frame[0]):
                return True
            stop = frame.find(STOP, stop + 1)
        begin = frame.find(_START, begin + 1)
    return False


def _mends(checked: bytes, more: int) -> bool:
    """Tell whether payload and CRC fit after one byte of them is changed, or is `more` or less than there."""
    if more > 0:
        return any(not crc_hqx(checked[:at] + checked[at + 1 :], 0) for at in range(len(checked)))
    if more == 0:
        return any(_is_one_byte(crc_hqx(checked, 0), behind) for behind in range(len(checked)))
    return any(
        _is_one_byte(crc_hqx(checked[:at] + b"\0" + checked[at:], 0), len(checked) - at)
        for at in range(len(checked) + 1)
    )


def _is_one_byte(crc: int, behind: int) -> bool:
    """Tell whether a checksum is that of a single byte with so many zeros behind it."""
    for _ in range(behind):
        last = _BYTE_OF[crc & 0xFF]
        crc = last << 8 | (crc ^ _STEP[last]) >> 8
    return crc in _STEPS
