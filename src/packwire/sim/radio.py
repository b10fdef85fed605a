"""What simulated devices advertise: the names, services and data that apps and libraries know them by."""

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from zlib import crc32

from packwire.advertisement import Advertisement
from packwire.errors import BadOptionError
from packwire.models.aiobmsble_plugins import plugins
from packwire.models.protocol import ModelProtocol
from packwire.models.recognition import Pattern, pattern_of
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
class _Known:
    """What is known of one family's boards and no pattern says."""

    name: str = ""
    address: str = ""
    mtu: int = MTU


_KNOWN = {
    "vesc": _Known("VESC Express", "D4:F9:8D:00:00:01"),
    "jbd": _Known("JBD-SP04S034", "A4:C1:38:00:00:01", mtu=23),
}
_ADDRESS_PREFIX = "C8:47:8C:00:00:"
#: What stands for `*` and `?` in the pattern of a name.
_ANYTHING, _ANY_CHARACTER = "SIM", "1"
#: What fits into a scan response.
_LONGEST_NAME = 29


def radio(protocol: Protocol, name: str = "", address: str = "") -> Radio:
    """Return how a device that speaks a protocol appears on the air. Raises BadOptionError.

    It advertises what the first of the model's patterns, or of those that aiobmsble recognises the family by,
    asks for.
    """
    known = _KNOWN.get(protocol.name, _Known())
    pattern = next(iter(_patterns(protocol)), Pattern())
    address = (address or known.address or _address(protocol, pattern)).upper()
    if not _ADDRESS.fullmatch(address):
        raise BadOptionError(f"{address[:40]!r} is no Bluetooth address: write A4:C1:38:00:00:01")
    gatt = protocol.gatt[:1]
    services = (
        [pattern.service] if pattern.service else [service for each in gatt for service in each.services]
    )
    data = {} if pattern.manufacturer is None else {pattern.manufacturer: pattern.data or bytes(2)}
    advertisement = Advertisement(
        address=address,
        name=name or known.name or _name(pattern.name) or f"{_ANYTHING}-{protocol.title}"[:_LONGEST_NAME],
        service_uuids=tuple(services),
        manufacturer_data=data,
        service_data={pattern.service_data: b""} if pattern.service_data else {},
    )
    information = {0x2A29: "packwire", 0x2A24: f"simulated {protocol.title}"}
    return Radio(advertisement, gatt, known.mtu, information)


def _patterns(protocol: Protocol) -> tuple[Pattern, ...]:
    if not isinstance(protocol, ModelProtocol):
        return ()
    said = protocol.content.get("recognise", {})
    plugin = plugins().get(said.get("aiobmsble", ""))
    own = tuple(map(pattern_of, said.get("advertisements", ())))
    return (*(plugin.patterns if plugin else ()), *own)


def _address(protocol: Protocol, pattern: Pattern) -> str:
    """Return an address that begins as the pattern says, the same for a model every time."""
    last = f"{crc32(protocol.name.encode()) & 0xFF:02X}"
    return (pattern.address + _ADDRESS_PREFIX[len(pattern.address) :])[: len(_ADDRESS_PREFIX)] + last


def _name(pattern: str) -> str:
    """Return a name that fits a pattern of the shell's."""
    text = re.sub(r"\[!?(.).*?\]", r"\1", pattern)
    return text.replace("?", _ANY_CHARACTER).replace("*", _ANYTHING)[:_LONGEST_NAME]
