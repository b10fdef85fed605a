"""Walking through the config flow as an owner does."""

import json
from contextlib import asynccontextmanager
from pathlib import Path

from homeassistant.config_entries import SOURCE_USER
from homeassistant.data_entry_flow import FlowResultType

import custom_components.packwire as integration
from custom_components.packwire.const import CONF_LINK, DOMAIN
from packwire.sim.server import SimulatedVesc
from tests.conftest import rest, settle

STRINGS = json.loads(Path(integration.__file__).with_name("strings.json").read_text(encoding="utf-8"))
LOOPBACK = "127.0.0.1"


def form(data):
    """Return what an owner types for these data."""
    return {key: value for key, value in data.items() if key != CONF_LINK}


async def begin(hass, way):
    """Open the flow and choose a way."""
    flow = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    assert flow["type"] is FlowResultType.MENU
    return await hass.config_entries.flow.async_configure(flow["flow_id"], {"next_step_id": way})


async def fill(hass, flow, **fields):
    """Submit a form."""
    return await hass.config_entries.flow.async_configure(flow["flow_id"], fields)


async def finish(hass, flow, **fields):
    """Submit the last form, and wait until the entry is set up."""
    done = await fill(hass, flow, **fields)
    await settle(hass)
    return done


def reason(flow):
    """Return why a form is shown again; it has words."""
    key = flow["errors"]["base"]
    assert STRINGS["config"]["error"][key]
    return key


async def fails(hass, way, data):
    """Return the reason why a connection fails."""
    flow = await begin(hass, way)
    return reason(await fill(hass, flow, **form(data)))


@asynccontextmanager
async def announced(port, **options):
    """Run a VESC that announces itself, and wait until it was heard."""
    async with SimulatedVesc(rest(broadcast=LOOPBACK, broadcast_port=port, **options)) as running:
        yield running
