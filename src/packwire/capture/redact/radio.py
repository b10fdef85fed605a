"""Bluetooth LE recorded in the air: addresses and names in advertising, keys and names on connections.

The check sequence of a packet that was changed is mended. It is linear, so that the change of it follows from
the change of the packet, and nobody needs to know the connection's initial value. Facts: Core Vol 6, Part B
2.3 (advertising), 2.4 (data), 3.1.1 (CRC); link types 251 and 256 from tcpdump.org.
"""

import numpy as np

from packwire.capture.layers.le_link import ADVERTISING, BEGINS, CONTINUES, CRC, Repeats, hear
from packwire.capture.links import Layer, headers
from packwire.capture.redact.acl import AclMasker
from packwire.capture.redact.canvas import Canvas
from packwire.capture.redact.hci import UNKNOWN, HciMasker

#: Link type -> size of the header in front of the access address.
RADIO_LINKS = headers(Layer.RADIO)
UNREAD = "packets heard on the air that repeat the last one, or with a wrong CRC"
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
    repeats = Repeats()
    for link_type in RADIO_LINKS:
        for row in np.flatnonzero(packets.link_type == link_type).tolist():
            start, end = int(packets.start[row]), int(packets.start[row] + packets.size[row])
            heard = hear(packets.packet(row), link_type)
            if heard is None:
                continue
            body, stop = start + heard.body, min(start + heard.body + heard.size, end)
            canvas.mask(body + heard.size + CRC, end, UNKNOWN)
            if heard.access == ADVERTISING:
                _advertising(canvas, advertising, heard.header & 0x0F, body, stop)
            elif not heard.crc_ok or repeats.repeats(heard):
                canvas.mask(body, stop, UNREAD)  # part of no message: of one that repeats, the first copy is
            elif heard.header & 3 in (CONTINUES, BEGINS):
                first = heard.header & 3 == BEGINS
                data.fragment((-1, heard.access), heard.direction, body, stop, first=first)


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
    for link_type in RADIO_LINKS:
        for row in np.flatnonzero(packets.link_type == link_type).tolist():
            start, heard = int(packets.start[row]), hear(packets.packet(row), link_type)
            if heard is None:
                continue
            begin, stop = start + heard.body, start + heard.body + heard.size
            difference = canvas.data[begin:stop] ^ canvas.original[begin:stop]
            if stop + CRC <= start + int(packets.size[row]) and difference.any():
                moved = crc24(difference.tobytes(), 0).to_bytes(CRC, "little")
                canvas.data[stop : stop + CRC] ^= np.frombuffer(moved, dtype=np.uint8)


def crc24(content: bytes, state: int) -> int:
    """Return the check sequence of an LE packet, least significant bit first, from an initial state."""
    for byte in content:
        state ^= byte
        for _ in range(8):
            state = state >> 1 ^ (0xDA6000 if state & 1 else 0)
    return state
