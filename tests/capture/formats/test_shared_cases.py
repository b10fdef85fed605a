"""Texts that went wrong once, and real logs, as they lie beside the repository."""

import pytest

from packwire.capture import open_capture
from packwire.cli.commands.decode import decode
from packwire.cli.commands.info import info
from packwire.cli.exit_codes import ExitCode
from packwire.errors import BadFileError
from tests.shared_data import SHARED

CASES = SHARED / "cases"
pytestmark = pytest.mark.skipif(not CASES.exists(), reason="../shared/cases is not here")

#: File -> direction (of the packet) and bytes of each raw message.
BYTES = {
    "01-esphome-escapes.log": [
        (1, "a540910800000000000000007e"),
        (-1, "a50191080cb5020cb2010003c4"),
        (-1, "0708090a0b0c0d1b22275c"),
    ],
    "02-uuid-as-data.log": [(-1, "dd0300021234ffb577")],
    "07-first-byte-lost.txt": [(0, "dda50300fffd77"), (0, "dd0300021234ffb577")],
    "12-utf16.txt": [(1, "dda50300fffd77"), (-1, "dd0300021234ffb577")],
    "13-trailing-comment.txt": [(1, "01030000005f05f2"), (-1, "01030200117848"), (1, "01030000005f05f2")],
    "17-address-as-payload-ha.log": [(-1, "dd0400020d47ffa677"), (0, "3e47545424252526")],
    "19-hexdump-offsets.txt": [(0, "dd5a00025678ff3077")] * 2,
    "forms/c-bytes-literal.txt": [(0, "a501900802100000756f03bcf3")],
    "forms/e-bms-to-inverter.log": [(-1, "a5019508040cd70cd40cd800ee")],
    "forms/f-gatttool.txt": [(-1, "dd03001b053a")],
    "forms/g-btmon.txt": [(-1, "01ab")],
    "forms/h-ios-corebluetooth.txt": [(-1, "0300000000000000a296ce41")],
    "forms/s-arduino-serial-monitor.txt": [(0, "aa55aaff02dc0e4f")],
    "forms/v-hex-with-remark.txt": [(0, "300314020008e41d"), (0, "300310")],
}


@pytest.mark.parametrize("name", BYTES)
def test_bytes(name):
    capture = open_capture(CASES / name)
    packets = capture.packets
    found = [(int(packets.direction[row]), packets.packet(row).hex()) for row in range(len(packets))]
    assert found == BYTES[name]
    assert capture.damage == ()


def test_lines_without_bytes_are_counted():
    notes = open_capture(CASES / "02-uuid-as-data.log").notes
    assert notes[0].startswith("4 x lines without bytes, the first is line 1: ")


@pytest.mark.parametrize(
    ("name", "words"),
    [("03-decimal-value-column.csv", "no bytes"), ("forms/q-decimal-bytes.txt", "--bytes decimal")],
)
def test_decimal_values_are_refused(name, words):
    with pytest.raises(BadFileError, match=words):
        open_capture(CASES / name)


def test_decimal_bytes_are_read_where_asked_for():
    capture = open_capture(CASES / "forms/q-decimal-bytes.txt", decimal=True)
    assert capture.messages.payload(0).hex().startswith("dd03001b0537000050ef6d60")


def test_the_order_is_that_of_the_file_where_times_are_missing():
    messages = open_capture(CASES / "06-order-without-times.txt").messages
    assert [messages.packets_of(row) for row in range(len(messages))] == [
        (1,), (2,), (3,), (4, 6, 7), (5,), (8,), (9,),
    ]  # fmt: skip


def test_notes_of_a_monitor_get_bluetooth_advice(capsys):
    assert info(CASES / "10-monitor-notes-only.btsnoop") == ExitCode.NO_DATA
    out = capsys.readouterr().out
    assert "notes of the Bluetooth recorder" in out
    assert "TCP" not in out


def test_decode_reads_vesc_frames_in_a_text(capsys):
    decode(CASES / "16-vesc-frames-as-text.txt")
    assert "Every reply to GET_VALUES is on the wire, whole, CRC right." in capsys.readouterr().out


#: Real log -> the beginnings of the messages in it; the others hold none.
LOGS = {
    "12-atorch-two-pieces.log": ["ff550102", "00000000"],
    "14-seplos-crc-equal-but-refused.log": ["00043414"],
    "16-topband-other-start.log": ["33353044", "30303030", "30303030", "30303030", "30354131"],
    "27-jbd-poll-too-fast.log": ["dd03001b"] * 6,
    "28-pylontech-two-masters.log": ["32303032", "32303033"] + ["32303032"] * 3 + ["32303033"] * 3,
    "30-jk-uart-pins-shared.log": ["4e570013"] * 5,
    "32-jk-bit-errors.log": ["4e57011b", "4e570013"],
    "33-daly-wrong-address.log": ["dda50500", "a5406308", "a5016308"],
    "37-seplos-wrong-pins.log": ["7e323030"],
    "41-socketcan-eagain.log": ["98500140"],
    "46-mppsolar-program-fault.log": ["a5809508"],
}


def test_real_logs_give_their_bytes_and_no_others():
    for path in sorted((SHARED / "causes").glob("*.log")):
        try:
            packets = open_capture(path).packets
        except BadFileError:
            assert path.name not in LOGS, path.name
            continue
        found = [packets.packet(row)[:4].hex() for row in range(len(packets))]
        assert found == LOGS.get(path.name), path.name
