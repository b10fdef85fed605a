"""Where the voltages of a pack's cells lie side by side."""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from packwire.insight.fields import FoundField, Frames
from packwire.insight.matches import FIELDS_SHARE, ORDER_SHARE, Match, is_little
from packwire.insight.readings import Floats, raw_numbers
from packwire.wire.fields import Field, Type

#: A cell's voltage lies here; and what a number that is none would need to lie here as well.
_CELL = (1.8, 4.6)
_CELL_CHANCE = 0.12
_PAIR = 2
#: V: a number beside the cells that is so near to them is one more.
_ALIKE = 0.25


def find_cells(kinds: Sequence[Frames], fields: Sequence[Sequence[FoundField]], count: int) -> list[Match]:
    """Return where so many voltages of cells lie side by side, and no further one behind them."""
    result: list[Match] = []
    places = sum(kind.matrix.shape[1] for kind in kinds)
    for number, kind in enumerate(kinds):
        if kind.numbers is not None:
            result += _written_cells(number, kind.numbers, count)
            continue
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
                    weight = usual * (FIELDS_SHARE if known else 1 - FIELDS_SHARE)
                    weight *= ORDER_SHARE if little == is_little(fields[number]) else 1 - ORDER_SHARE
                    part = values[:, own]
                    apart = float(part.max() - part.min())
                    if width == _PAIR and _is_askew(kind, (form, scale), own, apart, little=little):
                        continue
                    field = Field(
                        name="cells",
                        type=form,
                        width=width,
                        order="little" if little else "big",
                        at=at,
                        scale=scale,
                        count=count,
                    )
                    # Equal numbers side by side (settings, padding) say no more than one of them does.
                    different = len(np.unique(part, axis=1).T)
                    chance = min(1.0, places / weight * _CELL_CHANCE**different)
                    low, high, moves = float(part.min()), float(part.max()), bool((part != part[0]).any())
                    result.append(Match(number, field, chance, low, high, moves, known, little, count))
    return result


def _written_cells(kind: int, numbers: Floats, count: int) -> Iterator[Match]:
    """Yield where so many voltages of cells are written one behind the other, in decimal."""
    for scale in _WRITTEN_SCALES:
        values = numbers * scale
        inside = ((values >= _CELL[0]) & (values <= _CELL[1])).all(axis=0)
        edges = np.flatnonzero(np.diff(np.concatenate(([0], inside.astype(np.int8), [0]))))
        for first, last in edges.reshape(-1, 2).tolist():
            if last - first == count > 0:
                part = values[:, first:last]
                chance = min(1.0, numbers.shape[1] * _CELL_CHANCE ** len(np.unique(part, axis=1).T))
                field = Field(name="cells", type=Type.DECIMAL, width=1, at=first, scale=scale)
                low, high, moves = float(part.min()), float(part.max()), bool((part != part[0]).any())
                yield Match(kind, field, chance, low, high, moves, known=True, little=False, count=count)


def _is_askew(
    kind: Frames, form: tuple[Type, float], own: Sequence[int], apart: float, *, little: bool
) -> bool:
    """Say whether a row takes the high byte of one cell and the low byte of the next.

    In the other byte order cells at their place, a byte before or behind, lie much closer together.
    """
    turned = raw_numbers(kind.matrix, form[0], _PAIR, little=not little) * form[1]
    for by in (-1, 1):
        places = [at + by for at in own]
        if places[0] >= 0 and places[-1] < turned.shape[1]:
            row = turned[:, places]
            if row.min() >= _CELL[0] and 2 * (row.max() - row.min()) < apart:
                return True
    return False


_WRITTEN_SCALES: Final = (1.0, 0.01, 0.001)
_CELL_FORMS: Final = (
    (Type.UINT, 2, 0.001, 0.8),
    (Type.UINT, 2, 0.0001, 0.02),
    (Type.FLOAT, 4, 1.0, 0.13),
    (Type.UINT, 4, 0.001, 0.05),
)
