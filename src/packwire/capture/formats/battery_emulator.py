"""Battery-Emulator's CAN logs: `(360.26) RX0 226 [8] 00 30 ..` in seconds, `7553  1DB  8  FF C0 0 5D` in ms.

Identifiers are in hex without zeros in front, and so are the bytes of the second form.
"""

import re

from packwire.capture.formats.can_rows import (
    FD_FORMAT,
    LARGEST,
    WRONG_SIZE,
    CanRow,
    can_frame,
    hex_tokens,
    row_of,
    scaled,
    seconds,
    way_of_letter,
)

NAME = "Battery-Emulator CAN log"

_LOG = re.compile(
    r"\s*\((?P<time>\d{1,7}\.\d{1,6})\) (?P<way>[RT]X)(?P<bus>\d) (?P<id>[0-9A-F]{1,8}) \[(?P<size>\d{1,2})\]"
    r" ?(?P<data>(?:[0-9A-F]{1,2} ?)*)"
)
#: Two blanks between all but the bytes, or the way and one blank.
_PRINT = re.compile(
    r"(?P<time>\d{1,10})(?:  | (?P<way>[RT]X) )(?P<id>[0-9A-F]{1,8})(?(way) |  )(?P<size>\d)(?(way) |  )"
    r"(?P<data>(?:[0-9A-F]{1,2} ?)*)"
)


class Grammar:
    """The lines of one file."""

    def row(self, text: str) -> CanRow | str | None:
        """Return the frame of a line, the reason where it is none, or None for another line."""
        found = _LOG.fullmatch(text)
        if found:
            time, bus = seconds(found["time"]), f"can{found['bus']}"
        elif found := _PRINT.fullmatch(text + " "):
            time, bus = scaled(found["time"], 1_000_000), "can"
        else:
            return None
        data = hex_tokens(found["data"])
        if data is None or len(data) != int(found["size"]):
            return WRONG_SIZE
        fd = FD_FORMAT if len(data) > LARGEST else 0
        return row_of(
            time, way_of_letter(found["way"] or ""), bus, can_frame(int(found["id"], 16), data, fd=fd)
        )
