"""Simulated devices on the virtual air, met by unmodified bleak and aiobmsble."""

import asyncio

import bleak
import pytest
from aiobmsble.bms.jbd_bms import BMS
from bleak.exc import BleakDeviceNotFoundError

from packwire.sim.adapter import opened
from packwire.sim.bleak_bumble import installed
from packwire.sim.pack_values import pack_values

from .devices import ADDRESS, found, simulated


async def test_bleak_scans_a_simulated_pack(air):
    async with simulated(air):
        seen = await bleak.BleakScanner.discover(0.3, return_adv=True)
        ((device, advertisement),) = seen.values()
        assert (device.address, device.name, advertisement.rssi) == (ADDRESS, "JBD-SP04S034", -55)
        assert advertisement.service_uuids == ["0000ff00-0000-1000-8000-00805f9b34fb"]


async def test_aiobmsble_reads_what_the_simulated_pack_measures(air):
    async with simulated(air) as sim:
        async with BMS(await found()) as bms:
            sample = await bms.async_update()
            info = await bms.device_info()
        expected = pack_values(sim.vehicle)
        assert info["hw_version"] == expected["hardware"]
        assert sample["voltage"] == pytest.approx(expected["voltage"], abs=0.01)
        assert sample["current"] == pytest.approx(expected["current"], abs=0.01)
        assert sample["battery_level"] == expected["soc"]
        assert sample["cell_voltages"] == pytest.approx(list(expected["cell_voltages"]), abs=0.001)
        assert [each.value for each in sample["temp_values"]] == pytest.approx(
            list(expected["temperatures"]), abs=0.1
        )
        assert sample["cycles"] == expected["cycles"]


async def test_who_is_not_there_is_not_found_and_the_next_connection_works(air):
    async with simulated(air):
        device = await found()
        with pytest.raises(BleakDeviceNotFoundError):
            await bleak.BleakClient("00:11:22:33:44:55", timeout=0.3).connect()
        absent = bleak.backends.device.BLEDevice("00:11:22:33:44:55", None, device.details)
        absent.details = type(device.details)("00:11:22:33:44:55")
        with pytest.raises(TimeoutError):
            await bleak.BleakClient(absent, timeout=0.2).connect()
        async with bleak.BleakClient(device) as client:
            assert client.is_connected


async def test_a_link_that_breaks_is_told_to_both(air):
    async with simulated(air) as sim:
        gone = asyncio.Event()
        client = bleak.BleakClient(await found(), disconnected_callback=lambda _: gone.set())
        await client.connect()
        await sim.bluetooth.peripheral.break_link()
        await asyncio.wait_for(gone.wait(), 2)
        assert not client.is_connected
        async with bleak.BleakClient(await found()) as again:  # it advertises again
            assert again.is_connected


async def test_while_one_client_is_connected_another_one_finds_nothing(air):
    async with simulated(air):
        async with bleak.BleakClient(await found()):
            assert await bleak.BleakScanner.discover(0.3) == []


async def test_another_process_reaches_it_by_an_adapter():
    async with simulated(None) as sim:
        assert sim.bluetooth
        for _ in range(2):  # the first one leaves without a word
            async with opened(sim.bluetooth.adapter) as central:
                with installed(central):
                    bms = BMS(await found())
                    assert (await bms.async_update())["cell_count"] == 4
