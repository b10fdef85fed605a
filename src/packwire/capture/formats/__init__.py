"""Capture file formats, one file each, recognised by their content and never by their name.

A new format is a module with `NAME`, `matches(head)` and `read(data)`, added to `FORMATS`.
"""

from dataclasses import replace
from typing import Protocol

from packwire.capture.formats import gzipped, pcap, pcapng
from packwire.capture.packets import Packets
from packwire.errors import BadFileError
from packwire.messages import Bytes

#: How many bytes `matches` gets to see.
HEAD = 64


class Format(Protocol):
    """What a module of this package offers."""

    @property
    def NAME(self) -> str:  # noqa: N802 - it is a constant of each module
        """Return what users call the format."""

    def matches(self, head: bytes) -> bool:
        """Tell whether a file that begins with these bytes is of this format."""

    def read(self, data: Bytes) -> Packets:
        """Find the packets; raise BadFileError where there is nothing to be had."""


FORMATS: tuple[Format, ...] = (pcap, pcapng)

#: Files that people hand over in place of a capture, by how they begin, and what to do about it.
_MISTAKEN = (
    (b"PK\x03\x04", "a zip archive: unpack it and give the capture inside"),
    (b"\xfd7zXZ\0", "packed with xz: unpack it first (unxz)"),
    (b"\x28\xb5\x2f\xfd", "packed with zstd: unpack it first (unzstd)"),
    (b"BZh", "packed with bzip2: unpack it first (bunzip2)"),
    (b"btsnoop\0", "a Bluetooth log (btsnoop), which is not read here"),
    (b"GMBU", "a Microsoft Network Monitor capture: convert it (editcap -F pcapng in.cap out.pcapng)"),
    (b"snoop\0", "a Solaris snoop capture: convert it (editcap -F pcapng in.cap out.pcapng)"),
    (b"\x34\xcd\xb2\xa1", "a pcap of a modified kind: convert it (editcap -F pcapng in.pcap out.pcapng)"),
    (b"\xa1\xb2\xcd\x34", "a pcap of a modified kind: convert it (editcap -F pcapng in.pcap out.pcapng)"),
    (b"<", "a web page or XML: download the capture itself"),
)


def read_packets(data: Bytes) -> Packets:
    """Recognise the format and find the packets.

    Raises BadFileError (one line, without the file's name) where nothing can be read. Where only the end is
    damaged, all that comes before is returned and `Packets.damage` says what is wrong.
    """
    damage: tuple[str, ...] = ()
    suffix = ""
    if gzipped.matches(data[:HEAD].tobytes()):
        data, damage = gzipped.expand(data)
        suffix = " in gzip (offsets are those in the unpacked file)"
    head = data[:HEAD].tobytes()
    for candidate in FORMATS:
        if candidate.matches(head):
            packets = candidate.read(data)
            return replace(packets, format=packets.format + suffix, damage=damage + packets.damage)
    raise BadFileError(_not_a_capture(head))


def _not_a_capture(head: bytes) -> str:
    if not head:
        return "the file is empty: record again, and stop the recording before copying the file"
    for beginning, advice in _MISTAKEN:
        if head.startswith(beginning):
            return f"not a capture at offset 0, but {advice}"
    if all(byte in b"\t\r\n" or 32 <= byte < 127 for byte in head):
        return "not a capture at offset 0, but text: save the recording as pcap or pcapng and give that file"
    names = " or ".join(candidate.NAME for candidate in FORMATS)
    return f"no capture format begins with {head[:8].hex(' ')} (offset 0): save the recording as {names}"
