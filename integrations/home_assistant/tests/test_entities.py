"""Entities come from quantities: states, classes and units, and when they are unknown or unavailable."""

from datetime import timedelta

import pytest
from homeassistant.components.recorder import get_instance
from homeassistant.components.recorder.statistics import get_last_short_term_statistics
from homeassistant.components.sensor import DEVICE_CLASS_STATE_CLASSES, DEVICE_CLASS_UNITS
from homeassistant.config_entries import RELOAD_AFTER_UPDATE_DELAY
from homeassistant.const import STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import async_fire_time_changed
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
    do_adhoc_statistics,
)

from custom_components.packwire.descriptions import Part, binary_sensor, sensor
from packwire.quantity import QUANTITIES, Quantity
from packwire.sim.server import SimulatedVesc
from tests.conftest import add_entry, refresh, rest, tcp_data

PACK = "sensor.vesc_express_t_battery"
MOTOR = "sensor.vesc_express_t_controller_84"


async def test_a_pack_at_rest(hass, vesc, snapshot):
    """Every entity: what it is registered as, and what it shows."""
    entry = await add_entry(hass, tcp_data(vesc.port), cells=True)
    entities = er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
    for entity in sorted(entities, key=lambda entity: entity.entity_id):
        state = hass.states.get(entity.entity_id)
        shown = {
            "unique id": entity.unique_id,
            "category": entity.entity_category,
            "decimals": entity.options.get("sensor", {}).get("suggested_display_precision"),
            "state": state.state,
            **state.attributes,
        }
        assert shown == snapshot(name=entity.entity_id)
    assert len(entities) == len(hass.states.async_all())


async def test_three_devices_hang_on_each_other(hass, vesc, snapshot):
    entry = await add_entry(hass, tcp_data(vesc.port))
    registry = dr.async_get(hass)
    devices = {device.name: device for device in dr.async_entries_for_config_entry(registry, entry.entry_id)}
    assert set(devices) == {"VESC Express T", "VESC Express T battery", "VESC Express T controller 84"}
    express = devices.pop("VESC Express T")
    assert express.via_device_id is None
    assert {device.via_device_id for device in devices.values()} == {express.id}
    described = {
        device.name: (sorted(device.identifiers), device.manufacturer, device.model, device.sw_version)
        for device in [express, *devices.values()]
    }
    assert described == snapshot


async def test_names_are_translated(hass, vesc):
    hass.config.language = "de"
    entry = await add_entry(hass, tcp_data(vesc.port))
    names = {device.name for device in dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)}
    assert names == {"VESC Express T", "VESC Express T Akku", "VESC Express T Motorregler 84"}
    assert hass.states.get("sensor.vesc_express_t_akku_spannung").name == "VESC Express T Akku Spannung"


# Cells


def disabled(hass, entry):
    """Return the ids of the entities that are there but disabled."""
    entities = er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
    return {entity.entity_id for entity in entities if entity.disabled_by}


async def test_cells_are_there_but_off(hass, vesc):
    entry = await add_entry(hass, tcp_data(vesc.port))
    cells = {f"{PACK}_cell_{number:02d}_voltage" for number in range(1, 21)}
    balancing = {
        f"binary_sensor.vesc_express_t_battery_cell_{number:02d}_balancing" for number in range(1, 21)
    }
    assert disabled(hass, entry) == cells | balancing
    assert hass.states.get(f"{PACK}_cell_01_voltage") is None
    assert hass.states.get(f"{PACK}_lowest_cell_voltage").state == "4.191"
    assert hass.states.get(f"{PACK}_highest_cell_voltage").state == "4.198"
    assert hass.states.get(f"{PACK}_cell_voltage_spread").state == "0.007"
    assert hass.states.get("binary_sensor.vesc_express_t_battery_cells_balancing").state == "on"


async def test_an_option_turns_all_cells_on_and_off_again(hass, vesc):
    entry = await add_entry(hass, tcp_data(vesc.port))
    hass.config_entries.async_update_entry(entry, options={"cells": True})
    await hass.async_block_till_done(wait_background_tasks=True)
    assert not disabled(hass, entry)
    assert hass.states.get(f"{PACK}_cell_20_voltage").state == "4.195"
    device = entry.runtime_data.device
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=RELOAD_AFTER_UPDATE_DELAY + 1))
    await hass.async_block_till_done(wait_background_tasks=True)
    assert entry.runtime_data.device is device, "once is enough"
    hass.config_entries.async_update_entry(entry, options={"cells": False})
    await hass.async_block_till_done(wait_background_tasks=True)
    assert len(disabled(hass, entry)) == 40


async def test_a_cell_that_its_owner_disabled_stays_so(hass, vesc):
    entry = await add_entry(hass, tcp_data(vesc.port), cells=True)
    er.async_get(hass).async_update_entity(
        f"{PACK}_cell_03_voltage", disabled_by=er.RegistryEntryDisabler.USER
    )
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert disabled(hass, entry) == {f"{PACK}_cell_03_voltage"}


# Unknown and unavailable


async def test_what_the_firmware_does_not_tell_is_unknown(hass):
    async with SimulatedVesc(rest()) as vesc:
        entry = await add_entry(hass, tcp_data(vesc.port))
        assert hass.states.get(f"{PACK}_charge_charged_total").state != STATE_UNKNOWN
        vesc.faults.order("old-firmware:109")
        await refresh(hass, entry)
        assert hass.states.get(f"{PACK}_charge_charged_total").state == STATE_UNKNOWN
        assert hass.states.get(f"{PACK}_voltage").state == "83.91"


@pytest.mark.parametrize("fault", ["dead-node:10", "no-bms"])
async def test_a_battery_that_is_gone_keeps_its_values_for_the_stale_time(hass, clock, fault):
    """With the BMS dead, the VESC repeats its last values; the motor's current gives it away."""
    async with SimulatedVesc(rest(scenario="ride", speed=1.0)) as vesc:
        entry = await add_entry(hass, tcp_data(vesc.port), stale_after=30)
        vesc.faults.order(fault)
        await _until(hass, entry, lambda: hass.states.get(f"{PACK}_condition").state != "fresh")
        assert hass.states.get(f"{PACK}_voltage").state not in {STATE_UNAVAILABLE, STATE_UNKNOWN}
        clock.advance(40)
        await refresh(hass, entry)
        condition = hass.states.get(f"{PACK}_condition")
        assert condition.state == ("absent" if fault == "no-bms" else "stale")
        assert condition.attributes["reason"]
        assert hass.states.get(f"{PACK}_voltage").state == STATE_UNAVAILABLE
        assert hass.states.get(f"{MOTOR}_input_voltage").state != STATE_UNAVAILABLE
        vesc.faults.cancel(fault.partition(":")[0])
        await _until(hass, entry, lambda: hass.states.get(f"{PACK}_condition").state == "fresh")
        assert hass.states.get(f"{PACK}_voltage").state != STATE_UNAVAILABLE


async def _until(hass, entry, reached):
    while not reached():
        await refresh(hass, entry)


async def test_a_bms_that_turns_up_later_gets_its_entities_then(hass):
    async with SimulatedVesc(rest(faults=("no-bms",))) as vesc:
        entry = await add_entry(hass, tcp_data(vesc.port))
        assert hass.states.get(f"{PACK}_voltage") is None
        assert hass.states.get(f"{PACK}_condition").state == "absent"
        vesc.faults.cancel("no-bms")
        await refresh(hass, entry)
        assert hass.states.get(f"{PACK}_voltage").state == "83.91"


async def test_a_pack_whose_values_a_script_sets(hass):
    async with SimulatedVesc(rest(faults=("script-bms", "dead-node:10"))) as vesc:
        entry = await add_entry(hass, tcp_data(vesc.port))
        state = hass.states.get(f"{PACK}_voltage")
        assert state.state == "83.91"
        unique_id = er.async_get(hass).async_get(state.entity_id).unique_id
        assert unique_id == f"{entry.unique_id}-bms-voltage"


# Counters


async def test_a_counter_survives_a_reset(recorder_mock, hass):
    """A controller counts from zero after each start; the sum in the Energy dashboard goes on."""
    counter = f"{MOTOR}_energy_drawn"
    start = dt_util.utcnow()
    start = start.replace(minute=start.minute // 5 * 5, second=0, microsecond=0)
    async with SimulatedVesc(rest()) as vesc:
        entry = await add_entry(hass, tcp_data(vesc.port))
        for amount in (150.0, 0.0, 30.0):
            vesc.vehicle.motor.wh_drawn = amount
            vesc.device.moved()
            await refresh(hass, entry)
            assert float(hass.states.get(counter).state) == amount
        await async_wait_recording_done(hass)
        while start < dt_util.utcnow():
            do_adhoc_statistics(hass, start=start)
            await async_wait_recording_done(hass)
            start += timedelta(minutes=5)
        sums = await get_instance(hass).async_add_executor_job(
            get_last_short_term_statistics, hass, 1, counter, True, {"sum"}
        )
        assert sums[counter][0]["sum"] == pytest.approx(150.0 + 30.0, abs=0.01)


@pytest.mark.parametrize("quantity", QUANTITIES.values(), ids=lambda quantity: quantity.key)
def test_every_quantity_is_described_as_home_assistant_wants_it(quantity: Quantity):
    """Unit and state class fit the device class; a text has neither; precision comes from the registry."""
    part = Part(quantity, 0, "1") if quantity.array else Part(quantity)
    if part.is_flag:
        assert binary_sensor(part, cells=False).translation_key
        return
    description = sensor(part, cells=False)
    if description.device_class:
        assert description.native_unit_of_measurement in DEVICE_CLASS_UNITS[description.device_class]
        assert description.state_class in DEVICE_CLASS_STATE_CLASSES[description.device_class]
    if quantity.counter:
        assert description.state_class == "total_increasing"
    if quantity.unit:
        assert description.suggested_display_precision == quantity.precision
