"""Three clients at once through the hub and through `share`, with an adversary: `python -m tests.soak.sharing`.

Runs `packwire hub`, a simulated VESC that dials it, `packwire share` on top of the hub, three clients of each,
and one who does harm (wrong passwords, half frames, connections that say nothing, one that never reads).
Reports every ten seconds, and ends with 1 where a well-behaved client lost a reply or memory kept growing.
PACKWIRE_SOAK_SECONDS or `--seconds`: how long, 60 by itself; an hour is 3600.
"""

# ruff: noqa: T201 - a command

import argparse
import asyncio
import contextlib
import os
import random
import re
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path

from packwire.link.tcp import TcpLink
from packwire.sim.server import SimOptions, SimulatedVesc
from packwire.vesc.commands import Command
from packwire.vesc.framing import encode_frame
from packwire.vesc.requests import request
from tests.device.vesc_client import VescClient
from tests.hub.adversaries.under_attack import ASK, HubProcess, dial, hub_process
from tests.hub.hubs import PASSWORD, is_connected, vesc_client
from tests.soak.memory import GROWTH, resident

SECONDS = 60.0
REPORT_EVERY = 10.0
CLIENTS = 3
WARM_UP = 0.2
"""Share of the time after which memory is measured for the first time, at least 5 s."""


class Soak:
    """The clients' account, and the memory of the processes between them and the device."""

    def __init__(self, processes: dict[str, int]) -> None:
        self.clients: list[VescClient] = []
        self.processes = processes
        self.attacks = 0
        self.warm: dict[str, float] = {}

    def memory(self) -> dict[str, float]:
        """Return each process's resident memory in MiB."""
        return {name: resident(pid) for name, pid in self.processes.items()}

    def counts(self) -> tuple[int, int]:
        """Return requests that were answered, and those that were not, or late, or not asked for."""
        stats = [client.stats for client in self.clients]
        lost = sum(each.timeouts + each.late + each.unasked for each in stats)
        return sum(each.replies for each in stats), lost

    def report(self, seconds: float) -> None:
        """Print one line."""
        replies, lost = self.counts()
        memory = "  ".join(f"{name} {size:.1f} MiB" for name, size in self.memory().items())
        print(
            f"{seconds:7.0f} s  {replies} replies  lost {lost}  attacks {self.attacks}  {memory}", flush=True
        )

    def verdict(self) -> int:
        """Say what it came to; return the exit code."""
        replies, lost = self.counts()
        grown = {name: size - self.warm[name] for name, size in self.memory().items()}
        bad = lost or not replies or any(size > GROWTH for size in grown.values())
        growth = ", ".join(f"{name} {size:+.1f} MiB" for name, size in grown.items())
        print(
            f"{'FAILED' if bad else 'ended well'}: {replies} replies, {lost} lost; grown since warm: {growth}"
        )
        return 1 if bad else 0


async def soak(seconds: float) -> int:
    with tempfile.TemporaryDirectory() as folder:
        async with contextlib.AsyncExitStack() as stack:
            hub = await stack.enter_async_context(hub_process(Path(folder)))
            vesc = SimOptions(
                port=None,
                hub=("127.0.0.1", hub.port),
                hub_id="TESTPACK",
                hub_password=PASSWORD,
                can_delay=0.001,
            )
            await stack.enter_async_context(SimulatedVesc(vesc))
            while not await is_connected(hub.port, "TESTPACK"):
                await asyncio.sleep(0.05)
            share_pid, share_port = await stack.enter_async_context(share_process(hub.port))
            state = Soak({"hub": hub.pid, "share": share_pid})
            for _ in range(CLIENTS):
                state.clients.append(await stack.enter_async_context(vesc_client(hub.port)))
                state.clients.append(await stack.enter_async_context(shared_client(share_port)))
            return await _run(state, hub, seconds)


async def _run(state: Soak, hub: HubProcess, seconds: float) -> int:
    began = time.monotonic()
    tasks = [asyncio.ensure_future(_read(client)) for client in state.clients]
    tasks.append(asyncio.ensure_future(_harm(state, hub)))
    warm_at = max(5.0, seconds * WARM_UP)
    next_report = REPORT_EVERY
    try:
        while (elapsed := time.monotonic() - began) < seconds:
            await asyncio.sleep(min(1.0, seconds - elapsed))
            elapsed = time.monotonic() - began
            for task in tasks:
                if task.done():
                    task.result()
            if not state.warm and elapsed >= warm_at:
                state.warm = state.memory()
            if elapsed >= next_report:
                state.report(elapsed)
                next_report += REPORT_EVERY
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    state.warm = state.warm or state.memory()
    return state.verdict()


async def _read(client: VescClient) -> None:
    """Read the battery, and a node on the CAN bus, ten times a second."""
    while True:
        await client.request(ASK)
        await client.request(request(Command.GET_VALUES), 84)
        await asyncio.sleep(0.1)


async def _harm(state: Soak, hub: HubProcess) -> None:
    chance = random.Random(1)
    login = b"VESCTOOL:TESTPACK:%b\n" % PASSWORD.encode()
    attacks = (
        lambda: b"VESCTOOL:TESTPACK:guess%d\n" % chance.getrandbits(32),
        lambda: login + encode_frame(ASK * 200)[:120],
        lambda: b"x" * 100_000,
        lambda: b"",
        lambda: login + encode_frame(ASK) * 1000,
        lambda: b"GET / HTTP/1.1\r\n\r\n",
    )
    while True:
        with contextlib.suppress(ConnectionError):
            writer = await dial(hub, chance.choice(attacks)())
            await asyncio.sleep(0.05)
            writer.transport.abort()
        state.attacks += 1


@contextlib.asynccontextmanager
async def share_process(hub_port: int) -> AsyncIterator[tuple[int, int]]:
    """Run `packwire share` on top of the hub; yields its process id and its port."""
    address = f"veschub://TESTPACK@127.0.0.1:{hub_port}"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-u", "-m", "packwire", "share", address, "--listen", "0",
        env=os.environ | {"PACKWIRE_PASSWORD": PASSWORD}, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        said = ""
        while not (found := re.search(r"is shared on 127\.0\.0\.1:(\d+)", said)):
            line = (await process.stdout.readline()).decode()
            assert line, f"share did not start: {said}"
            said += line
        reading = asyncio.ensure_future(process.stdout.read())
        yield process.pid, int(found.group(1))
        reading.cancel()
    finally:
        process.terminate()
        await process.wait()


@contextlib.asynccontextmanager
async def shared_client(port: int) -> AsyncIterator[VescClient]:
    client = VescClient(TcpLink("127.0.0.1", port), timeout=3.0)
    try:
        await client.connect()
        yield client
    finally:
        await client.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    usual = float(os.environ.get("PACKWIRE_SOAK_SECONDS", SECONDS))
    parser.add_argument("--seconds", type=float, default=usual)
    return asyncio.run(soak(parser.parse_args().seconds))


if __name__ == "__main__":
    sys.exit(main())
