"""The times of a log's lines: zones, days, and clocks that jump."""

import re
from collections.abc import Iterator

from packwire.capture.packets import NO_TIME
from packwire.capture.text.clock import STAMP, Clock
from packwire.phrases import duration

#: A time, and no Bluetooth address that has only digits.
_STAMP = re.compile(
    r"[\s\[(`]*(?:[A-Z][a-z]{2} [ \d]\d |\w{1,12}[\s:|-]+)?[\[(]?"
    rf"(?!\d\d(?::[0-9A-Fa-f]{{2}}){{5}})({STAMP})"
)
#: What daemontools' logger writes: seconds since 1970 by TAI, and ns [libtai, TAI64N labels].
_TAI = re.compile(r"@4000000([0-9a-f]{9})([0-9a-f]{8}) ")
_TAI_OFFSET = 10
_ZONE = re.compile(r":\d\d(?:[.,]\d{1,9})?(Z|[+-]\d\d:?\d\d)$")
#: Lines of several threads may be out of order by this much.
_JUMP = 60_000_000_000
_QUARTER = 900_000_000_000
_HOUR = 3_600_000_000_000
_MAX_NOTES = 5


def has_time(line: str) -> bool:
    """Tell whether a line begins with a time of its own."""
    return _STAMP.match(line, 0, 64) is not None or _TAI.match(line) is not None


class Clocks:
    """Reads each line's time; sees where it goes back."""

    def __init__(self) -> None:
        self.first = self.last = NO_TIME
        self._clock = Clock()
        self._writer = ""
        self._shift = 0
        self._order = 0
        self._zones: dict[str, int] = {}
        self._jumps: list[str] = []

    def time(self, line: str, number: int, writer: str) -> int:
        """Return a line's time in ns, NO_TIME where it has none."""
        found = _STAMP.match(line, 0, 64)
        if found:
            time = self._clock.time(found[1])
            if (zone := _ZONE.search(found[1])) is not None:
                self._zones.setdefault(zone[1], number)
        elif (label := _TAI.match(line)) is not None:
            time = (int(label[1], 16) - _TAI_OFFSET) * 1_000_000_000 + min(int(label[2], 16), 999_999_999)
        else:
            return NO_TIME
        if time == NO_TIME:
            return time
        if self.last != NO_TIME and time < self.last - _JUMP:
            self._jump(self.last - time, number, same=writer in {"", self._writer} or not self._writer)
        self._writer = writer or self._writer
        self.first = time if self.first == NO_TIME else min(self.first, time)
        self.last = time
        return time

    def _jump(self, back: int, number: int, *, same: bool) -> None:
        if same:  # a clock that was set: what follows is later all the same
            self._shift += back
        near = round(back / _QUARTER) * _QUARTER
        by_zone = near and abs(back - near) < _JUMP and near <= 26 * _HOUR // 2
        why = (
            "another zone, summer time, or a clock that was set"
            if by_zone
            else "a clock that was set, or another log"
        )
        if len(self._jumps) < _MAX_NOTES:
            self._jumps.append(f"times go back by {duration(back / 1e9)} at line {number}: {why}")

    def order(self, time: int) -> int:
        """Return what the time line is sorted by: a line without a time stays behind the one before."""
        if time != NO_TIME:
            self._order = time + self._shift
        return self._order

    def notes(self) -> tuple[str, ...]:
        """Return what is to be known of the times."""
        return tuple(self._notes())

    def _notes(self) -> Iterator[str]:
        if len(self._zones) > 1:
            zones = ", ".join(f"{zone} (line {line})" for zone, line in self._zones.items())
            yield f"times of several zones: {zones}"
        yield from self._jumps
        if self._clock.unknown:
            yield f'{self._clock.unknown} x times not understood, such as "{self._clock.first_unknown}"'
