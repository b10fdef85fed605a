"""`packwire messages`: what was said, one line a message, from a recording of any kind."""

import sys
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from packwire.capture import Capture
from packwire.capture.content import look
from packwire.capture.follow import follow_packets
from packwire.capture.growing import Show, first_time, new_messages
from packwire.capture.packets import NO_TIME
from packwire.capture.readings import Readings, all_models
from packwire.cli.completion import channels
from packwire.cli.exit_codes import ExitCode, exit_code_for
from packwire.cli.limits import at_least_one
from packwire.cli.masked import masked, open_masked
from packwire.cli.options import (
    BytesOption,
    CountOption,
    JsonOption,
    KeepSecretsOption,
    ModelsOption,
    RawOption,
    RedactOption,
)
from packwire.cli.output import open_output, write_lines
from packwire.cli.terminal import Writer, make_console, printable
from packwire.cli.views.messages import MessageTable, csv_lines, json_lines, text_lines
from packwire.cli.views.messages import show as show_tables
from packwire.errors import BadOptionError
from packwire.messages import Direction, Messages
from packwire.models.store import use

_WAYS = {"to": Direction.TO_DEVICE, "from": Direction.FROM_DEVICE, "unknown": Direction.UNKNOWN}


@dataclass(frozen=True, slots=True)
class Filter:
    """Which messages the user wants; seconds count from the first packet of each file."""

    channels: tuple[str, ...] = ()
    direction: Direction | None = None
    prefix: bytes = b""
    begin: float | None = None
    end: float | None = None

    def of(self, messages: Messages, first: int) -> Messages:
        """Return the messages that fit; `first` is the time of the file's first packet."""
        return messages.where(
            prefix=self.prefix,
            channel=self.channels,
            direction=self.direction,
            begin=None if self.begin is None else first + round(self.begin * 1e9),
            end=None if self.end is None else first + round(self.end * 1e9),
        )


@dataclass(frozen=True, slots=True)
class OutputForm:
    """How messages are shown."""

    raw: bool = False
    absolute: bool = False
    json: bool = False
    csv: bool = False
    decode: bool = False


def messages(
    file: Annotated[Path, Parameter(allow_leading_hyphen=True)],
    /,
    *more: Path,
    channel: Annotated[list[str] | None, Parameter(alias="-c", completer=channels)] = None,
    direction: Annotated[Literal["to", "from", "unknown"] | None, Parameter(alias="-d")] = None,
    prefix: Annotated[str, Parameter(alias="-p")] = "",
    from_: Annotated[float | None, Parameter(name="--from")] = None,
    to: float | None = None,
    count: CountOption = None,
    raw: RawOption = False,
    decode: Annotated[bool, Parameter(negative=())] = False,
    models: ModelsOption = (),
    absolute: Annotated[bool, Parameter(negative=())] = False,
    json: JsonOption = False,
    csv: Annotated[bool, Parameter(negative=())] = False,
    parquet: Path | None = None,
    follow: Annotated[bool, Parameter(alias="-f", negative=())] = False,
    redact: RedactOption = False,
    keep_secrets: KeepSecretsOption = False,
    bytes_: BytesOption = "hex",
) -> int:
    """Show the messages in recordings: packets, time, direction, channel, size, bytes, text.

    `->` is towards the device (the battery), `<-` from it. Packets are numbered as in Wireshark, times are
    seconds since the first packet of the file. Messages that came in several pieces are put together where
    their framing is known; --raw shows the pieces.

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
    decode
        The values of each message that a model knows, instead of its bytes; `packwire model list`.
    absolute
        Times of the day in UTC instead of seconds.
    csv
        One row a message instead of text.
    parquet
        Write a Parquet file instead of text (needs the extra `parquet`).
    follow
        Go on with what is added to the file (pcap, pcapng, btsnoop), until Ctrl-C. A message whose last piece
        is still to come may show its first pieces before.
    """
    if decode and (raw or parquet is not None):
        raise BadOptionError(
            "--decode reads whole messages, as text, JSON or CSV: leave out --raw and --parquet"
        )
    use(models)
    if json + csv + (parquet is not None) > 1:
        raise BadOptionError("--json, --csv and --parquet exclude each other")
    at_least_one("--count", count)
    if from_ is not None and to is not None and to < from_:
        raise BadOptionError(f"--from {from_:g} is behind --to {to:g}: nothing can be between them")
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
        return _follow(
            file, wanted, OutputForm(raw=raw, absolute=absolute, json=json, csv=csv, decode=decode), show
        )
    shown = [open_masked(each, bytes_, redact=redact, keep_secrets=keep_secrets) for each in (file, *more)]
    tables = [_table(capture, wanted, count, raw=raw, decode=decode) for capture in shown]
    if parquet is not None:
        write_parquet(parquet, [(table.name, table.messages) for table in tables])
    elif json:
        write_lines(json_lines(tables))
    elif csv:
        write_lines(csv_lines(tables))
    else:
        show_tables(tables, absolute)
    _explain(shown)
    _explain_filter(shown, tables, wanted)
    _tell_masked(shown, redact=redact)
    return exit_code_for(shown, found=any(len(capture.messages) for capture in shown))


def _follow(file: Path, wanted: Filter, form: OutputForm, show: Show) -> int:
    """Show messages as they arrive."""
    steps = follow_packets(file, pauses=True)
    console = make_console()
    out, width = Writer(console), console.width if console.is_terminal else None
    name = "standard input" if str(file) == "-" else str(file)
    head = form.csv
    readings = Readings(all_models()) if form.decode else None
    found = new_messages(name, steps, raw=form.raw, show=show)
    for arrived, first in found:
        table = MessageTable(name, wanted.of(arrived, first), first, readings)
        if form.json:
            write_lines(json_lines([table]))
        elif form.csv:
            lines = list(csv_lines([table]))
            write_lines(lines if head else lines[1:])
            head = False
        else:
            for line in text_lines(table, form.absolute, width):
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


def _table(capture: Capture, wanted: Filter, count: int | None, *, raw: bool, decode: bool) -> MessageTable:
    found = capture.raw_messages if raw else capture.messages
    first = first_time(capture.packets)
    readings = Readings(all_models()) if decode else None
    return MessageTable(capture.name, wanted.of(found, first)[:count], first, readings)


def write_parquet(path: Path, tables: list[tuple[str, Messages]]) -> None:
    """Write messages to a Parquet file. Raises MissingExtraError, BadFileError."""
    from packwire.capture.writers import parquet as parquet_writer  # noqa: PLC0415 - an extra

    parquet_writer.check()
    with ExitStack() as stack:
        parquet_writer.write(tables, open_output(path, stack))


def _explain(captures: list[Capture]) -> None:
    """Say on standard error what is damaged or was not read, and why a file shows nothing."""
    out = Writer(make_console(stderr=True))
    for capture in captures:
        for line in capture.damage:
            out.line(("DAMAGED: ", "bold red"), printable(f"{capture.name}: {line}"))
        for note in capture.notes:
            out.line(printable(f"{capture.name}: {note}"))
        if not len(capture.messages):
            from packwire.doctor.log.rules.recording import why_empty  # noqa: PLC0415 - seldom needed

            why = why_empty(look(capture))
            assert why is not None
            out.line((printable(capture.name), "bold"), f": {why.words} {why.remedy}")


def _explain_filter(captures: list[Capture], tables: list[MessageTable], wanted: Filter) -> None:
    """Say on standard error why nothing is shown of files that hold messages."""
    if any(len(table.messages) for table in tables):
        return
    out = Writer(make_console(stderr=True))
    for capture, table in zip(captures, tables, strict=True):
        found = capture.messages
        if not len(found):
            continue
        here = [name for name in found.channels if any(each in str(name).lower() for each in wanted.channels)]
        if wanted.channels and not here:
            there = ", ".join(map(str, found.channels))
            why = f"no channel holds {' or '.join(wanted.channels)}; there are {there}"
        elif wanted.begin is not None or wanted.end is not None:
            times = found.time[found.time != NO_TIME]
            last = table.seconds(int(times.max())) if len(times) else None
            why = (
                "it does not say when messages came"
                if last is None
                else f"no message fits; they end {last:.1f} s after the first packet"
            )
        else:
            why = f"none of its {len(found)} messages fits"
        out.line((printable(capture.name), "bold"), f": {printable(why)}")


def _tell_masked(shown: list[Capture], *, redact: bool) -> None:
    """Say on standard error what is not shown as it was recorded, in the whole of each file."""
    out = Writer(make_console(stderr=True))
    for capture in shown:
        if capture.masked:
            kinds = ", ".join(f"{what} ({count})" for what, count in capture.masked.items())
            remedy = "" if redact else "; --keep-secrets shows them"
            out.line((printable(capture.name), "bold"), f": masked: {kinds}{remedy}")
