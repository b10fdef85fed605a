"""What simulated devices advertise: the names, services and data that apps and libraries know them by."""

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from packwire.advertisement import Advertisement
from packwire.errors import BadOptionError
from packwire.protocol.base import Gatt, Protocol

if TYPE_CHECKING:
    from packwire.sim.air import Air

MTU = 247
"""What most boards agree to; JBD's is 23."""

_ADDRESS = re.compile(r"[0-9A-F]{2}(:[0-9A-F]{2}){5}")


@dataclass(frozen=True, slots=True)
class BluetoothOptions:
    """Where a simulated device appears on Bluetooth, and as what.

    On a given air, or through an `adapter` by bumble's name for it (`usb:0`, `tcp-client:127.0.0.1:7000`);
    where neither is given, on an air of its own, which other processes reach at `hci_port` (0: any free one).
    """

    address: str = ""
    name: str = ""
    hci_port: int = 0
    adapter: str = ""
    air: "Air | None" = None


@dataclass(frozen=True, slots=True)
class Radio:
    """How a device appears on the air. `information` is its Device Information (180a), by short UUID."""

    advertisement: Advertisement
    gatt: tuple[Gatt, ...]
    mtu: int = MTU
    information: dict[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Said:
    """What one family says of itself; services are those of its GATT table where none are named."""

    name: str
    address: str
    mtu: int = MTU
    services: tuple[str, ...] | None = None
    manufacturer_data: dict[int, bytes] = field(default_factory=dict)


_SAID = {
    "jbd": _Said("JBD-SP04S034", "A4:C1:38:00:00:01", mtu=23),
}


def radio(protocol: Protocol, name: str = "", address: str = "") -> Radio:
    """Return how a device that speaks a protocol appears on the air. Raises BadOptionError."""
    said = _SAID.get(protocol.name) or _Said(f"SIM-{protocol.name}", "F5:00:00:00:00:01")
    address = (address or said.address).upper()
    if not _ADDRESS.fullmatch(address):
        raise BadOptionError(f"{address[:40]!r} is no Bluetooth address: write A4:C1:38:00:00:01")
    gatt = protocol.gatt[:1]
    services = tuple(each.service for each in gatt) if said.services is None else said.services
    advertisement = Advertisement(
        address=address,
        name=name or said.name,
        service_uuids=services,
        manufacturer_data=said.manufacturer_data,
    )
    information = {0x2A29: "packwire", 0x2A24: f"simulated {protocol.title}"}
    return Radio(advertisement, gatt, said.mtu, information)
