"""PEAK's trace files (.trc), versions 1.0 to 2.1: an offset in ms, type, identifier, bytes.

Facts from PEAK's "CAN TRC file format": the version and the day that times count from (days since 1899-12-30,
of the local clock) are in the header, the order of columns too in versions from 2.0 on.
"""

import re

from packwire.capture.packets import NO_TIME, PacketDirection
from packwire.capture.text.can import (
    BUS_STATE,
    FD_FORMAT,
    FD_PASSIVE,
    FD_SIZES,
    FD_SWITCHED,
    MAX_STANDARD,
    WRONG_SIZE,
    can_frame,
    can_row,
    error_frame,
    first_tokens,
    scaled,
    way_of_letter,
)
from packwire.capture.text.clock import Clock
from packwire.capture.text.grammar import BEGINS, NO_BYTES, Row, Unread

NAME = "PCAN trace (.trc)"
EXAMPLES = (
    ";$FILEVERSION=1.1\n;$STARTTIME=44410.5\n     1)         1.9  Rx         0355  4  3E 00 64 00",
    ";$FILEVERSION=2.1\n;$COLUMNS=N,O,T,B,I,d,R,L,D\n 1      1059.900 DT 1      0300 Rx -  4    3E 00 64 00",
)

_MILLISECOND, _DAY = 1_000_000, 86_400_000
_YEAR_0 = 25_569
"""1970-01-01 in days since 1899-12-30."""
_VERSION = re.compile(r";\$FILEVERSION=(\d\.\d)\s*")
_START = re.compile(r";\$STARTTIME=(\d{1,6}(?:\.\d{1,18})?)\s*;?.*")
_COLUMNS = re.compile(r";\$COLUMNS=([A-Za-z](?:,[A-Za-z])*)\s*")
_ID = r"(?P<id>[0-9A-F]{8}|[0-9A-F]{4}|-)"
#: The number with its bracket; versions 1.1 to 1.3 have a type, later ones a bus and a reserved column too.
_OLD = re.compile(
    r"\s*\d+\)\s+(?P<time>\d+(?:\.\d{1,4})?)\s+(?:(?P<bus>\d{1,2})\s+)?(?:(?P<type>Rx|Tx|Warng|Error)\s+)?"
    + _ID + r"(?:\s+-)?\s+(?P<size>\d{1,2})(?:\s+(?P<data>.*))?"
)  # fmt: skip
_PASSING = {"N": r"\d+\)?", "R": r"\S+"}
_PATTERN = {
    "O": r"(?P<time>\d+(?:\.\d{1,4})?)",
    "T": r"(?P<type>[A-Z]{2})",
    "B": r"(?P<bus>\d{1,2}|-)",
    "I": _ID,
    "d": r"(?P<way>Rx|Tx)",
    "l": r"(?P<size>\d{1,2})",
    "L": r"(?P<code>\d{1,2})",
    "D": r"(?P<data>.*)",
}
_TYPES = {
    "DT": 0,
    "RR": 0,
    "FD": FD_FORMAT,
    "FB": FD_FORMAT | FD_SWITCHED,
    "FE": FD_FORMAT | FD_PASSIVE,
    "BI": FD_FORMAT | FD_SWITCHED | FD_PASSIVE,
}
_EVENT = re.compile(
    r"\s*(?:\d+\)?\s+)?(?P<time>\d+(?:\.\d{1,4})?)\s+(?P<type>ST|EC|ER|EV)\b(?P<way>.*\bTx\b)?.*"
)


class Grammar:
    """Takes a header and the lines below it; version 1.0 has none to tell it by but its numbered lines."""

    def __init__(self, _clock: Clock) -> None:
        self._start, self._begun = 0, False
        self._line: re.Pattern[str] | None = None

    def take(self, line: str) -> Row | Unread | None:
        """Return the frame of a line; None for lines of another form."""
        if line.startswith(";") and (self._begun or line.startswith(";$")):
            return self._header(line)
        if self._line and (found := self._line.fullmatch(line)) and found["type"] in _TYPES:
            return self._new(found)
        if self._line and (event := _EVENT.fullmatch(line)):
            if event["type"] != "ER":
                return BUS_STATE
            way = PacketDirection.SENT if event["way"] else PacketDirection.RECEIVED
            return can_row(error_frame(), way, "can", self._time(event["time"]))
        if found := _OLD.fullmatch(line):
            return self._old(found)
        return None

    def _header(self, text: str) -> Unread:
        if found := _VERSION.fullmatch(text):
            self._start, self._line, self._begun = 0, None, True
            return BEGINS
        if found := _START.fullmatch(text):
            # A double holds days to a tenth of a microsecond or so.
            self._start = round((float(found[1]) - _YEAR_0) * _DAY * 1000) * 1000
        elif found := _COLUMNS.fullmatch(text):
            known = {**_PASSING, **_PATTERN}
            names = found[1].split(",")
            if set(names) <= set(known) and len(set(names)) == len(names) and {"O", "T", "I"} <= set(names):
                last = names[-1] == "D"
                parts = [known[name] for name in (names[:-1] if last else names)]
                self._line = re.compile(
                    r"\s*" + r"\s+".join(parts) + (r"(?:\s+(?P<data>.*))?" if last else r".*")
                )
        return NO_BYTES

    def _time(self, text: str) -> int:
        offset = scaled(text, _MILLISECOND)
        return NO_TIME if offset == NO_TIME else self._start + offset

    def _new(self, found: re.Match[str]) -> Row | Unread:
        cells = found.groupdict()
        fd = _TYPES[found["type"]]
        code = int(cells.get("code") or 0)
        if code >= len(FD_SIZES) or found["id"] == "-":
            return WRONG_SIZE
        size = int(cells["size"]) if cells.get("size") else FD_SIZES[code]
        remote = found["type"] == "RR"
        data = b"" if remote else first_tokens(cells.get("data") or "", size)
        bus = f"can{(cells.get('bus') or '').strip('-')}"
        return self._frame(found, data, bus, way_of_letter(cells.get("way")), remote=remote, fd=fd)

    def _old(self, found: re.Match[str]) -> Row | Unread:
        kind, data, bus = found["type"] or "", found["data"] or "", f"can{found['bus'] or ''}"
        if kind == "Warng" or found["id"] == "FFFFFFFF":
            return BUS_STATE
        if kind == "Error" or data.startswith("ERROR"):
            return can_row(error_frame(), PacketDirection.UNKNOWN, bus, self._time(found["time"]))
        remote = data.strip() == "RTR"
        content = b"" if remote else first_tokens(data, int(found["size"]))
        return self._frame(found, content, bus, way_of_letter(kind), remote=remote, fd=0)

    def _frame(
        self,
        found: re.Match[str],
        data: bytes | None,
        bus: str,
        way: PacketDirection,
        *,
        remote: bool,
        fd: int,
    ) -> Row | Unread:
        if data is None:
            return WRONG_SIZE
        identifier, extended = int(found["id"], 16), len(found["id"]) == 8
        frame = can_frame(
            identifier, data, extended=extended or identifier > MAX_STANDARD, remote=remote, fd=fd
        )
        return can_row(frame, way, bus, self._time(found["time"]))
