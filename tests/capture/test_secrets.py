"""What must not be found in what is shown or shared: each secret in its place, and random recordings."""

from collections import Counter
from dataclasses import replace
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from packwire.capture import open_capture
from packwire.capture.packets import APPLICATION
from packwire.capture.redact import redacted
from packwire.capture.redact.contents import masked_payload, masked_stream
from packwire.capture.redact.needles import Automaton, replace_all
from packwire.capture.redact.texts import mask_texts
from packwire.protocols import words
from packwire.vesc.framing import encode_frame
from packwire.vesc.replies import FW_VERSION, FwVersion
from packwire.vesc.secrets import hidden, mask_payload
from packwire.vesc.traits import TRAITS
from packwire.wire.checksum import CHECKSUMS
from tests.capture.bench_secrets import leaks
from tests.capture.secret_recordings import Maker, acl, modbus
from tests.capture.test_writers import packets
from tests.capture.vesc_session import via

MAC = bytes.fromhex("84f703123456")


@pytest.mark.parametrize("seed", range(21))
def test_no_command_shows_a_secret_of_a_random_recording(seed):
    _, found = leaks(seed)
    assert not found


class TestVesc:
    @pytest.mark.parametrize("ids", [(), (10,), (10, 84)])
    @pytest.mark.parametrize("command", [each for each, row in TRAITS.items() if row.secret])
    def test_no_output_shows_what_the_table_calls_a_secret(self, command, ids):
        version = FW_VERSION.encode(FwVersion(7, 0, "X", (MAC * 2).hex(), 0, 0, 2, 1))
        piece = (5 << 8 | 10).to_bytes(4) + b"\1hunter2!" + MAC
        bodies = {0: version, 85: piece}
        payload = bytes((command,)) + bodies.get(command, bytes(8) + b"hunter2!" + MAC)
        for number in ids:
            payload = via(number, payload)
        assert hidden(payload)
        shown = [
            mask_payload(payload).hex(" "),
            words("vesc").hex_text(payload, keep_secrets=False),
            words("vesc").request(payload, keep_secrets=False),
            words("vesc").reply(payload, keep_secrets=False),
            repr(words("vesc").values(payload, keep_secrets=False)),
        ]
        for text in shown:
            assert "hunter2" not in text
            assert b"hunter2!".hex(" ") not in text
            assert MAC.hex() not in text.replace(" ", "")

    def test_forwarded_frames_of_a_bus_stay_unless_they_carry_a_payload(self):
        frame = b"\x55" + (0x355).to_bytes(4) + b"\0" + bytes(8)
        assert mask_payload(frame) == frame

    def test_who_a_device_is_stays_for_its_owner(self):
        payload = b"\0" + FW_VERSION.encode(FwVersion(7, 0, "X", (MAC * 2).hex(), 0, 0, 2, 1))
        assert MAC not in masked_payload(payload, Counter())
        assert masked_payload(payload, Counter(), private=False) == payload

    @given(st.binary(min_size=1, max_size=80), st.booleans())
    def test_any_payload_keeps_its_size_and_is_masked_once(self, payload, private):
        masked = mask_payload(payload, private=private)
        assert len(masked) == len(payload)
        assert mask_payload(masked, private=private) == masked


@pytest.mark.parametrize(
    "line",
    [
        "[I][jk_bms_ble:1221]:   Setup passcode: hunter22",
        "[C][wifi:443]: SSID van, password='hunter22'",
        "login with key hunter22",
        "sent VESCTOOL:VAN:hunter22",
        "bms pin 918273",
    ],
)
def test_remarks_do_not_quote_passwords_of_a_log(tmp_path, line):
    log = tmp_path / "a.log"
    log.write_text(f"{line}\n[15:42:54][D][uart_debug:158]: <<< 55:AA:EB:90:02:01:4A:4B\n")
    remarks = " ".join(open_capture(log).packets.notes)
    assert "line 1" in remarks
    assert "(hidden)" in remarks
    assert not any(secret in remarks for secret in ("hunter", "918273"))


class TestMakers:
    def test_passwords_of_each_are_masked_and_checksums_mended(self):
        maker = Maker(Random(1))
        for _, frame in maker.frames():
            masked = masked_stream(frame, Counter(), strict=True)
            assert len(masked) == len(frame)
            assert not any(secret in masked for secret in (*maker.doors, *maker.private))

    def test_a_password_is_masked_for_its_owner_too(self):
        maker = Maker(Random(2))
        for _, frame in maker.frames():
            masked = masked_stream(frame, Counter(), strict=False)
            assert not any(secret in masked for secret in maker.doors)

    def test_a_new_password_of_an_old_ant_board(self):
        frames = b"".join(
            b"\xa5\xa5" + bytes((code,)) + pair + bytes(((code + sum(pair)) & 0xFF,))
            for code, pair in zip(range(0x66, 0x6A), (b"ab", b"cd", b"12", b"34"), strict=True)
        )
        masked = masked_stream(frames, Counter(), strict=False)
        assert masked[3::6] == masked[4::6] == b"****"
        assert masked[5::6] == bytes((code + 2 * 0x2A) & 0xFF for code in range(0x66, 0x6A))

    def test_daly(self):
        reply = modbus(b"\xd2\x03\x06" + b"123456")
        masked = masked_stream(reply, Counter(), strict=False)
        assert masked == modbus(b"\xd2\x03\x06" + b"******")

    def test_numbers_that_read_as_text_stay(self):
        reply = modbus(b"\xd2\x03\x10" + b"\x75\x30" * 8)
        assert masked_stream(reply, Counter(), strict=True) == reply

    def test_a_wrong_checksum_stays_wrong(self):
        reply = modbus(b"\xd2\x03\x06" + b"123456")[:-1] + b"\0"
        masked = masked_stream(reply, Counter(), strict=True)
        assert masked[:9] == b"\xd2\x03\x06******"
        assert masked[9:] != modbus(masked[:9])[9:]

    def test_victrons_serial_number_and_the_sum_of_its_block(self):
        block = b"\r\nPID\t0xA381\r\nSER#\tHQ1234ABCDE\r\nChecksum\t"
        block += bytes((-sum(block) & 0xFF,))
        masked = masked_stream(block, Counter(), strict=True)
        assert b"HQ" not in masked
        assert sum(masked) & 0xFF == 0

    def test_a_serial_number_in_hexadecimal_digits(self):
        body = b"200246000018" + b"SN8899AABB12".hex().upper().encode()
        frame = b"~" + body + b"%04X\r" % (-sum(body) & 0xFFFF)
        masked = masked_stream(frame, Counter(), strict=True)
        assert b"SN8899".hex().upper().encode() not in masked
        assert int(masked[-5:-1], 16) == CHECKSUMS["sum16 negated"].of(masked[1:-5])

    @settings(max_examples=60, deadline=None)
    @given(st.binary(max_size=300))
    def test_anything(self, content):
        for strict in (True, False):
            assert len(masked_stream(content, Counter(), strict=strict)) == len(content)
            masked, _ = mask_texts(content, [len(content)])
            assert len(masked) == len(content)


class TestTextsWritten:
    def written(self, *pieces: bytes) -> bytes:
        masked, _ = mask_texts(b"".join(pieces), [len(piece) for piece in pieces])
        return masked

    @pytest.mark.parametrize(
        "pieces",
        [
            (b"hunter2hunts",),
            (b"\x11\x07\x04\x0bhomehunter2hunts\xba",),
            (b"hun", b"ter", b"2hu", b"nts"),
            (b"\x01\x01hunter2h\x8a", b"\x01\x02unts\x91"),
            (b"\x01\x01hunter2hun\x8a", b"\x01\x02ts\x91"),
            (b"h\0u\0n\0t\0e\0r\x002\0",),
            ("Jägerhütte".encode(),),
        ],
    )
    def test_whole_in_a_frame_of_its_own_and_in_pieces(self, pieces):
        masked = self.written(*pieces)
        for part in (b"hun", b"unt", b"ter", b"nts", b"ts", b"\0u\0", b"tte"):
            assert part not in masked

    @pytest.mark.parametrize(
        "asked",
        [b"\xdd\xa5\x03\x00\xff\xfd\x77", b"AT+VER=?\r\n", b"~20014642E00201FD35\r", encode_frame(b"\x04")],
    )
    def test_requests_that_are_known_stay(self, asked):
        assert self.written(asked) == asked

    def test_the_same_text_elsewhere(self):
        made = [acl(b"\x12\x21\0homehunter2"), acl(b"\x1b\x12\0\x05\x01homehunter2\x99")]
        found = redacted(packets(made, directions=[1, -1])).packets
        assert b"hunter" not in found.data.tobytes()

    def test_prepared_writes_and_their_echo_and_several_notifications(self):
        part = b"\x21\0\0\0homehunter2"
        several = b"\x23\x12\0\x0a\0\xff\xaa\x18\x06" + b"314159" + b"\x2d"
        made = [acl(b"\x16" + part), acl(b"\x17" + part), acl(several)]
        found = redacted(packets(made, directions=[1, -1, -1])).packets
        assert b"hunter" not in found.data.tobytes()
        assert b"314" not in found.data.tobytes()

    def test_names_of_devices_in_the_channels_of_text_logs(self):
        source = packets([b"\xdd\x03\x00\x77"], link_types=[APPLICATION])
        for name, right in (("att ff01 notify of Anna's van", "att ff01 notify of name-1****"), ("hex",) * 2):
            assert redacted(replace(source, interfaces=(name,))).packets.interfaces == (right,)


class TestNeedles:
    def test_work_is_linear_however_alike_they_begin(self):
        needles = {b"a" * size + b"%05d" % size: b"*" * (size + 5) for size in range(5, 240)}
        data = np.frombuffer(b"a" * 20_000, dtype=np.uint8).copy()
        automaton = Automaton()
        replace_all(data, needles, automaton)
        assert automaton.steps <= 2 * (len(data) + sum(map(len, needles)))

    def test_overlapping_ones(self):
        data = np.frombuffer(b"-abcdef-cdefg-", dtype=np.uint8).copy()
        replace_all(data, {b"abcd": b"1234", b"cdef": b"3456", b"defg": b"7777"})
        assert data.tobytes() == b"-123456-34567-"

    @settings(max_examples=200, deadline=None)
    @given(
        st.text("ab", max_size=60), st.lists(st.text("ab", min_size=2, max_size=5), min_size=1, max_size=6)
    )
    def test_none_is_left(self, text, needles):
        data = np.frombuffer(text.encode(), dtype=np.uint8).copy()
        replace_all(data, {each.encode(): b"-" * len(each) for each in needles})
        assert not any(each.encode() in data.tobytes() for each in needles)
        covered = {
            at + offset
            for each in needles
            for at in range(len(text))
            if text.startswith(each, at)
            for offset in range(len(each))
        }
        assert {at for at, byte in enumerate(data.tolist()) if byte == 0x2D} == covered
