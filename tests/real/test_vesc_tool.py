"""A real VESC Tool, where PACKWIRE_VESC_TOOL names its binary; it is no part of this project."""

import asyncio
import contextlib
import os
import socket
from pathlib import Path

import pytest

from packwire.address import hub_address
from packwire.device import open_device
from packwire.errors import UnreachableError
from packwire.link.hub import Presence, ping_hub
from packwire.sim.server import DEVICE_ID, PASSWORD, SimOptions, SimulatedVesc

TOOL = os.environ.get("PACKWIRE_VESC_TOOL", "")

pytestmark = pytest.mark.skipif(
    not Path(TOOL).is_file(), reason="PACKWIRE_VESC_TOOL names no VESC Tool on this machine"
)


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.asynccontextmanager
async def vesc_tool(*arguments):
    """A running VESC Tool without a window; ended when the test is."""
    process = await asyncio.create_subprocess_exec(
        TOOL, "--offscreen", *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


async def test_a_pack_is_read_through_vesc_tools_own_hub():
    port = _free_port()
    async with vesc_tool("--tcpHub", str(port)):

        async def listens():
            with contextlib.suppress(UnreachableError):
                return await ping_hub("127.0.0.1", port, DEVICE_ID) is not Presence.NO_WORD
            return False

        async with asyncio.timeout(90):
            while not await listens():
                await asyncio.sleep(0.1)
        async with SimulatedVesc(SimOptions(port=None, hub=("127.0.0.1", port), ping_time=0.1)) as simulated:
            assert simulated.hub_dialler is not None
            async with asyncio.timeout(90):
                while await ping_hub("127.0.0.1", port, DEVICE_ID) is not Presence.THERE:
                    await asyncio.sleep(0.1)
            async with open_device(hub_address(DEVICE_ID, "127.0.0.1", port, password=PASSWORD)) as device:
                samples = await device.read()
    assert [sample.values["cell_count"] for sample in samples if "cell_count" in sample.values] == [20]


async def test_vesc_tool_reads_a_simulated_vesc_on_a_serial_port():
    async with SimulatedVesc(SimOptions(port=None, serial=True)) as simulated:
        async with vesc_tool("--vescPort", simulated.serial_path, "--queryDeviceFwParams") as process:
            async with asyncio.timeout(90):
                said, _ = await process.communicate()
    assert process.returncode == 0, said.decode(errors="replace")
