"""Showing a live device until a limit is reached: what `watch` and `demo` share."""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass

from packwire.cli.exit_codes import ExitCode, exit_code_of
from packwire.cli.views.live import View
from packwire.device import Device
from packwire.device.follow import Outage, Reading, keep_following
from packwire.errors import NoAnswerError


@dataclass(frozen=True, slots=True)
class WatchLimits:
    """When to end by itself: after so many readings, or seconds; None is never."""

    count: int | None = None
    seconds: float | None = None


async def watch_device(
    connect: Callable[[], Device], view: View, interval: float, limits: WatchLimits
) -> int:
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
