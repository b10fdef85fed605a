"""Bit heat maps as a file: SVG, written here, or PNG through matplotlib."""

from collections.abc import Sequence
from html import escape
from pathlib import Path

from packwire.cli.views.groups import title
from packwire.errors import missing_extra, not_written
from packwire.insight.bits import Floats, count_bits
from packwire.insight.groups import Group
from packwire.messages import Messages

_CELL = 10
_MARGIN = 20


def write_heat_maps(messages: Messages, groups: Sequence[Group], path: Path) -> None:
    """Write a heat map for each group in which something moves; the ending says which kind of file.

    Raises MissingExtraError where a PNG is wanted without matplotlib, BadFileError where writing fails.
    """
    maps = [
        (f"{title(group)}, {len(group)} messages", activity)
        for group in groups
        if (activity := count_bits(messages.matrix(group.rows)).activity).any()
    ]
    try:
        if path.suffix.lower() == ".svg":
            path.write_text(svg(maps), encoding="utf-8")
        else:
            _png(maps, path)
    except OSError as error:
        raise not_written(path, error) from error


def svg(maps: Sequence[tuple[str, Floats]]) -> str:
    """Return heat maps as one SVG; a cell's title says byte, bit and how often it changes."""
    width = 2 * _MARGIN + _CELL * max((max(len(activity), 60) for _, activity in maps), default=60)
    parts, top = [], _MARGIN
    for name, activity in maps:
        parts.append(f'<text x="{_MARGIN}" y="{top}">{escape(name)}</text>')
        parts += _cells(activity, top + 6)
        top += 8 * _CELL + 2 * _MARGIN
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{top}" '
        f'font-family="monospace" font-size="11"><rect width="100%" height="100%" fill="white"/>'
    )
    return "\n".join([head, *parts, "</svg>\n"])


def _cells(activity: Floats, top: int) -> list[str]:
    result = []
    for byte, bits in enumerate(activity):
        for bit, value in enumerate(bits):
            shade = 235 - round(235 * min(float(value) * 2, 1.0) ** 0.4)
            result.append(
                f'<rect x="{_MARGIN + byte * _CELL}" y="{top + (7 - bit) * _CELL}" width="{_CELL - 1}" '
                f'height="{_CELL - 1}" fill="rgb({max(shade, 20) if value else 240},{shade},{shade})">'
                f"<title>byte {byte} bit {bit}: {value:.1%}</title></rect>"
            )
    return result


def _png(maps: Sequence[tuple[str, Floats]], path: Path) -> None:
    try:
        from matplotlib.figure import Figure  # noqa: PLC0415 - a large package that only a PNG needs
    except ImportError:
        raise missing_extra("plot", "a heat map as PNG") from None
    figure = Figure(figsize=(10, max(1.6 * len(maps), 1.6)), layout="constrained")
    axes = figure.subplots(max(len(maps), 1), squeeze=False)[:, 0]
    for axis, (name, activity) in zip(axes, maps, strict=False):
        axis.imshow(activity.T, aspect="auto", origin="lower", cmap="inferno", vmin=0, vmax=0.5)
        axis.set_title(name, fontsize=7)
        axis.set_ylabel("bit", fontsize=7)
        axis.tick_params(labelsize=6)
    figure.savefig(path, dpi=120)
