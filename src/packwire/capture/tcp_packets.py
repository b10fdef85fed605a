"""Makes the packets of a TCP connection out of the bytes that passed on it: Ethernet, IPv4 or IPv6, TCP.

For recordings that are made where the packets themselves are not seen. Pieces of any size become segments,
sequence numbers go round at 2^32, checksums are right. Facts: RFC 791, RFC 8200, RFC 9293, RFC 1071.
"""

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address
from struct import Struct
from typing import NamedTuple

LINKTYPE_ETHERNET = 1

#: Far below the 65 535 bytes that an IPv4 packet can have.
MAX_SEGMENT = 32_768
#: The other side acknowledges when so much is open, as a receiver with this window would.
_WINDOW = 65_535
_FIN, _SYN, _RST, _PSH, _ACK = 1, 2, 4, 8, 16
_TCP = 6

_TCP_HEADER = Struct(">HHIIBBHHH").pack
_IPV4_HEADER = Struct(">BBHHHBBH4s4s").pack
_IPV6_HEADER = Struct(">IHBB16s16s").pack
#: Locally administered addresses, one for each side.
_MACS = (bytes.fromhex("020000000001"), bytes.fromhex("020000000002"))


class Endpoint(NamedTuple):
    """One end of a connection."""

    host: str
    port: int


class TcpPackets:
    """One connection; side 0 dialled. Each method returns the packets of what happened, in order.

    `first_sequence` is the number of both SYNs: give connections between the same endpoints different ones.
    """

    def __init__(self, client: Endpoint, server: Endpoint, first_sequence: int = 0) -> None:
        addresses = [ip_address(end.host.partition("%")[0]) for end in (client, server)]
        if any(isinstance(address, IPv6Address) for address in addresses):
            addresses = [_as_ipv6(address) for address in addresses]
        self._addresses = tuple(address.packed for address in addresses)
        self._ports = (client.port, server.port)
        self._next = [first_sequence % (1 << 32)] * 2
        self._open = [0, 0]
        """How many bytes of each side the other one has not acknowledged."""

    def open(self) -> Iterator[bytes]:
        """SYN, SYN and ACK, ACK."""
        yield self._packet(0, _SYN)
        self._advance(0, 1)
        yield self._packet(1, _SYN | _ACK)
        self._advance(1, 1)
        yield self._packet(0, _ACK)

    def data(self, side: int, content: bytes) -> Iterator[bytes]:
        """Segments from one side, the last one with PSH; an ACK of the other side where one is due."""
        for begin in range(0, len(content), MAX_SEGMENT):
            piece = content[begin : begin + MAX_SEGMENT]
            last = begin + MAX_SEGMENT >= len(content)
            if self._open[side] + len(piece) > _WINDOW:
                yield self._packet(1 - side, _ACK)
            yield self._packet(side, _ACK | (_PSH if last else 0), piece)
            self._advance(side, len(piece))

    def end(self, side: int) -> Iterator[bytes]:
        """FIN of one side and the other's ACK."""
        yield self._packet(side, _FIN | _ACK)
        self._advance(side, 1)
        yield self._packet(1 - side, _ACK)

    def reset(self, side: int) -> Iterator[bytes]:
        """RST of one side."""
        yield self._packet(side, _RST | _ACK)

    def _advance(self, side: int, count: int) -> None:
        self._next[side] = (self._next[side] + count) % (1 << 32)
        self._open[side] += count

    def _packet(self, side: int, flags: int, content: bytes = b"") -> bytes:
        other = 1 - side
        acknowledged = self._next[other] if flags & _ACK else 0
        if flags & _ACK:
            self._open[other] = 0
        ports = (self._ports[side], self._ports[other])
        source, destination = self._addresses[side], self._addresses[other]
        fields = (*ports, self._next[side], acknowledged, 5 << 4, flags, _WINDOW)
        segment = _TCP_HEADER(*fields, 0, 0) + content
        pseudo = source + destination + len(segment).to_bytes(4) + _TCP.to_bytes(4)
        segment = _TCP_HEADER(*fields, checksum(pseudo + segment), 0) + content
        macs = _MACS[other] + _MACS[side]
        if len(source) == 4:
            return macs + b"\x08\x00" + _ipv4(source, destination, len(segment)) + segment
        header = _IPV6_HEADER(6 << 28, len(segment), _TCP, 64, source, destination)
        return macs + b"\x86\xdd" + header + segment


def checksum(content: bytes) -> int:
    """Return the Internet checksum [RFC 1071] of bytes that are not all zero."""
    if len(content) % 2:
        content += b"\0"
    # The ones' complement sum of 16-bit words is the number that they make up, modulo 65 535.
    return 65_535 - (int.from_bytes(content) % 65_535 or 65_535)


def _ipv4(source: bytes, destination: bytes, size: int) -> bytes:
    dont_fragment = 0x4000
    fields = (0x45, 0, 20 + size, 0, dont_fragment, 64, _TCP)
    header = _IPV4_HEADER(*fields, 0, source, destination)
    return _IPV4_HEADER(*fields, checksum(header), source, destination)


def _as_ipv6(address: IPv4Address | IPv6Address) -> IPv6Address:
    return IPv6Address(f"::ffff:{address}") if isinstance(address, IPv4Address) else address
