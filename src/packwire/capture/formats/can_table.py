"""Tables with CAN frames (CSV and the like) whose header is known: SavvyCAN's, python-can's, CANHacker's, ..

Also other headers that are made of usual names only and say the unit of time. A table with CAN identifiers
that has other columns is refused, and so are numbers that may be decimal or hex.
"""

import base64
import binascii
import csv
import re
from collections.abc import Callable

from packwire.capture.packets import NO_TIME
from packwire.capture.text.can import (
    FD_FORMAT,
    LARGEST,
    MAX_STANDARD,
    UNKNOWN_BASE,
    WRONG_ID,
    WRONG_SIZE,
    can_frame,
    can_row,
    error_frame,
    scaled,
    way_of_letter,
)
from packwire.capture.text.can_columns import Header, columns, nearest
from packwire.capture.text.clock import Clock
from packwire.capture.text.grammar import BEGINS, Row, Unread
from packwire.errors import BadFileError

NAME = "table of CAN frames"
EXAMPLES = (
    "Time Stamp,ID,Extended,Dir,Bus,LEN,D1,D2,D3,D4,D5,D6,D7,D8\n973,0000013B,false,Rx,0,3,00,00,08",
    "timestamp,arbitration_id,extended,remote,error,dlc,data\n1700000000.25,0x355,0,0,0,4,PgBkAA==",
    "Time (ms);CAN ID;DLC;Data\n12.5;0x355;4;3E 00 64 00",
)

_DELIMITERS = ",;\t|"
_YES = ("t", "1", "y", "x", "ext", "扩展")
_REMOTE = ("true", "1", "r", "远程")
_HEX = re.compile(r"(?:0[xX])?(?P<digits>[0-9A-Fa-f]{1,8})[hH]?")
#: How a known program marks bytes: `x| 05 C3`, `0x05C3`.
_BYTES = re.compile(r"(?:x\||0[xX](?=\s*$))?\s*(?P<hex>(?:(?:0[xX])?[0-9A-Fa-f]{2}[ ,.:-]?)*)\s*")
#: How programs keep a spreadsheet from changing a text: `="12:04:59.533"`.
_SHEET = re.compile(r'^\s*="?|"\s*$')
_BETWEEN = re.compile(r"0[xX]|[ ,.:-]")
_SHORT_ROW = Unread("rows of a table of CAN frames without a frame", damaged=True)
_UNKNOWN_BYTES = Unread("CAN frames whose bytes may be decimal or hex", damaged=True)
type _Cell = Callable[[str], str]


class Grammar:
    """Takes a header and the rows below it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._header: Header | None = None
        self._delimiter = ","
        self._cells: list[str] = []
        self._hex_ids = self._hex_bytes = False

    def take(self, line: str) -> Row | Unread | None:
        """Return the frame of a row; None for lines of another form.

        Raises BadFileError where a table with CAN identifiers has columns that are not known, or times
        without a unit.
        """
        delimiter = max(_DELIMITERS, key=line.count)
        count = line.count(delimiter)
        if not count:
            return None
        if any(each.isalpha() for each in line[:200]) and (header := self._begun(line, delimiter)):
            return header
        if self._header is None or delimiter != self._delimiter:
            return None
        return self._row(self._header, _cells(line, delimiter))

    def _begun(self, line: str, delimiter: str) -> Unread | None:
        if "id" not in line.lower() and "addr" not in line.lower():
            return None
        cells = _cells(line, delimiter)
        header, unknown = columns(cells)
        if header is None:
            return None
        if unknown:
            near = nearest(cells)
            raise BadFileError(
                f"a table with CAN identifiers whose columns are not known ({', '.join(unknown)[:200]}): the"
                f" nearest format is that of {near.program}, with the header {','.join(near.names)}; name the"
                " columns so, with D1 to D8 for D"
            )
        self._header, self._delimiter, self._cells = header, delimiter, cells
        self._hex_ids = self._hex_bytes = bool(header.hex)
        return BEGINS

    def _row(self, header: Header, cells: list[str]) -> Row | Unread:
        def cell(role: str) -> str:
            index = header.at.get(role, len(cells))
            return _SHEET.sub("", cells[index]).strip() if index < len(cells) else ""

        found = _HEX.fullmatch(cell("id"))
        if found is None:
            return _SHORT_ROW
        digits, way = found["digits"], way_of_letter(cell("way").replace("发", "t").replace("接", "r"))
        # 0x, an h behind it or a letter among the digits say hex; so do zeros in front of all.
        self._hex_ids = self._hex_ids or not digits.isdigit() or len(found[0]) > len(digits) or (
            digits[0] == "0" and len(digits) in {3, 8}
        )  # fmt: skip
        if not self._hex_ids:
            return UNKNOWN_BASE
        identifier = int(digits, 16)
        bus = cell("bus")
        bus = f"can{bus}" if bus.isdigit() or not bus else bus
        time = self._time(header, cell)
        if cell("error").lower().startswith(_YES):
            return can_row(error_frame(), way, bus, time)
        remote = cell("remote").lower().startswith(_REMOTE)
        data = b"" if remote else self._data(header, cells, cell("data"), cell("size"))
        if not isinstance(data, bytes):
            return data
        extended = identifier > MAX_STANDARD
        if "extended" in header.at:
            extended = extended or cell("extended").lower().startswith(_YES)
        fd = FD_FORMAT if len(data) > LARGEST or "fd" in cell("fd").lower() or cell("fd") == "1" else 0
        return can_row(can_frame(identifier, data, extended=extended, remote=remote, fd=fd), way, bus, time)

    def _data(self, header: Header, cells: list[str], text: str, size: str) -> bytes | Unread:
        if header.base64:
            try:
                data = base64.b64decode(text, validate=True)
            except (binascii.Error, ValueError):
                return WRONG_SIZE
        elif header.data:
            parts = [cells[index].strip() for index in header.data if index < len(cells)]
            count = _count(size) if size else len([part for part in parts if part])
            parts = parts[:count] if count is not None else []
            found = [_HEX.fullmatch(part) for part in parts]
            if count != len(parts) or not all(each and len(each["digits"]) <= 2 for each in found):
                return WRONG_SIZE if self._hex_bytes else _UNKNOWN_BYTES
            self._hex_bytes = self._hex_bytes or any(map(_is_hex, parts))
            if not self._hex_bytes:
                return _UNKNOWN_BYTES
            return bytes(int(each["digits"], 16) for each in found if each)
        else:
            shown = _BYTES.fullmatch(text)
            if shown is None:
                return WRONG_SIZE
            data = bytes.fromhex(_BETWEEN.sub("", shown["hex"]))
        if size and _count(size) != len(data):
            return WRONG_SIZE
        return data if len(data) <= 64 else WRONG_ID

    def _time(self, header: Header, cell: _Cell) -> int:
        if text := cell("clock"):
            return self._clock.time(text)
        text = cell("time")
        if not text:
            return NO_TIME
        unit = header.unit
        if unit == 1000 and "." in text:
            # No program writes parts of a microsecond: these are of another unit.
            return self._clock.odd(text)
        if not unit and ":" not in text:
            near = nearest(self._cells)
            raise BadFileError(
                "a table with CAN identifiers whose column of times does not say the unit: name it in the"
                f" header, such as Time (ms); the nearest format is that of {near.program}, with the header"
                f" {','.join(near.names)}"
            )
        time = scaled(text, unit) if unit else NO_TIME
        if time != NO_TIME:
            return time
        return self._clock.time(text) if ":" in text else self._clock.odd(text)


def _is_hex(text: str) -> bool:
    return not text.isdigit() or (len(text) == 2 and text[0] == "0")


def _count(text: str) -> int | None:
    try:
        return int(text, 0) if text.lower().startswith("0x") else int(text)
    except ValueError:
        return None


def _cells(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return []
