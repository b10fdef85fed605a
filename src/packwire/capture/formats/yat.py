"""Bytes that end with `h`, as YAT and assemblers write them: `(12:00:01.250) (<<) DDh A5h 03h (7)`.

Which way YAT's arrows point is not taken for granted: words (TX, RX) say it, or nothing does.
"""

import re

from packwire.capture.text.clock import STAMP, Clock
from packwire.capture.text.doubt import NUMBERS
from packwire.capture.text.grammar import Row, Unread
from packwire.capture.text.said import SHORT, channel, label

NAME = "bytes with h behind them"
EXAMPLES = ("(12:00:01.250) (<<) DDh A5h 03h 00h FFh FDh 77h (7)", "RX: 0DDh, 003h, 000h")

_HEAD = re.compile(rf"\s*(?:[\[(](?P<time>{STAMP})[\])] ?)?(?:\([\w. /-]{{1,24}}\) ?)?(?:\((?:<<|>>)\) ?)?")
_BYTES = re.compile(
    r"(?P<bytes>0?[0-9A-Fa-f]{2}[hH](?:[ ,]{1,2}0?[0-9A-Fa-f]{2}[hH])+)(?: ?\((?P<count>\d{1,5})\))?\s*"
)
_TOKEN = re.compile(r"([0-9A-Fa-f]{2})[hH]")
_FEWEST, _LAST_PADDED = 3, 0x09


class Grammar:
    """Takes lines of such bytes."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def take(self, line: str) -> Row | Unread | None:
        """Return the bytes of a line; None for lines of another form."""
        if "h " not in line and "h," not in line and "H " not in line and "H," not in line:
            return None
        head = _HEAD.match(line)
        at = head.end() if head else 0
        words = label(line, at)
        found = _BYTES.fullmatch(line, words.end) if words else None
        if head is None or words is None or found is None:
            return None
        payload = bytes.fromhex("".join(_TOKEN.findall(found["bytes"])))
        if found["count"] and int(found["count"]) != len(payload):
            return SHORT
        if len(payload) < _FEWEST:
            return None
        # Hours are written so too: `24h, 48h, 72h`.
        hours = list(payload) == sorted(payload) or min(payload) > _LAST_PADDED
        why = NUMBERS if payload.hex().isdigit() and (hours or not words.direct) else ""
        way = words.direction
        time = self._clock.time(head["time"])
        return Row(payload, way, channel(words.name, way), time, doubt=why, shape="h")
