"""The facts that the checks gather and the rules read, in groups by subject. Nothing here judges.

None is not known. What a protocol alone has facts of, it brings itself: see `packwire.doctor.vesc.facts`.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum
from statistics import median, quantiles
from typing import Any

from packwire.address import Address, LinkKind, place, with_can_id
from packwire.check import Fact, Facts
from packwire.doctor.line import Disconnect, Probe, Unasked
from packwire.errors import Reason
from packwire.wire.frame import FrameStats

#: Probes that are kept; far more than any examination makes.
MAX_PROBES = 20_000
#: Seconds: a link is slow when half of its replies take this long, or a tenth this long.
SLOW_MEDIAN, SLOW_P90 = 0.3, 0.8


@dataclass(slots=True)
class TargetFacts(Fact):
    """What is examined: its address, and the CAN ids that its owner expects (None: said nothing)."""

    address: Address
    expected: frozenset[int] | None = None

    @property
    def is_hub(self) -> bool:
        """Whether the way leads through a hub."""
        return self.address.link is LinkKind.HUB

    @property
    def is_serial(self) -> bool:
        """Whether the way is a serial port."""
        return self.address.link is LinkKind.SERIAL

    @property
    def direct_tcp(self) -> Address | None:
        """Return the address where it is a device's own TCP port."""
        return self.address if self.address.link is LinkKind.TCP else None

    @property
    def base(self) -> Address:
        """Return the address without its CAN id."""
        return with_can_id(self.address, None)

    @property
    def host(self) -> str:
        """Return the host; empty for a serial port."""
        return getattr(self.address, "host", "")

    @property
    def where(self) -> str:
        """Return the place, for a user: `192.168.1.20:65102`."""
        if self.address.on_network:
            return place(self.address.host, self.address.port)
        return str(self.base)


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


@dataclass(slots=True)
class WayFacts(Fact):
    """How far the way was open, and why no further; TIMED_OUT of a name: the name server did not answer."""

    reach: Reach = Reach.UNTRIED
    error: str = ""
    reason: Reason | None = None
    addresses: tuple[str, ...] = ()


@dataclass(slots=True)
class HubFacts(Fact):
    """What a hub said; `knows` and `answers_ping` of the device's id to PING."""

    knows: bool | None = None
    answers_ping: bool = False
    said: bytes = b""
    """What came back on PING where that is nothing a hub says."""
    closed_at_login: bool = False
    present_after_close: list[bool | None] = field(default_factory=list)
    """What it said to PING right after each disconnect: whether the device is connected to it still."""
    in_disguise: bool = False
    """Whether a hub answers where a device was looked for."""


class Contact(Enum):
    """What came back on the first question."""

    UNTRIED = 0
    ANSWERED = 1
    AFTER_FILLER = 2
    """Only after zeros had pushed out a half frame of somebody else."""
    FOREIGN = 3
    ECHO = 4
    CLOSED = 5
    SILENT = 6


@dataclass(slots=True)
class ContactFacts(Fact):
    """What came back on the first question, and how that begins."""

    contact: Contact = Contact.UNTRIED
    first_bytes: bytes = b""
    besides_echo: bool = False
    """Whether more came than what was sent."""

    @property
    def answered(self) -> bool:
        """Whether a device of the protocol that was spoken answered."""
        return self.contact in {Contact.ANSWERED, Contact.AFTER_FILLER}


@dataclass(slots=True)
class ServiceFacts(Fact):
    """Whom a silent device serves, and whether it takes anything."""

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


@dataclass(slots=True)
class ConnectionFacts(Fact):
    """How connections ended."""

    disconnects: list[Disconnect] = field(default_factory=list)
    made: int = 0
    lost_by: str = ""
    """Why no new one can be made."""
    fell_silent_after: int | None = None
    """Replies on one connection before nothing more came though it stayed open."""
    answers_anew: bool | None = None


@dataclass(slots=True)
class ProbeFacts(Fact):
    """Every request that was sent, with what came of it."""

    probes: list[Probe] = field(default_factory=list)

    def note(self, probe: Probe) -> None:
        """Keep a probe."""
        if len(self.probes) < MAX_PROBES:
            self.probes.append(probe)

    def slowest(self, *, over_can: bool) -> float | None:
        """Return the longest that a reply took (s), those aside that always take long; None: no reply yet."""
        return max(self.latencies(over_can=over_can), default=None)

    def latencies(self, *, over_can: bool) -> list[float]:
        """Return how long the replies took (s), those aside that always take long."""
        return [
            each.latency
            for each in self.probes
            if each.reply is not None and not each.takes_long and (each.can_id is not None) is over_can
        ]

    @property
    def cut_short(self) -> list[Probe]:
        """Return the probes in which a frame began and was never completed, the connection still open."""
        return [each for each in self.probes if each.cut is not None and not each.closed]

    @property
    def lost(self) -> list[Probe]:
        """Return the probes without a reply, of requests that were answered at other times."""
        answered = {(each.request, each.can_id) for each in self.probes if each.reply is not None}
        return [
            each
            for each in self.probes
            if each.reply is None and not each.closed and (each.request, each.can_id) in answered
        ]


def works_anew(facts: Facts) -> bool:
    """Return whether a connection that was made after the last disconnect was answered."""
    disconnects = facts[ConnectionFacts].disconnects
    return bool(disconnects) and any(
        each.reply is not None and each.asked > disconnects[-1].at for each in facts[ProbeFacts].probes
    )


@dataclass(slots=True)
class StreamFacts(Fact):
    """What came besides replies, and how replies came."""

    heard_before: int | None = None
    """Messages that came by themselves before anything was asked."""
    heard_after: int | None = None
    listened: float = 0.0
    junk: int = 0
    abandoned: int = 0
    surplus: int = 0
    """Replies that came when nobody waited for them any more."""
    unsolicited: Counter[Unasked] = field(default_factory=Counter)
    pairs: list[bool] = field(default_factory=list)
    """Of two requests sent one after the other: whether their replies came in one piece."""
    pair_latency: float | None = None

    def add_line(self, stats: FrameStats, unsolicited: Iterable[Unasked], surplus: int) -> None:
        """Add what a connection that is over received besides replies."""
        self.surplus += surplus
        self.junk += stats.junk
        self.abandoned += stats.abandoned
        self.unsolicited.update(unsolicited)


@dataclass(slots=True)
class Poll:
    """The pack asked again and again; `seconds` from the first question to the last answer.

    `controller` is what the motor controller was asked meanwhile, by its CAN id.
    """

    probes: list[Probe] = field(default_factory=list)
    controller: list[Probe] = field(default_factory=list)
    controller_id: int | None = None
    seconds: float = 0.0

    @property
    def replies(self) -> list[bytes]:
        """Return the pack's replies."""
        return [each.reply for each in self.probes if each.reply is not None]


@dataclass(slots=True)
class PollFacts(Fact):
    """How the pack answered when it was asked again and again: as a client does, and to see values move."""

    poll: Poll = field(default_factory=Poll)
    movement: Poll = field(default_factory=Poll)

    @property
    def probes(self) -> list[Probe]:
        """Return the probes of both."""
        return [*self.poll.probes, *self.movement.probes]


@dataclass(slots=True)
class ReadingFacts(Fact):
    """What was read of the pack: by quantity key, in words (`83.92 V, 20 cells`), and in which frame."""

    values: dict[str, Any] = field(default_factory=dict)
    said: str = ""
    frame: bytes = b""

    @property
    def all_the_same(self) -> str:
        """Say what was read all the same; empty where nothing was."""
        return f" What was read all the same: {self.said}." if self.said else ""


@dataclass(slots=True)
class RunFacts(Fact):
    """Whether the examination was ended before its end."""

    interrupted: bool = False


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
        return self.slow_beside(0.0)

    def slow_beside(self, usual: float) -> bool:
        """Tell whether they are slow, where so many s are as it should be."""
        return self.median >= SLOW_MEDIAN + usual or self.p90 >= SLOW_P90 + usual

    def __str__(self) -> str:
        return f"median {ms(self.median)}, 90 % within {ms(self.p90)}, worst {ms(self.worst)}"


def ms(seconds: float) -> str:
    """Return `0.4 ms`, `97 ms` or `2.5 s`."""
    if seconds >= 1:
        return f"{seconds:.1f} s"
    return f"{seconds * 1000:.0f} ms" if seconds >= 0.01 else f"{seconds * 1000:.1f} ms"
