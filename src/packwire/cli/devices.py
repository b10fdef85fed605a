"""From what the user typed to a device: address, password, node, and the simulator behind `sim:`."""

import contextlib
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from packwire.address import Address, LinkKind, parse_address, with_can_id
from packwire.cli.adapters import adapter_of, bluetooth_adapter
from packwire.cli.completion import nodes
from packwire.cli.known_nodes import CachedIds
from packwire.cli.limits import positive, positive_or_none
from packwire.cli.names import address_of
from packwire.cli.options import ModelsOption
from packwire.cli.passwords import with_password
from packwire.cli.seen import remember
from packwire.device import Device, Node, open_device
from packwire.device.open import Observers
from packwire.errors import BadOptionError, PackwireError
from packwire.models.store import use
from packwire.protocols import protocol


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceOptions:
    """How to reach the device and which part of it to read."""

    node: Annotated[str | None, Parameter(completer=nodes)] = None
    """One node alone: `bms`, `vesc`, or `can/84`."""
    timeout: float = 1.0
    """Seconds to wait for each reply."""
    stale_after: float | None = None
    """Seconds after which a battery whose values do not move counts as stale."""
    password_file: Path | None = None
    """A file whose first line is the hub password (else PACKWIRE_PASSWORD, the keyring, or a prompt)."""
    models: ModelsOption = ()
    trust: Annotated[bool, Parameter(negative=())] = False
    """Agree, once for this content, to what a model that is not packwire's own sends to the pack."""
    rescan: bool = False
    """Ask the CAN bus again who is there, instead of the ids known from last time."""


_CAN_NODE = re.compile(r"can/(\w+)")
_LOCAL_NODES = ("bms", "vesc")


@dataclass(frozen=True, slots=True)
class Target:
    """What to read: an address with its password, and the nodes wanted."""

    address: Address
    options: DeviceOptions

    @property
    def wanted(self) -> str | None:
        """Return the key of the one node that is wanted, or None for all."""
        can_id = self.address.node
        return self.options.node if can_id is None else f"can/{can_id}"

    def device(self, *, tries: int, observers: Observers | None = None) -> Device:
        """Return the device, not connected yet; its CAN bus is left for `find_nodes`."""
        return open_device(
            self.address,
            can_ids=(),
            timeout=self.options.timeout,
            tries=tries,
            stale_after=self.options.stale_after,
            memory=CachedIds(rescan=self.options.rescan),
            observers=observers,
        )

    def wants(self, node: Node) -> bool:
        """Tell whether the user wants to see this node."""
        return self.wanted is None or node.key == self.wanted

    @property
    def wants_can_bus(self) -> bool:
        """Tell whether other nodes on the CAN bus are of interest."""
        return self.wanted is None


@contextlib.asynccontextmanager
async def target(text: str, options: DeviceOptions) -> AsyncIterator[Target]:
    """Read an address as typed, add password and node; for `sim:` run the simulator meanwhile.

    Raises BadAddressError or BadOptionError.
    """
    use(options.models)
    address = with_password(_with_node(parse_address(address_of(text)), options.node), options.password_file)
    positive("--timeout", options.timeout)
    positive_or_none("--stale-after", options.stale_after)
    if address.model and (spoken := protocol(address.model)).origin:
        from packwire.cli.trusting import ask_for_trust  # noqa: PLC0415 - few have models of their own

        ask_for_trust(spoken, agreed=options.trust)
    if address.link is not LinkKind.SIM:
        async with bluetooth_adapter(adapter_of(address)):
            try:
                yield Target(address, options)
            except PackwireError:
                raise
            except BaseException:  # Ctrl-C, for example, which ends what went well
                remember(address)
                raise
            remember(address)
        return
    from packwire.sim.by_name import simulation  # noqa: PLC0415 - only for sim: addresses
    from packwire.sim.server import SimOptions  # noqa: PLC0415

    async with simulation(address.model, SimOptions(port=0)) as simulated:
        yield Target(replace(simulated.address, node=address.node), options)


def _with_node(address: Address, node: str | None) -> Address:
    if node is not None and address.node is not None and node != f"can/{address.node}":
        raise BadOptionError(f"{address} names one node and --node {node} another: leave one of them out")
    if node is None or node in _LOCAL_NODES:
        return address
    match = _CAN_NODE.fullmatch(node)
    if not match:
        raise BadOptionError(f"--node {node} names no node: there are bms, vesc and can/ID")
    return with_can_id(address, int(match[1]) if match[1].isdecimal() else -1)
