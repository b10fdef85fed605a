"""What is known of a VESC alone: its bus, its pack, and other ways to ask it."""

from dataclasses import dataclass, field

from packwire.check import Fact
from packwire.doctor.line import Probe
from packwire.doctor.vesc.misreadings import Misreading
from packwire.vesc.commands import Command
from packwire.vesc.replies import BmsValues, FwVersion


@dataclass(slots=True)
class NodeFacts:
    """What one node (None: the device itself) said. `tried` holds the commands asked, with those answered."""

    version: FwVersion | None = None
    tried: dict[Command, Probe] = field(default_factory=dict)


@dataclass(slots=True)
class BusFacts(Fact):
    """Who is on the CAN bus, and who the device itself is."""

    nodes: dict[int | None, NodeFacts] = field(default_factory=dict)
    can_ids: tuple[int, ...] | None = None
    ping_seconds: float = 0.0
    remembered: tuple[int, ...] = ()
    """The CAN ids that this device had the last time."""
    own_id: int | None = None
    own_id_answers: bool | None = None

    def node(self, can_id: int | None) -> NodeFacts:
        """Return the facts of one node."""
        return self.nodes.setdefault(can_id, NodeFacts())

    @property
    def version(self) -> FwVersion | None:
        """Return who we are connected to."""
        return self.node(None).version

    @property
    def controllers(self) -> list[int]:
        """Return the CAN ids of the motor controllers that answered."""
        return [
            can_id
            for can_id, node in self.nodes.items()
            if can_id is not None and node.version is not None and not node.version.hw_type
        ]


@dataclass(slots=True)
class PackFacts(Fact):
    """What was said of the battery."""

    asked: int | None = None
    """Which node told of the battery: None is the device itself (see `reply`)."""
    reply: bytes | None = None
    values: BmsValues | None = None
    missing: tuple[str, ...] = ()
    """The fields that the battery's reply is too short for."""
    left_over: int = 0
    elsewhere_id: int | None = None
    elsewhere: BmsValues | None = None
    """What another node (CAN id `elsewhere_id`) tells of a battery that the one asked does not know."""
    bms_answers: bool | None = None
    misreadings: tuple[Misreading, ...] = ()


@dataclass(slots=True)
class OtherWaysFacts(Fact):
    """Whether the battery is told of without a handshake, after one, and without the hub."""

    without_handshake: bool | None = None
    with_handshake: bool | None = None
    direct_pack: bool | None = None
    direct_error: str = ""
