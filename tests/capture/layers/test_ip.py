"""IPv4 and IPv6: options, extension headers, padding, lengths of zero, fragments; nothing vanishes uncounted."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packwire.capture.layers.ip import open_ip
from packwire.capture.layers.link import Counts, locate_ip
from tests.capture.builder import EPOCH, RAW, Recorded, ethernet, ipv4, ipv6, pcap, read

PAYLOAD = b"what the packet carries"


def opened(frames: list[bytes], link_type: int = 1, original: int | None = None):
    packets, counts = (
        read(pcap([Recorded(EPOCH, frame, original) for frame in frames], link_type=link_type)),
        Counts(),
    )
    carried = open_ip(packets.data, locate_ip(packets, counts), counts)
    found = carried.located
    payloads = [packets.data[at:end].tobytes() for at, end in zip(found.at, found.end, strict=True)]
    return carried, payloads, counts.by_reason


@pytest.mark.parametrize("options", [b"", b"\x01" * 4, b"\x01" * 40])
def test_ipv4_options_are_stepped_over(options):
    carried, payloads, _ = opened([ethernet(ipv4(PAYLOAD, options=options))])
    assert payloads == [PAYLOAD]
    assert carried.protocol.tolist() == [6]


def test_the_length_of_the_packet_decides_not_the_padding_of_the_frame():
    _, payloads, _ = opened([ethernet(ipv4(b"x")) + bytes(25), ethernet(ipv6(b"y")) + bytes(25)])
    assert payloads == [b"x", b"y"]


def test_a_length_of_zero_goes_to_the_end_of_the_packet():
    _, payloads, _ = opened([ethernet(ipv4(PAYLOAD, total=0)), ethernet(ipv6(PAYLOAD, size=0))])
    assert payloads == [PAYLOAD, PAYLOAD]


def test_a_packet_that_was_cut_short_knows_how_long_it_was():
    frame = ethernet(ipv4(PAYLOAD))
    carried, payloads, _ = opened([frame[:-10]], original=len(frame))
    assert payloads == [PAYLOAD[:-10]]
    assert (carried.located.wire_end - carried.located.end).tolist() == [10]


@pytest.mark.parametrize("fragment", [0x2000, 0x2001, 0x0001, 0x1FFF])
def test_ipv4_fragments_are_counted(fragment):
    _, payloads, left_out = opened(
        [ethernet(ipv4(PAYLOAD, fragment=fragment)), ethernet(ipv4(PAYLOAD, fragment=0x4000))]
    )
    assert payloads == [PAYLOAD]
    assert left_out == {"IP fragments, which are not put together here": 1}


@pytest.mark.parametrize("frame", [
    ipv4(PAYLOAD, total=19),
    b"\x44" + ipv4(PAYLOAD)[1:],
    b"\x55" + ipv4(PAYLOAD)[1:],
    b"\x00" * 40,
])  # fmt: skip
def test_malformed_headers_are_counted(frame):
    _, payloads, left_out = opened([frame], RAW)
    assert payloads == []
    assert left_out == {"with a malformed IP header": 1}


def extension(next_header: int, size: int = 8) -> bytes:
    return bytes((next_header, size // 8 - 1)) + bytes(size - 2)


@given(
    st.lists(st.tuples(st.sampled_from([0, 43, 60, 135, 139, 140, 51, 44]), st.integers(1, 4)), max_size=8)
)
def test_ipv6_extension_headers_are_stepped_over(chain):
    payload, following = PAYLOAD, 6
    for kind, units in reversed(chain):
        if kind == 51:
            header = bytes((following, 2 * units)) + bytes(4 * (2 * units + 2) - 2)
        elif kind == 44:
            header = struct.pack(">BBHI", following, 0, 0, 7)
        else:
            header = extension(following, 8 * units)
        payload, following = header + payload, kind
    carried, payloads, left_out = opened(
        [ethernet(ipv6(payload, next_header=following)), ethernet(ipv6(PAYLOAD))]
    )
    assert payloads == [PAYLOAD, PAYLOAD]
    assert carried.protocol.tolist() == [6, 6]
    assert left_out == {}


@pytest.mark.parametrize("offset", [0x0001, 0x0008, 0xFFF8])
def test_ipv6_fragments_are_counted(offset):
    header = struct.pack(">BBHI", 6, 0, offset, 7)
    _, payloads, left_out = opened([ethernet(ipv6(header + PAYLOAD, next_header=44))])
    assert payloads == []
    assert left_out == {"IP fragments, which are not put together here": 1}


def test_addresses_of_both_families_are_told_apart():
    frames = [
        ethernet(ipv4(PAYLOAD, "10.0.0.1", "10.0.0.2")),
        ethernet(ipv6(PAYLOAD, "fe80::1", "fe80::2")),
        ethernet(ipv4(PAYLOAD, "10.0.0.2", "10.0.0.1")),
        ethernet(ipv6(PAYLOAD, "fe80::2", "2001:db8::1")),
    ]
    carried, _, _ = opened(frames)
    pairs = zip(carried.source.tolist(), carried.destination.tolist(), strict=True)
    assert [(carried.addresses[source], carried.addresses[destination]) for source, destination in pairs] == [
        ("10.0.0.1", "10.0.0.2"),
        ("fe80::1", "fe80::2"),
        ("10.0.0.2", "10.0.0.1"),
        ("fe80::2", "2001:db8::1"),
    ]


@given(st.lists(st.binary(max_size=80), max_size=8))
def test_every_packet_is_opened_or_counted(frames):
    carried, _, left_out = opened(frames, RAW)
    assert len(carried.located) + sum(left_out.values()) == len(frames)
    assert (carried.located.wire_end >= carried.located.end).all()


@given(st.data())
def test_bit_flips_never_crash(data):
    chain = (
        extension(44)
        + struct.pack(">BBHI", 60, 0, 0, 7)
        + extension(51)
        + bytes((6, 1))
        + bytes(10)
        + PAYLOAD
    )
    frames = [bytearray(ipv4(PAYLOAD, options=b"\x01" * 8)), bytearray(ipv6(chain, next_header=0))]
    for frame in frames:
        for _ in range(data.draw(st.integers(1, 5))):
            frame[data.draw(st.integers(0, len(frame) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    carried, _, left_out = opened([bytes(frame) for frame in frames], RAW)
    assert len(carried.located) + sum(left_out.values()) == 2
