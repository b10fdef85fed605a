"""What a pack said of itself, reading by reading, and what in it cannot be; for any protocol and link."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from packwire.check import Fact
from packwire.quantity import QUANTITIES, Kind, Value

#: Readings that are kept; far more than any examination takes.
MOST_READINGS = 1000
#: V: lithium cells are between 1.5 V (dead) and 4.4 V, lead and NiMH below and above stay within these.
_CELL_MOST, _CELL_LEAST, _CELL_LIVE = 5.0, -0.05, 1.0
#: degC, %, A, V: outside of these it is no measurement of a battery.
_LIMITS: dict[Kind, tuple[float, float]] = {Kind.TEMPERATURE: (-60.0, 150.0), Kind.CHARGE_LEVEL: (0.0, 110.0)}
_MOST_CURRENT, _MOST_VOLTAGE = 3000.0, 1200.0
#: The sum of the cells is the pack's voltage, within this share; wires and fuses take less.
_SUM_DIFFERS = 0.1
#: An empty pack has half of the voltage that it is charged to.
_FAR_BELOW = 0.4
#: A: with so much current a pack's values move. So many readings that ask the pack anew must be alike.
_MOVES, _ALIKE = 1.0, 6


@dataclass(slots=True)
class ValuesFacts(Fact):
    """The pack read as any program reads it, again and again.

    `readings` are values by quantity key, one a reading that asked the pack anew; `seconds` from the first to
    the last. `error` is why it cannot be read, `remarks` what the reader found odd.
    """

    readings: list[Mapping[str, Value]] = field(default_factory=list)
    seconds: float = 0.0
    error: str = ""
    remarks: tuple[str, ...] = ()

    @property
    def last(self) -> Mapping[str, Value]:
        """Return the last reading; empty where there is none."""
        return self.readings[-1] if self.readings else {}

    @property
    def dead_cells(self) -> tuple[int, ...]:
        """Return the numbers (from 1) of the cells that are at 0 V in every reading, where others are not."""
        rounds = [cells for each in self.readings if (cells := _cells(each))]
        if not rounds or not any(cell > _CELL_LIVE for cell in rounds[-1]):
            return ()
        return tuple(
            number
            for number, cell in enumerate(rounds[-1], 1)
            if cell == 0 and all(len(each) >= number and each[number - 1] == 0 for each in rounds)
        )

    @property
    def impossible(self) -> tuple[str, ...]:
        """Return in words what in the last reading is no measurement of a battery."""
        return tuple(_impossible(self.last))

    @property
    def frozen(self) -> bool:
        """Tell whether nothing moved though current flows; without it a pack's values may stand still."""
        last = self.last
        current = last.get("current")
        if len(self.readings) < _ALIKE or not isinstance(current, int | float) or abs(current) < _MOVES:
            return False
        return len(_numbers(last, "cell_voltages")) > 1 and all(each == last for each in self.readings)


def _numbers(values: Mapping[str, Value], key: str) -> list[float]:
    found = values.get(key, ())
    return [each for each in found if isinstance(each, int | float)] if isinstance(found, tuple) else []


def _cells(values: Mapping[str, Value]) -> list[float]:
    """Return the cells' voltages; zeros at the end are places of cells that the pack does not have."""
    cells = _numbers(values, "cell_voltages")
    while cells and cells[-1] == 0:
        cells.pop()
    return cells


def _impossible(values: Mapping[str, Value]) -> Iterator[str]:
    cells = _cells(values)
    for number, cell in enumerate(cells, 1):
        if not _CELL_LEAST <= cell <= _CELL_MOST:
            yield f"cell {number} is at {cell:g} V"
    for key, quantity in QUANTITIES.items():
        low, high = _LIMITS.get(quantity.kind, (float("-inf"), float("inf")))
        for each in _numbers(values, key) if quantity.array else _one(values.get(key)):
            if not low <= each <= high:
                yield f"{quantity.name.lower()} is {quantity.format(each)}"
    voltage, current = _one(values.get("voltage")), _one(values.get("current"))
    if any(not 0 <= each <= _MOST_VOLTAGE for each in voltage):
        yield f"the voltage is {voltage[0]:g} V"
    if any(abs(each) > _MOST_CURRENT for each in current):
        yield f"the current is {current[0]:g} A"
    if voltage:
        yield from _beside(values, cells, voltage[0])


def _beside(values: Mapping[str, Value], cells: list[float], voltage: float) -> Iterator[str]:
    """Yield what the pack's voltage does not go with."""
    for limit in _one(values.get("charge_voltage_limit")):
        if 0 < voltage < _FAR_BELOW * limit:  # at 0 V its relays are open
            yield f"the voltage is {voltage:g} V, and it may be charged up to {limit:g} V"
    if cells and all(_CELL_LEAST <= each <= _CELL_MOST for each in cells):
        total = sum(cells)
        if total > 0 and abs(total - voltage) > _SUM_DIFFERS * total:
            yield f"the cells add up to {total:.2f} V, and the pack says {voltage:.2f} V"


def _one(value: object) -> list[float]:
    return [value] if isinstance(value, int | float) and not isinstance(value, bool) else []


def in_words(values: Mapping[str, Any]) -> str:
    """Return a reading in words: `26.32 V, -4.10 A, 71.2 %, 8 cells of 3.288 to 3.292 V`."""
    said = [
        QUANTITIES[key].format(values[key])
        for key in ("voltage", "current", "soc")
        if isinstance(values.get(key), int | float)
    ]
    cells = _cells(values)
    if cells:
        said.append(f"{len(cells)} cells of {min(cells):.3f} to {max(cells):.3f} V")
    return ", ".join(said)
