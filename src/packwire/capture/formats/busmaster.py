"""BUSMASTER's logs: `16:03:46:0920 Rx 1 0x121 s 8 00 00 ..`; the header says hex or decimal, and the date."""

import re

from packwire.capture.text.can import (
    BUS_STATE,
    FD_FORMAT,
    WRONG_SIZE,
    can_frame,
    can_row,
    error_frame,
    token_bytes,
    way_of_letter,
)
from packwire.capture.text.clock import Clock
from packwire.capture.text.grammar import BEGINS, Row, Unread

NAME = "BUSMASTER log"
EXAMPLES = ("***BUSMASTER Ver 2.4.0***\n***HEX***\n22:20:14:9920 Rx 1 0x21A s 3 FE 36 12",)

_START = re.compile(r"\*\*\*START DATE AND TIME (\d{1,2}):(\d{1,2}):(\d{4}) .*")
_HEAD = r"\s*(?P<time>\d{1,2}:\d\d:\d\d:\d{3,4})\s+(?P<way>Rx|Tx)\s+(?P<bus>\d{1,2})\s+"
_FRAME = re.compile(
    _HEAD + r"(?P<id>(?:0x)?[0-9A-Fa-f]{1,10})\s+(?P<kind>[sx]r?(?P<fd>-fd)?)\s+(?P<size>\d{1,2})(?P<data>.*)"
)
_ERROR = re.compile(_HEAD + r"ERR.*")


class Grammar:
    """Takes a header and the lines below it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._base = 0
        self._since_before = False

    def take(self, line: str) -> Row | Unread | None:
        """Return the frame of a line; None for lines of another form."""
        if line.startswith("***"):
            return self._header(line)
        if not self._base:
            return None
        if found := _ERROR.fullmatch(line):
            return can_row(
                error_frame(), way_of_letter(found["way"]), f"can{found['bus']}", self._time(found["time"])
            )
        found = _FRAME.fullmatch(line)
        if found is None:
            return None
        digits, remote = found["id"], "r" in found["kind"]
        data = b"" if remote else self._data(found["data"])
        if (self._base == 10 and not digits.isdigit()) or data is None:
            return WRONG_SIZE
        if not remote and len(data) != int(found["size"]):
            return WRONG_SIZE
        frame = can_frame(
            int(digits, self._base),
            data,
            extended=found["kind"][0] == "x",
            remote=remote,
            fd=FD_FORMAT if found["fd"] else 0,
        )
        way = way_of_letter(found["way"])
        return can_row(frame, way, f"can{found['bus']}", self._time(found["time"]))

    def _header(self, text: str) -> Unread | None:
        if text.startswith("***BUSMASTER"):
            self._base, self._since_before = 16, False
            return BEGINS
        if not self._base:
            return None
        if text.startswith("***DEC"):
            self._base = 10
        elif text.startswith("***RELATIVE"):
            self._since_before = True
        elif found := _START.fullmatch(text):
            self._clock.start(f"{found[3]}-{found[2]:0>2}-{found[1]:0>2}")
        return BUS_STATE

    def _time(self, text: str) -> int:
        """Return the time; one since the frame before, which an option of the program writes, is not read."""
        return self._clock.odd(text) if self._since_before else self._clock.time(text)

    def _data(self, text: str) -> bytes | None:
        if self._base == 16:
            return token_bytes(text)
        tokens = text.split()
        if not all(each.isascii() and each.isdigit() and int(each[:4]) < 256 for each in tokens):
            return None
        return bytes(int(each) for each in tokens)
