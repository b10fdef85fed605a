"""Messages as lines of text, JSON and CSV."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from packwire.capture.packets import NO_TIME
from packwire.capture.readings import MessageReading, Readings, TableReadings, all_models, keys_of
from packwire.capture.writers import csv as csv_writer
from packwire.cli.terminal import Writer, make_console, printable
from packwire.cli.views.samples import rounded
from packwire.direction import DIRECTION_NAMES
from packwire.messages import Direction, Messages
from packwire.quantity import Scalar, Value
from packwire.value_words import value_words
from packwire.visible import record_text

if TYPE_CHECKING:
    from packwire.cli.records.recordings import Message

_ARROWS = {
    Direction.TO_DEVICE: ("->", "cyan"),
    Direction.FROM_DEVICE: ("<-", "green"),
    Direction.UNKNOWN: ("--", "dim"),
}
#: On a terminal, the bytes of a message that do not fit in its line are counted instead of shown. What stands
#: beside the channel and the bytes takes so many columns, and so many bytes are shown in any case.
_OTHER_COLUMNS, _LEAST_SHOWN = 46, 8


@dataclass(frozen=True, slots=True)
class MessageTable:
    """The messages of one file that are shown; `first` is the time of its first packet."""

    name: str
    messages: Messages
    first: int
    readings: Readings | None = None
    """What reads them, where their values are wanted."""

    @property
    def reader(self) -> TableReadings | None:
        """Return what reads the messages by the numbers of their channels."""
        return None if self.readings is None else TableReadings(self.readings, self.messages)

    def seconds(self, time: int) -> float | None:
        """Return seconds since the first packet; None where the file does not say."""
        return None if NO_TIME in (time, self.first) else (time - self.first) / 1e9


def show(tables: list[MessageTable], absolute: bool) -> None:
    """Print the messages of each file."""
    console = make_console()
    out = Writer(console)
    for table in tables:
        if len(tables) > 1:
            out.line((printable(table.name), "bold"), f": {len(table.messages)} messages")
        for line in text_lines(table, absolute, console.width if console.is_terminal else None):
            out.line(*line)


type _Line = tuple[str | tuple[str, str], ...]


def text_lines(table: MessageTable, absolute: bool, columns: int | None) -> Iterator[_Line]:
    """Yield a line a message, cut to a terminal's columns."""
    found = table.messages
    texts = [str(each) for each in found.channels]
    widths = [len(text) for text in texts]
    width = max((widths[code] for code in np.unique(found.channel).tolist()), default=0)
    most = None if columns is None else max((columns - _OTHER_COLUMNS - width) // 4, _LEAST_SHOWN)
    rows = zip(found.time.tolist(), found.direction.tolist(), found.channel.tolist(), strict=True)
    reader = table.reader
    for row, (time, direction, channel) in enumerate(rows):
        payload = found.payload(row)
        cut = payload if most is None else payload[:most]
        rest = f" and {len(payload) - len(cut)} more" if len(cut) < len(payload) else ""
        seconds = table.seconds(time)
        when = "" if seconds is None else f"{seconds:.4f}"
        if absolute:
            when = csv_writer.iso_time(time)[:26]
        head = (
            f"{_packets(found.packets_of(row)):>9} {when or '-':>10} ",
            _ARROWS[direction],
            f" {printable(texts[channel]):<{width}} {len(payload):4}  ",
        )
        reading = reader.read(row, payload) if reader else None
        if reading is not None:
            said = reading_text(reading)
            yield (*head, said if columns is None else said[: max(columns - _OTHER_COLUMNS + 20 - width, 40)])
            continue
        yield (*head, cut.hex(" "), rest, ("  " + _ascii(cut), "dim"))


def _packets(numbers: tuple[int, ...]) -> str:
    if not numbers:
        return "-"
    return str(numbers[0]) if len(numbers) == 1 else f"{numbers[0]}..{numbers[-1]}"


def _ascii(payload: bytes) -> str:
    return "|" + "".join(chr(byte) if 32 <= byte < 127 else "." for byte in payload) + "|"


def reading_text(reading: MessageReading) -> str:
    """Return what a message says, in one line: `basic info  13.32 V  -2.87 A  SoC 76 %`."""
    return printable("  ".join((reading.name, *value_words(reading.values))))


def json_lines(tables: list[MessageTable]) -> Iterator[str]:
    """Yield one JSON object a message."""
    for table in tables:
        found, reader = table.messages, table.reader
        for row, time in enumerate(found.time.tolist()):
            payload = found.payload(row)
            record: Message = {
                "kind": "message",
                "time": csv_writer.iso_time(time) or None,
                "at": table.seconds(time),
                "file": table.name,
                "packets": list(found.packets_of(row)),
                "direction": DIRECTION_NAMES[Direction(int(found.direction[row]))],
                "channel": str(found.channels[int(found.channel[row])]),
                "size": len(payload),
                "hex": payload.hex(),
            }
            if reader is not None:
                reading = reader.read(row, payload)
                record["model"] = reading.model if reading else None
                record["name"] = reading.name if reading else None
                record["values"] = _rounded(reading) if reading else {}
            yield record_text(record)


def _rounded(reading: MessageReading) -> dict[str, Value]:
    return {key: rounded(value) for key, value in reading.values.items()}


def csv_lines(tables: list[MessageTable]) -> Iterator[str]:
    """Yield the head and one row a message; with a column a quantity where values are wanted."""
    rows = csv_writer.table((table.name, table.messages, table.first) for table in tables)
    if not any(table.readings for table in tables):
        return csv_writer.lines(rows)
    return csv_writer.lines(_with_values(rows, tables))


def _with_values(rows: Iterator[tuple[str, ...]], tables: list[MessageTable]) -> Iterator[tuple[str, ...]]:
    keys = keys_of(all_models())
    yield (*next(rows), "protocol", "message", *keys)
    for table in tables:
        found, reader = table.messages, table.reader
        for row in range(len(found)):
            read = reader.read(row, found.payload(row)) if reader else None
            said = _rounded(read) if read else {}
            cells = (_cell(said.get(key)) for key in keys)
            yield (*next(rows), read.model if read else "", read.name if read else "", *cells)


def _cell(value: Value | list[Scalar] | None) -> str:
    if isinstance(value, list | tuple):
        return " ".join(map(_cell, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else printable(str(value))
