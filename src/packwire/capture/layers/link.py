"""Link layers: where in each captured packet the IP packet begins.

Numbers from https://www.tcpdump.org/linktypes.html: Ethernet 1 (with any VLAN tags), Linux "cooked" 113 and
276, BSD loopback 0 and 108, raw IP 12, 14, 101, 228 and 229.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from packwire.capture.links import Layer, reader
from packwire.capture.packets import Packets
from packwire.columns import gather, one_of
from packwire.messages import Bytes, Int64s

_IPV4, _IPV6 = 0x0800, 0x86DD
#: 802.1Q, 802.1ad, and what older switches used for the outer tag.
_VLAN_TAGS = (0x8100, 0x88A8, 0x9100)
_MAX_TAGS = 8

#: Address family in a loopback header: IPv4 everywhere; IPv6 as Linux, Windows, the BSDs and macOS number it.
_LOOPBACK_FAMILIES = (2, 10, 23, 24, 28, 30)


@dataclass(slots=True)
class Counts:
    """How many packets a layer left out, by reason."""

    by_reason: dict[str, int] = field(default_factory=dict)

    def add(self, reason: str, count: int) -> None:
        """Count packets that are left out for a reason."""
        if count:
            self.by_reason[reason] = self.by_reason.get(reason, 0) + int(count)


@dataclass(frozen=True, slots=True)
class Located:
    """Packets of a protocol within captured packets: columns of equal length.

    row       int64, row in the table of packets
    at        int64, offset in `data` of the protocol's header
    end       int64, offset behind the last captured byte
    wire_end  int64, where the end would be had the whole packet been captured (at least `end`)
    """

    row: Int64s
    at: Int64s
    end: Int64s
    wire_end: Int64s

    def __len__(self) -> int:
        return len(self.row)

    def where(self, kept: NDArray[np.bool_]) -> "Located":
        """Return the rows of a mask."""
        if kept.all():
            return self
        return Located(self.row[kept], self.at[kept], self.end[kept], self.wire_end[kept])

    def moved(self, by: Int64s | int) -> "Located":
        """Return the same packets with the header further on by so many bytes."""
        return Located(self.row, self.at + by, self.end, self.wire_end)

    def holding(self, count: Int64s | int, reason: str, left_out: Counts) -> "Located":
        """Return those with at least `count` bytes captured; count the others."""
        enough = self.end - self.at >= count
        left_out.add(reason, len(self) - int(np.count_nonzero(enough)))
        return self.where(enough)


def locate_ip(packets: Packets, left_out: Counts) -> Located:
    """Return where the IP packets lie, of every link type that is known here, in the order of the file."""
    parts = [_of_link_type(packets, number, left_out) for number in packets.link_types]
    if not parts:
        none = np.zeros(0, dtype=np.int64)
        return Located(none, none, none, none)
    if len(parts) == 1:
        return parts[0]
    order = np.argsort(np.concatenate([part.row for part in parts]), kind="stable")
    return Located(
        np.concatenate([part.row for part in parts])[order],
        np.concatenate([part.at for part in parts])[order],
        np.concatenate([part.end for part in parts])[order],
        np.concatenate([part.wire_end for part in parts])[order],
    )


def _of_link_type(packets: Packets, number: int, left_out: Counts) -> Located:
    row = np.flatnonzero(packets.link_type == number)
    start = packets.start[row]
    frames = Located(row, start, start + packets.size[row], start + packets.original[row])
    find = reader(number, Layer.IP)
    if find is None:
        left_out.add(f"of link type {number}, which is not read here for IP", len(frames))
        return frames.where(np.zeros(len(frames), dtype=np.bool_))
    found: Located = find(packets.data, frames, left_out)
    return found


def ethernet(data: Bytes, frames: Located, left_out: Counts) -> Located:
    """LINKTYPE_ETHERNET: two addresses, then the protocol."""
    return _by_ethertype(data, frames, 12, 14, left_out)


def cooked(data: Bytes, frames: Located, left_out: Counts) -> Located:
    """LINKTYPE_LINUX_SLL: the protocol is the last of 16 bytes' fields."""
    return _by_ethertype(data, frames, 14, 16, left_out)


def cooked2(data: Bytes, frames: Located, left_out: Counts) -> Located:
    """LINKTYPE_LINUX_SLL2: the protocol comes first, the header has 20 bytes."""
    return _by_ethertype(data, frames, 0, 20, left_out)


def _by_ethertype(data: Bytes, frames: Located, type_at: int, size: int, left_out: Counts) -> Located:
    """Step over a header that names the protocol by EtherType, and over the VLAN tags behind it."""
    frames = frames.holding(size, "cut off before the IP header", left_out)
    protocol = gather(data, frames.at + type_at, ">u2")
    inner = frames.moved(size)
    for _ in range(_MAX_TAGS):
        tagged = one_of(protocol, _VLAN_TAGS)
        if not tagged.any():
            break
        cut = tagged & (inner.end - inner.at < 4)
        left_out.add("cut off before the IP header", int(np.count_nonzero(cut)))
        inner, protocol, tagged = inner.where(~cut), protocol[~cut], tagged[~cut]
        protocol[tagged] = gather(data, inner.at[tagged] + 2, ">u2")
        inner = inner.moved(4 * tagged.astype(np.int64))
    is_ip = (protocol == _IPV4) | (protocol == _IPV6)
    left_out.add("not IP (ARP, LLDP and the like)", int(np.count_nonzero(~is_ip)))
    return inner.where(is_ip)


def loopback(data: Bytes, frames: Located, left_out: Counts) -> Located:
    """LINKTYPE_NULL and LINKTYPE_LOOP: an address family of 4 bytes, in whichever byte order."""
    frames = frames.holding(4, "cut off before the IP header", left_out)
    little, big = gather(data, frames.at, "<u4"), gather(data, frames.at, ">u4")
    is_ip = one_of(np.minimum(little, big), _LOOPBACK_FAMILIES)
    left_out.add("not IP (ARP, LLDP and the like)", int(np.count_nonzero(~is_ip)))
    return frames.moved(4).where(is_ip)


def raw(data: Bytes, frames: Located, left_out: Counts) -> Located:  # noqa: ARG001 - one signature for all
    """LINKTYPE_RAW and its kin: nothing is in front."""
    return frames
