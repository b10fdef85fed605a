"""`packwire watch`: a pack live, on a terminal as a card with bars, piped as lines."""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from cyclopts import Parameter

from packwire.cli.devices import DeviceOptions, target
from packwire.cli.exit_codes import ExitCode, exit_code_of
from packwire.cli.limits import positive, positive_or_none
from packwire.cli.running import run_until_stopped
from packwire.cli.views import View, make_view
from packwire.device import Device
from packwire.device.follow import Outage, Reading, follow
from packwire.errors import NoAnswerError

_NO_OPTIONS = DeviceOptions()


def watch(
    address: str,
    /,
    *,
    rate: Annotated[float, Parameter(alias="-r")] = 10.0,
    count: Annotated[int | None, Parameter(alias="-c")] = None,
    for_: Annotated[float | None, Parameter(name="--for")] = None,
    json: bool = False,
    options: DeviceOptions = _NO_OPTIONS,
) -> int:
    """Watch a pack live; it comes back by itself when the device does. Ctrl-C ends it.

    Parameters
    ----------
    address
        vesc://host, veschub://ID@host, serial:/dev/ttyACM0 or sim:vesc; add /can/84 for one node alone.
    rate
        Readings a second.
    count
        End after so many readings.
    for_
        End after so many seconds.
    json
        One JSON object a node and reading (JSON lines).
    """
    positive("--rate", rate)
    positive_or_none("--count", count)
    limits = Limits(count, positive_or_none("--for", for_))
    return run_until_stopped(_watch(address, options, 1 / rate, limits, json=json))


@dataclass(frozen=True, slots=True)
class Limits:
    """When to end by itself: after so many readings, or seconds; None is never."""

    count: int | None = None
    seconds: float | None = None


async def _watch(text: str, options: DeviceOptions, interval: float, limits: Limits, *, json: bool) -> int:
    async with target(text, options) as wanted:
        with make_view(wanted.wants, json=json) as view:
            return await watch_device(lambda: wanted.device(tries=1), view, interval, limits)


async def watch_device(connect: Callable[[], Device], view: View, interval: float, limits: Limits) -> int:
    """Show what `follow` gives until a limit is reached; return the exit code.

    It is that of the outage which was not over at the end, if there was one.
    """
    readings = 0
    code: int | None = None
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(limits.seconds), contextlib.aclosing(follow(connect, interval)) as events:
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
