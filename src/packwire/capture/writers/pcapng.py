"""The pcapng format, little-endian: one section, nanoseconds, an interface for each link.

It keeps all that the table of packets has: several links, their names, directions. Facts from
draft-ietf-opsawg-pcapng: section 3.5 options, 4.1 section header, 4.2 interface description, 4.3 enhanced
packets with their flags.
"""

import struct
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np

from packwire.capture.packets import PacketDirection, Packets
from packwire.capture.writers.records import Records, blocks, records

_SECTION, _INTERFACE, _PACKET = 0x0A0D0D0A, 1, 6
_BYTE_ORDER_MAGIC = 0x1A2B3C4D
_END, _IF_NAME, _IF_TSRESOL, _EPB_FLAGS = 0, 2, 9, 2
_NANOSECONDS = b"\x09"
#: epb_flags, its lowest two bits.
_INBOUND, _OUTBOUND = 1, 2


def write(packets: Packets, file: BinaryIO) -> tuple[str, ...]:
    """Write the packets; return what was left out. Raises BadOptionError where pcapng cannot hold them."""
    found = records(packets, "pcapng")
    packets = found.packets
    pairs = np.stack([packets.interface.astype(np.int64), packets.link_type.astype(np.int64)], axis=1)
    links, number = np.unique(pairs, axis=0, return_inverse=True)
    file.write(section_block())
    file.writelines(
        interface_block(packets.interfaces[interface], link_type) for interface, link_type in links.tolist()
    )
    file.writelines(blocks(_pieces(found, number.reshape(-1).tolist())))
    return found.notes


def section_block() -> bytes:
    """Return the block that a file begins with."""
    return _block(_SECTION, struct.pack("<IHHq", _BYTE_ORDER_MAGIC, 1, 0, -1))


def interface_block(name: str, link_type: int) -> bytes:
    """Return the description of an interface (its name may be empty); times are in nanoseconds."""
    options = _option(_IF_NAME, name.encode()[:255]) if name else b""
    options += _option(_IF_TSRESOL, _NANOSECONDS) + _option(_END, b"")
    return _block(_INTERFACE, struct.pack("<HHI", link_type, 0, 0) + options)


def packet_block(interface: int, time: int, packet: bytes) -> bytes:
    """Return a whole packet; `interface` counts the interface blocks before it, `time` is in ns."""
    size = len(packet)
    return _block(_PACKET, struct.pack("<IIIII", interface, *divmod(time, 1 << 32), size, size) + packet)


def _option(code: int, value: bytes) -> bytes:
    return struct.pack("<HH", code, len(value)) + value + bytes(-len(value) % 4)


def _block(kind: int, body: bytes) -> bytes:
    body += bytes(-len(body) % 4)
    size = struct.pack("<I", 12 + len(body))
    return struct.pack("<I", kind) + size + body + size


def _flags(value: int) -> bytes:
    return _option(_EPB_FLAGS, struct.pack("<I", value)) + _option(_END, b"")


_OPTIONS = {
    PacketDirection.RECEIVED: _flags(_INBOUND),
    PacketDirection.SENT: _flags(_OUTBOUND),
    PacketDirection.UNKNOWN: b"",
}


def _pieces(found: Records, interfaces: list[int]) -> Iterator[bytes]:
    header = struct.Struct("<IIIIIII").pack
    size_again = struct.Struct("<I").pack
    for record, interface in zip(found, interfaces, strict=True):
        count = len(record.prefix) + len(record.payload)
        end = bytes(-count % 4) + _OPTIONS[record.direction]
        size = 32 + count + len(end)
        ticks = divmod(record.time, 1 << 32)
        yield header(_PACKET, size, interface, *ticks, count, record.original)
        yield record.prefix
        yield record.payload.tobytes()
        yield end + size_again(size)
