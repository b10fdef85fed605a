"""Which connections are let in before they have said a word: limits for an address, and for all."""

from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from packwire.hub.counters import less
from packwire.hub.settings import Limits

#: So many seconds' worth of new connections may come at once.
BURST = 4.0
REMEMBERED = 20_000


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float


class Admission:
    """Counts connections by address (and /64 of IPv6); `logging_in` are those that have not logged in yet."""

    def __init__(self, limits: Limits, most: int | None, clock: Callable[[], float]) -> None:
        self.limits = limits
        self.most = most
        self.open: Counter[str] = Counter()
        self.logging_in: Counter[str] = Counter()
        self.total = 0
        self._clock = clock
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    @property
    def full(self) -> bool:
        """Tell whether there are as many connections as there may be open files."""
        return self.most is not None and self.total >= self.most

    def refusal(self, network: str) -> str | None:
        """Say why one more connection of this address is not let in, or None; takes one of its tokens."""
        limits = self.limits
        if not self._token(network):
            return f"more than {limits.connects_per_second:g} new connections a second"
        if self.open[network] >= limits.connections_per_address:
            return f"{limits.connections_per_address} connections are open already"
        if self.logging_in[network] >= limits.logins_per_address:
            return f"{limits.logins_per_address} connections have not logged in yet"
        return None

    def arrived(self, network: str) -> None:
        """Count a connection that was let in."""
        self.total += 1
        self.open[network] += 1
        self.logging_in[network] += 1

    def logged_in(self, network: str) -> None:
        """Learn that one of them has logged in, or left without."""
        less(self.logging_in, network)

    def left(self, network: str) -> None:
        """Learn that one of them has gone."""
        self.total -= 1
        less(self.open, network)

    def _token(self, network: str) -> bool:
        now, rate = self._clock(), self.limits.connects_per_second
        bucket = self._buckets.get(network)
        if bucket is None:
            bucket = self._buckets[network] = _Bucket(rate * BURST, now)
            if len(self._buckets) > REMEMBERED:
                self._buckets.popitem(last=False)
        self._buckets.move_to_end(network)
        bucket.tokens = min(rate * BURST, bucket.tokens + (now - bucket.at) * rate)
        bucket.at = now
        if bucket.tokens < 1:
            return False
        bucket.tokens -= 1
        return True
