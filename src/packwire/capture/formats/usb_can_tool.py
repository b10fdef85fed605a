"""USB-CAN adapters' tables with blanks or NULs between the columns: `NO  Frame ID  Length  Data`."""

import re

from packwire.capture.packets import NO_TIME, PacketDirection
from packwire.capture.text.can import WRONG_SIZE, can_frame, can_row, first_tokens
from packwire.capture.text.clock import Clock
from packwire.capture.text.grammar import BEGINS, Row, Unread

NAME = "USB-CAN tool table"
EXAMPLES = ("NO   Frame ID   Length Data\n0    0001d4 8 a0 6d 00 00 42 06 40 60",)

_HEADER = re.compile(r"No\.?\s+(?:Frame )?ID\s+(?:Length|Len|DLC)\s+Data(?:\s*\(hex\))?\s*", re.IGNORECASE)
_FRAME = re.compile(r"\s*\d+\s+(?:0x)?(?P<id>[0-9A-Fa-f]{3,8})\s+(?P<size>[0-8])(?:\s+(?P<data>.*))?")


class Grammar:
    """Takes a header and the rows below it."""

    def __init__(self, _clock: Clock) -> None:
        self._begun = False

    def take(self, line: str) -> Row | Unread | None:
        """Return the frame of a row; None for lines of another form."""
        if _HEADER.fullmatch(line):
            self._begun = True
            return BEGINS
        found = _FRAME.fullmatch(line) if self._begun else None
        if found is None:
            return None
        data = first_tokens(found["data"] or "", int(found["size"]))
        if data is None:
            return WRONG_SIZE
        return can_row(can_frame(int(found["id"], 16), data), PacketDirection.UNKNOWN, "can", NO_TIME)
