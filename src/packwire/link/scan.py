"""What could be read from here: VESCs that announce themselves on the network, serial ports."""

from dataclasses import dataclass

from packwire.address import LinkKind, serial_address, tcp_address
from packwire.errors import MissingExtraError, UnreachableError
from packwire.link.discovery import discover
from packwire.link.serial import list_ports

#: Seconds; a VESC Express announces itself once a second.
SECONDS = 2.5


@dataclass(frozen=True, slots=True)
class Find:
    """Something that could be read: `address` is for `open_device`, `description` what it says it is."""

    link: LinkKind
    address: str
    description: str


@dataclass(frozen=True, slots=True)
class Findings:
    """What a look around gave; `problems` say in a line each where one could not look, and why."""

    finds: tuple[Find, ...]
    problems: tuple[str, ...] = ()


async def look_around(seconds: float = SECONDS, udp_port: int | None = None) -> Findings:
    """Listen for some seconds; tell also where that cannot be done.

    `udp_port`: where devices announce themselves, if not on their protocol's own port.
    """
    finds: list[Find] = []
    problems: list[str] = []
    try:
        for sender, announcement in await discover(seconds, udp_port):
            told = announcement.address
            note = "" if told == sender else f" (it says that it is at {told})"
            address = str(tcp_address(sender, announcement.port))
            finds.append(Find(LinkKind.TCP, address, f"VESC {announcement.name!r}{note}"))
    except UnreachableError as error:
        problems.append(str(error))
    try:
        finds += [
            Find(LinkKind.SERIAL, str(serial_address(each.path)), each.description or "serial port")
            for each in list_ports()
        ]
    except MissingExtraError as error:
        problems.append(str(error))
    return Findings(tuple(finds), tuple(problems))
