"""Lines of decimal numbers, of hex without leading zeros, or of base64, that are frames of a known framing.

Only what its checksum confirms is taken, and only where the file holds at least two different frames of that
kind: one alone may be chance. A frame may go on in the lines below (the pieces of notifications).
"""

import base64
import binascii
import re
from collections.abc import Callable

from packwire.capture.formats import decimal_lines
from packwire.capture.packets import PacketDirection
from packwire.capture.text.clock import Clock
from packwire.capture.text.doubt import DECIMALS
from packwire.capture.text.grammar import Row, Unread
from packwire.capture.text.said import is_frame

NAME = "frames in numbers"
EXAMPLES = (
    "RX: 3aUDAP/9dw==\nRX: 3aUEAP/8dw==",
    "170 85 144 235 151 0 0 0 0 0 0 0 0 0 0 0 0 0 0 17\n170 85 144 235 150 0 0 0 0 0 0 0 0 0 0 0 0 0 0 16",
)

CONFIRMED, ALONE = "confirmed", "lines of numbers of which only one is a frame when they are read as bytes"
_UNPADDED = re.compile(
    r"[0-9A-Fa-f]{1,2}(?:(?P<between>[ ,:])[0-9A-Fa-f]{1,2}(?:(?P=between)[0-9A-Fa-f]{1,2})*)"
)
#: Whole groups of four, of so many bytes at least.
_BASE64 = re.compile(
    r"(?P<quote>['\"]?)(?P<text>(?:[A-Za-z0-9+/]{4}){1,2048}(?:[A-Za-z0-9+/]{4}|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{2}==))"
    r"(?P=quote)(?![\w+/=])"
)
#: Shorter lines say little; of lines that are no frames so many are tried.
_FEWEST, _MOST_TRIED = 5, 500
#: So many characters of base64 hold a frame.
_SHORTEST_TEXT, _LONGEST_TEXT = 8, 4096
#: Frames in pieces are no longer than this and one piece.
_LONGEST = 1024
_NUMBERS = re.compile(r"(?:\b[0-9A-Fa-f]{1,3}[ ,;:\t]+){3}")
_DECIMAL = re.compile(r"(?<![\w.:/-])[12]\d\d(?![\w.:/-])")


type _Numbers = Callable[[str, int], tuple[bytes | Unread, int] | None]


class Confirming:
    """Tells which messages are frames of a known framing; as long as one alone is, it may be chance.

    After too many that are of no frame it is `tired`: a search that mostly finds nothing is costly.
    """

    def __init__(self) -> None:
        self._first = b""
        self._pieces, self._of, self._count = b"", (PacketDirection.UNKNOWN, "", ""), 0
        self._vain = 0

    @property
    def tired(self) -> bool:
        """Whether further messages are not worth a look."""
        return self._vain >= _MOST_TRIED

    def settle(self, row: Row) -> Row | None:
        """Return a row with the pieces before it, and what is to be doubted; None if it ends no frame."""
        if len(row.payload) < _FEWEST or not is_frame(row.payload):
            whole = self._joined(row)
            if whole is None:
                self._vain += 1
                return None
            self._vain -= self._count  # its pieces were not in vain
            row = row._replace(payload=whole)
        self._pieces = b""
        first = not self._first or self._first == row.payload
        self._first = self._first or row.payload
        return row._replace(doubt=ALONE if first else "", shape=CONFIRMED)

    def _joined(self, row: Row) -> bytes | None:
        """Return the frame that a message ends, with those of the same kind before it; None if none."""
        kind = (row.direction, row.channel, row.device)
        before = self._pieces if kind == self._of and len(self._pieces) <= _LONGEST else b""
        self._count = self._count + 1 if before else 0
        self._pieces, self._of = before + row.payload, kind
        return self._pieces if before and is_frame(self._pieces) else None


class Grammar:
    """Takes lines of numbers whose checksum is right."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        numbers: tuple[_Numbers, ...] = (decimal_lines.decimal, _unpadded, encoded)
        self._confirming = {each: Confirming() for each in numbers}

    def take(self, line: str) -> Row | Unread | None:
        """Return the frame that a line holds; None for lines of another form."""
        if not _NUMBERS.search(line):
            return self._frame(line, encoded) if _may_end_in_base64(line) else None
        return (
            self._frame(line, decimal_lines.decimal) or self._frame(line, _unpadded) or self._decimals(line)
        )

    def _frame(self, line: str, numbers: _Numbers) -> Row | None:
        confirming = self._confirming[numbers]
        row = None if confirming.tired else decimal_lines.take(line, self._clock, numbers)
        return confirming.settle(row) if isinstance(row, Row) else None

    def _decimals(self, line: str) -> Row | None:
        """Return a line of decimal numbers: never taken, it says what digits in other lines are."""
        if self._confirming[decimal_lines.decimal].tired or not _DECIMAL.search(line):
            return None
        row = decimal_lines.take(line, self._clock, decimal_lines.decimal)
        return row._replace(doubt=DECIMALS, shape=DECIMALS) if isinstance(row, Row) else None


def _may_end_in_base64(line: str) -> bool:
    size = len(line.rpartition(" ")[2].strip("'\""))
    return size % 4 == 0 and _SHORTEST_TEXT <= size <= _LONGEST_TEXT


def encoded(line: str, at: int) -> tuple[bytes | Unread, int] | None:
    """Return the bytes that stand in base64 at a place, and where the text ends."""
    found = _BASE64.match(line, at)
    if found is None:
        return None
    try:
        return base64.b64decode(found["text"], validate=True), found.end()
    except binascii.Error:
        return None


def _unpadded(line: str, at: int) -> tuple[bytes | Unread, int] | None:
    found = _UNPADDED.match(line, at)
    if found is None:
        return None
    return bytes(int(each, 16) for each in re.split("[ ,:]", found[0])), found.end()
