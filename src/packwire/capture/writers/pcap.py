"""The classic pcap format, little-endian; nanoseconds where a time needs them [draft-ietf-opsawg-pcap].

It has no place for a packet's direction, but for Bluetooth: HCI packets of known direction are written with
LINKTYPE_BLUETOOTH_HCI_H4_WITH_PHDR, which has four bytes for it.
"""

import struct
from collections.abc import Iterator
from typing import BinaryIO

from packwire.capture.packets import LINKTYPE_HCI_H4, PacketDirection, Packets
from packwire.capture.writers.records import H4_WITH_DIRECTION, LARGEST, Records, blocks, records
from packwire.errors import BadOptionError

_MICROSECONDS, _NANOSECONDS = 0xA1B2C3D4, 0xA1B23C4D
_SNAP_LENGTH = 262_144
_LAST_SECOND = (1 << 32) - 1
#: The pseudo-header's direction, big-endian: 0 sent by the host, 1 received.
_SENT, _RECEIVED = struct.pack(">I", 0), struct.pack(">I", 1)

#: Link types whose packets say their direction themselves: H4 with direction, SLL, SLL2.
_SAYS_ITSELF = (H4_WITH_DIRECTION, 113, 276)


def write(packets: Packets, file: BinaryIO) -> tuple[str, ...]:
    """Write the packets; return what could not be kept. Raises BadOptionError where pcap cannot hold them."""
    found = records(packets, "pcap")
    link_type = found.only_link_type("pcap")
    times, notes = found.time, found.notes
    if len(times) and times.max() // 1_000_000_000 > _LAST_SECOND:
        raise BadOptionError("pcap holds times up to 2106 only: write pcapng")
    told = found.packets.direction != PacketDirection.UNKNOWN
    with_direction = link_type == LINKTYPE_HCI_H4 and bool(told.any()) and bool(told.all())
    if told.any() and not with_direction and link_type not in _SAYS_ITSELF:
        notes += ("pcap has no place for the packets' direction: pcapng keeps it",)
    fine = bool((times % 1000 != 0).any())
    snap_length = max(_SNAP_LENGTH, int(found.packets.size.max(initial=0)) + 5)
    written_type = H4_WITH_DIRECTION if with_direction else link_type
    magic = _NANOSECONDS if fine else _MICROSECONDS
    file.write(struct.pack("<IHHiIII", magic, 2, 4, 0, 0, snap_length, written_type))
    file.writelines(blocks(_pieces(found, 1 if fine else 1000, with_direction)))
    return notes


def _pieces(found: Records, unit: int, with_direction: bool) -> Iterator[bytes]:
    header = struct.Struct("<IIII").pack
    for record in found:
        seconds, rest = divmod(record.time, 1_000_000_000)
        prefix = record.prefix
        if with_direction:
            prefix = (_RECEIVED if record.direction == PacketDirection.RECEIVED else _SENT) + prefix
        original = min(record.original + 4 * with_direction, LARGEST)
        yield header(seconds, rest // unit, len(prefix) + len(record.payload), original)
        yield prefix
        yield record.payload.tobytes()
