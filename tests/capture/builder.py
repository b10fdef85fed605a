"""Builds packets, TCP sessions and capture files for tests; nothing here is shared with the readers."""

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import NamedTuple, Self

import numpy as np

from packwire.capture.formats import read_packets
from packwire.capture.layers.tcp import Connections
from packwire.capture.packets import Packets

EPOCH = 1_700_000_000_000_000_000
MILLISECOND = 1_000_000

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16

ETHERNET, NULL, LOOP, RAW, SLL, SLL2 = 1, 0, 108, 101, 113, 276


class Recorded(NamedTuple):
    """A packet for a capture file: `original` is its size on the wire where it was cut short."""

    time: int
    data: bytes
    original: int | None = None

    @property
    def wire_size(self) -> int:
        return len(self.data) if self.original is None else self.original


def tcp(
    source: int, destination: int, seq: int, ack: int, flags: int, payload: bytes = b"", options: bytes = b""
) -> bytes:
    offset = (20 + len(options)) // 4 << 4
    header = struct.pack(
        ">HHIIBBHHH", source, destination, seq % (1 << 32), ack % (1 << 32), offset, flags, 65535, 0, 0
    )
    return header + options + payload


def ipv4(
    payload: bytes,
    source: str = "10.0.0.1",
    destination: str = "10.0.0.2",
    protocol: int = 6,
    options: bytes = b"",
    total: int | None = None,
    fragment: int = 0,
) -> bytes:
    size = 20 + len(options)
    total = size + len(payload) if total is None else total
    header = struct.pack(">BBHHHBBH", 0x40 | size // 4, 0, total, 1, fragment, 64, protocol, 0)
    return header + ip_address(source).packed + ip_address(destination).packed + options + payload


def ipv6(
    payload: bytes,
    source: str = "fe80::1",
    destination: str = "fe80::2",
    next_header: int = 6,
    size: int | None = None,
) -> bytes:
    header = struct.pack(">IHBB", 6 << 28, len(payload) if size is None else size, next_header, 64)
    return header + ip_address(source).packed + ip_address(destination).packed + payload


def _ethertype(ip: bytes) -> int:
    return 0x0800 if ip[0] >> 4 == 4 else 0x86DD


def ethernet(ip: bytes, tags: Sequence[tuple[int, int]] = (), ethertype: int | None = None) -> bytes:
    """Wrap an IP packet; `tags` are VLAN tags as (EtherType, VLAN id), the outer first."""
    kind = _ethertype(ip) if ethertype is None else ethertype
    inside = b"".join(struct.pack(">HH", *tag) for tag in tags) + struct.pack(">H", kind)
    return bytes(12) + inside + ip


def linked(ip: bytes, link_type: int, order: str = "<") -> bytes:
    """Wrap an IP packet for one of the link types."""
    match link_type:
        case 0 | 108:
            family = 2 if ip[0] >> 4 == 4 else 30
            return struct.pack((order if link_type == NULL else ">") + "I", family) + ip
        case 1:
            return ethernet(ip)
        case 113:
            return struct.pack(">HHH8sH", 0, 1, 6, bytes(8), _ethertype(ip)) + ip
        case 276:
            return struct.pack(">HHIHBB8s", _ethertype(ip), 0, 1, 1, 0, 6, bytes(8)) + ip
    return ip


def pcap(
    packets: Iterable[Recorded],
    *,
    order: str = "<",
    nano: bool = False,
    link_type: int = ETHERNET,
    snaplen: int = 262_144,
) -> bytes:
    magic = 0xA1B23C4D if nano else 0xA1B2C3D4
    unit = 1 if nano else 1000
    parts = [struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, snaplen, link_type)]
    for packet in packets:
        seconds, rest = divmod(packet.time, 1_000_000_000)
        parts.append(struct.pack(order + "IIII", seconds, rest // unit, len(packet.data), packet.wire_size))
        parts.append(packet.data)
    return b"".join(parts)


def option(order: str, code: int, value: bytes) -> bytes:
    return struct.pack(order + "HH", code, len(value)) + value + bytes(-len(value) % 4)


def block(order: str, kind: int, body: bytes) -> bytes:
    body += bytes(-len(body) % 4)
    size = 12 + len(body)
    return struct.pack(order + "II", kind, size) + body + struct.pack(order + "I", size)


def section(order: str = "<") -> bytes:
    return block(order, 0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1))


def interface(order: str = "<", link_type: int = ETHERNET, snaplen: int = 0, options: bytes = b"") -> bytes:
    return block(order, 1, struct.pack(order + "HHI", link_type, 0, snaplen) + options)


def enhanced(
    packet: Recorded, order: str = "<", interface_id: int = 0, ticks: int | None = None, options: bytes = b""
) -> bytes:
    ticks = packet.time // 1000 if ticks is None else ticks
    fixed = struct.pack(
        order + "IIIII", interface_id, ticks >> 32, ticks & 0xFFFFFFFF, len(packet.data), packet.wire_size
    )
    return block(order, 6, fixed + packet.data + bytes(-len(packet.data) % 4) + options)


def old_packet(packet: Recorded, order: str = "<", interface_id: int = 0, options: bytes = b"") -> bytes:
    ticks = packet.time // 1000
    fixed = struct.pack(
        order + "HHIIII", interface_id, 0, ticks >> 32, ticks & 0xFFFFFFFF, len(packet.data), packet.wire_size
    )
    return block(order, 2, fixed + packet.data + bytes(-len(packet.data) % 4) + options)


def simple(packet: Recorded, order: str = "<") -> bytes:
    return block(order, 3, struct.pack(order + "I", packet.wire_size) + packet.data)


def array(data: bytes) -> np.ndarray:
    return np.frombuffer(data, dtype=np.uint8)


def read(data: bytes) -> Packets:
    return read_packets(array(data))


def connections(packets: Iterable[Recorded], link_type: int = ETHERNET) -> Connections:
    return Connections(read(pcap(packets, link_type=link_type)))


@dataclass
class Session:
    """Writes a TCP connection: side 0 dials side 1. Each call adds packets and lets time go by."""

    ports: tuple[int, int] = (50000, 65102)
    hosts: tuple[str, str] = ("10.0.0.1", "10.0.0.2")
    isn: tuple[int, int] = (1000, 9000)
    time: int = EPOCH
    step: int = MILLISECOND
    packets: list[Recorded] = field(default_factory=list)
    sent: list[bytes] = field(default_factory=lambda: [b"", b""])

    def __post_init__(self) -> None:
        self.next = [self.isn[0] + 1, self.isn[1] + 1]

    def segment(self, side: int, flags: int, payload: bytes = b"", seq: int | None = None) -> bytes:
        """Return an Ethernet frame without recording it."""
        ports = self.ports if side == 0 else self.ports[::-1]
        hosts = self.hosts if side == 0 else self.hosts[::-1]
        number = self.next[side] if seq is None else seq
        ack = self.next[1 - side] if flags & ACK else 0
        inner = tcp(*ports, number, ack, flags, payload)
        ip = ipv6(inner, *hosts) if ":" in hosts[0] else ipv4(inner, *hosts)
        return ethernet(ip)

    def record(self, frame: bytes, original: int | None = None) -> Self:
        self.packets.append(Recorded(self.time, frame, original))
        self.time += self.step
        return self

    def wait(self, seconds: float) -> Self:
        self.time += round(seconds * 1e9)
        return self

    def open(self) -> Self:
        self.record(self.segment(0, SYN, seq=self.isn[0]))
        self.record(self.segment(1, SYN | ACK, seq=self.isn[1]))
        return self.record(self.segment(0, ACK))

    def send(self, side: int, payload: bytes, *, recorded: bool = True) -> Self:
        """Send bytes in one segment; not recorded, they are missing from the file."""
        frame = self.segment(side, ACK | PSH, payload)
        if recorded:
            self.record(frame)
        self.next[side] += len(payload)
        self.sent[side] += payload
        return self

    def close(self, side: int = 0) -> Self:
        for each in (side, 1 - side):
            self.record(self.segment(each, FIN | ACK))
            self.next[each] += 1
        return self.record(self.segment(side, ACK))

    def pcap(self) -> bytes:
        return pcap(self.packets)
