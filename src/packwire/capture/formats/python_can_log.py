"""python-can's printed messages: `Timestamp: 1700000000.25 ID: 355 S Rx DL: 4 3e 00 64 00 Channel: can0`."""

import re

from packwire.capture.packets import PacketDirection
from packwire.capture.text.can import (
    ERROR,
    FD_FORMAT,
    FD_PASSIVE,
    FD_SWITCHED,
    WRONG_SIZE,
    can_frame,
    can_row,
    error_frame,
    first_tokens,
    way_of_letter,
)
from packwire.capture.text.clock import Clock
from packwire.capture.text.grammar import Row, Unread

NAME = "python-can print"
EXAMPLES = (
    "Timestamp: 1700000000.250000    ID: 0355    S Rx                DL:  4    3e 00 64 00     Channel: can0",
)

_FRAME = re.compile(
    r".*?\bTimestamp:\s*(?P<time>\d+\.\d+)\s+ID:\s*(?P<id>[0-9a-fA-F]{1,8})\s+(?P<wide>[SX])\s+"
    r"(?:(?P<way>[RT]x)\s+)?(?P<flags>[ERFBSI\s]{0,40}?)DLC?:\s*(?P<size>\d{1,2})"
    r"(?P<data>(?:\s+[0-9a-fA-F]{2})*)(?:\s+'.*')?(?:\s+Channel:\s*(?P<bus>\S+))?\s*"
)


class Grammar:
    """Takes printed messages, with a logger's words in front or without."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def take(self, line: str) -> Row | Unread | None:
        """Return the frame of a line; None for lines of another form."""
        found = _FRAME.fullmatch(line) if "Timestamp:" in line else None
        if found is None:
            return None
        time, flags = self._clock.time(found["time"]), found["flags"].split()
        # Older versions print no Rx and Tx.
        way = way_of_letter(found["way"]) if found["way"] else PacketDirection.UNKNOWN
        name = found["bus"] or ""
        bus = f"can{name}" if name.isdigit() or not name else name
        if "E" in flags:
            return can_row(error_frame(ERROR | int(found["id"], 16)), way, bus, time)
        remote = "R" in flags
        data = b"" if remote else first_tokens(found["data"], int(found["size"]))
        if data is None:
            return WRONG_SIZE
        fd = FD_FORMAT | FD_SWITCHED * ("BS" in flags) | FD_PASSIVE * ("EI" in flags)
        frame = can_frame(
            int(found["id"], 16),
            data,
            extended=found["wide"] == "X",
            remote=remote,
            fd=fd if "F" in flags else 0,
        )
        return can_row(frame, way, bus, time)
