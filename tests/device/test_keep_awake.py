"""Devices that hang up on who does not keep them awake stay, however rare the readings are."""

import asyncio
from typing import Any

import pytest

from packwire.address import parse_address
from packwire.device.client import Client
from packwire.device.reader import Reader
from packwire.errors import GoneError
from packwire.link.tcp import link_of
from packwire.models.load import model
from packwire.models.protocol import ModelProtocol
from packwire.models.session import ModelSession
from packwire.protocol.base import Options, Session
from packwire.sim.model import LONGEST_PATIENCE, SimulatedModel
from packwire.sim.server import SimOptions

EVERY = 0.2


def sleepy() -> ModelProtocol:
    """Return a JBD that hangs up on who does not ask for its basic info again and again."""
    content: dict[str, Any] = dict(model("jbd").content)
    asked = content["requests"]["basic info"] | {"keeps_alive": True, "every": EVERY}
    return ModelProtocol(content | {"requests": content["requests"] | {"basic info": asked}})


@pytest.mark.parametrize("keeps", [True, False])
async def test_it_is_kept_awake_between_readings(keeps, monkeypatch):
    if not keeps:
        monkeypatch.setattr(ModelSession, "keep_awake", Session.keep_awake)
    protocol = sleepy()
    async with SimulatedModel(protocol, SimOptions(port=0, cells=4, speed=0)) as sim:
        address = parse_address(f"tcp://127.0.0.1:{sim.port}?model=jbd")
        async with Reader(Client(link_of(address, protocol), protocol), Options()) as device:
            await device.read()
            await asyncio.sleep(2 * LONGEST_PATIENCE * EVERY)
            if keeps:
                assert (await device.read())[0].values["cell_count"] == 4
            else:
                with pytest.raises(GoneError):
                    await device.read()
