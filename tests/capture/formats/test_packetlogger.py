"""Apple's PacketLogger: both byte orders, recognised without a magic number; cut off or damaged files."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packwire.capture.formats import packetlogger
from packwire.capture.packets import HCI_ACL, HCI_COMMAND, HCI_EVENT, HCI_ISO, HCI_NOTE, HCI_SCO
from packwire.errors import BadFileError
from tests.capture.builder import read
from tests.capture.formats.bluetooth_files import EPOCH_US, packetlogger_record
from tests.capture.formats.test_pcap import check_sound

KINDS = {
    0: (HCI_COMMAND, 1),
    1: (HCI_EVENT, -1),
    2: (HCI_ACL, 1),
    3: (HCI_ACL, -1),
    8: (HCI_SCO, 1),
    9: (HCI_SCO, -1),
    0x12: (HCI_ISO, 1),
    0x13: (HCI_ISO, -1),
    0x0A: (HCI_NOTE, 0),
    0xFC: (HCI_NOTE, 0),
}
orders = st.sampled_from("<>")


@given(st.lists(st.tuples(st.sampled_from(sorted(KINDS)), st.binary(max_size=60)), min_size=1), orders)
def test_what_was_written_is_read(rows, order):
    packets = read(
        b"".join(
            packetlogger_record(data, EPOCH_US + row, kind, order) for row, (kind, data) in enumerate(rows)
        )
    )
    assert packets.format == ("PacketLogger" if order == ">" else "PacketLogger, little-endian")
    assert packets.time.tolist() == [(EPOCH_US + row) * 1000 for row in range(len(rows))]
    assert [packets.packet(row) for row in range(len(rows))] == [data for _, data in rows]
    assert list(zip(packets.link_type.tolist(), packets.direction.tolist(), strict=True)) == [
        KINDS[kind] for kind, _ in rows
    ]
    assert packets.damage == ()


@pytest.mark.parametrize("order", "<>")
def test_truncation_at_each_byte_keeps_every_whole_packet(order):
    parts = [packetlogger_record(bytes(row), EPOCH_US + row, 1, order) for row in range(6)]
    whole = b"".join(parts)
    ends = [len(b"".join(parts[:count])) for count in range(7)]
    for size in range(1, len(whole) + 1):
        count = sum(end <= size for end in ends) - 1
        if count == 0:
            with pytest.raises(BadFileError):
                read(whole[:size])
            continue
        packets = read(whole[:size])
        assert len(packets) == count
        assert bool(packets.damage) == (size not in ends)


@pytest.mark.parametrize(
    "head", [b"", b"\0" * 64, b"\xff" * 64, b"text, nothing else but text", b"\0\0\0\x09" + bytes(6) + b"\1"]
)
def test_other_files_are_not_taken_for_it(head):
    assert not packetlogger.matches(head)


def test_a_length_bomb_ends_the_file_where_it_stands():
    good = packetlogger_record(b"abc", EPOCH_US, 0)
    packets = read(good * 3 + b"\xff" * 20)
    assert len(packets) == 3
    assert f"offset {3 * len(good)} claims 4294967295 bytes" in packets.damage[0]


@given(st.data(), orders)
def test_bit_flips_and_tails_never_crash(data, order):
    whole = bytearray(packetlogger_record(bytes(range(30)), EPOCH_US, 3, order) * 4)
    for _ in range(data.draw(st.integers(0, 8))):
        whole[data.draw(st.integers(0, len(whole) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    check_sound(bytes(whole) + data.draw(st.binary(max_size=60)))
