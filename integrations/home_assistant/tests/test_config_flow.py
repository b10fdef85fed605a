"""Adding a VESC and changing what was said: every way, and every failure in its own words."""

import asyncio

from homeassistant.config_entries import (
    ConfigEntryState,
)
from homeassistant.const import CONF_HOST, CONF_PASSWORD, CONF_PORT
from homeassistant.data_entry_flow import FlowResultType

from custom_components.packwire.const import (
    CONF_BMS_EXPECTED,
    CONF_HUB_ID,
)
from custom_components.packwire.reasons import REASONS
from packwire.link import hub as hub_link
from packwire.sim.server import DEVICE_ID, SimulatedVesc
from tests.conftest import free_port, hub_data, hub_with_vesc, rest, tcp_data
from tests.flows import LOOPBACK, STRINGS, announced, begin, fails, fill, finish, form, reason

# Adding


async def test_a_vesc_on_the_network_is_added_by_its_address(hass, vesc):
    flow = await begin(hass, "tcp")
    assert flow["type"] is FlowResultType.FORM
    assert flow["errors"] == {}
    done = await finish(hass, flow, host=LOOPBACK, port=vesc.port)
    assert done["type"] is FlowResultType.CREATE_ENTRY
    assert done["title"] == "VESC Express T"
    assert done["result"].unique_id == "vesc-84f703e6e9c2000000000000"
    assert done["result"].state is ConfigEntryState.LOADED
    assert done["data"] == {**tcp_data(vesc.port), CONF_BMS_EXPECTED: True}


async def test_a_vesc_behind_a_hub_is_added_by_its_id(hass, behind_hub):
    flow = await begin(hass, "hub")
    done = await finish(hass, flow, **form(behind_hub.data))
    assert done["type"] is FlowResultType.CREATE_ENTRY
    assert done["result"].unique_id == "vesc-84f703e6e9c2000000000000"
    assert done["data"] == {**behind_hub.data, CONF_BMS_EXPECTED: True}


async def test_a_vesc_that_was_heard_is_added(hass, announcements, patient):
    async with announced(announcements) as running:
        flow = await begin(hass, "scan")
        choice = f"{LOOPBACK}:{running.port}"
        assert flow["data_schema"].schema[CONF_HOST].config["options"] == [{"value": choice, "label": choice}]
        done = await finish(hass, flow, host=choice)
        assert done["type"] is FlowResultType.CREATE_ENTRY
        assert done["data"][CONF_PORT] == running.port


async def test_one_that_was_heard_and_does_not_answer_says_why(hass, announcements, patient):
    async with announced(announcements, faults=("http",)) as running:
        flow = await begin(hass, "scan")
        again = await fill(hass, flow, host=f"{LOOPBACK}:{running.port}")
        assert reason(again) == "not_a_vesc"
        running.faults.cancel("http")
        done = await finish(hass, flow, host=f"{LOOPBACK}:{running.port}")
        assert done["type"] is FlowResultType.CREATE_ENTRY


async def test_nobody_was_heard(hass):
    flow = await begin(hass, "scan")
    assert flow["type"] is FlowResultType.MENU
    assert flow["step_id"] == "nothing_heard"
    assert set(flow["menu_options"]) == set(STRINGS["config"]["step"]["nothing_heard"]["menu_options"])


async def test_a_port_that_another_program_holds_hears_nobody(hass, announcements):
    import socket

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as holder:
        holder.bind(("", announcements))
        flow = await begin(hass, "scan")
        assert flow["step_id"] == "nothing_heard"


# Failures, each in its own words


async def test_refused(hass):
    assert await fails(hass, "tcp", tcp_data(free_port())) == "refused"


async def test_unknown_host(hass):
    assert await fails(hass, "tcp", {**tcp_data(1), CONF_HOST: "x" * 64}) == "unknown_host"


async def test_nothing_answers_at_that_address(hass, monkeypatch):
    from packwire.link import tcp

    monkeypatch.setattr(tcp, "CONNECT_TIMEOUT", 0.0)
    assert await fails(hass, "tcp", tcp_data(free_port())) == "unreachable"


async def test_no_vesc_behind_the_port(hass):
    async with SimulatedVesc(rest(faults=("http",))) as web_server:
        assert await fails(hass, "tcp", tcp_data(web_server.port)) == "not_a_vesc"


async def test_somebody_else_is_served(hass, vesc, quick):
    """A VESC Express serves one client at a time and leaves the next in silence."""
    _, other = await asyncio.open_connection(LOOPBACK, vesc.port)
    assert await fails(hass, "tcp", tcp_data(vesc.port)) == "occupied"
    other.transport.abort()


async def test_a_connection_that_is_closed_at_once(hass):
    server = await asyncio.start_server(lambda _, writer: writer.close(), LOOPBACK, 0)
    async with server:
        assert await fails(hass, "tcp", tcp_data(server.sockets[0].getsockname()[1])) == "gone"


async def test_no_such_id(hass, behind_hub):
    assert await fails(hass, "hub", {**behind_hub.data, CONF_HUB_ID: "NOBODY"}) == "no_such_id"


async def test_wrong_password(hass, behind_hub):
    assert await fails(hass, "hub", {**behind_hub.data, CONF_PASSWORD: "wrong"}) == "wrong_password"


async def test_an_id_that_no_hub_can_know(hass, behind_hub):
    assert await fails(hass, "hub", {**behind_hub.data, CONF_HUB_ID: "a:b"}) == "bad_login"


async def test_displaced_while_connecting(hass):
    """The hub closes while the VESC, which answered its first questions, is still connected to it."""
    async with hub_with_vesc(faults=("silence:2",), hub_faults=("displaced:2",)) as both:
        assert await fails(hass, "hub", both.data) == "displaced"


async def test_what_is_no_hub(hass, monkeypatch, quick):
    monkeypatch.setattr(hub_link, "PING_TIMEOUT", 0.1)
    async with SimulatedVesc(rest(faults=("one-way",))) as mute:
        assert await fails(hass, "hub", hub_data(mute.port)) == "hub_hung"


async def test_a_hubs_port_taken_for_a_vescs(hass, behind_hub):
    assert await fails(hass, "tcp", tcp_data(behind_hub.hub.port)) == "hub_port"


async def test_a_vesc_that_hangs_behind_its_hub(hass, quick):
    async with hub_with_vesc(faults=("silence",)) as both:
        assert await fails(hass, "hub", both.data) == "mute_behind_hub"


async def test_every_reason_has_words():
    assert set(STRINGS["config"]["error"]) == REASONS
    assert set(STRINGS["config"]["abort"]) >= REASONS


async def test_a_form_that_failed_once_can_succeed(hass, behind_hub):
    flow = await begin(hass, "hub")
    again = await fill(hass, flow, **form({**behind_hub.data, CONF_PASSWORD: "wrong"}))
    assert reason(again) == "wrong_password"
    suggested = {str(key): key.description for key in again["data_schema"].schema}
    assert suggested[CONF_HUB_ID] == {"suggested_value": DEVICE_ID}
    assert suggested[CONF_PASSWORD] is None, "a password is not sent back to the page"
    done = await finish(hass, again, **form(behind_hub.data))
    assert done["type"] is FlowResultType.CREATE_ENTRY


async def test_spaces_around_an_address_and_an_id_do_no_harm(hass, behind_hub):
    flow = await begin(hass, "hub")
    typed = {**form(behind_hub.data), CONF_HOST: f" {LOOPBACK} ", CONF_HUB_ID: f"{DEVICE_ID} "}
    done = await finish(hass, flow, **typed)
    assert done["data"] == {**behind_hub.data, CONF_BMS_EXPECTED: True}


async def test_no_bms_is_said_before_it_is_added(hass):
    async with SimulatedVesc(rest(faults=("no-bms",))) as vesc:
        flow = await begin(hass, "tcp")
        asked = await fill(hass, flow, host=LOOPBACK, port=vesc.port)
        assert asked["type"] is FlowResultType.FORM
        assert asked["step_id"] == "no_bms"
        done = await finish(hass, asked)
        assert done["type"] is FlowResultType.CREATE_ENTRY
        assert done["data"][CONF_BMS_EXPECTED] is False


async def test_every_step_and_field_has_words():
    from custom_components.packwire import config_flow

    steps = STRINGS["config"]["step"]
    for link, schema in config_flow.SCHEMAS.items():
        assert (
            set(steps[link]["data"])
            == set(steps[link]["data_description"])
            == {str(k) for k in schema.schema}
        )
    options = STRINGS["options"]["step"]["init"]
    assert set(options["data"]) == set(options["data_description"])
    assert set(options["data"]) == {str(key) for key in config_flow.OPTIONS_SCHEMA.schema}
