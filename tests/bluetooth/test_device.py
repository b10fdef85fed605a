"""What a simulated device does beyond one answer a request: logins, streams, keep-alives, switches."""

import asyncio
from dataclasses import replace
from typing import Any

import bleak
import pytest
from aiobmsble import BMSConfig
from aiobmsble.basebms import BaseBMS
from aiobmsble.bms.jbd_bms import BMS

from packwire.device import open_device
from packwire.errors import PackwireError, Reason, WrongPinError
from packwire.models.load import model
from packwire.models.protocol import ModelProtocol
from packwire.models.recognition import read_uuid
from packwire.sim.faults import Faults
from packwire.sim.model import ModelDevice, SimulatedModel
from packwire.sim.radio import BluetoothOptions
from packwire.sim.server import SimOptions
from packwire.sim.vehicle import Vehicle

from .devices import found, simulated


@pytest.fixture(autouse=True)
def _no_patience(monkeypatch):
    monkeypatch.setattr(BaseBMS, "_RETRY_TIMEOUT", 0.1)


def attached(name, **options):
    """Return a device, a port of it, and what that sent."""
    device = ModelDevice(model(name), Vehicle(cells=8, soc=0.5), Faults(**options))
    port: Any = device.port("test")
    sent: list[Any] = []
    port.attach(sent.append, lambda: sent.append(None))
    return device, port, sent


async def test_a_right_pin_opens_and_a_wrong_one_is_said(air):
    async with simulated(air, faults=("pin:123456",)):
        device = await found()
        with pytest.raises(TimeoutError):
            async with BMS(device) as bms:
                await bms.async_update()
        wrong = BMS(device, BMSConfig(secret="654321"))
        with pytest.raises(PermissionError):
            await wrong.async_update()
        await wrong.disconnect()  # it does not do so itself
        async with BMS(device, BMSConfig(keep_alive=True, secret="123456")) as bms:
            assert (await bms.async_update())["cell_count"] == 4


@pytest.mark.parametrize("by_model", ["", "jbd"])
async def test_packwire_logs_in_too(air, by_model):
    async with simulated(air, faults=("pin:123456",)) as sim:
        address = replace(sim.bluetooth.url, model=by_model)
        with pytest.raises(PackwireError) as wrong:
            async with open_device(replace(address, pin="654321"), timeout=0.3) as device:
                await device.read()
        assert wrong.value.reason is Reason.WRONG_PASSWORD
        assert "654321" not in str(wrong.value)
        async with open_device(address, timeout=0.3, tries=1) as device:
            (sample,) = await device.read()
            assert not sample.values
            assert "PIN" in sample.reason + " ".join(device.remarks)
        async with open_device(replace(address, pin="123456")) as device:
            (sample,) = await device.read()
            assert sample.values["cell_count"] == 4


@pytest.mark.parametrize("pin", ["", "4321"])
@pytest.mark.parametrize("by_model", ["", "x123smart"])
async def test_who_refuses_all_before_its_pin_is_said_to_want_it(air, by_model, pin):
    async with simulated(air, "x123smart", faults=("pin:1234",)) as sim:
        address = replace(sim.bluetooth.url, model=by_model, pin=pin)
        with pytest.raises(WrongPinError, match="PIN") as wrong:
            async with open_device(address):
                pass
        assert "4321" not in str(wrong.value)
        async with open_device(replace(address, pin="1234")) as device:
            (sample,) = await device.read()
            assert sample.values["soc"]


def test_a_login_ends_with_its_client():
    device, port, sent = attached("jbd", faults=("pin:123456",))
    login, basic = (device.protocol.asked_by_name[name] for name in ("login", "basic info"))
    for _ in range(2):
        port.received(basic.payload)
        assert sent.pop()[2] == 0x80, "it refuses"
        port.received(login.template.frame({"pin": "123456"}))
        assert sent.pop() == bytes.fromhex("ff aa 15 01 00 16")
        port.received(basic.payload)
        assert sent.pop()[2] == 0
        port.detach()
        port.attach(sent.append, lambda: None)


def test_a_switch_is_set_confirmed_and_read_back():
    device, port, sent = attached("jbd")
    (switch,) = device.protocol.switches
    port.received(switch.template.frame({"value": 2}))
    assert device.protocol.reply_of(sent.pop()).name == "switched"
    assert device.switched == {switch.name: 2}
    port.received(device.protocol.asked_by_name["basic info"].payload)
    values = device.protocol.values(sent.pop())
    assert values["charge_enabled"] is True
    assert values["discharge_enabled"] is False


async def test_a_jk_streams_once_it_was_asked(air):
    async with simulated(air, "jk02", cells=8, speed=1, scenario="ride") as sim:
        async with open_device(replace(sim.bluetooth.url, model="jk02")) as device:
            (first,) = await device.read()
            asked = device.statistics.requests
            await asyncio.sleep(1.6)
            (second,) = await device.read()
            assert device.statistics.requests == asked, "nothing is asked again"
            assert second.values["voltage"] != first.values["voltage"]


@pytest.mark.parametrize(
    ("software", "cells", "temperatures"), [("10.07", 24, 2), ("11.02", 32, 3), ("15.1", 32, 4)]
)
async def test_each_layout_of_jk02(air, software, cells, temperatures):
    content = dict(model("jk02").content)
    content["simulated"] = content["simulated"] | {
        "device info": content["simulated"]["device info"]
        | {"firmware": software, "software": int(software.partition(".")[0])}
    }
    protocol = ModelProtocol(content)
    options = SimOptions(cells=cells, speed=0, soc=0.5, bluetooth=BluetoothOptions(air=air))
    async with SimulatedModel(protocol, options) as sim:
        assert sim.bluetooth
        samples: list[Any] = []
        for by_model in ("", "jk02"):
            async with open_device(replace(sim.bluetooth.url, model=by_model)) as device:
                samples += await device.read()
        theirs, ours = (sample.values for sample in samples)
        assert len(ours["cell_voltages"]) == cells
        assert ours["cell_voltages"] == pytest.approx(theirs["cell_voltages"])
        assert len(ours["temperatures"]) == temperatures
        assert ours["temperatures"] == pytest.approx(theirs["temperatures"])
        assert ours["voltage"] == pytest.approx(theirs["voltage"])


@pytest.mark.parametrize(("name", "at", "byte"), [("tdt", 0, 0x1E), ("ecoworthy", 7, 0x14)])
async def test_a_device_that_takes_other_requests_is_asked_so_from_then_on(air, name, at, byte):
    async with simulated(air, name) as sim:
        asked, answer = [], sim.device.request

        def request(port, payload):
            asked.append(payload[at])
            if payload[at] == byte:
                answer(port, payload)

        sim.device.request = request
        async with open_device(replace(sim.bluetooth.url, model=name), timeout=0.3) as device:
            (sample,) = await device.read()
            assert sample.values["voltage"] == pytest.approx(sim.device.values()["voltage"], abs=0.01)
            assert set(asked) > {byte}
            asked.clear()
            (sample,) = await device.read()
            assert sample.values["soh"]
            assert set(asked) <= {byte}


async def test_a_device_is_unlocked_before_it_is_asked(air):
    async with simulated(air, "tdt") as sim:
        lock = read_uuid("fffa")

        async def said():
            async with bleak.BleakClient(await found(sim.bluetooth.radio.advertisement.address)) as client:
                return bytes(await client.read_gatt_char(lock))

        assert await said() == b"\0"
        async with open_device(replace(sim.bluetooth.url, model="tdt")) as device:
            await device.read()
        assert await said() == b"\1"
