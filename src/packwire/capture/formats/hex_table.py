"""A table with a column of bytes in hex: comma, semicolon or tab between the columns, whose names head it.

A table with identifiers of a CAN bus is none of these: it is read where its form is known, or refused.
"""

import csv
import re
from collections.abc import Callable, Mapping, Sequence

from packwire.capture.packets import NO_TIME, PacketDirection
from packwire.capture.text.att import OPCODES
from packwire.capture.text.clock import Clock, seconds
from packwire.capture.text.doubt import doubt
from packwire.capture.text.grammar import BEGINS, Row, Unread
from packwire.capture.text.tokens import LITERAL, TOKENS, hex_bytes, hex_tokens, literal_bytes
from packwire.capture.text.way import way

NAME = "CSV"
EXAMPLES = ("time,direction,channel,hex\n1700000000.25,tx,att ff02 write,dd a5 03",)

#: What the columns may be called, without what stands in brackets behind the name.
COLUMNS = {
    "hex": (
        "hex",
        "data",
        "payload",
        "value",
        "bytes",
        "message",
        "raw",
        "raw data",
        "btatt.value",
        "frame",
        "daten",
        "nachricht",
        "数据",
        "报文",
    ),
    "time": (
        "time",
        "timestamp",
        "date",
        "datetime",
        "date time",
        "date/time",
        "frame.time_epoch",
        "time stamp",
        "ts",
        "tst",
        "zeit",
        "uhrzeit",
        "zeitstempel",
        "datum",
        "时间",
        "时间戳",
    ),
    "seconds": ("seconds", "relative time", "frame.time_relative", "start_time", "delta"),
    "way": (
        "direction",
        "dir",
        "way",
        "tx/rx",
        "rx/tx",
        "type",
        "operation",
        "function",
        "info",
        "btatt.opcode",
        "richtung",
        "方向",
    ),
    "channel": (
        "channel",
        "characteristic",
        "uuid",
        "handle",
        "interface",
        "btatt.handle",
        "port",
        "kanal",
        "通道",
    ),
}
CAN_NAMES = frozenset(
    (
        "can id", "canid", "can_id", "id (hex)", "arbitration id", "arbitration_id", "arbid", "identifier",
        "frame id", "frameid", "msg id", "can-id", "messageid", "message id", "dlc",
    )
)  # fmt: skip
#: Without times and directions, what has one of these describes a device, and is no recording of it.
_REGISTER_NAMES = frozenset(
    ("register", "registers", "reg", "address", "addr", "offset", "parameter", "field", "adresse", "地址")
)
#: With one of these beside it, a column `id` is one of CAN too.
_CAN_SIGNS = frozenset(("len", "length", "bus", "extended", "ext", "ide", "rtr", "flags"))
#: What a column `id` has on a CAN bus; the numbers of rows have no such prefix.
_IDENTIFIER, _MOST_ON_CAN = re.compile(r"0[xX][0-9A-Fa-f]{3,8}"), 8
_UNIT = re.compile(r" ?[(\[](?P<unit>[^()\[\]]{0,20})[)\]]\s*$|_(?P<suffix>s|ms|us|ns)$", re.IGNORECASE)
#: A longer cell is no name of a column.
_LONGEST_NAME = 60
#: How many ns a unit has; what a whole number of so many digits counts since 1970.
_UNITS = {"s": 10**9, "sec": 10**9, "seconds": 10**9, "ms": 10**6, "us": 10**3, "µs": 10**3, "ns": 1}
_DIGITS = {9: 10**9, 10: 10**9, 13: 10**6, 16: 10**3, 18: 1, 19: 1}
_HEX = re.compile(rf"\s*(?:(?P<literal>{LITERAL})|(?:\(0x\) ?)?(?P<hex>{TOKENS}))\s*")
_SIGNS = {"1": PacketDirection.SENT, "+1": PacketDirection.SENT, "-1": PacketDirection.RECEIVED} | {
    f"0x{code:02x}": way for code, (way, _) in OPCODES.items()
}
_DECIMAL_COMMA = re.compile(r"-?\d+,\d+")
_BAD = Unread("rows of a table without bytes in its column of bytes")
_REGISTERS = Unread("rows of a table that describes registers: no messages, and no time or direction")
#: In a table without times, directions and channels so few bytes may be a colour or a number.
_FEW_BYTES = 4
_NUMBERS = (
    "rows of a table without times, directions and channels, whose few bytes may be a number or a colour"
)
_CAN_TABLE = Unread("rows of a table with CAN identifiers, of a form that is not known")


class Grammar:
    """Takes a head that names a column of bytes, and the rows below it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._columns: dict[str, int] = {}
        self._units: dict[str, int] = {}
        self._delimiter = ","
        self._names: list[str] = []
        self._recorded = False
        self._can = self._describes = self._identified = False

    def take(self, line: str) -> Row | Unread | None:
        """Return the bytes of a row; None for lines of another form."""
        if not self._names:
            return self._head(line)
        cells = _cells(line, self._delimiter)
        if len(cells) < 2:
            return None
        if self._can:
            return _CAN_TABLE
        if self._describes:
            return _REGISTERS
        if len(cells) == len(self._names) and self._lower(cells) == self._names:
            return BEGINS
        return self._row(cells)

    def _head(self, line: str) -> Unread | None:
        delimiter = max(",;\t", key=line.count)
        if not line.count(delimiter):
            return None
        cells = _cells(line, delimiter)
        names = self._lower(cells)
        columns = {
            key: names.index(name)
            for key, known in COLUMNS.items()
            for name in reversed(known)
            if name in names
        }
        self._can = bool(CAN_NAMES & set(names)) or ("id" in names and bool(_CAN_SIGNS & set(names)))
        self._can = self._can and len(names) > 2 and ("hex" in columns or "dlc" in names)
        if "hex" not in columns and not self._can:
            return None
        recorded = columns.keys() & {"time", "seconds", "way"}
        self._recorded = bool(recorded) or "channel" in columns
        self._describes = not recorded and bool(_REGISTER_NAMES & set(names))
        self._columns, self._delimiter, self._names = columns, delimiter, names
        self._identified = "id" in names
        for key, index in columns.items():
            unit = _UNIT.search(cells[index][:_LONGEST_NAME].strip())
            said = (unit["unit"] or unit["suffix"]).strip().lower() if unit else ""
            if said in _UNITS:
                self._units[key] = _UNITS[said]
        return BEGINS

    @staticmethod
    def _lower(cells: Sequence[str]) -> list[str]:
        return [_UNIT.sub("", cell[:_LONGEST_NAME].strip()).strip().lower() for cell in cells]

    def _row(self, cells: Sequence[str]) -> Row | Unread:
        def cell(key: str) -> str:
            index = self._columns.get(key, len(cells))
            text = cells[index].strip() if index < len(cells) else ""
            # Where no comma parts the columns, one parts a number's decimals.
            decimals = (
                key in {"time", "seconds"} and self._delimiter != "," and _DECIMAL_COMMA.fullmatch(text)
            )
            return text.replace(",", ".") if decimals else text

        found = row(cell, self._units, self._clock, "table")
        if found and not self._recorded and len(found.payload) <= _FEW_BYTES:
            found = found._replace(doubt=_NUMBERS)
        identifier = self._identified and _IDENTIFIER.fullmatch(cells[self._names.index("id")].strip())
        if found and identifier and len(found.payload) <= _MOST_ON_CAN:
            return _CAN_TABLE
        return found or _BAD


def row(cell: Callable[[str], str], units: Mapping[str, int], clock: Clock, shape: str) -> Row | None:
    """Return the message that the cells of `COLUMNS` hold; `units` are those of times, in ns."""
    found = _HEX.fullmatch(cell("hex"))
    if found is None:
        return None
    payload = literal_bytes(found["literal"]) if found["literal"] else hex_bytes(found["hex"])
    if not payload:
        return None
    why = doubt(found["hex"], marked=True) if found["hex"] else ""
    time = _time(clock, cell("time"), units.get("time", 0))
    if time == NO_TIME:
        time = _time(clock, cell("seconds"), units.get("seconds", 10**9))
    if why and len(hex_tokens(found["hex"])) == 1:
        # What only has digits is a number, unless others of its length have letters.
        shape = f"{shape} {len(payload)}"
    return Row(
        payload,
        _SIGNS.get(cell("way")) or way(cell("way"), alone=True),
        cell("channel") or "hex",
        time,
        doubt=why,
        shape=shape,
    )


def _time(clock: Clock, text: str, unit: int) -> int:
    if not text:
        return NO_TIME
    digits = text.lstrip("-")
    if not digits.replace(".", "", 1).isdigit():
        return clock.time(text)
    if unit:
        whole = seconds(text)
        return NO_TIME if whole == NO_TIME else whole * unit // 10**9
    if "." in digits:
        return clock.time(text)
    scale = _DIGITS.get(len(digits))
    return clock.odd(text) if scale is None else int(text) * scale


def _cells(text: str, delimiter: str) -> Sequence[str]:
    try:
        return next(csv.reader([text], delimiter=delimiter), [])
    except csv.Error:
        return []
