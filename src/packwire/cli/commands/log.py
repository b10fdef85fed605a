"""`packwire log`: a pack's values in a file of one's own, for as long as one likes."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from packwire.cli.devices import DeviceOptions, target
from packwire.cli.limits import positive, positive_or_none
from packwire.cli.options import AddressArgument, ForOption
from packwire.cli.running import run_until_stopped
from packwire.cli.terminal import make_console, printable
from packwire.cli.value_log import ValueLog
from packwire.cli.watching import WatchLimits, watch_device
from packwire.phrases import counted

_NO_OPTIONS = DeviceOptions()


def log(
    address: AddressArgument,
    /,
    *,
    out: Annotated[Path, Parameter(name="--out", alias="-o")],
    every: float = 1.0,
    rotate: float | None = None,
    for_: ForOption = None,
    options: DeviceOptions = _NO_OPTIONS,
) -> int:
    """Write a pack's values to a file, reading by reading; it comes back by itself when the device does.

    One row a value: time (UTC), node, quantity, index (of a cell, for example), value, unit, condition. A
    file that is there already is added to. Where no data comes, one row says since when and why, and one
    line is shown. Ctrl-C ends it.

    Parameters
    ----------
    out
        The file: .csv, .sqlite, or .parquet (needs the extra `parquet`; readable once it is closed).
    every
        Seconds from one reading to the next.
    rotate
        Begin another file when this one has so many megabytes; the old one gets the time in its name.
    """
    positive("--every", every)
    positive_or_none("--rotate", rotate)
    limits = WatchLimits(seconds=positive_or_none("--for", for_))
    return run_until_stopped(_log(address, options, out, every, rotate, limits))


async def _log(
    text: str, options: DeviceOptions, out: Path, every: float, rotate: float | None, limits: WatchLimits
) -> int:
    async with target(text, options) as wanted:
        with ValueLog(out, wanted.wants, rotate=rotate) as written:
            try:
                return await watch_device(lambda: wanted.device(tries=1), written, every, limits)
            finally:
                gaps = "" if not written.gaps else f", {counted(written.gaps, 'gap')}"
                make_console(stderr=True).print(
                    f"{printable(str(out))}: {written.readings} readings{gaps}", soft_wrap=True
                )
