"""The classic pcap format: both byte orders, microseconds and nanoseconds.

Facts from draft-ietf-opsawg-pcap: a file header of 24 bytes, then a header of 16 bytes before each packet.
"""

import struct
from array import array
from typing import Any

import numpy as np
from numpy.typing import NDArray

from packwire.capture.links import largest_packet
from packwire.capture.packets import Packets, without_fcs
from packwire.columns import gather
from packwire.errors import BadFileError
from packwire.messages import Bytes

NAME = "pcap"

#: Magic number -> byte order, nanoseconds in a unit of the fraction, what the format is called.
_MAGIC = {
    b"\xd4\xc3\xb2\xa1": ("<", 1000, "pcap"),
    b"\xa1\xb2\xc3\xd4": (">", 1000, "pcap, big-endian"),
    b"\x4d\x3c\xb2\xa1": ("<", 1, "pcap with nanoseconds"),
    b"\xa1\xb2\x3c\x4d": (">", 1, "pcap with nanoseconds, big-endian"),
}
_FILE_HEADER = 24
_RECORD_HEADER = 16
_LINK_TYPE = 20


def matches(head: bytes) -> bool:
    """Tell whether a file begins with one of the four magic numbers."""
    return head[:4] in _MAGIC


def read(data: Bytes) -> Packets:
    """Find the packets. Raises BadFileError where not even one can be read though there are bytes for it."""
    order, unit, name = _MAGIC[data[:4].tobytes()]
    if len(data) < _FILE_HEADER:
        raise BadFileError(
            f"the pcap header is cut off at offset {len(data)} (it takes {_FILE_HEADER}): copy the file again"
        )
    (link,) = struct.unpack_from(order + "I", data, _LINK_TYPE)
    link_type = link & 0xFFFF
    offsets, damage = _walk(memoryview(data), order, largest_packet(link_type))
    if damage and not offsets:
        raise BadFileError(f"{damage}: no packet can be read, record or copy the file again")
    at = np.frombuffer(offsets, dtype=np.int64) if offsets else np.zeros(0, dtype=np.int64)
    header = _headers(data, at, order)
    size, original = without_fcs(
        header["captured"].astype(np.int64), header["original"].astype(np.int64), _fcs_bytes(link)
    )
    count = len(at)
    return Packets(
        format=name,
        time=header["seconds"].astype(np.int64) * 1_000_000_000 + header["fraction"].astype(np.int64) * unit,
        start=at + _RECORD_HEADER,
        size=size,
        original=original,
        link_type=np.full(count, link_type, dtype=np.int32),
        interface=np.zeros(count, dtype=np.int32),
        direction=np.zeros(count, dtype=np.int8),
        data=data,
        damage=(f"{damage}: packets 1 to {count} are kept, what follows is lost",) if damage else (),
    )


def _walk(view: memoryview, order: str, largest: int) -> tuple["array[int]", str]:
    """Follow the records from one to the next; return their offsets and why it ended early, if it did."""
    captured = struct.Struct(order + "I").unpack_from
    offsets = array("q")
    append = offsets.append
    at, end = _FILE_HEADER, len(view)
    last = end - _RECORD_HEADER
    while at <= last:
        (size,) = captured(view, at + 8)
        after = at + _RECORD_HEADER + size
        if size > largest or after > end:
            return offsets, _bad_record(at, size, largest, end)
        append(at)
        at = after
    damage = f"the file ends inside a packet's header at offset {at}" if at < end else ""
    return offsets, damage


def _bad_record(at: int, size: int, largest: int, end: int) -> str:
    left = end - at - _RECORD_HEADER
    if size > largest:
        return f"the packet at offset {at} claims {size} bytes, more than any packet has"
    return f"the packet at offset {at} claims {size} bytes, but the file ends after {left} of them"


def _headers(data: Bytes, at: NDArray[np.int64], order: str) -> NDArray[Any]:
    names = ("seconds", "fraction", "captured", "original")
    return gather(data, at, [(name, order + "u4") for name in names])


def _fcs_bytes(link: int) -> int:
    """Return how long the frame check sequence is that the link type field announces.

    Bit 26 says that bits 28 to 31 hold its length, in units of 16 bits.
    """
    return 2 * (link >> 28) if link & 0x0400_0000 else 0
