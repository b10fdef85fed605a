"""From an address to a device."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from packwire.address import FOUND_OUT, Address, LinkKind, parse_address
from packwire.device.base import Device
from packwire.device.client import TIMEOUT, TRIES, Client
from packwire.device.node_memory import NodeMemory
from packwire.device.reader import Reader
from packwire.errors import BadAddressError, Reason
from packwire.link.base import Link, Observer
from packwire.protocol.base import Options, Protocol
from packwire.protocols import protocol

if TYPE_CHECKING:  # only Bluetooth has them
    from packwire.link.gatt_traffic import GattObserver


@dataclass(frozen=True, slots=True)
class Observers:
    """Who sees what passes between this program and a device: bytes of streams, and values of Bluetooth."""

    stream: tuple[Observer, ...] = ()
    gatt: "tuple[GattObserver, ...]" = ()


def open_device(
    address: Address | str,
    *,
    can_ids: Collection[int] | None = None,
    timeout: float = TIMEOUT,
    tries: int = TRIES,
    stale_after: float | None = None,
    memory: NodeMemory | None = None,
    link: Link | None = None,
    observers: Observers | None = None,
) -> Device:
    """Return the device behind an address; `async with` opens it.

    `can_ids`: the nodes to look for on its CAN bus; None asks the bus (PING_CAN, 2.5 to 5 s). An address
    with `/can/ID` looks for that node alone. `timeout` is of one try, in seconds. After `stale_after`
    seconds in which no value of the battery moved, its samples are stale; None leaves that to the
    comparison with the motor's current. `memory` keeps the CAN ids from one connection to the next. `link` is
    one of the caller's own, instead of the address's; `observers` see what passes. Raises BadAddressError.
    """
    parsed = parse_address(address) if isinstance(address, str) else address
    nodes = None if can_ids is None else tuple(can_ids)
    options = Options(parsed.node, nodes, stale_after, parsed.pin or "", parsed.unit, parsed.listens)
    watchers = observers or Observers()

    def read_by(link: Link, spoken: Protocol) -> Device:
        _require_trust(spoken)
        link.observers += watchers.stream
        return Reader(Client(link, spoken, timeout=timeout, tries=tries), options, memory)

    if parsed.link is LinkKind.REPLAY:
        from packwire.device.replay import replayed  # noqa: PLC0415 - numpy

        return replayed(parsed, read_by, watchers.gatt)
    if link is None and parsed.link is LinkKind.BLE:
        return _bluetooth(parsed, read_by, watchers)
    return read_by(link or open_link(parsed), protocol(parsed.model))


def _bluetooth(address: Address, read_by: Callable[[Link, Protocol], Device], observers: Observers) -> Device:
    from packwire.device.bluetooth import BluetoothDevice  # noqa: PLC0415 - an extra
    from packwire.link.ble.observed import Watch  # noqa: PLC0415

    if address.model:
        protocol(address.model)  # raises for one that there is not
    return BluetoothDevice(address, read_by, watch=Watch(list(observers.gatt)))


def open_link(address: Address, *, bare: bool = False) -> Link:
    """Return the link of an address, not connected yet. Raises BadAddressError.

    `bare`: a line that others might share is had alone, and what is sent on it may be heard again.
    """
    if address.link is LinkKind.SIM:
        raise BadAddressError(f"{address} starts a simulator: open it with packwire.open_device")
    if address.link is LinkKind.HUB and address.password is None:
        raise BadAddressError(
            f"{address} needs its password: set PACKWIRE_PASSWORD", reason=Reason.NO_PASSWORD
        )
    if address.link in FOUND_OUT and not address.model:
        raise BadAddressError(f"{address}: add ?model=NAME; only read, watch and log find it out")
    module = import_module(f"packwire.link.{address.link}")  # only the link in use is loaded
    spoken = protocol(address.model)
    _require_trust(spoken)
    make = getattr(module, "bare_link_of", module.link_of) if bare else module.link_of
    link: Link = make(address, spoken)
    return link


def _require_trust(spoken: Protocol) -> None:
    """Raise NotTrustedError for a model of somebody's that the user has not agreed to."""
    if spoken.origin:
        from packwire.models.trust import require_trust  # noqa: PLC0415 - few have models of their own

        require_trust(spoken)


__all__ = ["Device", "open_device", "open_link"]
