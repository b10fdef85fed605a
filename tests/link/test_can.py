"""CAN: packs that only send, over the adapters that need no hardware; what goes wrong, in one line each."""

import asyncio
import contextlib
import os
import sys

import pytest

from packwire.address import can_address
from packwire.device import open_device
from packwire.errors import GoneError, MissingExtraError, PackwireError, Reason
from packwire.sim.by_name import simulation
from packwire.sim.model import ModelDevice
from packwire.sim.server import SimOptions

can = pytest.importorskip("can")

#: A public log of a battery at a MultiPlus; see the model's example.
FRAMES = {
    0x351: "43 02 e8 03 9e 07 d0 01",
    0x355: "3c 00 64 00 84 17 00 00",
    0x356: "61 14 d3 fe eb 00 1a 00",
    0x35A: "aa aa aa 02 aa aa aa 02",
}


@contextlib.asynccontextmanager
async def sending(channel, frames, *, extended=False, every=0.2):
    """Send frames on a virtual bus again and again."""
    bus = can.Bus(interface="virtual", channel=channel)

    async def send():
        while True:
            for number, data in frames.items():
                bus.send(
                    can.Message(arbitration_id=number, data=bytes.fromhex(data), is_extended_id=extended)
                )
            await asyncio.sleep(every)

    task = asyncio.create_task(send())
    try:
        yield bus
    finally:
        task.cancel()
        bus.shutdown()


def virtual(model, channel):
    return can_address(channel, model, interface="virtual")


async def test_a_pack_that_only_sends_is_read_when_each_message_came_once():
    async with sending("whole", FRAMES), open_device(virtual("victron-can", "whole")) as device:
        (sample,) = await device.read()
        values = sample.values
        assert (values["voltage"], values["current"], values["soc"]) == (52.17, -30.1, 60.2)
        assert (values["alarms"], values["warnings"]) == ("none", "none")
        assert device.remarks == ()
        (again,) = await device.read()
        assert again.time > sample.time


async def test_what_did_not_come_is_named():
    some = {number: FRAMES[number] for number in (0x351, 0x356)}
    async with sending("part", some), open_device(virtual("victron-can", "part")) as device:
        (sample,) = await device.read()
        assert sample.values["voltage"] == 52.17
        assert device.remarks == ("not heard: state (0x355)",)


async def test_devices_on_one_bus_are_nodes():
    voltage = "42 a7 d7 0a 00 00 00 00"  # 83.92 V as a float
    frames = {0x260A: voltage, 0x260B: voltage}
    async with sending("vescs", frames, extended=True):
        async with open_device(virtual("vesc-can", "vescs")) as device:
            assert [each.number for each in device.nodes] == [10, 11]
            for sample in await device.read():
                assert sample.values["voltage"] == pytest.approx(83.92)
        async with open_device(f"{virtual('vesc-can', 'vescs')}&address=11") as device:
            assert [each.number for each in device.nodes] == [11]


@pytest.mark.parametrize(
    "serial", [pytest.param(True, marks=pytest.mark.skipif(os.name == "nt", reason="pty")), False]
)
@pytest.mark.parametrize("name", ["pylontech-can", "victron-can", "vesc-can", "sma-hv-can"])
async def test_simulated_packs_by_slcan_and_by_socketcand(name, serial):
    async with simulation(name, SimOptions(serial=serial, speed=0, cells=16)) as sim:
        address = sim.serial_address if serial else sim.address
        assert address is not None
        assert isinstance(sim.device, ModelDevice)
        async with open_device(address) as device:
            (sample,) = await device.read()
            expected = sim.device.values()
            assert sample.values["voltage"] == pytest.approx(expected["voltage"], abs=0.11)
            assert sample.values["soc"] == pytest.approx(expected["soc"], abs=0.5)
            if name == "vesc-can":
                assert sample.values["cell_voltages"] == pytest.approx(expected["cell_voltages"], abs=0.002)


async def test_a_silent_bus_and_a_bus_of_others():
    with pytest.raises(PackwireError, match="no frame comes at 500000 bit/s"):
        async with open_device(virtual("victron-can", "silent")):
            pass
    async with sending("others", {0x123: "00 01"}):
        with pytest.raises(PackwireError, match="other messages; is it another model"):
            async with open_device(virtual("victron-can", "others")):
                pass


async def test_errors_alone_point_to_the_bit_rate():
    bus = can.Bus(interface="virtual", channel="errors")
    error = can.Message(arbitration_id=0x20, data=bytes(8), is_error_frame=True)

    async def send():
        while True:
            bus.send(error)
            await asyncio.sleep(0.1)

    task = asyncio.create_task(send())
    try:
        with pytest.raises(PackwireError, match=r"only error frames .* bit rate"):
            async with open_device(virtual("victron-can", "errors")):
                pass
    finally:
        task.cancel()
        bus.shutdown()


async def test_a_bus_that_goes_off_is_said():
    async with sending("off", FRAMES) as bus, open_device(virtual("victron-can", "off")) as device:
        await device.read()
        bus.send(can.Message(arbitration_id=0x40, data=bytes(8), is_error_frame=True))
        with pytest.raises(GoneError, match="is off: the controller saw too many errors") as caught:
            for _ in range(3):
                await device.read()
        assert "\n" not in str(caught.value)


@pytest.mark.skipif(not hasattr(__import__("socket"), "AF_CAN"), reason="no SocketCAN")
async def test_an_interface_that_is_not_there():
    with pytest.raises(PackwireError, match="ip link") as caught:
        async with open_device("can://can77?model=victron-can"):
            pass
    assert "\n" not in str(caught.value)


async def test_an_adapter_that_is_not_there():
    with pytest.raises(PackwireError, match="cannot be opened") as caught:
        async with open_device("can:///dev/ttyNOTHERE?model=victron-can&interface=slcan"):
            pass
    assert caught.value.reason in {Reason.NOT_THERE, Reason.NOT_ALLOWED}


async def test_an_adapter_whose_package_is_missing_is_said_to_be_that(monkeypatch):
    monkeypatch.setitem(sys.modules, "gs_usb", None)
    with pytest.raises(MissingExtraError, match="needs the Python module gs_usb"):
        async with open_device("can://x?model=victron-can&interface=gs_usb"):
            pass
