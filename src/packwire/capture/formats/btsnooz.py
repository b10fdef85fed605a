"""btsnooz: the Bluetooth log that Android puts into the text of a bug report, base64 of a packed body.

Facts from Android's packages/modules/Bluetooth, system/btif/src/btif_debug_btsnoop.cc: a preamble (version,
time of the last packet), then records, zlib-compressed: length, in version 2 the packet's length, time since
the record before, type. Lengths count the type as a byte of the packet. Data packets are cut to their
headers by the phone unless its snoop log is on.
"""

import binascii
import re
import struct
import zlib
from array import array
from typing import NamedTuple

import numpy as np

from packwire.capture.packets import LINKTYPE_HCI_H4, PacketDirection, Packets
from packwire.errors import BadFileError
from packwire.messages import Bytes

NAME = "btsnooz in an Android bug report"

_BEGIN = re.compile(rb"--- BEGIN:BTSNOOP_LOG_SUMMARY[^\n]{0,200}\n")
_END = re.compile(rb"--- END:BTSNOOP_LOG_SUMMARY")
_PREAMBLE = struct.Struct("<BQ")
#: By version: the record's header as length, length on air, time since the one before, type.
_RECORDS = {1: struct.Struct("<HIB"), 2: struct.Struct("<HHIB")}

#: The phone keeps 256 KiB (packed); nothing that unpacks to more than this is of its making.
MAX_EXPANDED = 4 << 20
#: How much base64 text is looked at.
MAX_TEXT = 16 << 20

#: Type -> packet indicator of HCI UART [Core Vol 4 Part A 2] and direction.
_TYPES = {
    0x10: (4, PacketDirection.RECEIVED),
    0x11: (2, PacketDirection.RECEIVED),
    0x12: (3, PacketDirection.RECEIVED),
    0x17: (5, PacketDirection.RECEIVED),
    0x20: (1, PacketDirection.SENT),
    0x21: (2, PacketDirection.SENT),
    0x22: (3, PacketDirection.SENT),
    0x2D: (5, PacketDirection.SENT),
}


class _Record(NamedTuple):
    start: int
    """Of the type, which is overwritten with the packet indicator."""
    size: int
    original: int
    delta: int
    kind: int


def matches(head: bytes) -> bool:
    """Tell whether the section begins in these bytes."""
    return _BEGIN.search(head) is not None


def holds_section(data: Bytes) -> bool:
    """Tell whether the section begins anywhere in a file; a bug report has megabytes before it."""
    return _BEGIN.search(memoryview(data)) is not None


def read(data: Bytes) -> Packets:
    """Find the packets. Raises BadFileError where nothing in the section can be read."""
    view = memoryview(data)
    begin = _BEGIN.search(view)
    if begin is None:
        raise BadFileError("no btsnooz section: give a bug report, or the lines from BEGIN to END of it")
    at = begin.start()
    end = _END.search(view, begin.end(), min(begin.end() + MAX_TEXT, len(view)))
    body = view[begin.end() : end.start() if end else min(begin.end() + MAX_TEXT, len(view))].tobytes()
    packed, damage = _base64(body, at)
    if not end:
        damage.append(f"the btsnooz section at offset {at} has no END line")
    if len(packed) < _PREAMBLE.size or packed[0] not in _RECORDS:
        raise BadFileError(
            f"the btsnooz section at offset {at} is none of version 1 or 2: make the bug report again"
        )
    version, last = _PREAMBLE.unpack_from(packed)
    content, unpacking = _unpack(packed[_PREAMBLE.size :], at)
    damage += unpacking
    records, walking = _records(content, _RECORDS[version])
    damage += walking
    if not records and damage:
        raise BadFileError(f"{damage[0]}: no packet can be read, make the bug report again")
    kept = f": packets 1 to {len(records)} are kept"
    return _packets(content, records, last, tuple(line + kept for line in damage))


def _base64(body: bytes, at: int) -> tuple[bytes, list[str]]:
    """Decode up to the first thing that is no base64; the log's lines are one long text."""
    text = b"".join(body.split())
    good = re.match(rb"[A-Za-z0-9+/]*={0,2}", text)
    valid = good.group() if good else b""
    damage = []
    if len(valid) < len(text):
        damage.append(f"the btsnooz section at offset {at} holds what is no base64")
    short = valid.rstrip(b"=")
    whole = short[: len(short) - 1] if len(short) % 4 == 1 else short
    return binascii.a2b_base64(whole + b"=" * (-len(whole) % 4)), damage


def _unpack(packed: bytes, at: int) -> tuple[bytearray, list[str]]:
    """Unpack within bounds, keeping what comes before damage."""
    unpacker = zlib.decompressobj()
    content = bytearray()
    step = 256
    try:
        for position in range(0, len(packed), step):
            content += unpacker.decompress(packed[position : position + step], MAX_EXPANDED - len(content))
            if len(content) >= MAX_EXPANDED:
                return content, [
                    f"the btsnooz section at offset {at} unpacks to more than {MAX_EXPANDED} bytes"
                ]
    except zlib.error as error:
        return content, [f"the btsnooz section at offset {at} is damaged ({error})"]
    if not unpacker.eof:
        return content, [f"the btsnooz section at offset {at} is cut off"]
    return content, []


def _records(content: bytearray, header: struct.Struct) -> tuple[list[_Record], list[str]]:
    records: list[_Record] = []
    at = 0
    while at + header.size <= len(content):
        length, *original, delta, kind = header.unpack_from(content, at)
        after = at + header.size - 1 + length
        if length == 0 or after > len(content):
            return records, [f"the record at offset {at} of the unpacked btsnooz claims {length} bytes"]
        on_air = max(original[0], length) if original else length
        records.append(_Record(at + header.size - 1, length, on_air, delta, kind))
        at = after
    if at < len(content):
        return records, [f"the unpacked btsnooz ends inside a record at offset {at}"]
    return records, []


def _packets(content: bytearray, records: list[_Record], last: int, damage: tuple[str, ...]) -> Packets:
    """Make the columns; times are counted back from that of the last packet."""
    known = [_TYPES.get(record.kind, (0, PacketDirection.UNKNOWN)) for record in records]
    for record, (indicator, _) in zip(records, known, strict=True):
        content[record.start] = indicator
    microseconds = array("q", [0])
    for record in reversed(records[1:]):
        microseconds.append(microseconds[-1] + record.delta)
    ago = np.array(microseconds[::-1], dtype=np.int64)[: len(records)]
    return Packets(
        format=NAME,
        time=(min(last, np.iinfo(np.int64).max // 2000) - ago) * 1000,
        start=np.array([record.start for record in records], dtype=np.int64),
        size=np.array([record.size for record in records], dtype=np.int64),
        original=np.array([record.original for record in records], dtype=np.int64),
        link_type=np.full(len(records), LINKTYPE_HCI_H4, dtype=np.int32),
        interface=np.zeros(len(records), dtype=np.int32),
        direction=np.array([direction for _, direction in known], dtype=np.int8),
        data=np.frombuffer(content, dtype=np.uint8),
        damage=damage,
    )
