"""`packwire record`: what passes between this program and a pack, in a file that is read like the pack."""

from pathlib import Path
from shlex import quote
from typing import Annotated

from cyclopts import Parameter

from packwire.cli.devices import DeviceOptions, target
from packwire.cli.limits import at_least_one, positive, positive_or_none
from packwire.cli.options import CountOption, ForOption
from packwire.cli.running import run_until_stopped
from packwire.cli.terminal import make_console, printable
from packwire.cli.views.live import make_view
from packwire.cli.watching import WatchLimits, watch_device
from packwire.device import Device

_NO_OPTIONS = DeviceOptions()


def record(
    address: str,
    /,
    *,
    out: Annotated[Path, Parameter(name="--out", alias="-o")],
    every: float = 1.0,
    count: CountOption = None,
    for_: ForOption = None,
    keep_secrets: Annotated[bool, Parameter(negative=())] = False,
    force: Annotated[bool, Parameter(negative=())] = False,
    options: DeviceOptions = _NO_OPTIONS,
) -> int:
    """Read a pack again and again, and record all that is said on the way. Ctrl-C ends it.

    Bluetooth is recorded as btsnoop, everything else as pcapng; Wireshark and every packwire command open
    both, and `packwire read replay:FILE` reads the file like the pack. Passwords, PINs and keys are masked.

    Parameters
    ----------
    address
        Any that packwire read takes: ble://A4:C1:38:00:00:01, vesc://host, serial:/dev/ttyACM0, or a name.
    out
        The file: .btsnoop for Bluetooth, .pcapng for everything else.
    every
        Seconds from one reading to the next.
    count
        End after so many readings.
    keep_secrets
        Write everything as it is, passwords and keys too.
    force
        Write over a file that is there already.
    """
    positive("--every", every)
    limits = WatchLimits(at_least_one("--count", count), positive_or_none("--for", for_))
    return run_until_stopped(_record(address, options, out, every, limits, secrets=keep_secrets, force=force))


async def _record(
    text: str,
    options: DeviceOptions,
    out: Path,
    every: float,
    limits: WatchLimits,
    *,
    secrets: bool,
    force: bool,
) -> int:
    from packwire.cli.recording.links import begin, recording  # noqa: PLC0415 - numpy, which --help does not need

    async with (
        target(text, options) as wanted,
        recording(begin(wanted.address, out, keep_secrets=secrets, force=force)) as made,
    ):

        def connect() -> Device:
            return wanted.device(tries=3, observers=made.observers())

        try:
            with make_view(wanted.wants, json=False) as view:
                return await watch_device(connect, view, every, limits)
        finally:
            made.finish()
            said = f"{printable(str(out))}: {made.amount}"
            if made.values:
                said += (
                    f". packwire read {quote(f'replay:{out}')} reads it like the pack, packwire messages "
                    f"{quote(str(out))} shows what was said"
                )
            make_console(stderr=True).print(said, soft_wrap=True)
