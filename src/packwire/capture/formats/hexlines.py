"""Any text with bytes in hex, one message a line.

A line may begin with a time and have marks of direction (TX, RX, ->, <-, >, <, write, notify, ...) before the
bytes; what leads to the device is SENT.
"""

import re

from packwire.capture.packets import PacketDirection
from packwire.capture.text.clock import EPOCH, STAMP, Clock
from packwire.capture.text.grammar import Row, Unread
from packwire.capture.text.tokens import TOKENS, hex_bytes, way_of

NAME = "hex lines"
EXAMPLES = ("12:00:01.5 RX dd 03 00 1b", "TX dda50300fffd77", "dd 03 00 1b")

_LINE = re.compile(
    rf"\s*(?:[\[(]?(?P<time>{STAMP}|{EPOCH})[\])]?[\s,;:]+)?"
    r"(?:(?P<words>(?i:tx|rx|write|notify|sent|received))[\s:=]+|(?P<mark>[<>=-]{1,3})\s*)?"
    rf"(?P<hex>{TOKENS})[\s,;\"']*"
)
_SENT_WORDS = re.compile(r"\b(?:tx|sent|send|sending|write)\b|->|>", re.IGNORECASE)
_RECEIVED_WORDS = re.compile(r"\b(?:rx|received?|notify)\b|<-|<", re.IGNORECASE)


class Grammar:
    """Takes lines that hold bytes and nothing else but a time and a direction."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def take(self, line: str) -> Row | Unread | None:
        """Return the bytes that a line holds; None for lines of another form."""
        found = _LINE.fullmatch(line)
        payload = hex_bytes(found["hex"]) if found else None
        if found is None or not payload:
            return None
        return Row(
            payload, _way(found["words"] or found["mark"] or ""), "hex", self._clock.time(found["time"])
        )


def _way(words: str) -> PacketDirection:
    return way_of(words, _SENT_WORDS, _RECEIVED_WORDS)
