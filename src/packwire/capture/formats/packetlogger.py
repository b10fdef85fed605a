"""Apple's PacketLogger format (.pklg): Bluetooth HCI traffic of iPhones, iPads and Macs, in both byte orders.

There is no file header. Each record is a length (of all that follows it), seconds and microseconds since
1970, a type, and the packet. Apple documents none of it: what is said here is what the files show and what
tshark makes of them.
"""

import struct
from array import array

import numpy as np

from packwire.capture.packets import (
    HCI_ACL,
    HCI_COMMAND,
    HCI_EVENT,
    HCI_ISO,
    HCI_NOTE,
    HCI_SCO,
    PacketDirection,
    Packets,
)
from packwire.columns import gather
from packwire.errors import BadFileError
from packwire.messages import Bytes

NAME = "PacketLogger"

_HEADER = 13
#: The length counts what is behind itself: time and type, 9 bytes, and the packet.
_LENGTH, _LEAST = 4, 9

#: A record that claims more is damaged: HCI packets have at most 64 KiB, notes less.
MAX_PACKET = 256 << 10

_SENT, _RECEIVED = PacketDirection.SENT, PacketDirection.RECEIVED
_TYPES = {
    0x00: (HCI_COMMAND, _SENT),
    0x01: (HCI_EVENT, _RECEIVED),
    0x02: (HCI_ACL, _SENT),
    0x03: (HCI_ACL, _RECEIVED),
    0x08: (HCI_SCO, _SENT),
    0x09: (HCI_SCO, _RECEIVED),
    0x12: (HCI_ISO, _SENT),
    0x13: (HCI_ISO, _RECEIVED),
}
#: Types up to the first and from the second on are known to occur: traffic, and notes of several kinds.
_LAST_TRAFFIC, _FIRST_NOTE = 0x20, 0xE0
#: A file of one record is believed where its time lies between 1990 and 2100.
_PLAUSIBLE_SECONDS = range(631_152_000, 4_102_444_800)
_RECORDS_CHECKED = 8


def matches(head: bytes) -> bool:
    """Tell whether the first records fit together: lengths, microseconds, types."""
    return bool(_order(head))


def _order(head: bytes) -> str:
    """Return the byte order of a file that begins so, or nothing where it is no such file."""
    return next((order for order in ("<", ">") if _fits(head, order)), "")


def _fits(head: bytes, order: str) -> bool:
    at, checked, seconds = 0, 0, 0
    while at + _HEADER <= len(head) and checked < _RECORDS_CHECKED:
        length, stamp, fraction, kind = struct.unpack_from(order + "IIIB", head, at)
        known = kind <= _LAST_TRAFFIC or kind >= _FIRST_NOTE
        if not (_LEAST <= length <= MAX_PACKET + _LEAST and fraction < 1_000_000 and known):
            # One good record may be chance; two are not, nor is one with a time that can be true.
            return checked > 1 or (checked == 1 and seconds in _PLAUSIBLE_SECONDS)
        seconds = seconds or stamp
        checked += 1
        at += _LENGTH + length
    return checked > 1 or (checked == 1 and seconds in _PLAUSIBLE_SECONDS)


def read(data: Bytes) -> Packets:
    """Find the packets. Raises BadFileError where not even one can be read."""
    order = _order(data[: 64 << 10].tobytes()) or ">"
    offsets, damage = _walk(memoryview(data), order)
    if not offsets:
        raise BadFileError(f"{damage or 'the file is empty'}: no packet can be read, copy the file again")
    at = np.frombuffer(offsets, dtype=np.int64)
    names = ("length", "seconds", "fraction")
    header = gather(data, at, [*((name, order + "u4") for name in names), ("kind", "u1")])
    size = header["length"].astype(np.int64) - _LEAST
    link_types = np.full(256, HCI_NOTE, dtype=np.int32)
    directions = np.zeros(256, dtype=np.int8)
    for kind, (link_type, direction) in _TYPES.items():
        link_types[kind] = link_type
        directions[kind] = direction
    seconds = header["seconds"].astype(np.int64)
    return Packets(
        format=NAME if order == ">" else f"{NAME}, little-endian",
        time=seconds * 1_000_000_000 + header["fraction"].astype(np.int64) * 1000,
        start=at + _HEADER,
        size=size,
        original=size,
        link_type=link_types[header["kind"]],
        interface=np.zeros(len(at), dtype=np.int32),
        direction=directions[header["kind"]],
        data=data,
        damage=(f"{damage}: packets 1 to {len(at)} are kept, what follows is lost",) if damage else (),
    )


def _walk(view: memoryview, order: str) -> tuple["array[int]", str]:
    """Follow the records from one to the next; return their offsets and why it ended early, if it did."""
    length_at = struct.Struct(order + "I").unpack_from
    offsets = array("q")
    append = offsets.append
    at, end = 0, len(view)
    last, largest = end - _HEADER, MAX_PACKET + _LEAST
    while at <= last:
        (length,) = length_at(view, at)
        after = at + _LENGTH + length
        if not _LEAST <= length <= largest or after > end:
            return offsets, _bad_record(at, length, end)
        append(at)
        at = after
    return offsets, f"the file ends inside a packet's header at offset {at}" if at < end else ""


def _bad_record(at: int, length: int, end: int) -> str:
    if not _LEAST <= length <= MAX_PACKET + _LEAST:
        return f"the record at offset {at} claims {length} bytes, which no record has"
    left = end - at - _LENGTH
    return f"the record at offset {at} claims {length} bytes, but the file ends after {left} of them"
