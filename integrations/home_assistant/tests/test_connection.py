"""One connection an entry: it is made, lost, taken, made again, and nothing of it is left behind."""

import asyncio
import gc
import logging
import socket

import pytest
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import STATE_UNAVAILABLE
from homeassistant.helpers import device_registry as dr
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.packwire.const import CONF_CAN_IDS, DOMAIN
from packwire.device import follow
from packwire.sim.server import DEVICE_ID, PASSWORD, SimulatedVesc
from tests.conftest import (
    add_entry,
    free_port,
    hub_data,
    hub_with_vesc,
    refresh,
    rest,
    settle,
    tcp_data,
)

VOLTAGE = "sensor.vesc_express_t_battery_voltage"


async def test_a_pack_that_is_asleep_is_tried_again_later(hass, vesc):
    entry = await add_entry(hass, tcp_data(vesc.port), setup=False)
    hass.config_entries.async_update_entry(entry, data=tcp_data(free_port()))
    await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert "refused the connection" in entry.reason


async def test_gone_and_back(hass, caplog):
    port = free_port()
    async with SimulatedVesc(rest(port=port)):
        entry = await add_entry(hass, tcp_data(port))
        assert hass.states.get(VOLTAGE).state == "83.91"
    caplog.clear()
    await refresh(hass, entry)
    assert hass.states.get(VOLTAGE).state == STATE_UNAVAILABLE
    await refresh(hass, entry)
    async with SimulatedVesc(rest(port=port)):
        await refresh(hass, entry)
        assert hass.states.get(VOLTAGE).state == "83.91"
        await hass.config_entries.async_unload(entry.entry_id)
    ours = [
        record.getMessage()
        for record in caplog.records
        if record.name == "custom_components.packwire" and record.levelno >= logging.INFO
    ]
    assert len(ours) == 2, "one line when it goes, one when it comes back"
    assert ours[0].startswith("Error fetching VESC Express T data: The VESC does not answer: ")
    assert ours[1] == "Fetching VESC Express T data recovered"


async def test_attempts_to_come_back_are_farther_and_farther_apart(hass, monkeypatch):
    monkeypatch.setattr(follow, "DELAYS", (1.0, 20.0, 300.0))
    async with SimulatedVesc(rest()) as vesc:
        entry = await add_entry(hass, tcp_data(vesc.port), interval=5)
    waits = []
    for _ in range(4):
        await refresh(hass, entry)
        waits.append(entry.runtime_data.update_interval.total_seconds())
    assert waits == [5, 20, 300, 300]


async def test_it_comes_back_by_itself(hass, monkeypatch):
    """Nobody asks for a refresh here: the coordinator's own timer does."""
    port = free_port()
    async with SimulatedVesc(rest(port=port)):
        entry = await add_entry(hass, tcp_data(port), interval=1)
    while hass.states.get(VOLTAGE).state != STATE_UNAVAILABLE:
        await asyncio.sleep(0.05)
    async with SimulatedVesc(rest(port=port)):
        while hass.states.get(VOLTAGE).state == STATE_UNAVAILABLE:
            await asyncio.sleep(0.05)
        await hass.config_entries.async_unload(entry.entry_id)


async def test_a_device_that_falls_silent_is_given_up_and_found_again(hass, vesc, impatient):
    entry = await add_entry(hass, tcp_data(vesc.port))
    coordinator = entry.runtime_data
    coordinator.device.client.timeout = 0.05
    vesc.faults.order("silence")
    while coordinator.last_update_success:
        await refresh(hass, entry)
    assert coordinator.device is None
    assert hass.states.get(VOLTAGE).state == STATE_UNAVAILABLE
    vesc.faults.cancel("silence")
    await refresh(hass, entry)
    assert hass.states.get(VOLTAGE).state == "83.91"


async def take_over(port):
    """Log in at a hub as another client, as VESC Tool would."""
    _, other = await asyncio.open_connection("127.0.0.1", port)
    other.write(f"VESCTOOL:{DEVICE_ID}:{PASSWORD}\n".encode())
    return other


async def test_displaced_by_another_client(hass, behind_hub):
    entry = await add_entry(hass, behind_hub.data)
    ours = behind_hub.hub.pairings[DEVICE_ID].client
    other = await take_over(behind_hub.hub.port)
    while behind_hub.hub.pairings[DEVICE_ID].client is ours:
        await asyncio.sleep(0.01)
    await refresh(hass, entry)
    assert "another client logged in" in entry.runtime_data.failure
    assert entry.runtime_data.update_interval.total_seconds() == follow.DISPLACED_DELAYS[0]
    await refresh(hass, entry)
    assert hass.states.get(VOLTAGE).state == "83.91"
    other.transport.abort()


async def test_a_password_that_was_changed_is_asked_for(hass):
    async with hub_with_vesc() as both:
        entry = await add_entry(hass, both.data)
    async with hub_with_vesc(port=both.hub.port, hub_password="changed"):
        for _ in range(3):
            assert not hass.config_entries.flow.async_progress()
            await refresh(hass, entry)  # gone; refused; refused again
        (flow,) = hass.config_entries.flow.async_progress()
        assert flow["context"]["source"] == "reauth"
        await hass.config_entries.async_unload(entry.entry_id)


async def test_an_id_that_left_the_hub_is_no_reason_to_ask_for_a_password(hass, impatient):
    async with hub_with_vesc() as both:
        entry = await add_entry(hass, both.data)
        entry.runtime_data.device.client.timeout = 0.05
        await both.vesc.__aexit__(None, None, None)
        for _ in range(4):
            await refresh(hass, entry)
        assert "has no device SIMPACK" in entry.runtime_data.failure
        assert not hass.config_entries.flow.async_progress()


async def test_polls_come_one_after_the_other(hass, vesc):
    entry = await add_entry(hass, tcp_data(vesc.port))
    device = entry.runtime_data.device
    before = device.client.stats.requests
    await asyncio.gather(*(entry.runtime_data.async_refresh() for _ in range(3)))
    assert entry.runtime_data.device is device
    assert device.client.stats.requests > before
    assert device.client.stats.late == device.client.stats.unasked == 0


@pytest.mark.parametrize("expected_lingering_timers", [True])  # the simulator's search goes on
async def test_can_ids_are_remembered_and_asked_directly(hass):
    async with SimulatedVesc(rest()) as vesc:
        entry = await add_entry(hass, tcp_data(vesc.port))
        assert entry.data[CONF_CAN_IDS] == [10, 84]
        vesc.device._ping_time = 3599.0  # a search would never end
        assert await hass.config_entries.async_unload(entry.entry_id)
        await hass.config_entries.async_setup(entry.entry_id)
        await hass.async_block_till_done()
        device = entry.runtime_data.device
        while "can/84" not in {node.key for node in device.nodes}:
            await asyncio.sleep(0.01)
        assert await hass.config_entries.async_unload(entry.entry_id)


async def test_a_firmware_without_uuid_is_named_after_its_place(hass, vesc):
    vesc.device.node.version = vesc.device.node.version._replace(uuid="00" * 12)
    entry = await add_entry(hass, tcp_data(vesc.port))
    assert entry.unique_id == f"vesc://127.0.0.1:{vesc.port}"


# Unload


def sockets_to(port):
    """Return the sockets of this process that are connected to a port."""
    gc.collect()
    found = []
    for each in gc.get_objects():
        if isinstance(each, socket.socket) and each.fileno() != -1:
            try:
                peer = each.getpeername()
            except OSError:
                continue
            if peer == ("127.0.0.1", port):
                found.append(each)
    return found


def tasks_of_packwire():
    """Return the tasks that the integration started for an entry."""
    return [
        task for task in asyncio.all_tasks() if task.get_name().startswith(("packwire 127", "VESC Express"))
    ]


async def test_unloading_leaves_no_task_no_socket_and_no_listener(hass, vesc):
    entry = await add_entry(hass, tcp_data(vesc.port))
    coordinator = entry.runtime_data
    assert len(sockets_to(vesc.port)) == 1
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert entry.state is ConfigEntryState.NOT_LOADED
    assert sockets_to(vesc.port) == []
    assert tasks_of_packwire() == []
    assert coordinator.device is None
    assert not coordinator._listeners
    assert not entry.update_listeners
    assert hass.states.get(VOLTAGE).state == STATE_UNAVAILABLE


@pytest.mark.parametrize("expected_lingering_timers", [True])  # the simulator's search goes on
async def test_unloading_while_the_can_bus_is_searched(hass):
    async with SimulatedVesc(rest(ping_time=3599.0)) as vesc:
        entry = await add_entry(hass, tcp_data(vesc.port), setup=False)
        await hass.config_entries.async_setup(entry.entry_id)
        assert entry.runtime_data._finding
        assert not entry.runtime_data._finding.done()
        assert await hass.config_entries.async_unload(entry.entry_id)
        assert sockets_to(vesc.port) == []


async def test_unloading_in_the_middle_of_a_reading(hass, vesc, issue_registry, caplog):
    entry = await add_entry(hass, tcp_data(vesc.port))
    coordinator = entry.runtime_data
    vesc.faults.order("silence")
    reading = hass.async_create_background_task(coordinator.async_refresh(), "reading")
    while not coordinator.device.client._pending:
        await asyncio.sleep(0.01)
    assert await hass.config_entries.async_unload(entry.entry_id)
    await reading
    assert sockets_to(vesc.port) == []
    assert coordinator.device is None
    assert not issue_registry.issues
    assert "Error fetching" not in caplog.text


async def test_reloading_connects_anew(hass, vesc):
    entry = await add_entry(hass, tcp_data(vesc.port))
    first = entry.runtime_data.device
    assert await hass.config_entries.async_reload(entry.entry_id)
    await settle(hass)
    assert entry.runtime_data.device is not first
    assert hass.states.get(VOLTAGE).state == "83.91"


async def test_removing_a_device_that_is_no_longer_there(hass, hass_ws_client):
    assert await async_setup_component(hass, "config", {})
    client = await hass_ws_client(hass)
    async with SimulatedVesc(rest()) as vesc:
        entry = await add_entry(hass, tcp_data(vesc.port))
        registry = dr.async_get(hass)
        devices = {
            device.name.removeprefix("VESC Express T"): device
            for device in dr.async_entries_for_config_entry(registry, entry.entry_id)
        }
        there = await client.remove_device(devices[" battery"].id, entry.entry_id)
        assert not there["success"]
        registry.async_update_device(devices[" controller 84"].id, new_identifiers={(DOMAIN, "an old one")})
        gone = await client.remove_device(devices[" controller 84"].id, entry.entry_id)
        assert gone["success"]
        await hass.config_entries.async_unload(entry.entry_id)


async def test_an_unexpected_error_hangs_up_too(hass, vesc, monkeypatch):
    """A bug must not leave a VESC's one place taken."""
    entry = await add_entry(hass, tcp_data(vesc.port))
    monkeypatch.setattr(entry.runtime_data, "_succeeded", None)
    await refresh(hass, entry)
    assert not entry.runtime_data.last_update_success
    assert entry.runtime_data.device is None
    assert sockets_to(vesc.port) == []


@pytest.mark.parametrize("data", [hub_data(1, hub_id="x")])
async def test_an_entry_that_can_never_work_says_why(hass, data):
    entry = MockConfigEntry(domain=DOMAIN, title="wrong", data=data, unique_id="wrong")
    entry.add_to_hass(hass)
    await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert "a hub id has at least 3 characters" in entry.reason
