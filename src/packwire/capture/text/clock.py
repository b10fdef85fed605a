"""Times as texts write them."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from packwire.capture.packets import NO_TIME

#: A time of day, with a date or without: the form of most logs.
STAMP = (
    r"(?:\d{4}[-/]\d\d[-/]\d\d[T ]\s?)?\d\d?:\d\d:\d\d(?:[.,:]\d{1,9})?"
    r"(?: ?[AaPp][Mm]\b)?(?:Z|[+-]\d\d:?\d\d)?"
)
#: Seconds since 1970.
EPOCH = r"\d{9,10}(?:\.\d{1,9})?"

_STAMP = re.compile(
    r"(?:(?P<date>\d{4}[-/]\d\d[-/]\d\d)[T ]\s?)?(?P<hours>\d\d?):(?P<minutes>\d\d):(?P<seconds>\d\d)"
    r"(?:[.,:](?P<fraction>\d{1,9}))?(?: ?(?P<half>[AaPp])[Mm])?(?P<zone>Z|[+-]\d\d:?\d\d)?"
)
#: A day before its month and year; with slashes, the month may come first: then the days are counted.
_DAY_FIRST = re.compile(r"(\d\d)\.(\d\d)\.(\d{4}),? ")
_EITHER_FIRST = re.compile(r"\d{1,2}/\d{1,2}/\d{2,4},? ")
_SECONDS = re.compile(r"(-?)(\d{1,10})(?:\.(\d{1,9})\d*)?")
_EPOCH = re.compile(EPOCH)
_DAY = 86_400_000_000_000
_YEAR_0 = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class Clock:
    """Reads time stamps, whose zone no log names: they are taken as UTC. Without a date, days are counted.

    The first day is `date` where the log says it elsewhere, otherwise 1970-01-01. What is not understood is
    counted: `unknown` times, the first of them is `first_unknown`. `since_before` says that each time counts
    from the message before.
    """

    date: int = 0
    unknown: int = 0
    first_unknown: str = ""
    since_before: bool = False
    _last: int = NO_TIME

    def start(self, date: str) -> None:
        """Take in the date of the lines that follow (`2026-01-31`)."""
        day = _days(date)
        if day is not None:
            self.date, self._last = day * _DAY, NO_TIME

    def time(self, text: str | None) -> int:
        """Return the ns since the epoch of a time of day, with or without a date, or of a count of seconds.

        NO_TIME where there is none (`text` is empty) or it is not understood, which is counted.
        """
        if not text:
            return NO_TIME
        if "." in text[1:3]:
            text = _DAY_FIRST.sub(r"\3-\2-\1 ", text)
        elif "/" in text[1:3]:
            text = _EITHER_FIRST.sub("", text)
        found = _STAMP.fullmatch(text)
        time = self._stamp(found) if found else seconds(text)
        return self.odd(text) if time == NO_TIME else time

    def odd(self, text: str) -> int:
        """Count a time that is not understood; return NO_TIME."""
        self.first_unknown = self.first_unknown or text
        self.unknown += 1
        return NO_TIME

    def _stamp(self, found: re.Match[str]) -> int:
        date, hours, minutes, second, fraction, half, zone = found.groups()
        hour = int(hours)
        if half:
            hour = hour % 12 + (12 if half in "Pp" else 0)
        if hour > 24 or minutes > "59" or second > "60":
            return NO_TIME
        time = ((hour * 60 + int(minutes)) * 60 + int(second)) * 1_000_000_000
        if fraction:
            time += int(fraction.ljust(9, "0"))
        if date:
            day = _days(date)
            return NO_TIME if day is None else day * _DAY + time - _zone(zone)
        time += self.date
        if self._last != NO_TIME and time < self._last - _DAY // 2:
            self.date += _DAY
            time += _DAY
        self._last = time
        return time


def seconds(text: str) -> int:
    """Return the ns of a count of seconds, such as `0.000100` or `1700000000.25`, or NO_TIME."""
    found = _SECONDS.fullmatch(text)
    if not found:
        return NO_TIME
    time = int(found[2]) * 1_000_000_000 + int((found[3] or "").ljust(9, "0"))
    return -time if found[1] else time


def _days(date: str) -> int | None:
    try:
        return (datetime.fromisoformat(date.replace("/", "-")).replace(tzinfo=UTC) - _YEAR_0).days
    except ValueError:
        return None


def _zone(zone: str | None) -> int:
    if not zone or zone == "Z":
        return 0
    digits = zone[1:].replace(":", "")
    shift = timedelta(hours=int(digits[:2]), minutes=int(digits[2:])) // timedelta(microseconds=1) * 1000
    return shift if zone[0] == "+" else -shift
