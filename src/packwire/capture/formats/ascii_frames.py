r"""Frames of text as they stand on a line: `TX: ~20014642E00201FD35` of Pylontech, PACE and Seplos.

A line is one where the frame's own check digit and checksum are right; the carriage return that ends it on
the wire, which a text shows as the end of the line, is added again.
"""

import re

from packwire.capture.packets import PacketDirection
from packwire.capture.text.clock import Clock
from packwire.capture.text.grammar import Row, Unread
from packwire.capture.text.prefix import prefix
from packwire.capture.text.said import is_frame, label, rest_is_remark

NAME = "frames of text"
EXAMPLES = ("12:00:01.250 TX ~20014642E00201FD35", r"RX: '~20014642E00201FD35\r'")

#: The shortest has 18 characters, of which the first is no digit.
_FRAME = re.compile(
    r"(?P<quote>['\"]?)(?P<text>~[0-9A-Fa-f]{17,4096})(?:\\r|\\x0[dD]|<CR>|\[CR\])?(?P=quote)"
)
_WRONG = Unread("frames of text that are cut, or whose checksum is wrong", damaged=True)


class Grammar:
    """Takes lines with a frame behind nothing but a time and words that lead to bytes."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def take(self, line: str) -> Row | Unread | None:
        """Return the frame of a line; None for lines of another form."""
        if "~" not in line:
            return None
        head = prefix(line)
        words = label(line, head.at)
        found = _FRAME.match(line, words.end if words else head.at)
        if found is None or not rest_is_remark(line, found.end()):
            return None
        payload = framed(found["text"])
        if payload is None:
            return _WRONG
        way = words.direction if words else PacketDirection.UNKNOWN
        if words and words.arrow and head.monitor:
            way = PacketDirection.UNKNOWN
        return Row(payload, way, "uart", head.when(self._clock))


def framed(text: str) -> bytes | None:
    """Return the bytes of a frame of text with the carriage return that ends it; None where it is none."""
    payload = text.encode("ascii", "replace") + b"\r"
    return payload if is_frame(payload) else None
