"""A link to a simulated device that is started for it, and ended with it: what `sim:vesc` is from Python."""

from contextlib import AsyncExitStack
from typing import override

from packwire.link.tcp import TcpLink
from packwire.sim.by_name import simulation
from packwire.sim.local_port import LOOPBACK
from packwire.sim.server import SimOptions


class SimulatedLink(TcpLink):
    """A TCP connection to a simulation of its own. Raises BadAddressError for an unknown protocol."""

    def __init__(self, model: str) -> None:
        super().__init__(LOOPBACK, 0)
        self._simulation = simulation(model, SimOptions(port=0))
        self._running = AsyncExitStack()

    @override
    async def connect(self) -> None:
        simulated = await self._running.enter_async_context(self._simulation)
        self.port = simulated.address.port
        self.name = f"{self.host}:{self.port}"
        await super().connect()

    @override
    async def close(self) -> None:
        await super().close()
        await self._running.aclose()
