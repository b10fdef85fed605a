"""What could be read from here: in the air, on the network, on serial ports; and what reads it."""

from dataclasses import dataclass
from enum import StrEnum

from packwire.address import VESC, Address, ble_address, serial_address, tcp_address
from packwire.advertisement import Advertisement
from packwire.link.discovery import discover
from packwire.link.serial import list_ports


class FindKind(StrEnum):
    """Where something was found."""

    BLUETOOTH = "bluetooth"
    VESC = "vesc"
    SERIAL = "serial"


@dataclass(frozen=True, slots=True)
class Find:
    """Something that could be read.

    `place` is where it is in its own terms (a Bluetooth address, a host), `speaks` what it is, empty where
    nobody knows; `models` are the protocols of packwire that know it, `plugin` aiobmsble's. `rssi` is in dBm.
    """

    kind: FindKind
    address: Address
    place: str
    name: str
    speaks: str = ""
    rssi: int | None = None
    weak: bool = False
    models: tuple[str, ...] = ()
    plugin: str = ""

    @property
    def command(self) -> str:
        """Return what to type to read it, or to find out about it."""
        verb = "explore" if self.kind is FindKind.BLUETOOTH and not self.speaks else "read"
        address = str(self.address)
        return (
            f"packwire {verb} {address}"
            if address.isalnum() or not _odd(address)
            else (f"packwire {verb} '{address}'")
        )


def _odd(address: str) -> bool:
    """Tell whether a shell would take an address apart."""
    return any(each in address for each in "?&*;()<>| ")


async def in_the_air(seconds: float, adapter: str = "") -> list[Find]:
    """Return the Bluetooth devices that advertise: known ones first, then the strongest.

    Raises UnreachableError where there is no Bluetooth, MissingExtraError without the extra.
    """
    from packwire.link.ble.discovery import scan  # noqa: PLC0415 - an extra
    from packwire.link.ble.failures import WEAK  # noqa: PLC0415

    found = [_of_bluetooth(each.advertisement, adapter, WEAK) for each in await scan(seconds, adapter)]
    return sorted(found, key=lambda each: not each.speaks)


def _of_bluetooth(seen: Advertisement, adapter: str, weak: int) -> Find:
    from packwire.models.aiobmsble_plugins import plugin_for  # noqa: PLC0415 - an extra
    from packwire.protocols import recognised  # noqa: PLC0415 - all models

    plugin = plugin_for(seen)
    protocols = recognised(seen)
    speaks = protocols[0].title if protocols else plugin.title if plugin else ""
    return Find(
        FindKind.BLUETOOTH,
        ble_address(seen.address, adapter=adapter),
        seen.address,
        seen.name,
        speaks,
        seen.rssi,
        seen.rssi is not None and seen.rssi < weak,
        tuple(each.name for each in protocols),
        plugin.name if plugin else "",
    )


async def on_the_network(seconds: float, port: int) -> list[Find]:
    """Return the devices that announce themselves by UDP. Raises UnreachableError where one cannot listen."""
    finds = []
    for sender, said in await discover(seconds, port):
        note = "" if said.address == sender else f" (it says that it is at {said.address})"
        address = tcp_address(sender, said.port)
        finds.append(Find(FindKind.VESC, address, sender, f"{said.name}{note}", "VESC", models=(VESC,)))
    return finds


async def serial_ports() -> list[Find]:
    """Return the serial ports of this machine. Raises MissingExtraError without the extra."""
    return [
        Find(FindKind.SERIAL, serial_address(each.path), each.path, each.description or "serial port")
        for each in list_ports()
    ]
