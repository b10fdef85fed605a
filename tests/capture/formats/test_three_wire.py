"""btsnoop of the three-wire UART (H5) and of BCSP: the HCI packets within, and what is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packwire.capture import Capture
from packwire.capture.packets import HCI_ACL, HCI_COMMAND, HCI_EVENT, HCI_NOTE
from tests.capture.builder import read
from tests.capture.formats.bluetooth_files import EPOCH_US, YEAR_0_US, btsnoop, btsnoop_record

STAMP = YEAR_0_US + EPOCH_US
H5, BCSP = 1004, 1003
#: A notification of `dd 03 00 00` on handle 0x11, as ACL data of connection 0x40.
ACL = bytes.fromhex("4020 0b00 0700 0400 1b 1100 dd030000".replace(" ", ""))


def wrap(kind, payload, *, crc=False):
    head = bytes([0x88 | 0x40 * crc, kind | (len(payload) & 15) << 4, len(payload) >> 4])
    return head + bytes([0xFF - sum(head) & 0xFF]) + payload + b"\x12\x34" * crc


def slip(packet):
    escapes = {0xC0: b"\xdb\xdc", 0xDB: b"\xdb\xdd", 0x11: b"\xdb\xde", 0x13: b"\xdb\xdf"}
    return b"\xc0" + b"".join(escapes.get(byte, bytes([byte])) for byte in packet) + b"\xc0"


def file(records, link=H5):
    return btsnoop(
        [btsnoop_record(data, STAMP + row, flags) for row, (data, flags) in enumerate(records)], link
    )


@given(
    st.lists(st.tuples(st.binary(max_size=600), st.booleans(), st.booleans(), st.integers(0, 1)), max_size=8)
)
def test_what_was_wrapped_is_unwrapped(rows):
    records = []
    for payload, crc, slipped, flags in rows:
        packet = wrap(2, payload, crc=crc)
        records.append((slip(packet) if slipped else packet, flags))
    packets = read(file(records))
    assert [packets.packet(row) for row in range(len(packets))] == [payload for payload, *_ in rows]
    assert set(packets.link_type.tolist()) <= {HCI_ACL}
    assert packets.direction.tolist() == [1 - 2 * flags for *_, flags in rows]
    assert packets.damage == ()


@pytest.mark.parametrize(
    ("link", "kind", "flags", "found"),
    [
        (H5, 1, 0, HCI_COMMAND), (H5, 4, 1, HCI_EVENT), (H5, 0, 0, HCI_NOTE), (H5, 15, 1, HCI_NOTE),
        (BCSP, 5, 0, HCI_COMMAND), (BCSP, 5, 1, HCI_EVENT), (BCSP, 6, 0, HCI_ACL), (BCSP, 1, 0, HCI_NOTE),
    ],
)  # fmt: skip
def test_types_of_packets(link, kind, flags, found):
    assert read(file([(wrap(kind, b"abc"), flags)], link)).link_type.tolist() == [found]


@pytest.mark.parametrize("link", [H5, BCSP])
def test_a_notification_is_read(link):
    kind = 2 if link == H5 else 6
    capture = Capture("x", read(file([(slip(wrap(kind, ACL, crc=True)), 1)], link)))
    assert [capture.messages.payload(row) for row in range(len(capture.messages))] == [b"\xdd\x03\0\0"]
    assert capture.messages.packets_of(0) == (1,)


def test_what_is_no_packet_is_counted_and_the_rest_is_kept():
    good = wrap(2, ACL)
    bad = [
        b"",
        b"\xc0",
        good[:3],
        bytes([good[0] ^ 1]) + good[1:],
        slip(good) + slip(good),
        b"\xc0\xdb\x00\xc0",
    ]
    packets = read(file([(data, 1) for data in [*bad, good]]))
    assert packets.damage == (f"{len(bad)} packets are none of this transport, the first is packet 1",)
    assert packets.packet(len(bad)) == ACL


def test_a_packet_that_was_cut_short_says_how_long_it_was():
    packets = read(file([(wrap(2, ACL)[:-5], 1)]))
    assert (packets.size.tolist(), packets.original.tolist()) == ([len(ACL) - 5], [len(ACL)])


@given(
    st.lists(st.tuples(st.binary(max_size=40), st.integers(0, 1)), max_size=6), st.sampled_from([H5, BCSP])
)
def test_anything_is_taken(rows, link):
    packets = read(file(rows, link))
    assert len(packets) == len(rows)
    assert (packets.start + packets.size <= len(packets.data)).all()
