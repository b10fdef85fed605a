"""Lines that belong to the line before: bytes that go on, and bytes below words that say whose they are."""

import re

from packwire.capture.packets import NO_TIME, PacketDirection
from packwire.capture.text.clock import Clock
from packwire.capture.text.grammar import Row, Unread
from packwire.capture.text.prefix import prefix
from packwire.capture.text.said import is_frame, label

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
    """What the line before says of the next one; it is looked at where the next one needs it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._line = 0
        """The number of the line before."""
        self._text = ""
        self._row: Row | None = None
        """What it holds, if that may go on."""

    def settle(self, number: int, text: str, outcome: Row | Unread) -> Row | Unread:
        """Return what a line holds, with what the line before it says of it."""
        if not isinstance(outcome, Row):
            self._line, self._text, self._row = number, text, None
            return outcome
        bare = outcome.direction is PacketDirection.UNKNOWN and outcome.time == NO_TIME
        known = not bare
        if bare and self._line == number - 1 > 0 and not outcome.joins:
            if self._row is None:
                outcome = self._below_words(outcome)
            elif _BARE.fullmatch(text) and self._goes_on(self._row, text, outcome):
                outcome, known = outcome._replace(joins=True), True
        goes_on = text.endswith(",") or (known and len(outcome.payload) in _FULL)
        self._line, self._text, self._row = number if goes_on else 0, text, outcome
        return outcome

    def _goes_on(self, before: Row, text: str, row: Row) -> bool:
        """Tell whether bytes belong to those of the line before, of the same form, and are no frame."""
        if self._text.endswith(","):
            return ("0x" in text.lower()) == ("0x" in self._text.lower())
        return len(before.payload) in _FULL and text[:1].isspace() and not is_frame(row.payload)

    def _below_words(self, row: Row) -> Row:
        """Return bytes with the direction and the time that the words above them say."""
        if len(self._text) > _LONGEST_WORDS:
            return row
        head = prefix(self._text)
        rest = _AROUND.sub("", _AROUND.sub("", self._text[head.at :]))
        words = label(f"{rest}:", 0) if rest and not head.loud else None
        if words is None or words.end != len(rest) + 1 or words.direction is PacketDirection.UNKNOWN:
            return row
        return row._replace(direction=words.direction, time=head.when(self._clock))
