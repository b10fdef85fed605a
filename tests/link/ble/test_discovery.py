"""Who is in the air, who is meant, and why nobody is found."""

import asyncio

import pytest
from bleak.exc import (
    BleakBluetoothNotAvailableError,
    BleakBluetoothNotAvailableReason,
    BleakDBusError,
    BleakError,
)

from packwire.errors import BadAddressError, Reason, UnreachableError
from packwire.link.ble import discovery, failures
from packwire.link.ble.discovery import find, scan
from tests.link.ble.fake_air import JBD_SERVICE, Pack, installed, jbd_pack

IN_PROGRESS = BleakDBusError("org.bluez.Error.InProgress", ["Operation already in progress"])


async def test_all_that_is_in_the_air_the_strongest_first():
    with installed(jbd_pack(), Pack("AA:00:00:00:00:02", "near", -40), Pack("AA:00:00:00:00:03", "", -90)):
        seen = [each.advertisement for each in await scan(0.05)]
    assert [(each.name, each.rssi) for each in seen] == [("near", -40), ("JBD-SP15S004", -61), ("", -90)]
    assert seen[1].service_uuids == (JBD_SERVICE,)


@pytest.mark.parametrize("target", ["A4:C1:38:00:00:01", "JBD-SP15S004"])
async def test_a_device_by_its_address_or_its_name(target):
    with installed(Pack("AA:00:00:00:00:02", "other"), jbd_pack()):
        found = await find(target, timeout=1)
    assert found.device.address == "A4:C1:38:00:00:01"


async def test_of_two_with_one_name_the_stronger():
    with installed(Pack("AA:00:00:00:00:02", "twin", -70), Pack("AA:00:00:00:00:03", "twin", -50)):
        await asyncio.sleep(0)
        found = await find("twin", enough=lambda _: False, timeout=0.2)
    assert found.device.address == "AA:00:00:00:00:03"


async def test_a_name_that_comes_in_the_scan_response_is_waited_for():
    with installed(jbd_pack(late_name=0.1)):
        early = await find("A4:C1:38:00:00:01", timeout=1)
        late = await find("A4:C1:38:00:00:01", enough=lambda seen: bool(seen.name), timeout=1)
    assert (early.advertisement.name, late.advertisement.name) == ("", "JBD-SP15S004")


async def test_a_name_that_never_comes_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(discovery, "GRACE", 0.05)
    with installed(jbd_pack(late_name=30)):
        found = await find("A4:C1:38:00:00:01", enough=lambda seen: bool(seen.name), timeout=5)
    assert found.advertisement.name == ""


async def test_who_is_not_there_is_said_with_who_is():
    others = [Pack(f"AA:00:00:00:00:{number:02}", f"pack {number}", -40 - number) for number in range(8)]
    with installed(*others), pytest.raises(UnreachableError) as caught:
        await find("A4:C1:38:00:00:01", timeout=0.05)
    assert caught.value.reason is Reason.NOT_THERE
    assert "seen were pack 0 (-40 dBm), pack 1 (-41 dBm)" in str(caught.value)
    assert "and 3 more" in str(caught.value)


async def test_a_name_with_control_characters_does_no_harm():
    with installed(Pack(name="\x1b[2Jevil")), pytest.raises(UnreachableError) as caught:
        await find("other", timeout=0.05)
    assert str(caught.value).isprintable()


async def test_anybody_may_be_any_number_of_devices(monkeypatch):
    monkeypatch.setattr(discovery, "MOST_SEEN", 3)
    with installed(*(Pack(f"AA:00:00:00:00:{number:02}") for number in range(9))):
        assert len(await scan(0.05)) == 3


async def test_another_program_that_scans_is_waited_for(monkeypatch):
    monkeypatch.setattr(discovery, "_BUSY_PAUSE", 0.01)
    with installed(jbd_pack()) as air:
        air.scan_error = [IN_PROGRESS, IN_PROGRESS]
        assert await scan(0.05)
        air.scan_error = [IN_PROGRESS] * 9
        with pytest.raises(UnreachableError, match="another program") as caught:
            await scan(0.05)
    assert caught.value.reason is Reason.BUSY


def unavailable(reason):
    return BleakBluetoothNotAvailableError("said", BleakBluetoothNotAvailableReason[reason])


@pytest.mark.parametrize(
    ("error", "reason", "words"),
    [
        (FileNotFoundError(2, "No such file"), Reason.NO_BLUETOOTH, "D-Bus"),
        (ConnectionRefusedError(111, "refused"), Reason.NO_BLUETOOTH, "D-Bus"),
        (PermissionError(13, "denied"), Reason.NOT_ALLOWED, "may not use"),
        (unavailable("NO_BLUETOOTH"), Reason.NO_BLUETOOTH, "no Bluetooth adapter"),
        (unavailable("NO_BLE_CENTRAL_ROLE"), Reason.NO_BLUETOOTH, "cannot do Low Energy"),
        (unavailable("POWERED_OFF"), Reason.POWERED_OFF, "off"),
        (unavailable("DENIED_BY_USER"), Reason.NOT_ALLOWED, "privacy settings"),
        (unavailable("DENIED_BY_SYSTEM"), Reason.NOT_ALLOWED, "refuses"),
        (unavailable("DENIED_BY_UNKNOWN"), Reason.NOT_ALLOWED, "privacy settings"),
        (unavailable("UNKNOWN"), Reason.NO_BLUETOOTH, "said"),
        (
            BleakDBusError("org.freedesktop.DBus.Error.ServiceUnknown", ["x"]),
            Reason.NO_BLUETOOTH,
            "systemctl start bluetooth",
        ),
        (
            BleakDBusError("org.freedesktop.DBus.Error.AccessDenied", ["x"]),
            Reason.NOT_ALLOWED,
            "group bluetooth",
        ),
        (BleakDBusError("org.bluez.Error.NotReady", ["x"]), Reason.POWERED_OFF, "restarts"),
        (EOFError(), Reason.CLOSED, "restart"),
        (TimeoutError(), Reason.TIMED_OUT, "in time"),
        (BleakError("adapter 'hci7' not found"), Reason.NO_BLUETOOTH, "no adapter hci7"),
    ],
)
async def test_no_bluetooth_is_one_plain_line(error, reason, words):
    with installed() as air, pytest.raises(UnreachableError, match=words) as caught:
        air.scan_error = [error]
        await scan(0.01, "hci7")
    assert caught.value.reason is reason
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("soft", "hard", "words"),
    [("1", "0", "rfkill unblock"), ("0", "1", "hardware"), ("0", "0", "turn it on")],
)
async def test_what_switched_it_off(tmp_path, monkeypatch, soft, hard, words):
    monkeypatch.setattr(failures, "RFKILL", tmp_path)
    switch = tmp_path / "rfkill0"
    switch.mkdir()
    for name, text in (("type", "bluetooth"), ("soft", soft), ("hard", hard)):
        (switch / name).write_text(text + "\n")
    with installed() as air, pytest.raises(UnreachableError, match=words):
        air.scan_error = [unavailable("POWERED_OFF")]
        await scan(0.01)


async def test_an_adapter_of_a_simulator_is_none_of_the_systems():
    with pytest.raises(BadAddressError, match="no adapter of this system"):
        await scan(0.01, "tcp-client:127.0.0.1:7000")
