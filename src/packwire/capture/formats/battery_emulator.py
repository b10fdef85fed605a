"""Battery-Emulator's CAN logs: `(360.26) RX0 226 [8] 00 30 ..` in seconds, `7553  1DB  8  FF C0 0 5D` in ms.

Identifiers are in hex without zeros in front, and so are the bytes of the second form.
"""

import re

from packwire.capture.text.can import (
    FD_FORMAT,
    LARGEST,
    WRONG_SIZE,
    can_frame,
    can_row,
    scaled,
    token_bytes,
    way_of_letter,
)
from packwire.capture.text.clock import Clock
from packwire.capture.text.grammar import Row, Unread

NAME = "Battery-Emulator CAN log"
EXAMPLES = ("(360.26) RX0 226 [8] 00 30 00 00 00 00 00 00", "7553  1DB  8  FF C0 B9 EA 0 0 2 5D")

_MILLISECOND, _SECOND = 1_000_000, 1_000_000_000
_LOG = re.compile(
    r"\s*\((?P<time>\d{1,7}\.\d{1,6})\) (?P<way>[RT]X)(?P<bus>\d) (?P<id>[0-9A-F]{1,8}) \[(?P<size>\d{1,2})\]"
    r" ?(?P<data>(?:[0-9A-F]{1,2}(?: |$)){0,64})"
)
#: Two blanks between all but the bytes, or one and the way.
_PRINT = re.compile(
    r"(?P<time>\d{1,10})(?:  | (?P<way>[RT]X) )(?P<id>[0-9A-F]{1,8})(?(way) |  )"
    r"(?P<size>[0-8])(?(way) ?| {0,2})"
    r"(?P<data>(?:[0-9A-F]{1,2}(?: |$)){0,8})"
)


class Grammar:
    """Takes lines of both forms."""

    def __init__(self, _clock: Clock) -> None:
        """Begin a file; its times need no clock."""

    def take(self, line: str) -> Row | Unread | None:
        """Return the frame of a line; None for lines of another form."""
        if found := _LOG.fullmatch(line):
            time, bus = scaled(found["time"], _SECOND), f"can{found['bus']}"
        elif found := _PRINT.fullmatch(line):
            time, bus = scaled(found["time"], _MILLISECOND), "can"
        else:
            return None
        data = token_bytes(found["data"])
        if data is None or len(data) != int(found["size"]):
            return WRONG_SIZE
        fd = FD_FORMAT if len(data) > LARGEST else 0
        return can_row(can_frame(int(found["id"], 16), data, fd=fd), way_of_letter(found["way"]), bus, time)
