"""Lines of decimal numbers, of hex without leading zeros, or of base64, that are frames of a known framing.

Only what its checksum confirms is taken, and only where the file holds at least two different frames of that
kind: one alone may be chance. A frame may go on in the lines below (the pieces of notifications).
"""

import re
from collections.abc import Callable

from packwire.capture.formats import decimal_lines
from packwire.capture.text.clock import Clock
from packwire.capture.text.confirmed import Confirming, encoded
from packwire.capture.text.doubt import DECIMALS
from packwire.capture.text.grammar import Row, Unread

NAME = "frames in numbers"
EXAMPLES = (
    "RX: 3aUDAP/9dw==\nRX: 3aUEAP/8dw==",
    "170 85 144 235 151 0 0 0 0 0 0 0 0 0 0 0 0 0 0 17\n170 85 144 235 150 0 0 0 0 0 0 0 0 0 0 0 0 0 0 16",
)

_UNPADDED = re.compile(
    r"[0-9A-Fa-f]{1,2}(?:(?P<between>[ ,:])[0-9A-Fa-f]{1,2}(?:(?P=between)[0-9A-Fa-f]{1,2})*)"
)
#: So many characters of base64 hold a frame.
_SHORTEST_TEXT, _LONGEST_TEXT = 8, 4096
_NUMBERS = re.compile(r"(?:\b[0-9A-Fa-f]{1,3}[ ,;:\t]+){3}")
_DECIMAL = re.compile(r"(?<![\w.:/-])[12]\d\d(?![\w.:/-])")


type _Numbers = Callable[[str, int], tuple[bytes | Unread, int] | None]


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


def _unpadded(line: str, at: int) -> tuple[bytes | Unread, int] | None:
    found = _UNPADDED.match(line, at)
    if found is None:
        return None
    return bytes(int(each, 16) for each in re.split("[ ,:]", found[0])), found.end()
