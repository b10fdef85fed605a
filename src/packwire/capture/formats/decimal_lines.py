"""Lines of numbers from 0 to 255, one message a line, for who says that they are bytes (`--bytes decimal`).

Negative numbers down to -128 are bytes as Java prints them. Times, directions and words may stand before them
as in hex lines.
"""

import re
from collections.abc import Callable

from packwire.capture.packets import PacketDirection
from packwire.capture.text.clock import Clock
from packwire.capture.text.grammar import Row, Unread
from packwire.capture.text.prefix import prefix
from packwire.capture.text.said import channel, label, rest_is_remark

NAME = "decimal lines"
EXAMPLES = ("12:00:01.5 RX 221 3 0 27", "[221, 165, 3, 0, 255, 253, 119]")

_NUMBERS = re.compile(
    r"[\[({<\"']?\s?(?P<numbers>-?\d{1,3}(?:(?P<between>[ \t]{1,4}|[ \t]?[,;][ \t]{0,3})-?\d{1,3}"
    r"(?:(?P=between)-?\d{1,3})*)?)[,;]?\s?[\])}>\"']?"
)
_NUMBER_GOES_ON = frozenset(":.%/-")
_NUMBER = re.compile(r"-?\d+")
_HIGH = Unread("lines with numbers above 255")


class Grammar:
    """Takes lines that hold numbers and nothing else but what may stand beside bytes."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def take(self, line: str) -> Row | Unread | None:
        """Return the bytes that a line holds; None for lines of another form."""
        return take(line, self._clock, decimal)


def decimal(line: str, at: int) -> tuple[bytes | Unread, int] | None:
    """Return the bytes that stand as decimal numbers at a place, and where they end."""
    found = _NUMBERS.match(line, at)
    if found is None or found["between"] is None or line[found.end() : found.end() + 1] in _NUMBER_GOES_ON:
        return None
    numbers = [int(each) for each in _NUMBER.findall(found["numbers"])]
    if max(numbers) > 0xFF or min(numbers) < -0x80:
        return _HIGH, found.end()
    return bytes(number & 0xFF for number in numbers), found.end()


def take(
    line: str, clock: Clock, numbers: Callable[[str, int], tuple[bytes | Unread, int] | None]
) -> Row | Unread | None:
    """Return what stands behind time and words, as `numbers` reads it."""
    head = prefix(line)
    words = label(line, head.at)
    found = numbers(line, words.end) if words else None
    if words is None or found is None or not rest_is_remark(line, found[1]):
        return None
    payload, _ = found
    if isinstance(payload, Unread):
        return payload
    direction = PacketDirection.UNKNOWN if words.arrow and head.monitor else words.direction
    return Row(payload, direction, channel(words.name, direction), head.when(clock), device=words.device)
