"""What there is around, for the rules that say what to do first."""

from dataclasses import dataclass

from packwire.address import Address, LinkKind
from packwire.check import Fact
from packwire.doctor.checks.port import problem_of
from packwire.event import EventKind
from packwire.link.can_state import CanInterface
from packwire.link.port_state import PortState
from packwire.link.scan import Find, Unlooked


@dataclass(frozen=True, slots=True)
class NamedDevice:
    """A device that the user named; `problem` says why it cannot be reached now, `code` as a log would.

    `there` tells whether it was heard or its port is there; None where only asking it would tell.
    """

    name: str
    address: Address
    there: bool | None = None
    said: str = ""
    problem: str = ""
    code: str = ""
    kind: EventKind = EventKind.INFO


@dataclass(slots=True)
class AroundFacts(Fact):
    """What there is, and over which links one could not look."""

    finds: tuple[Find, ...] = ()
    unlooked: tuple[Unlooked, ...] = ()
    ports: tuple[PortState, ...] = ()
    interfaces: tuple[CanInterface, ...] = ()
    adapters: tuple[str, ...] = ()
    """A line for each Bluetooth adapter."""
    named: tuple[NamedDevice, ...] = ()

    @property
    def known(self) -> list[Find]:
        """Return what was heard and speaks what packwire knows: the strongest first."""
        found = [each for each in self.finds if each.speaks]
        return sorted(found, key=lambda each: -(each.rssi or 0) if each.rssi else 0)

    @property
    def free_ports(self) -> list[PortState]:
        """Return the serial ports that can be opened."""
        return [each for each in self.ports if problem_of(each) is None]

    @property
    def up(self) -> list[CanInterface]:
        """Return the CAN interfaces that are up."""
        return [each for each in self.interfaces if each.up]

    @property
    def in_trouble(self) -> list[NamedDevice]:
        """Return the named devices that cannot be reached now."""
        return [each for each in self.named if each.problem]

    @property
    def strangers(self) -> list[Find]:
        """Return the Bluetooth devices with a name that nobody knows."""
        return [each for each in self.finds if each.link is LinkKind.BLE and not each.speaks and each.name]
