"""Packs on one RS485 line, read in turn: `python -m tests.soak.line`, or `make soak-line`.

A simulated line with several packs of one family, each read once a second by a device of its own, all on one
shared port. Reports every ten seconds, and ends with 1 where a reply was lost, a pack was told another's values, or
memory kept growing. `--seconds`: how long, 60 by itself; the figure in the docs is of 600.
"""

# ruff: noqa: T201 - a command

import argparse
import asyncio
import sys
import time
from contextlib import AsyncExitStack

from packwire.device import open_device
from packwire.device.base import Device
from packwire.sim.pack_values import SERIAL
from tests.link.lines import line
from tests.soak.memory import GROWTH, resident

REPORT_EVERY = 10.0
WARM_UP = 0.2
"""Share of the time after which memory is measured for the first time."""


class Count:
    """What became of the readings."""

    def __init__(self) -> None:
        self.read = self.silent = self.mixed = 0
        self.slowest = 0.0


async def _read(device: Device, number: int, until: float, count: Count) -> None:
    """Read one pack once a second; its cells tell whether it is the right one."""
    loop = asyncio.get_running_loop()
    due = loop.time()
    while loop.time() < until:
        begun = loop.time()
        (sample,) = await device.read()
        count.slowest = max(count.slowest, loop.time() - begun)
        count.read += bool(sample.values)
        count.silent += not sample.values
        serial = sample.values.get("serial_number")
        count.mixed += serial is not None and serial != f"{SERIAL[:3]}{number:05d}"
        due = max(due + 1.0, loop.time())
        await asyncio.sleep(due - loop.time())


async def soak(seconds: float, packs: int, model: str, first: int) -> int:
    """Read the packs for so long; return how many faults there were."""
    units = range(first, first + packs)
    count = Count()
    with line(model, *units, cells=16) as serial:
        async with AsyncExitStack() as stack:
            devices = [
                await stack.enter_async_context(
                    open_device(f"serial:{serial.path}?model={model}&address={unit}")
                )
                for unit in units
            ]
            begun = asyncio.get_running_loop().time()
            tasks = [
                asyncio.create_task(_read(device, unit, begun + seconds, count))
                for device, unit in zip(devices, units, strict=True)
            ]
            warm = 0.0
            while not all(task.done() for task in tasks):
                await asyncio.wait(tasks, timeout=min(REPORT_EVERY, seconds / 5))
                passed = asyncio.get_running_loop().time() - begun
                warm = warm or (resident() if passed >= WARM_UP * seconds else 0.0)
                _report(passed, count, devices)
            await asyncio.gather(*tasks)
            grown = resident() - warm
            lost = sum(device.statistics.timeouts + device.statistics.late for device in devices)
    faults = lost + count.silent + count.mixed + (grown > GROWTH)
    print(f"{count.read} readings of {packs} packs, {lost} replies lost, memory grew by {grown:.1f} MiB")
    return faults


def _report(passed: float, count: Count, devices: list[Device]) -> None:
    stats = [device.statistics for device in devices]
    print(
        f"{passed:6.0f} s  {count.read} readings, {sum(each.requests for each in stats)} requests, "
        f"{sum(each.timeouts for each in stats)} timeouts, {count.silent} silent, {count.mixed} mixed up, "
        f"slowest {count.slowest:.2f} s, {resident():.0f} MiB, CPU {time.process_time():.1f} s",
        flush=True,
    )


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak.line", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--packs", type=int, default=8)
    parser.add_argument("--model", default="pace")
    parser.add_argument("--first", type=int, default=1, help="the address of the first pack")
    wanted = parser.parse_args()
    return 1 if asyncio.run(soak(wanted.seconds, wanted.packs, wanted.model, wanted.first)) else 0


if __name__ == "__main__":
    sys.exit(main())
