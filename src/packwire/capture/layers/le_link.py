"""The LE link layer as a sniffer hears it [Bluetooth Core Specification, Vol 6, Part B, 2]: L2CAP fragments.

Packets go one by one: a sniffer records few, and whether one repeats the last depends on that.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from packwire.capture.layers.hci import HciLink, HciTransport, Links
from packwire.capture.layers.l2cap import Fragments
from packwire.capture.layers.link import Counts
from packwire.capture.packets import PacketDirection, Packets

LE, LE_WITH_HEADER, NORDIC = 251, 256, 272

_ADVERTISING = 0x8E89_BED6
_CONNECT = 5
_CONTINUES, _BEGINS, _CONTROL = 1, 2, 3
#: LL control PDU: from here on both sides encrypt [2.4.2.6].
_START_ENC_REQ = 0x05
_CRC = 3


class _Heard(NamedTuple):
    """A link-layer packet: where its access address is, and what the sniffer says about it."""

    at: int
    direction: int
    crc_ok: bool
    decrypted: bool


@dataclass(slots=True)
class _State:
    """What is known of a connection: its number, whether it encrypts, the last sequence number a way."""

    number: int
    encrypted: bool = False
    last: dict[int, int] = field(default_factory=dict)


class LinkLayer:
    """Reads link-layer packets, block after block."""

    def __init__(self, links: Links) -> None:
        self._links = links
        self._states: dict[int, _State] = {}
        self._peers: dict[int, str] = {}

    def add(self, packets: Packets, rows: "np.ndarray[tuple[int], np.dtype[np.int64]]", counts: Counts,
            left_out: Counts) -> Fragments:  # fmt: skip
        """Return the fragments of L2CAP that these packets carry."""
        found = []
        for row in rows.tolist():
            packet = packets.packet(row)
            heard = _heard(packet, int(packets.link_type[row]))
            if heard is None:
                left_out.add("cut off inside a Bluetooth header", 1)
            elif not heard.crc_ok:
                left_out.add("heard with a wrong CRC", 1)
            else:
                fragment = self._packet(packet, heard, counts, left_out)
                if fragment:
                    link, first, at, end = fragment
                    start = int(packets.start[row])
                    there = min(end, len(packet))
                    found.append((row, link, heard.direction, first, start + at, start + there, start + end))
        table = np.array(found, dtype=np.int64).reshape(-1, 7)
        return Fragments(
            row=table[:, 0],
            link=table[:, 1].astype(np.int32),
            direction=table[:, 2].astype(np.int8),
            first=table[:, 3].astype(np.bool_),
            at=table[:, 4],
            end=table[:, 5],
            wire_end=table[:, 6],
        )

    def _packet(
        self, packet: bytes, heard: _Heard, counts: Counts, left_out: Counts
    ) -> tuple[int, bool, int, int] | None:
        """Read one packet; return connection, whether a PDU begins, and where the fragment lies."""
        at = heard.at
        access = int.from_bytes(packet[at : at + 4], "little")
        kind, size = packet[at + 4], packet[at + 5]
        body = at + 6 + (len(packet) == at + 7 + size + _CRC)  # Nordic's sniffer may add a byte of padding
        if access == _ADVERTISING:
            counts.add("advertising packets", 1)
            if kind & 15 == _CONNECT and len(packet) >= body + 16:
                self._peers[int.from_bytes(packet[body + 12 : body + 16], "little")] = packet[
                    body + 6 : body + 12
                ][::-1].hex(":")
            return None
        counts.add("LE data packets", 1)
        state = self._state(access)
        number = kind >> 3 & 1
        repeats = heard.direction and state.last.get(heard.direction) == number
        state.last[heard.direction] = number
        if not size or repeats:
            return None
        if state.encrypted and not heard.decrypted:
            left_out.add("encrypted: record the pairing as well, or record on the phone", 1)
            return None
        if kind & 3 == _CONTROL:
            state.encrypted |= packet[body : body + 1] == bytes((_START_ENC_REQ,))
            return None
        if kind & 3 not in (_CONTINUES, _BEGINS):
            return None
        return state.number, kind & 3 == _BEGINS, body, body + size

    def _state(self, access: int) -> _State:
        state = self._states.get(access)
        if state is None:
            link = HciLink(-1, access, HciTransport.LE, self._peers.get(access, ""))
            state = self._states[access] = _State(self._links.begin(link))
        return state


#: The kinds of data PDUs that LINKTYPE_BLUETOOTH_LE_LL_WITH_PHDR tells apart: from the central, and to it.
_WAYS = {2: PacketDirection.SENT, 3: PacketDirection.RECEIVED}


def _heard(packet: bytes, link_type: int) -> _Heard | None:
    """Read what the sniffer put in front."""
    if link_type == LE:
        heard = _Heard(0, PacketDirection.UNKNOWN, crc_ok=True, decrypted=False)
    elif link_type == LE_WITH_HEADER:
        if len(packet) < 10:
            return None
        flags = int.from_bytes(packet[8:10], "little")
        way = _WAYS.get(flags >> 7 & 7, PacketDirection.UNKNOWN)
        heard = _Heard(10, way, not flags & 0x400 or bool(flags & 0x800), bool(flags & 8))
    else:
        # Board, 6 bytes of header, then 10 that tell of the packet, the flags second.
        if len(packet) < 17:
            return None
        flags = packet[8]
        way = PacketDirection.SENT if flags & 2 else PacketDirection.RECEIVED
        heard = _Heard(17, way, bool(flags & 1), bool(flags & 8))
    return heard if len(packet) >= heard.at + 6 else None
