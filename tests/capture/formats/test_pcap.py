"""pcap: both byte orders, both resolutions, lies about sizes, and files that are cut off or damaged."""

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from packwire.capture.formats import pcap as pcap_format
from packwire.capture.formats.three_wire import BCSP, H5
from packwire.errors import BadFileError
from tests.capture.builder import EPOCH, Recorded, pcap, read

orders = st.sampled_from("<>")
frames = st.lists(
    st.tuples(st.integers(0, (1 << 32) * 1_000_000_000 - 1), st.binary(max_size=80), st.integers(0, 100)),
    max_size=12,
)
ONE = Recorded(EPOCH, b"abcdef")


@given(frames, orders, st.booleans(), st.sampled_from([0, 1, 101, 113, 276]))
def test_what_was_written_is_read(rows, order, nano, link_type):
    written = [Recorded(time, data, len(data) + more) for time, data, more in rows]
    packets = read(pcap(written, order=order, nano=nano, link_type=link_type))
    unit = 1 if nano else 1000
    assert packets.time.tolist() == [packet.time // unit * unit for packet in written]
    assert [packets.packet(row) for row in range(len(packets))] == [packet.data for packet in written]
    assert packets.original.tolist() == [packet.wire_size for packet in written]
    assert set(packets.link_type.tolist()) <= {link_type}
    assert packets.damage == ()


@pytest.mark.parametrize(("order", "nano", "name"), [
    ("<", False, "pcap"),
    (">", False, "pcap, big-endian"),
    ("<", True, "pcap with nanoseconds"),
    (">", True, "pcap with nanoseconds, big-endian"),
])  # fmt: skip
def test_the_format_says_what_it_is(order, nano, name):
    assert read(pcap([ONE], order=order, nano=nano)).format == name


def test_a_file_without_packets_is_no_error():
    packets = read(pcap([]))
    assert len(packets) == 0
    assert packets.damage == ()


def test_the_snap_length_is_not_believed():
    assert read(pcap([ONE], snaplen=2)).packet(0) == b"abcdef"


def test_the_upper_bits_of_the_link_type_announce_a_frame_check_sequence():
    packets = read(pcap([ONE, Recorded(EPOCH, b"abcdef", 100)], link_type=0x2400_0001))
    assert packets.link_type.tolist() == [1, 1]
    assert packets.packet(0) == b"ab"
    assert packets.packet(1) == b"abcdef", "a packet that was cut short has lost its check sequence"
    assert packets.original.tolist() == [2, 96]


def test_an_original_size_below_the_captured_one_is_a_lie():
    data = bytearray(pcap([ONE]))
    data[24 + 12 : 24 + 16] = struct.pack("<I", 1)
    assert read(bytes(data)).original.tolist() == [6]


@pytest.mark.parametrize("kept", range(4, 24))
def test_a_cut_header_is_an_error_that_says_what_to_do(kept):
    with pytest.raises(BadFileError, match=f"cut off at offset {kept}.*copy the file again"):
        read(pcap([ONE])[:kept])


def test_truncation_at_each_byte_keeps_every_whole_packet():
    written = [Recorded(EPOCH + row, bytes([row]) * (row + 1)) for row in range(6)]
    whole = pcap(written)
    ends = [len(pcap(written[:count])) for count in range(len(written) + 1)]
    for size in range(24, len(whole) + 1):
        count = sum(end <= size for end in ends) - 1
        if count == 0 and size > 24:
            with pytest.raises(BadFileError, match="offset 24"):
                read(whole[:size])
            continue
        packets = read(whole[:size])
        assert len(packets) == count
        assert bool(packets.damage) == (size not in ends)
        if packets.damage:
            assert f"offset {ends[count]}" in packets.damage[0]
            assert f"packets 1 to {count} are kept" in packets.damage[0]


def test_a_length_bomb_ends_the_file_where_it_stands():
    data = pcap([ONE, ONE]) + struct.pack("<IIII", 1, 1, 0xFFFFFFFF, 0xFFFFFFFF) + bytes(100)
    packets = read(data)
    assert len(packets) == 2
    assert "claims 4294967295 bytes, more than any packet has" in packets.damage[0]


def test_a_large_packet_is_only_believed_of_links_that_have_them():
    big = Recorded(EPOCH, bytes(300_000))
    assert len(read(pcap([big], link_type=220))) == 1
    with pytest.raises(BadFileError):
        read(pcap([big]))


@given(st.binary(max_size=300), orders, st.booleans())
def test_random_bytes_behind_the_header_never_crash(tail, order, nano):
    check_sound(pcap([ONE], order=order, nano=nano) + tail)


@given(st.data())
def test_bit_flips_never_crash(data):
    whole = bytearray(pcap([Recorded(EPOCH, bytes(range(40))) for _ in range(5)]))
    for _ in range(data.draw(st.integers(1, 8))):
        whole[data.draw(st.integers(0, len(whole) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    check_sound(bytes(whole))


def check_sound(data: bytes) -> None:
    """Either a clear error, or packets that all lie within the file."""
    try:
        packets = read(data)
    except BadFileError as error:
        assert "\n" not in str(error)
        return
    assert (packets.size >= 0).all()
    assert (packets.original >= packets.size).all()
    assert (packets.start + packets.size <= len(data)).all()
    # Packets of the three-wire transports are unwrapped, and stand behind each other in memory of their own.
    unwrapped = data[:8] == b"btsnoop\0" and int.from_bytes(data[12:16]) in {H5, BCSP}
    assert np.diff(packets.start).min(initial=16) >= (0 if unwrapped else 16)


def test_it_is_recognised_by_its_magic_number_alone():
    assert pcap_format.matches(b"\xd4\xc3\xb2\xa1")
    assert not pcap_format.matches(b"\xd4\xc3\xb2")
    assert not pcap_format.matches(b"")
