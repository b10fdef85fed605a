"""What passes between this program and a Bluetooth device, for whoever watches: recorders, statistics."""

from dataclasses import dataclass

from packwire.advertisement import Advertisement
from packwire.att import Opcode
from packwire.direction import Direction


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute of a device: a service, a characteristic (by the handle of its value) or a descriptor.

    `properties` are those of a characteristic as bleak names them; `end` is the last handle of a service.
    """

    handle: int
    uuid: str
    properties: tuple[str, ...] = ()
    end: int = 0


@dataclass(frozen=True, slots=True)
class ServiceTree:
    """A service with its characteristics, each with its descriptors."""

    service: Attribute
    characteristics: tuple[tuple[Attribute, tuple[Attribute, ...]], ...]


@dataclass(frozen=True, slots=True)
class Passed:
    """One value that passed: `time` in ns since the epoch, `opcode` that of the PDU which carried it."""

    time: int
    direction: Direction
    opcode: Opcode
    handle: int
    value: bytes = b""


@dataclass(frozen=True, slots=True)
class GattConnected:
    """A connection that came about at `time` (ns since the epoch), and what the device has."""

    time: int
    address: str
    mtu: int
    services: tuple[ServiceTree, ...]


class GattObserver:
    """Who watches a connection; does nothing where it is not told to."""

    def seen(self, time: int, advertisement: Advertisement) -> None:
        """Learn what the device advertises; `time` in ns since the epoch."""

    def connected(self, connected: GattConnected) -> None:
        """Learn that a connection is there."""

    def passed(self, passed: Passed) -> None:
        """Learn what passed."""

    def disconnected(self, time: int) -> None:
        """Learn that the connection is over; `time` in ns since the epoch."""
