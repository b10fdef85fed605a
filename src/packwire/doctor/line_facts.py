"""What experiments on a wire found out, and no log tells: facts for the rules on wires."""

from dataclasses import dataclass

from packwire.check import Fact
from packwire.link.can_state import CanInterface
from packwire.protocol.base import Protocol


@dataclass(slots=True)
class LineFacts(Fact):
    """A serial line, RS485, or a bridge to one. Rates are in baud, addresses those of devices on the line."""

    baud: int = 0
    takes: float = 0.0
    """Seconds in which a board on a line may take its time, and the wire carries its answer."""
    answered: bool = False
    """Whether a right answer came to a question, at the rate and the address that were given."""
    questions: int = 0
    """How often it was asked so before an answer came, or in all."""
    surplus: int = 0
    """Messages that answered nothing, before anything was asked."""
    echoes: int = 0
    """How often what was sent came back."""
    lone_echo: bool = False
    """Whether nothing but that ever came."""
    noise: int = 0
    """Bytes that came and lie in no frame that is known."""
    bauds_tried: tuple[int, ...] = ()
    other_baud: int = 0
    """Another rate at which it answers, each time, and at the given one never."""
    units_tried: tuple[int, ...] = ()
    other_units: tuple[int, ...] = ()
    """Other addresses that answer."""
    woke_after: int = 0
    """Questions without an answer before all were answered."""
    too_fast: bool = False
    """Whether all is answered where it is asked slowly, and not where it is asked fast."""
    woken: bool = False
    """Whether it answers since its owner woke it, or switched it off and on."""
    neighbours: int = 0
    """Connections of other programs on this computer to the same bridge."""
    other_form: str = ""
    """What carries its frames over TCP, where that is not what the address says."""
    as_families: tuple[Protocol, ...] = ()
    """Other protocols whose question it answers, twice."""
    family_baud: int = 0
    """At which baud rate it does; 0: over a bridge."""
    family_told: bool = False
    """It answers one alone, and does not refuse that."""
    server: str = ""
    """What answers at the port where no device does: `a web server`."""
    refused: str = ""
    """How the device refuses what it is asked."""
    in_vain: float = 0.0
    """Seconds of listening to a pack that sends by itself, without a byte."""


@dataclass(slots=True)
class CanFacts(Fact):
    """A CAN bus: its interface as it stood before, and what came of others."""

    interface: CanInterface | None = None
    other_rate: int = 0
    """The protocol's usual bit rate, where the interface has another."""
    other_ids: tuple[str, ...] = ()
    """Identifiers that were heard where none is the protocol's."""
    fits: tuple[str, ...] = ()
    """The models that they are of."""
