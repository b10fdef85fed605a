"""Where in messages a value lies that somebody saw on a display.

Each way to read bytes is tried at each place, and kept where all that was noted of a value fits the frames
around its time. How likely an accident is takes two things together: that a number which has nothing to do
with the value has it once (numbers of all sizes are alike common, as Benford found), and that it then has
each further value at the right time (found by moving the times along the recording). All that was tried is
counted, what is usual more lightly; and fields that `fields` found count for more than bytes across borders.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from math import log
from typing import Final

import numpy as np
from numpy.typing import NDArray

from packwire.capture.packets import NO_TIME
from packwire.insight.fields import FoundField, Frames
from packwire.insight.observations import SECONDS, Measured, Observation, Way
from packwire.insight.readings import RawReading, readings
from packwire.messages import Bytes, Int64s
from packwire.wire.fields import Field, Type

type Floats = NDArray[np.float64]
type Flags = NDArray[np.bool_]

#: A note is taken for true where one of so many frames around its time has the value, or within SECONDS.
FRAMES = 2
#: What is likelier by chance is no finding, but a place among others.
MOST_CHANCE = 0.05
#: The part of all weights that fields have which were found beforehand.
_FIELDS = 0.8
#: The part that the byte order has in which a kind's fields were found.
_ORDER = 0.9
#: So many matches of a value are kept at most.
_MOST = 200
#: Of very many frames so many are looked at.
_FRAMES = 20_000
#: A cell's voltage lies here; and what a number that is none would need to lie here as well.
_CELL = (1.8, 4.6)
_CELL_CHANCE = 0.12
#: V: a number beside the cells that is so near to them is one more.
_ALIKE = 0.25
#: Places are as likely as the first up to so many times its chance; more where nothing changes.
_TIES, _CONSTANT_TIES = 3.0, 100.0


@dataclass(frozen=True, slots=True)
class Match:
    """A place where all that was noted of a value fits: in frames of kind number `kind`, read as `field`.

    `count`: so many of them side by side. `moves`: it is not always the same; `chance` that it is none.
    `low`, `high`: what it reads in all frames. `known`: `fields` found just these bytes as a field.
    `chance` is how many such places are expected that mean nothing: above `MOST_CHANCE` it is one of many.
    """

    kind: int
    field: Field
    chance: float
    low: float
    high: float
    moves: bool
    known: bool
    little: bool
    count: int = 1


@dataclass(frozen=True, slots=True)
class Noted:
    """A value that was noted, with the places where it may be, the likeliest first."""

    name: str
    observations: tuple[Observation, ...]
    matches: tuple[Match, ...]

    @property
    def ties(self) -> int:
        """Return how many matches are about as likely as the first."""
        if not self.matches:
            return 0
        first = self.matches[0]
        near = _TIES if first.moves else _CONSTANT_TIES
        return sum(each.chance <= near * first.chance and each.moves == first.moves for each in self.matches)


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
    places = sum(kind.matrix.shape[1] for kind in kinds)
    known = sum(len(each) for each in fields)
    result = []
    for name, own in by_name.items():
        if own[0].subject is Measured.CELLS:
            found = _cells(kinds, fields, int(own[0].low))
        else:
            found = []
            for number, kind in enumerate(kinds):
                found += _Search(number, kind, own, fields[number], (places, known), seconds).matches()
            found = _without_twins(found)
        ranked = sorted(found, key=lambda each: (each.chance, not each.known, each.kind, each.field.at or 0))
        result.append(Noted(name, tuple(own), tuple(ranked[:_MOST])))
    return result


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
    return Frames(kind.matrix[kept], kind.header, None if kind.time is None else kind.time[kept])


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
        self.places, self.fields = places
        self.spans = {(each.at, each.width) for each in fields if not each.digits}
        self.little = _is_little(fields)
        self.observations = observations
        time = kind.time if kind.time is not None and not (kind.time == NO_TIME).any() else None
        rows = len(kind.matrix)
        self.windows = [_window(each.time, time, rows, seconds) for each in observations]
        self.untils = [_window(each.until, time, rows, seconds) for each in observations]

    def matches(self) -> list[Match]:
        """Return the places where every note fits."""
        if not len(self.kind.matrix) or any(first == last for first, last in self.windows):
            return []
        result = []
        cells = self.kind.matrix
        cache: dict[tuple[Type, int, bool], NDArray[np.float64]] = {}
        subject = self.observations[0].subject
        for reading in readings(subject):
            if cells.shape[1] < reading.width:
                continue
            key = (reading.type, reading.width, reading.little)
            if key not in cache:
                cache[key] = raw_numbers(cells, reading.type, reading.width, little=reading.little)
            raw = cache[key]
            fitting = self._fitting(raw, reading)
            result += [self._match(raw[:, at], int(at), reading) for at in np.flatnonzero(fitting)]
        return result

    def _fitting(self, raw: Floats, reading: RawReading) -> Flags:
        fitting = np.ones(raw.shape[1], dtype=np.bool_)
        for each, window, until in zip(self.observations, self.windows, self.untils, strict=True):
            if each.way is not None:
                fitting &= _goes(raw, each.way, window, until, reading.scale)
            else:
                low, high = _raw_range(each, reading)
                part = raw[window[0] : window[1]]
                fitting &= ((part >= low) & (part <= high)).any(axis=0)
        return fitting

    def _match(self, raw: Floats, at: int, reading: RawReading) -> Match:
        known = (at, reading.width) in self.spans
        weight = (
            _FIELDS / self.fields * reading.of_width
            if known
            else (1 - _FIELDS) / self.places * reading.weight
        )
        if reading.width > 1:
            weight *= 2 * (_ORDER if reading.little == self.little else 1 - _ORDER)
        chance = self._level(reading) * self._timing(raw, reading) / weight
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

    def _level(self, reading: RawReading) -> float:
        """Return the chance that a number which is something else has one of the noted values at all."""
        best = 1.0
        for each in self.observations:
            if each.way is None:
                low, high = _raw_range(each, reading)
                best = min(best, _benford(low, high, reading))
        return best

    def _timing(self, raw: Floats, reading: RawReading) -> float:
        """Return the chance that it has the other values at their times as well."""
        chances = []
        for each, window, until in zip(self.observations, self.windows, self.untils, strict=True):
            if each.way is not None:
                chances.append(_way_chance(raw, each.way, window, until, reading.scale))
                continue
            low, high = _raw_range(each, reading)
            hits = (raw >= low) & (raw <= high)
            chances.append(_windows_with(hits, window[1] - window[0]))
        if all(each.way is not None for each in self.observations):
            return float(np.prod(chances))
        # The value that is rarest in the recording is the one whose level was weighed.
        chances.sort()
        return float(np.prod(chances[1:])) if len(chances) > 1 else 1.0


def raw_numbers(cells: Bytes, kind: Type, width: int, *, little: bool) -> Floats:
    """Return what `width` bytes read at each place of `(n, m)` bytes; NaN where they are no such number."""
    places = cells.shape[1] - width + 1
    order = range(width) if not little else range(width - 1, -1, -1)
    result = np.zeros((len(cells), places), dtype=np.int64)
    for byte in order:
        column = cells[:, byte : byte + places].astype(np.int64)
        if kind is Type.BCD:
            result = result * 100 + np.where(
                (column >> 4 <= 9) & (column & 15 <= 9), (column >> 4) * 10 + (column & 15), -(10**9)
            )
        else:
            result = result << 8 | column
    if kind is Type.FLOAT:
        with np.errstate(invalid="ignore"):
            floats = result.astype(np.uint32).view(np.float32).astype(np.float64)
        return np.where(np.isfinite(floats), floats, np.nan)
    if kind is Type.INT:
        result = np.where(result >> 8 * width - 1, result - (1 << 8 * width), result)
    return result.astype(np.float64) if kind is not Type.BCD else np.where(result < 0, np.nan, result)


def _raw_range(each: Observation, reading: RawReading) -> tuple[float, float]:
    one, other = ((bound - reading.addend) / reading.scale for bound in (each.low, each.high))
    return min(one, other) - 1e-9, max(one, other) + 1e-9


def _benford(low: float, high: float, reading: RawReading) -> float:
    """Return the part of all numbers of some width that lies in a range, all sizes being alike common.

    0 and numbers with a sign have a part of their own; a range without a whole number has none.
    """
    if reading.type is not Type.FLOAT:
        low, high = np.ceil(low), np.floor(high)
        if high < low:
            return 0.0
        low, high = low - 0.5, high + 0.5
    negative = high < 0
    if low < 0 < high:
        return 0.3
    size = sorted((abs(low), abs(high)))
    if reading.type is Type.FLOAT:
        return min(1.0, log(size[1] / max(size[0], 1e-6)) / log(1e6) * 0.2)
    top = log(2.0 ** (8 * reading.width))
    part = log((size[1] + 1) / (size[0] + 1)) / top
    return part * (0.2 if negative else 0.8)


def _window(moment: int | None, time: Int64s | None, rows: int, seconds: float) -> tuple[int, int]:
    """Return the frames around a time: some before and behind it, and all within some seconds."""
    if moment is None or time is None:
        return 0, rows
    reach = int(seconds * 1e9)
    if moment < time[0] - reach or moment > time[-1] + reach:
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
    change = (_middle(raw, until) - _middle(raw, window)) * np.sign(scale)
    return np.asarray(change > 0 if way is Way.ROSE else change < 0 if way is Way.FELL else change == 0)


def _way_chance(
    raw: Floats, way: Way, window: tuple[int, int], until: tuple[int, int], scale: float
) -> float:
    """Return how often it goes that way between times as far apart, elsewhere in the recording."""
    apart = max(until[0] - window[0], 1)
    if apart >= len(raw):
        return 0.5
    change = (raw[apart:] - raw[:-apart]) * np.sign(scale)
    right = change > 0 if way is Way.ROSE else change < 0 if way is Way.FELL else change == 0
    return max(float(right.mean()), 1.0 / len(raw), 1 / 3)


def _is_little(fields: Sequence[FoundField]) -> bool:
    orders = [each.order for each in fields if each.wide and each.of is None]
    return orders.count("little") > len(orders) / 2


def _without_twins(found: Sequence[Match]) -> list[Match]:
    """Return matches without those that only take the same bytes for numbers of another sign."""
    best: dict[tuple[object, ...], Match] = {}
    for each in found:
        field = each.field
        key = (each.kind, field.at, field.width, each.little, field.scale, field.addend, each.low, each.high)
        if key not in best or each.chance < best[key].chance:
            best[key] = each
    return list(best.values())


def _cells(kinds: Sequence[Frames], fields: Sequence[Sequence[FoundField]], count: int) -> list[Match]:
    """Return where so many voltages of cells lie side by side, and no further one behind them."""
    result = []
    places = sum(kind.matrix.shape[1] for kind in kinds)
    for number, kind in enumerate(kinds):
        spans = {(each.at, each.width) for each in fields[number] if not each.digits}
        for form, width, scale, usual in _CELL_FORMS:
            for little in (False, True):
                if count < 1 or kind.matrix.shape[1] < width * count:
                    continue
                values = raw_numbers(kind.matrix, form, width, little=little) * scale
                inside = ((values >= _CELL[0]) & (values <= _CELL[1])).all(axis=0)
                for at in np.flatnonzero(inside).tolist():
                    own = list(range(at, at + width * count, width))
                    before, behind = at - width, at + width * count
                    if own[-1] >= len(inside) or not inside[own].all():
                        continue
                    middle = float(np.median(values[:, own]))
                    if any(
                        0 <= place < len(inside) and inside[place] and abs(values[0, place] - middle) < _ALIKE
                        for place in (before, behind)
                    ):
                        continue
                    known = sum((place, width) in spans for place in own) > count / 2
                    weight = usual * (_FIELDS if known else 1 - _FIELDS)
                    weight *= _ORDER if little == _is_little(fields[number]) else 1 - _ORDER
                    part = values[:, own]
                    field = Field(
                        name="cells",
                        type=form,
                        width=width,
                        order="little" if little else "big",
                        at=at,
                        scale=scale,
                        count=count,
                    )
                    chance = min(1.0, places / weight * _CELL_CHANCE**count)
                    low, high, moves = float(part.min()), float(part.max()), bool((part != part[0]).any())
                    result.append(Match(number, field, chance, low, high, moves, known, little, count))
    return result


_CELL_FORMS: Final = (
    (Type.UINT, 2, 0.001, 0.8),
    (Type.UINT, 2, 0.0001, 0.02),
    (Type.FLOAT, 4, 1.0, 0.13),
    (Type.UINT, 4, 0.001, 0.05),
)
