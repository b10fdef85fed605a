"""OVMS' crtd logs: `1320745424.002 1R11 402 FA 01 C3`, 11 or 29 bits, R or T, a bus in front."""

import re

from packwire.capture.formats.can_rows import BUS_STATE, CanRow, can_frame, hex_tokens, row_of, seconds, way_of_letter

NAME = "OVMS crtd log"

_FRAME = re.compile(
    r"\s*(?P<time>\d{1,10}\.\d{1,9})\s+(?P<bus>\d?)(?P<way>[RT])(?P<bits>11|29)\s+(?P<id>[0-9A-Fa-f]{1,8})"
    r"(?P<data>(?:\s+[0-9A-Fa-f]{1,2}){0,8})"
)
_COMMENT = re.compile(r"\s*\d{1,10}\.\d{1,9}\s+\d?C[A-Z]{2}\b.*")


class Grammar:
    """The lines of one file."""

    def row(self, text: str) -> CanRow | str | None:
        """Return the frame of a line, the reason where it is none, or None for another line."""
        found = _FRAME.fullmatch(text)
        if found is None:
            return BUS_STATE if _COMMENT.fullmatch(text) else None
        data = hex_tokens(found["data"]) or b""
        frame = can_frame(int(found["id"], 16), data, extended=found["bits"] == "29")
        return row_of(seconds(found["time"]), way_of_letter(found["way"]), f"can{found['bus']}", frame)
