"""What a scan found, as lines and as JSON: where, who, how strong, who reads it, and what to type."""

from collections.abc import Iterator, Sequence
from typing import Final

from rich.text import Text

from packwire.address import LinkKind
from packwire.cli.records.live import Find as FindRecord
from packwire.cli.terminal import printable
from packwire.link.scan import Find

_HEADS: Final = {LinkKind.BLE: "Bluetooth", LinkKind.TCP: "Network", LinkKind.SERIAL: "Serial"}
_HEAD = 11
#: Devices with a name that nobody knows and that are shown unasked: the nearest.
_STRANGERS = 8
_LONGEST_NAME = 28
_WEAK = "weak: connections may break"


def record(find: Find) -> FindRecord:
    """Return a find as a JSON object."""
    result: FindRecord = {
        "kind": "find",
        "link": find.link.value,
        "address": find.address,
        "description": find.description,
        "command": find.command,
    }
    if find.link is LinkKind.BLE:
        result["name"] = find.name
        result["rssi"] = find.rssi
        result["weak"] = find.weak
        result["models"] = list(find.models)
        result["aiobmsble"] = find.plugin or None
    return result


def _reader(find: Find) -> str:
    """Return who reads it: `JBD (aiobmsble, model jbd)`."""
    if find.link is LinkKind.SERIAL:
        return find.speaks
    if not find.speaks:
        return "nobody's"
    if find.link is LinkKind.TCP:
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
        head = _HEADS[find.link] if find.link is not before else ""
        before = find.link
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
    strangers = [each for each in finds if each.link is LinkKind.BLE and not each.speaks]
    kept = [each for each in strangers if each.name][:_STRANGERS]
    return [each for each in finds if each not in strangers or each in kept]


def _columns(find: Find) -> tuple[str, str, str, str]:
    name = printable(find.name)
    name = name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"
    strength = "" if find.rssi is None else f"{find.rssi} dBm"
    return printable(find.place), name, strength, _reader(find)
