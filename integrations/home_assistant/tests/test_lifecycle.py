"""From a start to a stop of Home Assistant, and all that can happen to a VESC in between."""

import asyncio
import logging
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import STATE_UNAVAILABLE
from homeassistant.core import CoreState
from homeassistant.helpers import device_registry as dr
from homeassistant.setup import async_setup_component

from packwire.device import follow
from packwire.sim.nodes import CONTROLLER_ID
from packwire.sim.server import DEVICE_ID, PASSWORD, SimulatedVesc
from tests.conftest import add_entry, free_port, hub_with_vesc, refresh, rest, settle, tcp_data
from tests.flows import LOOPBACK
from tests.test_connection import VOLTAGE, sockets_to, take_over, tasks_of_packwire
from tests.test_issues import raised

ROOT = Path(__file__).parents[1]


def our_lines(caplog):
    """Return what the integration and packwire logged as a warning or worse."""
    ours = ("custom_components.packwire", "packwire")
    return [
        record.getMessage()
        for record in caplog.records
        if record.name.startswith(ours) and record.levelno >= logging.WARNING
    ]


def complaints(caplog):
    """Return what Home Assistant said about an integration that does something wrong."""
    telling = ("which is impossible", "is not a valid", "Detected ", "bug report", "does not generate unique")
    texts = [record.getMessage() for record in caplog.records]
    return [text for text in texts if any(each in text for each in telling)]


# Home Assistant has nothing to complain about


async def test_no_unit_class_or_unique_id_is_complained_about(hass, vesc, caplog):
    entry = await add_entry(hass, tcp_data(vesc.port), cells=True)
    await refresh(hass, entry)
    await hass.config_entries.async_reload(entry.entry_id)
    await settle(hass)
    assert len(hass.states.async_all()) > 80
    assert complaints(caplog) == []
    assert our_lines(caplog) == []


_NEWLY_IMPORTED = """
import asyncio, sys
from custom_components.packwire import binary_sensor, config_flow, diagnostics, sensor, system_health
from custom_components.packwire.connection import address_of, identify
from custom_components.packwire.reasons import examine
from packwire.errors import NoAnswerError
hub, port, dead = map(int, sys.argv[1:4])
tcp = {"link": "tcp", "host": "127.0.0.1", "port": port}
ways = [tcp, {**tcp, "link": "hub", "port": hub, "hub_id": sys.argv[4], "password": sys.argv[5]}]
async def all_of_it():
    for way in ways:
        await identify(address_of(way))
        await examine(NoAnswerError("no"), address_of(way))
    await examine(NoAnswerError("no"), address_of({**tcp, "port": dead}))
before = set(sys.modules)
asyncio.run(all_of_it())
print(*sorted(name for name in set(sys.modules) - before if name.startswith(("packwire", "numpy", "pydantic"))))
"""


async def test_nothing_is_imported_while_the_event_loop_runs(socket_enabled):
    """An import reads files, and whoever reads files in the loop holds up all of Home Assistant."""
    async with hub_with_vesc() as both, SimulatedVesc(rest()) as direct:
        arguments = [str(both.hub.port), str(direct.port), str(free_port()), DEVICE_ID, PASSWORD]
        running = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", _NEWLY_IMPORTED, *arguments), cwd=ROOT, stdout=subprocess.PIPE
        )
        output, _ = await running.communicate()
    assert running.returncode == 0
    assert output.decode().split() == []


# Stopping


async def test_home_assistant_stops_while_a_vesc_is_read(hass, vesc, caplog):
    entry = await add_entry(hass, tcp_data(vesc.port))
    vesc.faults.order("silence")
    hass.async_create_background_task(entry.runtime_data.async_refresh(), "reading")
    while not entry.runtime_data.device.client._pending:
        await asyncio.sleep(0.01)
    await hass.async_stop()
    assert hass.state is CoreState.stopped
    assert tasks_of_packwire() == []
    assert sockets_to(vesc.port) == []
    assert our_lines(caplog) == []


async def test_unloading_while_the_doctor_examines(hass, clock, issue_registry, quick):
    port = free_port()
    async with SimulatedVesc(rest(port=port)):
        entry = await add_entry(hass, tcp_data(port), repair_after=1)
    coordinator = entry.runtime_data
    await refresh(hass, entry)
    clock.advance(61)
    clients = []
    server = await asyncio.start_server(lambda _, writer: clients.append(writer), LOOPBACK, port)
    async with server:
        reading = entry.async_create_background_task(hass, coordinator.async_refresh(), "reading")
        while len(clients) < 2:  # the reading's own, and the doctor's
            await asyncio.sleep(0.01)
        assert await hass.config_entries.async_unload(entry.entry_id)
        assert reading.done()
        assert sockets_to(port) == []
        assert tasks_of_packwire() == []
        assert not issue_registry.issues
        server.close_clients()


async def test_a_node_that_is_found_while_unloading_gets_no_entities(hass, vesc, monkeypatch, caplog):
    """Else they would outlive their platform, and stand in the way of those of the next setup."""
    entry = await add_entry(hass, tcp_data(vesc.port))
    coordinator = entry.runtime_data
    unload = hass.config_entries.async_unload_platforms

    async def unload_and_find(*arguments):
        done = await unload(*arguments)
        found = replace(coordinator.data["can/84"].node, key="can/85", number=85)
        coordinator.data["can/85"] = replace(coordinator.data["can/84"], node=found)
        coordinator.async_update_listeners()
        await hass.async_block_till_done()
        return done

    monkeypatch.setattr(hass.config_entries, "async_unload_platforms", unload_and_find)
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert "controller_85" not in str(hass.states.async_entity_ids())


# Coming back


async def test_a_hub_that_takes_every_connection_and_closes_it(hass, behind_hub):
    entry = await add_entry(hass, behind_hub.data, setup=False)
    server = await asyncio.start_server(lambda _, writer: writer.close(), LOOPBACK, 0)
    async with server:
        data = {**behind_hub.data, "port": server.sockets[0].getsockname()[1]}
        hass.config_entries.async_update_entry(entry, data=data)
        await hass.config_entries.async_setup(entry.entry_id)
        assert entry.state is ConfigEntryState.SETUP_RETRY
        assert not hass.config_entries.flow.async_progress(), "no hub said that the password is wrong"


async def test_two_homes_that_take_a_vesc_from_each_other_wait_longer_and_longer(hass, behind_hub, clock):
    entry = await add_entry(hass, behind_hub.data)
    waits = []
    for _ in range(5):
        ours = behind_hub.hub.pairings[DEVICE_ID].client
        other = await take_over(behind_hub.hub.port)
        while behind_hub.hub.pairings[DEVICE_ID].client is ours:
            await asyncio.sleep(0.01)
        await refresh(hass, entry)
        wait = entry.runtime_data.update_interval.total_seconds()
        waits.append(wait)
        clock.advance(wait)  # the other home has it for that long, and then we
        await refresh(hass, entry)
        assert hass.states.get(VOLTAGE).state == "83.91"
        clock.advance(wait)
        other.transport.abort()
    assert waits == [*follow.DISPLACED_DELAYS, follow.DISPLACED_DELAYS[-1]]


async def test_another_vesc_at_the_same_address_is_not_shown(hass):
    """Addresses change hands when a router gives them out anew."""
    port = free_port()
    async with SimulatedVesc(rest(port=port)):
        entry = await add_entry(hass, tcp_data(port))
    await refresh(hass, entry)
    async with SimulatedVesc(rest(port=port, seed=2)):
        await refresh(hass, entry)
        assert hass.states.get(VOLTAGE).state == STATE_UNAVAILABLE
        assert entry.runtime_data.last_exception.translation_key == "another_vesc"
        assert entry.runtime_data.device is None
        assert sockets_to(port) == []
        assert entry.runtime_data.update_interval.total_seconds() == max(follow.DELAYS)
    async with SimulatedVesc(rest(port=port)):
        await refresh(hass, entry)
        assert hass.states.get(VOLTAGE).state == "83.91"
        await hass.config_entries.async_unload(entry.entry_id)


async def test_a_pack_that_is_switched_on_is_given_time_to_hear_its_bms(
    hass, clock, issue_registry, caplog, quick, impatient
):
    """It was off for an hour, and its BMS is heard a little later than it answers: no alarm for that."""
    port = free_port()
    async with SimulatedVesc(rest(port=port)):
        entry = await add_entry(hass, tcp_data(port), stale_after=30)
    await refresh(hass, entry)
    clock.advance(3600)
    caplog.clear()
    async with SimulatedVesc(rest(port=port, faults=("no-bms",))) as vesc:
        await refresh(hass, entry)
        assert hass.states.get(VOLTAGE).state == STATE_UNAVAILABLE, "nothing an hour old is shown"
        assert "no_bms" not in raised(issue_registry, entry)
        assert our_lines(caplog) == []
        clock.advance(31)
        await refresh(hass, entry)
        assert "no_bms" in raised(issue_registry, entry)
        vesc.faults.cancel("no-bms")
        await refresh(hass, entry)
        assert not raised(issue_registry, entry)
        await hass.config_entries.async_unload(entry.entry_id)


async def test_a_repair_outlives_a_short_outage(hass, clock, issue_registry, quick, impatient):
    port = free_port()
    async with SimulatedVesc(rest(port=port)) as vesc:
        entry = await add_entry(hass, tcp_data(port), stale_after=30)
        vesc.faults.order("no-bms")
        clock.advance(31)
        await refresh(hass, entry)
        assert "no_bms" in raised(issue_registry, entry)
    await refresh(hass, entry)
    async with SimulatedVesc(rest(port=port, faults=("no-bms",))):
        await refresh(hass, entry)
        assert "no_bms" in raised(issue_registry, entry), "nothing has changed"
        await hass.config_entries.async_unload(entry.entry_id)


# Devices that come and go


@pytest.fixture
async def config_client(hass, hass_ws_client):
    """Return a connection of Home Assistant's page."""
    assert await async_setup_component(hass, "config", {})
    return await hass_ws_client(hass)


def device_of(hass, entry, name):
    """Return a device of an entry by its name."""
    devices = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    return next((device for device in devices if device.name == name), None)


async def test_a_controller_that_fell_silent_can_be_removed_and_comes_back_when_it_answers(
    hass, vesc, clock, config_client, impatient
):
    entry = await add_entry(hass, tcp_data(vesc.port), stale_after=30)
    controller = "VESC Express T controller 84"
    entry.runtime_data.device.client.timeout = 0.05
    vesc.faults.order(f"dead-node:{CONTROLLER_ID}")
    await refresh(hass, entry)
    there = await config_client.remove_device(device_of(hass, entry, controller).id, entry.entry_id)
    assert not there["success"], "it may only be slow"
    clock.advance(31)
    await refresh(hass, entry)
    gone = await config_client.remove_device(device_of(hass, entry, controller).id, entry.entry_id)
    assert gone["success"]
    await settle(hass)
    assert entry.state is ConfigEntryState.LOADED
    assert device_of(hass, entry, controller) is None
    vesc.faults.cancel("dead-node")
    await hass.config_entries.async_reload(entry.entry_id)
    await settle(hass)
    assert device_of(hass, entry, controller)


async def test_nothing_can_be_removed_while_nobody_knows_what_is_there(hass, config_client):
    async with SimulatedVesc(rest()) as vesc:
        entry = await add_entry(hass, tcp_data(vesc.port))
    battery = device_of(hass, entry, "VESC Express T battery")
    await refresh(hass, entry)
    assert not (await config_client.remove_device(battery.id, entry.entry_id))["success"]
    await hass.config_entries.async_unload(entry.entry_id)
    await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.SETUP_RETRY
    answer = await config_client.remove_device(battery.id, entry.entry_id)
    assert not answer["success"]
    assert answer["error"]["code"] == "home_assistant_error"


async def test_a_pack_whose_cell_count_grows(hass):
    port = free_port()
    async with SimulatedVesc(rest(port=port, cells=19)):
        entry = await add_entry(hass, tcp_data(port), cells=True)
        assert hass.states.get("sensor.vesc_express_t_battery_cell_20_voltage") is None
    await refresh(hass, entry)
    async with SimulatedVesc(rest(port=port)):
        await refresh(hass, entry)
        assert float(hass.states.get("sensor.vesc_express_t_battery_cell_20_voltage").state) > 4
        await settle(hass)
        await hass.config_entries.async_unload(entry.entry_id)


async def test_a_pack_whose_cell_count_shrinks_leaves_the_rest_unknown(hass):
    port = free_port()
    async with SimulatedVesc(rest(port=port)):
        entry = await add_entry(hass, tcp_data(port), cells=True)
    await refresh(hass, entry)
    async with SimulatedVesc(rest(port=port, cells=19)):
        await refresh(hass, entry)
        assert hass.states.get("sensor.vesc_express_t_battery_cell_20_voltage").state == "unknown"
        await settle(hass)
        await hass.config_entries.async_unload(entry.entry_id)


async def test_a_controller_of_its_own_is_named_like_its_entry(hass, quick, impatient):
    """A motor controller with a network module needs no Express: it is the device that is connected to."""
    async with SimulatedVesc(rest()) as running:
        running.device.node.version = running.device.node.version._replace(
            hw_type=running.device.controller.version.hw_type, hw_name="75_300_R2"
        )
        entry = await add_entry(hass, tcp_data(running.port))
        assert entry.runtime_data.device.nodes[0].kind == "controller"
        assert device_of(hass, entry, "75_300_R2")
        await hass.config_entries.async_unload(entry.entry_id)
