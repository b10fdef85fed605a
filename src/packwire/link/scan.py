"""What could be read from here: packs in the air, VESCs on the network, serial ports."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from shlex import quote
from typing import Any

from packwire.address import VESC, LinkKind, Radio, ble_address, serial_address, tcp_address
from packwire.advertisement import Advertisement, is_weak
from packwire.errors import MissingExtraError, PackwireError, UnreachableError
from packwire.link.discovery import discover
from packwire.link.serial import list_ports

#: A VESC Express announces itself once a second; a pack that saves power may advertise every few seconds.
SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Find:
    """Something that could be read: `address` is for `open_device`, `description` what it says it is.

    `place` is where it is in its own terms (a Bluetooth address, a host), `name` what it calls itself,
    `speaks` what it is, empty where nobody knows; `models` are the protocols of packwire that know it,
    `plugin` is that of aiobmsble. `rssi` is in dBm; `weak` tells that connections may break.
    """

    link: LinkKind
    address: str
    description: str
    place: str = ""
    name: str = ""
    speaks: str = ""
    rssi: int | None = None
    weak: bool = False
    models: tuple[str, ...] = ()
    plugin: str = ""

    @property
    def command(self) -> str:
        """Return what to type to read it, or to find out about it."""
        verb = "explore" if self.link is LinkKind.BLE and not self.speaks else "read"
        return f"packwire {verb} {quote(self.address)}"


@dataclass(frozen=True, slots=True)
class Unlooked:
    """A kind of link over which one could not look, and why."""

    link: LinkKind
    error: PackwireError


@dataclass(frozen=True, slots=True)
class Findings:
    """What a look around gave, and where one could not look."""

    finds: tuple[Find, ...]
    problems: tuple[Unlooked, ...] = ()


async def look_around(seconds: float = SECONDS, udp_port: int | None = None, radio: Radio = "") -> Findings:
    """Listen for some seconds, everywhere at once; tell also where that cannot be done.

    `udp_port`: where devices announce themselves, if not on their protocol's own port. `radio`:
    the Bluetooth adapter, if not the system's choice, or a proxy.
    """
    problems: list[Unlooked] = []
    looks = {
        LinkKind.BLE: _in_the_air(seconds, radio),
        LinkKind.TCP: _on_the_network(seconds, udp_port),
        LinkKind.SERIAL: _serial_ports(),
    }
    async with asyncio.TaskGroup() as group:
        looking = [group.create_task(_told(link, look, problems)) for link, look in looks.items()]
    return Findings(tuple(find for each in looking for find in each.result()), tuple(problems))


async def _told(
    link: LinkKind, looking: Coroutine[Any, Any, list[Find]], problems: list[Unlooked]
) -> list[Find]:
    try:
        return await looking
    except (UnreachableError, MissingExtraError) as error:
        problems.append(Unlooked(link, error))
        return []


async def _in_the_air(seconds: float, radio: Radio) -> list[Find]:
    """Return the Bluetooth devices that advertise: known ones first, then the strongest."""
    from packwire.link.ble.discovery import scan  # noqa: PLC0415 - an extra

    found = [_of_bluetooth(each.advertisement, radio) for each in await scan(seconds, radio)]
    return sorted(found, key=lambda each: not each.speaks)


def _of_bluetooth(seen: Advertisement, radio: Radio) -> Find:
    from packwire.models.aiobmsble_plugins import plugin_for  # noqa: PLC0415 - an extra
    from packwire.protocols import recognised  # noqa: PLC0415 - all models

    plugin = plugin_for(seen)
    protocols = recognised(seen)
    speaks = protocols[0].title if protocols else plugin.title if plugin else ""
    return Find(
        LinkKind.BLE,
        str(ble_address(seen.address, radio=radio)),
        " ".join(part for part in (seen.name, speaks or "of an unknown kind") if part),
        seen.address,
        seen.name,
        speaks,
        seen.rssi,
        is_weak(seen.rssi),
        tuple(each.name for each in protocols),
        plugin.name if plugin else "",
    )


async def _on_the_network(seconds: float, port: int | None) -> list[Find]:
    finds = []
    for sender, said in await discover(seconds, port):
        note = "" if said.address == sender else f" (it says that it is at {said.address})"
        address = str(tcp_address(sender, said.port))
        finds.append(
            Find(
                LinkKind.TCP,
                address,
                f"VESC {said.name!r}{note}",
                sender,
                f"{said.name}{note}",
                "VESC",
                models=(VESC,),
            )
        )
    return finds


async def _serial_ports() -> list[Find]:
    return [serial_find(each.path, each.description) for each in list_ports()]


def serial_find(path: str, description: str = "") -> Find:
    """Return a serial port of which nobody knows yet what is on it."""
    said = description or "serial port"
    return Find(LinkKind.SERIAL, str(serial_address(path)), said, path, said)


async def probed(found: Findings, tell: Callable[[str], None]) -> Findings:
    """Ask on each serial port who is there: see `packwire.link.probing`; `tell` hears what is tried."""
    from packwire.link.probing import probe  # noqa: PLC0415 - all models

    finds, problems = [], list(found.problems)
    for each in found.finds:
        hit = None
        if each.link is LinkKind.SERIAL:
            try:
                hit = await probe(each.place, tell)
            except UnreachableError as error:
                problems.append(Unlooked(each.link, error))
        if hit is None:
            finds.append(each)
        else:
            finds.append(replace(each, address=hit.address, speaks=hit.title, models=(hit.model,)))
    return Findings(tuple(finds), tuple(problems))
