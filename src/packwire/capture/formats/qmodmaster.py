"""QModMaster's bus monitor: `[RTU]>Tx > 12:00:00:123 - 01  03  00  00`, with two blanks between the bytes."""

import re

from packwire.capture.text.can import way_of_letter
from packwire.capture.text.clock import Clock
from packwire.capture.text.grammar import NO_BYTES, Row, Unread

NAME = "QModMaster log"
EXAMPLES = ("[RTU]>Rx > 12:00:00:223 - 01  03  02  00  11  78  48",)

_FRAME = re.compile(
    r"\s*\[(?P<mode>RTU|TCP)\]>(?P<way>[TR]x) > (?P<time>\d\d:\d\d:\d\d:\d{3}) - "
    r"(?P<hex>[0-9A-Fa-f]{2}(?: {1,2}[0-9A-Fa-f]{2})*)\s*"
)
_SYSTEM = re.compile(r"\s*Sys > \d\d:\d\d:\d\d:\d{3} - .*")


class Grammar:
    """Takes the monitor's lines."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def take(self, line: str) -> Row | Unread | None:
        """Return the frame of a line; None for lines of another form."""
        if "x > " not in line and "Sys > " not in line:
            return None
        found = _FRAME.fullmatch(line)
        if found is None:
            return NO_BYTES if _SYSTEM.fullmatch(line) else None
        way = way_of_letter(found["way"])
        channel = "tcp" if found["mode"] == "TCP" else "uart"
        return Row(bytes.fromhex(found["hex"]), way, channel, self._clock.time(found["time"]))
