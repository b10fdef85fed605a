"""How groups of messages look: as text with a heat map of their bits, and as JSON."""

from typing import Any

import numpy as np
from rich.console import Console
from rich.text import Text

from packwire.direction import Direction
from packwire.insight.bits import count_bits
from packwire.insight.groups import Group, facts
from packwire.messages import Messages

WAYS = {
    Direction.TO_DEVICE: "to device",
    Direction.FROM_DEVICE: "from device",
    Direction.UNKNOWN: "unknown way",
}

#: Shades from never changes to changes all the time; the text says the same as the colour.
_SHADES = (
    (0.0, "·", "grey35"),
    (0.02, "░", "blue"),
    (0.1, "▒", "cyan"),
    (0.25, "▓", "yellow"),
    (2.0, "█", "red"),
)
#: So many bytes are shown side by side.
_ACROSS = 32


def title(group: Group) -> str:
    """Return the line that names a group."""
    header = group.header.hex(" ") or "(any)"
    return f"{header}  {WAYS[group.direction]}, {group.channel}, {group.size} bytes"


def show(console: Console, messages: Messages, groups: tuple[Group, ...]) -> None:
    """Print all groups."""
    if not groups:
        console.print("no messages in this file; `packwire info` says what is in it")
    for group in groups:
        known = facts(messages, group)
        rate = "" if known.per_second is None else f", {known.per_second:.3g}/s"
        console.print(Text(title(group), style="bold"))
        console.print(f"  {len(group)} messages{rate}, packets {known.first_packet}..{known.last_packet}")
        console.print(f"  example  {known.example.hex(' ')}")
        if group.size:
            console.print(f"  constant {_pattern(known.example, known.constant)}")
        if len(group) > 1 and not all(known.constant):
            _show_heat(console, messages, group)
        console.print()


def record(messages: Messages, group: Group) -> dict[str, Any]:
    """Return one group as a JSON object."""
    known = facts(messages, group)
    counts = count_bits(messages.matrix(group.rows))
    return {
        "type": "group",
        "direction": group.direction.name.lower(),
        "channel": group.channel,
        "size": group.size,
        "header": group.header.hex(),
        "count": len(group),
        "per_second": known.per_second,
        "constant_bytes": [at for at, flag in enumerate(known.constant) if flag],
        "changing_bytes": [at for at, flag in enumerate(known.constant) if not flag],
        "example": known.example.hex(),
        "first_packet": known.first_packet,
        "last_packet": known.last_packet,
        "bit_ones": counts.ones.tolist(),
        "bit_flips": counts.flips.tolist(),
    }


def _pattern(example: bytes, constant: tuple[bool, ...]) -> str:
    return " ".join(f"{byte:02x}" if flag else "··" for byte, flag in zip(example, constant, strict=True))


def _show_heat(console: Console, messages: Messages, group: Group) -> None:
    """Print a row for each bit, a column for each byte; only stretches of bytes in which something moves."""
    activity = count_bits(messages.matrix(group.rows)).activity
    for begin in range(0, group.size, _ACROSS):
        part = activity[begin : begin + _ACROSS]
        if not part.any():
            continue
        console.print(
            "  byte   " + " ".join(f"{at:<2}" if at % 4 == 0 else "  " for at in _range(begin, part))
        )
        for bit in range(7, -1, -1):
            line = Text(f"  bit {bit}  ")
            for value in part[:, bit]:
                _, mark, style = next(shade for shade in _SHADES if value <= shade[0])
                line.append(mark * 2, style=style)
                line.append(" ")
            line.rstrip()
            console.print(line)


def _range(begin: int, part: np.ndarray[tuple[int, int], np.dtype[np.float64]]) -> range:
    return range(begin, begin + len(part))
