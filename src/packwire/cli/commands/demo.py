"""`packwire demo`: a simulated pack behind a simulated hub, watched over TCP by the same code as `watch`."""

import secrets
from typing import Annotated

from cyclopts import Parameter

from packwire.address import hub_address
from packwire.cli.limits import positive_or_none
from packwire.cli.options import ScenarioOption
from packwire.cli.running import run_until_stopped
from packwire.cli.views.live import make_view
from packwire.cli.watching import WatchLimits, watch_device
from packwire.device import open_device
from packwire.sim.hub import SimulatedHub
from packwire.sim.server import SimOptions, SimulatedVesc

DEVICE_ID = "DEMOPACK"


def demo(
    *,
    for_: Annotated[float | None, Parameter(name="--for", env_var="DEMO_SECONDS")] = None,
    scenario: ScenarioOption = "ride",
) -> int:
    """Watch a simulated pack behind a simulated hub. Ctrl-C ends it.

    Parameters
    ----------
    for_
        End after so many seconds.
    """
    return run_until_stopped(_demo(WatchLimits(seconds=positive_or_none("--for", for_)), scenario))


async def _demo(limits: WatchLimits, scenario: str) -> int:
    password = secrets.token_hex(8)
    async with SimulatedHub(port=0) as hub:
        vehicle = SimOptions(
            hub=("127.0.0.1", hub.port), hub_id=DEVICE_ID, hub_password=password, scenario=scenario
        )
        async with SimulatedVesc(vehicle):
            address = hub_address(DEVICE_ID, "127.0.0.1", hub.port, password=password)
            await hub.device_connected(DEVICE_ID)
            with make_view(lambda _: True) as view:
                return await watch_device(
                    lambda: open_device(address, can_ids=(), tries=1), view, 0.1, limits
                )
