"""The btsnoop format: what Android, BlueZ and others write when they record Bluetooth HCI traffic.

A file header of 16 bytes, then a header of 24 bytes before each packet, all big-endian. Facts from RFC 1761
(the snoop format that it derives from), the Symbian btsnoop description (data links 1001 to 1004: the flags
hold direction and kind) and BlueZ's doc/btsnoop.txt (data link 2001: the flags hold adapter and opcode).
"""

import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from packwire.capture.formats.chain import RecordForm, record_offsets
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
)
from packwire.columns import constant, gather
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

#: Nearly all records have no drops, and the first two bytes of the time in common (nine years).
_RECORDS = RecordForm(header=_RECORD_HEADER, size_at=4, most=MAX_PACKET, landmark=slice(12, 18))

#: So many packets at a time: their columns fit into the processor's cache.
_BLOCK = 1 << 15

_H1, _H4, _BCSP, _H5, _MONITOR = 1001, 1002, 1003, 1004, 2001
_NOT_READ = {2002: "simulator"}

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
_BARE_LINK_TYPES = np.array([link for link, _ in _BARE_KINDS], dtype=np.int32)
_BARE_DIRECTIONS = np.array([direction for _, direction in _BARE_KINDS], dtype=np.int8)
_MONITOR_LINK_TYPES = np.full(1 << 16, HCI_NOTE, dtype=np.int32)
_MONITOR_DIRECTIONS = np.zeros(1 << 16, dtype=np.int8)
for _opcode, (_link_type, _direction) in _MONITOR_KINDS.items():
    _MONITOR_LINK_TYPES[_opcode], _MONITOR_DIRECTIONS[_opcode] = _link_type, _direction
#: More adapters than any computer has.
_MAX_ADAPTERS = 0xFFFF


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
    at = record_offsets(data, _FILE_HEADER, _RECORDS)
    damage = _damage(data, at)
    if damage and not len(at):
        raise BadFileError(f"{damage}: no packet can be read, record or copy the file again")
    lines = [f"{damage}: packets 1 to {len(at)} are kept, what follows is lost"] if damage else []
    packets = _packets(data, at, link, lines)
    if link not in {_BCSP, _H5}:
        return packets
    from packwire.capture.formats.three_wire import unwrapped  # noqa: PLC0415 - hardly any file needs it

    return unwrapped(packets, link)


def _check(version: int, link: int) -> None:
    """Refuse what this file cannot read."""
    if version != 1:
        raise BadFileError(f"btsnoop of version {version} (offset 8), only 1 is known: copy the file again")
    if link in _NOT_READ:
        raise BadFileError(
            f"a btsnoop file of {_NOT_READ[link]} (data link {link}, offset 12), which is not read here:"
            " record at the host instead (the phone's snoop log, btmon)"
        )
    if link not in {_H1, _H4, _BCSP, _H5, _MONITOR}:
        raise BadFileError(f"btsnoop of unknown data link {link} (offset 12): copy the file again")


def _damage(data: Bytes, at: Int64s) -> str:
    """Say why there is no record behind the last one, if that is not for the end of the file."""
    end, after = len(data), _FILE_HEADER
    if len(at):
        after = int(at[-1]) + _RECORD_HEADER + _included(data, int(at[-1]))
    if after == end:
        return ""
    if after + _RECORD_HEADER > end:
        return f"the file ends inside a packet's header at offset {after}"
    return _bad_record(after, _included(data, after), end)


def _included(data: Bytes, at: int) -> int:
    return int.from_bytes(data[at + 4 : at + 8].tobytes())


def _bad_record(at: int, size: int, end: int) -> str:
    if size > MAX_PACKET:
        return f"the packet at offset {at} claims {size} bytes, more than any packet has"
    left = end - at - _RECORD_HEADER
    return f"the packet at offset {at} claims {size} bytes, but the file ends after {left} of them"


def _packets(data: Bytes, at: Int64s, link: int, damage: list[str]) -> Packets:
    """Turn the records at these offsets into columns, block by block: that keeps the memory small."""
    count = len(at)
    time, size = np.empty(count, dtype=np.int64), np.empty(count, dtype=np.int64)
    direction = np.empty(count, dtype=np.int8)
    kinds = _Kinds(link, count)
    unix = count > 0 and _counts_from_1970(data, int(at[0]))
    lost = _Lost()
    longer = False
    for begin in range(0, count, _BLOCK):
        rows = slice(begin, begin + _BLOCK)
        header = gather(data, at[rows], _HEADER)
        time[rows] = _times(header["time"].astype(np.int64), unix=unix)
        size[rows] = header["included"]
        direction[rows] = kinds.add(data, rows, at[rows] + _RECORD_HEADER, header)
        longer = longer or bool((header["original"] > header["included"]).any())
        lost.see(begin, header["drops"])
    interface, interfaces = kinds.interfaces()
    return Packets(
        format=NAME if link != _MONITOR else "btsnoop of a Linux monitor",
        time=time,
        start=at + _RECORD_HEADER,
        size=size,
        original=np.maximum(gather(data, at, ">u4").astype(np.int64), size) if longer else size,
        link_type=kinds.link_type,
        interface=interface,
        direction=direction,
        data=data,
        interfaces=interfaces,
        damage=(*damage, *lost.lines),
    )


class _Kinds:
    """Finds out, by data link, what kind of packets there are, and which way they went."""

    def __init__(self, link: int, count: int) -> None:
        self.link = link
        self.link_type = constant(LINKTYPE_HCI_H4, count) if link == _H4 else np.empty(count, dtype=np.int32)
        self._adapter = np.empty(count if link == _MONITOR else 0, dtype=np.uint16)
        self._count = count

    def add(self, data: Bytes, rows: slice, start: Int64s, header: NDArray[Any]) -> Int8s:
        """Take a block of packets; return their directions."""
        flags = header["flags"]
        if self.link == _H4:
            return _h4_directions(data, start, header["included"], flags)
        if self.link in {_BCSP, _H5}:
            self.link_type[rows] = HCI_NOTE
            sent_or_not: Int8s = np.array([_SENT, _RECEIVED], dtype=np.int8)[flags & 1]
            return sent_or_not
        if self.link == _H1:
            kind, link_types, directions = flags & 3, _BARE_LINK_TYPES, _BARE_DIRECTIONS
        else:
            kind, link_types, directions = flags & 0xFFFF, _MONITOR_LINK_TYPES, _MONITOR_DIRECTIONS
            self._adapter[rows] = flags >> 16
        self.link_type[rows] = link_types[kind]
        result: Int8s = directions[kind]
        return result

    def interfaces(self) -> tuple[Int32s, tuple[str, ...]]:
        """Return the column of interfaces, and their names: a Linux monitor has one an adapter."""
        if self.link != _MONITOR:
            return constant(0, self._count), ("",)
        adapters, interface = np.unique(self._adapter, return_inverse=True)
        names = tuple("" if index == _MAX_ADAPTERS else f"hci{index}" for index in adapters.tolist())
        return interface.astype(np.int32), names or ("",)


def _h4_directions(
    data: Bytes, start: Int64s, size: NDArray[np.unsignedinteger], flags: NDArray[np.unsignedinteger]
) -> Int8s:
    """Commands and events have one direction each, whatever the flags say; data has that of bit 0."""
    kind = np.zeros(len(start), dtype=np.uint8)
    some = slice(None) if size.all() else size > 0
    kind[some] = data[start[some]]
    direction: Int8s = np.array([_SENT, _RECEIVED], dtype=np.int8)[flags & 1]
    direction[kind == 1] = _SENT
    direction[kind == 4] = _RECEIVED
    return direction


def _counts_from_1970(data: Bytes, at: int) -> bool:
    """Tell whether the file's first time stamp makes sense that way."""
    stamp = int.from_bytes(data[at + 16 : at + 24].tobytes(), signed=True)
    return _UNIX_YEARS[0] <= stamp < _UNIX_YEARS[1]


def _times(stamp: Int64s, *, unix: bool) -> Int64s:
    """Turn time stamps into nanoseconds since 1970; absurd ones end up at the edge of the range."""
    microseconds = stamp if unix else np.maximum(stamp, EPOCH - _LAST) - EPOCH
    return np.clip(microseconds, -_LAST, _LAST) * 1000


class _Lost:
    """How many packets the recorder itself lost, by its own count."""

    def __init__(self) -> None:
        self._most = self._before = 0

    def see(self, begin: int, drops: NDArray[np.unsignedinteger]) -> None:
        """Look at a block of packets, the first of which has row `begin`."""
        if drops.any():
            self._before = self._before or begin + int(np.flatnonzero(drops)[0]) + 1
            self._most = max(self._most, int(drops.max()))

    @property
    def lines(self) -> tuple[str, ...]:
        """Say it, if there is anything to say."""
        if not self._most:
            return ()
        return (f"the recorder itself lost {self._most} packets, the first before packet {self._before}",)
