"""OVMS' crtd logs: `1320745424.002 1R11 402 FA 01 C3`: R or T, 11 or 29 bits, a bus in front."""

import re

from packwire.capture.text.can import BUS_STATE, can_frame, can_row, scaled, token_bytes, way_of_letter
from packwire.capture.text.clock import Clock
from packwire.capture.text.grammar import Row, Unread

NAME = "OVMS crtd log"
EXAMPLES = ("1320745424.002 R11 402 FA 01 C3 A0 96 00 07 01",)

_FRAME = re.compile(
    r"\s*(?P<time>\d{1,10}\.\d{1,9})\s+(?P<bus>\d?)(?P<way>[RT])(?P<bits>11|29)\s+(?P<id>[0-9A-Fa-f]{1,8})"
    r"(?P<data>(?:\s+[0-9A-Fa-f]{1,2}){0,8})"
)
_COMMENT = re.compile(r"\s*\d{1,10}\.\d{1,9}\s+\d?C[A-Z]{2}\b.*")


class Grammar:
    """Takes frames and comments."""

    def __init__(self, _clock: Clock) -> None:
        """Begin a file; its times need no clock."""

    def take(self, line: str) -> Row | Unread | None:
        """Return the frame of a line; None for lines of another form."""
        found = _FRAME.fullmatch(line)
        if found is None:
            return BUS_STATE if _COMMENT.fullmatch(line) else None
        frame = can_frame(
            int(found["id"], 16), token_bytes(found["data"]) or b"", extended=found["bits"] == "29"
        )
        way = way_of_letter(found["way"])
        return can_row(frame, way, f"can{found['bus']}", scaled(found["time"], 1_000_000_000))
