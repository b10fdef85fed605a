"""CAN frames as text: candump's log files and console output, and serial logs like `DLC 8, Data 0x..`.

The frames become SocketCAN frames as Linux records them [LINKTYPE_CAN_SOCKETCAN, 227]: identifier with flags
(big-endian), length, CAN FD flags, two reserved bytes, data.
"""

import re
import struct

from packwire.capture.formats.text_lines import HEX, Clock, Table, head_lines, hex_bytes, lines
from packwire.capture.packets import LINKTYPE_CAN_SOCKETCAN, NO_TIME, PacketDirection, Packets
from packwire.errors import BadFileError
from packwire.messages import Bytes

NAME = "candump log"

_EXTENDED, _REMOTE = 0x8000_0000, 0x4000_0000
_FD = 0x04
_ERROR = 0x2000_0000
_LARGEST, _LARGEST_FD = 8, 64

_STAMP = r"\((?P<time>[^)]{1,40})\)"
_PATTERNS = (
    # (1436509052.249713) vcan0 044#2A366C2B R
    re.compile(
        _STAMP
        + r"\s+(?P<interface>\S+)\s+(?P<id>[0-9A-F]{8}|[0-9A-F]{3})#"
        + r"(?:#(?P<fd>[0-9A-F]))?(?:(?P<remote>R)[0-9A-F]?|(?P<hex>(?:[0-9A-F]{2}\.?)*))(?:_[0-9A-F])?"
        + r"(?:\s+(?P<way>[RT]))?",
        re.IGNORECASE,
    ),
    #   can0  RX - -  355   [8]  00 11 22 33 44 55 66 77   '..'
    re.compile(
        r"\s*(?:"
        + _STAMP
        + r"\s*)?(?P<interface>[A-Za-z][\w.:-]*)\s+(?:(?P<way>[RT]X)\s+\S+\s+\S+\s+)?"
        + r"(?P<id>[0-9A-F]{8}|[0-9A-F]{3})\s+(?:\[(?P<fd>\d\d)\]|\[\d\])"
        + r"(?:\s+(?P<remote>remote request)|\s*(?P<hex>"
        + HEX
        + r")?)(?:\s+'.*'|\s+[A-Z-]+)?",
        re.IGNORECASE,
    ),
    # 17:28:53.335 > CAN : Received EXT  from 0x00000571 / .., DLC 8, Data 0x0E 0x33
    re.compile(
        r"(?P<time>[\d:.]{8,20})?\W{0,8}(?P<interface>CAN)\W{1,8}(?:(?P<way>Received|Sent)\s+)?"
        r"(?P<wide>EXT|STD)\s+\w+\s+0x(?P<id>[0-9A-F]{3,8})\b[^,]*, DLC \d+, Data ?(?P<hex>" + HEX + r")?",
        re.IGNORECASE,
    ),
)
_WAYS = {"r": PacketDirection.RECEIVED, "t": PacketDirection.SENT, "s": PacketDirection.SENT}


def matches(head: bytes) -> bool:
    """Tell whether one of the first lines holds a frame."""
    return any(_match(line) for line in head_lines(head)[:20])


def _match(line: str) -> re.Match[str] | None:
    return next((found for pattern in _PATTERNS if (found := pattern.fullmatch(line))), None)


def read(data: Bytes) -> Packets:
    """Find the frames. Raises BadFileError where there is none."""
    table, clock = Table(NAME, LINKTYPE_CAN_SOCKETCAN), Clock()
    for at, text in lines(data, table):
        if table.comment(at, text):
            continue
        found = _match(text)
        frame = _frame(found.groupdict()) if found else None
        if found is None or frame is None:
            table.bad(at)
            continue
        way = _WAYS.get((found["way"] or " ")[0].lower(), PacketDirection.UNKNOWN)
        stamp = found["time"]
        table.add(clock.time(stamp) if stamp else NO_TIME, way, found["interface"], frame)
    if not len(table):
        raise BadFileError("this candump log holds no frame: record it again (candump -L can0)")
    return table.packets()


def _frame(found: dict[str, str | None]) -> bytes | None:
    """Return a SocketCAN frame, or None where the text is none."""
    payload = hex_bytes(found["hex"] or "")
    identifier = int(found["id"] or "0", 16)
    fd = found.get("fd") is not None
    if payload is None or len(payload) > (_LARGEST_FD if fd else _LARGEST):
        return None
    wide = found.get("wide")
    if identifier > 0x7FF or (len(found["id"] or "") == 8 and not wide) or wide in {"EXT", "ext"}:
        # candump writes error frames with the flag in the identifier.
        identifier = identifier & (_ERROR | 0x1FFF_FFFF) | (0 if identifier & _ERROR else _EXTENDED)
    if found.get("remote"):
        identifier |= _REMOTE
    return struct.pack(">IBBxx", identifier, len(payload), _FD if fd else 0) + payload
