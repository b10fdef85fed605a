"""Vector's ASC logs (CANalyzer, CANoe, and many others): `0.015991 1 64 Rx d 8 00 11 ..`, CAN FD too.

The header says in which base numbers are, whether times count from the start or from the event before, and
the date; months and days of the week are in English or German.
"""

import re
from datetime import UTC, datetime

from packwire.capture.packets import NO_TIME
from packwire.capture.text.can import (
    BUS_STATE,
    FD_FORMAT,
    FD_PASSIVE,
    FD_SIZES,
    FD_SWITCHED,
    WRONG_SIZE,
    can_frame,
    can_row,
    error_frame,
    scaled,
    way_of_letter,
)
from packwire.capture.text.clock import Clock
from packwire.capture.text.grammar import BEGINS, NO_BYTES, Row, Unread

NAME = "Vector ASC log"
EXAMPLES = (
    "date Sat Sep 30 15:06:13.191 2017\nbase hex  timestamps absolute\n   0.015991 1  64  Rx   d 3 00 11 22",
    "base hex  timestamps absolute\n 0.3 CANFD   1 Rx   124   1 0 4  4 AA BB CC DD   130000  130     3000",
)

_SECOND = 1_000_000_000
_BASE = re.compile(r"base\s+(?P<base>hex|dec)\s+timestamps\s+(?P<times>absolute|relative)\s*", re.IGNORECASE)
_DATE = re.compile(
    r"(?:date|Begin Trigger[Bb]lock)\s+\S{2,3}\s+(?P<month>[A-Za-zä]{3,4})\s+(?P<day>\d{1,2})\s+"
    r"(?P<hour>\d{1,2}):(?P<minute>\d\d):(?P<second>\d\d)(?:\.(?P<fraction>\d{1,9}))?\s+"
    r"(?:(?P<half>[ap])m\s+)?(?P<year>\d{4})\s*",
    re.IGNORECASE,
)
_MONTHS = {
    "jan": 1, "feb": 2, "mar": 3, "mär": 3, "mrz": 3, "apr": 4, "may": 5, "mai": 5, "jun": 6, "jul": 7,
    "aug": 8, "sep": 9, "oct": 10, "okt": 10, "nov": 11, "dec": 12, "dez": 12,
}  # fmt: skip
_EVENT = re.compile(r"\s*(?P<time>\d{1,10}\.\d{1,9})\s+(?P<rest>\S.*)")
_CLASSIC = re.compile(
    r"(?P<bus>\d{1,3})\s+(?P<id>[0-9A-Fa-f]{1,10})(?P<wide>x?)\s+(?P<way>Rx|Tx|TxRq)\s+"
    r"(?:(?P<remote>r)\b.*|d\s+(?P<code>[0-9A-Fa-f])\b(?P<data>.*))"
)
_FD = re.compile(
    r"CANFD\s+(?P<bus>\d{1,3})\s+(?P<way>Rx|Tx|TxRq)\s+(?P<id>[0-9A-Fa-f]{1,10})(?P<wide>x?)\s+(?:\S+\s+)??"
    r"(?P<switched>[01])\s+(?P<passive>[01])\s+[0-9A-Fa-f]\s+(?P<size>\d{1,2})(?P<data>(?:\s+[0-9A-Fa-f]+)*)\s*"
)
_ERROR = re.compile(r"(?:CANFD\s+)?(?P<bus>\d{1,3})\s+(?:(?:Rx|Tx)\s+)?ErrorFrame\b.*")
_NO_FRAME = re.compile(r"//.*|(?:no )?internal events logged.*|(?:Begin|End) Trigger[Bb]lock.*|date\s.*")
_SYMBOLIC = Unread("lines of an ASC log that hold no CAN frame with a numeric identifier")


class Grammar:
    """Takes a header and the lines below it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._base = 0
        self._since_before = False
        self._start = self._now = 0

    def take(self, line: str) -> Row | Unread | None:
        """Return the frame of a line; None for lines of another form."""
        if found := _BASE.fullmatch(line):
            self._base = 16 if found["base"].lower() == "hex" else 10
            self._since_before = found["times"].lower() == "relative"
            self._now = 0
            return BEGINS
        if found := _DATE.fullmatch(line):
            return self._dated(found)
        if not self._base:
            return None
        event = _EVENT.fullmatch(line)
        if event is None:
            return NO_BYTES if _NO_FRAME.fullmatch(line) else None
        time = self._time(event["time"])
        rest = event["rest"]
        if found := _CLASSIC.fullmatch(rest):
            return self._classic(found, time)
        if found := _FD.fullmatch(rest):
            return self._fd(found, time)
        if found := _ERROR.fullmatch(rest):
            return can_row(error_frame(), way_of_letter(""), f"can{found['bus']}", time)
        return BUS_STATE if re.match(r"(?:CAN )?\d*\s*(?:Stat|Start|Overload|Log)", rest) else _SYMBOLIC

    def _dated(self, found: re.Match[str]) -> Unread:
        month = _MONTHS.get(found["month"].lower(), 0)
        hour = int(found["hour"])
        if found["half"]:
            hour = hour % 12 + (12 if found["half"].lower() == "p" else 0)
        minute, second = int(found["minute"]), int(found["second"])
        try:
            date = datetime(int(found["year"]), month, int(found["day"]), hour, minute, second, tzinfo=UTC)
        except ValueError:
            self._clock.odd(found[0])
            return NO_BYTES
        self._start = int(date.timestamp()) * _SECOND + int((found["fraction"] or "").ljust(9, "0"))
        return NO_BYTES

    def _time(self, text: str) -> int:
        time = scaled(text, _SECOND)
        if time == NO_TIME:
            return NO_TIME
        self._now = self._now + time if self._since_before else time
        return self._start + self._now

    def _identifier(self, digits: str) -> int:
        """Return the identifier, or one that there is not where its digits are of another base."""
        return int(digits, self._base) if self._base == 16 or digits.isdigit() else 1 << 32

    def _bytes(self, text: str, size: int) -> bytes | None:
        """Return the bytes of a line; behind them come the length in ns, in bits, and the identifier."""
        tokens = text.split(maxsplit=size + 1)[:size]
        wide = 2 if self._base == 16 else 3
        if len(tokens) < size or not all(len(each) <= wide for each in tokens):
            return None
        try:
            return bytes(int(each, self._base) for each in tokens)
        except ValueError:
            return None

    def _classic(self, found: re.Match[str], time: int) -> Row | Unread:
        remote = bool(found["remote"])
        size = 0 if remote else FD_SIZES[min(int(found["code"], 16), 8)]
        data = b"" if remote else self._bytes(found["data"], size)
        if data is None:
            return WRONG_SIZE
        frame = can_frame(self._identifier(found["id"]), data, extended=bool(found["wide"]), remote=remote)
        return can_row(frame, way_of_letter(found["way"]), f"can{found['bus']}", time)

    def _fd(self, found: re.Match[str], time: int) -> Row | Unread:
        data = self._bytes(found["data"], int(found["size"]))
        if data is None:
            return WRONG_SIZE
        fd = FD_FORMAT | FD_SWITCHED * int(found["switched"]) | FD_PASSIVE * int(found["passive"])
        frame = can_frame(self._identifier(found["id"]), data, extended=bool(found["wide"]), fd=fd)
        return can_row(frame, way_of_letter(found["way"]), f"can{found['bus']}", time)
