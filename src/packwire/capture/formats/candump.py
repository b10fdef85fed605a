"""CAN frames as text: candump's log files and console output, and serial logs like `DLC 8, Data 0x..`."""

import re

from packwire.capture.packets import PacketDirection
from packwire.capture.text.clock import Clock
from packwire.capture.text.grammar import CAN, Row, Unread, can_error_frame, can_frame
from packwire.capture.text.tokens import hex_bytes

NAME = "candump log"
EXAMPLES = ("(1436509052.249713) vcan0 044#2A366C2B", "  can0  355   [8]  00 11 22 33 44 55 66 77")

_ERROR = 0x2000_0000
_HEX = r"(?:0[xX])?[0-9A-Fa-f]{2}(?:[ ]{0,2}(?:0[xX])?[0-9A-Fa-f]{2})*"
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
        + _HEX
        + r")?)(?:\s+'.*'|\s+[A-Z-]+)?",
        re.IGNORECASE,
    ),
    # 17:28:53.335 > CAN : Received EXT  from 0x00000571 / .., DLC 8, Data 0x0E 0x33
    re.compile(
        r"(?P<time>[\d:.]{8,20})?\W{0,8}(?P<interface>CAN)\W{1,8}(?:(?P<way>Received|Sent)\s+)?"
        r"(?P<wide>EXT|STD)\s+\w+\s+0x(?P<id>[0-9A-F]{3,8})\b[^,]*, DLC \d+, Data ?(?P<hex>" + _HEX + r")?",
        re.IGNORECASE,
    ),
)
_WAYS = {"r": PacketDirection.RECEIVED, "t": PacketDirection.SENT, "s": PacketDirection.SENT}
_NO_FRAME = Unread("CAN frames longer than they may be", damaged=True)


class Grammar:
    """Takes lines of candump's forms."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def take(self, line: str) -> Row | Unread | None:
        """Return the frame that a line holds; None for lines of another form."""
        found = next((found for pattern in _PATTERNS if (found := pattern.fullmatch(line))), None)
        if found is None:
            return None
        frame = _frame(found.groupdict())
        if frame is None:
            return _NO_FRAME
        way = _WAYS.get((found["way"] or " ")[0].lower(), PacketDirection.UNKNOWN)
        return Row(frame, way, found["interface"], self._clock.time(found["time"]), CAN)


def _frame(found: dict[str, str | None]) -> bytes | None:
    """Return a SocketCAN frame, or None where the text is none."""
    payload = hex_bytes(found["hex"] or "") or b""
    identifier = int(found["id"] or "0", 16)
    if identifier & _ERROR:  # candump writes error frames with the flag in the identifier
        return can_error_frame(identifier, payload)
    wide = found.get("wide")
    return can_frame(
        identifier,
        payload,
        extended=(wide == "EXT") if wide else (len(found["id"] or "") == 8),
        remote=bool(found.get("remote")),
        fd=found.get("fd") is not None,
    )
