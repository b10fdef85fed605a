"""What BlueZ does to a program, on a private D-Bus: bleak's own back end is in use, and only BlueZ is ours."""

import asyncio
import sys
import tempfile
from pathlib import Path

import pytest

from packwire.device import open_device
from packwire.device.follow import Outage, Reading, follow
from packwire.device.open import Observers
from packwire.errors import GoneError, Reason, UnreachableError
from packwire.link.ble import adapters, discovery, observed
from packwire.link.ble.discovery import find, scan
from tests.link.ble.fake_bluez import FakeBlueZ, needs_daemon, power, private_bus
from tests.link.ble.test_link import Log

pytestmark = [
    needs_daemon,
    pytest.mark.skipif(sys.platform != "linux", reason="BlueZ is Linux's"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
URL = "ble://A4:C1:38:00:00:01"


@pytest.fixture
async def bluez(monkeypatch):
    monkeypatch.setattr(observed, "ATTEMPTS", 2)
    with tempfile.TemporaryDirectory() as folder:
        async with private_bus(Path(folder)) as address:
            monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", address)
            async with FakeBlueZ(address) as service:
                yield service


@pytest.mark.parametrize("option", ["", "?model=jbd", "?adapter=hci0"])
async def test_a_pack_is_found_and_read(bluez, option):
    async with open_device(URL + option) as device:
        (sample,) = await device.read()
        assert sample.values["voltage"] == 13.32
        assert device.name == "JBD-SP15S004"


async def test_the_handles_of_values_are_those_of_the_air(bluez):
    log = Log()
    async with open_device(URL, observers=Observers(gatt=(log,))) as device:
        await device.read()
    assert {each.handle for each in log.all if each.value[:1] == b"\xdd"} == {0x12, 0x15}
    assert log.mtu == 23


async def test_a_device_that_this_computer_holds_already_is_used(bluez):
    bluez.advertises = False
    bluez.add_device(connected=True)
    found = await find("A4:C1:38:00:00:01", timeout=1)
    assert found.connected
    async with open_device(URL) as device:
        assert (await device.read())[0].values["voltage"] == 13.32
    assert "Connect" not in bluez.calls


async def test_a_phantom_connection_is_ended_and_made_anew(bluez, monkeypatch):
    monkeypatch.setattr("aiobmsble.basebms.BaseBMS._RETRY_TIMEOUT", 0.01)
    bluez.advertises = bluez.notifies = False
    bluez.add_device(connected=True)
    usual = bluez.drop

    def revive():
        usual()
        bluez.advertises = bluez.notifies = True

    bluez.drop = revive
    reasons, silent = [], 0
    async with asyncio.timeout(90):
        async for event in follow(lambda: open_device(URL), 0.05):
            if isinstance(event, Outage):
                reasons.append(event.error.reason)
            elif isinstance(event, Reading):
                if "voltage" in event.samples[0].values:
                    break
                silent += 1
    assert reasons == [Reason.FELL_SILENT]
    assert silent == 2
    assert bluez.calls.count("Connect") == 1


async def test_in_progress_is_waited_for(bluez, monkeypatch):
    monkeypatch.setattr(discovery, "_BUSY_PAUSE", 0.01)
    bluez.errors = {
        "StartDiscovery": ["org.bluez.Error.InProgress"],
        "Connect": ["org.bluez.Error.InProgress"],
    }
    async with open_device(URL) as device:
        assert await device.read()
    bluez.errors = {"StartDiscovery": ["org.bluez.Error.InProgress"] * 9}
    with pytest.raises(UnreachableError, match="another program") as caught:
        await scan(0.1)
    assert caught.value.reason is Reason.BUSY


async def test_an_adapter_that_hangs_is_restarted_where_that_is_allowed(bluez, monkeypatch):
    monkeypatch.setattr(discovery, "_BUSY_PAUSE", 0.01)
    monkeypatch.setattr(adapters, "_OFF", 0.01)
    hangs = ["org.bluez.Error.InProgress"] * discovery._BUSY_TRIES
    bluez.errors = {"StartDiscovery": [*hangs]}
    with pytest.raises(UnreachableError, match="another program"):
        async with open_device(URL):
            pass
    assert "Set" not in bluez.calls
    bluez.errors = {"StartDiscovery": [*hangs]}
    async with open_device(f"{URL}?reset") as device:
        assert await device.read()
        assert device.remarks[0] == "the Bluetooth adapter hci0 gave no scan, and was switched off and on"
    assert bluez.calls.count("Set") == 2
    # One that hangs still is no loop.
    bluez.errors = {"StartDiscovery": hangs * 2}
    with pytest.raises(UnreachableError, match="another program"):
        async with open_device(f"{URL}?reset"):
            pass
    assert bluez.calls.count("Set") == 4
    bluez.errors = {"StartDiscovery": [*hangs], "Set": ["org.freedesktop.DBus.Error.AccessDenied"]}
    with pytest.raises(UnreachableError, match="may not use Bluetooth"):
        async with open_device(f"{URL}?reset"):
            pass


async def test_who_ends_a_restart_is_not_left_without_bluetooth(bluez, monkeypatch):
    monkeypatch.setattr(adapters, "_OFF", 60.0)
    restarting = asyncio.create_task(adapters.restart())
    async with asyncio.timeout(90):
        while (await adapters.adapters())[0].powered:
            await asyncio.sleep(0.01)
    restarting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await restarting
    assert (await adapters.adapters())[0].powered


@pytest.mark.parametrize(
    ("member", "error", "reason"),
    [
        ("StartDiscovery", "org.bluez.Error.NotReady", Reason.POWERED_OFF),
        ("StartDiscovery", "org.freedesktop.DBus.Error.AccessDenied", Reason.NOT_ALLOWED),
        ("Connect", "org.bluez.Error.AuthenticationFailed", Reason.NOT_PAIRED),
        ("Connect", "org.bluez.Error.Failed", Reason.OUT_OF_RANGE),
        ("StartNotify", "org.bluez.Error.NotPermitted: Notify acquired", Reason.BUSY),
        ("StartNotify", "org.bluez.Error.NotPermitted: Write not permitted", Reason.CLOSED),
        ("StartNotify", "org.bluez.Error.NotAuthorized", Reason.NOT_PAIRED),
    ],
)
async def test_what_bluez_refuses_is_one_plain_line(bluez, member, error, reason):
    bluez.errors = {member: [error] * 20}
    with pytest.raises((UnreachableError, GoneError)) as caught:
        async with open_device(f"{URL}?model=jbd"):
            pass
    assert caught.value.reason is reason
    assert len(str(caught.value).splitlines()) == 1


async def test_an_adapter_that_is_off_or_gone(bluez):
    power(bluez, on=False)
    with pytest.raises(UnreachableError) as caught:
        await scan(0.1)
    assert caught.value.reason is Reason.POWERED_OFF
    power(bluez, on=True)
    with pytest.raises(UnreachableError, match="no adapter hci7"):
        await scan(0.1, "hci7")
    bluez.unplug()
    await asyncio.sleep(0.05)
    with pytest.raises(UnreachableError, match="no Bluetooth adapter") as caught:
        await scan(0.1)
    assert caught.value.reason is Reason.NO_BLUETOOTH


async def test_no_bluetoothd(bluez):
    await bluez.bus.release_name("org.bluez")
    with pytest.raises(UnreachableError, match="systemctl start bluetooth") as caught:
        await scan(0.1)
    assert caught.value.reason is Reason.NO_BLUETOOTH


async def followed(bluez, happens, readings=3):
    """Follow a pack; let something happen after the first reading. Return the outages' reasons."""
    reasons, seen = [], 0
    async with asyncio.timeout(90):
        async for event in follow(lambda: open_device(URL), 0.05):
            if isinstance(event, Outage):
                reasons.append(event.error.reason)
            elif isinstance(event, Reading):
                seen += 1
                if seen == 1:
                    happens()
                if seen == readings:
                    return reasons
    raise AssertionError


async def test_a_peer_that_vanishes_comes_back(bluez):
    assert await followed(bluez, bluez.drop) == [Reason.CLOSED]


async def test_an_adapter_that_is_restarted_comes_back(bluez):
    def restart():
        bluez.unplug()
        asyncio.get_running_loop().call_later(0.7, bluez.plug_in)

    reasons = await followed(bluez, restart)
    assert reasons[0] is Reason.CLOSED
    assert set(reasons) <= {Reason.CLOSED, Reason.NO_BLUETOOTH, Reason.POWERED_OFF}


async def test_notifications_that_fall_silent_are_followed_by_a_new_connection(bluez, monkeypatch):
    monkeypatch.setattr("aiobmsble.basebms.BaseBMS._RETRY_TIMEOUT", 0.01)

    def fall_silent():
        bluez.notifies = False
        asyncio.get_running_loop().call_later(0.6, setattr, bluez, "notifies", True)

    reasons = await followed(bluez, fall_silent, readings=8)
    assert set(reasons) <= {Reason.FELL_SILENT}
    assert bluez.calls.count("Connect") == 1 + len(reasons)
