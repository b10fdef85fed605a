"""What a hub counts, for its metrics and its health."""

from collections import Counter
from dataclasses import dataclass, field

from packwire.share.stats import SharingStats, total


def less(counts: Counter[str], key: str) -> None:
    """Count one of a key off; a key without any takes no memory."""
    counts[key] -= 1
    if counts[key] <= 0:
        del counts[key]


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
    forgotten: SharingStats = field(default_factory=lambda: total(()))
    """Sums over devices that are not known any more."""

    def forget(self, stats: SharingStats) -> None:
        """Keep what went through a device that is not known any more."""
        self.forgotten = total((self.forgotten, stats))
