"""What is wrong with a simulated Bluetooth device, as bleak and aiobmsble meet it."""

import asyncio

import bleak
import pytest
from aiobmsble.basebms import BaseBMS
from aiobmsble.bms.jbd_bms import BMS
from bleak.exc import BleakError

from .devices import ADDRESS, found, simulated


@pytest.fixture(autouse=True)
def _no_patience(monkeypatch):
    monkeypatch.setattr(BaseBMS, "_RETRY_TIMEOUT", 0.1)


async def sample():
    async with BMS(await found()) as bms:
        return await bms.async_update()


@pytest.mark.parametrize("fault", ["silence:0", "corrupt:1", "truncate:1", "lost-notifications:2", "pairing"])
async def test_nothing_right_comes_back(air, fault):
    async with simulated(air, faults=(fault,)):
        with pytest.raises((TimeoutError, BleakError)):
            await sample()


@pytest.mark.parametrize(
    "fault",
    [
        "split:3,0.001",
        "delay:0.05",
        "corrupt:4",
        "other-write-type",
        "mtu:23",
        "mtu:247",
        "lost-notifications:5",
    ],
)
async def test_it_is_read_all_the_same(air, fault):
    async with simulated(air, faults=(fault,)):
        assert (await sample())["cell_count"] == 4


async def test_an_mtu_holds_for_both(air):
    async with simulated(air, faults=("mtu:33",)), bleak.BleakClient(await found()) as client:
        assert client.mtu_size == 33
        with pytest.raises(BleakError):
            await client.write_gatt_char("ff02", bytes(31), response=False)


async def test_a_second_client_keeps_everybody_out_until_it_goes(air):
    async with simulated(air, faults=("second-client",)) as sim:
        assert await bleak.BleakScanner.find_device_by_address(ADDRESS, 0.3) is None
        sim.faults.cancel("second-client")
        await sample()


async def test_a_link_breaks_again_and_again(air):
    async with simulated(air, faults=("link-loss:1",)):  # time enough to connect
        for _ in range(2):
            gone = asyncio.Event()

            def left(_client, gone=gone):
                gone.set()

            async with bleak.BleakClient(await found(), left):
                await asyncio.wait_for(gone.wait(), 30)


async def test_a_weak_signal_is_heard_as_such(air):
    async with simulated(air, faults=("weak-signal:-91",)) as sim:
        ((_, seen),) = (await bleak.BleakScanner.discover(0.3, return_adv=True)).values()
        assert seen.rssi == -91
        sim.faults.order("weak-signal:-40")
        ((_, seen),) = (await bleak.BleakScanner.discover(0.3, return_adv=True)).values()
        assert seen.rssi == -40


async def test_other_services_are_not_the_models(air):
    async with simulated(air, faults=("other-services",)), bleak.BleakClient(await found()) as client:
        assert client.services.get_service("ff00") is None
        assert client.services.get_service("6e400001-b5a3-f393-e0a9-e50e24dcca9e")


async def test_a_dead_cell_reads_0_v_and_aiobmsble_loses_it(air):
    async with simulated(air, faults=("dead-cell:2",)) as sim:
        said = await sample()
        cells = sim.device.values()["cell_voltages"]
        assert (len(cells), cells[1]) == (4, 0)
        assert (said["cell_count"], len(said["cell_voltages"])) == (4, 3)


async def test_frozen_values_stay_while_the_pack_lives_on(air):
    async with simulated(air, faults=("frozen-bms",), scenario="ride") as sim:
        before = await sample()
        sim.advance(20)
        assert await sample() == before
        sim.faults.cancel("frozen-bms")
        assert await sample() != before
