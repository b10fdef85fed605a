"""ATT on link types of which there is no recording, and in rare forms: the same as tshark makes of it."""

import struct
import subprocess
from dataclasses import replace

import numpy as np
import pytest

from packwire.capture import Capture, open_capture
from tests.capture.layers.test_bluetooth import acl, l2cap, notification, packets
from tests.shared_data import CAPTURES, needs_captures, needs_tshark

WRITE = b"\x12\x15\x00\xdd\xa5\x03\x00\xff\xfd\x77"
NOTIFY = notification(0x11, bytes(range(40, 60)))
EXPECTED = [("0x12", "0x0015", "dda50300fffd77"), ("0x1b", "0x0011", NOTIFY[3:].hex())]


def write_pcap(path, link_type, contents):
    head = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262_144, link_type)
    records = (
        struct.pack("<IIII", 1_700_000_000 + n, 0, len(each), len(each)) + each
        for n, each in enumerate(contents)
    )
    path.write_bytes(head + b"".join(records))
    return path


def tshark(path, *options):
    command = [
        "tshark",
        "-r",
        str(path),
        *options,
        "-Y",
        "btatt.opcode",
        "-T",
        "fields",
        "-E",
        "occurrence=f",
    ]
    for name in ("btatt.opcode", "btatt.handle", "btatt.value"):
        command += ["-e", name]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return [tuple(field.replace(":", "") for field in line.split("\t")) for line in out.splitlines()]


def ours(capture):
    att = capture.att
    return [
        (f"0x{code:02x}", f"0x{handle:04x}", capture.packets.data[start : start + size].tobytes().hex())
        for code, handle, start, size in zip(att.opcode, att.handle, att.start, att.size, strict=True)
    ]


def usbpcap(data, endpoint, transfer=3):
    return struct.pack("<HQIHBHHBBI", 27, 1, 0, 9, endpoint >> 7, 1, 2, endpoint, transfer, len(data)) + data


def usbmon(data, endpoint, header):
    kind = ord("C") if endpoint & 0x80 else ord("S")
    fixed = struct.pack(
        "<QBBBBHBBqiiII", 1, kind, 3, endpoint, 2, 1, ord("-"), 0, 1, 0, 0, len(data), len(data)
    )
    return fixed.ljust(header, b"\0") + data


def crc24(pdu, crc=0x555555):
    """Compute the link layer's checksum [Core Specification, Vol 6, Part B, 3.1.1] of a data PDU."""
    state = int(f"{crc:024b}"[::-1], 2)
    for byte in pdu:
        for bit in range(8):
            state, out = state >> 1, (state ^ byte >> bit) & 1
            state ^= 0xDA6000 * out
    return state.to_bytes(3, "little")


def on_air(body, number, kind=2):
    pdu = bytes((kind | number << 3, len(body))) + body
    return struct.pack("<I", 0x5065_1234) + pdu + crc24(pdu)


def with_header(packet, way):
    return struct.pack("<BbbBIH", 5, -40, 0, 0, 0x5065_1234, 0x0C13 | way << 7) + packet


def nordic(packet, to_peripheral):
    head = struct.pack("<BHBHB", 0, len(packet) + 10, 3, 0, 6)
    return head + struct.pack("<BBBBHI", 10, 1 | to_peripheral << 1, 5, 40, 0, 0) + packet


BOTH = (WRITE, NOTIFY)
CASES = {
    249: [usbpcap(acl(l2cap(pdu)), end) for pdu, end in zip(BOTH, (0x02, 0x82), strict=True)],
    189: [usbmon(acl(l2cap(pdu)), end, 48) for pdu, end in zip(BOTH, (0x02, 0x82), strict=True)],
    220: [usbmon(acl(l2cap(pdu)), end, 64) for pdu, end in zip(BOTH, (0x02, 0x82), strict=True)],
    251: [on_air(l2cap(pdu), n) for n, pdu in enumerate(BOTH)],
    256: [with_header(on_air(l2cap(pdu), n), 2 + n) for n, pdu in enumerate(BOTH)],
    272: [nordic(on_air(l2cap(pdu), n), 1 - n) for n, pdu in enumerate(BOTH)],
}


@needs_tshark
@pytest.mark.parametrize("link_type", CASES)
def test_the_same_values_as_tshark(link_type, tmp_path):
    path = write_pcap(tmp_path / "made.pcap", link_type, CASES[link_type])
    # No recording of a USB dongle shows its descriptors, so tshark has to be told what it is.
    told = ("-d", "usb.device==0x10002,bluetooth") if link_type in (249, 189, 220) else ()
    assert tshark(path, *told) == EXPECTED
    capture = open_capture(path)
    assert ours(capture) == EXPECTED
    assert capture.messages.direction.tolist() == [1, -1]
    assert capture.losses == ()


def signal(code, identifier, *fields):
    body = struct.pack(f"<{len(fields)}H", *fields)
    return l2cap(struct.pack("<BBH", code, identifier, len(body)) + body, channel=5)


def enhanced(*messages):
    """Open two channels for EATT, one of which is refused, and send ATT PDUs on the other, one way."""
    pieces = [
        (1, signal(0x17, 7, 0x27, 100, 64, 5, 0x50, 0x51)),
        (-1, signal(0x18, 7, 100, 64, 5, 4, 0x60, 0)),
    ]
    return pieces + [(1, l2cap(struct.pack("<H", len(each)) + each, channel=0x60)) for each in messages]


def h4(pieces):
    return [struct.pack(">I", way < 0) + b"\x02" + acl(piece) for way, piece in pieces]


def shown(messages):
    names = [str(messages.channels[code]) for code in messages.channel]
    return list(zip(names, messages.payloads(), map(messages.packets_of, range(len(messages))), strict=True))


def test_eatt_is_read_where_its_channels_are_opened_in_the_recording(tmp_path):
    path = write_pcap(tmp_path / "eatt.pcap", 201, h4(enhanced(WRITE)))
    capture = open_capture(path)
    assert shown(capture.raw_messages) == [("att 0x0015 write", WRITE[3:], (3,))]
    assert capture.losses == ()


def test_a_message_of_eatt_may_come_in_several_frames(tmp_path):
    pieces = enhanced()
    whole = struct.pack("<H", len(WRITE)) + WRITE
    pieces += [(1, l2cap(whole[:5], channel=0x60)), (1, l2cap(whole[5:], channel=0x60))]
    pieces += [(1, l2cap(whole[:7], channel=0x60))]
    capture = open_capture(write_pcap(tmp_path / "eatt.pcap", 201, h4(pieces)))
    assert shown(capture.raw_messages) == [("att 0x0015 write", WRITE[3:], (3, 4))]
    assert capture.losses == ("1 x an L2CAP message of which fragments are missing",)


def test_a_long_write_is_one_message(tmp_path):
    parts = [b"\x16\x15\x00" + struct.pack("<H", at) + bytes([at] * 4) for at in (0, 4)]
    given_up = [b"\x16\x15\x00\x00\x00never", b"\x18\x00"]
    pieces = [(1, l2cap(pdu)) for pdu in (*parts, b"\x18\x01", *given_up)]
    messages = open_capture(write_pcap(tmp_path / "long.pcap", 201, h4(pieces))).raw_messages
    assert shown(messages) == [("att 0x0015 write", bytes([0] * 4 + [4] * 4), (1, 2, 3))]
    assert messages.direction.tolist() == [1]


def test_several_notifications_in_one_pdu_are_as_many_messages(tmp_path):
    pdu = b"\x23\x11\x00\x02\x00ab\x14\x00\x03\x00cde\x15\x00\x09\x00cut"
    messages = open_capture(write_pcap(tmp_path / "several.pcap", 201, h4([(-1, l2cap(pdu))]))).raw_messages
    assert shown(messages) == [("att 0x0011 notify", b"ab", (1,)), ("att 0x0014 notify", b"cde", (1,))]
    assert messages.direction.tolist() == [-1, -1]


def test_link_types_that_nobody_reads_are_counted(tmp_path):
    capture = open_capture(write_pcap(tmp_path / "wifi.pcap", 127, [b"radiotap", b"and more"]))
    assert capture.losses == ("2 x packets of link type 127, which is not read here",)


def test_radio_and_host_in_one_recording_are_both_read():
    table = packets(
        [b"\x02" + acl(l2cap(WRITE)), on_air(l2cap(NOTIFY), 0), b"radiotap"], directions=[1, 0, 0]
    )
    both = replace(table, link_type=np.array([187, 251, 127], dtype=np.int32))
    capture = Capture("made", both)
    assert list(capture.raw_messages.payloads()) == [WRITE[3:], NOTIFY[3:]]
    assert capture.losses == ("1 x packets of link type 127, which is not read here",)


@needs_captures
def test_connections_that_were_not_made_are_no_loss():
    assert open_capture(CAPTURES / "ble" / "packetlogger-big-endian.pklg").losses == ()


@needs_captures
def test_both_payloads_of_a_vesc_can_log_lack_their_first_frames():
    capture = open_capture(CAPTURES / "text" / "vesc-can_bldc-422.canlog.txt")
    first = [payload[0] for payload in capture.can.raw.payloads()][:4]
    assert first == [14, 21, 28, 35]
    assert capture.losses == ("2 x a VESC payload over CAN of which frames are missing",)
