"""Lines that belong to the line before: bytes that go on, and bytes below words that say whose they are."""

import re

from packwire.capture.packets import NO_TIME, PacketDirection
from packwire.capture.text.clock import Clock
from packwire.capture.text.grammar import Row, Unread
from packwire.capture.text.prefix import prefix
from packwire.capture.text.said import label

#: Nothing but bytes in hex.
_BARE = re.compile(
    r"[ \t]*(?:0[xX])?[0-9A-Fa-f]{2}(?:[ \t,:-]{0,3}(?:0[xX])?[0-9A-Fa-f]{2})*[ \t]*,?(?:[ \t]*[\]})];?)?"
)
#: How many bytes a program prints on a line before it goes on below, indented. Messages are seldom so long.
_FULL = frozenset((16, 24, 32))
#: What stands around words above bytes: a port's name, signs.
_AROUND = re.compile(r"[\s#*=:>\[\]-]+$|^[#*=\s]+|\s*\((?:COM\d{1,3}|/dev/\w{1,20})\)")
_LONGEST_WORDS = 80


class Continued:
    """What the line before says of the next one."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._line = 0
        """The number of the line before that says something, or 0."""
        self._comma = self._full = False
        self._direction = PacketDirection.UNKNOWN
        self._time = NO_TIME

    def settle(self, number: int, text: str, outcome: Row | Unread) -> Row | Unread:
        """Return what a line holds, with what the line before it says of it."""
        follows, self._line = self._line == number - 1 > 0, 0
        if not isinstance(outcome, Row):
            self._words(number, text)
            return outcome
        bare = outcome.direction is PacketDirection.UNKNOWN and outcome.time == NO_TIME
        plain = bare and _BARE.fullmatch(text) is not None
        goes_on = follows and plain and (self._comma or (self._full and text[:1].isspace()))
        if follows and bare and not goes_on and not outcome.joins and self._direction:
            outcome = outcome._replace(direction=self._direction, time=self._time)
        self._direction, self._time = PacketDirection.UNKNOWN, NO_TIME
        self._comma = text.endswith(",") and (plain or not bare)
        self._full = len(outcome.payload) in _FULL and (not bare or goes_on)
        if self._comma or self._full:
            self._line = number
        return outcome._replace(joins=True) if goes_on else outcome

    def _words(self, number: int, text: str) -> None:
        """Take in a line without bytes, which may say the direction of those below it."""
        if len(text) > _LONGEST_WORDS:
            return
        head = prefix(text)
        rest = _AROUND.sub("", _AROUND.sub("", text[head.at :]))
        words = label(f"{rest}:", 0) if rest and not head.loud else None
        self._comma = self._full = False
        if words and words.end == len(rest) + 1 and words.direction is not PacketDirection.UNKNOWN:
            self._line, self._direction, self._time = number, words.direction, head.when(self._clock)
