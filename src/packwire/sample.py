"""What was measured, when, and by which node.

A value that is not known is absent from `values`; it is never 0 in its place.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from packwire.quantity import Value


class Condition(StrEnum):
    """How far the values can be trusted."""

    FRESH = "fresh"
    STALE = "stale"
    """The device answers, but with values that no longer move: see `Sample.reason`."""
    ABSENT = "absent"
    """There is no such node (a VESC without a BMS): no values."""
    SILENT = "silent"
    """The node did not answer this time: no values."""


@dataclass(frozen=True, slots=True)
class Sample:
    """The values of one node at one moment, by quantity key (see `packwire.quantity.QUANTITIES`).

    `time` is in nanoseconds since the epoch, when the reply arrived. `reason` says why the sample is not
    fresh.
    """

    node: str
    time: int
    values: Mapping[str, Value]
    condition: Condition = Condition.FRESH
    reason: str = ""

    @property
    def stale(self) -> bool:
        """Whether these are old values that a device keeps repeating."""
        return self.condition is Condition.STALE

    @property
    def when(self) -> datetime:
        """Return the moment of measurement in UTC (to the microsecond)."""
        return datetime.fromtimestamp(self.time / 1e9, UTC)


def derived(values: Mapping[str, Value]) -> dict[str, Value]:
    """Return the values with those that follow from them: power, and what the cells say together.

    What a device says itself stays.
    """
    voltage, current, cells = values.get("voltage"), values.get("current"), values.get("cell_voltages")
    more: dict[str, Value] = {}
    if isinstance(voltage, float | int) and isinstance(current, float | int):
        more["power"] = current * voltage
    if isinstance(cells, tuple) and cells:
        numbers = [cell for cell in cells if isinstance(cell, float | int)]
        lowest, highest = min(numbers), max(numbers)
        more |= {
            "cell_count": len(cells),
            "cell_voltage_min": lowest,
            "cell_voltage_max": highest,
            "cell_voltage_spread": round(highest - lowest, 6),
            "cell_min_number": cells.index(lowest) + 1,
            "cell_max_number": cells.index(highest) + 1,
        }
    return more | dict(values)
