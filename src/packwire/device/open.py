"""From an address to a device."""

from collections.abc import Collection
from importlib import import_module

from packwire.address import Address, LinkKind, parse_address
from packwire.device.base import Device
from packwire.device.client import TIMEOUT, TRIES, Client
from packwire.device.node_memory import NodeMemory
from packwire.device.reader import Reader
from packwire.errors import BadAddressError, Reason
from packwire.link.base import Link
from packwire.protocol.base import Options
from packwire.protocols import protocol


def open_device(
    address: Address | str,
    *,
    can_ids: Collection[int] | None = None,
    timeout: float = TIMEOUT,
    tries: int = TRIES,
    stale_after: float | None = None,
    memory: NodeMemory | None = None,
    link: Link | None = None,
) -> Device:
    """Return the device behind an address; `async with` opens it.

    `can_ids`: the nodes to look for on its CAN bus; None asks the bus (PING_CAN, 2.5 to 5 s). An address
    with `/can/ID` looks for that node alone. `timeout` is of one try, in seconds. After `stale_after`
    seconds in which no value of the battery moved, its samples are stale; None leaves that to the
    comparison with the motor's current. `memory` keeps the CAN ids from one connection to the next. `link` is
    one of the caller's own, instead of the address's. Raises BadAddressError.
    """
    parsed = parse_address(address) if isinstance(address, str) else address
    client = Client(link or open_link(parsed), protocol(parsed.model), timeout=timeout, tries=tries)
    nodes = None if can_ids is None else tuple(can_ids)
    return Reader(client, Options(parsed.node, nodes, stale_after), memory)


def open_link(address: Address) -> Link:
    """Return the link of an address, not connected yet. Raises BadAddressError."""
    if address.link is LinkKind.SIM:
        raise BadAddressError(f"{address} starts a simulator: open it with packwire.open_device")
    if address.link is LinkKind.HUB and address.password is None:
        raise BadAddressError(
            f"{address} needs its password: set PACKWIRE_PASSWORD", reason=Reason.NO_PASSWORD
        )
    module = import_module(f"packwire.link.{address.link}")  # only the link in use is loaded
    link: Link = module.link_of(address, protocol(address.model))
    return link


__all__ = ["Device", "open_device", "open_link"]
