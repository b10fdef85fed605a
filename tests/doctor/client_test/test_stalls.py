"""What was noticed late, because this computer did not let us run, is known to be late."""

import asyncio
import time

from packwire.doctor.client_test.stalls import Stalls

STALL = 0.15


async def watched(stalls: Stalls) -> asyncio.Task[None]:
    task = asyncio.create_task(stalls.watch())
    await asyncio.sleep(0.05)
    return task


def test_a_stall_counts_for_what_is_handled_before_its_timer():
    """After a stall, what came meanwhile is handled first; the timer that was late comes behind it."""

    async def run() -> float:
        loop, stalls = asyncio.get_running_loop(), Stalls()
        task = await watched(stalls)
        began = loop.time()
        time.sleep(STALL)
        late = stalls.longest(began, loop.time())
        task.cancel()
        return late

    assert asyncio.run(run()) > STALL / 2


def test_a_stall_counts_for_what_began_in_it_and_was_noticed_behind_it():
    async def run() -> tuple[float, float]:
        loop, stalls = asyncio.get_running_loop(), Stalls()
        task = await watched(stalls)
        time.sleep(STALL)
        while not stalls.longest(0.0, loop.time() - STALL):  # its timer has been looked at
            await asyncio.sleep(0)
        noticed = loop.time()
        await asyncio.sleep(0.001)
        late, long_after = stalls.longest(noticed, loop.time()), stalls.longest(noticed + 1, loop.time())
        task.cancel()
        return late, long_after

    late, long_after = asyncio.run(run())
    assert late > STALL / 2
    assert long_after == 0


def test_no_stall_is_none():
    async def run() -> float:
        loop, stalls = asyncio.get_running_loop(), Stalls()
        task = await watched(stalls)
        late = stalls.longest(loop.time(), loop.time())
        task.cancel()
        return late

    assert asyncio.run(run()) < STALL
