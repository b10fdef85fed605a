"""HCI packets within captured packets, and the connections that they speak of.

Facts from the Bluetooth Core Specification, Vol 4: Part A (the H4 packet indicator), Part E 5.4 (headers of
commands, ACL data and events) and 7.7 (events); link types from https://www.tcpdump.org/linktypes.html.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from packwire.capture.layers.l2cap import Fragments
from packwire.capture.layers.link import Counts
from packwire.capture.packets import PacketDirection, Packets
from packwire.columns import distinct, gather
from packwire.messages import Bytes, Int8s, Int32s, Int64s

H4, H4_WITH_DIRECTION, MONITOR = 187, 201, 254

_CUT = "cut off inside a Bluetooth header"


class HciKind(IntEnum):
    """The H4 packet indicator [Vol 4, Part A, 2]."""

    COMMAND = 1
    ACL = 2
    SCO = 3
    EVENT = 4
    ISO = 5


@dataclass(frozen=True, slots=True)
class HciPackets:
    """HCI packets: columns of equal length.

    row        int64, row in the table of packets
    kind       uint8, see `Kind`
    at, end    int64, where its header (behind the H4 indicator) begins in `data`, and behind its last byte
    wire_end   int64, where the end would be had the whole packet been captured (at least `end`)
    direction  int8, see `PacketDirection`: SENT is from the host to the controller
    adapter    int64, a number for the controller where several were recorded
    """

    row: Int64s
    kind: NDArray[np.uint8]
    at: Int64s
    end: Int64s
    wire_end: Int64s
    direction: Int8s
    adapter: Int64s

    def __len__(self) -> int:
        return len(self.row)

    def where(self, kept: NDArray[np.bool_]) -> "HciPackets":
        """Return the rows of a mask."""
        if kept.all():
            return self
        return HciPackets(*(getattr(self, column)[kept] for column in self.__slots__))

    def holding(self, count: int, left_out: Counts) -> "HciPackets":
        """Return those with at least `count` bytes captured; count the others."""
        enough = self.end - self.at >= count
        left_out.add(_CUT, len(self) - int(np.count_nonzero(enough)))
        return self.where(enough)


@dataclass(frozen=True, slots=True)
class HciLink:
    """A connection between two Bluetooth devices, as far as it was recorded.

    `peer` is the address of the other device than the one that recorded (empty: the connection began before
    the recording).
    """

    adapter: int
    handle: int
    peer: str = ""


def joined(parts: list[HciPackets]) -> HciPackets:
    """Return the packets of several finders, in the order of the file."""
    if len(parts) == 1:
        return parts[0]
    columns = [np.concatenate([getattr(part, name) for part in parts]) for name in HciPackets.__slots__]
    order = np.argsort(columns[0], kind="stable")
    return HciPackets(*(column[order] for column in columns))


def located(packets: Packets, row: Int64s) -> HciPackets:
    """Return packets as they are, as ACL data: a finder sets `kind` and moves `at`."""
    start = packets.start[row]
    return HciPackets(
        row=row,
        kind=np.full(len(row), HciKind.ACL, dtype=np.uint8),
        at=start,
        end=start + packets.size[row],
        wire_end=start + packets.original[row],
        direction=packets.direction[row],
        adapter=packets.interface[row].astype(np.int64),
    )


def find_h4(packets: Packets, row: Int64s, left_out: Counts) -> HciPackets:
    """LINKTYPE_BLUETOOTH_HCI_H4: the indicator, then the packet."""
    found = located(packets, row).holding(1, left_out)
    return _of_known_kind(replace(found, kind=packets.data[found.at], at=found.at + 1), left_out)


def find_h4_with_direction(packets: Packets, row: Int64s, left_out: Counts) -> HciPackets:
    """LINKTYPE_BLUETOOTH_HCI_H4_WITH_PHDR: 4 bytes, big-endian, 0 sent and 1 received; then as H4."""
    found = located(packets, row).holding(5, left_out)
    received = gather(packets.data, found.at, ">u4") & 1
    return _of_known_kind(
        replace(
            found,
            kind=packets.data[found.at + 4],
            at=found.at + 5,
            direction=np.where(received, PacketDirection.RECEIVED, PacketDirection.SENT).astype(np.int8),
        ),
        left_out,
    )


#: Opcode of the Linux monitor -> kind and direction [Linux net/bluetooth/hci_mon.h's protocol, as tcpdump.org
#: documents it]; the others speak of adapters and log lines.
_MONITOR_OPCODES = {
    2: (HciKind.COMMAND, PacketDirection.SENT),
    3: (HciKind.EVENT, PacketDirection.RECEIVED),
    4: (HciKind.ACL, PacketDirection.SENT),
    5: (HciKind.ACL, PacketDirection.RECEIVED),
    6: (HciKind.SCO, PacketDirection.SENT),
    7: (HciKind.SCO, PacketDirection.RECEIVED),
    18: (HciKind.ISO, PacketDirection.SENT),
    19: (HciKind.ISO, PacketDirection.RECEIVED),
}
_MONITOR_KIND = np.zeros(256, dtype=np.uint8)
_MONITOR_DIRECTION = np.zeros(256, dtype=np.int8)
for _opcode, (_kind, _direction) in _MONITOR_OPCODES.items():
    _MONITOR_KIND[_opcode], _MONITOR_DIRECTION[_opcode] = _kind, _direction


def find_monitor(packets: Packets, row: Int64s, left_out: Counts) -> HciPackets:
    """LINKTYPE_BLUETOOTH_LINUX_MONITOR: adapter and opcode, 2 bytes each, big-endian."""
    found = located(packets, row).holding(4, left_out)
    adapter = gather(packets.data, found.at, ">u2").astype(np.int64)
    opcode = np.minimum(gather(packets.data, found.at + 2, ">u2"), 255).astype(np.uint8)
    found = replace(
        found,
        kind=_MONITOR_KIND[opcode],
        at=found.at + 4,
        direction=_MONITOR_DIRECTION[opcode],
        adapter=found.adapter << 16 | adapter,
    )
    return found.where(found.kind != 0)


def find_bare(packets: Packets, row: Int64s, left_out: Counts) -> HciPackets:  # noqa: ARG001 - as the others
    """Take packets whose kind the file keeps outside of them."""
    return replace(located(packets, row), kind=(-10 - packets.link_type[row]).astype(np.uint8))


def _of_known_kind(found: HciPackets, left_out: Counts) -> HciPackets:
    known = (found.kind >= HciKind.COMMAND) & (found.kind <= HciKind.ISO)
    left_out.add("of an unknown HCI packet type", len(found) - int(np.count_nonzero(known)))
    return found.where(known)


type Finder = Callable[[Packets, Int64s, Counts], HciPackets]


def acl_fragments(data: Bytes, found: HciPackets, links: "Links", left_out: Counts) -> Fragments:
    """Read the headers of ACL data packets: handle with flags, and length, 2 bytes each."""
    acl = found.where(found.kind == HciKind.ACL).holding(4, left_out)
    header = gather(data, acl.at, [("handle", "<u2"), ("size", "<u2")])
    flags = header["handle"] >> 12 & 3
    size = header["size"].astype(np.int64)
    wire_end = acl.at + 4 + size
    return Fragments(
        row=acl.row,
        link=links.number(acl.row, acl.adapter, header["handle"] & 0x0FFF),
        direction=acl.direction,
        first=flags != 1,
        at=acl.at + 4,
        end=np.minimum(acl.end, wire_end),
        wire_end=wire_end,
    )


#: More than any recording has; only a file made to use up memory has more, which are taken for the last one.
_MAX_LINKS = 1 << 14


class Links:
    """The connections of a recording, numbered as they are met; a handle that is used again is a new one."""

    def __init__(self) -> None:
        self.links: list[HciLink] = []
        self._current: dict[tuple[int, int], int] = {}
        self._changes: list[tuple[int, tuple[int, int], HciLink | None]] = []
        """Row, adapter and handle, and what begins there (None: it ends)."""

    def see_events(self, data: Bytes, found: HciPackets, left_out: Counts) -> None:
        """Look for connections that begin or end, one event at a time: they are few."""
        events = found.where(found.kind == HciKind.EVENT)
        events = events.where(events.end - events.at >= 2)
        code = data[events.at]
        telling = (code == _CONNECTION) | (code == _DISCONNECTION)
        meta = np.flatnonzero((code == _LE_META) & (events.end - events.at >= 3))
        telling[meta[_OF_CONNECTION[data[events.at[meta] + 2]]]] = True
        events = events.where(telling)
        spans = zip(
            events.row.tolist(), events.at.tolist(), events.end.tolist(), events.adapter.tolist(), strict=True
        )
        for row, at, end, adapter in spans:
            change = _change(adapter, data[at:end].tobytes())
            if change:
                self._changes.append((row, *change))
            elif not _failed(data[at:end].tobytes()):
                left_out.add(_CUT, 1)

    def number(self, row: Int64s, adapter: Int64s, handle: NDArray[np.integer]) -> Int32s:
        """Return the number of the connection that each packet belongs to."""
        key: Int64s = adapter << 12 | handle.astype(np.int64)
        result = np.zeros(len(key), dtype=np.int32)
        begin = 0
        for change_row, which, link in self._changes:
            end = int(np.searchsorted(row, change_row))
            self._number_block(key[begin:end], result[begin:end])
            begin = end
            self._current.pop(which, None)
            if link is not None:
                self._current[which] = self._new(link)
        self._changes.clear()
        self._number_block(key[begin:], result[begin:])
        return result

    def _number_block(self, key: Int64s, result: Int32s) -> None:
        if not len(key):
            return
        if (key == key[0]).all():
            result[:] = self._of(int(key[0]))
            return
        keys = distinct(key)
        numbers = np.array([self._of(each) for each in keys], dtype=np.int32)
        result[:] = numbers[np.searchsorted(keys, key)]

    def _of(self, key: int) -> int:
        which = (key >> 12, key & 0x0FFF)
        number = self._current.get(which)
        if number is None:
            number = self._current[which] = self._new(HciLink(*which))
        return number

    def begin(self, link: HciLink) -> int:
        """Give a number to a connection of another kind than HCI's."""
        return self._new(link)

    def _new(self, link: HciLink) -> int:
        if len(self.links) < _MAX_LINKS:
            self.links.append(link)
        return len(self.links) - 1


#: Event codes [Vol 4, Part E, 7.7] and the subevents of LE Meta that tell of a connection: LE Connection
#: Complete, Enhanced v1 and v2.
_CONNECTION, _DISCONNECTION, _LE_META = 0x03, 0x05, 0x3E
_OF_CONNECTION = np.zeros(256, dtype=np.bool_)
_OF_CONNECTION[[0x01, 0x0A, 0x29]] = True


def _change(adapter: int, event: bytes) -> tuple[tuple[int, int], HciLink | None] | None:
    """Read an event that begins or ends a connection; None where it is cut short or tells of a failure."""
    body = event[3:] if event[0] == _LE_META else event[2:]
    if len(body) < 3 or body[0] != 0:
        return None
    handle = int.from_bytes(body[1:3], "little") & 0x0FFF
    which = (adapter, handle)
    if event[0] == _DISCONNECTION:
        return which, None
    if event[0] == _CONNECTION:
        if len(body) < 9:
            return None
        return which, HciLink(adapter, handle, _address(body[3:9]))
    if len(body) < 11:
        return None
    return which, HciLink(adapter, handle, _address(body[5:11]))


def _failed(event: bytes) -> bool:
    """Tell whether an event says that a connection was not made: its status is not 0."""
    status = event[3:4] if event[0] == _LE_META else event[2:3]
    return status not in (b"", b"\0")


def _address(little: bytes) -> str:
    return little[::-1].hex(":")
