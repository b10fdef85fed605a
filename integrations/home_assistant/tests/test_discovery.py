"""VESCs are heard by their broadcasts, and offered once."""

from homeassistant.config_entries import SOURCE_IGNORE
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed

from custom_components.packwire import config_flow, discovery
from custom_components.packwire.connection import address_of, identify
from custom_components.packwire.const import DOMAIN
from packwire.sim.server import SimulatedVesc
from tests.conftest import add_entry, rest, settle, tcp_data
from tests.test_config_flow_changes import discovered


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


async def test_only_so_many_that_were_asked_once_are_remembered(hass, announcements, patient, monkeypatch):
    monkeypatch.setattr(config_flow, "_MOST_IDENTIFIED", 0)
    async with SimulatedVesc(rest(broadcast="127.0.0.1", broadcast_port=announcements)):
        assert await async_setup_component(hass, DOMAIN, {})
        assert len(await offered(hass)) == 1
    assert hass.data[config_flow._IDENTIFIED] == {}


async def test_a_vesc_that_is_set_up_is_not_offered(hass, announcements, patient):
    async with SimulatedVesc(rest(broadcast="127.0.0.1", broadcast_port=announcements)) as vesc:
        entry = await add_entry(hass, tcp_data(vesc.port))
        assert await offered(hass) == []
        await hass.config_entries.async_unload(entry.entry_id)


# Discovery, again and again


async def test_a_vesc_that_is_heard_again_is_not_connected_to_again(hass, vesc, caplog):
    """It serves one client at a time: whoever uses it must not be disturbed every five minutes."""
    flow = await discovered(hass, vesc.port)
    assert flow["step_id"] == "confirm"
    assert connections(caplog) == 1
    assert (await discovered(hass, vesc.port))["reason"] == "already_in_progress"
    assert connections(caplog) == 1


async def test_a_vesc_that_is_ignored_is_left_in_peace(hass, vesc, caplog):
    who = await identify(address_of(tcp_data(vesc.port)))
    ignored = MockConfigEntry(domain=DOMAIN, source=SOURCE_IGNORE, unique_id=who.unique_id, data={})
    ignored.add_to_hass(hass)
    before = connections(caplog)
    for _ in range(2):
        assert (await discovered(hass, vesc.port))["reason"] == "already_configured"
    assert connections(caplog) == before + 1, "asked once who it is"


async def test_a_vesc_that_moved_and_moved_back_is_followed(hass, vesc):
    entry = await add_entry(hass, tcp_data(vesc.port), setup=False)
    async with SimulatedVesc(rest()) as elsewhere:
        for port in (elsewhere.port, vesc.port, elsewhere.port):
            assert (await discovered(hass, port))["reason"] == "already_configured"
            assert entry.data["port"] == port
            await settle(hass)
        await hass.config_entries.async_unload(entry.entry_id)


def connections(caplog):
    """Return how many connections simulated VESCs have taken."""
    said = [record.getMessage() for record in caplog.records if record.name == "packwire.sim"]
    return len([text for text in said if text.endswith(" connected")])
