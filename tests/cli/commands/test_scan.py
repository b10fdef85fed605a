"""What a scan shows: packs in the air with who reads them, and why there is no air."""

import json

import pytest
from bleak.exc import BleakBluetoothNotAvailableError, BleakBluetoothNotAvailableReason

from packwire.address import LinkKind
from packwire.cli.commands.scan import scan
from packwire.cli.views.finds import lines
from packwire.link.scan import Find
from tests.link.ble.fake_air import Pack, installed, jbd_pack

URL = "ble://A4:C1:38:00:00:01"
JK = Pack("C8:47:8C:00:00:02", "JK_B2A24S", -82, ("0000ffe0-0000-1000-8000-00805f9b34fb",))
JK_DATA = {0x0B65: bytes.fromhex("88a0c8478c000002")}


@pytest.fixture(autouse=True)
def _no_serial_ports(monkeypatch):
    monkeypatch.setattr("packwire.link.scan.list_ports", list)


def scanned(capsys, *packs, error=None, **options):
    with installed(*packs) as air:
        air.scan_error = [error] if error else []
        code = scan(for_=0.1, udp_port=45_117, **options)
    return code, capsys.readouterr()


def test_packs_who_reads_them_and_what_to_type(capsys):
    jk = Pack(JK.address, JK.name, JK.rssi, JK.uuids, dict(JK_DATA))
    code, said = scanned(capsys, jbd_pack(), jk, Pack("55:44:33:00:00:03", "xBMS-77", -55, ()))
    first, second, third = said.out.splitlines()
    assert code == 0
    assert first.split("  ")[0] == "Bluetooth"
    assert "JBD-SP15S004  -61 dBm  JBD (aiobmsble, model jbd)" in first
    assert first.endswith("packwire read ble://A4:C1:38:00:00:01")
    assert "aiobmsble" in second
    assert "weak: connections may break" in second
    assert "nobody's" in third
    assert third.endswith("packwire explore ble://55:44:33:00:00:03")


def test_for_scripts(capsys):
    code, said = scanned(capsys, jbd_pack(), Pack("55:44:33:00:00:03", "\x1b[2J", -90, ()), json=True)
    one, other = map(json.loads, said.out.splitlines())
    assert code == 0
    assert one == {
        "version": one["version"],
        "kind": "find",
        "link": "ble",
        "address": "ble://A4:C1:38:00:00:01",
        "description": "JBD-SP15S004 JBD",
        "command": "packwire read ble://A4:C1:38:00:00:01",
        "name": "JBD-SP15S004",
        "rssi": -61,
        "weak": False,
        "models": ["jbd"],
        "aiobmsble": "jbd_bms",
    }
    assert (other["weak"], other["models"], other["aiobmsble"]) == (True, [], None)
    assert "\x1b" not in said.out


def test_a_vesc_over_the_nordic_uart(capsys):
    uart = "6e400001-b5a3-f393-e0a9-e50e24dcca9e"
    _, said = scanned(capsys, Pack("AA:00:00:00:00:09", "VESC BLE UART", -50, (uart,)))
    assert "VESC (model vesc)" in said.out


def test_strangers_without_a_name_are_counted(capsys):
    strangers = [Pack(f"AA:00:00:00:00:{number:02}", "", -50, ()) for number in range(12)]
    _, said = scanned(capsys, jbd_pack(), *strangers)
    assert "and 12 more devices that nobody knows: --all shows them" in said.out
    _, said = scanned(capsys, jbd_pack(), *strangers, all_=True)
    assert len(said.out.splitlines()) == 13


def test_no_bluetooth_is_said_with_the_reason(capsys):
    error = BleakBluetoothNotAvailableError("x", BleakBluetoothNotAvailableReason.NO_BLUETOOTH)
    code, said = scanned(capsys, error=error)
    assert code == 7
    assert "no Bluetooth here: there is no Bluetooth adapter" in said.err
    assert "Nothing found" in said.out


def test_what_does_not_fit_stands_on_two_lines():
    finds = [
        Find(LinkKind.BLE, URL, "", "A4:C1:38:00:00:01", "N" * 200, "JBD", -61),
        Find(LinkKind.SERIAL, "serial:/dev/ttyACM0", "", "/dev/ttyACM0", "VESC"),
    ]
    shown = list(lines(finds, 80, everything=True))
    assert max(line.cell_len for line in shown) <= 80
    assert shown[1].plain.strip() == "packwire read ble://A4:C1:38:00:00:01"
    assert shown[2].plain.split() == [
        "Serial",
        "/dev/ttyACM0",
        "VESC",
        "packwire",
        "read",
        "serial:/dev/ttyACM0",
    ]


def test_a_name_that_a_shell_would_take_apart_is_quoted():
    find = Find(LinkKind.BLE, "ble://x?adapter=tcp-client:127.0.0.1:1", "", speaks="JBD")
    assert find.command == "packwire read 'ble://x?adapter=tcp-client:127.0.0.1:1'"
