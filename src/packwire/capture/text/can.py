"""CAN frames as texts write them: what is common to all formats that hold them.

A line becomes a frame as Linux records it, LINKTYPE_CAN_SOCKETCAN
[https://www.tcpdump.org/linktypes/LINKTYPE_CAN_SOCKETCAN.html]: identifier with flags in 4 bytes, big-endian,
length, flags of CAN FD, 2 reserved bytes, data.
"""

import re
import struct

from packwire.capture.packets import LINKTYPE_CAN_SOCKETCAN, NO_TIME, PacketDirection
from packwire.capture.text.grammar import Row, Unread

EXTENDED, REMOTE, ERROR = 0x8000_0000, 0x4000_0000, 0x2000_0000
#: Flags of CAN FD: the data is faster than the header; the sender is error passive; it is CAN FD.
FD_SWITCHED, FD_PASSIVE, FD_FORMAT = 1, 2, 4
MAX_STANDARD, MAX_EXTENDED = 0x7FF, 0x1FFF_FFFF
#: How many bytes a data length code stands for; more than 8 only with CAN FD [ISO 11898-1, table 5].
FD_SIZES = (0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 20, 24, 32, 48, 64)
LARGEST, LARGEST_FD = 8, 64

WRONG_SIZE = Unread("CAN frames with other bytes than their length says", damaged=True)
WRONG_ID = Unread("CAN frames that CAN cannot have: identifier or length too large", damaged=True)
UNKNOWN_BASE = Unread("CAN frames whose identifier may be decimal or hex", damaged=True)
BUS_STATE = Unread("states of the bus and remarks of the recorder")

_HEADER = struct.Struct(">IBBxx")
_TOKEN = re.compile(r"(?:0[xX])?([0-9A-Fa-f]{1,2})")
_NUMBER = re.compile(r"(\d{1,18})(?:[.,](\d{1,9}))?", re.ASCII)


def can_frame(
    identifier: int, data: bytes, *, extended: bool | None = None, remote: bool = False, fd: int = 0
) -> bytes | None:
    """Return a SocketCAN frame, or None where CAN has no such frame.

    `extended` None: told by the identifier. `fd`: flags of CAN FD, FD_FORMAT among them; 0 for classic CAN.
    """
    if extended is None:
        extended = identifier > MAX_STANDARD
    if identifier > (MAX_EXTENDED if extended else MAX_STANDARD) or (remote and data):
        return None
    if len(data) > LARGEST and (not fd or len(data) not in FD_SIZES):
        return None
    flags = (EXTENDED if extended else 0) | (REMOTE if remote else 0)
    return _HEADER.pack(identifier | flags, len(data), fd) + data


def error_frame(identifier: int = ERROR, data: bytes = bytes(8)) -> bytes:
    """Return an error frame as Linux records it: what happened is in the identifier [linux/can/error.h]."""
    return _HEADER.pack((identifier | ERROR) & (ERROR | MAX_EXTENDED), min(len(data), 8), 0) + data[:8]


def can_row(frame: bytes | None, way: PacketDirection, bus: str, time: int) -> Row | Unread:
    """Return the row of a frame (see `Row`), or WRONG_ID where there is none."""
    return WRONG_ID if frame is None else Row(frame, way, bus, time, LINKTYPE_CAN_SOCKETCAN)


def token_bytes(text: str) -> bytes | None:
    """Return the bytes of tokens of one or two hex digits with blanks or commas between; None if others."""
    found = [_TOKEN.fullmatch(token) for token in text.replace(",", " ").split()[: LARGEST_FD + 1]]
    return None if None in found else bytes(int(each[1], 16) for each in found if each)


def first_tokens(text: str, size: int) -> bytes | None:
    """Return the first `size` bytes of a text; None where there are fewer, or where another byte follows."""
    tokens = text.split(maxsplit=size + 1)
    if len(tokens) < size or (len(tokens) > size and _TOKEN.fullmatch(tokens[size])):
        return None
    return token_bytes(" ".join(tokens[:size]))


def scaled(text: str, unit: int) -> int:
    """Return a decimal number of units of so many nanoseconds, in nanoseconds; NO_TIME for another text."""
    found = _NUMBER.fullmatch(text)
    if not found:
        return NO_TIME
    return int(found[1]) * unit + int((found[2] or "").ljust(9, "0")) * unit // 1_000_000_000


def way_of_letter(text: str | None) -> PacketDirection:
    """Return the way that Rx or Tx, R or T, received or sent stand for."""
    letter = (text or "")[:1].lower()
    if letter in {"t", "s"}:
        return PacketDirection.SENT
    return PacketDirection.RECEIVED if letter == "r" else PacketDirection.UNKNOWN
