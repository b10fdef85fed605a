"""How fields that were found compare with the true ones.

Moving fields only: a field in which no byte ever changes leaves no trace of where it ends. A field is EXACT
where both its ends are drawn and nothing inside it. Fields that lie only in bytes of which nothing is known
are not counted.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from benchmarks.understanding.truth import TrueField
from packwire.insight.fields import FoundField
from packwire.messages import Bytes


@dataclass(slots=True)
class Score:
    """Counts, added up over the kinds of a session."""

    true: int = 0
    found: int = 0
    exact: int = 0
    true_borders: int = 0
    found_borders: int = 0
    right_borders: int = 0
    equivalent: int = 0
    orders: int = 0
    right_orders: int = 0

    def add(self, other: "Score") -> None:
        """Add another score to this one."""
        for each in fields(self):
            setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))

    @property
    def f1(self) -> float:
        """Return F1 of EXACT fields."""
        return 2 * self.exact / max(self.true + self.found, 1)

    @property
    def precision(self) -> float:
        """Return the part of what was found that is EXACT."""
        return self.exact / max(self.found, 1)

    @property
    def border_f1(self) -> float:
        """Return F1 of borders."""
        return 2 * self.right_borders / max(self.true_borders + self.found_borders, 1)

    @property
    def recall(self) -> float:
        """Return the part of true fields that some field reads equal to."""
        return self.equivalent / max(self.true, 1)


def score(matrix: Bytes, true: Sequence[TrueField], found: Sequence[FoundField]) -> Score:
    """Compare the fields that were found in some frames with the true ones."""
    moves = (matrix != matrix[0]).any(axis=0)
    moving = [each for each in true if moves[each.at : each.end].any()]
    known = np.zeros(matrix.shape[1], dtype=np.bool_)
    for each in true:
        known[each.at : each.end] = True
    ours = [
        each
        for each in found
        if moves[each.at : each.end].any() and (known & moves)[each.at : each.end].any()
    ]
    spans = {(each.at, each.end) for each in ours}
    result = Score(true=len(moving), found=len(ours))
    result.exact = sum((each.at, each.end) in spans for each in moving)
    looked_at = {place for each in moving for place in range(each.at, each.end + 1)}
    true_borders = {place for each in moving for place in (each.at, each.end)}
    drawn = {place for each in ours for place in (each.at, each.end)} & looked_at
    result.true_borders, result.found_borders = len(true_borders), len(drawn)
    result.right_borders = len(true_borders & drawn)
    for each in moving:
        values = each.values(matrix)
        for other in ours:
            if other.at < each.end and other.end > each.at and _equal(values, other.values(matrix)):
                result.equivalent += 1
                break
    orders = [each.order for each in moving if each.width > 1 + each.digits and each.kind != "hex"]
    if orders:
        result.orders = 1
        wide = [each.order for each in ours if each.wide]
        result.right_orders = int(
            bool(wide) and max(set(wide), key=wide.count) == max(set(orders), key=orders.count)
        )
    return result


def _equal(values: np.ndarray, others: np.ndarray) -> bool:
    return bool(np.array_equal(values, others))
