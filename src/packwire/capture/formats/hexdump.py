"""Dumps in hex with offsets: hexdump -C, xxd, od -t x1, Wireshark's, and those of ESP-IDF.

Offsets that go on where the row before ended make one message; offset 0, or one that does not go on, begins
another.
"""

import re

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
#: How Wireshark begins a packet that it prints: the dump below has the headers too.
_PRINTED = re.compile(r"Frame \d+: \d+ bytes on wire|\s*No\.\s+Time\s+Source\s")
_WHOLE_PACKETS = Unread("rows of whole packets, headers and all, as Wireshark prints them")
ADVICE = "save it as pcapng, or export the packets as JSON"
_STARRED = Unread("places where a dump leaves out rows (*), how many cannot be told", damaged=True)
#: Offsets of eight digits are hexadecimal (od's have seven); how many bytes may be left out, a row may have.
_HEX_OFFSET, _MOST_AGAIN, _MOST = 8, 1 << 16, 32
#: What a first row has, or a ruler, no further behind than this.
_SIGNS, _FAR = ("0000", "0x", "00 01 02"), 80


class Grammar:
    """Takes the rows of dumps; the first must be one of offset 0."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._next: set[int] | None = None
        """Which numbers may be the next offset: those that hexadecimal, decimal and octal offsets give."""
        self._last, self._offset, self._starred = b"", "", False
        self._printed = False

    def take(self, line: str) -> Row | Unread | None:
        """Return the bytes of a row; None for lines of another form."""
        if _PRINTED.match(line):
            self._printed = True
            return NO_BYTES
        if self._printed and _ROW.fullmatch(line):
            return _WHOLE_PACKETS
        if self._next is None and not any(sign in line[:_FAR] for sign in _SIGNS):
            return None
        head = prefix(line) if not line[:1].isspace() and not line[:4].isalnum() else None
        at = head.at if head else 0
        found, shown = _row(line, at)
        if found is None:
            return self._other(line, at)
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
        again = self._repeated(offset)
        if isinstance(again, Unread):
            self._next = None
            return again
        joins = self._next is not None and (bool(again) or int(offset, 16) in self._next)
        self._expect(offset, payload)
        joins = joins and int(offset, 16) > 0
        doubtful = "" if joins or ":" in found["mark"] else doubt(found["hex"], marked=len(offset) > 4)
        time = head.when(self._clock) if head else self._clock.time("")
        return Row(again + payload, joins=joins, time=time, doubt=doubtful, shape="dump")

    def _other(self, line: str, at: int) -> Row | Unread | None:
        """Return what a line is that is no row: a ruler, a sign that rows are left out, the end."""
        if _RULER.fullmatch(line, max(0, at - 2)):
            return NO_BYTES
        if self._next is not None and line == "*":
            self._starred = True
            return NO_BYTES
        if self._next is not None and _END.fullmatch(line):
            again = self._repeated(line.strip())
            return Row(again, joins=True) if again and isinstance(again, bytes) else again or NO_BYTES
        self._next, self._starred = None, False
        return None

    def _expect(self, offset: str, payload: bytes) -> None:
        """Take in a row: which offsets may be the next."""
        self._last, self._offset = payload, offset
        self._next = {int(offset, 16) + len(payload)}
        if offset.isdigit():
            self._next.add(int(str(int(offset) + len(payload)), 16))
            if not set(offset) & {"8", "9"}:
                self._next.add(int(f"{int(offset, 8) + len(payload):o}", 16))

    def _repeated(self, offset: str) -> bytes | Unread:
        """Return the rows that `*` stands for, up to an offset; none where there is no such sign."""
        if not self._starred:
            return b""
        self._starred, size = False, len(self._last)
        bases = (16,) if len(self._offset) == len(offset) == _HEX_OFFSET else (8, 10, 16)
        left = {_between(self._offset, offset, base) - size for base in bases}
        fits = [each for each in left if 0 < each <= _MOST_AGAIN and each % size == 0]
        return self._last * (fits[0] // size) if len(fits) == 1 else _STARRED


def _between(before: str, after: str, base: int) -> int:
    """Return how far two offsets lie apart; 0 where they are none of this base."""
    try:
        return int(after, base) - int(before, base)
    except ValueError:
        return 0


def _row(line: str, at: int) -> tuple[re.Match[str] | None, bool]:
    """Return a row without its column of text, and whether it has one that shows its bytes."""
    found = _ROW.fullmatch(line, at)
    if found is None:
        return None, False
    end = bytes_end(line, found.start("hex"))
    return _ROW.fullmatch(line, at, end) or found, end < len(line)
