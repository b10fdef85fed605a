"""`packwire scan`: what could be read from here."""

import asyncio
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console

from packwire.cli.exit_codes import ExitCode
from packwire.cli.limits import positive
from packwire.cli.options import JsonOption
from packwire.cli.records.live import Find as FindRecord
from packwire.cli.terminal import make_console, printable
from packwire.link.scan import SECONDS, Find, look_around
from packwire.protocols import announcing
from packwire.visible import record_text


def scan(
    *,
    for_: Annotated[float, Parameter(name="--for")] = SECONDS,
    udp_port: int = announcing()[0].port,
    json: JsonOption = False,
) -> int:
    """List the VESCs that announce themselves on this network, and the serial ports.

    Parameters
    ----------
    for_
        Seconds to listen; a VESC Express announces itself once a second.
    udp_port
        The UDP port on which VESCs announce themselves.
    """
    positive("--for", for_)
    console = make_console()
    with make_console(stderr=True).status(f"listening for VESCs on UDP {udp_port} for {for_:g} s"):
        found = asyncio.run(look_around(for_, udp_port))
    for find in found.finds:
        if json:
            print(record_text(_record(find)))
        else:
            console.print(f"{find.address:32}  {printable(find.description)}")
    for problem in found.problems:
        make_console(stderr=True).print(problem, style="yellow")
    if not found.finds and not json:
        _advise(console)
    return ExitCode.OK if found.finds else ExitCode.NO_ANSWER


def _record(find: Find) -> FindRecord:
    return {
        "kind": "find",
        "link": find.link.value,
        "address": find.address,
        "description": find.description,
    }


def _advise(console: Console) -> None:
    console.print(
        "Nothing found. A VESC Express announces itself when local TCP is enabled in its configuration and "
        "it is in this network; a VESC behind a hub is not found this way: packwire read veschub://ID@host"
    )
