"""CANHacker's traces: a header `Time ID DLC Data Comment` and lines `04,889 300 8 5A 04 ..`.

Times are seconds of the minute in version 2, which begin anew, and seconds since the start in others.
"""

import re
from typing import override

from packwire.capture.text.can import scaled
from packwire.capture.text.can_rows import HeadedRows

NAME = "CANHacker trace"
EXAMPLES = ("Time   ID     DLC Data                    Comment\n04,889 300    3   5A 04 00",)

_SECOND = 1_000_000_000
_MINUTE = 60 * _SECOND


class Grammar(HeadedRows):
    """Takes a header and the lines below it."""

    header = re.compile(r"Time\s+ID\s+DLC\s+Data(?:\s+Comment)?\s*", re.IGNORECASE)
    frame = re.compile(
        r"\s*(?P<time>\d{1,9}[.,]\d{1,6})\s+(?P<id>[0-9A-Fa-f]{1,8})\s+(?P<size>[0-8])(?:\s+(?P<data>.*))?"
    )

    @override
    def begin(self) -> None:
        self._minutes = self._last = 0

    @override
    def time(self, found: re.Match[str]) -> int:
        time = scaled(found["time"], _SECOND)
        self._minutes += time < self._last < _MINUTE
        self._last = time
        return self._minutes * _MINUTE + time
