"""Bytes in a form that other things are written in too: messages where checksums confirm it, and base64."""

import base64
import binascii
import re

from packwire.capture.packets import PacketDirection
from packwire.capture.text.grammar import Row
from packwire.capture.text.said import is_frame

CONFIRMED, ALONE = "confirmed", "lines of numbers of which only one is a frame when they are read as bytes"
#: Whole groups of four, of so many bytes at least.
_BASE64 = re.compile(
    r"(?P<quote>['\"]?)(?P<text>(?:[A-Za-z0-9+/]{4}){1,2048}(?:[A-Za-z0-9+/]{4}|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{2}==))"
    r"(?P=quote)(?![\w+/=])"
)
#: Shorter lines say little; of lines that are no frames so many are tried, and some more for each frame.
_FEWEST, _MOST_TRIED, _PAID = 5, 500, 20
#: Frames in pieces are no longer than this and one piece.
_LONGEST = 1024


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
        self._vain = max(0, self._vain - _PAID)
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


def encoded(line: str, at: int) -> tuple[bytes, int] | None:
    """Return the bytes that stand in base64 at a place, and where the text ends."""
    found = _BASE64.match(line, at)
    if found is None:
        return None
    try:
        return base64.b64decode(found["text"], validate=True), found.end()
    except binascii.Error:
        return None
