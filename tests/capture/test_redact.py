"""Redaction: no secret is left, what is masked still reads, and what cannot be read is masked whole."""

import struct
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from packwire.capture import Capture, open_capture
from packwire.capture.packets import APPLICATION, Packets
from packwire.capture.redact import redacted, without_secrets
from packwire.capture.redact.contents import masked_stream
from packwire.capture.redact.needles import replace_all
from packwire.capture.redact.radio import crc24
from packwire.vesc.framing import encode_frame
from packwire.wire.checksum import crc16_xmodem
from tests.capture.builder import ACK, PSH, RST, Session, array, pcap, read
from tests.capture.test_writers import packets
from tests.capture.vesc_session import ASK_BMS, VescSession, bms, via
from tests.shared_data import CAPTURES, needs_captures

RECORDINGS = sorted(path for path in CAPTURES.rglob("*.*") if path.suffix not in (".json", ".md"))
CONFIG = b"\x11\x22\x33\x44mywifi\0secretkey\0*"
SECRETS = (b"secretkey", b"mywifi", b"secret42", b"TESTPACK")
ADDRESS = bytes.fromhex("0102030405c4")
OTHER = bytes.fromhex("f1f2f3f4f5f6")


def leaks(found: Packets) -> list[bytes]:
    content = found.data.tobytes()
    return [secret for secret in SECRETS if secret in content]


def checksum_is_right(frame: bytes) -> bool:
    """Sum the TCP segment of an Ethernet/IPv4 frame with its pseudo-header, as a receiver does."""
    ip = frame[14:]
    segment = ip[20 : int.from_bytes(ip[2:4])]
    content = ip[12:20] + struct.pack(">HH", 6, len(segment)) + segment
    content += bytes(len(content) % 2)
    total = sum(struct.unpack(f">{len(content) // 2}H", content))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return bool(total == 0xFFFF)


class TestVescOnTcp:
    def talk(self) -> VescSession:
        talk = VescSession().open().send(0, b"VESCTOOL:TESTPACK:secret42\n")
        talk.ask(ASK_BMS).answer(bms())
        return talk

    def test_logins_and_configurations_are_masked_the_rest_stays(self):
        talk = self.talk().ask(b"\x5d\x00").answer(b"\x5d\x00" + CONFIG).ask(via(10, b"\x5f\x00" + CONFIG))
        found = redacted(read(talk.pcap()))
        assert not leaks(found.packets)
        assert found.counts["hub logins"] == 1
        assert found.counts["configurations (Wi-Fi keys, passwords)"] == 2
        messages = Capture("", found.packets).messages
        assert bms() in list(messages.payloads())
        assert len(messages) == 5, "every frame still has a right CRC"
        assert Capture("", found.packets).vesc.connections[0].device == 1, "the login still reads as one"

    def test_a_secret_over_two_segments_and_its_retransmission(self):
        talk = self.talk()
        frame = encode_frame(b"\x5d\x00" + CONFIG)
        first = talk.next[1]
        talk.send(1, frame[:14]).send(1, frame[14:])
        talk.record(talk.segment(1, ACK | PSH, frame, seq=first))
        talk.record(talk.segment(1, ACK | PSH, frame[9:], seq=first + 9))
        found = redacted(read(talk.pcap()))
        assert not leaks(found.packets)
        assert b"secret" not in found.packets.data.tobytes()
        assert len(Capture("", found.packets).messages) == 3

    def test_checksums_of_what_was_changed_are_right(self):
        talk = self.talk().ask(b"\x5d\x00").answer(b"\x5d\x00" + CONFIG)
        source = read(talk.pcap())
        found = redacted(source).packets
        changed = [row for row in range(len(found)) if found.packet(row) != source.packet(row)]
        assert len(changed) == 2
        assert all(checksum_is_right(found.packet(row)) for row in changed)

    def test_a_torn_frame_is_masked_whole(self):
        talk = self.talk().send(1, encode_frame(b"\x5d\x00" + CONFIG)[4:])
        assert not leaks(redacted(read(talk.pcap())).packets)

    def test_a_repetition_that_says_something_else(self):
        talk = self.talk()
        first = talk.next[1]
        talk.send(1, encode_frame(b"\x5d\x00" + bytes(len(CONFIG))))
        talk.record(talk.segment(1, ACK, encode_frame(b"\x5d\x00" + CONFIG), seq=first))
        assert not leaks(redacted(read(talk.pcap())).packets)

    def test_a_side_of_which_no_byte_is_used(self):
        talk = VescSession().open().answer(bms())
        talk.record(talk.segment(0, ACK, b"x", seq=talk.next[0] - 1))
        assert b"x" not in redacted(read(talk.pcap())).packets.packet(4)[54:]

    def test_other_connections_resets_and_what_is_cut(self):
        other = Session(ports=(40000, 80)).open().send(0, b"GET / secretkey")
        udp = Session(ports=(5, 6))
        frame = bytearray(udp.segment(0, ACK, b"mywifi"))
        frame[23] = 17
        other.record(bytes(frame)).record(b"\xff" * 12 + b"\x12\x34mywifi")
        other.record(self.talk().segment(0, RST, b"secret42"))
        found = redacted(read(other.pcap()))
        assert not leaks(found.packets)

    def test_what_is_shown_keeps_other_traffic(self):
        other = Session(ports=(40000, 502)).open().send(0, b"\x00\x01 modbus")
        capture = Capture("x", read(other.pcap()))
        assert without_secrets(capture) is capture


def event(code: int, body: bytes) -> bytes:
    return bytes((4, code, len(body))) + body


def command(opcode: int, body: bytes) -> bytes:
    return b"\x01" + struct.pack("<HB", opcode, len(body)) + body


def acl(cid: int, pdu: bytes, *, handle: int = 0x40, size: int | None = None) -> bytes:
    body = struct.pack("<HH", len(pdu) if size is None else size, cid) + pdu
    return b"\x02" + struct.pack("<HH", handle | 0x2000, len(body)) + body


def more(rest: bytes, handle: int = 0x40) -> bytes:
    return b"\x02" + struct.pack("<HH", handle | 0x1000, len(rest)) + rest


def advertising(address: bytes, data: bytes) -> bytes:
    return event(0x3E, b"\x02\x01\x00\x00" + address + bytes((len(data),)) + data + b"\xc0")


def local_name(text: bytes) -> bytes:
    return bytes((len(text) + 1, 9)) + text


CONNECTED = event(0x3E, b"\x01\x00\x40\x00\x00\x00" + ADDRESS + bytes(7))


class TestBluetooth:
    def masked(self, *sent: bytes, directions: list[int] | None = None) -> tuple[list[bytes], dict[str, int]]:
        found = redacted(packets(list(sent), directions=directions))
        return [found.packets.packet(row) for row in range(len(found.packets))], found.counts

    def test_addresses_and_names_are_the_same_everywhere(self):
        sent = (
            advertising(ADDRESS, b"\x02\x01\x06" + local_name(b"Anna's van")),
            advertising(OTHER, local_name(b"Bert")),
            CONNECTED,
            acl(4, b"\x1b\x12\x00" + b"my name is Anna's van, " + ADDRESS[::-1]),
        )
        out, counts = self.masked(*sent)
        everything = b"".join(out)
        for private in (ADDRESS, ADDRESS[::-1], OTHER, b"Anna", b"Bert"):
            assert private not in everything
        alias = out[0][7:13]
        assert alias == out[2][9:15]
        assert alias[5] & 0xC0 == ADDRESS[5] & 0xC0, "still the same kind of address"
        assert alias[::-1] in out[3]
        assert out[0].count(b"name-1") == out[3].count(b"name-1") == 1
        assert counts["addresses"] == 3
        assert [len(each) for each in out] == [len(each) for each in sent]

    def test_names_that_are_read_also_in_fragments(self):
        request = acl(4, b"\x0a\x03\x00")
        declaration = acl(4, b"\x09\x07\x02\x00\x02\x03\x00\x00\x2a")
        asked = acl(4, b"\x08\x01\x00\xff\xff\x03\x28")
        reply = b"\x0bAnna's van"
        out, counts = self.masked(
            asked, declaration, request, acl(4, reply[:4], size=len(reply)), more(reply[4:]),
            directions=[1, -1, 1, -1, -1],
        )  # fmt: skip
        assert b"Ann" not in b"".join(out)
        assert b"van" not in b"".join(out)
        assert out[3].endswith(b"nam")
        assert out[4].endswith(b"e-1****")
        assert counts["names"] == 1

    def test_text_read_from_who_knows_what(self):
        out, _ = self.masked(acl(4, b"\x0a\x21\x00"), acl(4, b"\x0bAnna"), directions=[1, -1])
        assert out[1].endswith(b"\x0b****")

    def test_notifications_stay(self):
        sent = acl(4, b"\x1b\x12\x00\xdd\x03\x00\x04\x01\x02\x03\x04\xff\xf1\x77")
        assert self.masked(sent)[0] == [sent]

    def test_keys(self):
        key = bytes(range(100, 116))
        out, counts = self.masked(
            event(0x18, ADDRESS + key + b"\x00"),
            command(0x040D, ADDRESS + b"\x04" + b"1234" + bytes(12)),
            command(0x201A, b"\x40\x00" + key),
            acl(6, b"\x06" + key),
            acl(6, b"\x06" + key[:8], size=17),
        )
        everything = b"".join(out)
        assert key[:6] not in everything
        assert b"1234" not in everything
        assert counts["keys and PINs"] >= 4

    def test_what_is_unknown_is_masked_whole(self):
        out, _ = self.masked(
            event(0xFF, b"\x01secretkey"), command(0xFC01, b"secretkey"), event(0x3E, b"\x7fsecretkey"),
            event(0x0E, b"\x01\x01\xfc\x00secretkey"), advertising(ADDRESS, b"\x0b\xff\x34\x12secretkey")[:-3],
            more(b"secretkey"), acl(4, b"\x1b")[:8] + b"secretkey",
        )  # fmt: skip
        assert b"secretkey" not in b"".join(out[:6])

    def test_a_configuration_in_notifications(self):
        frame = encode_frame(b"\x5d\x00" + CONFIG)
        out, _ = self.masked(
            *(acl(4, b"\x1b\x12\x00" + frame[at : at + 20]) for at in range(0, len(frame), 20))
        )
        joined = b"".join(each[12:] for each in out)
        assert joined[:1] == frame[:1]
        assert b"wifi" not in joined
        assert joined == masked_stream(frame, Counter(), strict=True)

    def test_passwords_in_frames(self):
        frame = bytearray(bytes.fromhex("55aaeb9003") + bytes(295))
        frame[62:66] = b"1234"
        frame[299] = sum(frame[:299]) & 0xFF
        masked = masked_stream(bytes(frame), Counter(), strict=True)
        assert b"1234" not in masked
        assert masked[299] == sum(masked[:299]) & 0xFF
        jbd = b"\xff\xaa\x15\x06123456"
        masked = masked_stream(jbd + bytes((sum(jbd[2:]) & 0xFF,)), Counter(), strict=True)
        assert masked[:4] == jbd[:4]
        assert b"1234" not in masked
        assert masked[10] == sum(masked[2:10]) & 0xFF

    @settings(max_examples=150, deadline=None)
    @given(
        st.lists(st.tuples(st.sampled_from([1, 2, 3, 4, 5, 9]), st.binary(max_size=60)), max_size=12),
        st.booleans(),
    )
    def test_anything_can_be_masked_and_keeps_its_size(self, sent, with_link):
        made = [bytes((kind,)) + body for kind, body in sent] + ([CONNECTED] if with_link else [])
        source = packets(made, directions=[(-1) ** index for index in range(len(made))])
        found = redacted(source).packets
        assert found.size.tolist() == source.size.tolist()
        again = redacted(found)
        assert [len(again.packets.packet(row)) for row in range(len(found))] == source.size.tolist()


class TestCan:
    PAYLOAD = b"\x5d\x00" + CONFIG

    def frames(self, payload: bytes, *, drop: int = -1) -> list[bytes]:
        pieces = [(5 << 8 | 10, bytes((at,)) + payload[at : at + 7]) for at in range(0, len(payload), 7)]
        head = b"\x02\x01" + struct.pack(">HH", len(payload), crc16_xmodem(payload))
        pieces.append((7 << 8 | 10, head))
        return [
            struct.pack(">IBxxx", 1 << 31 | number, len(data)) + data
            for index, (number, data) in enumerate(pieces)
            if index != drop
        ]

    def masked(self, sent: list[bytes]) -> Packets:
        return redacted(packets(sent, link_types=[227] * len(sent))).packets

    def test_configurations_in_buffers(self):
        found = self.masked(self.frames(self.PAYLOAD))
        content = b"".join(found.packet(row)[9:] for row in range(len(found) - 1))
        assert content == b"\x5d\x00" + b"*" * len(CONFIG)
        assert found.packet(len(found) - 1)[-2:] == crc16_xmodem(content).to_bytes(2)

    def test_a_torn_one(self):
        for drop in range(len(self.frames(self.PAYLOAD))):
            found = self.masked(self.frames(self.PAYLOAD, drop=drop))
            content = b"".join(found.packet(row)[9:] for row in range(len(found)))
            assert b"wifi" not in content
            assert b"key" not in content

    @pytest.mark.parametrize("begin", [b"\0", b"\x22\x54\0", b"\x22\x0a\x22\x54\0", b"\x60"])
    def test_a_login_in_a_torn_one_is_not_shown_either(self, begin):
        """Whichever piece is lost: that with the words of the login, too."""
        payload = begin + b"VESCTOOL:VAN:sesame-open-77\n"
        for drop in range(len(self.frames(payload))):
            sent = packets(
                self.frames(payload, drop=drop), link_types=[227] * (len(self.frames(payload)) - 1)
            )
            shown = without_secrets(Capture("a.pcap", sent)).packets
            content = b"".join(shown.packet(row)[9:] for row in range(len(shown)))
            assert not {b"same", b"sesa", b"open", b"-77"} & {
                content[at : at + size] for at in range(len(content)) for size in (3, 4)
            }

    def test_numbers_in_a_torn_one_are_shown(self):
        values = b"\x60" + bytes(range(1, 30))
        sent = packets(self.frames(values, drop=2), link_types=[227] * (len(self.frames(values)) - 1))
        assert without_secrets(Capture("a.pcap", sent)).packets is sent

    def test_others_stay(self):
        sent = [*self.frames(bms()), struct.pack(">IBxxx", 0x355, 8) + bytes(8)]
        found = self.masked(sent)
        assert [found.packet(row) for row in range(len(found))] == sent

    @settings(max_examples=60, deadline=None)
    @given(st.lists(st.tuples(st.integers(4, 9), st.binary(max_size=8)), max_size=12))
    def test_any_frames(self, made):
        sent = [struct.pack(">IBxxx", 1 << 31 | kind << 8, len(data)) + data for kind, data in made]
        found = self.masked(sent)
        assert found.size.tolist() == [len(each) for each in sent]


class TestRadio:
    def on_air(self, pdu: bytes, access: int = 0x8E89BED6, kind: int = 0) -> bytes:
        head = bytes((kind, len(pdu)))
        crc = crc24(head + pdu, 0xAAAAAA).to_bytes(3, "little")
        return struct.pack("<I", access) + head + pdu + crc

    def masked(self, *sent: bytes) -> list[bytes]:
        found = redacted(packets(list(sent), link_types=[251] * len(sent))).packets
        return [found.packet(row) for row in range(len(found))]

    def test_advertising_and_its_check_sequence(self):
        (out,) = self.masked(self.on_air(ADDRESS + b"\x02\x01\x06" + local_name(b"Anna's van")))
        assert ADDRESS not in out
        assert b"name-1" in out
        assert out == self.on_air(out[6:-3])

    def test_data_stays_and_pairing_does_not(self):
        value = self.on_air(struct.pack("<HH", 7, 4) + b"\x1b\x12\x00\xdd\x03\x00\x77", 0x1234, 2)
        pairing = self.on_air(struct.pack("<HH", 17, 6) + b"\x06" + bytes(range(16)), 0x1234, 2)
        out = self.masked(value, pairing)
        assert out[0] == value
        assert out[1][10:27] == b"\x06" + b"*" * 16
        assert out[1] == self.on_air(out[1][6:-3], 0x1234, 2)

    def sniffed(
        self, pdu: bytes, kind: int = 2, number: int = 0, *, padded: bool = False, crc_ok: bool = True
    ) -> bytes:
        """Return what Nordic's sniffer records of a packet of a peripheral."""
        plain = self.on_air(pdu, 0x1234, kind | number << 3)
        return bytes(8) + bytes((crc_ok,)) + bytes(8) + plain[:6] + b"\0" * padded + plain[6:]

    def nordic(self, *sent: bytes) -> list[bytes]:
        found = redacted(packets(list(sent), link_types=[272] * len(sent))).packets
        return [found.packet(row) for row in range(len(found))]

    @pytest.mark.parametrize("padded", [False, True])
    def test_pairing_that_nordics_sniffer_recorded(self, padded):
        pairing = struct.pack("<HH", 17, 6) + b"\x06" + bytes(range(1, 17))
        (out,) = self.nordic(self.sniffed(pairing, padded=padded))
        assert out == self.sniffed(pairing[:5] + b"*" * 16, padded=padded)

    @pytest.mark.parametrize("again", [{}, {"crc_ok": False}])
    def test_a_packet_that_was_heard_twice_moves_no_password(self, again):
        info = bytearray(b"\x55\xaa\xeb\x90\x03" + bytes(295))
        info[118:126] = b"sesame77"
        info[299] = sum(info[:299]) & 0xFF
        sent, plain = [], []
        for number, at in enumerate(range(0, 300, 20)):
            value = b"\x1b\x12\0" + bytes(info[at : at + 20])
            sniffed = self.sniffed(struct.pack("<HH", len(value), 4) + value, number=number & 1)
            if at in (60, 120) and not again.get("crc_ok", True):
                sent.append(
                    self.sniffed(struct.pack("<HH", len(value), 4) + value, number=number & 1, **again)
                )
            sent.append(sniffed)
            plain.append(len(sent) - 1)
            if at in (60, 120) and not again:
                sent.append(sniffed)
        out = self.nordic(*sent)
        content = b"".join(out)
        assert b"same77" not in content
        assert b"sesa" not in content
        assert out[plain[0]] == sent[plain[0]]
        assert [len(each) for each in out] == [len(each) for each in sent]

    def test_what_is_unknown(self):
        (out,) = self.masked(self.on_air(b"secretkey", kind=7))
        assert b"secret" not in out

    @settings(max_examples=80, deadline=None)
    @given(st.lists(st.tuples(st.integers(0, 8), st.binary(max_size=40)), max_size=6), st.booleans())
    def test_anything(self, made, connected):
        sent = [
            self.on_air(body, 0x1234 if connected else 0x8E89BED6, kind)[: 5 + kind * 8]
            for kind, body in made
        ]
        assert [len(each) for each in self.masked(*sent)] == [len(each) for each in sent]


class TestUsb:
    def transfer(self, content: bytes, kind: int, endpoint: int) -> bytes:
        return struct.pack("<HQIHBHHBBI", 27, 0, 0, 0, 1, 1, 5, endpoint, kind, len(content)) + content

    def test_bluetooth_is_masked_as_elsewhere_and_other_devices_whole(self):
        advert = self.transfer(advertising(ADDRESS, local_name(b"Anna's van"))[1:], 1, 0x81)
        keys = self.transfer(b"secretkey", 1, 0x82)
        found = redacted(packets([advert, keys], link_types=[249, 249])).packets
        assert ADDRESS not in found.packet(0)
        assert b"name-1" in found.packet(0)
        assert found.packet(1) == keys[:27] + b"*" * 9


class TestOthers:
    def test_text_logs(self):
        source = packets([encode_frame(b"\x5d\x00" + CONFIG)], link_types=[APPLICATION])
        assert not leaks(redacted(source).packets)
        assert not leaks(without_secrets(Capture("", source)).packets)

    def test_links_that_are_not_read(self):
        found = redacted(packets([b"secretkey and more"], link_types=[127]))
        assert found.packets.packet(0) == b"*" * 18
        assert found.counts == {"packets of a kind of link that is not read here": 1}

    def test_the_recording_itself_is_not_changed(self):
        talk = VescSession().open().send(0, b"VESCTOOL:TESTPACK:secret42\n").ask(ASK_BMS)
        data = array(talk.pcap())
        before = data.copy()
        redacted(read(talk.pcap()))
        assert (data == before).all()

    @settings(max_examples=60, deadline=None)
    @given(st.binary(max_size=200), st.lists(st.binary(min_size=2, max_size=5), min_size=1, max_size=6))
    def test_needles(self, content, needles):
        data = np.frombuffer(content, dtype=np.uint8).copy()
        replace_all(data, {needle: b"\0" * len(needle) for needle in needles})
        clean = content
        for at in range(len(clean)):
            for needle in needles:
                if data[at : at + len(needle)].tobytes() == needle:
                    assert not any(needle), needle

    @settings(max_examples=40, deadline=None)
    @given(st.binary(max_size=200))
    def test_any_network_packet(self, content):
        talk = VescSession().open().send(0, b"VESCTOOL:TESTPACK:secret42\n").record(content)
        found = redacted(read(talk.pcap()))
        assert not leaks(found.packets)
        assert len(found.packets) == 5


def test_a_shortened_recording_leaks_nothing():
    talk = VescSession().open().send(0, b"VESCTOOL:TESTPACK:secret42\n").answer(b"\x5d\x00" + CONFIG)
    short = [each._replace(data=each.data[:74], original=len(each.data)) for each in talk.packets]
    assert not leaks(redacted(read(pcap(short))).packets)


@needs_captures
@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.name)
def test_real_recordings_stay_what_they_are(path):
    source = open_capture(path)
    found = Capture(path.name, redacted(source.packets).packets)
    assert found.packets.size.tolist() == source.packets.size.tolist()
    was, now = source.messages, found.messages
    assert now.packets.tolist() == was.packets.tolist()
    assert now.channels == was.channels
    pairs = zip(was.payloads(), now.payloads(), strict=True)
    changed = [before for before, after in pairs if before != after]
    asked = [each for each in changed if each.startswith((b"\xc5\x65", b"\x5b\x65"))]
    assert not asked or "lolan" in path.name, "each request of a Lolan has its PIN"
    others = len(changed) - len(asked)
    assert others <= 17, "passwords (in four parts each, with an old ANT), configurations, what is torn"
