"""HCI out of serial transports with packets of their own: the three-wire UART (H5) and BCSP.

Each record is one packet, between SLIP's delimiters or already without them: a header of four bytes (flags;
type and length, 12 bits; a checksum that makes the header's sum 0xff), the payload, and two bytes of CRC
where a flag says so [Bluetooth Core Vol 4 Part D; CSR, BlueCore Serial Protocol]. Acknowledgements and link
control carry no HCI. The CRC is taken off and not checked.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

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

H5, BCSP = 1004, 1003
_HEADER = 4
_CRC_FLAG, _CRC = 0x40, 2
_DELIMITER, _ESCAPE = 0xC0, 0xDB
_ESCAPED = {0xDC: 0xC0, 0xDD: 0xDB, 0xDE: 0x11, 0xDF: 0x13}

#: Kinds of HCI packets by type of packet, sent and received.
_KINDS: Mapping[int, Mapping[int, tuple[int, int]]] = {
    H5: {
        1: (HCI_COMMAND, HCI_COMMAND),
        2: (HCI_ACL, HCI_ACL),
        3: (HCI_SCO, HCI_SCO),
        4: (HCI_EVENT, HCI_EVENT),
        5: (HCI_ISO, HCI_ISO),
    },
    BCSP: {5: (HCI_COMMAND, HCI_EVENT), 6: (HCI_ACL, HCI_ACL), 7: (HCI_SCO, HCI_SCO)},
}


@dataclass(frozen=True, slots=True)
class _Unwrapped:
    kind: int
    payload: bytes
    missing: int


def unwrapped(packets: Packets, link: int) -> Packets:
    """Return the HCI packets within packets of data link `link` (H5 or BCSP), under their old numbers.

    What is no whole packet becomes a note; how many there were of these is said.
    """
    data = bytearray()
    start = np.zeros(len(packets), dtype=np.int64)
    size = np.zeros(len(packets), dtype=np.int64)
    missing = np.zeros(len(packets), dtype=np.int64)
    link_type = np.full(len(packets), HCI_NOTE, dtype=np.int32)
    odd: list[int] = []
    for row in range(len(packets)):
        found = _unwrap(packets.packet(row), link, sent=packets.direction[row] == PacketDirection.SENT)
        start[row] = len(data)
        if found is None:
            odd.append(row + 1)
            continue
        data += found.payload
        size[row], missing[row], link_type[row] = len(found.payload), found.missing, found.kind
    said = (f"{len(odd)} packets are none of this transport, the first is packet {odd[0]}",) if odd else ()
    return replace(
        packets,
        start=start,
        size=size,
        original=size + missing,
        link_type=link_type,
        data=np.frombuffer(bytes(data), dtype=np.uint8),
        damage=(*packets.damage, *said),
    )


def _unwrap(record: bytes, link: int, *, sent: bool) -> _Unwrapped | None:
    packet = _without_slip(record)
    if packet is None or len(packet) < _HEADER or sum(packet[:_HEADER]) & 0xFF != 0xFF:
        return None
    length = packet[1] >> 4 | packet[2] << 4
    payload = packet[_HEADER : _HEADER + length]
    if len(packet) > _HEADER + length + _CRC * bool(packet[0] & _CRC_FLAG):
        return None
    kinds = _KINDS[link].get(packet[1] & 0x0F)
    if kinds is None:
        return _Unwrapped(HCI_NOTE, payload, 0)
    return _Unwrapped(kinds[0] if sent else kinds[1], payload, length - len(payload))


def _without_slip(record: bytes) -> bytes | None:
    """Return a packet without delimiters and escapes; None where the record holds no single packet."""
    if record[:1] != bytes((_DELIMITER,)):
        return record
    inside = record.strip(bytes((_DELIMITER,)))
    if _DELIMITER in inside:
        return None
    result, escaped = bytearray(), False
    for byte in inside:
        if escaped:
            if byte not in _ESCAPED:
                return None
            result.append(_ESCAPED[byte])
        elif byte != _ESCAPE:
            result.append(byte)
        escaped = not escaped and byte == _ESCAPE
    return bytes(result)
