"""Real recordings: the packets that tshark finds, the messages that a look at the text shows."""

import gzip
import subprocess
from pathlib import Path

import pytest

from packwire.capture import open_capture
from packwire.capture.packets import HCI_NOTE
from tests.shared_data import CAPTURES, needs_captures, needs_tshark

BLUETOOTH = sorted((CAPTURES / "ble").glob("*.*")) if CAPTURES.exists() else []
#: File -> packets, first bytes of the last one.
TEXTS = {
    "android-bugreport-btsnooz-section.txt": (210, "04"),
    "braun-power_nRFConnect_BMS_BLE-HA-303.nrfconnect.txt": (4, "7b0816"),
    "daly-mos-temp_BMS_BLE-HA-55.hex.txt": (3, "d20312"),
    "daly-p81_nRFConnect_BMS_BLE-HA-806.nrfconnect.txt": (6, "510380"),
    "jk_HAdebug_TX_BMS_BLE-HA-768.log": (1, "aa5590eb97"),
    "pace-25_uart_debug_esphome-pace-24.log": (2, "7e3235"),
    "supervolt-jbd_HAdebug_BMS_BLE-HA-22.log": (2, "dd040008"),
    "vesc-can_bldc-422.canlog.txt": (10, "8000055f03000000230000"),
    "victron-can_candump_esphome-virtual-can-bms-3.candump.txt": (28, "0000037608000000"),
}

pytestmark = needs_captures


@needs_tshark
@pytest.mark.parametrize("path", BLUETOOTH, ids=lambda path: path.name)
def test_bluetooth_files_hold_the_packets_that_tshark_finds(path: Path):
    fields = ["frame.time_epoch", "frame.len", "hci_h4.direction", "frame.protocols"]
    command = ["tshark", "-r", str(path), "-T", "fields", *(part for name in fields for part in ("-e", name))]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    expected = [line.split("\t") for line in output.splitlines()]
    packets = open_capture(path).packets
    assert packets.damage == ()
    assert len(packets) == len(expected)
    assert packets.time.tolist() == [int(row[0].replace(".", "").ljust(19, "0")) for row in expected]
    if path.suffix == ".btsnoop":
        assert packets.size.tolist() == [int(row[1]) for row in expected]
        assert packets.direction.tolist() == [-1 if int(row[2], 0) else 1 for row in expected]
    else:
        # tshark counts the type as the packet's first byte.
        assert packets.size.tolist() == [int(row[1]) - 1 for row in expected]
        assert (packets.link_type != HCI_NOTE).tolist() == [":bthci_" in row[3] for row in expected]


@pytest.mark.parametrize("name", TEXTS)
def test_texts_hold_what_a_look_at_them_shows(name):
    count, last = TEXTS[name]
    packets = open_capture(CAPTURES / "text" / name).packets
    assert len(packets) == count
    assert packets.packet(count - 1).hex().startswith(last)
    assert [line for line in packets.damage if "no bytes" in line] == []


def test_every_text_is_tested():
    assert {path.name for path in (CAPTURES / "text").iterdir() if path.suffix != ".json"} == set(TEXTS)


@pytest.mark.parametrize(
    "path", [*BLUETOOTH, *(CAPTURES / "text" / name for name in TEXTS)], ids=lambda path: path.name
)
def test_packed_they_hold_the_same(path: Path, tmp_path):
    packed = tmp_path / "packed"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    plain, unpacked = open_capture(path).packets, open_capture(packed).packets
    assert unpacked.time.tolist() == plain.time.tolist()
    assert unpacked.packet(len(plain) - 1) == plain.packet(len(plain) - 1)
