"""A field over time, drawn on the terminal, as SVG, or as PNG through matplotlib."""

from collections.abc import Sequence
from html import escape
from pathlib import Path

import numpy as np
from rich.console import Console

from packwire.errors import missing_extra, not_written
from packwire.insight.series import Series, folded

_ROWS, _LABEL = 12, 11
_WIDTH, _HEIGHT, _MARGIN = 800, 240, 60


def show(console: Console, title: str, drawn: Series, columns: int) -> None:
    """Print a field over time: each column is a part of the time, from its lowest to its highest value."""
    console.print(title)
    low, high = folded(drawn, max(columns - _LABEL - 2, 10))
    if not np.isfinite(low).any():
        console.print("no number in these bytes")
        return
    bottom, top = float(np.nanmin(low)), float(np.nanmax(high))
    step = (top - bottom) / (_ROWS - 1) or 1.0
    for row in range(_ROWS - 1, -1, -1):
        value = bottom + row * step
        line = "".join(
            "█" if np.isfinite(a) and a <= value + step / 2 and b >= value - step / 2 else " "
            for a, b in zip(low, high, strict=True)
        )
        label = f"{value:{_LABEL}.6g}" if row in {0, _ROWS - 1} else " " * _LABEL
        console.print(f"{label} │{line}".rstrip())
        if top == bottom:
            break
    console.print(f"{'':{_LABEL}} 0 s{f'{drawn.seconds[-1]:.0f} s':>{max(len(low) - 3, 1)}}")


def write(path: Path, title: str, drawn: Series, notes: Sequence[tuple[float, str]] = ()) -> None:
    """Write a field over time to a file: .svg or .png.

    Raises MissingExtraError where a PNG is wanted without matplotlib, BadFileError where writing fails.
    """
    try:
        if path.suffix.lower() == ".svg":
            path.write_text(svg(title, drawn, notes), encoding="utf-8")
        else:
            _png(path, title, drawn, notes)
    except OSError as error:
        raise not_written(path, error) from error


def svg(title: str, drawn: Series, notes: Sequence[tuple[float, str]] = ()) -> str:
    """Return a field over time as SVG; notes are lines at their times."""
    finite = np.isfinite(drawn.values)
    seconds, values = drawn.seconds[finite], drawn.values[finite]
    length = max(float(drawn.seconds[-1]), 1e-9)
    bottom, top = (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)
    span = top - bottom or 1.0
    inner_width, inner_height = _WIDTH - 2 * _MARGIN, _HEIGHT - _MARGIN
    x = _MARGIN + seconds / length * inner_width
    y = _MARGIN / 2 + (top - values) / span * inner_height
    points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{_HEIGHT}">',
        '<rect width="100%" height="100%" fill="white"/>',
        '<g font-family="monospace" font-size="11">',
        f'<text x="{_MARGIN}" y="14">{escape(title)}</text>',
        f'<text x="2" y="{_MARGIN / 2 + 10:.0f}">{top:g}</text>',
        f'<text x="2" y="{_HEIGHT - _MARGIN / 2:.0f}">{bottom:g}</text>',
        f'<text x="{_WIDTH - _MARGIN}" y="{_HEIGHT - 6}">{length:.0f} s</text>',
        f'<polyline fill="none" stroke="rgb(20,90,160)" points="{points}"/>',
    ]
    for second, words in notes:
        at = _MARGIN + second / length * inner_width
        line = f'<line x1="{at:.1f}" x2="{at:.1f}" y1="20" y2="{_HEIGHT - 20}" stroke="rgb(200,60,40)"/>'
        parts += [line, f'<text x="{at + 2:.1f}" y="30">{escape(words)}</text>']
    return "\n".join([*parts, "</g></svg>\n"])


def _png(path: Path, title: str, drawn: Series, notes: Sequence[tuple[float, str]]) -> None:
    try:
        from matplotlib.figure import Figure  # noqa: PLC0415 - a large package that only a PNG needs
    except ImportError:
        raise missing_extra("plot", "a plot as PNG") from None
    figure = Figure(figsize=(10, 3), layout="constrained")
    axis = figure.subplots()
    axis.plot(drawn.seconds, drawn.values, linewidth=1)
    axis.set_title(title, fontsize=8)
    axis.set_xlabel("seconds", fontsize=8)
    for second, words in notes:
        axis.axvline(second, color="tab:red", linewidth=0.8)
        axis.annotate(words, (second, 1), xycoords=("data", "axes fraction"), fontsize=7)
    figure.savefig(path, dpi=120)
