"""What socat prints with -x: a line with the way, the time and the length, and the bytes below it.

`>` is what went from the first address to the second one, which is taken as the device.
"""

import re

from packwire.capture.packets import NO_TIME, PacketDirection
from packwire.capture.text.beside import bytes_end
from packwire.capture.text.clock import STAMP, Clock
from packwire.capture.text.grammar import NO_BYTES, Row, Unread

NAME = "socat dump"
EXAMPLES = ("> 2026/01/02 10:00:00.123456  length=7 from=0 to=6\n dd a5 03 00 ff fd 77",)

_HEADER = re.compile(rf"(?P<way>[<>]) (?P<time>{STAMP})\s+length=(?P<length>\d{{1,7}}) from=\d+ to=\d+")
_ROW = re.compile(r"[ \t]+(?P<hex>[0-9a-f]{2}(?:[ \t]{1,2}[0-9a-f]{2})*)[ \t]*")
_SHORT = Unread("blocks with other bytes than socat says", damaged=True)


class Grammar:
    """Takes a block's header and the rows below it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._left, self._joins = 0, False
        self._time, self._way = NO_TIME, PacketDirection.UNKNOWN

    def take(self, line: str) -> Row | Unread | None:
        """Return the bytes of a row; None for lines of another form."""
        if line[0] in "<>" and (header := _HEADER.fullmatch(line)):
            short, self._left = self._left > 0, int(header["length"])
            self._joins, self._time = False, self._clock.time(header["time"])
            self._way = PacketDirection.SENT if header["way"] == ">" else PacketDirection.RECEIVED
            return _SHORT if short else NO_BYTES
        found = _ROW.fullmatch(line, 0, bytes_end(line, 0)) if self._left else None
        if found is None:
            return NO_BYTES if self._time != NO_TIME and line == "--" else None
        data = bytes.fromhex(found["hex"])
        if len(data) > self._left:
            self._left = 0
            return _SHORT
        self._left -= len(data)
        row = Row(data, self._way, "uart", self._time, joins=self._joins)
        self._joins = True
        return row
