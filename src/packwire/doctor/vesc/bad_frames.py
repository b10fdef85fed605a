"""What a client sent that is no right frame: what is wrong with it, worked out from the bytes.

A device never answers such a frame and says nothing about it, so the fault has to be found in the bytes: the
checksum that stands there is compared with what other checksums would be, and the length with the place where
the checksum fits.
"""

from binascii import crc_hqx
from collections.abc import Callable, Iterator

from packwire.doctor.compare.bad_frames import BadFrame, Wrong, shown_hex
from packwire.vesc.framing import DEVICE_MAX_PAYLOAD, STOP, TRAILER, encode_frame
from packwire.vesc.hublogin import Role
from packwire.vesc.requests import unwrap
from packwire.vesc.secrets import CONFIG_COMMANDS
from packwire.wire.checksum import CHECKSUMS, crc16_xmodem

#: Of one segment so many frames are told, and so many places are tried where none is.
MAX_FOUND = 5000
MAX_TRIES = 1024
#: So many bytes of a segment are read.
MAX_SEGMENT = 1 << 20
_STARTS = b"\2\3\4"
_SHORTEST_LONG_FORM = 255
#: Start byte, length, one byte of payload, checksum; the stop byte may be missing.
_SHORTEST = 5


_MODBUS = CHECKSUMS["CRC-16/MODBUS"]
_CHECKSUMS: tuple[tuple[str, Callable[[bytes, bytes], int]], ...] = (
    ("it is 0: nothing was computed", lambda _head, _body: 0),
    ("its two bytes are in the wrong order (the high byte comes first)", lambda _, body: _swapped(body)),
    ("it is a CRC that begins with FFFF (it begins with 0)", lambda _, body: crc_hqx(body, 0xFFFF)),
    ("it covers the header too (it covers the payload alone)", lambda head, body: crc16_xmodem(head + body)),
    (
        "it covers the length too (it covers the payload alone)",
        lambda head, body: crc16_xmodem(head[1:] + body),
    ),
    ("it leaves out the command (it covers the whole payload)", lambda _, body: crc16_xmodem(body[1:])),
    ("it is the CRC of Modbus (it is CRC-16/XMODEM)", lambda _, body: _MODBUS.of(body)),
    (
        "it is the CRC of Modbus, low byte first (it is CRC-16/XMODEM)",
        lambda _, body: _swap(_MODBUS.of(body)),
    ),
    ("it is a sum of the bytes (it is CRC-16/XMODEM)", lambda _, body: CHECKSUMS["sum16"].of(body)),
)


def _swap(number: int) -> int:
    return number >> 8 | (number & 0xFF) << 8


def _swapped(body: bytes) -> int:
    return _swap(crc16_xmodem(body))


def bad_vesc_frames(segment: bytes) -> Iterator[BadFrame]:
    """Say what is wrong with a segment of bytes of a client that holds no right VESC frame."""
    if not segment.strip(b"\0"):
        yield BadFrame(Wrong.FILLER, "zeros, which are never a frame: they free a stuck parser", len(segment))
        return
    if _has_login(segment):
        text = "a hub's login where frames are expected, or without its newline"
        yield BadFrame(Wrong.LOGIN, text, len(segment))
        return
    at = found = tries = 0
    while at < len(segment) and found < MAX_FOUND and tries < MAX_TRIES:
        frame = _frame_at(segment, at)
        if frame is None:
            tries += segment[at] in _STARTS
            at += 1
            continue
        yield frame._replace(offset=at)
        found += 1
        at += frame.size
    if not found:
        yield BadFrame(Wrong.NO_FRAME, f"{len(segment)} bytes without any frame in them", len(segment))
    elif at < len(segment):
        rest = len(segment) - at
        yield BadFrame(Wrong.NO_FRAME, f"{rest} more bytes that were not looked at", rest, offset=at)


def _has_login(segment: bytes) -> bool:
    return any(f"{role}:".encode() in segment for role in Role)


def _frame_at(segment: bytes, at: int) -> BadFrame | None:
    """Take what begins here for a frame with one fault; None where nothing speaks for that."""
    start = segment[at]
    if start not in _STARTS or len(segment) - at < _SHORTEST:
        return None
    return (
        _fitting(segment, at, at + start)
        or (_fitting(segment, at, at + 2) if start != 2 else None)
        or _wrong_checksum(segment, at, at + start)
    )


def _fitting(segment: bytes, at: int, begin: int) -> BadFrame | None:
    """Look for a length with which the checksum is right, behind a header that ends at `begin`."""
    start, said = segment[at], int.from_bytes(segment[at + 1 : begin])
    true = _length_by_checksum(segment, begin, said)
    if true is None:
        return None
    end = begin + true + 2
    stopped = segment[end : end + 1] == bytes((STOP,))
    frame, payload = segment[at : end + stopped], segment[begin : begin + true]
    if begin - at != start:
        text = f"start byte {start:02x} means a length of {start - 1} bytes; for {true} it is 02 {true:02x}"
        return _told(Wrong.LENGTH, text, frame, payload)
    if true != said:
        return _told(Wrong.LENGTH, _length_words(said, true), frame, payload)
    if not stopped:
        return _told(Wrong.STOP, "the stop byte 03 is missing", frame, payload)
    if start > 2 and said < _SHORTEST_LONG_FORM:
        text = f"start byte {start:02x} with a length of {said}: a device refuses a long form below 255"
        return _told(Wrong.LONG_FORM, text, frame, payload)
    return None


def _wrong_checksum(segment: bytes, at: int, begin: int) -> BadFrame | None:
    said = int.from_bytes(segment[at + 1 : begin])
    end = begin + said + TRAILER
    if not 1 <= said <= DEVICE_MAX_PAYLOAD or end > len(segment) or segment[end - 1] != STOP:
        return None
    head, payload = segment[at:begin], segment[begin : begin + said]
    text = _checksum_words(head, payload, segment[end - 3 : end - 1])
    return _told(Wrong.CHECKSUM, text, segment[at:end], payload)


def _length_by_checksum(segment: bytes, begin: int, said: int) -> int | None:
    """Return how long the payload must be for the two bytes behind it to be its checksum.

    With a stop byte behind any length counts, without one only that which the header says, if no other does.
    """
    crc, unstopped = 0, None
    for size in range(1, min(DEVICE_MAX_PAYLOAD, len(segment) - begin - 2) + 1):
        end = begin + size
        crc = crc_hqx(segment[end - 1 : end], crc)
        if crc != segment[end] << 8 | segment[end + 1]:
            continue
        if segment[end + 2 : end + 3] == bytes((STOP,)):
            return size
        unstopped = size if size == said else unstopped
    return unstopped


_COUNTED = {2: "the checksum", 3: "the checksum and the stop byte", 5: "the whole frame"}


def _length_words(said: int, true: int) -> str:
    too = _COUNTED.get(said - true)
    return f"the length says {said}, the payload has {true}" + (f": it counts {too} too" if too else "")


def _checksum_words(head: bytes, payload: bytes, said: bytes) -> str:
    number = int.from_bytes(said)
    text = f"the checksum is {said.hex(' ')}, right is {crc16_xmodem(payload).to_bytes(2).hex(' ')}"
    why = next((words for words, compute in _CHECKSUMS if compute(head, payload) == number), None)
    return f"{text}: {why}" if why else text


def _told(wrong: Wrong, text: str, frame: bytes, payload: bytes) -> BadFrame:
    ids, request = unwrap(payload)
    shown = bool(request) and request[0] not in CONFIG_COMMANDS and bool(shown_hex(encode_frame(payload)))
    return BadFrame(
        wrong,
        text,
        len(frame),
        request[0] if request else payload[0],
        ids,
        hex=shown_hex(frame) if shown else "",
        right=shown_hex(encode_frame(payload)) if shown else "",
    )
