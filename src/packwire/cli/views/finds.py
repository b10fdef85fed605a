"""What a scan found, as lines and as JSON: where, who, how strong, who reads it, and what to type."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from rich.text import Text

from packwire.cli.finds import Find, FindKind
from packwire.cli.terminal import printable

_HEADS: Final = {FindKind.BLUETOOTH: "Bluetooth", FindKind.VESC: "Network", FindKind.SERIAL: "Serial"}
_HEAD = 11
#: Devices with a name that nobody knows and that are shown unasked: the nearest.
_STRANGERS = 8
_LONGEST_NAME = 28
_WEAK = "weak: connections may break"


def record(find: Find) -> dict[str, Any]:
    """Return a find as a JSON object; `address` is what other commands take."""
    result: dict[str, Any] = {
        "kind": find.kind.value,
        "address": str(find.address),
        "description": description(find),
        "command": find.command,
    }
    if find.kind is not FindKind.BLUETOOTH:
        return result
    return result | {
        "name": find.name,
        "rssi": find.rssi,
        "weak": find.weak,
        "models": list(find.models),
        "aiobmsble": find.plugin or None,
    }


def description(find: Find) -> str:
    """Return what a find is, in words."""
    match find.kind:
        case FindKind.VESC:
            return f"VESC {find.name!r}"
        case FindKind.SERIAL:
            return find.name
    return f"{find.name} {_reader(find)}".strip()


def _reader(find: Find) -> str:
    """Return who reads it: `JBD (aiobmsble, model jbd)`."""
    if find.kind is FindKind.SERIAL:
        return ""
    if not find.speaks:
        return "nobody's"
    if find.kind is FindKind.VESC:
        return find.speaks
    by = ("aiobmsble",) * bool(find.plugin) + tuple(f"model {each}" for each in find.models)
    return f"{find.speaks} ({', '.join(by)})"


def lines(finds: Sequence[Find], width: int, *, everything: bool) -> Iterator[Text]:
    """Yield a table; where a line is wider than the terminal, what to type stands on the next."""
    shown = list(finds) if everything else _worth_a_line(finds)
    columns = [_columns(find) for find in shown]
    widths = [max((len(each[at]) for each in columns), default=0) for at in range(4)]
    before = None
    for find, cells in zip(shown, columns, strict=True):
        head = _HEADS[find.kind] if find.kind is not before else ""
        before = find.kind
        line = Text(f"{head:<{_HEAD}}")
        for at, cell in enumerate(cells):
            line.append(f"{cell:<{widths[at]}}", "bold" if at == 1 else "")
            line.append("  ")
        line.rstrip()
        if find.weak:
            line.append(f"  {_WEAK}", "yellow")
        command = printable(find.command)
        if line.cell_len + 2 + len(command) <= width:
            line.append(f"  {command}", "cyan")
            yield line
        else:
            yield from _folded(line, command, width)
    if hidden := len(finds) - len(shown):
        yield Text(f"{'':<{_HEAD}}and {hidden} more devices that nobody knows: --all shows them", "dim")


def _folded(line: Text, command: str, width: int) -> Iterator[Text]:
    line.truncate(max(width, 20), overflow="ellipsis")
    yield line
    yield Text(" " * _HEAD + command, "cyan")


def _worth_a_line(finds: Sequence[Find]) -> list[Find]:
    strangers = [each for each in finds if each.kind is FindKind.BLUETOOTH and not each.speaks]
    kept = [each for each in strangers if each.name][:_STRANGERS]
    return [each for each in finds if each not in strangers or each in kept]


def _columns(find: Find) -> tuple[str, str, str, str]:
    name = printable(find.name)
    name = name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"
    strength = "" if find.rssi is None else f"{find.rssi} dBm"
    return printable(find.place), name, strength, _reader(find)
