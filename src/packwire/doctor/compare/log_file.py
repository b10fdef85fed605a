"""What a client's own log says about timeouts. Formats vary: a line counts if it has one of the words.

A time is taken from the line where there is one: a date with a time, a time of day, seconds since the epoch,
or seconds since the client began. What was understood is said, and how much was not.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from packwire.capture.packets import NO_TIME
from packwire.capture.text.clock import STAMP, Clock

#: Lines of a log that are looked at, and how much of each.
MAX_LINES = 1_000_000
MAX_LINE = 2000

_WORDS = re.compile(
    r"time[ -]?d?[ -]?out|no (?:reply|response|answer|data)|not answer|did ?n[o']?t (?:answer|reply|respond)"
    r"|gave up|giving up|deadline exceeded",
    re.IGNORECASE,
)
#: `timeout=2.0` and the like are settings, not events.
_SETTING = re.compile(r"time[_ -]?out(?:_?m?s)?\s*(?:=|:=|is|of|set)\s*['\"]?\d", re.IGNORECASE)
#: A time of day, with or without a date; seconds or milliseconds since 1970; seconds since some beginning.
_TIME = re.compile(
    rf"(?<![\d:])(?P<stamp>{STAMP})(?![\d:])|(?<![\d.])(?P<epoch>1\d{{9}}(?:\d{{3}}|\.\d{{1,9}})?)(?![\d.])"
    r"|^\W{0,3}\s*(?:t\s*=\s*)?(?P<seconds>\d{1,7}\.\d{1,9})\b"
)
_ORDER = ("stamp", "epoch", "seconds")
_DATED, _ZONED = re.compile(r"\d{4}"), re.compile(r"(?:Z|[+-]\d\d:?\d\d)$")


class TimeKind(NamedTuple):
    """How a time is to be understood: `date` (ns since the epoch), `day` (since midnight), `relative`.

    `zoned` says that a date's time zone is known.
    """

    name: str
    zoned: bool = False


class LogEvent(NamedTuple):
    """A line that speaks of a timeout: its number, text and time (None: it has none)."""

    line: int
    text: str
    time: int | None
    kind: TimeKind | None

    def named(self, names: Mapping[str, int]) -> int | None:
        """Return the number of the first of some names that is in the line."""
        return next((names[word] for word in re.findall(r"\w+", self.text) if word in names), None)


@dataclass(frozen=True, slots=True)
class ClientLog:
    """The lines that speak of timeouts, out of `lines`; `more` says that the rest was not looked at."""

    events: tuple[LogEvent, ...]
    lines: int
    more: bool = False

    @property
    def timed(self) -> int:
        """Return how many of the lines have a time."""
        return sum(1 for event in self.events if event.time is not None)


def read_log(lines: Iterable[str]) -> ClientLog:
    """Read a log, whatever its format."""
    events: list[LogEvent] = []
    count = 0
    for number, line in enumerate(lines, 1):
        if number > MAX_LINES:
            return ClientLog(tuple(events), count, more=True)
        count = number
        text = line[:MAX_LINE]
        if _WORDS.search(text) and not _SETTING.search(text):
            events.append(LogEvent(number, text.strip(), *_time(text)))
    return ClientLog(tuple(events), count)


def _time(text: str) -> tuple[int | None, TimeKind | None]:
    found = min(_TIME.finditer(text), key=lambda each: _ORDER.index(each.lastgroup), default=None)
    if found is None:
        return None, None
    stamp, epoch, seconds = found["stamp"], found["epoch"], found["seconds"]
    if epoch and "." not in epoch:
        epoch = f"{epoch[:10]}.{epoch[10:]}".rstrip(".")
    time = Clock().time(stamp or epoch or seconds)
    if time == NO_TIME:
        return None, None
    if stamp is None:
        return time, TimeKind("date", zoned=True) if epoch else TimeKind("relative")
    dated = _DATED.match(stamp) is not None
    return time, TimeKind("date", _ZONED.search(stamp) is not None) if dated else TimeKind("day")


#: Time zones are whole quarters of an hour.
_QUARTER = 900_000_000_000
_DAY = 96 * _QUARTER


def placed(log: ClientLog, begin: int, end: int, tolerance: int) -> Iterator[tuple[LogEvent, int]]:
    """Yield the events whose times lie within a session (ns since the epoch), with those times.

    A time without a zone is moved by whole quarters of an hour, one without a date by days too; one that only
    counts from some beginning is taken to count from the session's.
    """
    for event in log.events:
        if event.time is None or event.kind is None:
            continue
        time = event.time
        if event.kind.name == "relative":
            time += begin
        elif not event.kind.zoned:
            middle = (begin + end) // 2
            if event.kind.name == "day":
                time += (middle - time) // _DAY * _DAY
            time += round((middle - time) / _QUARTER) * _QUARTER if not begin <= time <= end else 0
        if begin - tolerance <= time <= end + tolerance:
            yield event, time
