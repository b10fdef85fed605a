"""Any text with bytes in hex, one message a line, or with bytes literals of Python.

Before the bytes may stand a time, a level and a logger, a direction (TX, ->, <-, write, notify, ...)
and words such as `data` or `from handle 0x000e`; behind them how many there are, and a remark.
"""

import re

from packwire.capture.packets import PacketDirection
from packwire.capture.text.clock import Clock
from packwire.capture.text.grammar import ARROW, Row, Unread
from packwire.capture.text.prefix import prefix
from packwire.capture.text.said import Said, channel, said

NAME = "hex lines"
EXAMPLES = (
    "12:00:01.5 RX dd 03 00 1b",
    "TX dda50300fffd77",
    "DD A5 03 00 FF FD 77  # asks for the state",
    r"2026-01-02 12:00:01,250 DEBUG link: sending command b'\xdd\xa5\x03'",
)

#: Marks of Markdown: of a list, a table, bold text and code.
_ITEM = re.compile(r"[ \t]*(?:[-*+•] |\d{1,3}[.)] )")
#: Between the cells of a table, where a direction follows: bytes in cells of their own are no message.
_CELL = re.compile(r" {1,16}\| {1,16}(?=(?:[tr]x|sent|received|write|notify|read)\b)", re.IGNORECASE)
_MARKS = "-*+•`|123456789"
#: A number of three digits before eight bytes at most is an identifier on a CAN bus sooner than a time.
_IDENTIFIER, _MOST_ON_CAN = re.compile(r"\s*[0-7]\d\d[:\s]"), 8
_CAN = Unread("lines that may be CAN frames without a form that is known (write ID#DATA, as candump does)")
#: Fewer bytes in such a line may as well be numbers.
_FEWEST = 3


def _plain(line: str) -> str:
    """Return a line without marks of Markdown, or nothing where there are none."""
    begin = line.lstrip()
    if not begin or begin[0] not in _MARKS:
        return ""
    item = _ITEM.match(line)
    plain = line[item.end() :] if item else begin
    plain = _CELL.sub(" ", plain.strip("| ").replace("**", "").replace("`", ""))
    return plain if plain != line else ""


class Grammar:
    """Takes lines that hold bytes and nothing else but what may stand beside them."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def take(self, line: str) -> Row | Unread | None:
        """Return the bytes that a line holds; None for lines of another form."""
        head = prefix(line)
        found = said(line, head.at, loud=head.loud)
        if found is None and (plain := _plain(line)):
            head = prefix(plain)
            found = said(plain, head.at, loud=head.loud)
            if not isinstance(found, Said) or found.doubt or len(found.payload) < _FEWEST:
                return None
        if not isinstance(found, Said):
            return found
        direction = found.direction
        if head.number and _IDENTIFIER.match(line) and len(found.payload) <= _MOST_ON_CAN:
            return _CAN
        behind_arrow = head.monitor and direction is PacketDirection.UNKNOWN and not found.doubt
        return Row(
            found.payload,
            direction,
            channel(found.name, direction),
            head.when(self._clock),
            device=found.device,
            doubt=found.doubt,
            shape=ARROW if behind_arrow else found.shape,
        )
