"""Tables of CAN frames with blanks between the columns: a header, and below it a frame a line."""

import re

from packwire.capture.packets import NO_TIME, PacketDirection
from packwire.capture.text.can import WRONG_SIZE, can_frame, can_row, first_tokens
from packwire.capture.text.clock import Clock
from packwire.capture.text.grammar import BEGINS, Row, Unread


class HeadedRows:
    """Takes a header, and the rows below it.

    A row has the groups `id`, `size` and `data`; `time` reads what else is in it.
    """

    header: re.Pattern[str]
    frame: re.Pattern[str]

    def __init__(self, _clock: Clock) -> None:
        self._begun = False

    def take(self, line: str) -> Row | Unread | None:
        """Return the frame of a row; None for lines of another form."""
        if self.header.fullmatch(line):
            self._begun = True
            self.begin()
            return BEGINS
        found = self.frame.fullmatch(line) if self._begun else None
        if found is None:
            return None
        data = first_tokens(found["data"] or "", int(found["size"]))
        if data is None:
            return WRONG_SIZE
        extended = True if len(found["id"]) == 8 else None
        frame = can_frame(int(found["id"], 16), data, extended=extended)
        return can_row(frame, PacketDirection.UNKNOWN, "can", self.time(found))

    def begin(self) -> None:
        """Begin a table."""

    def time(self, found: re.Match[str]) -> int:  # noqa: ARG002 - for tables with times
        """Return the time of a row in ns, NO_TIME where it has none."""
        return NO_TIME
