"""The btsnoop format, as Android writes it: HCI packets with their direction, microseconds.

Facts from RFC 1761 (the snoop format that it derives from) and the Symbian btsnoop description: data link
1002 is HCI UART (H4), bit 0 of the flags says received, bit 1 command or event. Times count from the year 0.
"""

import struct
from collections.abc import Iterator
from typing import BinaryIO

from packwire.capture.links import LINKS
from packwire.capture.packets import PacketDirection, Packets
from packwire.capture.writers.records import H4_WITH_DIRECTION, Record, Records, blocks, records
from packwire.errors import BadOptionError

_UART = 1002
#: Microseconds from the year 0 to 1970.
_EPOCH = 0x00DC_DDB3_0F2F_8000
_RECEIVED, _COMMAND_OR_EVENT = 1, 2
_COMMAND, _EVENT = 1, 4
_PSEUDO_HEADER = 4
_PACKET = struct.Struct(">IIIIq").pack


def write(packets: Packets, file: BinaryIO) -> tuple[str, ...]:
    """Write the packets; return what could not be kept. Raises BadOptionError for what is not HCI."""
    found = records(packets, "btsnoop", before_1970=True)
    link_type = found.only_link_type("btsnoop")
    if link_type not in LINKS or not LINKS[link_type].btsnoop:
        raise BadOptionError(
            f"btsnoop holds Bluetooth HCI packets (link type 187 or 201), these are of link type {link_type}:"
            " write pcapng"
        )
    notes = found.notes
    if (found.time % 1000 != 0).any():
        notes += ("btsnoop counts microseconds: nanoseconds are cut off",)
    file.write(file_header())
    file.writelines(blocks(_pieces(found, _PSEUDO_HEADER * (link_type == H4_WITH_DIRECTION))))
    return notes


def _pieces(found: Records, skip: int) -> Iterator[bytes]:
    """Yield header and bytes of each; `skip` is the size of a pseudo-header that says the direction."""
    for record in found:
        payload = record.prefix + record.payload[skip:]
        kind = payload[0] if payload else 0
        received = _direction(record, skip, kind) == PacketDirection.RECEIVED
        yield _header(record.time, payload, max(record.original - skip, len(payload)), received=received)
        yield payload


def file_header() -> bytes:
    """Return what a file begins with: HCI packets with their H4 indicator."""
    return b"btsnoop\0" + struct.pack(">II", 1, _UART)


def packet_record(time: int, packet: bytes, *, received: bool) -> bytes:
    """Return a whole HCI packet with its header; `time` is in ns since the epoch."""
    return _header(time, packet, len(packet), received=received) + packet


def _header(time: int, packet: bytes, original: int, *, received: bool) -> bytes:
    flags = _RECEIVED * received | _COMMAND_OR_EVENT * (packet[:1] in (bytes((_COMMAND,)), bytes((_EVENT,))))
    return _PACKET(original, len(packet), flags, 0, time // 1000 + _EPOCH)


def _direction(record: Record, skip: int, kind: int) -> PacketDirection:
    """Commands and events have one direction each; for the rest, what the file says or the pseudo-header."""
    if kind in (_COMMAND, _EVENT):
        return PacketDirection.RECEIVED if kind == _EVENT else PacketDirection.SENT
    if record.direction == PacketDirection.UNKNOWN and skip and len(record.payload) >= skip:
        return PacketDirection.RECEIVED if record.payload[skip - 1] & 1 else PacketDirection.SENT
    return record.direction
