"""Lines of decimal numbers, or of hex without leading zeros, that are frames of a known framing.

Only what its checksum confirms is taken, and only where the file holds at least two different frames of that
kind: one alone may be chance.
"""

import re

from packwire.capture.formats import decimal_lines
from packwire.capture.text.clock import Clock
from packwire.capture.text.doubt import DECIMALS
from packwire.capture.text.grammar import Row, Unread
from packwire.capture.text.said import is_frame

NAME = "frames in numbers"
EXAMPLES = (
    "170 85 144 235 151 0 0 0 0 0 0 0 0 0 0 0 0 0 0 17\n170 85 144 235 150 0 0 0 0 0 0 0 0 0 0 0 0 0 0 16",
)

CONFIRMED, ALONE = "confirmed", "lines of numbers of which only one is a frame when they are read as bytes"
_UNPADDED = re.compile(
    r"[0-9A-Fa-f]{1,2}(?:(?P<between>[ ,:])[0-9A-Fa-f]{1,2}(?:(?P=between)[0-9A-Fa-f]{1,2})*)"
)
#: Shorter lines say little; of lines that are no frames so many are tried.
_FEWEST, _MOST_TRIED = 5, 500
_NUMBERS = re.compile(r"(?:\b[0-9A-Fa-f]{1,3}[ ,;:\t]+){3}")
_DECIMAL = re.compile(r"(?<![\w.:/-])[12]\d\d(?![\w.:/-])")


class Grammar:
    """Takes lines of numbers whose checksum is right."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._vain = 0
        self._first = b""

    def take(self, line: str) -> Row | Unread | None:
        """Return the frame that a line holds; None for lines of another form."""
        if self._vain >= _MOST_TRIED or not _NUMBERS.search(line):
            return None
        return self._frame(line) or self._decimals(line)

    def _frame(self, line: str) -> Row | None:
        for numbers in (decimal_lines.decimal, _unpadded):
            row = decimal_lines.take(line, self._clock, numbers)
            if not isinstance(row, Row) or len(row.payload) < _FEWEST:
                continue
            if is_frame(row.payload):
                first = not self._first or self._first == row.payload
                self._first = self._first or row.payload
                return row._replace(doubt=ALONE if first else "", shape=CONFIRMED)
            self._vain += 1
        return None

    def _decimals(self, line: str) -> Row | None:
        """Return a line of decimal numbers: never taken, it says what digits in other lines are."""
        row = decimal_lines.take(line, self._clock, decimal_lines.decimal) if _DECIMAL.search(line) else None
        return row._replace(doubt=DECIMALS, shape=DECIMALS) if isinstance(row, Row) else None


def _unpadded(line: str, at: int) -> tuple[bytes | Unread, int] | None:
    found = _UNPADDED.match(line, at)
    if found is None:
        return None
    return bytes(int(each, 16) for each in re.split("[ ,:]", found[0])), found.end()
