"""A running hub, and peers that speak to it byte by byte, for the hub's tests."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from packwire.address import Address, hub_address
from packwire.hub.credentials import PasswordHash
from packwire.hub.server import Hub
from packwire.hub.settings import HubSettings
from packwire.link.hub import HubLink, Presence, ping_hub
from packwire.sim.server import SimOptions, SimulatedVesc
from packwire.vesc.hublogin import Login, Role
from tests.device.vesc_client import VescClient
from tests.sim.raw import Raw, eventually, raw

PASSWORD = "secret42"
DEVICE = b"VESC:TESTPACK:secret42\n\0"
CLIENT = b"VESCTOOL:TESTPACK:secret42\n"


def cheap_hash(password: str = PASSWORD) -> PasswordHash:
    """A real hash that takes no time."""
    return PasswordHash.of(password, log_n=1, parallel=1)


def write_credentials(path: Path, **passwords: str) -> Path:
    path.write_text("".join(f"{name}:{cheap_hash(password).text}\n" for name, password in passwords.items()))
    return path


@contextlib.asynccontextmanager
async def running_hub(folder: Path, **settings: Any) -> AsyncIterator[Hub]:
    """A hub that knows TESTPACK by the password secret42; `limits` is a dict."""
    if not settings.get("open"):
        settings.setdefault("credentials", write_credentials(folder / "hub.credentials", TESTPACK=PASSWORD))
    settings["limits"] = {"refusal_seconds": 0.01} | settings.get("limits", {})
    async with Hub(HubSettings(host="127.0.0.1", port=0, **settings)) as hub:
        yield hub


@contextlib.asynccontextmanager
async def device(hub: Hub, login: bytes = DEVICE) -> AsyncIterator[Raw]:
    """A device that is logged in and whose every byte the test says itself."""
    async with raw(hub.port, login) as connection:
        name = login.split(b":")[1].decode()
        await eventually(lambda: hub.registry.connected(name) is not None)
        yield connection


@contextlib.asynccontextmanager
async def client(hub: Hub, device_id: str = "TESTPACK") -> AsyncIterator[Raw]:
    """A client that is logged in."""
    before = hub.counters.logins["client"]
    async with raw(hub.port, Login(Role.CLIENT, device_id, PASSWORD).line()) as connection:
        await eventually(lambda: hub.counters.logins["client"] > before)
        yield connection


@contextlib.asynccontextmanager
async def simulated_device(hub: Hub, **options: Any) -> AsyncIterator[SimulatedVesc]:
    """A simulated VESC that dials the hub."""
    settings: dict[str, Any] = {
        "ping_time": 0.05,
        "can_delay": 0.001,
        "speed": 0.0,
        "scenario": "rest",
    } | options
    place = ("127.0.0.1", hub.port)
    async with SimulatedVesc(
        SimOptions(port=None, hub=place, hub_id="TESTPACK", hub_password=PASSWORD, **settings)
    ) as sim:
        await eventually(lambda: hub.registry.connected("TESTPACK") is not None)
        yield sim


@contextlib.asynccontextmanager
async def vesc_client(port: int, password: str = PASSWORD) -> AsyncIterator[VescClient]:
    client = VescClient(HubLink("127.0.0.1", port, "TESTPACK", password), timeout=30.0)
    try:
        await client.connect()
        yield client
    finally:
        await client.close()


async def is_connected(port: int, device_id: str) -> bool:
    return await ping_hub("127.0.0.1", port, device_id) is Presence.THERE


def address(port: int, device_id: str = "TESTPACK", password: str = PASSWORD) -> Address:
    return hub_address(device_id, "127.0.0.1", port, password=password)
