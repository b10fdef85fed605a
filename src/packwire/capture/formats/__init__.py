"""Capture file formats, one file each, recognised by their content and never by their name.

A new format is a module and a row (its name) in a table: in `BINARY` where the first bytes tell it (the
module has `NAME`, `matches(head)` and `read(data)`), in `TEXTS` where the form of its lines does (what such a
module has is in `packwire.capture.text.grammar`). They are tried in turn, and imported when their turn comes.
"""

from dataclasses import replace
from importlib import import_module
from typing import Protocol, cast

import numpy as np

from packwire.capture.appended import without_appended
from packwire.capture.packets import HEAD, Packets
from packwire.capture.text.grammar import TextFormat
from packwire.capture.text.lines import is_text
from packwire.capture.text.read import read_text
from packwire.capture.text.table import MAX_ROWS
from packwire.errors import BadFileError
from packwire.messages import Bytes


class Format(Protocol):
    """What a module of this package offers."""

    @property
    def NAME(self) -> str:  # noqa: N802 - it is a constant of each module
        """Return what users call the format."""

    def matches(self, head: bytes) -> bool:
        """Tell whether a file that begins with these bytes (`HEAD` at most) is of this format."""

    def read(self, data: Bytes) -> Packets:
        """Find the packets; raise BadFileError where there is nothing to be had."""


#: Modules of formats that a file's first bytes tell.
BINARY = ("btsnoop", "pcapng", "pcap", "packetlogger", "vector_blf", "wireshark_json")
#: Modules of text formats. A line belongs to the first whose form it has, so the most specific come first.
TEXTS = (
    "can_prints",
    "socat",
    "hexdump",
    "plain_hex",
    "candump",
    "wireshark_text",
    "nrfconnect",
    "homeassistant",
    "uart_debug",
    "esphome_log",
    "bms_to_inverter",
    "batmon",
    "mpp_solar",
    "libmodbus",
    "qmodmaster",
    "portmon",
    "typed_arrays",
    "tasmota",
    "sigrok",
    "gatttool",
    "btmon_text",
    "corebluetooth",
    "battery_emulator",
    "pcan_trc",
    "vector_asc",
    "busmaster",
    "crtd",
    "canhacker_trc",
    "slcan",
    "python_can_log",
    "kvaser",
    "saleae",
    "can_table",
    "usb_can_tool",
    "json_lines",
    "hex_table",
    "ascii_frames",
    "yat",
    "hexlines",
    "checked_lines",
)
#: Stands before the generic ones where the user says that numbers are bytes.
DECIMAL = "decimal_lines"

#: Of a text in a packed file so many messages are taken: a few kilobytes could hold many more.
PACKED_ROWS = 400_000


def reader(name: str) -> Format:
    """Return a format of `BINARY` (or `btsnooz`) by the name of its module; one with dots is anywhere."""
    return cast("Format", import_module(name if "." in name else f"{__name__}.{name}"))


def text_format(name: str) -> TextFormat:
    """Return a format of `TEXTS` by the name of its module; one with dots is anywhere."""
    return cast("TextFormat", import_module(name if "." in name else f"{__name__}.{name}"))


#: How texts begin that are no logs, whatever hex they hold.
_PAGES = (b"<!", b"<?", b"<html", b"<HTML", b"<head")

#: Files that people hand over in place of a capture, by how they begin, and what to do about it.
_MISTAKEN = (
    (b"Rar!", "a RAR archive: unpack it and give the capture inside"),
    (b"7z\xbc\xaf", "a 7-Zip archive: unpack it and give the capture inside"),
    (b"\xfd7zXZ\0", "packed with xz: unpack it first (unxz)"),
    (b"\x28\xb5\x2f\xfd", "packed with zstd: unpack it first (unzstd)"),
    (b"\x89PNG", "a picture: ask for the text that it shows"),
    (b"\xff\xd8\xff", "a picture: ask for the text that it shows"),
    (b"%PDF", "a PDF: ask for the log or the capture itself"),
    (b"SQLite format", "a database: ask for the log or the capture itself"),
    (b"BZh", "packed with bzip2: unpack it first (bunzip2)"),
    (b"GMBU", "a Microsoft Network Monitor capture: convert it (editcap -F pcapng in.cap out.pcapng)"),
    (b"snoop\0", "a Solaris snoop capture: convert it (editcap -F pcapng in.cap out.pcapng)"),
    (b"\x34\xcd\xb2\xa1", "a pcap of a modified kind: convert it (editcap -F pcapng in.pcap out.pcapng)"),
    (b"\xa1\xb2\xcd\x34", "a pcap of a modified kind: convert it (editcap -F pcapng in.pcap out.pcapng)"),
    *((page, "a web page or XML: download the capture itself") for page in _PAGES),
)


def read_packets(data: Bytes, *, decimal: bool = False) -> Packets:
    """Recognise the format and find the packets; `decimal` means that decimal numbers in a text are bytes.

    Raises BadFileError (one line, without the file's name) where nothing can be read. Where only the end is
    damaged, all that comes before is returned and `Packets.damage` says what is wrong.
    """
    size = len(data)
    data, suffix, damage = unpacked(data)
    head = data[:HEAD].tobytes()
    packets = _read(data, head, decimal=decimal, most=PACKED_ROWS if suffix else MAX_ROWS)
    if suffix:
        from packwire.capture.formats import gzipped  # noqa: PLC0415

        packets = gzipped.bounded(packets, size)
    packets = without_appended(packets)
    return replace(packets, format=packets.format + suffix, damage=damage + packets.damage)


def unpacked(data: Bytes, *, any_text: bool = False) -> tuple[Bytes, str, tuple[str, ...]]:
    """Return what a packed file holds (another one is returned as it is), how it was packed, what is damaged.

    With `any_text` the texts of an archive without a capture are taken, too. Raises BadFileError.
    """
    head = data[:HEAD].tobytes()
    if head.startswith(b"\x1f\x8b"):
        from packwire.capture.formats import gzipped  # noqa: PLC0415 - as the others

        if gzipped.matches(head):
            data, damage = gzipped.expand(data)
            return data, " in gzip (offsets are those in the unpacked file)", damage
    elif head.startswith(b"PK"):
        from packwire.capture.formats import zipped  # noqa: PLC0415

        if zipped.matches(head):
            data, name, damage = zipped.expand(
                data, _is_binary, _is_text_log, _holds_section, any_text=any_text
            )
            return data, f" in a zip archive ({name}; offsets are those in the unpacked file)", damage
    return data, "", ()


def is_plain_text(data: Bytes) -> bool:
    """Tell whether a file is a text, and none of the binary formats."""
    head = data[:HEAD].tobytes()
    return (
        _first(BINARY, head) is None
        and is_text(head)
        and (head.startswith(_PAGES) or not _advice(head))
        and not _holds_section(data)
    )


def _read(data: Bytes, head: bytes, *, decimal: bool, most: int) -> Packets:
    found = _first(BINARY, head)
    if found:
        return found.read(data)
    if not _advice(head) and is_text(head):
        if _holds_section(data):
            return reader("btsnooz").read(data)
        packets = _read_text(data, decimal=decimal, most=most)
        if len(packets):
            return packets
        from packwire.capture.text.refusal import refusal  # noqa: PLC0415 - seldom needed

        raise BadFileError(
            refusal(data, [text_format(name) for name in TEXTS], text_format(DECIMAL), packets)
        )
    raise BadFileError(_not_a_capture(head))


def _read_text(data: Bytes, *, decimal: bool = False, most: int = MAX_ROWS) -> Packets:
    names = list(TEXTS)
    if decimal:
        names.insert(names.index("json_lines"), DECIMAL)
    return read_text(data, [text_format(name) for name in names], most)


def _first(names: tuple[str, ...], head: bytes) -> Format | None:
    """Return the first format that a file which begins so may be of."""
    return next((found for name in names if (found := reader(name)).matches(head)), None)


def _is_binary(head: bytes) -> bool:
    return _first(BINARY, head) is not None


def _is_text_log(head: bytes) -> bool:
    try:
        return is_text(head) and len(_read_text(np.frombuffer(head, dtype=np.uint8))) > 0
    except BadFileError:
        # A log that is refused: its own words are worth more than that the archive holds none.
        return True


def _holds_section(data: Bytes) -> bool:
    from packwire.capture.formats.btsnooz import holds_section  # noqa: PLC0415

    return holds_section(data)


def _not_a_capture(head: bytes) -> str:
    if not head:
        return "the file is empty: record again, and stop the recording before copying the file"
    if advice := _advice(head):
        return f"not a capture at offset 0, but {advice}"
    names = ", ".join(reader(name).NAME for name in BINARY)
    return (
        f"no capture format begins with {head[:8].hex(' ')} (offset 0): save the recording as one of {names}"
    )


def _advice(head: bytes) -> str:
    """Return what to do about a file that is handed over in place of a capture; empty for others."""
    return next((advice for beginning, advice in _MISTAKEN if head.startswith(beginning)), "")
