"""`packwire watch`: a pack live, on a terminal as a card with bars, piped as lines."""

from packwire.cli.devices import DeviceOptions, target
from packwire.cli.limits import at_least_one, positive, positive_or_none
from packwire.cli.options import AddressArgument, CountOption, ForOption, JsonOption
from packwire.cli.running import run_until_stopped
from packwire.cli.views.live import make_view
from packwire.cli.watching import WatchLimits, watch_device

_NO_OPTIONS = DeviceOptions()


def watch(
    address: AddressArgument,
    /,
    *,
    rate: float = 10.0,
    count: CountOption = None,
    for_: ForOption = None,
    json: JsonOption = False,
    options: DeviceOptions = _NO_OPTIONS,
) -> int:
    """Watch a pack live; it comes back by itself when the device does. Ctrl-C ends it.

    Parameters
    ----------
    rate
        Readings a second.
    count
        End after so many readings.
    """
    positive("--rate", rate)
    limits = WatchLimits(at_least_one("--count", count), positive_or_none("--for", for_))
    return run_until_stopped(_watch(address, options, 1 / rate, limits, json=json))


async def _watch(
    text: str, options: DeviceOptions, interval: float, limits: WatchLimits, *, json: bool
) -> int:
    async with target(text, options) as wanted:
        with make_view(wanted.wants, json=json) as view:
            return await watch_device(lambda: wanted.device(tries=1), view, interval, limits)
