"""The virtual air that bleak reaches, meanwhile."""

import pytest

from packwire.sim.air import Air
from packwire.sim.bleak_bumble import installed


@pytest.fixture
async def air():
    async with Air() as air:
        with installed(await air.device("central"), longest_connect=2):
            yield air
