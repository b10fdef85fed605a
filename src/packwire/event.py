"""What a link lived through, with its time: emitted by live links, kept by whoever wants to know why."""

from dataclasses import dataclass
from enum import StrEnum

from packwire.errors import Reason


class EventKind(StrEnum):
    """What happened."""

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


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a link: `time` in ns since the epoch, `link` its name, `words` what the system said."""

    kind: EventKind
    time: int
    link: str
    reason: Reason | None = None
    words: str = ""
