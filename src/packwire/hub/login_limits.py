"""Who may try a password now: exponential back-off for wrong logins, which never locks the owner out.

Three accounts are kept, each bounded in number, each forgotten after a while without a wrong login:

- an address with an id: after a few wrong passwords it waits, each time twice as long;
- an address: many wrong ones over all ids, and it waits for every id;
- an id: under attack from many addresses, an address that already failed there waits longer. One that never
  failed there has its first try at once, whatever strangers do.

A login that was found right before is let in during a wait too, one try a second: a stranger behind the same
address cannot keep the owner out, nor learn much by trying. The same wrong login again is no new guess: a
device that was never told the new password costs nothing and blocks nobody.
"""

import ipaddress
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass

#: Seconds without a wrong login after which an account is forgotten.
FORGET = 900.0
#: Seconds between two tries of a remembered login during a wait.
GRACE = 1.0
ACCOUNTS = 20_000


@dataclass(frozen=True, slots=True)
class BackOff:
    """Some wrong logins are free; then a wait of `first` s, twice as long each time, up to `longest`."""

    free: int
    first: float = 1.0
    longest: float = 300.0

    def wait(self, failures: int) -> float:
        """Return the wait in s after so many wrong logins."""
        over = failures - self.free
        return 0.0 if over < 0 else min(self.longest, self.first * 2 ** min(over, 60))


@dataclass(slots=True)
class _Account:
    failures: int = 0
    until: float = 0.0
    last: float = 0.0
    graced: float = float("-inf")


class LoginLimits:
    """The accounts. `clock` gives seconds; nothing here waits by itself."""

    def __init__(self, pair: BackOff, address: BackOff, device: BackOff, clock: Callable[[], float]) -> None:
        self.pair, self.address, self.device = pair, address, device
        self._clock = clock
        self._pairs = _Accounts()
        self._addresses = _Accounts()
        self._ids = _Accounts()

    def wait(self, address: str, device_id: str) -> float:
        """Return for how many seconds no password from here is looked at; 0: go on."""
        now = self._clock()
        pair = self._pairs.get((address, device_id), now)
        until = max(
            pair.until if pair else 0.0,
            account.until if (account := self._addresses.get(address, now)) else 0.0,
            under_attack.until if pair and (under_attack := self._ids.get(device_id, now)) else 0.0,
        )
        return max(0.0, until - now)

    def grace(self, address: str, device_id: str) -> bool:
        """Take the one try a second that a remembered login has during a wait; False where it was taken."""
        now = self._clock()
        account = self._pairs.get((address, device_id), now) or self._addresses.get(address, now)
        if account is None:
            return True
        if now - account.graced < GRACE:
            return False
        account.graced = now
        return True

    def guess(self, address: str, device_id: str) -> None:
        """Count a login as wrong before it is checked, or else many guesses at once would all be free."""
        self._count(self._pairs, (address, device_id), self.pair)

    def failed(self, address: str, device_id: str) -> None:
        """Learn that a guess was wrong."""
        self._count(self._addresses, address, self.address)
        self._count(self._ids, device_id, self.device)

    def succeeded(self, address: str, device_id: str) -> None:
        """Learn that it was right: what this address did wrong with this id is forgotten."""
        self._pairs.forget((address, device_id))

    def _count(self, accounts: "_Accounts", key: Hashable, back_off: BackOff) -> None:
        now = self._clock()
        account = accounts.make(key, now)
        account.failures += 1
        account.last = now
        account.until = max(account.until, now + back_off.wait(account.failures))


class _Accounts:
    """Accounts by key; the one that was used the longest ago makes room for a new one."""

    def __init__(self) -> None:
        self._accounts: OrderedDict[Hashable, _Account] = OrderedDict()

    def get(self, key: Hashable, now: float) -> _Account | None:
        account = self._accounts.get(key)
        if account is not None and now - account.last > FORGET and now >= account.until:
            del self._accounts[key]
            return None
        return account

    def make(self, key: Hashable, now: float) -> _Account:
        account = self.get(key, now)
        if account is None:
            account = self._accounts[key] = _Account(last=now)
            if len(self._accounts) > ACCOUNTS:
                self._accounts.popitem(last=False)
        self._accounts.move_to_end(key)
        return account

    def forget(self, key: Hashable) -> None:
        self._accounts.pop(key, None)


def network_of(host: str) -> str:
    """Return what counts as one address: an IPv4 address, or the /64 that one IPv6 user has."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if address.version == 4:
        return host
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, 64), strict=False))
