"""Where in messages a value lies that somebody saw on a display.

Each way to read bytes is tried at each place, and kept where all that was noted of a value fits the frames
around its time. How likely an accident is takes two things together: that a number which has nothing to do
with the value has it once (numbers of all sizes are alike common, as Benford found), and that it then has
each further value at the right time (found by moving the times along the recording). All that was tried is
counted, what is usual more lightly; and fields that `fields` found count for more than bytes across borders.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from math import log
from typing import Final

import numpy as np
from numpy.typing import NDArray

from packwire.capture.packets import NO_TIME
from packwire.insight.cell_rows import find_cells
from packwire.insight.fields import FoundField, Frames
from packwire.insight.matches import FIELDS_SHARE, ORDER_SHARE, Match, Noted, is_little
from packwire.insight.observations import SECONDS, Measured, Observation, Way
from packwire.insight.readings import Floats, RawReading, raw_numbers, readings, written
from packwire.messages import Int64s
from packwire.wire.fields import Field, Type

type Flags = NDArray[np.bool_]
#: From, and up to.
type Range = tuple[float, float]

#: A note is taken for true where one of so many frames around its time has the value, or within SECONDS.
FRAMES = 2
#: What comes less often than this, in ns, is no stream of values.
_SLOW = 2e9
#: Chances are less than what makes them up: with this, of 600 values of nothing, noted once to five times,
#: 1 to 6 are found with a chance below 1 in 20, where 30 might be.
_CAUTION = 0.25
#: So many matches of a value are kept at most.
_MOST = 200
#: Of very many frames so many are looked at.
_FRAMES = 20_000
#: What packs have, of things that need not be near what was noted; nearly all frames read such.
_POSSIBLE: Final[dict[Measured, Range]] = {
    Measured.VOLTAGE: (-1, 2000),
    Measured.CURRENT: (-3000, 3000),
    Measured.POWER: (-2e6, 2e6),
    Measured.PERCENT: (-1, 110),
    Measured.TEMPERATURE: (-60, 200),
    Measured.CHARGE: (-1, 100_000),
}
_MOSTLY = 0.98
#: Of addends that are so near to each other the more usual is taken: 273.1 or 273.15.
_NEAR_ADDEND = 0.1


def find_values(
    kinds: Sequence[Frames],
    fields: Sequence[Sequence[FoundField]],
    observations: Sequence[Observation],
    *,
    seconds: float = SECONDS,
) -> list[Noted]:
    """Return where each noted value may be: notes of one name are of one value."""
    kinds = [_thinned(kind, observations, seconds) for kind in kinds]
    by_name: dict[str, list[Observation]] = defaultdict(list)
    for each in observations:
        by_name[each.name].append(each)
    places = sum(width_of(kind) for kind in kinds)
    known = sum(len(each) for each in fields)
    result = []
    for name, own in by_name.items():
        if own[0].subject is Measured.CELLS:
            found = find_cells(kinds, fields, int(own[0].low))
        else:
            found = []
            for number, kind in enumerate(kinds):
                found += _Search(number, kind, own, fields[number], (places, known), seconds).matches()
            found = _without_low_bytes(_without_twins(found), kinds)
        ranked = sorted(found, key=lambda each: (each.chance, not each.known, each.kind, each.field.at or 0))
        result.append(Noted(name, tuple(own), tuple(ranked[:_MOST])))
    return result


def width_of(kind: Frames) -> int:
    """Return at how many places something may begin in a message."""
    return len(kind.matrix.T if kind.numbers is None else kind.numbers.T)


def _thinned(kind: Frames, observations: Sequence[Observation], seconds: float) -> Frames:
    """Return fewer frames where there are very many: some of all, and those around the notes."""
    rows = len(kind.matrix)
    if rows <= _FRAMES:
        return kind
    kept = np.zeros(rows, dtype=np.bool_)
    kept[np.linspace(0, rows - 1, _FRAMES // 2).astype(np.int64)] = True
    time = kind.time if kind.time is not None and not (kind.time == NO_TIME).any() else None
    around = [
        _window(moment, time, rows, seconds)
        for each in observations
        for moment in (each.time, each.until)
        if moment is not None
    ]
    for first, last in around:
        kept[first : min(last, first + _FRAMES // (2 * len(around)) + 1)] = True
    time = None if kind.time is None else kind.time[kept]
    return Frames(kind.matrix[kept], kind.header, time, None if kind.numbers is None else kind.numbers[kept])


def _spans(field: FoundField) -> Iterator[tuple[int, int]]:
    """Yield where a field is: where it begins and how wide it is; of a doubted one also its lower parts."""
    yield field.at, field.width
    width = field.width // 2
    while field.doubted and width:
        yield field.at if field.order == "little" else field.end - width, width
        width //= 2


class _Search:
    """The search for one value in the frames of one kind."""

    def __init__(
        self,
        number: int,
        kind: Frames,
        observations: Sequence[Observation],
        fields: Sequence[FoundField],
        places: tuple[int, int],
        seconds: float,
    ) -> None:
        self.number, self.kind = number, kind
        time = kind.time if kind.time is not None and not (kind.time == NO_TIME).any() else None
        rows = len(kind.matrix)
        # A note from a time when no such frame came says nothing of this kind.
        observations = [
            each
            for each in observations
            if all(first < last for first, last in _windows(each, time, rows, seconds))
        ]
        self.places, self.fields = places
        self.spans = {span for each in fields if not each.digits for span in _spans(each)}
        self.little = is_little(fields)
        self.observations = observations
        # One display rounds all the time, or it cuts off all the time; one note alone does not tell which.
        several = sum(each.way is None for each in observations) > 1
        self.shown: tuple[tuple[Range, ...], ...] = (
            (tuple(each.rounded for each in observations), tuple(each.cut for each in observations))
            if several
            else (tuple((each.low, each.high) for each in observations),)
        )
        both = [_windows(each, time, rows, seconds) for each in observations]
        self.windows, self.untils = [one for one, _ in both], [other for _, other in both]

    def matches(self) -> list[Match]:
        """Return the places where every note fits."""
        if not len(self.kind.matrix) or not self.observations:
            return []
        result: list[Match] = []
        cells = self.kind.matrix
        cache: dict[tuple[Type, int, bool], NDArray[np.float64]] = {}
        subject = self.observations[0].subject
        for reading in readings(subject) if self.kind.numbers is None else written(subject):
            if self.kind.numbers is not None:
                raw = self.kind.numbers
            elif cells.shape[1] < reading.width:
                continue
            else:
                key = (reading.type, reading.width, reading.little)
                if key not in cache:
                    cache[key] = raw_numbers(cells, reading.type, reading.width, little=reading.little)
                raw = cache[key]
            found: dict[int, Match] = {}
            for shown in self.shown:
                fitting = self._fitting(raw, reading, shown) & _plausible(raw, reading, subject)
                for at in np.flatnonzero(fitting).tolist():
                    match = self._match(raw[:, at], at, reading, shown)
                    if at not in found or match.chance < found[at].chance:
                        found[at] = match
            result += found.values()
        return result

    def _fitting(self, raw: Floats, reading: RawReading, shown: Sequence[Range]) -> Flags:
        fitting = np.ones(raw.shape[1], dtype=np.bool_)
        whole = zip(self.observations, self.windows, self.untils, shown, strict=True)
        for each, window, until, own in whole:
            if each.way is not None:
                fitting &= _goes(raw, each.way, window, until, reading.scale)
            else:
                low, high = _raw_range(own, reading)
                part = raw[window[0] : window[1]]
                fitting &= ((part >= low) & (part <= high)).any(axis=0)
        return fitting

    def _match(self, raw: Floats, at: int, reading: RawReading, shown: Sequence[Range]) -> Match:
        known = (at, reading.width) in self.spans
        weight = (
            FIELDS_SHARE / self.fields * reading.of_width
            if known
            else (1 - FIELDS_SHARE) / self.places * reading.weight
        )
        if self.kind.numbers is not None:
            known, weight = True, reading.weight / self.places
        elif reading.width > 1:
            weight *= 2 * (ORDER_SHARE if reading.little == self.little else 1 - ORDER_SHARE)
        chance = (
            self._level(reading, shown)
            * self._timing(raw, reading, shown)
            / weight
            * len(self.shown)
            * _CAUTION
        )
        field = Field(
            name=self.observations[0].name,
            type=reading.type,
            width=reading.width,
            order=("little" if reading.little else "big") if reading.width > 1 else None,
            at=at,
            scale=reading.scale,
            addend=reading.addend,
        )
        raw = raw[np.isfinite(raw)]
        values = field.scaled(raw)
        moves = bool((raw != raw[0]).any())
        return Match(
            self.number, field, chance, float(values.min()), float(values.max()), moves, known, reading.little
        )

    def _level(self, reading: RawReading, shown: Sequence[Range]) -> float:
        """Return the chance that a number which is something else has one of the noted values at all."""
        best = 1.0
        for each, own in zip(self.observations, shown, strict=True):
            if each.way is None:
                low, high = _raw_range(own, reading)
                best = min(best, _benford(low, high, reading))
        return best

    def _timing(self, raw: Floats, reading: RawReading, shown: Sequence[Range]) -> float:
        """Return the chance that it has the other values at their times as well."""
        chances = []
        whole = zip(self.observations, self.windows, self.untils, shown, strict=True)
        for each, window, until, own in whole:
            if each.way is not None:
                chances.append(_way_chance(raw, each.way, window, until, reading.scale))
                continue
            low, high = _raw_range(own, reading)
            hits = (raw >= low) & (raw <= high)
            chances.append(_windows_with(hits, window[1] - window[0]))
        if all(each.way is not None for each in self.observations):
            return float(np.prod(chances))
        # The value that is rarest in the recording is the one whose level was weighed.
        chances.sort()
        return float(np.prod(chances[1:])) if len(chances) > 1 else 1.0


def _plausible(raw: Floats, reading: RawReading, subject: Measured) -> Flags:
    """Say at which places hardly any frame reads what no pack has, such as 6553 A or 300 %."""
    if subject not in _POSSIBLE:
        return np.ones(raw.shape[1], dtype=np.bool_)
    low, high = _raw_range(_POSSIBLE[subject], reading)
    return np.asarray(((raw >= low) & (raw <= high)).mean(axis=0) >= _MOSTLY)


def _raw_range(shown: Range, reading: RawReading) -> Range:
    one, other = ((bound - reading.addend) / reading.scale for bound in shown)
    return min(one, other) - 1e-9, max(one, other) + 1e-9


def _benford(low: float, high: float, reading: RawReading) -> float:
    """Return the part of all numbers of some width that lies in a range, all sizes being alike common.

    0 and numbers with a sign have a part of their own; a range without a whole number has none.
    """
    if reading.type not in {Type.FLOAT, Type.DECIMAL}:
        low, high = np.ceil(low), np.floor(high)
        if high < low:
            return 0.0
        low, high = low - 0.5, high + 0.5
    negative = high < 0
    if low < 0 < high:
        return 0.3
    size = sorted((abs(low), abs(high)))
    if reading.type in {Type.FLOAT, Type.DECIMAL}:
        part = min(1.0, log(size[1] / max(size[0], 1e-6)) / log(1e6))
        return part if reading.type is Type.DECIMAL else 0.2 * part
    top = log(2.0 ** (8 * reading.width))
    part = log((size[1] + 1) / (size[0] + 1)) / top
    return part * (0.2 if negative else 0.8)


def _windows(
    each: Observation, time: Int64s | None, rows: int, seconds: float
) -> tuple[tuple[int, int], tuple[int, int]]:
    return _window(each.time, time, rows, seconds), _window(each.until, time, rows, seconds)


def _window(moment: int | None, time: Int64s | None, rows: int, seconds: float) -> tuple[int, int]:
    """Return the frames around a time: some before and behind it, and all within some seconds."""
    if moment is None or time is None:
        return 0, rows
    reach = int(seconds * 1e9)
    # What is shown last came with the last frame, until the next one would have come.
    late = moment > time[-1] + reach and rows > 1
    usual = min(float(np.median(np.diff(time))), _SLOW) if late else 0.0
    if moment < time[0] - reach or moment > time[-1] + max(reach, usual):
        return 0, 0
    at = int(np.searchsorted(time, moment))
    first = min(int(np.searchsorted(time, moment - reach)), at - FRAMES)
    last = max(int(np.searchsorted(time, moment + reach, side="right")), at + FRAMES + 1)
    return max(first, 0), min(max(last, 1), rows)


def _windows_with(hits: Flags, size: int) -> float:
    """Return the part of all windows of so many frames that have a hit in them."""
    if size >= len(hits):
        return 1.0
    before = np.concatenate(([0], np.cumsum(hits)))
    windows = before[size:] - before[:-size]
    return float(np.count_nonzero(windows)) / len(windows)


def _middle(raw: Floats, window: tuple[int, int]) -> NDArray[np.float64]:
    return np.asarray(np.median(raw[window[0] : window[1]], axis=0))


def _goes(raw: Floats, way: Way, window: tuple[int, int], until: tuple[int, int], scale: float) -> Flags:
    return _is_change((_middle(raw, until) - _middle(raw, window)) * np.sign(scale), way)


def _is_change(change: Floats, way: Way) -> Flags:
    return np.asarray(change > 0 if way is Way.ROSE else change < 0 if way is Way.FELL else change == 0)


def _way_chance(
    raw: Floats, way: Way, window: tuple[int, int], until: tuple[int, int], scale: float
) -> float:
    """Return how often it goes that way between times as far apart, elsewhere in the recording."""
    apart = max(until[0] - window[0], 1)
    if apart >= len(raw):
        return 0.5
    right = _is_change((raw[apart:] - raw[:-apart]) * np.sign(scale), way)
    return max(float(right.mean()), 1.0 / len(raw), 1 / 3)


def _without_twins(found: Sequence[Match]) -> list[Match]:
    """Return matches without those that take the same bytes for hardly anything else.

    That is a number of another sign that reads the same, and an addend that is nearly another one.
    """
    best: dict[tuple[object, ...], Match] = {}
    for each in found:
        field = each.field
        key = (each.kind, field.at, field.width, each.little, field.scale, field.addend, each.low, each.high)
        if key not in best or each.chance < best[key].chance:
            best[key] = each
    # Ways to read are tried in the order of how usual they are.
    kept: dict[tuple[object, ...], list[Match]] = defaultdict(list)
    for each in best.values():
        field = each.field
        same = kept[each.kind, field.at, field.width, each.little, field.type, field.scale]
        if not any(abs(other.field.addend - field.addend) < _NEAR_ADDEND for other in same):
            same.append(each)
    return [each for group in kept.values() for each in group]


def _without_low_bytes(found: Sequence[Match], kinds: Sequence[Frames]) -> list[Match]:
    """Return matches without those that are the low bytes of a wider number with a sign.

    In all frames, and for both signs, the bytes above them are then nothing but that sign.
    """
    beside: dict[tuple[object, ...], list[Match]] = defaultdict(list)
    for each in found:
        field = each.field
        if field.type is Type.INT and kinds[each.kind].numbers is None:
            # Where the lowest byte is: the first of a little-endian number, the last of another.
            lowest = (field.at or 0) if each.little else (field.at or 0) + (field.width or 1)
            beside[each.kind, each.little, field.scale, field.addend, lowest].append(each)
    low = {
        id(each)
        for same in beside.values()
        for each in same
        if any(_is_low(each, wider, kinds[each.kind]) for wider in same)
    }
    return [each for each in found if id(each) not in low]


def _is_low(each: Match, wider: Match, kind: Frames) -> bool:
    """Say whether a number has the lowest bytes of another one, whose other bytes are its sign alone."""
    at, other = each.field.at or 0, wider.field.at or 0
    width, size = each.field.width or 1, wider.field.width or 1
    if size <= width:
        return False
    above = kind.matrix[:, at + width : other + size] if each.little else kind.matrix[:, other:at]
    plus, minus = (above == 0).all(axis=1), (above == 0xFF).all(axis=1)
    return bool((plus | minus).all() and plus.any() and minus.any())
