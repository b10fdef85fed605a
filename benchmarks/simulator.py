"""The simulator in a process of its own, for benchmarks that must not share a core's time with it."""

import contextlib
import subprocess
import sys
from collections.abc import Iterator

_SERVE = """
import asyncio
from packwire.sim.server import SimOptions, SimulatedVesc

async def serve():
    async with SimulatedVesc(SimOptions(port=0, scenario="ride")) as simulation:
        print(simulation.port, flush=True)
        await asyncio.Event().wait()

asyncio.run(serve())
"""


@contextlib.contextmanager
def simulator() -> Iterator[int]:
    """Run it and yield its port."""
    with subprocess.Popen([sys.executable, "-c", _SERVE], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield int(process.stdout.readline())
        finally:
            process.terminate()
