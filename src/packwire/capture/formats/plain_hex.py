"""Lines of nothing but bytes in hex, or of a time and TX or RX before them: the commonest form."""

import re

from packwire.capture.packets import PacketDirection
from packwire.capture.text.clock import Clock
from packwire.capture.text.doubt import doubt
from packwire.capture.text.grammar import Row

NAME = "hex lines"
EXAMPLES = ("dd a5 03 00 ff fd 77", "12:00:01.250 RX dd 03 00 1b")

_PAIR = "[0-9A-Fa-f]{2}"
_PLAIN = re.compile(rf"\s*({_PAIR}(?:(?: {{1,3}}{_PAIR})+|(?::{_PAIR})+|(?:{_PAIR})+)?)\s*")
_TIMED = re.compile(r"(?:(\d\d:\d\d:\d\d(?:\.\d{1,9})?) )?(TX|RX):? ([0-9A-Fa-f]{2}(?: [0-9A-Fa-f]{2}){2,})")
_WAYS = {"TX": PacketDirection.SENT, "RX": PacketDirection.RECEIVED}


class Grammar:
    """Takes such lines."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def take(self, line: str) -> Row | None:
        """Return the bytes that a line holds; None for lines of another form."""
        if timed := _TIMED.fullmatch(line):
            time, way, text = timed.groups()
            why = doubt(text, marked=True, direct=True)
            return Row(
                bytes.fromhex(text), _WAYS[way], "hex", self._clock.time(time), doubt=why, shape=f"\n{way} "
            )
        plain = _PLAIN.fullmatch(line)
        if plain is None:
            return None
        text = plain[1]
        separator = "" if text[2:3].isalnum() else text[2:3]
        return Row(
            bytes.fromhex(text.replace(":", "")), doubt=doubt(text, marked=False), shape="\n" + separator
        )
