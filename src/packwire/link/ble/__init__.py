"""Bluetooth Low Energy by bleak: finding packs, connecting to them, and their GATT as a link. Extra `ble`.

Everything is reached through the names of package `bleak` at the time of a call, so that whoever sets another
back end there (a simulated air) is used as well.
"""

from importlib.util import find_spec

from packwire.address import Address
from packwire.errors import missing_extra
from packwire.link.base import Link
from packwire.protocol.base import Protocol

if find_spec("bleak") is None or find_spec("bleak_retry_connector") is None:
    raise missing_extra("ble", "Bluetooth")


def link_of(address: Address, protocol: Protocol) -> Link:
    """Return the link that an address leads over, not connected yet."""
    from packwire.link.ble.link import BleLink  # noqa: PLC0415 - who only scans needs no link

    return BleLink(address, protocol)
