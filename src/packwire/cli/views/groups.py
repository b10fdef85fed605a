"""How groups of messages look: as text with a heat map of their bits, and as JSON."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.text import Text

from packwire.cli.records.recordings import Group as GroupRecord
from packwire.cli.terminal import hanging
from packwire.direction import DIRECTION_NAMES, Direction
from packwire.insight.bits import count_bits
from packwire.insight.groups import Group, GroupFacts, Lane, facts, header_text, lasting
from packwire.messages import Messages
from packwire.phrases import counted

WAYS = {**DIRECTION_NAMES, Direction.UNKNOWN: "unknown way"}

#: Shades from never changes to changes all the time; the text says the same as the colour.
_SHADES = (
    (0.0, "·", "grey35"),
    (0.02, "░", "blue"),
    (0.1, "▒", "cyan"),
    (0.25, "▓", "yellow"),
    (2.0, "█", "red"),
)
#: Groups of so many pieces of broken frames are not worth showing one by one.
_FEW = 2
#: So many bytes are shown side by side where the terminal is wide enough.
_ACROSS, _FEWEST_ACROSS = 32, 8


def title(group: Group) -> str:
    """Return the line that names a group."""
    header = header_text(group.header, group.skipped) or "(any)"
    return f"{header}  {WAYS[group.direction]}, {group.channel}, {counted(group.size, 'byte')}"


def fold(
    messages: Messages, groups: tuple[Group, ...], pieces: NDArray[np.bool_] | None
) -> tuple[list[Group], list[str]]:
    """Take the groups of a few pieces that are in no frame, and say in a line a channel how many there are.

    `pieces` says of each message whether it is one; without it, nothing is folded.
    """
    if pieces is None:
        return list(groups), []
    lanes: dict[Lane, list[Group]] = {}
    whole = []
    for group in groups:
        if len(group) <= _FEW and pieces[group.rows].all():
            lanes.setdefault((group.direction, group.channel), []).append(group)
        else:
            whole.append(group)
    return whole, [_pieces(messages, lane, few) for lane, few in lanes.items()]


def _pieces(messages: Messages, lane: Lane, groups: list[Group]) -> str:
    rows = np.sort(np.concatenate([group.rows for group in groups]))
    sizes = [group.size for group in groups]
    numbers = [number for row in (rows[0], rows[-1]) for number in messages.packets_of(int(row))]
    where = f", {_packets(numbers[0], numbers[-1])}" if numbers else ""
    size = f"{min(sizes)} to {max(sizes)} bytes" if len(set(sizes)) > 1 else counted(sizes[0], "byte")
    return f"{counted(len(rows), 'piece')} in no whole frame  {WAYS[lane[0]]}, {lane[1]}, {size}{where}"


def show(
    console: Console, messages: Messages, groups: tuple[Group, ...], pieces: NDArray[np.bool_] | None
) -> None:
    """Print all groups; `pieces`: see `fold`."""
    if not groups:
        console.print("no messages in this file; `packwire info` says what is in it")
    whole, folded = fold(messages, groups, pieces)
    for group in whole:
        known = facts(messages, group)
        rate = "" if known.per_second is None else f", {known.per_second:.3g}/s"
        console.print(Text(title(group), style="bold"))
        console.print(f"  {_count(len(group), known)}{rate}")
        _print_bytes(console, "  example  ", known.example.hex(" "))
        if group.size:
            _print_bytes(console, "  constant ", _pattern(known.example, known.constant))
        if len(group) > 1 and not all(known.constant):
            _show_heat(console, messages, group)
        console.print()
    for line in folded:
        console.print(line)


def _count(count: int, known: GroupFacts) -> str:
    return f"{counted(count, 'message')}, {_packets(known.first_packet, known.last_packet)}"


def _packets(first: int, last: int) -> str:
    return f"packet {first}" if first == last else f"packets {first}..{last}"


def record(messages: Messages, group: Group, families: Mapping[Lane, str]) -> GroupRecord:
    """Return one group as a JSON object; `families` names the framing of each direction and channel."""
    known = facts(messages, group)
    counts = count_bits(messages.matrix(group.rows))
    return {
        "kind": "group",
        "direction": DIRECTION_NAMES[group.direction],
        "channel": str(group.channel),
        "framing": families.get(lasting((group.direction, group.channel))),
        "size": group.size,
        "header": header_text(group.header, group.skipped, ""),
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


def _print_bytes(console: Console, title: str, text: str) -> None:
    for line in hanging(console, Text(title + text), len(title.lstrip())):
        console.print(line)


def _pattern(example: bytes, constant: tuple[bool, ...]) -> str:
    return " ".join(f"{byte:02x}" if flag else "··" for byte, flag in zip(example, constant, strict=True))


def _show_heat(console: Console, messages: Messages, group: Group) -> None:
    """Print a row for each bit, a column for each byte; only stretches of bytes in which something moves."""
    activity = count_bits(messages.matrix(group.rows)).activity
    title = "  bit 7  "
    fits = (console.width - len(title)) // 3 // _FEWEST_ACROSS * _FEWEST_ACROSS
    across = min(max(fits, _FEWEST_ACROSS), _ACROSS)
    for begin in range(0, group.size, across):
        part = activity[begin : begin + across]
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
