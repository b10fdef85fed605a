"""Arrays of bytes as browsers, Node.js and Python print them: `Uint8Array(4) [221, 3, 0, 27]`.

How many there are stands before the numbers, or the type of each: `array('B', [221, 3])`.
"""

import re

from packwire.capture.text.clock import Clock
from packwire.capture.text.grammar import Row, Unread
from packwire.capture.text.prefix import prefix
from packwire.capture.text.said import SHORT, channel, label, rest_is_remark

NAME = "arrays of bytes"
EXAMPLES = ("12:00:01.250 received: Uint8Array(4) [221, 3, 0, 27]", "RX array('B', [221, 3, 0, 27])")

_NUMBERS = r"(?P<numbers>-?\d{1,3}(?:, ?-?\d{1,3})*),?"
_ARRAY = re.compile(
    r"(?:(?:Uint8Array|Int8Array|Uint8ClampedArray)\((?P<count>\d{1,5})\) ?\[ ?"
    rf"{_NUMBERS} ?(?P<cut>…|\.\.\.[^\]]*)?\]"
    rf"|array\('[bB]', \[{_NUMBERS.replace('numbers', 'listed')}\]\))"
)
_HIGH = Unread("arrays of bytes with numbers that no byte has", damaged=True)


class Grammar:
    """Takes lines with such an array behind nothing but words that lead to bytes."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def take(self, line: str) -> Row | Unread | None:
        """Return the bytes of a line; None for lines of another form."""
        if "Array(" not in line and "array('" not in line:
            return None
        head = prefix(line)
        words = label(line, head.at)
        found = _ARRAY.match(line, words.end) if words else None
        if words is None or found is None or not rest_is_remark(line, found.end()):
            return None
        numbers = [int(each) for each in (found["numbers"] or found["listed"]).split(",")]
        if found["cut"] or (found["count"] and int(found["count"]) != len(numbers)):
            return SHORT
        if not all(-0x80 <= each <= 0xFF for each in numbers):
            return _HIGH
        payload = bytes(each & 0xFF for each in numbers)
        way = words.direction
        return Row(payload, way, channel(words.name, way), head.when(self._clock), device=words.device)
