"""Every model with Bluetooth as a device: recognised and read by unmodified aiobmsble, and by its own file."""

from dataclasses import replace

import bleak
import pytest
from aiobmsble.utils import bms_identify

from packwire.device import open_device
from packwire.errors import BadOptionError
from packwire.models.load import model
from packwire.models.store import library
from packwire.sim.model import SimulatedModel
from packwire.sim.pack_values import values_within
from packwire.sim.radio import radio
from packwire.sim.server import SimOptions

from .devices import simulated

FAMILIES = [name for name in library() if model(name).gatt]
KNOWN = [name for name in FAMILIES if model(name).content.get("recognise", {}).get("aiobmsble")]

#: V of what cells are told in, and cut to, where that is more than 1 mV.
COARSE = {"renogy": 0.1, "lithionics": 0.01, "x123smart": 0.005}
#: Packs that tell no single cells.
WITHOUT_CELLS = {"lipower"}
#: What packwire's model says and aiobmsble does not, or otherwise; by quantity, with the reason.
ONLY_ONE_SAYS = {
    "alarms", "warnings", "cell_balancing",  # aiobmsble gives numbers, packwire words and single cells
    "energy_remaining", "runtime", "balancing", "problem",  # aiobmsble derives them
}  # fmt: skip


async def read(address):
    async with open_device(address) as device:
        await device.find_nodes()
        (sample, *_packs) = await device.read()
        assert sample.values, (sample.reason, device.remarks)
        return device, sample.values


async def read_packs(address):
    """Return what each pack says of a device that consists of packs."""
    async with open_device(address) as device:
        await device.find_nodes()
        _, *packs = await device.read()
        return {sample.node: sample.values for sample in packs}


def differences(ours, theirs):
    """Return what two readings say otherwise of the same quantity."""
    # Boards measure power themselves; aiobmsble multiplies what may be rounded to 0.1 A.
    room = {"power": 0.1 * ours["voltage"]}
    # It also rounds what a board says as a float to mV.
    room |= {key: 0.001 for key in ours if key.startswith("cell_voltage")} | {"temperatures": 0.01}
    return {
        key: (ours[key], theirs[key])
        for key in ours.keys() & theirs.keys()
        if isinstance(ours[key], int | float | tuple)
        and ours[key] != pytest.approx(theirs[key], rel=1e-6, abs=room.get(key, 1e-6))
    }


@pytest.mark.parametrize("name", KNOWN)
async def test_aiobmsble_recognises_the_simulated_device(air, name):
    async with simulated(air, name) as sim:
        found = await bleak.BleakScanner.discover(0.3, return_adv=True)
        ((device, advertisement),) = found.values()
        bms = await bms_identify(advertisement, device.address)
        assert bms
        assert bms.__module__.rpartition(".")[2] == model(name).content["recognise"]["aiobmsble"]
        assert model(name).recognises(sim.bluetooth.radio.advertisement)


@pytest.mark.parametrize("name", KNOWN)
async def test_aiobmsble_reads_the_same_as_the_model(air, name):
    async with simulated(air, name, cells=8) as sim:
        by_aiobmsble, theirs = await read(sim.bluetooth.url)
        by_model, ours = await read(replace(sim.bluetooth.url, model=name))
        assert "aiobmsble" not in by_model.link
        told = {"voltage", "current", "soc", "cell_voltages"} & theirs.keys()
        # Renogy's packs say charges; aiobmsble reckons the state of charge from them.
        # A master's packs say their cells; aiobmsble gives them to the master too.
        unsaid = {"renogy": {"soc"}, "seplos-v3-master": {"cell_voltages"}}.get(name, set())
        assert told - unsaid <= ours.keys()
        # Lithionics' modules have temperatures of their own; aiobmsble leaves them there.
        unlike = {"lithionics": {"temperatures"}}.get(name, set())
        assert differences(ours, theirs).keys() == unlike
        assert by_aiobmsble.identity == by_model.identity


async def test_packs_within_are_read_each_by_itself(air):
    name = "seplos-v3-master"
    async with simulated(air, name, cells=16, packs=3) as sim:
        theirs = await read_packs(sim.bluetooth.url)
        ours = await read_packs(replace(sim.bluetooth.url, model=name))
        assert list(ours) == ["pack/1", "pack/2", "pack/3"]
        for one, other in zip(ours.values(), theirs.values(), strict=True):
            assert len(one["cell_voltages"]) == 16
            assert differences(one, {**other, "capacity_design": one["capacity_design"]}) == {}
            assert other["capacity_design"] == int(one["capacity_design"]), "aiobmsble cuts it"
        assert len({values["cell_voltages"] for values in ours.values()}) == 3
        has = sim.device.values()
        for key in ("current", "charge_remaining"):
            assert sum(values[key] for values in ours.values()) == pytest.approx(has[key], abs=0.05)


def test_packs_within_are_of_devices_that_have_them():
    with pytest.raises(BadOptionError, match="a JBD is one pack"):
        SimulatedModel(model("jbd"), SimOptions(packs=3))


@pytest.mark.parametrize("name", FAMILIES)
async def test_what_the_device_has_is_what_is_read(air, name):
    async with simulated(air, name, cells=8) as sim:
        _, ours = await read(replace(sim.bluetooth.url, model=name))
        ours = dict(ours)
        has = sim.device.values()
        if model(name).packs is not None:
            packs = await read_packs(replace(sim.bluetooth.url, model=name))
            ours["cell_voltages"] = packs["pack/1"]["cell_voltages"]
            has["cell_voltages"] = values_within(has, 1, sim.device.packs)["cell_voltages"]
        if name not in WITHOUT_CELLS:
            assert len(ours["cell_voltages"]) == 8
            assert ours["cell_voltages"] == pytest.approx(has["cell_voltages"], abs=COARSE.get(name, 0.0011))
        for key in {"voltage", "current", "charge_remaining"} & ours.keys():
            # LiPower says whole Ah, cut.
            most = 1 if (name, key) == ("lipower", "charge_remaining") else 0.11
            assert ours[key] == pytest.approx(has[key], abs=most), key
        for key in {"soc", "cycles", "charge_enabled", "discharge_enabled"} & ours.keys():
            assert ours[key] == has[key], key
        assert not {"alarms", "warnings"} & ours.keys() or {ours["alarms"], ours.get("warnings", "none")} == {
            "none"
        }


@pytest.mark.parametrize("name", FAMILIES)
def test_its_address_can_be_chosen(name):
    assert radio(model(name), "My pack", "c8:00:00:00:00:01").advertisement.address == "C8:00:00:00:00:01"
