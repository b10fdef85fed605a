"""`packwire demo`: two simulated packs, watched by the same code as `watch`.

One is a VESC behind a simulated hub, over TCP; the other a JBD on a virtual Bluetooth air.
"""

import asyncio
import secrets
from contextlib import AsyncExitStack
from typing import Annotated

from cyclopts import Parameter

from packwire.address import Address, hub_address
from packwire.cli.adapters import quiet_bumble
from packwire.cli.limits import positive_or_none
from packwire.cli.options import ScenarioOption
from packwire.cli.running import run_until_stopped
from packwire.cli.views.live import side_by_side
from packwire.cli.watching import WatchLimits, watch_device
from packwire.device import open_device
from packwire.sim.by_name import simulation
from packwire.sim.hub import SimulatedHub
from packwire.sim.radio import BluetoothOptions
from packwire.sim.server import SimOptions, SimulatedVesc

DEVICE_ID = "DEMOPACK"


def demo(
    *,
    for_: Annotated[float | None, Parameter(name="--for", env_var="DEMO_SECONDS")] = None,
    scenario: ScenarioOption = "ride",
) -> int:
    """Watch two simulated packs: a VESC behind a hub, and a JBD with Bluetooth. Ctrl-C ends it.

    Parameters
    ----------
    for_
        End after so many seconds.
    """
    return run_until_stopped(_demo(WatchLimits(seconds=positive_or_none("--for", for_)), scenario))


async def _demo(limits: WatchLimits, scenario: str) -> int:
    password = secrets.token_hex(8)
    async with AsyncExitStack() as stack:
        hub = await stack.enter_async_context(SimulatedHub(port=0))
        vehicle = SimOptions(
            hub=("127.0.0.1", hub.port), hub_id=DEVICE_ID, hub_password=password, scenario=scenario
        )
        await stack.enter_async_context(SimulatedVesc(vehicle))
        await hub.device_connected(DEVICE_ID)
        address = hub_address(DEVICE_ID, "127.0.0.1", hub.port, password=password)
        packs = [(lambda: open_device(address, can_ids=(), tries=1), 0.1)]
        bluetooth = await _on_bluetooth(stack, scenario)
        if bluetooth is not None:
            packs.append((lambda: open_device(bluetooth), 0.5))
        views = stack.enter_context(side_by_side(len(packs)))
        codes = await asyncio.gather(
            *(
                watch_device(connect, view, interval, limits)
                for (connect, interval), view in zip(packs, views, strict=True)
            )
        )
        return max(codes)


async def _on_bluetooth(stack: AsyncExitStack, scenario: str) -> Address | None:
    """Start a pack on a virtual Bluetooth air; None where the extras `ble` and `sim` are not installed."""
    try:
        from packwire.sim.air import Air  # noqa: PLC0415 - extras, and slow to import
        from packwire.sim.bleak_bumble import installed  # noqa: PLC0415
    except ImportError:
        return None
    quiet_bumble()
    air = await stack.enter_async_context(Air())
    stack.enter_context(installed(await air.device("packwire")))
    options = SimOptions(
        port=None, cells=4, scenario=scenario, soc=0.76, seed=2, bluetooth=BluetoothOptions(air=air)
    )
    pack = await stack.enter_async_context(simulation("jbd", options))
    assert pack.bluetooth is not None
    return pack.bluetooth.url
