"""A real Home Assistant core, and simulated VESCs on real sockets beside it."""

import socket
import time
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from homeassistant.const import CONF_HOST, CONF_PASSWORD, CONF_PORT
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.syrupy import HomeAssistantSnapshotExtension

import custom_components  # noqa: F401 - before phacc's own package of that name is found
from custom_components.packwire import connection, coordinator, discovery, issues, reasons
from custom_components.packwire.connection import address_of, identify
from custom_components.packwire.const import CONF_HUB_ID, CONF_LINK, DOMAIN, LINK_HUB, LINK_TCP
from packwire.device import client as device_client
from packwire.sim.hub import SimulatedHub
from packwire.sim.server import DEVICE_ID, PASSWORD, SimOptions, SimulatedVesc

#: At rest, and the physics stands still: every reading is the same.
AT_REST = {"scenario": "rest", "speed": 0.0, "ping_time": 0.02, "can_delay": 0.0}


def rest(**options):
    """Return the options of a simulated VESC at rest."""
    return SimOptions(**{**AT_REST, **options})


def free_port(kind=socket.SOCK_STREAM):
    """Return a port that nobody has."""
    with socket.socket(socket.AF_INET, kind) as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


@pytest.fixture(autouse=True)
def custom(request):
    """Let Home Assistant load integrations from this folder; a recorder must be there before all else."""
    if "recorder_mock" in request.fixturenames:
        request.getfixturevalue("recorder_mock")
    request.getfixturevalue("enable_custom_integrations")


@pytest.fixture(autouse=True)
def announcements(monkeypatch, socket_enabled):
    """Listen for broadcasts on a port of our own, so that tests do not hear each other."""
    port = free_port(socket.SOCK_DGRAM)
    monkeypatch.setattr(discovery, "PORT", port)
    monkeypatch.setattr(discovery, "LISTEN_SECONDS", 0.01)
    return port


@pytest.fixture
async def vesc(socket_enabled):
    """Run a VESC at rest on a TCP port."""
    async with SimulatedVesc(rest()) as running:
        yield running


class HubWithVesc:
    """A hub, and a VESC that is logged in at it."""

    def __init__(self, hub, vesc):
        self.hub = hub
        self.vesc = vesc
        self.data = hub_data(hub.port)


@asynccontextmanager
async def hub_with_vesc(port=0, hub_faults=(), **options):
    """Run a hub and a VESC at rest behind it."""
    async with (
        SimulatedHub(port=port, faults=hub_faults) as hub,
        SimulatedVesc(rest(port=None, hub=("127.0.0.1", hub.port), **options)) as running,
    ):
        await hub.device_connected(DEVICE_ID)
        yield HubWithVesc(hub, running)


@pytest.fixture
async def behind_hub(socket_enabled):
    """Run a VESC behind a hub."""
    async with hub_with_vesc() as both:
        yield both


def tcp_data(port):
    """Return the data of an entry for a VESC on this computer."""
    return {CONF_LINK: LINK_TCP, CONF_HOST: "127.0.0.1", CONF_PORT: port}


def hub_data(port, hub_id=DEVICE_ID, password=PASSWORD):
    """Return the data of an entry for a VESC behind a hub on this computer."""
    return {
        CONF_LINK: LINK_HUB,
        CONF_HOST: "127.0.0.1",
        CONF_PORT: port,
        CONF_HUB_ID: hub_id,
        CONF_PASSWORD: password,
    }


async def add_entry(hass, data, *, setup=True, **options):
    """Add an entry as the config flow would, and set it up."""
    who = await identify(address_of(data))
    entry = MockConfigEntry(
        domain=DOMAIN, title=who.name, data=data, unique_id=who.unique_id, options=options
    )
    entry.add_to_hass(hass)
    if setup:
        await hass.config_entries.async_setup(entry.entry_id)
        await settle(hass)
    return entry


async def settle(hass):
    """Wait for all that was begun: the search of the CAN bus too."""
    await hass.async_block_till_done(wait_background_tasks=True)


async def refresh(hass, entry):
    """Read once more, now."""
    await entry.runtime_data.async_refresh()
    await settle(hass)


class Clock:
    """Time that can be moved on."""

    def __init__(self):
        self.ahead = 0.0

    def __call__(self):
        return time.monotonic() + self.ahead

    def advance(self, seconds):
        self.ahead += seconds


@pytest.fixture
def clock(monkeypatch):
    """Take the place of the clock by which outages and old values are judged."""
    clock = Clock()
    monkeypatch.setattr(coordinator, "monotonic", clock)
    monkeypatch.setattr(issues, "monotonic", clock)
    return clock


@pytest.fixture
def impatient(monkeypatch):
    """Do not wait for late replies."""
    monkeypatch.setattr(device_client, "LATEST", 0.05)
    monkeypatch.setattr(device_client, "FENCE_TIMEOUT", 0.05)


@pytest.fixture
def quick(monkeypatch):
    """Wait for silence less long, so that it takes a test no seconds to be sure of it."""
    monkeypatch.setattr(connection, "TIMEOUT", 0.2)
    monkeypatch.setattr(reasons, "DOCTOR_OPTIONS", replace(reasons.DOCTOR_OPTIONS, patience=0.3))


class SnapshotsInOnePlace(HomeAssistantSnapshotExtension):
    """Keeps snapshots in one folder, whichever version of Home Assistant's test helpers runs."""

    @classmethod
    def dirname(cls, *, test_location):
        return str(Path(test_location.filepath).parent / "__snapshots__")


@pytest.fixture
def snapshot(snapshot):
    """Compare with what is in that folder."""
    return snapshot.use_extension(SnapshotsInOnePlace)


@pytest.fixture
def patient(monkeypatch):
    """Listen for longer than a VESC waits between two announcements."""
    monkeypatch.setattr(discovery, "LISTEN_SECONDS", 2.2)
