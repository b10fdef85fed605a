"""Capture file formats, one file each, recognised by their content and never by their name.

A new format is a module with `NAME`, `matches(head)` and `read(data)`, added to `FORMATS`.
"""

from dataclasses import replace
from typing import Protocol

from packwire.capture.formats import (
    btsnoop,
    btsnooz,
    candump,
    gzipped,
    hexlines,
    homeassistant,
    nrfconnect,
    packetlogger,
    pcap,
    pcapng,
    text_lines,
    uart_debug,
    zipped,
)
from packwire.capture.packets import Packets
from packwire.errors import BadFileError
from packwire.messages import Bytes

#: How many bytes `matches` gets to see.
HEAD = gzipped.HEAD


class Format(Protocol):
    """What a module of this package offers."""

    @property
    def NAME(self) -> str:  # noqa: N802 - it is a constant of each module
        """Return what users call the format."""

    def matches(self, head: bytes) -> bool:
        """Tell whether a file that begins with these bytes is of this format."""

    def read(self, data: Bytes) -> Packets:
        """Find the packets; raise BadFileError where there is nothing to be had."""


#: The ones that a few bytes tell, then texts, the most specific first; hexlines takes whatever has hex in it.
BINARY: tuple[Format, ...] = (pcap, pcapng, btsnoop, packetlogger)
TEXTS: tuple[Format, ...] = (nrfconnect, homeassistant, uart_debug, candump, hexlines)
FORMATS: tuple[Format, ...] = (*BINARY, btsnooz, *TEXTS)

#: Files that people hand over in place of a capture, by how they begin, and what to do about it.
_MISTAKEN = (
    (b"Rar!", "a RAR archive: unpack it and give the capture inside"),
    (b"7z\xbc\xaf", "a 7-Zip archive: unpack it and give the capture inside"),
    (b"\xfd7zXZ\0", "packed with xz: unpack it first (unxz)"),
    (b"\x28\xb5\x2f\xfd", "packed with zstd: unpack it first (unzstd)"),
    (b"BZh", "packed with bzip2: unpack it first (bunzip2)"),
    (b"GMBU", "a Microsoft Network Monitor capture: convert it (editcap -F pcapng in.cap out.pcapng)"),
    (b"snoop\0", "a Solaris snoop capture: convert it (editcap -F pcapng in.cap out.pcapng)"),
    (b"\x34\xcd\xb2\xa1", "a pcap of a modified kind: convert it (editcap -F pcapng in.pcap out.pcapng)"),
    (b"\xa1\xb2\xcd\x34", "a pcap of a modified kind: convert it (editcap -F pcapng in.pcap out.pcapng)"),
    (b"<", "a web page or XML: download the capture itself"),
)

#: Texts that are no logs, whatever hex they hold.
_PAGES = (b"<!", b"<?", b"<html", b"<HTML", b"<head")


def read_packets(data: Bytes) -> Packets:
    """Recognise the format and find the packets.

    Raises BadFileError (one line, without the file's name) where nothing can be read. Where only the end is
    damaged, all that comes before is returned and `Packets.damage` says what is wrong.
    """
    damage: tuple[str, ...] = ()
    suffix = ""
    head = data[:HEAD].tobytes()
    if gzipped.matches(head):
        data, damage = gzipped.expand(data)
        suffix = " in gzip (offsets are those in the unpacked file)"
    elif zipped.matches(head):
        data, name, damage = zipped.expand(data, _is_binary, _is_text_log, btsnooz.holds_section)
        suffix = f" in a zip archive ({name}; offsets are those in the unpacked file)"
    head = data[:HEAD].tobytes()
    candidate = _recognised(data, head)
    if candidate is None:
        raise BadFileError(_not_a_capture(head))
    packets = candidate.read(data)
    return replace(packets, format=packets.format + suffix, damage=damage + packets.damage)


def _recognised(data: Bytes, head: bytes) -> Format | None:
    for candidate in BINARY:
        if candidate.matches(head):
            return candidate
    if not text_lines.is_text(head):
        return None
    if btsnooz.holds_section(data):
        return btsnooz
    if head.startswith(_PAGES):
        return None
    return next((candidate for candidate in TEXTS if candidate.matches(head)), None)


def _is_binary(head: bytes) -> bool:
    return any(candidate.matches(head) for candidate in BINARY)


def _is_text_log(head: bytes) -> bool:
    return text_lines.is_text(head) and any(candidate.matches(head) for candidate in TEXTS)


def _not_a_capture(head: bytes) -> str:
    if not head:
        return "the file is empty: record again, and stop the recording before copying the file"
    for beginning, advice in _MISTAKEN:
        if head.startswith(beginning):
            return f"not a capture at offset 0, but {advice}"
    if text_lines.is_text(head):
        return (
            "not a capture at offset 0, but text with no bytes that could be read: save the recording as"
            " pcap or pcapng, or give lines such as `12:00:01.5 RX dd 03 00 1b`"
        )
    names = ", ".join(candidate.NAME for candidate in BINARY)
    return (
        f"no capture format begins with {head[:8].hex(' ')} (offset 0): save the recording as one of {names}"
    )
