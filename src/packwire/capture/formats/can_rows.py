"""What texts with CAN frames have in common: a line becomes a frame as Linux records it, or a reason why not.

LINKTYPE_CAN_SOCKETCAN [https://www.tcpdump.org/linktypes/LINKTYPE_CAN_SOCKETCAN.html]: identifier with flags
in 4 bytes, big-endian, length, flags of CAN FD, 2 reserved bytes, data.
"""

import re
import struct
from typing import NamedTuple

from packwire.capture.packets import PacketDirection

EXTENDED, REMOTE, ERROR = 0x8000_0000, 0x4000_0000, 0x2000_0000
#: Flags of CAN FD: the data is faster than the header; the sender is error passive; it is CAN FD.
FD_SWITCHED, FD_PASSIVE, FD_FORMAT = 1, 2, 4
MAX_STANDARD, MAX_EXTENDED = 0x7FF, 0x1FFF_FFFF
#: How many bytes a data length code stands for; more than 8 only with CAN FD [ISO 11898-1, table 5].
FD_SIZES = (0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 20, 24, 32, 48, 64)
LARGEST, LARGEST_FD = 8, 64

#: Reasons why a line holds no frame that is taken.
WRONG_SIZE = "a CAN frame with other bytes than its length says"
WRONG_ID = "a CAN frame with an identifier that CAN does not have"
UNKNOWN_BASE = "a CAN frame whose identifier may be decimal or hex"
BUS_STATE = "states of the bus and remarks of the recorder"

_HEADER = struct.Struct(">IBBxx")
_TOKEN = re.compile(r"(?:0[xX])?([0-9A-Fa-f]{1,2})")
_SECONDS = re.compile(r"(\d{1,10})[.,](\d{1,9})")


class CanRow(NamedTuple):
    """A frame of a text: time in ns (NO_TIME: none; None: one that is not understood), way, bus, frame."""

    time: int | None
    way: PacketDirection
    bus: str
    frame: bytes


def can_frame(
    identifier: int, data: bytes, *, extended: bool | None = None, remote: bool = False, fd: int = 0
) -> bytes | None:
    """Return a SocketCAN frame, or None where there is no such frame.

    `extended` None: told by the identifier. `fd`: flags of CAN FD, with FD_FORMAT.
    """
    if extended is None:
        extended = identifier > MAX_STANDARD
    if identifier > (MAX_EXTENDED if extended else MAX_STANDARD) or (remote and data):
        return None
    if len(data) > LARGEST and (not fd or len(data) not in FD_SIZES):
        return None
    return _HEADER.pack(identifier | EXTENDED * extended | REMOTE * remote, len(data), fd) + data


def error_frame(identifier: int = ERROR, data: bytes = bytes(8)) -> bytes:
    """Return an error frame as Linux records it: what happened is in the identifier [linux/can/error.h]."""
    return _HEADER.pack((identifier | ERROR) & (ERROR | MAX_EXTENDED), len(data), 0) + data


def row_of(time: int | None, way: PacketDirection, bus: str, frame: bytes | None) -> CanRow | str:
    """Return the row, or the reason where there is no such frame."""
    return WRONG_ID if frame is None else CanRow(time, way, bus, frame)


def hex_tokens(text: str) -> bytes | None:
    """Return the bytes of tokens of one or two hex digits with blanks or commas between; None if others."""
    tokens = text.replace(",", " ").split()
    found = [_TOKEN.fullmatch(token) for token in tokens[: LARGEST_FD + 1]]
    return None if None in found else bytes(int(each[1], 16) for each in found if each)


def sized_tokens(text: str, size: int) -> bytes | None:
    """Return the first `size` bytes of a text; what follows must be none. None where there are fewer."""
    tokens = text.split()
    if len(tokens) < size or (len(tokens) > size and _TOKEN.fullmatch(tokens[size])):
        return None
    return hex_tokens(" ".join(tokens[:size]))


def seconds(text: str) -> int | None:
    """Return a number of seconds (`12.5`, `12,5`) as nanoseconds; None where it is another text."""
    found = _SECONDS.fullmatch(text)
    return int(found[1]) * 1_000_000_000 + int(found[2].ljust(9, "0")) if found else None


def scaled(text: str, unit: int) -> int | None:
    """Return a decimal number of units of so many nanoseconds, as nanoseconds; None for another text."""
    whole, _, fraction = text.partition(".")
    if not (whole.isascii() and whole.isdigit() and len(whole) <= 18) or not _digits(fraction):
        return None
    part = int(fraction[:9].ljust(9, "0")) * unit // 1_000_000_000
    return int(whole) * unit + part


def _digits(text: str) -> bool:
    return text.isascii() and (not text or text.isdigit())


def way_of_letter(text: str) -> PacketDirection:
    """Return the way that Rx or Tx, or their first letters, stand for."""
    letter = text[:1].lower()
    if letter in {"t", "s"}:
        return PacketDirection.SENT
    return PacketDirection.RECEIVED if letter == "r" else PacketDirection.UNKNOWN


