"""How a live reading is shown: a card with bars on a terminal, lines in a pipe, JSON for scripts."""

import contextlib
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol, Self, cast

from rich.console import Console
from rich.live import Live
from rich.text import Text

from packwire.cli.terminal import hanging, make_console, printable
from packwire.cli.views.card import (
    INDENT,
    node_lines,
    node_summary,
    shown,
    spread_text,
    temperature_text,
    title,
)
from packwire.cli.views.cell_bars import cell_bars
from packwire.cli.views.samples import node_record, sample_record, units
from packwire.clock import iso_time
from packwire.device import Device, Node, NodeKind, Statistics
from packwire.device.follow import Connected, Event, Outage, Reading
from packwire.errors import PackwireError
from packwire.sample import Condition, Sample
from packwire.visible import record_text

if TYPE_CHECKING:
    from packwire.cli.records.live import Connected as ConnectedRecord
    from packwire.cli.records.live import Node as NodeRecord
    from packwire.cli.records.live import Outage as OutageRecord

#: Drawing costs more than polling: twice a second is enough for eyes.
DRAW_INTERVAL = 0.5
#: Seconds after which an outage that is as it was is said again; so many tries are not worth counting.
_SAY_AGAIN, _FIRST_TRIES = 600.0, 5
#: Columns of cells where several devices share a terminal.
_CLOSE_COLUMNS = 4


class View(AbstractContextManager["View"], Protocol):
    """How events are shown."""

    def show(self, event: Event) -> None:
        """Take one event."""


@dataclass(slots=True)
class Rates:
    """How the polling goes: readings a second, losses, and how long replies take."""

    started: float = field(default_factory=time.monotonic)
    readings: int = 0
    asked: int = 0
    lost: int = 0
    recent: deque[float] = field(default_factory=lambda: deque(maxlen=50))
    statistics: Statistics = field(default_factory=Statistics)

    def count(self, reading: Reading) -> None:
        """Take one reading."""
        self.readings += 1
        self.recent.append(time.monotonic())
        asked = [sample for sample in reading.samples if sample.node in reading.device.asked]
        self.asked += len(asked)
        self.lost += sum(sample.condition is Condition.SILENT for sample in asked)
        self.statistics = reading.device.statistics

    def __str__(self) -> str:
        span = self.recent[-1] - self.recent[0] if len(self.recent) > 1 else 0.0
        rate = (len(self.recent) - 1) / span if span else 0.0
        text = f"{self.readings} readings   {rate:.1f} a second   lost {self.lost} of {self.asked}"
        ordered = sorted(self.statistics.latencies)
        if ordered:
            text += f"   reply {ordered[len(ordered) // 2] * 1000:.1f} ms, worst {ordered[-1] * 1000:.1f} ms"
        text = f"{text}   {time.monotonic() - self.started:.0f} s"
        return "   ".join((text, *self.statistics.oddities))


class LineView:
    """One line a reading, for pipes and files."""

    def __init__(self, console: Console, wants: Callable[[Node], bool]) -> None:
        self._console = console
        self._wants = wants
        self._rates = Rates()
        self._said, self._said_at, self._tries = ("", 0.0), 0.0, 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._rates.readings:
            make_console(stderr=True).print(str(self._rates), style="dim")

    def show(self, event: Event) -> None:
        """Print one event."""
        match event:
            case Connected(device):
                names = ", ".join(printable(node.name) for node in device.nodes)
                self._print(f"connected {device.where}: {names}")
            case Outage(error, retry_in):
                self._tries += 1
                if self._is_news(event):
                    tries = f"{self._tries} tries; " if self._tries > _FIRST_TRIES else ""
                    self._print(f"{error} ({tries}trying again in {retry_in:g} s)", "red")
            case Reading(device, samples):
                self._said, self._tries = ("", 0.0), 0
                self._rates.count(event)
                self._print("  |  ".join(_line_parts(device, samples, self._wants)))

    def _is_news(self, outage: Outage) -> bool:
        """Tell whether it is another outage than the one before, or has lasted: a night is no 3 000 lines."""
        said, now = (str(outage.error), outage.retry_in), time.monotonic()
        if said == self._said and now - self._said_at < _SAY_AGAIN:
            return False
        self._said, self._said_at = said, now
        return True

    def _print(self, text: str, style: str = "") -> None:
        now = datetime.now().astimezone()
        self._console.print(f"{now:%H:%M:%S}.{now.microsecond // 1000:03}  {text}", style=style)


def _line_parts(device: Device, samples: tuple[Sample, ...], wants: Callable[[Node], bool]) -> Iterator[str]:
    nodes = {node.key: node for node in device.nodes}
    wanted = [node for node in nodes.values() if wants(node)]
    for sample in samples:
        node = nodes[sample.node]
        if not wants(node) or (node.kind is NodeKind.GATEWAY and len(wanted) > 1):
            continue
        line = node_summary(node, sample).plain.strip()
        values = sample.values
        if values.get("cell_voltages"):
            line += (
                f"   {shown('cell_voltage_min', values)} .. {shown('cell_voltage_max', values)}"
                f"   spread {cast('float', values['cell_voltage_spread']) * 1000:.0f} mV"
            )
        yield line


class JsonView:
    """JSON lines: each node when it is found, each unit before the first value that has it."""

    def __init__(self, wants: Callable[[Node], bool]) -> None:
        self._wants = wants
        self._told: dict[str, NodeRecord] = {}
        self._units: dict[str, str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return

    def show(self, event: Event) -> None:
        """Print one event as JSON."""
        match event:
            case Connected(device):
                self._print(_connected(device))
                self._tell_nodes(device)
            case Outage(error, retry_in):
                self._print(_outage(error, retry_in))
            case Reading(device, samples):
                self._tell_nodes(device)
                shown = [sample for sample in samples if sample.node in self._told]
                self._tell_units({key for sample in shown for key in sample.values})
                for sample in shown:
                    self._print(sample_record(sample, self._told[sample.node]["identity"]))

    def _tell_nodes(self, device: Device) -> None:
        """Tell those that are new, or of which something else is known now."""
        for node in device.nodes:
            record = node_record(node)
            if self._wants(node) and self._told.get(node.key) != record:
                self._told[node.key] = record
                self._print(record)

    def _tell_units(self, keys: set[str]) -> None:
        new = {key: unit for key, unit in units(keys).items() if key not in self._units}
        if new:
            self._units |= new
            self._print({"kind": "units", "units": new})

    def _print(self, record: Mapping[str, Any]) -> None:
        print(record_text(record), flush=True)


def _connected(device: Device) -> "ConnectedRecord":
    return {
        "kind": "connected",
        "time": iso_time(time.time_ns()),
        "device": device.name,
        "firmware": device.firmware,
        "identity": device.identity,
        "link": device.link,
    }


def _outage(error: PackwireError, retry_in: float) -> "OutageRecord":
    return {
        "kind": "outage",
        "time": iso_time(time.time_ns()),
        "error": str(error),
        "reason": error.reason.value,
        "retry_in": retry_in,
    }


#: Values of before: grey on white and on black alike.
OLD = "bright_black"
_BEGIN_UPDATE, _END_UPDATE = "\x1b[?2026h", "\x1b[?2026l"


def _fitted(lines: list[Text], height: int) -> list[Text]:
    """Leave out lines where a terminal has too few, and say how many; what is on top stays."""
    if len(lines) < height:
        return lines
    left_out = len(lines) - height + 2
    return [*lines[: height - 2], Text(f"{INDENT}... {left_out} more lines: make the terminal higher", "dim")]


class _Card:
    """What is shown of one device: its last reading, and an outage above it."""

    def __init__(self, draw: Callable[[], None], wants: Callable[[Node], bool]) -> None:
        self._draw = draw
        self._wants = wants
        self._rates = Rates()
        self._outage: Outage | None = None
        self._read_at = 0.0
        self._reading: Reading | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return

    def show(self, event: Event) -> None:
        """Take one event."""
        match event:
            case Reading():
                self._rates.count(event)
                self._reading, self._outage, self._read_at = event, None, time.monotonic()
            case Outage():
                self._outage = event
            case Connected():
                pass  # its values are still those of before
        self._draw()

    @property
    def is_out(self) -> bool:
        """Whether there are no new values now."""
        return self._outage is not None

    def lines(self, console: Console, columns: int | None) -> Iterator[Text]:
        """Yield the card; what is shown beneath an outage is grey and has its age."""
        if self._outage:
            when = f"trying again in {self._outage.retry_in:g} s"
            yield from hanging(
                console, Text(f"NO DATA: {printable(str(self._outage.error))} ({when})", "bold red")
            )
            if self._reading:
                age = time.monotonic() - self._read_at
                yield from hanging(console, Text(f"What follows is {age:.0f} s old.", "red"))
        if self._reading:
            card = card_lines(self._reading, self._wants, console.width, columns)
            for line in (*card, Text(str(self._rates), "dim")):
                yield from hanging(console, Text(line.plain, OLD) if self._outage else line)


class CardView:
    """Live cards on a terminal, one a device; drawn at most twice a second."""

    def __init__(self, console: Console, wants: Callable[[Node], bool], devices: int = 1) -> None:
        self.cards = [_Card(self._changed, wants) for _ in range(devices)]
        self._columns = None if devices == 1 else _CLOSE_COLUMNS
        self._outages = 0
        self._drawn = 0.0
        self._live = Live(console=console, auto_refresh=False, vertical_overflow="crop")

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._draw()
        self._live.stop()

    def show(self, event: Event) -> None:
        """Take one event of the first device."""
        self.cards[0].show(event)

    def _changed(self) -> None:
        outages = sum(card.is_out for card in self.cards)
        if outages > self._outages or time.monotonic() - self._drawn >= DRAW_INTERVAL:
            self._draw()
        self._outages = outages

    def lines(self) -> list[Text]:
        """Return the cards, one below the other."""
        cards = (list(card.lines(self._live.console, self._columns)) for card in self.cards)
        return list(_stacked(cards))

    def _draw(self) -> None:
        """Draw at once: a terminal that knows synchronized updates shows no half of it."""
        self._drawn = time.monotonic()
        console = self._live.console
        lines = _fitted(self.lines(), console.height)
        console.file.write(_BEGIN_UPDATE)
        self._live.update(Text("\n").join(lines), refresh=True)
        console.file.write(_END_UPDATE)
        console.file.flush()


def _stacked(cards: Iterable[list[Text]]) -> Iterator[Text]:
    """Yield cards one below the other, with a line between them."""
    for number, lines in enumerate(card for card in cards if card):
        if number:
            yield Text("")
        yield from lines


def card_lines(
    reading: Reading, wants: Callable[[Node], bool], width: int, columns: int | None = None
) -> Iterator[Text]:
    """Yield the lines of the live card: like that of `read`, with the cells as bars in so many columns."""
    device = reading.device
    yield title(device.name, device.firmware, device.where)
    nodes = {node.key: node for node in device.nodes}
    for sample in reading.samples:
        node = nodes[sample.node]
        if not wants(node):
            continue
        if not sample.values.get("cell_voltages"):
            yield from node_lines(node, sample, width)
            continue
        yield node_summary(node, sample)
        yield from cell_bars(sample, width, columns)
        details = (spread_text(sample.values), temperature_text(sample.values))
        yield from (Text(INDENT * 2 + detail) for detail in details if detail)


def make_view(wants: Callable[[Node], bool], *, json: bool = False) -> View:
    """Return the view for where the output goes; `wants` picks the nodes to show."""
    if json:
        return JsonView(wants)
    console = make_console()
    return CardView(console, wants) if console.is_terminal else LineView(console, wants)


@contextlib.contextmanager
def side_by_side(devices: int) -> Iterator[list[View]]:
    """Show several devices: a card each on a terminal, their lines mixed in a pipe."""
    console = make_console()
    if console.is_terminal:
        with CardView(console, lambda _: True, devices) as view:
            yield [*view.cards]
    else:
        with contextlib.ExitStack() as stack:
            yield [stack.enter_context(LineView(console, lambda _: True)) for _ in range(devices)]
