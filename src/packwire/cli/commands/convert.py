"""`packwire convert`: a recording in another format, fit to be shared."""

import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, BinaryIO

from cyclopts import Parameter

from packwire.capture import Capture, open_capture
from packwire.capture.growing import first_time
from packwire.capture.redact import redacted
from packwire.capture.writers import PACKET_FORMATS, format_of
from packwire.capture.writers import csv as csv_writer
from packwire.capture.writers.private import OWNER_ONLY
from packwire.cli.completion import formats
from packwire.cli.exit_codes import ExitCode
from packwire.cli.options import BytesOption, RawOption
from packwire.cli.output import require_free
from packwire.cli.terminal import Writer, make_console, printable
from packwire.errors import BadOptionError, not_written


def convert(
    source: Annotated[Path, Parameter(allow_leading_hyphen=True)],
    target: Path,
    /,
    *,
    format_: Annotated[str | None, Parameter(name="--format", completer=formats)] = None,
    keep_secrets: Annotated[bool, Parameter(negative=())] = False,
    force: Annotated[bool, Parameter(negative=())] = False,
    bytes_: BytesOption = "hex",
    raw: RawOption = False,
) -> int:
    """Write a recording in another format: btsnoop, pcap, pcapng (packets), csv, parquet (messages).

    Hub logins, keys, passwords, PINs, serial numbers, Bluetooth addresses and names, and text that an app
    wrote nobody knows why, are masked unless --keep-secrets is given, and what was masked is said. IP and
    Ethernet addresses stay.

    Parameters
    ----------
    source
        A recording of any format that is known; `-` is standard input.
    target
        The file to write; its name tells the format.
    format_
        The format, where the name does not tell it.
    keep_secrets
        Write everything as it is: passwords, keys, addresses and names too.
    force
        Write over a file that is there already.
    raw
        In csv and parquet, each ATT value or TCP segment as it is, nothing put together.
    """
    name = format_of(target, format_)
    if str(source) != "-" and target.exists() and source.exists() and target.samefile(source):
        raise BadOptionError(f"{target}: this is the source itself; give another name")
    require_free(target, force=force or target.is_char_device())
    redact = not keep_secrets
    capture = open_capture(source, decimal=bytes_ == "decimal")
    counts: dict[str, int] = {}
    if redact:
        changed = redacted(capture.packets)
        counts = changed.counts
        capture = Capture(target.name, changed.packets)
    notes = _write(capture, name, target, raw=raw, redact=redact)
    _tell(capture, name, target, notes, counts, redact=redact)
    return ExitCode.BAD_FILE if capture.damage else ExitCode.OK


def _write(capture: Capture, name: str, target: Path, *, raw: bool, redact: bool) -> tuple[str, ...]:
    """Write a file next to its place, and put it there when it is whole."""
    try:
        with ExitStack() as stack:
            file = stack.enter_context(
                tempfile.NamedTemporaryFile(dir=target.parent, prefix=f".{target.name}.", delete=False)
            )
            part = Path(file.name)
            stack.callback(part.unlink, missing_ok=True)
            notes = _write_to(capture, name, file, raw=raw)  # type: ignore[arg-type] # a file all the same
            file.close()
            part.chmod(0o644 if redact else OWNER_ONLY)
            part.replace(target)
    except OSError as error:
        raise not_written(target, error) from error
    return notes


def _write_to(capture: Capture, name: str, file: BinaryIO, *, raw: bool) -> tuple[str, ...]:
    if name in PACKET_FORMATS:
        return PACKET_FORMATS[name](capture.packets, file)
    messages = capture.raw_messages if raw else capture.messages
    if name == "csv":
        parts = [(capture.name, messages, first_time(capture.packets))]
        file.writelines(line.encode() + b"\n" for line in csv_writer.lines(csv_writer.table(parts)))
    else:
        from packwire.capture.writers import parquet  # noqa: PLC0415 - an extra

        parquet.write([(capture.name, messages)], file)
    return ()


def _tell(
    capture: Capture, name: str, target: Path, notes: tuple[str, ...], counts: dict[str, int], *, redact: bool
) -> None:
    """Say on standard error what was written, left out and masked."""
    out = Writer(make_console(stderr=True))
    for line in capture.damage:
        out.line(("DAMAGED: ", "bold red"), printable(line))
    for line in capture.notes:
        out.line(printable(line))
    packets = name in PACKET_FORMATS
    count, what = (len(capture.packets), "packets") if packets else (len(capture.messages), "messages")
    out.line((printable(str(target)), "bold"), f": {name}, {count} {what}")
    for note in notes:
        out.line(f"  {note}")
    if not redact:
        out.line(("  NOT redacted: ", "bold yellow"), "do not share this file")
    elif counts:
        out.line("  masked: ", ", ".join(f"{what} ({count})" for what, count in counts.items()))
    else:
        out.line("  nothing to mask was found")
