"""Saleae Logic's exports of its UART and CAN analyzers, of version 1 and 2, with the bytes in hex.

A byte stands in a row; those of one analyzer that follow each other closely are one message. An analyzer that
is called TX or RX says the direction, any other name is the channel's.
"""

import csv
import re

from packwire.capture.packets import NO_TIME, PacketDirection
from packwire.capture.text.can import WRONG_SIZE, can_frame, can_row, token_bytes
from packwire.capture.text.clock import STAMP, Clock, seconds
from packwire.capture.text.grammar import BEGINS, NO_BYTES, Row, Unread
from packwire.capture.text.way import way

NAME = "Saleae Logic export"
EXAMPLES = (
    "Time [s], Analyzer Name, Decoded Protocol Result\n0.001,RX,0xDD\n0.0011,RX,0x03",
    'name,type,start_time,duration,data,error\n"RX","data",0.001,0.0001,0xDD,\n"RX","data",0.0011,0.0001,0x03,',
    """\
Time [s],Packet,Type,Identifier,Control,Data,CRC,ACK
0.1,0,DATA,0x355,0x4,0x3E 0x00 0x64 0x00,0x1234,ACK""",
)
ADVICE = "export with the bytes in hexadecimal"

#: What heads each export.
_HEADS = {
    "timevalueparity errorframing error": "value",
    "timeanalyzer namedecoded protocol result": "result",
    "timepackettypeidentifiercontroldatacrcack": "can",
}
_UNIT = re.compile(r" ?\[s\]")
_BYTE = re.compile(r"0x([0-9A-Fa-f]{2})(?P<error>\s*\(?(?:framing|parity) error\)?|\s*\(error\))?")
_BYTES = re.compile(r"0x[0-9A-Fa-f]{1,2}(?: 0x[0-9A-Fa-f]{1,2}){0,63}")
_HEX = re.compile(r"0x[0-9A-Fa-f]{1,18}")
#: A row of version 2 has a name, a type, a time, a duration, and what was seen.
_LEAST_CELLS = 5
#: Bytes that follow each other within 20 ms at most, or four of their own length, are one message.
_GAP, _BYTES_APART = 20_000_000, 4
_NOT_HEX = Unread("bytes of an analyzer that are not in hex", damaged=True)
_ERROR = Unread("bytes with errors of framing or parity", damaged=True)
#: What other analyzers are called unless they are renamed, and the types of rows that they have.
_OTHER_NAME = re.compile(r"(?:SPI|I2C|1-Wire)\b", re.IGNORECASE)
_OTHER_TYPES = frozenset(("start", "stop", "address", "enable", "disable", "result", "reset", "presence"))
_OTHER = Unread("rows of an analyzer that is none of UART or CAN, which are not read here")
#: So many names of analyzers are told apart.
_MOST_NAMES = 64
_TIME = re.compile(rf"{STAMP}|-?\d{{1,10}}(?:\.\d{{1,18}})?(?:[eE]-?\d{{1,2}})?")
_KINDS = {"standard": False, "extended": True, "data": None}


class Grammar:
    """Takes a head and the rows below it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._form = ""
        self._names: list[str] = []
        self._last: tuple[str, int, int] = ("", NO_TIME, 0)
        self._least = _GAP
        self._others: set[str] = set()
        """Names of analyzers of other kinds."""
        self._can: _Frame | None = None

    def take(self, line: str) -> Row | Unread | None:
        """Return what a row holds; None for lines of another form."""
        if not self._form:
            return self._head(line)
        cells = [cell.strip() for cell in _cells(line)]
        if len(cells) < (_LEAST_CELLS if self._form == "table" else 3):
            return None
        if self._form == "table":
            row = dict(zip(self._names, cells, strict=False))
            return self._table(row) if _TIME.fullmatch(row["start_time"]) else None
        if not _TIME.fullmatch(cells[0]):
            return None
        time = self._time(cells[0])
        if self._form == "can":
            return _can(cells, time)
        if self._form == "value":
            return self._byte("uart", cells[1], time, 0, error=any(cells[2:]))
        return _OTHER if _OTHER_NAME.match(cells[1]) else self._byte(cells[1], cells[2], time, 0)

    def _time(self, text: str) -> int:
        time = seconds(text)
        return self._clock.time(text) if time == NO_TIME else time

    def _head(self, line: str) -> Unread | None:
        if not line.startswith(("Time [s]", "name,type,", '"name","type"', "name,")):
            return None
        names = [_UNIT.sub("", cell.strip().lower()) for cell in _cells(line)]
        self._form = _HEADS.get("".join(names), "")
        if names[:4] == ["name", "type", "start_time", "duration"]:
            self._form, self._names = "table", names
        return BEGINS if self._form else None

    def _table(self, cells: dict[str, str]) -> Row | Unread:
        time, size = self._time(cells["start_time"]), seconds(cells["duration"])
        kind, name = cells["type"], cells["name"]
        # Only I2C says of each byte of data whether it was acknowledged.
        other = kind in _OTHER_TYPES or (kind == "data" and cells.get("ack")) or _OTHER_NAME.match(name)
        if other and len(self._others) < _MOST_NAMES:
            self._others.add(name)
        if other or name in self._others:
            return _OTHER
        if kind == "data":
            return self._byte(name, cells.get("data", ""), time, size, error=bool(cells.get("error")))
        if kind == "identifier_field":
            self._can = _Frame(cells, time)
        elif self._can and kind == "control_field":
            self._can.size = _number(cells.get("num_data_bytes", ""))
        elif self._can and kind == "data_field" and (found := _BYTE.fullmatch(cells.get("data", ""))):
            self._can.data += bytes.fromhex(found[1])
        elif self._can and kind == "crc_field":
            frame, self._can = self._can, None
            return frame.row()
        return NO_BYTES

    def _byte(self, name: str, text: str, time: int, size: int, *, error: bool = False) -> Row | Unread:
        found = _BYTE.fullmatch(text)
        if found is None:
            return _NOT_HEX
        if error or found["error"]:
            self._last = ("", NO_TIME, 0)  # what follows does not go on where a byte is missing
            return _ERROR
        before, last, length = self._last
        apart = min(_GAP, max(size, length, 1) * _BYTES_APART if size else self._gap(time, last))
        joins = before == name and NO_TIME not in (time, last) and 0 <= time - last <= apart + length
        self._last = (name, time, size)
        direction = way(name, alone=True)
        channel = "uart" if direction or name.lower() in {"uart", "async serial", ""} else name
        return Row(bytes.fromhex(found[1]), direction, channel, time, joins=joins)

    def _gap(self, time: int, last: int) -> int:
        """Return how far bytes may be apart where the export has no duration: some times the least so far."""
        if NO_TIME not in (time, last) and time > last:
            self._least = min(self._least, time - last)
        return self._least * _BYTES_APART


class _Frame:
    """A frame of a CAN analyzer, whose parts stand in rows of their own."""

    def __init__(self, cells: dict[str, str], time: int) -> None:
        self.id, self.time = _number(cells.get("identifier", "")), time
        extended = cells.get("extended", "").lower()
        self.extended = True if extended == "true" else False if extended == "false" else None
        self.remote = cells.get("remote_frame", "").lower() == "true"
        self.size: int | None = None
        self.data = b""

    def row(self) -> Row | Unread:
        cut = not self.data if self.size is None else self.size != len(self.data) and not self.remote
        if self.id is None or cut:
            return WRONG_SIZE
        frame = can_frame(
            self.id, b"" if self.remote else self.data, extended=self.extended, remote=self.remote
        )
        return can_row(frame, PacketDirection.UNKNOWN, "can", self.time)


def _can(cells: list[str], time: int) -> Row | Unread:
    """Return the frame of a row of version 1."""
    identifier, size = (
        _number(cells[3]) if len(cells) > 5 else None,
        _number(cells[4]) if len(cells) > 5 else None,
    )
    if identifier is None or size is None:
        return WRONG_SIZE
    remote = cells[2].lower().startswith("remote")
    data = (token_bytes(cells[5]) if _BYTES.fullmatch(cells[5]) else None) or b""
    if len(data) != size and not remote:
        return WRONG_SIZE
    frame = can_frame(
        identifier, b"" if remote else data, extended=_KINDS.get(cells[2].lower()), remote=remote
    )
    return can_row(frame, PacketDirection.UNKNOWN, "can", time)


def _number(text: str) -> int | None:
    """Return a number in hex or decimal, None for another text."""
    if _HEX.fullmatch(text):
        return int(text, 16)
    return int(text) if text.isdigit() and len(text) <= 9 and text.isascii() else None


def _cells(line: str) -> list[str]:
    try:
        return next(csv.reader([line]), [])
    except csv.Error:
        return []
