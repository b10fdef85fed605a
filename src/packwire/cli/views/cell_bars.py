"""Cell voltages as bars, for the live card."""

from collections.abc import Iterator
from typing import cast

from rich.text import Text

from packwire.cli.views.card import INDENT, cell_style
from packwire.sample import Sample

_EIGHTHS = (
    " \N{LEFT ONE EIGHTH BLOCK}\N{LEFT ONE QUARTER BLOCK}\N{LEFT THREE EIGHTHS BLOCK}\N{LEFT HALF BLOCK}"
    "\N{LEFT FIVE EIGHTHS BLOCK}\N{LEFT THREE QUARTERS BLOCK}\N{LEFT SEVEN EIGHTHS BLOCK}"
)
_FULL = "\N{FULL BLOCK}"
#: The bars show at least this much, in V: else the noise of a balanced pack would fill them.
_LEAST_RANGE = 0.020


def cell_bars(sample: Sample, width: int) -> Iterator[Text]:
    """Yield the cells in two columns; the bars begin a little below the lowest cell."""
    values = sample.values
    cells = cast("tuple[float, ...]", values["cell_voltages"])
    low, high = min(cells), max(cells)
    span = max(high - low, _LEAST_RANGE) * 1.25
    floor = high - span
    balancing = cast("tuple[bool, ...]", values.get("cell_balancing") or (False,) * len(cells))
    room = max(4, min(30, width // 2 - 18))
    rows = (len(cells) + 1) // 2
    for row in range(rows):
        line = Text(INDENT * 2)
        for number in (row + 1, row + 1 + rows):
            if number <= len(cells):
                volts = cells[number - 1]
                style = cell_style(number, values)
                line.append(f"{number:3} ", "dim")
                line.append(f"{volts:.3f} ", style)
                line.append(_bar((volts - floor) / span, room), style or "blue")
                line.append(" B  " if balancing[number - 1] else "    ", "magenta")
        yield line


def _bar(share: float, room: int) -> str:
    eighths = round(min(max(share, 0.0), 1.0) * room * 8)
    text = _FULL * (eighths // 8) + (_EIGHTHS[eighths % 8] if eighths % 8 else "")
    return text.ljust(room)
