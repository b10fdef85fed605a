"""Bluetooth adapters that are not the system's: the virtual air of `packwire sim MODEL --bluetooth`."""

import contextlib
import logging
from collections.abc import AsyncIterator

from packwire.address import Address, LinkKind


@contextlib.asynccontextmanager
async def bluetooth_adapter(name: str) -> AsyncIterator[None]:
    """Let bleak use an adapter, meanwhile; names of the system's own (`hci1`) are bleak's business.

    Raises BadOptionError where there is none, MissingExtraError where an extra is missing.
    """
    if ":" not in name:
        yield
        return
    import packwire.link.ble  # noqa: F401, PLC0415 - tells of a missing extra
    from packwire.sim.adapter import opened  # noqa: PLC0415 - an extra, and slow to import
    from packwire.sim.bleak_bumble import installed  # noqa: PLC0415

    quiet_bumble()
    async with opened(name) as central:
        with installed(central):
            yield


def quiet_bumble() -> None:
    """Keep bumble's log off the terminal: it sets up logging for the whole process where nobody has."""
    log = logging.getLogger("bumble")
    log.propagate = False
    if not log.handlers:
        log.addHandler(logging.NullHandler())


def adapter_of(address: Address) -> str:
    """Return the Bluetooth adapter that an address names; empty where it names none."""
    return address.adapter if address.link is LinkKind.BLE else ""
