"""What is given away for help: diagnostics and system health, with nothing in them that lets anybody in."""

import asyncio

from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import get_system_health_info
from pytest_homeassistant_custom_component.components.diagnostics import get_diagnostics_for_config_entry
from syrupy.filters import props

from custom_components.packwire.const import DOMAIN
from packwire.sim.server import DEVICE_ID, PASSWORD
from tests.conftest import add_entry, refresh, tcp_data


async def test_diagnostics_of_a_pack_behind_a_hub(hass, hass_client, behind_hub, snapshot):
    entry = await add_entry(hass, behind_hub.data)
    facts = await get_diagnostics_for_config_entry(hass, hass_client, entry)
    measured = ("port", "latency_median_s", "latency_most_s", "bytes_received", "frames", "requests")
    assert facts == snapshot(exclude=props(*measured))
    assert facts["connection"]["requests"]["replies"] > 0
    assert 0 < facts["connection"]["latency_median_s"] <= facts["connection"]["latency_most_s"]


async def test_no_secret_and_no_address_leaves_the_house(hass, hass_client, behind_hub, impatient):
    entry = await add_entry(hass, behind_hub.data)
    entry.runtime_data.device.client.timeout = 0.05
    await behind_hub.vesc.__aexit__(None, None, None)
    while entry.runtime_data.last_update_success:
        await refresh(hass, entry)
    facts = await get_diagnostics_for_config_entry(hass, hass_client, entry)
    assert facts["connection"] is None
    assert "has no device **REDACTED** connected to it" in facts["failure"]
    for secret in (DEVICE_ID, PASSWORD, "127.0.0.1"):
        assert secret not in str(facts)


async def test_system_health(hass, behind_hub):
    await add_entry(hass, behind_hub.data)
    assert await async_setup_component(hass, "system_health", {})
    await hass.async_block_till_done()
    info = await get_system_health_info(hass, DOMAIN)
    info = {key: await value if asyncio.iscoroutine(value) else value for key, value in info.items()}
    assert info == {"version": "0.1.0", "configured": 1, "answering": 1, "nodes": 3}


async def test_diagnostics_while_it_connects(hass, hass_client, vesc):
    """The connection is there, and nothing was answered yet."""
    entry = await add_entry(hass, tcp_data(vesc.port))
    entry.runtime_data.device.client.latencies.clear()
    facts = await get_diagnostics_for_config_entry(hass, hass_client, entry)
    assert facts["connection"]["latency_median_s"] is None


async def test_an_empty_password_garbles_no_diagnostics(hass, hass_client, vesc):
    entry = await add_entry(hass, {**tcp_data(vesc.port), "password": ""})
    facts = await get_diagnostics_for_config_entry(hass, hass_client, entry)
    assert facts["nodes"]["vesc"]["name"] == "VESC Express T"


async def test_diagnostics_tell_no_uuid(hass, hass_client, vesc):
    """It names one VESC in the world."""
    entry = await add_entry(hass, tcp_data(vesc.port))
    facts = await get_diagnostics_for_config_entry(hass, hass_client, entry)
    assert entry.unique_id.removeprefix("vesc-") not in str(facts)
