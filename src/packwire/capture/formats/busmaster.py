"""BUSMASTER's logs: `16:03:46:0920 Rx 1 0x121 s 8 00 00 ..`; its header says hex or decimal, and the date."""

import re

from packwire.capture.formats.can_rows import (
    BUS_STATE,
    WRONG_SIZE,
    CanRow,
    can_frame,
    error_frame,
    hex_tokens,
    row_of,
    way_of_letter,
)
from packwire.capture.formats.text_lines import Clock
from packwire.capture.packets import NO_TIME

NAME = "BUSMASTER log"

_START = re.compile(r"\*\*\*START DATE AND TIME (\d{1,2}):(\d{1,2}):(\d{4}) .*")
_FRAME = re.compile(
    r"\s*(?P<time>\d{1,2}:\d\d:\d\d:\d{3,4})\s+(?P<way>Rx|Tx)\s+(?P<bus>\d{1,2})\s+(?P<id>(?:0x)?[0-9A-Fa-f]{1,10})"
    r"\s+(?P<kind>s|x|sr|xr|s-fd|x-fd)\s+(?P<size>\d{1,2})\s*(?P<data>.*)"
)
_ERROR = re.compile(r"\s*\d{1,2}:\d\d:\d\d:\d{3,4}\s+(?:Rx|Tx)\s+\d{1,2}\s+(?:ERR|Error).*")


class Grammar:
    """The lines of one file; `decimal` is what its header said last, None before."""

    def __init__(self) -> None:
        self._clock = Clock()
        self._decimal: bool | None = None
        self._since_frame_before = False
        self._seen = False

    def row(self, text: str) -> CanRow | str | None:
        """Return the frame of a line, the reason where it is none, or None for another line."""
        if text.startswith("***"):
            self._head(text)
            return BUS_STATE if self._seen else None
        if not self._seen:
            return None
        if _ERROR.fullmatch(text):
            return CanRow(self._time(text.split()[0]), way_of_letter(text.split()[1]), "can", error_frame())
        found = _FRAME.fullmatch(text)
        if found is None:
            return None
        decimal = self._decimal and not found["id"].startswith("0x")
        try:
            identifier = int(found["id"], 10 if decimal else 16)
        except ValueError:
            return WRONG_SIZE
        remote = found["kind"].endswith("r")
        data = b"" if remote else self._data(found["data"])
        if data is None or (len(data) != int(found["size"]) and not remote):
            return WRONG_SIZE
        fd = 4 if found["kind"].endswith("fd") else 0
        frame = can_frame(identifier, data, extended=found["kind"][0] == "x", remote=remote, fd=fd)
        return row_of(self._time(found["time"]), way_of_letter(found["way"]), f"can{found['bus']}", frame)

    def _head(self, text: str) -> None:
        self._seen = self._seen or text.startswith("***BUSMASTER")
        if text.startswith("***HEX"):
            self._decimal = False
        elif text.startswith("***DEC"):
            self._decimal = True
        elif text.startswith("***RELATIVE"):
            self._since_frame_before = True
        elif found := _START.fullmatch(text):
            self._clock.start(f"{found[3]}-{found[2]:0>2}-{found[1]:0>2}")

    def _time(self, text: str) -> int | None:
        """Return the time of the day; times since the frame before, which some files hold, are not read."""
        if self._since_frame_before:
            return None
        # The fraction is in ten-thousandths, older versions write thousandths.
        time = self._clock.time(text.rjust(len("00:00:00:0000"), "0") if text[1] == ":" else text)
        return None if time == NO_TIME else time

    def _data(self, text: str) -> bytes | None:
        if not self._decimal:
            return hex_tokens(text)
        tokens = text.split()
        if not all(each.isascii() and each.isdigit() and int(each[:4]) < 256 for each in tokens):
            return None
        return bytes(int(each) for each in tokens)
