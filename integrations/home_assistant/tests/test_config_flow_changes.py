"""After the first entry: a second one of the same pack, discovery, re-authentication, another way, options."""

from homeassistant.config_entries import SOURCE_DHCP, SOURCE_INTEGRATION_DISCOVERY, ConfigEntryState
from homeassistant.const import CONF_HOST, CONF_NAME, CONF_PASSWORD, CONF_PORT
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers.service_info.dhcp import DhcpServiceInfo

from custom_components.packwire.const import (
    CONF_CELLS,
    CONF_HUB_ID,
    CONF_INTERVAL,
    CONF_REPAIR_AFTER,
    CONF_STALE_AFTER,
    DOMAIN,
)
from packwire.sim.hub import SimulatedHub
from packwire.sim.server import DEVICE_ID, PASSWORD, SimulatedVesc
from tests.conftest import add_entry, free_port, hub_data, rest, settle, tcp_data
from tests.flows import LOOPBACK, announced, begin, fill, finish, form, reason

# One entry a pack


async def test_the_same_address_twice_is_refused_without_connecting(hass, behind_hub):
    entry = await add_entry(hass, behind_hub.data)
    device = entry.runtime_data.device
    again = await fill(hass, await begin(hass, "hub"), **form(behind_hub.data))
    assert again["type"] is FlowResultType.ABORT
    assert again["reason"] == "already_configured"
    assert entry.runtime_data.device is device, "it would have been displaced"


async def test_the_same_pack_by_another_way_is_refused(hass):
    async with (
        SimulatedHub() as hub,
        SimulatedVesc(rest(hub=(LOOPBACK, hub.port))) as vesc,
    ):
        await hub.device_connected(DEVICE_ID)
        await add_entry(hass, tcp_data(vesc.port))
        again = await fill(hass, await begin(hass, "hub"), **form(hub_data(hub.port)))
        assert again["type"] is FlowResultType.ABORT
        assert again["reason"] == "already_configured"


# Discovery


async def discovered(hass, port, host=LOOPBACK):
    """Let a VESC be heard by the listener."""
    return await hass.config_entries.flow.async_init(
        DOMAIN,
        context={"source": SOURCE_INTEGRATION_DISCOVERY},
        data={CONF_HOST: host, CONF_PORT: port, CONF_NAME: "Simulated VESC"},
    )


async def test_a_discovered_vesc_is_confirmed(hass, vesc):
    flow = await discovered(hass, vesc.port)
    assert flow["type"] is FlowResultType.FORM
    assert flow["step_id"] == "confirm"
    assert flow["description_placeholders"] == {CONF_NAME: "VESC Express T", CONF_HOST: LOOPBACK}
    done = await finish(hass, flow)
    assert done["type"] is FlowResultType.CREATE_ENTRY
    assert done["result"].unique_id == "vesc-84f703e6e9c2000000000000"


async def test_a_discovered_vesc_that_is_set_up_is_left_alone(hass, vesc):
    entry = await add_entry(hass, tcp_data(vesc.port))
    device = entry.runtime_data.device
    flow = await discovered(hass, vesc.port)
    assert flow["reason"] == "already_configured"
    assert entry.runtime_data.device is device


async def test_a_vesc_that_moved_is_followed(hass, vesc):
    entry = await add_entry(hass, tcp_data(vesc.port))
    async with SimulatedVesc(rest()) as moved:  # the same UUID
        flow = await discovered(hass, moved.port)
        assert flow["reason"] == "already_configured"
        assert entry.data[CONF_PORT] == moved.port
        await settle(hass)
        assert entry.state is ConfigEntryState.LOADED
        await hass.config_entries.async_unload(entry.entry_id)


async def test_an_entry_through_a_hub_stays_there_when_its_vesc_is_heard(hass, vesc, behind_hub):
    entry = await add_entry(hass, behind_hub.data)
    flow = await discovered(hass, vesc.port)
    assert flow["reason"] == "already_configured"
    assert entry.data[CONF_PORT] == behind_hub.hub.port


async def test_a_discovery_that_does_not_answer_is_dropped(hass):
    flow = await discovered(hass, free_port())
    assert flow["type"] is FlowResultType.ABORT
    assert flow["reason"] == "refused"


async def by_dhcp(hass, host):
    """Let a device with an Express's host name take an address."""
    return await hass.config_entries.flow.async_init(
        DOMAIN,
        context={"source": SOURCE_DHCP},
        data=DhcpServiceInfo(ip=host, hostname="espressif", macaddress="020000000001"),
    )


async def test_a_device_that_took_an_address_is_a_vesc_if_it_announces_itself(hass, announcements, patient):
    async with announced(announcements):
        assert (await by_dhcp(hass, LOOPBACK))["step_id"] == "confirm"


async def test_other_devices_with_that_host_name_are_dropped(hass, announcements, patient):
    async with announced(announcements):
        flow = await by_dhcp(hass, "192.0.2.1")
    assert flow["type"] is FlowResultType.ABORT
    assert flow["reason"] == "not_a_vesc"


# Changing


async def test_a_new_password_is_asked_for_until_it_is_right(hass, behind_hub):
    wrong = {**behind_hub.data, CONF_PASSWORD: "old"}
    entry = await add_entry(hass, behind_hub.data, setup=False)
    hass.config_entries.async_update_entry(entry, data=wrong)
    await hass.config_entries.async_setup(entry.entry_id)
    await settle(hass)
    assert entry.state is ConfigEntryState.SETUP_ERROR
    (flow,) = hass.config_entries.flow.async_progress()
    assert flow["step_id"] == "reauth_confirm"
    assert reason(await fill(hass, flow, password="wrong")) == "wrong_password"
    done = await finish(hass, flow, password=PASSWORD)
    assert done["reason"] == "reauth_successful"
    assert entry.data[CONF_PASSWORD] == PASSWORD
    assert entry.state is ConfigEntryState.LOADED


async def test_an_entry_can_go_through_a_hub_instead(hass, vesc, behind_hub):
    entry = await add_entry(hass, tcp_data(vesc.port))
    flow = await entry.start_reconfigure_flow(hass)
    flow = await hass.config_entries.flow.async_configure(
        flow["flow_id"], {"next_step_id": "reconfigure_hub"}
    )
    done = await finish(hass, flow, **form(behind_hub.data))
    assert done["reason"] == "reconfigure_successful"
    assert entry.data[CONF_HUB_ID] == DEVICE_ID
    assert entry.state is ConfigEntryState.LOADED


async def test_the_same_address_can_be_tried_again(hass, vesc):
    """The entry's own connection makes room: a VESC serves one client at a time."""
    entry = await add_entry(hass, tcp_data(vesc.port))
    flow = await entry.start_reconfigure_flow(hass)
    flow = await hass.config_entries.flow.async_configure(
        flow["flow_id"], {"next_step_id": "reconfigure_tcp"}
    )
    suggested = {str(key): key.description for key in flow["data_schema"].schema}
    assert suggested[CONF_PORT] == {"suggested_value": vesc.port}
    done = await finish(hass, flow, host=LOOPBACK, port=vesc.port)
    assert done["reason"] == "reconfigure_successful"
    assert entry.state is ConfigEntryState.LOADED


async def test_another_vesc_is_no_reconfiguration(hass, vesc):
    entry = await add_entry(hass, tcp_data(vesc.port))
    async with SimulatedVesc(rest(seed=2)) as other:
        flow = await entry.start_reconfigure_flow(hass)
        flow = await hass.config_entries.flow.async_configure(
            flow["flow_id"], {"next_step_id": "reconfigure_tcp"}
        )
        done = await fill(hass, flow, host=LOOPBACK, port=other.port)
        assert done["type"] is FlowResultType.ABORT
        assert done["reason"] == "another_vesc"
    assert entry.data[CONF_PORT] == vesc.port


async def test_the_options_are_kept_and_used(hass, vesc):
    entry = await add_entry(hass, tcp_data(vesc.port))
    flow = await hass.config_entries.options.async_init(entry.entry_id)
    assert flow["type"] is FlowResultType.FORM
    chosen = {CONF_INTERVAL: 30, CONF_STALE_AFTER: 120, CONF_REPAIR_AFTER: 1, CONF_CELLS: False}
    done = await hass.config_entries.options.async_configure(flow["flow_id"], chosen)
    await settle(hass)
    assert done["type"] is FlowResultType.CREATE_ENTRY
    assert entry.options == chosen
    assert entry.runtime_data.update_interval.total_seconds() == 30
