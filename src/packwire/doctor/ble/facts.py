"""What is known of a pack over Bluetooth that no log tells: what was asked of it live, and what came."""

from collections.abc import Callable
from dataclasses import dataclass, field

from packwire.check import Fact
from packwire.errors import Reason
from packwire.link.ble.adapters import Adapter
from packwire.link.ble.discovery import Hearing, Seen
from packwire.link.ble.observed import ObservedClient, Watch
from packwire.link.ble.proxy import OpenProxy, Slots
from packwire.models.aiobmsble_plugins import Plugin
from packwire.protocol.base import Gatt, Protocol, WriteType

#: Seconds from the beginning of a connection to its end: it was not used for anything.
AT_ONCE = 3.0


@dataclass(slots=True)
class OpenFacts(Fact):
    """What is open now: the connection, and where on it is spoken in which way."""

    watch: Watch | None = None
    client: ObservedClient | None = None
    connected_at: float = 0.0
    doing: str = ""
    """What was done last, for the case that the connection ends by it."""
    dropped: Callable[[], None] = lambda: None
    """Tells the line that is open that the connection is over."""
    place: Gatt | None = None
    ways: tuple[WriteType, ...] = ()
    """In which ways the characteristic says that it can be written."""


@dataclass(slots=True)
class AdapterFacts(Fact):
    """Whether this computer has Bluetooth; `error` says why not, `code` as logs call it."""

    adapter: Adapter | None = None
    error: str = ""
    code: str = ""
    reason: Reason | None = None


@dataclass(slots=True)
class ProxyFacts(Fact):
    """The proxy by which it is reached: `found` where it answers, `error` why it gives nothing.

    `slots` are as they were before this examination connected, `holds_pack` tells that one was the pack's.
    """

    found: OpenProxy | None = None
    error: str = ""
    reason: Reason | None = None
    slots: Slots | None = None
    holds_pack: bool = False


@dataclass(slots=True)
class AirFacts(Fact):
    """How it was heard, and once more after no connection came about."""

    hearing: Hearing | None = None
    later: Hearing | None = None

    @property
    def seen(self) -> Seen | None:
        """Return what was heard."""
        return None if self.hearing is None else self.hearing.seen

    @property
    def found(self) -> Seen:
        """Return what was heard, where it was."""
        assert self.seen is not None
        return self.seen


@dataclass(slots=True)
class FamilyFacts(Fact):
    """What it may be: `fits` are the names of protocols that its advertisement is that of, `plugin` reads it.

    `asked` are those whose question was put to it, `answered` the one that it answered, twice where `again`.
    `table` are those whose characteristics it has.
    """

    fits: tuple[str, ...] = ()
    plugin: Plugin | None = None
    table: tuple[Protocol, ...] = ()
    asked: tuple[str, ...] = ()
    answered: Protocol | None = None
    again: bool = False


@dataclass(slots=True)
class LinkFacts(Fact):
    """How connections came about and ended; `drops` are their ages in s, and what was done when they did."""

    tries: int = 0
    error: str = ""
    reason: Reason | None = None
    mtu: int = 0
    drops: list[tuple[float, str]] = field(default_factory=list)
    made: int = 0


@dataclass(slots=True)
class TableFacts(Fact):
    """Its characteristics: what of the protocol's is missing, what is there twice, what does not notify."""

    looked_at: bool = False
    missing: str = ""
    duplicates: tuple[str, ...] = ()
    mute: str = ""
    """The characteristic that should notify, and has no such property."""
    refused: str = ""
    """Why notifications cannot be switched on, in the system's words."""


@dataclass(slots=True)
class AnswerFacts(Fact):
    """What came back on requests.

    `silent` are the ways of writing that were not answered, each time; `answered` those that were. `late` is
    how long the answer took where it came only after a longer wait (s), `early` that it was answered only
    some time after the connection. `unasked` counts right frames of another client's, `unknown` right frames
    that the protocol does not know, `damaged` frames with a wrong checksum; `same_damage` whether two of them
    are the same to the last byte; `cut` pieces of frames that never ended. `wants_pin`: such packs may have a
    password, and none was given.
    """

    asked: int = 0
    silent: list[WriteType] = field(default_factory=list)
    answered: list[WriteType] = field(default_factory=list)
    refused: str = ""
    first: float | None = None
    """Seconds that the first answer took."""
    late: float | None = None
    early: bool = False
    woken: bool = False
    """Whether it answered once it had been asked some times, also soon after a new connection."""
    anew: bool = False
    """Whether it answered only after its connection, which was there before, was ended and made anew."""
    bytes: int = 0
    """What came and was no answer."""
    broken: int = 0
    """Connections that ended amid an answer."""
    echoes: int = 0
    unasked: int = 0
    unknown: int = 0
    damaged: int = 0
    same_damage: bool = False
    cut: int = 0
    cut_at: int = 0
    """Bytes that came of each frame that never ended, where it was the same each time."""
    wants_pin: bool = False
    refusals: int = 0
    """Answers that say no."""
    pin_unanswered: bool = False
    """Whether it was not read with the PIN that was given."""
    torn: int = 0
    """Bytes and frames that were no whole frame while it was read."""
    fast: tuple[int, int] = (0, 0)
    """Of requests one behind the other: how many, and how many of them were answered."""
    slow: tuple[int, int] = (0, 0)

    @property
    def works(self) -> bool:
        """Whether it was answered in the way that was tried first."""
        return self.first is not None

    @property
    def answered_at_last(self) -> bool:
        """Whether it was answered in another way, or at another time."""
        return bool(self.answered or self.early or self.woken or self.late or self.anew)

    @property
    def nothing(self) -> bool:
        """Whether not one answer came, in no way."""
        return bool(self.asked) and not self.answered and not self.works
