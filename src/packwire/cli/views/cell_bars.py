"""Cell voltages as bars, for the live card."""

from collections.abc import Iterator
from typing import cast

from rich.text import Text

from packwire.cli.views.card import INDENT, cell_mark, cell_style
from packwire.sample import Sample

_EIGHTHS = (
    " \N{LEFT ONE EIGHTH BLOCK}\N{LEFT ONE QUARTER BLOCK}\N{LEFT THREE EIGHTHS BLOCK}\N{LEFT HALF BLOCK}"
    "\N{LEFT FIVE EIGHTHS BLOCK}\N{LEFT THREE QUARTERS BLOCK}\N{LEFT SEVEN EIGHTHS BLOCK}"
)
_FULL = "\N{FULL BLOCK}"
#: What a full bar stands for, in V above the floor: the smallest that holds all cells. A few mV between
#: the cells of a balanced pack are a few percent of a bar, as they should be.
_SCALES = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
_MOST_ROOM = 30
#: What stands beside a bar, and how wide a column is at the least.
_BESIDE_BAR = 14
_LEAST_COLUMN = 19


def cell_bars(sample: Sample, width: int, columns: int | None = None) -> Iterator[Text]:
    """Yield the cells in columns of bars (as many as are wanted and fit), then a line with their scale."""
    values = sample.values
    cells = cast("tuple[float, ...]", values["cell_voltages"])
    span = next((each for each in _SCALES if max(cells) - min(cells) <= 0.8 * each), _SCALES[-1])
    middle = (max(cells) + min(cells)) / 2
    floor = round(middle - span / 2, 2)
    balancing = cast("tuple[bool, ...]", values.get("cell_balancing") or (False,) * len(cells))
    columns = max(1, min(columns or 2, width // (25 if columns is None else _LEAST_COLUMN)))
    room = max(4, min(_MOST_ROOM, (width - len(INDENT * 2)) // columns - _BESIDE_BAR))
    rows = -(-len(cells) // columns)
    for row in range(rows):
        line = Text(INDENT * 2)
        for number in range(row + 1, len(cells) + 1, rows):
            volts = cells[number - 1]
            style = cell_style(number, values)
            line.append(f"{number:3} ", "dim")
            line.append(f"{volts:.3f} ", style)
            line.append(_bar((volts - floor) / span, room), style or "cyan")
            line.append(f" {cell_mark(number, values)}", style)
            line.append("B " if balancing[number - 1] else "  ", "magenta")
        line.rstrip()
        yield line
    told = ", B balancing" if any(balancing) else ""
    yield Text(
        f"{INDENT * 2}bars from {floor:.2f} to {floor + span:.2f} V   - lowest, + highest{told}", "dim"
    )


def _bar(share: float, room: int) -> str:
    eighths = round(min(max(share, 0.0), 1.0) * room * 8)
    text = _FULL * (eighths // 8) + (_EIGHTHS[eighths % 8] if eighths % 8 else "")
    return text.ljust(room)
