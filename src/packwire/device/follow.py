"""Reading a device again and again, and coming back by itself when it was gone.

The one loop behind `watch` and everything else that runs for long.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from itertools import count

from packwire.device.base import Device
from packwire.errors import DisplacedError, PackwireError, Reason, WrongPinError
from packwire.sample import Sample


@dataclass(frozen=True, slots=True)
class Connected:
    """The device answers (again); its nodes may still grow."""

    device: Device


@dataclass(frozen=True, slots=True)
class Reading:
    """One sample of each node."""

    device: Device
    samples: tuple[Sample, ...]


@dataclass(frozen=True, slots=True)
class Outage:
    """The device is gone, or was not there again; the next attempt comes in `retry_in` seconds."""

    error: PackwireError
    retry_in: float


type Event = Connected | Reading | Outage

#: Seconds before the attempts to come back: quick at first, for a link that hiccuped.
DELAYS = (0.5, 1.0, 2.0, 5.0, 10.0)
#: Whoever was displaced by another client must not displace it at once in turn.
DISPLACED_DELAYS = (15.0, 30.0, 60.0, 120.0)


def retry_delay(error: PackwireError, attempt: int) -> float:
    """Return how long to wait before attempt `attempt` (from 0) to come back after this error, in s."""
    delays = DISPLACED_DELAYS if isinstance(error, DisplacedError) else DELAYS
    return delays[min(attempt, len(delays) - 1)]


async def follow(connect: Callable[[], Device], interval: float) -> AsyncGenerator[Event]:
    """Read for ever, every `interval` seconds; `connect` makes a new Device for each connection.

    An error at the very first connection is raised: the address may be wrong. After that every error is an
    `Outage` and is recovered from, but for the end of a recording and a wrong PIN, which
    are raised.
    """
    loop = asyncio.get_running_loop()
    ever_connected = False
    attempt = 0
    delay = connected_at = 0.0
    while True:
        try:
            async with connect() as device:
                connected_at = loop.time()
                async for event in _session(device, interval):
                    ever_connected = True
                    yield event
        except PackwireError as error:
            if not ever_connected or error.reason is Reason.ENDED or isinstance(error, WrongPinError):
                raise
            # A connection that did not outlive the wait before it was no success: two clients that displace
            # each other at a hub must wait longer and longer.
            if connected_at and loop.time() - connected_at > 2 * delay:
                attempt = 0
            connected_at = 0.0
            delay = retry_delay(error, attempt)
            attempt += 1
            yield Outage(error, delay)
            await asyncio.sleep(delay)


#: What may be over in a while; anything else will be as wrong as it is now.
_PASSING = frozenset(
    {
        Reason.PORT_REFUSED, Reason.TIMED_OUT, Reason.NO_ROUTE, Reason.NOT_THERE, Reason.BUSY, Reason.SILENT,
        Reason.NO_NODE, Reason.HUB_PORT, Reason.NO_DATA, Reason.CLOSED, Reason.FELL_SILENT, Reason.LEFT,
        Reason.DISPLACED, Reason.POWERED_OFF, Reason.NO_BLUETOOTH,
        Reason.OUT_OF_RANGE,
    }
)  # fmt: skip


async def keep_following(connect: Callable[[], Device], interval: float) -> AsyncGenerator[Event]:
    """Follow a device that need not be there yet; errors that time does not mend are raised."""
    for attempt in count():
        try:
            async with contextlib.aclosing(follow(connect, interval)) as events:
                async for event in events:
                    yield event
        except PackwireError as error:
            if error.reason not in _PASSING:
                raise
            delay = retry_delay(error, attempt)
            yield Outage(error, delay)
            await asyncio.sleep(delay)


async def _session(device: Device, interval: float) -> AsyncGenerator[Event]:
    """Yield what one connection gives, until it ends with an error."""
    yield Connected(device)
    finding = asyncio.create_task(_find_nodes(device))
    loop = asyncio.get_running_loop()
    due = loop.time()
    try:
        while True:
            yield Reading(device, await device.read())
            due = max(due + interval, loop.time())
            await asyncio.sleep(due - loop.time())
    finally:
        finding.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await finding


async def _find_nodes(device: Device) -> None:
    with contextlib.suppress(PackwireError):  # a connection that ended is told by the reading
        await device.find_nodes()
