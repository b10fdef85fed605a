"""`packwire messages`: what was said, one line a message, from a recording of any kind."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any, BinaryIO, Literal

import numpy as np
from cyclopts import Parameter
from numpy.typing import NDArray

from packwire.capture import Capture, open_capture
from packwire.capture.content import advice, look
from packwire.capture.follow import follow_packets
from packwire.capture.growing import Show, first_time, new_messages
from packwire.capture.packets import NO_TIME
from packwire.capture.writers import csv as csv_writer
from packwire.capture.writers.private import private
from packwire.cli.decode_text import Writer
from packwire.cli.exit_codes import ExitCode
from packwire.cli.masked import masked
from packwire.cli.numbers import BytesOption
from packwire.cli.terminal import make_console, printable
from packwire.errors import BadFileError, BadOptionError
from packwire.messages import Direction, Messages
from packwire.visible import json_text

_ARROWS = {
    Direction.TO_DEVICE: ("->", "cyan"),
    Direction.FROM_DEVICE: ("<-", "green"),
    Direction.UNKNOWN: ("--", "dim"),
}
_WAYS = {"to": Direction.TO_DEVICE, "from": Direction.FROM_DEVICE, "unknown": Direction.UNKNOWN}
#: On a terminal, the bytes of a message that do not fit in its line are counted instead of shown. What stands
#: beside the channel and the bytes takes so many columns, and so many bytes are shown in any case.
_OTHER_COLUMNS, _LEAST_SHOWN = 46, 8


@dataclass(frozen=True, slots=True)
class Filter:
    """Which messages the user wants; seconds count from the first packet of each file."""

    channels: tuple[str, ...] = ()
    direction: Direction | None = None
    prefix: bytes = b""
    begin: float | None = None
    end: float | None = None

    def rows(self, messages: Messages, first: int) -> NDArray[np.int64]:
        """Return the rows of the messages that fit."""
        fits = np.ones(len(messages), dtype=np.bool_)
        if self.channels:
            wanted = [
                any(each in str(channel).lower() for each in self.channels) for channel in messages.channels
            ]
            fits &= np.array(wanted, dtype=np.bool_)[messages.channel]
        if self.direction is not None:
            fits &= messages.direction == self.direction
        if self.begin is not None:
            fits &= (messages.time != NO_TIME) & (messages.time >= first + round(self.begin * 1e9))
        if self.end is not None:
            fits &= (messages.time != NO_TIME) & (messages.time <= first + round(self.end * 1e9))
        fits &= messages.size >= len(self.prefix)
        rows = np.flatnonzero(fits)
        if self.prefix:
            begins = [messages.payload(row).startswith(self.prefix) for row in rows.tolist()]
            rows = rows[np.array(begins, dtype=np.bool_)]
        return rows


@dataclass(frozen=True, slots=True)
class Form:
    """How messages are shown."""

    raw: bool = False
    absolute: bool = False
    json: bool = False
    csv: bool = False


@dataclass(frozen=True, slots=True)
class _Table:
    """The messages of one file that are shown; `first` is the time of its first packet."""

    name: str
    messages: Messages
    first: int

    def seconds(self, time: int) -> float | None:
        """Return seconds since the first packet; None where the file does not say."""
        return None if NO_TIME in (time, self.first) else (time - self.first) / 1e9


def messages(
    file: Annotated[Path, Parameter(allow_leading_hyphen=True)],
    /,
    *more: Path,
    channel: Annotated[list[str] | None, Parameter(alias="-c")] = None,
    direction: Annotated[Literal["to", "from", "unknown"] | None, Parameter(alias="-d")] = None,
    prefix: Annotated[str, Parameter(alias="-p")] = "",
    from_: Annotated[float | None, Parameter(name="--from")] = None,
    to: float | None = None,
    count: Annotated[int | None, Parameter(alias="-n")] = None,
    raw: Annotated[bool, Parameter(alias="-r", negative=())] = False,
    absolute: Annotated[bool, Parameter(alias="-a", negative=())] = False,
    json: Annotated[bool, Parameter(negative=())] = False,
    csv: Annotated[bool, Parameter(negative=())] = False,
    parquet: Path | None = None,
    follow: Annotated[bool, Parameter(alias="-f", negative=())] = False,
    redact: Annotated[bool, Parameter(negative=())] = False,
    keep_secrets: Annotated[bool, Parameter(negative=())] = False,
    bytes_: BytesOption = "hex",
) -> int:
    """Show the messages in recordings: packets, time, direction, channel, size, bytes, text.

    `->` is towards the device (the battery), `<-` from it. Packets are numbered as in Wireshark, times are
    seconds since the first packet of the file. Messages that came in several pieces are put together where
    their framing is known; --raw shows the pieces.

    Exit code 7 says that no file holds application data (`packwire info` says why), 9 that a file is damaged
    (what can be read is shown).

    Parameters
    ----------
    file
        A recording of any format that is known; `-` is standard input.
    more
        More recordings.
    channel
        Only channels whose name holds this text, such as `ff01` or `notify`; may be given several times.
    direction
        Only messages to the device, from it, or those of which nobody knows.
    prefix
        Only messages that begin with these bytes, in hexadecimal.
    from_
        Only from this second on.
    to
        Only up to this second.
    count
        Only the first so many that fit, of each file.
    raw
        Each ATT value or TCP segment as it is, nothing put together.
    absolute
        Times of the day in UTC instead of seconds.
    json
        One JSON object a line instead of text.
    csv
        One row a message instead of text.
    parquet
        Write a Parquet file instead of text (needs the extra `parquet`).
    follow
        Go on with what is added to the file (pcap, pcapng, btsnoop), until Ctrl-C. A message whose last piece
        is still to come may show its first pieces before.
    redact
        To be shared: made-up Bluetooth addresses and names, and all masked that `packwire convert` masks.
    keep_secrets
        Show hub logins, passwords and configurations (with their Wi-Fi keys) in clear.
    """
    if json + csv + (parquet is not None) > 1:
        raise BadOptionError("--json, --csv and --parquet exclude each other")
    wanted = Filter(
        tuple(each.lower() for each in channel or ()),
        None if direction is None else _WAYS[direction],
        parse_prefix(prefix),
        from_,
        to,
    )
    if follow:
        if more or count is not None or parquet is not None:
            raise BadOptionError("--follow takes one file, and neither --count nor --parquet")
        show = partial(masked, redact=redact, keep_secrets=keep_secrets)
        return _follow(file, wanted, Form(raw=raw, absolute=absolute, json=json, csv=csv), show)
    captures = [open_capture(each, decimal=bytes_ == "decimal") for each in (file, *more)]
    shown = [masked(capture, redact=redact, keep_secrets=keep_secrets) for capture in captures]
    tables = [_table(capture, wanted, count, raw=raw) for capture in shown]
    if parquet is not None:
        write_parquet(parquet, [(table.name, table.messages) for table in tables])
    elif json:
        _write(_json_lines(tables))
    elif csv:
        _write(_csv_lines(tables))
    else:
        _show(tables, absolute)
    _explain(shown)
    _tell_masked(shown, redact=redact)
    return exit_code(captures)


def _follow(file: Path, wanted: Filter, form: Form, show: Show) -> int:
    """Show messages as they arrive."""
    steps = follow_packets(file, pauses=True)
    console = make_console()
    out, width = Writer(console), console.width if console.is_terminal else None
    name = "standard input" if str(file) == "-" else str(file)
    head = form.csv
    found = new_messages(name, steps, raw=form.raw, show=show)
    for arrived, first in found:
        table = _Table(name, arrived.select(wanted.rows(arrived, first)), first)
        if form.json:
            _write(_json_lines([table]))
        elif form.csv:
            lines = list(_csv_lines([table]))
            _write(lines if head else lines[1:])
            head = False
        else:
            for line in _text_lines(table, form.absolute, width):
                out.line(*line)
        sys.stdout.flush()
    return ExitCode.OK


def parse_prefix(text: str) -> bytes:
    """Read bytes from hexadecimal digits, with or without blanks, colons or 0x."""
    try:
        return bytes.fromhex(text.lower().replace("0x", "").replace(":", " "))
    except ValueError:
        raise BadOptionError(
            f"{text!r} is no hexadecimal number of bytes: write for instance --prefix 'dd 03'"
        ) from None


def _table(capture: Capture, wanted: Filter, count: int | None, *, raw: bool) -> _Table:
    found = capture.raw_messages if raw else capture.messages
    first = first_time(capture.packets)
    rows = wanted.rows(found, first)
    return _Table(capture.name, found.select(rows if count is None else rows[:count]), first)


def _show(tables: list[_Table], absolute: bool) -> None:
    console = make_console()
    out = Writer(console)
    for table in tables:
        if len(tables) > 1:
            out.line((printable(table.name), "bold"), f": {len(table.messages)} messages")
        for line in _text_lines(table, absolute, console.width if console.is_terminal else None):
            out.line(*line)


type _Line = tuple[str | tuple[str, str], ...]


def _text_lines(table: _Table, absolute: bool, columns: int | None) -> Iterator[_Line]:
    found = table.messages
    texts = [str(each) for each in found.channels]
    widths = [len(text) for text in texts]
    width = max((widths[code] for code in np.unique(found.channel).tolist()), default=0)
    most = None if columns is None else max((columns - _OTHER_COLUMNS - width) // 4, _LEAST_SHOWN)
    rows = zip(found.time.tolist(), found.direction.tolist(), found.channel.tolist(), strict=True)
    for row, (time, direction, channel) in enumerate(rows):
        payload = found.payload(row)
        cut = payload if most is None else payload[:most]
        rest = f" and {len(payload) - len(cut)} more" if len(cut) < len(payload) else ""
        seconds = table.seconds(time)
        when = "" if seconds is None else f"{seconds:.4f}"
        if absolute:
            when = csv_writer.iso_time(time)[:26]
        yield (
            f"{_packets(found.packets_of(row)):>9} {when or '-':>10} ",
            _ARROWS[direction],
            f" {printable(texts[channel]):<{width}} {len(payload):4}  ",
            cut.hex(" "),
            rest,
            ("  " + _ascii(cut), "dim"),
        )


def _packets(numbers: tuple[int, ...]) -> str:
    if not numbers:
        return "-"
    return str(numbers[0]) if len(numbers) == 1 else f"{numbers[0]}..{numbers[-1]}"


def _ascii(payload: bytes) -> str:
    return "|" + "".join(chr(byte) if 32 <= byte < 127 else "." for byte in payload) + "|"


def _json_lines(tables: list[_Table]) -> Iterator[str]:
    for table in tables:
        found = table.messages
        for row, time in enumerate(found.time.tolist()):
            payload = found.payload(row)
            record: dict[str, Any] = {
                "file": table.name,
                "packets": list(found.packets_of(row)),
                "time": csv_writer.iso_time(time) or None,
                "seconds": table.seconds(time),
                "direction": csv_writer.DIRECTION_NAMES[Direction(int(found.direction[row]))],
                "channel": str(found.channels[int(found.channel[row])]),
                "size": len(payload),
                "hex": payload.hex(),
            }
            yield json_text(record)


def _csv_lines(tables: list[_Table]) -> Iterator[str]:
    return csv_writer.lines(csv_writer.table((table.name, table.messages, table.first) for table in tables))


def write_parquet(path: Path, tables: list[tuple[str, Messages]]) -> None:
    """Write messages to a Parquet file. Raises MissingExtraError, BadFileError."""
    from packwire.capture.writers import parquet as parquet_writer  # noqa: PLC0415 - an extra

    parquet_writer.check()
    with ExitStack() as stack:
        parquet_writer.write(tables, open_output(path, stack))


def open_output(path: Path, stack: ExitStack) -> BinaryIO:
    """Open a file to be written; raise BadFileError where that cannot be done."""
    try:
        return stack.enter_context(open(path, "wb", opener=private))
    except OSError as error:
        raise BadFileError(f"{path}: cannot be written ({error.strerror or error})") from error


def _write(lines: Iterable[str]) -> None:
    for line in lines:
        sys.stdout.write(line + "\n")


def _explain(captures: list[Capture]) -> None:
    """Say on standard error what is damaged or was not read, and why a file shows nothing."""
    out = Writer(make_console(stderr=True))
    for capture in captures:
        for line in capture.damage:
            out.line(("DAMAGED: ", "bold red"), printable(f"{capture.name}: {line}"))
        for note in capture.notes:
            out.line(printable(f"{capture.name}: {note}"))
        if not len(capture.messages):
            for each in advice(look(capture)):
                out.line((printable(capture.name), "bold"), f": {each.what} {each.remedy}")


def _tell_masked(shown: list[Capture], *, redact: bool) -> None:
    """Say on standard error what is not shown as it was recorded, in the whole of each file."""
    out = Writer(make_console(stderr=True))
    for capture in shown:
        if capture.masked:
            kinds = ", ".join(f"{what} ({count})" for what, count in capture.masked.items())
            remedy = "" if redact else "; --keep-secrets shows them"
            out.line((printable(capture.name), "bold"), f": masked: {kinds}{remedy}")


def exit_code(captures: list[Capture]) -> int:
    """Return 9 where a file is damaged, 7 where none holds application data, else 0."""
    if any(capture.damage for capture in captures):
        return ExitCode.BAD_FILE
    return ExitCode.OK if any(len(capture.messages) for capture in captures) else ExitCode.NO_DATA
