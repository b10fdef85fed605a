"""Packs that aiobmsble reads: its values as quantities, what it leaves out, and how its errors are told."""

import asyncio
from typing import Any

import pytest

pytest.importorskip("aiobmsble")

from aiobmsble import TempSensor
from bleak.exc import BleakError

from packwire.device import open_device
from packwire.device.aiobmsble import device as device_module
from packwire.device.aiobmsble.samples import values_of
from packwire.device.follow import Reading, follow
from packwire.device.open import Observers
from packwire.errors import (
    GoneError,
    NoAnswerError,
    NotAVescError,
    Reason,
    RefusedError,
    UnreachableError,
    WrongPinError,
)
from packwire.link.ble import discovery, observed
from packwire.quantity import QUANTITIES
from packwire.sample import Condition
from tests.link.ble.fake_air import Pack, installed, jbd_basic, jbd_cells, jbd_pack
from tests.link.ble.test_link import Log

URL = "ble://A4:C1:38:00:00:01"


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr("aiobmsble.basebms.BaseBMS._RETRY_TIMEOUT", 0.01)
    monkeypatch.setattr(discovery, "GRACE", 0.05)


async def test_a_pack_is_read():
    with installed(jbd_pack()):
        async with open_device(URL) as device:
            (sample,) = await device.read()
            assert (device.name, device.where, device.identity, device.link) == (
                "JBD-SP15S004",
                "Bluetooth, Jiabaida smart BMS",
                "ble-a4c138000001",
                "Bluetooth A4:C1:38:00:00:01",
            )
            assert device.asked == {"bms"}
            assert device.firmware == ""
            await device.find_nodes()
            assert device.firmware == "2.1"
            assert set(device.nodes[0].quantities) == set(sample.values)
            stats = device.statistics
            assert (stats.requests, stats.replies, len(stats.latencies)) == (4, 4, 4)
            assert stats.bytes_received > 60
    expected = {
        "voltage": 13.32,
        "current": -2.87,
        "soc": 76,
        "cell_count": 4,
        "cell_voltages": (3.328, 3.33, 3.331, 3.332),
        "cell_voltage_spread": 0.004,
        "temperatures": (21.3, 22.0),
        "charge_remaining": 76.0,
        "capacity_design": 100,
        "cycles": 117,
        "charge_enabled": True,
        "balancing": False,
        "problem": False,
    }
    assert {key: sample.values[key] for key in expected} == expected


async def test_the_same_pack_has_the_same_identity_by_a_model():
    with installed(jbd_pack()):
        async with open_device(URL) as one:
            pass
        async with open_device(f"{URL}?model=jbd") as other:
            assert one.identity == other.identity == other.nodes[0].identity


async def test_who_watches_sees_what_aiobmsble_says():
    log = Log()
    with installed(jbd_pack()):
        async with open_device(URL, observers=Observers(gatt=(log,))) as device:
            await device.read()
    assert b"\xdd\xa5\x03" in b"".join(each.value for each in log.all)
    assert log.over == 1


async def test_a_cell_at_0_mv_makes_no_wrong_numbers():
    pack = jbd_pack()
    pack.replies[4] = jbd_cells(3300, 0, 3310, 3320)
    with installed(pack):
        async with open_device(URL) as device:
            (sample,) = await device.read()
            assert sample.values["cell_count"] == 4
            assert not {"cell_voltages", "cell_voltage_min", "cell_min_number"} & set(sample.values)
            assert "1 of 4 cells read 0 mV" in device.remarks[0]
            pack.replies[4] = jbd_cells(3300, 3301, 3310, 3320)
            await device.read()
            assert device.remarks == ()


async def test_silence_is_a_silent_sample_and_then_a_dead_connection():
    with installed(jbd_pack()) as air:
        async with open_device(URL) as device:
            await device.read()
            air.packs[0].answer = lambda _: []
            (sample,) = await device.read()
            assert sample.condition is Condition.SILENT
            assert "PIN" in sample.reason
            await device.read()
            with pytest.raises(GoneError, match="nothing answered 3 rounds") as caught:
                await device.read()
    assert caught.value.reason is Reason.FELL_SILENT


async def test_a_damaged_answer_is_no_answer():
    pack = jbd_pack()
    with installed(pack):
        async with open_device(URL) as device:
            pack.replies[3] = jbd_basic()[:-3] + b"\0\0\x77"
            (sample,) = await device.read()
            assert sample.condition is Condition.SILENT
            assert "no whole answer" in sample.reason


async def test_a_reply_shorter_than_it_says_is_told():
    pack = jbd_pack()
    with installed(pack):
        async with open_device(URL) as device:
            plugin_of(device)._async_update = failing_update(IndexError("index out of range"))
            (sample,) = await device.read()
            assert "could not be read by aiobmsble (IndexError)" in sample.reason


def plugin_of(device: Any) -> Any:
    return device._device._bms


def failing_update(error):
    async def update():
        raise error

    return update


@pytest.mark.parametrize(
    ("error", "kind"), [(BleakError("Not connected"), GoneError), (EOFError(), GoneError)]
)
async def test_what_bleak_says_is_told_in_a_line(error, kind):
    with installed(jbd_pack()):
        async with open_device(URL) as device:
            plugin_of(device)._async_update = failing_update(error)
            with pytest.raises(kind):
                await device.read()


async def test_a_reading_that_hangs_is_given_up(monkeypatch):
    monkeypatch.setattr(device_module, "READ_TIMEOUT", 0.05)
    with installed(jbd_pack()) as air:
        async with open_device(URL) as device:

            async def hang(*_):
                await asyncio.sleep(60)

            air.packs[0].clients[0].write_gatt_char = hang
            (sample,) = await device.read()
            assert sample.condition is Condition.SILENT


async def test_a_lost_link_is_not_hidden():
    with installed(jbd_pack()) as air:
        async with open_device(URL) as device:
            await device.read()
            air.packs[0].drop()
            with pytest.raises(GoneError, match="ended the connection") as caught:
                await device.read()
    assert caught.value.reason is Reason.CLOSED


async def test_a_device_that_hangs_is_given_up(monkeypatch):
    monkeypatch.setattr(observed, "CONNECT_TIMEOUT", 0.1)
    monkeypatch.setattr(device_module, "CONNECT_TIMEOUT", 0.1)
    with installed(jbd_pack(hang=True)), pytest.raises(UnreachableError) as caught:
        async with open_device(URL):
            pass
    assert caught.value.reason is Reason.OUT_OF_RANGE


def jbd_with_pin(pin):
    pack = jbd_pack()
    usual = pack.answer

    def answer(data):
        if data[:2] != b"\xff\xaa":
            return usual(data)
        right = data[4:-1].decode() == pin
        body = bytes((0x15, 1, 0 if right else 1))
        return [b"\xff\xaa" + body + bytes((sum(body) & 0xFF,))]

    pack.answer = answer
    return pack


async def test_a_pin_is_used_and_a_wrong_one_is_said():
    with installed(jbd_with_pin("123456")):
        async with open_device(f"{URL}?pin=123456") as device:
            assert await device.read()
        with pytest.raises(RefusedError, match="refuses the PIN") as caught:
            async with open_device(f"{URL}?pin=654321"):
                pass
    assert caught.value.reason is Reason.WRONG_PASSWORD
    assert "654321" not in str(caught.value)


async def test_a_pin_that_becomes_wrong_ends_a_long_run():
    pack = jbd_with_pin("123456")
    with installed(pack):
        events = follow(lambda: open_device(f"{URL}?pin=123456"), 0.01)
        with pytest.raises(WrongPinError, match="refuses the PIN"):
            async for event in events:
                if isinstance(event, Reading):
                    pack.answer = jbd_with_pin("another").answer
                    pack.drop()


async def test_a_pin_that_cannot_be_sent_is_said():
    with installed(jbd_with_pin("1")), pytest.raises(RefusedError, match="such characters") as caught:
        async with open_device(f"{URL}?pin=%C3%A4"):
            pass
    assert "ä" not in str(caught.value)


async def test_a_pack_that_does_not_answer_its_login():
    with installed(jbd_pack()), pytest.raises(NoAnswerError):
        async with open_device(f"{URL}?pin=1234"):
            pass


async def test_who_nobody_knows_is_to_be_explored():
    with installed(Pack("55:44:33:00:00:03", "xBMS-77", uuids=())):
        with pytest.raises(NotAVescError, match="packwire explore ble://xBMS-77") as caught:
            async with open_device("ble://xBMS-77"):
                pass
    assert caught.value.reason is Reason.FOREIGN


def test_packs_within_temperatures_by_kind_and_the_phase():
    kind = TempSensor.T
    said = {
        "voltage": 53.1,
        "battery_mode": 1,
        "balancer": 0b101,
        "heater": True,
        "temp_values": [
            TempSensor(21.0, kind.CELL),
            TempSensor(30.5, kind.MOSFET),
            TempSensor(20.0, kind.PCB),
        ],
        "temperature": 23.8,
        "packs": [],
    }
    values, remark = values_of(said)
    assert remark == ""
    assert values == {
        "voltage": 53.1,
        "balancing": True,
        "heater_on": True,
        "charge_phase": "absorption",
        "temperatures": (21.0,),
        "temperature_mosfet": 30.5,
        "temperature_board": 20.0,
    }
    assert values_of({"temperature": 23.8})[0] == {"temperatures": (23.8,)}
    assert set(values) <= set(QUANTITIES)


async def test_packs_that_consist_of_packs_are_nodes():
    with installed(jbd_pack()):
        async with open_device(URL) as device:

            async def update():
                return {"voltage": 53.0, "packs": [{"voltage": 53.1, "cycles": 7}, {"voltage": 52.9}]}

            plugin_of(device)._async_update = update
            samples = await device.read()
            assert [each.node for each in samples] == ["bms", "bms/1", "bms/2"]
            assert [node.identity for node in device.nodes][1:] == [
                "ble-a4c138000001-1",
                "ble-a4c138000001-2",
            ]
            assert device.nodes[1].via == "bms"
            one = await device.read_node(device.nodes[1])
            assert one.values["cycles"] == 7
