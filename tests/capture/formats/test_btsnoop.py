"""btsnoop: its data links, times, directions, lies about sizes, and files that are cut off or damaged."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packwire.capture.packets import HCI_ACL, HCI_COMMAND, HCI_EVENT, HCI_ISO, HCI_NOTE, HCI_SCO
from packwire.errors import BadFileError
from tests.capture.builder import read
from tests.capture.formats.bluetooth_files import EPOCH_US, YEAR_0_US, btsnoop, btsnoop_record
from tests.capture.formats.test_pcap import check_sound

STAMP = YEAR_0_US + EPOCH_US
records = st.lists(st.tuples(st.binary(min_size=1, max_size=80), st.integers(0, 1), st.integers(0, 10**14)))


@given(records)
def test_what_was_written_is_read(rows):
    packets = read(
        btsnoop([btsnoop_record(data, STAMP + more, flags, 0, len(data) + 3) for data, flags, more in rows])
    )
    assert packets.format == "btsnoop"
    assert packets.time.tolist() == [(EPOCH_US + more) * 1000 for _, _, more in rows]
    assert [packets.packet(row) for row in range(len(packets))] == [data for data, _, _ in rows]
    assert packets.original.tolist() == [len(data) + 3 for data, _, _ in rows]
    assert set(packets.link_type.tolist()) <= {187}
    assert packets.damage == ()


def test_the_direction_is_that_of_the_flags_but_commands_and_events_have_one_each():
    rows = [
        (b"\x01", 1, 1),
        (b"\x04", 0, -1),
        (b"\x02", 0, 1),
        (b"\x02", 1, -1),
        (b"\x05", 3, -1),
        (b"", 1, -1),
    ]
    packets = read(btsnoop([btsnoop_record(data, STAMP, flags) for data, flags, _ in rows]))
    assert packets.direction.tolist() == [way for _, _, way in rows]


def test_unencapsulated_hci_has_its_kind_in_the_flags():
    packets = read(btsnoop([btsnoop_record(b"abc", STAMP, flags) for flags in range(4)], link=1001))
    assert packets.link_type.tolist() == [HCI_ACL, HCI_ACL, HCI_COMMAND, HCI_EVENT]
    assert packets.direction.tolist() == [1, -1, 1, -1]
    assert packets.packet(0) == b"abc"


def test_a_linux_monitor_has_opcode_and_adapter_in_the_flags():
    opcodes = [0, 2, 3, 4, 5, 6, 7, 18, 19, 13, 999]
    flags = [opcode | (row % 2) << 16 for row, opcode in enumerate(opcodes)]
    packets = read(btsnoop([btsnoop_record(b"abc", STAMP, each) for each in [*flags, 0xFFFF000C]], link=2001))
    kinds = [HCI_NOTE, HCI_COMMAND, HCI_EVENT, HCI_ACL, HCI_ACL, HCI_SCO, HCI_SCO, HCI_ISO, HCI_ISO, HCI_NOTE]
    assert packets.link_type.tolist() == [*kinds, HCI_NOTE, HCI_NOTE]
    assert packets.direction.tolist() == [0, 1, -1, 1, -1, 1, -1, 1, -1, 0, 0, 0]
    assert [packets.interfaces[each] for each in packets.interface[:3]] == ["hci0", "hci1", "hci0"]
    assert packets.interfaces[packets.interface[-1]] == ""


def test_times_that_count_from_1970_are_seen_for_what_they_are():
    assert read(btsnoop([btsnoop_record(b"\1", EPOCH_US)])).time.tolist() == [EPOCH_US * 1000]


@pytest.mark.parametrize("stamp", [0, -1, -(1 << 63), (1 << 63) - 1])
def test_absurd_times_stay_in_range(stamp):
    assert len(read(btsnoop([btsnoop_record(b"\1", STAMP), btsnoop_record(b"\1", stamp)])).time) == 2


def test_what_the_recorder_lost_is_said():
    packets = read(btsnoop([btsnoop_record(b"\1", STAMP, 0, drops) for drops in (0, 0, 5, 7)]))
    assert packets.damage == ("the recorder itself lost 7 packets, the first before packet 3",)


@pytest.mark.parametrize(
    ("link", "version", "words"),
    [(2002, 1, "simulator"), (7, 1, "unknown data link 7"), (1002, 2, "version 2")],
)
def test_what_is_not_read_is_said(link, version, words):
    with pytest.raises(BadFileError, match=words):
        read(btsnoop([btsnoop_record(b"abc", STAMP)], link, version))


@pytest.mark.parametrize("kept", range(8, 16))
def test_a_cut_header_is_an_error_that_says_what_to_do(kept):
    with pytest.raises(BadFileError, match=f"cut off at offset {kept}.*copy the file again"):
        read(btsnoop([])[:kept])


def test_a_file_without_packets_is_no_error():
    assert len(read(btsnoop([]))) == 0
    assert len(read(btsnoop([], link=2001))) == 0


def test_truncation_at_each_byte_keeps_every_whole_packet():
    parts = [btsnoop_record(bytes([1] * (row + 1)), STAMP + row) for row in range(6)]
    whole = btsnoop(parts)
    ends = [len(btsnoop(parts[:count])) for count in range(len(parts) + 1)]
    for size in range(16, len(whole) + 1):
        count = sum(end <= size for end in ends) - 1
        if count == 0 and size > 16:
            with pytest.raises(BadFileError, match="offset 16"):
                read(whole[:size])
            continue
        packets = read(whole[:size])
        assert len(packets) == count
        assert bool(packets.damage) == (size not in ends)
        if packets.damage:
            assert f"offset {ends[count]}" in packets.damage[0]


def test_a_length_bomb_ends_the_file_where_it_stands():
    bomb = struct.pack(">IIIIq", 1, 0xFFFF_FFFF, 0, 0, 0)
    packets = read(btsnoop([btsnoop_record(b"\1", STAMP), bomb]))
    assert len(packets) == 1
    assert "claims 4294967295 bytes, more than any packet has" in packets.damage[0]


@given(st.data(), st.sampled_from([1001, 1002, 2001]))
def test_bit_flips_and_tails_never_crash(data, link):
    whole = bytearray(btsnoop([btsnoop_record(bytes(range(40)), STAMP) for _ in range(4)], link))
    for _ in range(data.draw(st.integers(0, 8))):
        whole[data.draw(st.integers(0, len(whole) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    check_sound(bytes(whole) + data.draw(st.binary(max_size=60)))
