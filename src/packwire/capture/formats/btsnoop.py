"""The btsnoop format: what Android, BlueZ and others write when they record Bluetooth HCI traffic.

A file header of 16 bytes, then a header of 24 bytes before each packet, all big-endian. Facts from RFC 1761
(the snoop format that it derives from), the Symbian btsnoop description (data links 1001 to 1004: the flags
hold direction and kind) and BlueZ's doc/btsnoop.txt (data link 2001: the flags hold adapter and opcode).
"""

import struct
from array import array
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from packwire.capture.packets import (
    HCI_ACL,
    HCI_COMMAND,
    HCI_EVENT,
    HCI_ISO,
    HCI_NOTE,
    HCI_SCO,
    LINKTYPE_HCI_H4,
    PacketDirection,
    Packets,
    gather,
)
from packwire.errors import BadFileError
from packwire.messages import Bytes, Int8s, Int32s, Int64s

NAME = "btsnoop"

_MAGIC = b"btsnoop\0"
_FILE_HEADER = 16
_RECORD_HEADER = 24
_HEADER = np.dtype(
    [("original", ">u4"), ("included", ">u4"), ("flags", ">u4"), ("drops", ">u4"), ("time", ">i8")]
)

#: A record that claims more is damaged: HCI packets have at most 64 KiB, notes less.
MAX_PACKET = 256 << 10

_H1, _H4, _MONITOR = 1001, 1002, 2001
_NOT_READ = {1003: "BCSP", 1004: "three-wire UART (H5)", 2002: "simulator"}

#: Microseconds from 0000-01-01 (which time stamps count from) to 1970-01-01, as all writers have it: the
#: calendar has 12 days less.
EPOCH = 0x00DC_DDB3_0F2F_8000
#: Some writers count from 1970; what is a time between 1990 and 2100 that way is taken so.
_UNIX_YEARS = (631_152_000_000_000, 4_102_444_800_000_000)
_LAST = np.iinfo(np.int64).max // 1000

_SENT, _RECEIVED = PacketDirection.SENT, PacketDirection.RECEIVED

#: Data link 1001, by bits 0 (received) and 1 (command or event) of the flags.
_BARE_KINDS = ((HCI_ACL, _SENT), (HCI_ACL, _RECEIVED), (HCI_COMMAND, _SENT), (HCI_EVENT, _RECEIVED))

#: Data link 2001, by opcode: the ones that carry HCI traffic.
_MONITOR_KINDS = {
    2: (HCI_COMMAND, _SENT),
    3: (HCI_EVENT, _RECEIVED),
    4: (HCI_ACL, _SENT),
    5: (HCI_ACL, _RECEIVED),
    6: (HCI_SCO, _SENT),
    7: (HCI_SCO, _RECEIVED),
    18: (HCI_ISO, _SENT),
    19: (HCI_ISO, _RECEIVED),
}
#: More adapters than any computer has.
_MAX_ADAPTERS = 0xFFFF


class _Columns(NamedTuple):
    link_type: Int32s
    direction: Int8s
    interface: Int32s
    interfaces: tuple[str, ...] = ("",)


def matches(head: bytes) -> bool:
    """Tell whether a file begins with the identification pattern."""
    return head.startswith(_MAGIC)


def read(data: Bytes) -> Packets:
    """Find the packets. Raises BadFileError where not even one can be read though there are bytes for it."""
    if len(data) < _FILE_HEADER:
        raise BadFileError(
            f"the btsnoop header is cut off at offset {len(data)} (it takes {_FILE_HEADER}):"
            " copy the file again"
        )
    version, link = struct.unpack_from(">II", data, 8)
    _check(version, link)
    offsets, damage = _walk(memoryview(data))
    if damage and not offsets:
        raise BadFileError(f"{damage}: no packet can be read, record or copy the file again")
    at = np.frombuffer(offsets, dtype=np.int64) if offsets else np.zeros(0, dtype=np.int64)
    lines = [f"{damage}: packets 1 to {len(at)} are kept, what follows is lost"] if damage else []
    return _packets(data, at, link, lines)


def _check(version: int, link: int) -> None:
    """Refuse what this file cannot read."""
    if version != 1:
        raise BadFileError(f"btsnoop of version {version} (offset 8), only 1 is known: copy the file again")
    if link in _NOT_READ:
        raise BadFileError(
            f"a btsnoop file of {_NOT_READ[link]} (data link {link}, offset 12), which is not read here:"
            " record at the host instead (the phone's snoop log, btmon)"
        )
    if link not in {_H1, _H4, _MONITOR}:
        raise BadFileError(f"btsnoop of unknown data link {link} (offset 12): copy the file again")


def _walk(view: memoryview) -> tuple["array[int]", str]:
    """Follow the records from one to the next; return their offsets and why it ended early, if it did."""
    included = struct.Struct(">I").unpack_from
    offsets = array("q")
    append = offsets.append
    at, end = _FILE_HEADER, len(view)
    last = end - _RECORD_HEADER
    while at <= last:
        (size,) = included(view, at + 4)
        after = at + _RECORD_HEADER + size
        if size > MAX_PACKET or after > end:
            return offsets, _bad_record(at, size, end)
        append(at)
        at = after
    return offsets, f"the file ends inside a packet's header at offset {at}" if at < end else ""


def _bad_record(at: int, size: int, end: int) -> str:
    if size > MAX_PACKET:
        return f"the packet at offset {at} claims {size} bytes, more than any packet has"
    left = end - at - _RECORD_HEADER
    return f"the packet at offset {at} claims {size} bytes, but the file ends after {left} of them"


def _packets(data: Bytes, at: Int64s, link: int, damage: list[str]) -> Packets:
    """Turn the records at these offsets into columns."""
    header = gather(data, at, _HEADER)
    size = header["included"].astype(np.int64)
    flags = header["flags"].astype(np.int64)
    if link == _H4:
        columns = _h4(data, at + _RECORD_HEADER, size, flags)
    elif link == _H1:
        columns = _bare(flags)
    else:
        columns = _monitor(flags)
    return Packets(
        format=NAME if link != _MONITOR else "btsnoop of a Linux monitor",
        time=_times(header["time"].astype(np.int64)),
        start=at + _RECORD_HEADER,
        size=size,
        original=np.maximum(header["original"].astype(np.int64), size),
        link_type=columns.link_type,
        interface=columns.interface,
        direction=columns.direction,
        data=data,
        interfaces=columns.interfaces,
        damage=(*damage, *_dropped(header)),
    )


def _h4(data: Bytes, start: Int64s, size: Int64s, flags: Int64s) -> _Columns:
    """Commands and events have one direction each, whatever the flags say; data has that of bit 0."""
    kind = np.zeros(len(start), dtype=np.uint8)
    some = size > 0
    kind[some] = data[start[some]]
    direction = np.array([_SENT, _RECEIVED], dtype=np.int8)[flags & 1]
    direction[kind == 1] = _SENT
    direction[kind == 4] = _RECEIVED
    return _Columns(np.full(len(start), LINKTYPE_HCI_H4, np.int32), direction, _zeros(flags))


def _bare(flags: Int64s) -> _Columns:
    link_types = np.array([link for link, _ in _BARE_KINDS], dtype=np.int32)
    directions = np.array([direction for _, direction in _BARE_KINDS], dtype=np.int8)
    return _Columns(link_types[flags & 3], directions[flags & 3], _zeros(flags))


def _monitor(flags: Int64s) -> _Columns:
    link_types = np.full(1 << 16, HCI_NOTE, dtype=np.int32)
    directions = np.zeros(1 << 16, dtype=np.int8)
    for opcode, (link_type, direction) in _MONITOR_KINDS.items():
        link_types[opcode] = link_type
        directions[opcode] = direction
    opcodes = flags & 0xFFFF
    adapters, interface = np.unique(flags >> 16, return_inverse=True)
    names = tuple("" if index == _MAX_ADAPTERS else f"hci{index}" for index in adapters.tolist())
    return _Columns(link_types[opcodes], directions[opcodes], interface.astype(np.int32), names or ("",))


def _zeros(like: Int64s) -> Int32s:
    return np.zeros(len(like), dtype=np.int32)


def _times(stamp: Int64s) -> Int64s:
    """Turn time stamps into nanoseconds since 1970; absurd ones end up at the edge of the range."""
    unix = bool(len(stamp)) and _UNIX_YEARS[0] <= int(stamp[0]) < _UNIX_YEARS[1]
    microseconds = stamp if unix else np.maximum(stamp, EPOCH - _LAST) - EPOCH
    return np.clip(microseconds, -_LAST, _LAST) * 1000


def _dropped(header: NDArray[Any]) -> list[str]:
    """Say how many packets the recorder itself lost, by its own count."""
    drops = header["drops"].astype(np.int64)
    rows = np.flatnonzero(drops)
    if not len(rows):
        return []
    return [f"the recorder itself lost {drops.max()} packets, the first before packet {int(rows[0]) + 1}"]
