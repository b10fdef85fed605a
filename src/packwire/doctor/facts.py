"""The facts that the checks gather and the verdict rules read. Nothing here judges."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum
from statistics import median, quantiles

from packwire.doctor.line import Disconnect, Probe, Unasked
from packwire.doctor.misreadings import Misreading
from packwire.errors import Reason
from packwire.vesc.commands import Command
from packwire.vesc.replies import BmsValues, FwVersion
from packwire.wire.frame import FrameStats

#: Exchanges that are kept; far more than any examination makes.
MAX_PROBES = 20_000
#: Seconds: a link is slow when half of its replies take this long, or a tenth this long.
SLOW_MEDIAN, SLOW_P90 = 0.3, 0.8


class Reach(Enum):
    """How far the way to the device was open."""

    UNTRIED = 0
    UNKNOWN_NAME = 1
    NOTHING_THERE = 2
    """No route, or nobody took the connection in time; a serial port that does not exist."""
    REFUSED = 3
    NOT_ALLOWED = 4
    """A serial port that may not be opened, or is in use."""
    OPEN = 5


class Contact(Enum):
    """What came back on the first question."""

    UNTRIED = 0
    ANSWERED = 1
    AFTER_FILLER = 2
    """Only after zeros had pushed out a half frame of somebody else."""
    NOT_A_VESC = 3
    ECHO = 4
    CLOSED = 5
    SILENT = 6


@dataclass(slots=True)
class NodeFacts:
    """What one node (None: the device itself) said. `tried` holds the commands asked, with those answered."""

    version: FwVersion | None = None
    tried: dict[Command, Probe] = field(default_factory=dict)


@dataclass(slots=True)
class Poll:
    """The battery asked again and again; `seconds` from the first question to the last answer."""

    probes: list[Probe] = field(default_factory=list)
    controller: list[Probe] = field(default_factory=list)
    controller_id: int | None = None
    seconds: float = 0.0

    @property
    def replies(self) -> list[bytes]:
        """Return the battery's replies."""
        return [each.reply for each in self.probes if each.reply is not None]


@dataclass(slots=True)
class Facts:
    """What is known so far; None is not known."""

    reach: Reach = Reach.UNTRIED
    reach_error: str = ""
    reach_reason: Reason | None = None
    """Why there is no connection; TIMED_OUT of a name: the name server did not answer."""
    addresses: tuple[str, ...] = ()
    hub_knows: bool | None = None
    """What the hub said to PING; None where it said nothing."""
    hub_answers_ping: bool = False
    hub_said: bytes = b""
    """What came back on PING where that is nothing a hub says."""
    closed_at_login: bool = False
    present_after_close: list[bool | None] = field(default_factory=list)
    """What the hub said to PING right after each close: whether the device is connected to it still."""
    hub_in_disguise: bool = False
    """Whether a hub answers where a VESC was looked for."""
    contact: Contact = Contact.UNTRIED
    first_bytes: bytes = b""
    served: bool | None = None
    """Whether we were the one client that the device serves."""
    takes_more: bool | None = None
    """Whether another connection was taken while ours waited for an answer."""
    neighbours: int = 0
    """Connections of other programs on this computer to the same place."""
    reads: bool | None = None
    """Whether the other end takes the bytes that it is sent."""
    revived: bool | None = None
    """Whether it answered after it was switched off and on."""
    nodes: dict[int | None, NodeFacts] = field(default_factory=dict)
    can_ids: tuple[int, ...] | None = None
    ping_seconds: float = 0.0
    remembered: tuple[int, ...] = ()
    """The CAN ids that this device had the last time."""
    own_id: int | None = None
    own_id_answers: bool | None = None
    pack_from: int | None = None
    """Which node told of the battery: None is the device itself (see `pack_reply`)."""
    pack_reply: bytes | None = None
    pack_frame: bytes = b""
    pack: BmsValues | None = None
    missing: tuple[str, ...] = ()
    """The fields that the battery's reply is too short for."""
    left_over: int = 0
    pack_elsewhere: int | None = None
    elsewhere: BmsValues | None = None
    """What another node (CAN id `pack_elsewhere`) tells of a battery that the one asked does not know."""
    bms_answers: bool | None = None
    misreadings: tuple[Misreading, ...] = ()
    poll: Poll = field(default_factory=Poll)
    movement: Poll = field(default_factory=Poll)
    pairs: list[bool] = field(default_factory=list)
    """Of two requests sent one after the other: whether their replies came in one piece."""
    pair_latency: float | None = None
    fell_silent_after: int | None = None
    """Replies on one connection before nothing more came though it stayed open."""
    answers_anew: bool | None = None
    without_handshake: bool | None = None
    with_handshake: bool | None = None
    direct_pack: bool | None = None
    """Whether the device itself, without the hub, gave the battery's values."""
    direct_error: str = ""
    heard_before: int | None = None
    """Packets that came by themselves before anything was asked."""
    heard_after: int | None = None
    listened: float = 0.0
    disconnects: list[Disconnect] = field(default_factory=list)
    connections: int = 0
    lost_by: str = ""
    probes: list[Probe] = field(default_factory=list)
    interrupted: bool = False
    """Whether the examination was ended before its end."""
    junk: int = 0
    abandoned: int = 0
    surplus: int = 0
    """Replies that came when nobody waited for them any more."""
    unsolicited: Counter[Unasked] = field(default_factory=Counter)

    def note(self, probe: Probe) -> None:
        """Keep an exchange."""
        if len(self.probes) < MAX_PROBES:
            self.probes.append(probe)

    def add_line(self, stats: FrameStats, unsolicited: Iterable[Unasked], surplus: int) -> None:
        """Add what a connection that is over received besides replies."""
        self.surplus += surplus
        self.junk += stats.junk
        self.abandoned += stats.abandoned
        self.unsolicited.update(unsolicited)

    def node(self, can_id: int | None) -> NodeFacts:
        """Return the facts of one node."""
        return self.nodes.setdefault(can_id, NodeFacts())

    @property
    def works_anew(self) -> bool:
        """Return whether a connection that was made after the last close was answered."""
        return bool(self.disconnects) and any(
            each.reply is not None and each.asked > self.disconnects[-1].at for each in self.probes
        )

    @property
    def version(self) -> FwVersion | None:
        """Return who we are connected to."""
        return self.node(None).version

    def slowest(self, *, over_can: bool) -> float | None:
        """Return the longest that a reply took (s), PING_CAN aside; None before the first."""
        return max(self.latencies(over_can=over_can), default=None)

    def latencies(self, *, over_can: bool) -> list[float]:
        """Return how long the replies took (s), PING_CAN aside."""
        return [
            each.latency
            for each in self.probes
            if each.reply is not None
            and each.request[0] != Command.PING_CAN
            and (each.can_id is not None) is over_can
        ]

    @property
    def damaged(self) -> int:
        """Return how many frames came with a wrong checksum or stop byte while a reply was awaited."""
        return sum(each.damaged for each in self.probes)

    @property
    def cut_short(self) -> list[Probe]:
        """Return the exchanges in which a frame began and was never completed, the connection still open."""
        return [each for each in self.probes if each.cut is not None and not each.closed]

    @property
    def lost(self) -> list[Probe]:
        """Return the exchanges without a reply, of requests that were answered at other times."""
        answered = {(each.request, each.can_id) for each in self.probes if each.reply is not None}
        return [
            each
            for each in self.probes
            if each.reply is None and not each.closed and (each.request, each.can_id) in answered
        ]

    @property
    def controllers(self) -> list[int]:
        """Return the CAN ids of the motor controllers that answered."""
        return [
            can_id
            for can_id, node in self.nodes.items()
            if can_id is not None and node.version is not None and not node.version.hw_type
        ]


@dataclass(frozen=True, slots=True)
class Latency:
    """Median, 90th percentile and worst of some latencies, in s."""

    median: float
    p90: float
    worst: float

    @classmethod
    def of(cls, seconds: list[float]) -> "Latency | None":
        """Return None where there are none."""
        if not seconds:
            return None
        p90 = quantiles(seconds, n=10)[-1] if len(seconds) > 1 else seconds[0]
        return cls(median(seconds), min(p90, max(seconds)), max(seconds))

    @property
    def slow(self) -> bool:
        """Whether half of the replies, or a tenth, take so long that clients give up."""
        return self.median >= SLOW_MEDIAN or self.p90 >= SLOW_P90

    def __str__(self) -> str:
        return f"median {ms(self.median)}, 90 % within {ms(self.p90)}, worst {ms(self.worst)}"


def ms(seconds: float) -> str:
    """Return `0.4 ms`, `97 ms` or `2.5 s`."""
    if seconds >= 1:
        return f"{seconds:.1f} s"
    return f"{seconds * 1000:.0f} ms" if seconds >= 0.01 else f"{seconds * 1000:.1f} ms"
