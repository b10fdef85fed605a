"""CANHacker's traces: a header `Time ID DLC Data Comment` and lines `04,889 300 8 5A 04 ..`.

Times are seconds of the minute in version 2, which begin anew, and seconds since the start in others.
"""

import re

from packwire.capture.packets import PacketDirection
from packwire.capture.text.can import WRONG_SIZE, can_frame, can_row, first_tokens, scaled
from packwire.capture.text.clock import Clock
from packwire.capture.text.grammar import BEGINS, Row, Unread

NAME = "CANHacker trace"
EXAMPLES = ("Time   ID     DLC Data                    Comment\n04,889 300    3   5A 04 00",)

_HEADER = re.compile(r"Time\s+ID\s+DLC\s+Data(?:\s+Comment)?\s*", re.IGNORECASE)
_FRAME = re.compile(
    r"\s*(?P<time>\d{1,9}[.,]\d{1,6})\s+(?P<id>[0-9A-Fa-f]{1,8})\s+(?P<size>[0-8])(?:\s+(?P<data>.*))?"
)
_SECOND = 1_000_000_000
_MINUTE = 60 * _SECOND


class Grammar:
    """Takes a header and the lines below it."""

    def __init__(self, _clock: Clock) -> None:
        self._begun, self._minutes, self._last = False, 0, 0

    def take(self, line: str) -> Row | Unread | None:
        """Return the frame of a line; None for lines of another form."""
        if _HEADER.fullmatch(line):
            self._begun, self._minutes, self._last = True, 0, 0
            return BEGINS
        found = _FRAME.fullmatch(line) if self._begun else None
        if found is None:
            return None
        data = first_tokens(found["data"] or "", int(found["size"]))
        if data is None:
            return WRONG_SIZE
        time = scaled(found["time"], _SECOND)
        self._minutes += time < self._last < _MINUTE
        self._last = time
        frame = can_frame(int(found["id"], 16), data, extended=True if len(found["id"]) == 8 else None)
        return can_row(frame, PacketDirection.UNKNOWN, "can", self._minutes * _MINUTE + time)
