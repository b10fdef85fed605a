"""Quantities that a device does not say and that follow from others."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from packwire.models.problem import ModelError
from packwire.quantity import QUANTITIES, Value


@dataclass(frozen=True, slots=True)
class Computed:
    """A quantity that follows from others: the sum of a list, or the product of two numbers."""

    key: str
    sum_of: str
    product_of: tuple[str, ...]
    scale: float

    def of(self, values: Mapping[str, Value]) -> float | None:
        """Return its value; None where something that it needs is not known."""
        items = values.get(self.sum_of) if self.sum_of else tuple(values.get(key) for key in self.product_of)
        if not isinstance(items, tuple) or not items:
            return None
        numbers = [item for item in items if isinstance(item, int | float)]
        if len(numbers) < len(items):
            return None
        return (sum(numbers) if self.sum_of else numbers[0] * numbers[1]) * self.scale


def computed_of(key: str, said: Mapping[str, Any]) -> Computed:
    """Return a computed quantity. Raises ModelError."""
    product = tuple(said.get("product_of") or ())
    for each in (key, *filter(None, (said.get("sum_of", ""), *product))):
        if each not in QUANTITIES:
            raise ModelError(f"there is no quantity {each!r}; see docs/reference/quantities.md")
    return Computed(key, said.get("sum_of", ""), product, said.get("scale", 1))
