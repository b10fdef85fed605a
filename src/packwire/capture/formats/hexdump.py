"""Dumps in hex with offsets: hexdump -C, xxd, od -t x1, Wireshark's, and those of ESP-IDF.

Offsets that go on where the row before ended make one message; offset 0, or one that does not go on, begins
another.
"""

import re

from packwire.capture.packets import PacketDirection
from packwire.capture.text.beside import bytes_end
from packwire.capture.text.clock import Clock
from packwire.capture.text.doubt import doubt
from packwire.capture.text.grammar import NO_BYTES, Row, Unread
from packwire.capture.text.prefix import prefix

NAME = "hex dump with offsets"
EXAMPLES = (
    "00000000  dd 5a 00 02 56 78 ff 30  77                       |.Z..Vx.0w|",
    "00000000: dd5a 0002 5678 ff30 77                   .Z..Vx.0w",
    "0000000 dd 5a 00 02 56 78 ff 30 77",
    "0000   dd 5a 00 02 56 78 ff 30 77   .Z..Vx.0w",
)

_ROW = re.compile(
    r"\s{0,8}(?P<offset>(?:0x)?[0-9A-Fa-f]{4,8})(?P<mark>:\s{0,4}|\s{1,6})"
    r"(?P<hex>(?:[0-9A-Fa-f]{2}){1,2}(?:[ \t]{1,3}(?:[0-9A-Fa-f]{2}){1,2}){0,31}|(?:[0-9A-Fa-f]{2}){1,32})"
    r"(?:\s{2,}\|?(?P<text>.{0,34})|\s*)"
)
_END = re.compile(r"\s{0,8}[0-9A-Fa-f]{6,8}")
#: What some put above: the number of each column.
_RULER = re.compile(
    r"\s{2,}00 01 02 03 04 05 06 07\s{1,2}08 09 0[Aa] 0[Bb] 0[Cc] 0[Dd] 0[Ee] 0[Ff](?:\s+\W*)?"
)
#: hexdump and od -x show words in the byte order of the machine, which they do not name.
_WORDS = re.compile(r"[0-9A-Fa-f]{4}(?:\s+[0-9A-Fa-f]{4})*\s*")
_SWAPPED = Unread(
    "rows of 16-bit words in the byte order of a machine that is not named (dump with hexdump -C or xxd)",
    damaged=True,
)
_MOST = 32


class Grammar:
    """Takes the rows of dumps; the first must be one of offset 0."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._next: set[int] | None = None
        """Which numbers may be the next offset: those that hexadecimal, decimal and octal offsets give."""

    def take(self, line: str) -> Row | Unread | None:
        """Return the bytes of a row; None for lines of another form."""
        head = prefix(line) if not line[:1].isspace() and not line[:4].isalnum() else None
        at = head.at if head else 0
        found, shown = _row(line, at)
        if found is None:
            if _RULER.fullmatch(line, max(0, at - 2)):
                return NO_BYTES
            if self._next and _END.fullmatch(line):
                return NO_BYTES
            if not line.startswith("*"):
                self._next = None
            return None
        offset = found["offset"].lower().removeprefix("0x")
        # Another beginning than 0 is an address in memory, where the column of text shows a dump.
        if self._next is None and int(offset, 16) and not (len(found["offset"]) == 10 and shown):
            return None
        payload = bytes.fromhex(found["hex"])
        if len(payload) > _MOST:
            return None
        if ":" not in found["mark"] and _WORDS.fullmatch(found["hex"]) and not found["text"]:
            self._next = {int(offset, 16) + len(payload)}
            return _SWAPPED
        joins = self._next is not None and int(offset, 16) in self._next and int(offset, 16) > 0
        start = int(offset, 16)
        self._next = {start + len(payload)}
        if offset.isdigit():
            self._next.add(int(str(int(offset) + len(payload)), 16))
            if not set(offset) & {"8", "9"}:
                self._next.add(int(f"{int(offset, 8) + len(payload):o}", 16))
        doubtful = "" if joins or ":" in found["mark"] else doubt(found["hex"], marked=len(offset) > 4)
        time = head.when(self._clock) if head else self._clock.time("")
        return Row(payload, PacketDirection.UNKNOWN, "hex", time, joins=joins, doubt=doubtful, shape="dump")


def _row(line: str, at: int) -> tuple[re.Match[str] | None, bool]:
    """Return a row without its column of text, and whether it has one that shows its bytes."""
    found = _ROW.fullmatch(line, at)
    if found is None:
        return None, False
    end = bytes_end(line, found.start("hex"))
    return _ROW.fullmatch(line, at, end) or found, end < len(line)
