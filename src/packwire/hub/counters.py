"""What a hub counts, for its metrics and its health."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, fields, replace

from packwire.share.stats import SharingStats


def less(counts: Counter[str], key: str) -> None:
    """Count one of a key off; a key without any takes no memory."""
    counts[key] -= 1
    if counts[key] <= 0:
        del counts[key]


@dataclass(slots=True)
class Relayed:
    """Sums over devices: what went through them. SharingStats says what each is."""

    requests: int = 0
    forwarded: int = 0
    replies: int = 0
    answered_from_flight: int = 0
    answered_from_age: int = 0
    dropped: int = 0
    timeouts: int = 0
    late: int = 0
    unasked: int = 0
    unsolicited: int = 0
    device_junk: int = 0
    client_junk: int = 0
    refused: Counter[str] = field(default_factory=Counter)

    def add(self, stats: SharingStats) -> None:
        """Add one device's account."""
        for name in _SUMS:
            setattr(self, name, getattr(self, name) + getattr(stats, name))
        self.refused.update(stats.refused)

    def plus(self, others: Iterable[SharingStats]) -> "Relayed":
        """Return these sums with other devices' accounts added."""
        total = replace(self, refused=Counter(self.refused))
        for stats in others:
            total.add(stats)
        return total


_SUMS = tuple(entry.name for entry in fields(Relayed) if entry.name != "refused")


@dataclass(slots=True)
class HubCounters:
    """What became of connections and logins since the start."""

    accepted: int = 0
    not_admitted: int = 0
    logins: Counter[str] = field(default_factory=Counter)
    """By role: device, client, ping."""
    refusals: Counter[str] = field(default_factory=Counter)
    """By the kind of Refusal."""
    cut_off: Counter[str] = field(default_factory=Counter)
    """Connections that did not read, by role."""
    lost: Counter[str] = field(default_factory=Counter)
    """Connections that broke instead of being closed, by role: a reset, or no sign of life."""
    replaced: int = 0
    """Devices that gave way to a newer connection with the same id."""
    reloads: int = 0
    failed_reloads: int = 0
    forgotten: Relayed = field(default_factory=Relayed)
    """Sums over devices that are not known any more."""
