"""The LE link layer as a sniffer hears it [Bluetooth Core Specification, Vol 6, Part B, 2]: L2CAP fragments.

Packets go one by one: a sniffer records few, and whether one repeats the last depends on that.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from packwire.capture.layers.hci import HciLink, Links
from packwire.capture.layers.l2cap import Fragments
from packwire.capture.layers.link import Counts
from packwire.capture.packets import PacketDirection, Packets

LE, LE_WITH_HEADER, NORDIC = 251, 256, 272

ADVERTISING = 0x8E89_BED6
_CONNECT = 5
CONTINUES, BEGINS, _CONTROL = 1, 2, 3
#: LL control PDU: from here on both sides encrypt [2.4.2.6].
_START_ENC_REQ = 0x05
CRC = 3
_HEADER = 6


class _Said(NamedTuple):
    """What the sniffer says about a packet, and where its access address is."""

    at: int
    direction: int
    crc_ok: bool
    decrypted: bool


class HeardOnAir(NamedTuple):
    """A link-layer packet as it was recorded; `body` is where its payload of `size` bytes begins.

    `header` is the first byte of its header: what kind it is.
    """

    access: int
    header: int
    body: int
    size: int
    direction: int
    crc_ok: bool
    decrypted: bool


class Repeats:
    """Tells packets that only repeat the last one of their way: of the same sequence number [4.5.9]."""

    def __init__(self) -> None:
        self._last: dict[tuple[int, int], int] = {}

    def repeats(self, heard: HeardOnAir) -> bool:
        """Take a data packet; where nothing tells its way, it repeats none."""
        way, number = (heard.access, heard.direction), heard.header >> 3 & 1
        last = self._last.get(way)
        self._last[way] = number
        return bool(heard.direction) and last == number


@dataclass(slots=True)
class _State:
    """What is known of a connection: its number, whether it encrypts."""

    number: int
    encrypted: bool = False


class LinkLayer:
    """Reads link-layer packets, block after block."""

    def __init__(self, links: Links) -> None:
        self._links = links
        self._states: dict[int, _State] = {}
        self._peers: dict[int, str] = {}
        self._repeats = Repeats()

    def add(self, packets: Packets, rows: "np.ndarray[tuple[int], np.dtype[np.int64]]", counts: Counts,
            left_out: Counts) -> Fragments:  # fmt: skip
        """Return the fragments of L2CAP that these packets carry."""
        found = []
        for row in rows.tolist():
            packet = packets.packet(row)
            heard = hear(packet, int(packets.link_type[row]))
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
        self, packet: bytes, heard: HeardOnAir, counts: Counts, left_out: Counts
    ) -> tuple[int, bool, int, int] | None:
        """Read one packet; return connection, whether a PDU begins, and where the fragment lies."""
        kind, size, body = heard.header, heard.size, heard.body
        if heard.access == ADVERTISING:
            counts.add("advertising packets", 1)
            if kind & 15 == _CONNECT and len(packet) >= body + 16:
                self._peers[int.from_bytes(packet[body + 12 : body + 16], "little")] = packet[
                    body + 6 : body + 12
                ][::-1].hex(":")
            return None
        counts.add("LE data packets", 1)
        state = self._state(heard.access)
        if self._repeats.repeats(heard) or not size:
            return None
        if state.encrypted and not heard.decrypted:
            left_out.add("encrypted: record the pairing as well, or record on the phone", 1)
            return None
        if kind & 3 == _CONTROL:
            state.encrypted |= packet[body : body + 1] == bytes((_START_ENC_REQ,))
            return None
        if kind & 3 not in (CONTINUES, BEGINS):
            return None
        return state.number, kind & 3 == BEGINS, body, body + size

    def _state(self, access: int) -> _State:
        state = self._states.get(access)
        if state is None:
            link = HciLink(-1, access, self._peers.get(access, ""))
            state = self._states[access] = _State(self._links.begin(link))
        return state


#: The kinds of data PDUs that LINKTYPE_BLUETOOTH_LE_LL_WITH_PHDR tells apart: from the central, and to it.
_WAYS = {2: PacketDirection.SENT, 3: PacketDirection.RECEIVED}


def hear(packet: bytes, link_type: int) -> HeardOnAir | None:
    """Read a packet as a sniffer recorded it; None where it is cut off inside its header."""
    said = _said(packet, link_type)
    if said is None or len(packet) < said.at + _HEADER:
        return None
    access = int.from_bytes(packet[said.at : said.at + 4], "little")
    header, size = packet[said.at + 4], packet[said.at + 5]
    padding = len(packet) == said.at + _HEADER + 1 + size + CRC  # Nordic's sniffer may add a byte
    body = said.at + _HEADER + padding
    return HeardOnAir(access, header, body, size, said.direction, said.crc_ok, said.decrypted)


def _said(packet: bytes, link_type: int) -> _Said | None:
    """Read what the sniffer put in front."""
    if link_type == LE:
        said = _Said(0, PacketDirection.UNKNOWN, crc_ok=True, decrypted=False)
    elif link_type == LE_WITH_HEADER:
        if len(packet) < 10:
            return None
        flags = int.from_bytes(packet[8:10], "little")
        way = _WAYS.get(flags >> 7 & 7, PacketDirection.UNKNOWN)
        said = _Said(10, way, not flags & 0x400 or bool(flags & 0x800), bool(flags & 8))
    else:
        # Board, 6 bytes of header, then 10 that tell of the packet, the flags second.
        if len(packet) < 17:
            return None
        flags = packet[8]
        way = PacketDirection.SENT if flags & 2 else PacketDirection.RECEIVED
        said = _Said(17, way, bool(flags & 1), bool(flags & 8))
    return said
