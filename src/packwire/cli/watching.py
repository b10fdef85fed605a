"""Showing a live device until a limit is reached: what `watch` and `demo` share."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from itertools import count

from packwire.cli.exit_codes import ExitCode, exit_code_of
from packwire.cli.views.live import View
from packwire.device import Device
from packwire.device.follow import Event, Outage, Reading, follow, retry_delay
from packwire.errors import NoAnswerError, PackwireError, Reason


@dataclass(frozen=True, slots=True)
class Limits:
    """When to end by itself: after so many readings, or seconds; None is never."""

    count: int | None = None
    seconds: float | None = None


#: What may be over in a while; anything else will be as wrong as it is now.
_PASSING = frozenset(
    {
        Reason.PORT_REFUSED, Reason.TIMED_OUT, Reason.NO_ROUTE, Reason.NOT_THERE, Reason.BUSY, Reason.SILENT,
        Reason.NO_NODE, Reason.HUB_PORT, Reason.NO_DATA, Reason.CLOSED, Reason.FELL_SILENT, Reason.LEFT,
        Reason.DISPLACED, Reason.POWERED_OFF, Reason.NO_BLUETOOTH, Reason.OUT_OF_RANGE,
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


async def watch_device(connect: Callable[[], Device], view: View, interval: float, limits: Limits) -> int:
    """Show what `follow` gives until a limit is reached; return the exit code.

    It is that of the outage which was not over at the end, if there was one.
    """
    readings = 0
    code: int | None = None
    with contextlib.suppress(TimeoutError):
        async with (
            asyncio.timeout(limits.seconds),
            contextlib.aclosing(keep_following(connect, interval)) as events,
        ):
            async for event in events:
                view.show(event)
                if isinstance(event, Outage):
                    code = exit_code_of(event.error.reason)
                elif isinstance(event, Reading):
                    code = ExitCode.OK
                    readings += 1
                    if readings == limits.count:
                        break
    if code is None:
        raise NoAnswerError(f"no reading within the {limits.seconds:g} s that were given")
    return code
