"""Packs with Bluetooth, on a simulated air in another process: packwire beside aiobmsble alone.

PACKWIRE_BENCH_SECONDS says how long sixteen packs are read (60; the goal speaks of 600).
"""

import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from typing import Any

from benchmarks.figure import Figure
from benchmarks.installed import installed

ROUNDS = 7
PACKS = 16
SECONDS = float(os.environ.get("PACKWIRE_BENCH_SECONDS", "60"))

_SERVE = """
import asyncio, sys
from contextlib import AsyncExitStack
from packwire.protocols import protocol
from packwire.sim.air import Air
from packwire.sim.model import SimulatedModel
from packwire.sim.radio import BluetoothOptions
from packwire.sim.server import SimOptions

async def serve(count):
    async with AsyncExitStack() as stack:
        air = await stack.enter_async_context(Air())
        for number in range(1, count + 1):
            radio = BluetoothOptions(f"A4:C1:38:00:00:{number:02X}", air=air)
            options = SimOptions(port=0, cells=4, bluetooth=radio)
            await stack.enter_async_context(SimulatedModel(protocol("jbd"), options))
        print(await air.serve(), flush=True)
        await asyncio.Event().wait()

asyncio.run(serve(int(sys.argv[1])))
"""

_CLIENT = """
import asyncio, json, resource, sys, time

import bleak
from aiobmsble.utils import bms_identify, load_bms_plugins
from packwire.cli.adapters import bluetooth_adapter
from packwire.device import open_device
from packwire.device.aiobmsble import AiobmsbleDevice
from packwire.device.follow import Reading, follow
from packwire.models.aiobmsble_plugins import plugins
from packwire.sample import Condition

ADDRESS = "A4:C1:38:00:00:{:02X}"

async def ours_once():
    started = time.perf_counter()
    async with open_device("ble://" + ADDRESS.format(1)) as device:
        assert "voltage" in (await device.read())[0].values
        return time.perf_counter() - started

async def found(address):
    async with bleak.BleakScanner() as scanner:
        async for device, said in scanner.advertisement_data():
            if device.address == address and said.local_name:
                return device, said

async def theirs_once():
    started = time.perf_counter()
    device, said = await found(ADDRESS.format(1))
    bms = await bms_identify(said, device.address)
    async with bms(device) as connected:
        assert "voltage" in await connected.async_update()
        return time.perf_counter() - started

async def once(rounds):
    plugins(), load_bms_plugins()
    result = {"ours": [], "theirs": []}
    for _ in range(rounds):
        for name, run in (("ours", ours_once), ("theirs", theirs_once)):
            result[name].append(await run())
            await asyncio.sleep(0.3)
    return result

async def ours_long(address, seconds, tally):
    ends = time.monotonic() + seconds
    async for event in follow(lambda: open_device("ble://" + address), 1.0):
        good = isinstance(event, Reading) and event.samples[0].condition is Condition.FRESH
        tally["read" if good else "lost"] += isinstance(event, Reading)
        tally["outages"] += type(event).__name__ == "Outage"
        if time.monotonic() > ends:
            return

async def theirs_long(address, seconds, tally):
    device, said = await found(address)
    bms = await bms_identify(said, address)
    async with bms(device) as connected:
        due, ends = time.monotonic(), time.monotonic() + seconds
        while time.monotonic() < ends:
            try:
                tally["read"] += "voltage" in await connected.async_update()
            except Exception:
                tally["lost"] += 1
            due += 1
            await asyncio.sleep(max(due - time.monotonic(), 0))

async def long(run, packs, seconds):
    tally = {"read": 0, "lost": 0, "outages": 0}
    before = time.process_time()
    async with asyncio.TaskGroup() as group:
        for number in range(1, packs + 1):
            group.create_task(run(ADDRESS.format(number), seconds, tally))
    tally["cpu"] = (time.process_time() - before) / seconds
    tally["rss"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return tally

async def main(port, what, number, seconds):
    async with bluetooth_adapter(f"tcp-client:127.0.0.1:{port}"):
        if what == "once":
            return await once(int(number))
        return await long({"ours": ours_long, "theirs": theirs_long}[what], int(number), float(seconds))

print(json.dumps(asyncio.run(main(*sys.argv[1:]))))
"""

#: `packwire read` up to the moment at which it wants the radio to listen, on a back end that notes the time.
_START = """
import bleak, sys
from bleak.backends.scanner import BaseBleakScanner

class Scanner(BaseBleakScanner):
    def __init__(self, callback, uuids, mode, **kwargs):
        super().__init__(callback, uuids)

    async def start(self):
        print("listening", flush=True)
        sys.exit(0)

    async def stop(self):
        pass

bleak.get_platform_scanner_backend_type = lambda: (Scanner, "timed")
from packwire.cli.main import main
main()
"""


def measure() -> list[Figure]:
    """Return seconds, and what sixteen packs cost."""
    with tempfile.TemporaryDirectory() as cache:
        environment = installed(cache) | {"XDG_CACHE_HOME": cache}
        start = min(_start(environment) for _ in range(ROUNDS))
        with _air(1, environment) as port:
            once = _client(environment, port, "once", ROUNDS, 0)
        with _air(PACKS, environment) as port:
            ours = _client(environment, port, "ours", PACKS, SECONDS)
            theirs = _client(environment, port, "theirs", PACKS, SECONDS)
    mine, peer = statistics.median(once["ours"]), statistics.median(once["theirs"])
    return [
        Figure("process start of packwire read ble:// until the radio listens", start, "s", at_most=0.8),
        Figure("find, connect and first sample of a JBD, packwire", mine, "s"),
        Figure("the same by aiobmsble alone, its plugins loaded", peer, "s"),
        Figure("packwire's time / aiobmsble's", mine / peer, "times", at_most=1.2),
        Figure(f"{PACKS} packs at 1 Hz for {SECONDS:g} s, samples read", ours["read"], ""),
        Figure("of which lost", ours["lost"] + ours["outages"], "", at_most=0),
        Figure("processor, of one core", ours["cpu"] * 100, "%"),
        Figure("processor, aiobmsble alone", theirs["cpu"] * 100, "%"),
        Figure("memory", ours["rss"], "MB"),
        Figure("memory, aiobmsble alone", theirs["rss"], "MB"),
        Figure("lost by aiobmsble alone", theirs["lost"], ""),
    ]


@contextlib.contextmanager
def _air(packs: int, environment: dict[str, str]) -> Iterator[int]:
    command = [sys.executable, "-c", _SERVE, str(packs)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            assert process.stdout is not None
            yield int(process.stdout.readline())
        finally:
            process.terminate()


def _client(environment: dict[str, str], port: int, what: str, number: int, seconds: float) -> Any:
    command = [sys.executable, "-c", _CLIENT, str(port), what, str(number), str(seconds)]
    return json.loads(subprocess.check_output(command, text=True, env=environment))


def _start(environment: dict[str, str]) -> float:
    command = [sys.executable, "-c", _START, "read", "ble://A4:C1:38:00:00:01"]
    started = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        seconds = time.perf_counter() - started
    assert line == "listening\n", line
    return seconds
