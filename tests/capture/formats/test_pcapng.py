"""pcapng: blocks, sections, interfaces and their options, in both byte orders; and damaged files."""

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from packwire.capture.formats import pcapng as pcapng_format
from packwire.capture.packets import NO_TIME, UNKNOWN_LINK
from packwire.errors import BadFileError
from tests.capture.builder import (
    EPOCH,
    Recorded,
    block,
    enhanced,
    interface,
    old_packet,
    option,
    read,
    section,
    simple,
)

orders = st.sampled_from("<>")
ONE = Recorded(EPOCH, b"abcdef")


@given(
    st.lists(
        st.tuples(
            orders,
            st.lists(
                st.tuples(
                    st.sampled_from(["enhanced", "old"]),
                    st.integers(0, (1 << 64) // 2_000),
                    st.binary(max_size=50),
                    st.integers(0, 50),
                    st.integers(0, 1),
                ),
                max_size=6,
            ),
        ),
        min_size=1,
        max_size=3,
    )
)
def test_what_was_written_is_read(sections):
    """Several sections of either byte order, each with two interfaces of its own."""
    data = b""
    expected = []
    for number, (order, rows) in enumerate(sections):
        data += section(order) + interface(order, 1) + interface(order, 113)
        for kind, time, payload, more, which in rows:
            packet = Recorded(time // 1000 * 1000, payload, len(payload) + more)
            make = enhanced if kind == "enhanced" else old_packet
            data += make(packet, order, interface_id=which)
            data += block(order, 5, b"statistics")
            expected.append((packet, 2 * number + which, (1, 113)[which]))
    packets = read(data)
    assert packets.time.tolist() == [packet.time for packet, _, _ in expected]
    assert [packets.packet(row) for row in range(len(packets))] == [packet.data for packet, _, _ in expected]
    assert packets.original.tolist() == [packet.wire_size for packet, _, _ in expected]
    assert packets.interface.tolist() == [number for _, number, _ in expected]
    assert packets.link_type.tolist() == [link for _, _, link in expected]
    assert packets.damage == ()


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize(
    ("resolution", "ticks", "nanoseconds"),
    [
        (6, 1_700_000_000_123_456, 1_700_000_000_123_456_000),
        (9, 1_700_000_000_123_456_789, 1_700_000_000_123_456_789),
        (3, 1_700_000_000_123, 1_700_000_000_123_000_000),
        (0, 1_700_000_000, 1_700_000_000_000_000_000),
        (12, 5_123_456_789_012, 5_123_456_789),
        (19, 12_345_678_901_234_567_890, 1_234_567_890),
        (20, 12_345_678_901_234_567_890, 123_456_789),
        (127, 1 << 63, 0),
        (0x80, 1_700_000_000, 1_700_000_000_000_000_000),
        (0x80 | 10, 1536, 1_500_000_000),
        (0x80 | 30, 3 << 29, 1_500_000_000),
        (0x80 | 40, 3 << 39, 1_500_000_000),
        (0x80 | 63, 1 << 63, 1_000_000_000),
        (0x80 | 64, 1 << 63, 500_000_000),
        (0x80 | 127, (1 << 64) - 1, 0),
        (0, (1 << 64) - 1, (np.iinfo(np.int64).max // 10**9 - 1) * 10**9),
    ],
)
def test_resolutions_are_powers_of_ten_or_of_two(order, resolution, ticks, nanoseconds):
    described = interface(order, options=option(order, 9, bytes([resolution])) + option(order, 0, b""))
    assert read(section(order) + described + enhanced(ONE, order, ticks=ticks)).time.tolist() == [nanoseconds]


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("offset", [0, 1_000_000, -1_000_000, -3_000_000_000])
def test_an_offset_in_seconds_is_added(order, offset):
    assert time_with_offset(order, offset) == EPOCH + offset * 10**9


@pytest.mark.parametrize("offset", [(1 << 63) - 1, -(1 << 63)])
def test_an_absurd_offset_stays_within_the_range_of_times(offset):
    assert abs(time_with_offset("<", offset)) < 1 << 63
    assert (time_with_offset("<", offset) > 0) == (offset > 0)


def time_with_offset(order: str, offset: int) -> int:
    described = interface(order, options=option(order, 14, struct.pack(order + "q", offset)))
    return int(read(section(order) + described + enhanced(ONE, order)).time[0])


@pytest.mark.parametrize(("flags", "direction"), [(0, 0), (1, -1), (2, 1), (3, 0), (0xFFFF_FF01, -1)])
@pytest.mark.parametrize("make", [enhanced, old_packet])
def test_flags_say_which_way_a_packet_went(flags, direction, make):
    comment = option("<", 1, b"a comment of odd length") if make is enhanced else b""
    options = comment + option("<", 2, struct.pack("<I", flags)) + option("<", 0, b"")
    assert read(section() + interface() + make(ONE, options=options)).direction.tolist() == [direction]


def test_options_behind_their_end_do_not_count():
    options = option("<", 0, b"") + option("<", 2, struct.pack("<I", 2))
    assert read(section() + interface() + enhanced(ONE, options=options)).direction.tolist() == [0]


def test_interfaces_have_names():
    described = interface(options=option("<", 2, b"wlan0\0"))
    assert read(section() + interface() + described + enhanced(ONE, interface_id=1)).interfaces[:2] == (
        "",
        "wlan0",
    )


@pytest.mark.parametrize("value", [4, 32])
def test_the_check_sequence_of_an_interface_is_taken_off(value):
    """Its length is written in bits or, by the draft's own example, in bytes."""
    described = interface(options=option("<", 13, bytes([value])))
    packets = read(section() + described + enhanced(ONE))
    assert packets.packet(0) == b"ab"
    assert packets.original.tolist() == [2]


def test_a_packet_may_say_its_own_check_sequence():
    options = option("<", 2, struct.pack("<I", 2 << 5))
    assert read(section() + interface() + enhanced(ONE, options=options)).packet(0) == b"abcd"


@pytest.mark.parametrize(("snaplen", "kept"), [(0, b"abcdefg"), (100, b"abcdefg"), (3, b"abc")])
def test_simple_packets_have_no_time_and_the_interface_s_snap_length(snaplen, kept):
    packet = Recorded(0, kept, 7)
    packets = read(section() + interface(snaplen=snaplen) + simple(packet))
    assert packets.time.tolist() == [NO_TIME]
    assert packets.packet(0) == kept
    assert packets.original.tolist() == [7]


def test_blocks_of_any_other_kind_are_stepped_over():
    data = section() + block("<", 0x0BAD, bytes(30)) + interface() + block("<", 4, b"names") + enhanced(ONE)
    assert read(data).packet(0) == b"abcdef"


def test_a_packet_of_an_interface_that_is_not_described_is_kept_and_said():
    packets = read(section() + interface() + enhanced(ONE) + enhanced(ONE, interface_id=5))
    assert packets.link_type.tolist() == [1, UNKNOWN_LINK]
    assert "packet 2" in packets.damage[0]


def test_an_interface_belongs_to_its_own_section():
    packets = read(section() + interface() + section(">") + enhanced(ONE, ">"))
    assert packets.link_type.tolist() == [UNKNOWN_LINK]


def test_a_captured_size_beyond_its_block_is_cut_to_it():
    data = bytearray(section() + interface() + enhanced(ONE) + enhanced(ONE))
    at = len(section() + interface()) + 20
    data[at : at + 4] = struct.pack("<I", 0xFFFF_FFF0)
    packets = read(bytes(data))
    assert packets.packet(0) == b"abcdef\0\0"
    assert packets.packet(1) == b"abcdef"
    assert "packet 1" in packets.damage[0]


def test_blocks_whose_two_lengths_differ_end_the_file():
    good = section() + interface() + enhanced(ONE)
    torn = bytearray(enhanced(ONE))
    torn[-4] ^= 4
    packets = read(good + bytes(torn) + enhanced(ONE))
    assert len(packets) == 1
    assert f"the two lengths of the block at offset {len(good)} differ" in packets.damage[0]
    with pytest.raises(BadFileError, match="the two lengths"):
        read(section() + interface() + bytes(torn))
    torn_interface = bytearray(interface())
    torn_interface[-4] ^= 4
    assert len(read(good + bytes(torn_interface) + enhanced(ONE))) == 1


def test_truncation_at_each_byte_keeps_every_whole_packet():
    parts = [section(), interface(), *(enhanced(Recorded(EPOCH, bytes(row))) for row in range(5))]
    ends = [sum(map(len, parts[: count + 1])) for count in range(len(parts))]
    whole = b"".join(parts)
    for size in range(4, len(whole) + 1):
        count = max(sum(end <= size for end in ends) - 2, 0)
        if count == 0 and size not in ends:
            with pytest.raises(BadFileError):
                read(whole[:size])
            continue
        packets = read(whole[:size])
        assert len(packets) == count
        assert bool(packets.damage) == (size not in ends)


def test_a_flood_of_interfaces_is_cut_off(monkeypatch):
    monkeypatch.setattr(pcapng_format, "MAX_DESCRIPTIONS", 10)
    good = section() + interface() + enhanced(ONE)
    packets = read(good + interface() * 20 + enhanced(ONE))
    assert len(packets) == 1
    assert "more than 10 sections or interfaces" in packets.damage[0]


@given(st.binary(max_size=200), orders)
def test_random_bytes_behind_a_packet_never_crash(tail, order):
    check_sound(section(order) + interface(order) + enhanced(ONE, order) + tail)


@given(st.data())
def test_bit_flips_never_crash(data):
    order = data.draw(orders)
    options = option(order, 9, b"\x09") + option(order, 14, bytes(8)) + option(order, 0, b"")
    flags = option(order, 1, b"abc") + option(order, 2, bytes(4)) + option(order, 0, b"")
    whole = bytearray(
        section(order)
        + interface(order, options=options)
        + enhanced(ONE, order, options=flags)
        + old_packet(ONE, order)
        + simple(ONE, order)
        + section(order)
        + interface(order)
        + enhanced(ONE, order)
    )
    for _ in range(data.draw(st.integers(1, 8))):
        whole[data.draw(st.integers(0, len(whole) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    check_sound(bytes(whole))


@given(st.binary(max_size=200))
def test_random_blocks_never_crash(tail):
    check_sound(section() + tail)


def check_sound(data: bytes) -> None:
    try:
        packets = read(data)
    except BadFileError as error:
        assert "\n" not in str(error)
        return
    assert (packets.size >= 0).all()
    assert (packets.original >= packets.size).all()
    assert (packets.start + packets.size <= len(data)).all()
    assert (packets.interface < len(packets.interfaces)).all()
