"""VESCs are heard by their broadcasts, and offered once."""

from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from custom_components.packwire import discovery
from custom_components.packwire.const import DOMAIN
from packwire.sim.server import SimulatedVesc
from tests.conftest import add_entry, rest, settle, tcp_data


async def offered(hass):
    """Return what the page offers to add."""
    await settle(hass)
    return [flow["context"].get("title_placeholders") for flow in hass.config_entries.flow.async_progress()]


async def test_a_vesc_is_offered_when_it_is_heard(hass, announcements, patient):
    async with SimulatedVesc(rest(broadcast="127.0.0.1", broadcast_port=announcements)):
        assert await async_setup_component(hass, DOMAIN, {})
        assert await offered(hass) == [{"name": "VESC Express T"}]
        async_fire_time_changed(hass, dt_util.utcnow() + discovery.LISTEN_AGAIN)
        assert len(await offered(hass)) == 1, "it is offered once"


async def test_a_vesc_that_is_set_up_is_not_offered(hass, announcements, patient):
    async with SimulatedVesc(rest(broadcast="127.0.0.1", broadcast_port=announcements)) as vesc:
        entry = await add_entry(hass, tcp_data(vesc.port))
        assert await offered(hass) == []
        await hass.config_entries.async_unload(entry.entry_id)
