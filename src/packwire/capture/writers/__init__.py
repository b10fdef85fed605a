"""Captures written to files: btsnoop, pcap and pcapng hold packets, CSV and Parquet hold messages.

Wireshark opens the first three. A packet writer returns notes of what its format could not hold.
"""

from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from packwire.capture.packets import Packets
from packwire.capture.writers import btsnoop, pcap, pcapng
from packwire.errors import BadOptionError

type PacketWriter = Callable[[Packets, BinaryIO], tuple[str, ...]]

#: Format -> what writes packets in it.
PACKET_FORMATS: dict[str, PacketWriter] = {
    "btsnoop": btsnoop.write,
    "pcap": pcap.write,
    "pcapng": pcapng.write,
}
#: Formats that hold a table of messages.
TABLE_FORMATS = ("csv", "parquet")

_SUFFIXES = {
    ".btsnoop": "btsnoop",
    ".snoop": "btsnoop",
    ".cfa": "btsnoop",
    ".log": "btsnoop",
    ".pcap": "pcap",
    ".cap": "pcap",
    ".pcapng": "pcapng",
    ".ntar": "pcapng",
    ".csv": "csv",
    ".parquet": "parquet",
    ".pq": "parquet",
}


def format_of(path: Path, asked: str | None = None) -> str:
    """Return the format to write, by what was asked for or else by the file's name.

    Raises BadOptionError where neither tells.
    """
    known = (*PACKET_FORMATS, *TABLE_FORMATS)
    found = asked or _SUFFIXES.get(path.suffix.lower())
    if found in known:
        return found
    if asked:
        raise BadOptionError(f"{asked!r} is no format that can be written: choose one of {', '.join(known)}")
    raise BadOptionError(
        f"the name {path.name!r} does not say in which format to write: let it end in one of"
        f" {', '.join('.' + name for name in known)}, or give --to"
    )
