"""`packwire scan`: what could be read from here."""

import asyncio
<<<<<<< HEAD
from collections.abc import Coroutine
from typing import Annotated, Any
=======
from typing import Annotated
>>>>>>> main

from cyclopts import Parameter
from rich.console import Console

<<<<<<< HEAD
from packwire.cli.adapters import bluetooth_adapter
=======
>>>>>>> main
from packwire.cli.exit_codes import ExitCode
from packwire.cli.finds import Find, in_the_air, on_the_network, serial_ports
from packwire.cli.limits import positive
<<<<<<< HEAD
from packwire.cli.options import AllOption
from packwire.cli.terminal import make_console
from packwire.cli.views.finds import lines, record
from packwire.errors import MissingExtraError, UnreachableError
=======
from packwire.cli.records.live import Find as FindRecord
from packwire.cli.terminal import make_console, printable
from packwire.link.scan import SECONDS, Find, look_around
>>>>>>> main
from packwire.protocols import announcing
from packwire.visible import record_text


def scan(
    *,
<<<<<<< HEAD
    for_: Annotated[float, Parameter(name="--for")] = 5.0,
    adapter: str = "",
=======
    for_: Annotated[float, Parameter(name="--for")] = SECONDS,
>>>>>>> main
    udp_port: int = announcing()[0].port,
    all_: AllOption = False,
    json: bool = False,
) -> int:
    """List the packs with Bluetooth, the VESCs that announce themselves in this network, and serial ports.

    Parameters
    ----------
    for_
        Seconds to listen; a VESC Express announces itself once a second, a pack may take several.
    adapter
        The Bluetooth adapter to use, such as hci1; else the system's choice.
    udp_port
        The UDP port on which VESCs announce themselves.
    all_
        All Bluetooth devices that nobody knows, not only the near ones with a name.
    json
        One JSON object a find (JSON lines).
    """
    positive("--for", for_)
    console = make_console()
<<<<<<< HEAD
    with make_console(stderr=True).status(
        f"listening for {for_:g} s: Bluetooth, and VESCs on UDP {udp_port}"
    ):
        finds, problems = asyncio.run(_find(for_, adapter, udp_port))
    if json:
        for find in finds:
            print(json_text(record(find)))
    else:
        for line in lines(finds, console.width, everything=all_):
            console.print(line)
    for problem in problems:
=======
    with make_console(stderr=True).status(f"listening for VESCs on UDP {udp_port} for {for_:g} s"):
        found = asyncio.run(look_around(for_, udp_port))
    for find in found.finds:
        if json:
            print(record_text(_record(find)))
        else:
            console.print(f"{find.address:32}  {printable(find.description)}")
    for problem in found.problems:
>>>>>>> main
        make_console(stderr=True).print(problem, style="yellow")
    if not found.finds and not json:
        _advise(console)
    return ExitCode.OK if found.finds else ExitCode.NO_ANSWER


<<<<<<< HEAD
async def _find(seconds: float, adapter: str, port: int) -> tuple[list[Find], list[str]]:
    """Look everywhere at once; return what was found, and why one cannot look somewhere."""
    problems: list[str] = []
    async with bluetooth_adapter(adapter), asyncio.TaskGroup() as group:
        air = group.create_task(_told(in_the_air(seconds, adapter), problems))
        network = group.create_task(_told(on_the_network(seconds, port), problems))
        ports = group.create_task(_told(serial_ports(), problems))
    return [*air.result(), *network.result(), *ports.result()], problems


async def _told(looking: Coroutine[Any, Any, list[Find]], problems: list[str]) -> list[Find]:
    try:
        return await looking
    except (UnreachableError, MissingExtraError) as error:
        problems.append(str(error))
        return []
=======
def _record(find: Find) -> FindRecord:
    return {
        "kind": "find",
        "link": find.link.value,
        "address": find.address,
        "description": find.description,
    }
>>>>>>> main


def _advise(console: Console) -> None:
    console.print(
        "Nothing found. A pack with Bluetooth is not seen while an app is connected to it. A VESC Express "
        "announces itself when local TCP is enabled in its configuration and it is in this network; a VESC "
        "behind a hub is not found this way: packwire read veschub://ID@host"
    )
