"""`packwire scan`: what could be read from here."""

import asyncio
from dataclasses import replace
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console

from packwire.address import LinkKind, Radio, bluetooth_proxy
from packwire.cli.adapters import bluetooth_adapter
from packwire.cli.exit_codes import ExitCode, exit_code_of
from packwire.cli.limits import positive
from packwire.cli.options import AllOption, JsonOption
from packwire.cli.passwords import with_key
from packwire.cli.terminal import make_console
from packwire.cli.views.finds import lines, record
from packwire.errors import BadOptionError
from packwire.link.scan import SECONDS, Findings, look_around, probed, serial_find
from packwire.protocols import announcing
from packwire.visible import record_text


def scan(
    *,
    for_: Annotated[float, Parameter(name="--for")] = SECONDS,
    adapter: str = "",
    proxy: str | None = None,
    take: Annotated[bool, Parameter(negative=())] = False,
    udp_port: int = announcing()[0].port,
    all_: AllOption = False,
    probe: Annotated[bool, Parameter(negative=())] = False,
    serial_port: Annotated[tuple[str, ...], Parameter(negative=(), consume_multiple=False)] = (),
    json: JsonOption = False,
) -> int:
    """List the packs with Bluetooth, the VESCs that announce themselves in this network, and serial ports.

    Parameters
    ----------
    for_
        Seconds to listen; a VESC Express announces itself once a second, a pack may take several.
    adapter
        The Bluetooth adapter to use, such as hci1; else the system's choice.
    proxy
        The Bluetooth of an ESPHome device in its place, such as esp32-garage.local (its key:
        PACKWIRE_PROXY_KEY, or the keyring).
    take
        Take the proxy's Bluetooth, although Home Assistant, if it has it now, hears nothing through it until
        its ESPHome entry is reloaded.
    udp_port
        The UDP port on which VESCs announce themselves.
    all_
        All Bluetooth devices that nobody knows, not only the near ones with a name.
    probe
        Find out what is on each serial port: models and baud rates are tried, with questions that only ask.
    serial_port
        Probe this serial port alone, such as /dev/ttyUSB0, and look nowhere else; may be repeated.
    """
    positive("--for", for_)
    console = make_console()
    with make_console(stderr=True).status(
        f"listening for {for_:g} s: Bluetooth, and VESCs on UDP {udp_port}"
    ) as status:
        tell = status.update
        if serial_port:
            found = Findings(tuple(serial_find(each) for each in serial_port))
        else:
            found = asyncio.run(_look_around(for_, udp_port, _radio(adapter, proxy, take=take)))
        if probe or serial_port:
            found = asyncio.run(probed(found, tell))
    if json:
        for find in found.finds:
            print(record_text(record(find)))
    else:
        for line in lines(found.finds, console.width, everything=all_):
            console.print(line)
    for problem in found.problems:
        make_console(stderr=True).print(str(problem.error), style="yellow")
    if not found.finds and not json:
        _advise(console)
    if adapter or proxy:  # what was named is what was wanted
        unlooked = [each.error.reason for each in found.problems if each.link is LinkKind.BLE]
        if unlooked:
            return exit_code_of(unlooked[0])
    return ExitCode.OK if found.finds else ExitCode.NO_ANSWER


def _radio(adapter: str, proxy: str | None, *, take: bool) -> Radio:
    if proxy is None:
        if take:
            raise BadOptionError("--take goes with --proxy HOST")
        return adapter
    if adapter:
        raise BadOptionError("--adapter and --proxy exclude each other: a proxy stands for the adapter")
    return replace(with_key(bluetooth_proxy(proxy)), takes=take)


async def _look_around(seconds: float, port: int, radio: Radio) -> Findings:
    async with bluetooth_adapter(radio if isinstance(radio, str) else ""):
        return await look_around(seconds, port, radio)


def _advise(console: Console) -> None:
    console.print(
        "Nothing found. A pack with Bluetooth is not seen while an app is connected to it. A VESC Express "
        "announces itself when local TCP is enabled in its configuration and it is in this network; a VESC "
        "behind a hub is not found this way: packwire read veschub://ID@host"
    )
