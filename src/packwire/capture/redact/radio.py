"""Bluetooth LE recorded in the air: addresses and names in advertising, keys and names on connections.

The check sequence of a packet that was changed is mended. It is linear, so that the change of it follows from
the change of the packet, and nobody needs to know the connection's initial value. Facts: Core Vol 6, Part B
2.3 (advertising), 2.4 (data), 3.1.1 (CRC); link types 251 and 256 from tcpdump.org.
"""

import numpy as np

from packwire.capture.links import Layer, headers
from packwire.capture.redact.acl import AclMasker
from packwire.capture.redact.canvas import Canvas
from packwire.capture.redact.hci import UNKNOWN, HciMasker

#: Link type -> size of the header in front of the access address.
RADIO_LINKS = headers(Layer.RADIO)
_ADVERTISING = 0x8E89BED6
_CRC = 3
#: What the last fragment of this many bytes may be: access address, header.
_HEADER = 6
#: Kind of an advertising packet -> offsets of addresses, and of advertising data (None: there is none).
_KINDS: dict[int, tuple[tuple[int, ...], int | None]] = {
    0: ((0,), 6),
    1: ((0, 6), None),
    2: ((0,), 6),
    3: ((0, 6), None),
    4: ((0,), 6),
    5: ((0, 6), None),
    6: ((0,), 6),
}


def mask_radio(canvas: Canvas, advertising: HciMasker, data: AclMasker) -> None:
    """Mask the packets of all radio links; call `data.finish` and then `mend_radio` afterwards."""
    packets = canvas.packets
    for link_type, skip in RADIO_LINKS.items():
        for row in np.flatnonzero(packets.link_type == link_type).tolist():
            start = int(packets.start[row])
            at, end = start + skip, start + int(packets.size[row])
            if end - at < _HEADER:
                continue
            address = int.from_bytes(canvas.original[at : at + 4].tobytes(), "little")
            head, size = canvas.original[at + 4 : at + _HEADER].tolist()
            body = at + _HEADER
            stop = min(body + size, end)
            canvas.mask(body + size + _CRC, end, UNKNOWN)
            if address == _ADVERTISING:
                _advertising(canvas, advertising, head & 0x0F, body, stop)
            elif head & 3 in (1, 2):
                data.fragment((-1, address), 0, body, stop, first=head & 3 == 2)


def _advertising(canvas: Canvas, masker: HciMasker, kind: int, body: int, stop: int) -> None:
    if kind not in _KINDS:
        canvas.mask(body, stop, UNKNOWN)
        return
    addresses, advertised = _KINDS[kind]
    for offset in addresses:
        masker.address(body + offset, stop)
    if advertised is not None and body + advertised < stop:
        masker.advertising(body + advertised, stop)


def mend_radio(canvas: Canvas) -> None:
    """Mend the check sequences of the packets that were changed and are whole."""
    packets = canvas.packets
    for link_type, skip in RADIO_LINKS.items():
        for row in np.flatnonzero(packets.link_type == link_type).tolist():
            start = int(packets.start[row])
            begin, end = start + skip + 4, start + int(packets.size[row])
            if end - begin < 2:
                continue
            stop = begin + 2 + int(canvas.original[begin + 1])
            difference = canvas.data[begin:stop] ^ canvas.original[begin:stop]
            if stop + _CRC <= end and difference.any():
                moved = crc24(difference.tobytes(), 0).to_bytes(_CRC, "little")
                canvas.data[stop : stop + _CRC] ^= np.frombuffer(moved, dtype=np.uint8)


def crc24(content: bytes, state: int) -> int:
    """Return the check sequence of an LE packet, least significant bit first, from an initial state."""
    for byte in content:
        state ^= byte
        for _ in range(8):
            state = state >> 1 ^ (0xDA6000 if state & 1 else 0)
    return state
