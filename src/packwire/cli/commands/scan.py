"""`packwire scan`: what could be read from here."""

import asyncio
from typing import Annotated, Any

from cyclopts import Parameter
from rich.console import Console

from packwire.address import serial_address, tcp_address
from packwire.cli.exit_codes import ExitCode
from packwire.cli.limits import positive
from packwire.cli.terminal import make_console, printable
from packwire.errors import MissingExtraError, UnreachableError
from packwire.link.discovery import discover
from packwire.link.serial import list_ports
from packwire.protocols import announcing
from packwire.visible import json_text


def scan(
    *,
    for_: Annotated[float, Parameter(name="--for")] = 2.5,
    udp_port: int = announcing()[0].port,
    json: bool = False,
) -> int:
    """List the VESCs that announce themselves on this network, and the serial ports.

    Parameters
    ----------
    for_
        Seconds to listen; a VESC Express announces itself once a second.
    udp_port
        The UDP port on which VESCs announce themselves.
    json
        One JSON object a find (JSON lines).
    """
    positive("--for", for_)
    console = make_console()
    with make_console(stderr=True).status(f"listening for VESCs on UDP {udp_port} for {for_:g} s"):
        finds, problems = asyncio.run(_find(for_, udp_port))
    for find in finds:
        if json:
            print(json_text(find))
        else:
            console.print(f"{find['address']:32}  {printable(find['description'])}")
    for problem in problems:
        make_console(stderr=True).print(problem, style="yellow")
    if not finds and not json:
        _advise(console)
    return ExitCode.OK if finds else ExitCode.NO_ANSWER


async def _find(seconds: float, port: int) -> tuple[list[dict[str, Any]], list[str]]:
    finds: list[dict[str, Any]] = []
    problems: list[str] = []
    try:
        for sender, announcement in await discover(seconds, port):
            address = str(tcp_address(sender, announcement.port))
            told = announcement.address
            note = "" if told == sender else f" (it says that it is at {told})"
            finds.append(
                {"kind": "vesc", "address": address, "description": f"VESC {announcement.name!r}{note}"}
            )
    except UnreachableError as error:
        problems.append(str(error))
    try:
        for serial in list_ports():
            address = str(serial_address(serial.path))
            finds.append(
                {"kind": "serial", "address": address, "description": serial.description or "serial port"}
            )
    except MissingExtraError as error:
        problems.append(str(error))
    return finds, problems


def _advise(console: Console) -> None:
    console.print(
        "Nothing found. A VESC Express announces itself when local TCP is enabled in its configuration and "
        "it is in this network; a VESC behind a hub is not found this way: packwire read veschub://ID@host"
    )
