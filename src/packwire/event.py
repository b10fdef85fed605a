"""What a link lived through, with its time: emitted by live links, kept by whoever wants to know why.

Logs of other programs are read into the same events (`packwire.capture.events`), so that one table of rules
judges both.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from packwire.errors import Reason


class EventKind(StrEnum):
    """What happened."""

    SEEN = "seen"
    """An advertisement came."""
    NOT_SEEN = "not seen"
    """It was looked for, and no advertisement came."""
    CONNECTING = "connecting"
    CONNECTED = "connected"
    FAILED = "failed"
    """It could not be opened; the reason tells why."""
    CLOSED = "closed"
    """The other end closed it, in the usual way."""
    LOST = "lost"
    """It broke."""
    LEFT = "left"
    """It was closed on this side."""
    MTU = "MTU"
    """How many bytes a packet may have was agreed."""
    SERVICES = "services"
    """Services and characteristics were listed, or one was looked for."""
    SUBSCRIBED = "subscribed"
    WRITTEN = "written"
    NOTIFIED = "notified"
    """Bytes came: a notification, an answer on a wire."""
    REFUSED = "refused"
    """A write, a subscription or a read was not allowed."""
    TIMED_OUT = "timed out"
    """What was asked was not answered."""
    PAIRING = "pairing"
    DAMAGED = "damaged"
    """Bytes came and were not taken: a wrong checksum, an unknown beginning."""
    READ = "read"
    """Values came: it works."""
    SLOTS = "slots"
    """How many connections a proxy or an adapter has left."""
    ADAPTER = "adapter"
    """The adapter, the system's Bluetooth, or the way to it."""
    PROXY = "proxy"
    """The way to a proxy, or what it can do."""
    BUS = "bus"
    """A CAN bus or its interface."""
    PORT = "port"
    """A serial port."""
    ERROR = "error"
    """Something else went wrong in the program."""
    INFO = "info"
    """What the program says of itself: its name, its type of battery, its settings."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a link: `time` in ns since the epoch, `link` its name, `words` what the system said.

    `code` says in one word what exactly it was, for rules to go by (`no-slot`, `status-133`); `values` are
    the numbers and names with it (`rssi` in dBm, `free`). Of a log: `line` is the number of the line (from
    1), `link` the address or name of the device, empty where the line does not say.
    """

    kind: EventKind
    time: int
    link: str
    reason: Reason | None = None
    words: str = ""
    code: str = ""
    line: int = 0
    values: Mapping[str, str] = field(default_factory=dict)
