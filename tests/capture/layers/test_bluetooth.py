"""Bluetooth layers on generated packets: fragments, links, directions, USB, the LE link layer, CAN."""

import struct

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from packwire.capture.framed import put_together
from packwire.capture.framings import families, recognise
from packwire.capture.layers import att_values
from packwire.capture.layers.bluetooth import att_messages, composed_messages, read_bluetooth
from packwire.capture.layers.can_bus import read_can
from packwire.capture.layers.l2cap import INCOMPLETE, LOST_START
from packwire.capture.packets import Packets
from packwire.wire.checksum import CHECKSUMS, crc16_xmodem
from tests.capture.builder import EPOCH, MILLISECOND

LINK_TYPES = (187, 201, 254, 249, 220, 189, 251, 256, 272, 227, -12, -14, 147)


def packets(contents, link_type=187, directions=None):
    """Return a table of packets of one link type, a millisecond apart."""
    sizes = np.array([len(content) for content in contents], dtype=np.int64)
    count = len(contents)
    return Packets(
        format="test",
        time=EPOCH + MILLISECOND * np.arange(count, dtype=np.int64),
        start=np.concatenate(([0], np.cumsum(sizes)))[:-1].astype(np.int64),
        size=sizes,
        original=sizes,
        link_type=np.full(count, link_type, dtype=np.int32),
        interface=np.zeros(count, dtype=np.int32),
        direction=np.array(directions if directions is not None else [1] * count, dtype=np.int8),
        data=np.frombuffer(b"".join(contents), dtype=np.uint8),
    )


def l2cap(payload, channel=4):
    return struct.pack("<HH", len(payload), channel) + payload


def acl(content, first=True, handle=0x40):
    return struct.pack("<HH", handle | (0 if first else 1) << 12, len(content)) + content


def notification(handle, value):
    return b"\x1b" + struct.pack("<H", handle) + value


def contents(messages):
    return list(messages.payloads())


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.binary(max_size=60), min_size=1, max_size=8),
    st.lists(st.integers(1, 20), min_size=1, max_size=20),
    st.randoms(use_true_random=False),
)
def test_fragments_are_put_together_again(values, cuts, random):
    pieces = []
    for value in values:
        pdu, at = l2cap(notification(0x11, value)), 0
        while at < len(pdu):
            size = random.choice(cuts)
            pieces.append(b"\x02" + acl(pdu[at : at + size], first=at == 0))
            at += size
    found = read_bluetooth(packets(pieces, directions=[-1] * len(pieces)))
    messages = att_messages(found)
    assert contents(messages) == values
    assert sorted(messages.packets.tolist()) == list(range(1, len(pieces) + 1))
    assert found.left_out == {}
    assert set(messages.direction.tolist()) == {-1}


def test_lost_fragments_are_counted():
    pdu = l2cap(notification(0x11, bytes(30)))
    pieces = [acl(pdu[20:], first=False), acl(pdu[:20]), acl(pdu), acl(pdu[:20])]
    found = read_bluetooth(packets([b"\x02" + piece for piece in pieces], directions=[-1] * 4))
    assert len(found.att) == 1
    assert found.left_out == {LOST_START: 1, INCOMPLETE: 2}


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(LINK_TYPES), st.lists(st.binary(max_size=80), max_size=12), st.data())
def test_random_bytes_never_raise(link_type, junk, data):
    directions = [data.draw(st.sampled_from((-1, 0, 1))) for _ in junk]
    table = packets(junk, link_type, directions)
    messages = att_messages(read_bluetooth(table))
    list(messages.payloads())
    list(put_together(messages).messages.payloads())
    list(read_can(table).raw.payloads())


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 255), st.binary(max_size=30)), max_size=20))
def test_random_att_never_raises(pdus):
    pieces = [b"\x02" + acl(l2cap(bytes((code,)) + rest)) for code, rest in pdus]
    list(att_messages(read_bluetooth(packets(pieces))).payloads())


def test_reads_get_the_handle_of_their_request():
    pieces = [b"\x02" + acl(l2cap(b"\x0a\x03\x00")), b"\x02" + acl(l2cap(b"\x0bname"))]
    messages = att_messages(read_bluetooth(packets(pieces, directions=[1, -1])))
    assert tuple(map(str, messages.channels)) == ("att 0x0003 read",)
    assert contents(messages) == [b"name"]
    assert messages.direction.tolist() == [-1]


def test_discovery_names_handles_and_a_new_connection_tells_devices_apart():
    def connected(last):
        return b"\x04\x3e\x13\x01\x00\x40\x00\x00\x00" + bytes((last, 2, 3, 4, 5, 6)) + bytes(7)

    value = b"\x02" + acl(l2cap(notification(0x11, b"x")))
    pieces = [
        connected(1), b"\x02" + acl(l2cap(b"\x08\x01\x00\xff\xff\x03\x28")),
        b"\x02" + acl(l2cap(b"\x09\x07\x10\x00\x12\x11\x00\x01\xff")), value,
        b"\x04\x05\x04\x00\x40\x00\x13", connected(2), value,
    ]  # fmt: skip
    messages = att_messages(read_bluetooth(packets(pieces, directions=[-1, 1, -1, -1, -1, -1, -1])))
    assert tuple(map(str, messages.channels)) == (
        "att 0x0011 ff01 notify 06:05:04:03:02:01",
        "att 0x0011 notify 06:05:04:03:02:02",
    )


def test_names_come_from_the_connection_that_found_them_first():
    def found(last, uuid):
        event = b"\x04\x3e\x13\x01\x00" + bytes((last, 0)) + bytes(2) + bytes((1, 2, 3, 4, 5, 6)) + bytes(7)
        return [
            event, b"\x02" + acl(l2cap(b"\x08\x01\x00\xff\xff\x03\x28"), handle=last),
            b"\x02" + acl(l2cap(b"\x09\x07\x10\x00\x12\x11\x00" + uuid + b"\xff"), handle=last),
        ]  # fmt: skip

    pieces = [*found(1, b"\x01"), *found(2, b"\x02")]
    again = b"\x04\x3e\x13\x01\x00\x03\x00" + bytes(2) + bytes((1, 2, 3, 4, 5, 6)) + bytes(7)
    pieces += [again, b"\x02" + acl(l2cap(notification(0x11, b"x")), handle=3)]
    messages = att_messages(read_bluetooth(packets(pieces, directions=[-1, 1, -1] * 2 + [-1, -1])))
    assert tuple(map(str, messages.channels)) == ("att 0x0011 ff01 notify",)


def test_a_value_that_is_cut_off_takes_no_other_pdu_with_it():
    def several(*values):
        return b"\x02" + acl(
            l2cap(b"\x23" + b"".join(struct.pack("<HH", 16, size) + v for size, v in values))
        )

    pieces = [several((1, b"a"), (9, b"cut")), several((1, b"b"), (2, b"cd"))]
    found = read_bluetooth(packets(pieces, directions=[-1, -1]))
    assert contents(composed_messages(found)) == [b"a", b"b", b"cd"]
    assert composed_messages(found).packets.tolist() == [1, 2, 2]


def test_parts_of_long_writes_are_joined_by_handle():
    def part(handle, value):
        return b"\x02" + acl(l2cap(b"\x16" + struct.pack("<HH", handle, 0) + value))

    pieces = [part(1, b"ab"), part(2, b"x"), part(1, b"c"), b"\x02" + acl(l2cap(b"\x18\x01"))]
    found = composed_messages(read_bluetooth(packets(pieces)))
    assert contents(found) == [b"abc", b"x"]
    assert [found.packets_of(0), found.packets_of(1)] == [(1, 3, 4), (2, 4)]


def test_values_that_are_too_many_are_counted(monkeypatch):
    monkeypatch.setattr(att_values, "_MAX_VALUES", 2)
    pieces = [b"\x02" + acl(l2cap(b"\x23" + struct.pack("<HH", 16, 0) * 5))]
    found = read_bluetooth(packets(pieces, directions=[-1]))
    assert len(composed_messages(found)) == 2
    assert found.left_out == {"a value of a PDU with several, there are so many": 3}


def test_a_dongle_on_usb_and_other_link_types_give_the_same():
    inner = acl(l2cap(notification(0x11, b"value")))
    usbpcap = struct.pack("<HQIHBHHBBI", 27, 0, 0, 9, 1, 1, 2, 0x82, 3, len(inner)) + inner
    linux = struct.pack("<Q4BH", 0, ord("C"), 3, 0x82, 2, 1) + bytes(50) + inner
    for content, link_type in (
        (usbpcap, 249), (linux, 220), (b"\0\0\0\1\2" + inner, 201), (b"\0\0\0\5" + inner, 254), (inner, -12),
    ):  # fmt: skip
        messages = att_messages(read_bluetooth(packets([content], link_type, [-1])))
        assert contents(messages) == [b"value"], link_type
        assert messages.direction.tolist() == [-1]


def test_the_le_link_layer_leaves_out_repeats_bad_crcs_and_what_is_encrypted():
    pdu = l2cap(notification(0x11, b"value"))

    def heard(kind, body, flags=0x0D80):
        packet = struct.pack("<I", 0x5065_1234) + bytes((kind, len(body))) + body + bytes(3)
        return bytes(8) + struct.pack("<H", flags) + packet

    pieces = [heard(2, pdu[:5]), heard(9, pdu[5:]), heard(9, pdu[5:]), heard(2, pdu, flags=0x0580),
              heard(3, b"\x05"), heard(10, pdu)]  # fmt: skip
    found = read_bluetooth(packets(pieces, 256, [0] * len(pieces)))
    assert contents(att_messages(found)) == [b"value"]
    assert sum(found.left_out.values()) == 2


def can_frame(identifier, data, extended=True):
    return struct.pack(">IBBH", identifier | extended << 31, len(data), 0, 0) + data


def test_vesc_payloads_over_can_and_named_status_frames():
    payload = bytes(range(40))
    frames = [can_frame(5 << 8 | 10, bytes((at,)) + payload[at : at + 7]) for at in range(0, 40, 7)]
    end = struct.pack(">BBHH", 84, 1, 40, crc16_xmodem(payload))
    frames += [can_frame(7 << 8 | 10, end), can_frame(9 << 8 | 84, bytes(8))]
    bus = read_can(packets(frames, 227))
    assert contents(bus.longer) == [payload]
    assert tuple(map(str, bus.longer.channels)) == ("can vesc 84 -> 10",)
    assert bus.longer.packets_of(0) == tuple(range(1, 8))
    assert "can 0x00000954 vesc STATUS 84" in map(str, bus.raw.channels)


def test_isotp_is_taken_only_where_it_fits():
    whole = [can_frame(0x7E8, data, extended=False) for data in
             (b"\x10\x0a012345", b"\x216789\0\0\0", b"\x02ok\0\0\0\0\0")]  # fmt: skip
    bus = read_can(packets(whole, 227))
    assert contents(bus.longer) == [b"0123456789", b"ok"]
    other = [
        can_frame(0x355, bytes((0x10, 0x64, 1, 2, 3, 4, 5, number)), extended=False) for number in range(4)
    ]
    assert len(read_can(packets(other, 227)).longer) == 0


def test_isotp_is_read_beside_vesc_on_one_bus():
    payload = bytes(range(40))
    frames = [can_frame(5 << 8 | 10, bytes((at,)) + payload[at : at + 7]) for at in range(0, 40, 7)]
    end = struct.pack(">BBHH", 84, 1, 40, crc16_xmodem(payload))
    frames += [can_frame(7 << 8 | 10, end), can_frame(9 << 8 | 84, bytes(8))]
    frames += [can_frame(0x7E8, data, extended=False) for data in (b"\x10\x0a012345", b"\x216789\0\0\0")]
    frames += [can_frame(0x355, bytes(8), extended=False)]
    bus = read_can(packets(frames, 227))
    assert dict(zip(map(str, bus.longer.channels), contents(bus.longer), strict=True)) == {
        "can vesc 84 -> 10": payload,
        "can 0x7e8 iso-tp": b"0123456789",
    }
    assert bus.used.tolist() == [True] * 7 + [False] + [True] * 2 + [False]


@given(st.lists(st.binary(min_size=1, max_size=40), min_size=3, max_size=6))
def test_a_known_framing_is_recognised_and_random_bytes_are_not_lost(bodies):
    frames = [b"\xdd\x03\x00" + bytes((len(body),)) + body for body in bodies]
    frames = [frame + struct.pack(">H", -sum(frame[2:]) & 0xFFFF) + b"\x77" for frame in frames]
    assert {each.name for each in recognise(b"".join(frames))} == {"JBD"}
    stream = b"".join(frames)
    pieces = [
        b"\x02" + acl(l2cap(notification(0x11, stream[at : at + 20]))) for at in range(0, len(stream), 20)
    ]
    framed = put_together(att_messages(read_bluetooth(packets(pieces, directions=[-1] * len(pieces)))))
    assert contents(framed.messages) == frames
    assert framed.checksum_ok.all()


def test_checksums_have_their_check_values():
    assert CHECKSUMS["CRC-16/MODBUS"].of(b"123456789") == 0x4B37
    framings = [framing for each in families() for framing in each.framings]
    assert all(framing.check and framing.check.size in (1, 2, 4) for framing in framings)
