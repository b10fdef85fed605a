"""Who may try a password now: exponential back-off for wrong logins, which never locks the owner out.

Some wrong logins are free, then each makes the wait twice as long. They are counted in one table, bounded,
under three names, each forgotten after a while without a wrong login:

- an address with an id;
- an address: many wrong ones over all ids, and it waits for every id;
- an id: under attack from many addresses, an address that already failed there waits longer. One that never
  failed there has its first try at once, whatever strangers do.

A login that was found right before is let in during a wait too, one try a second: a stranger behind the same
address cannot keep the owner out, nor learn much by trying. The same wrong login again is no new guess: a
device that was never told the new password costs nothing and blocks nobody.
"""

import ipaddress
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

#: Seconds without a wrong login after which an account is forgotten.
FORGET = 900.0
#: Seconds between two tries of a remembered login during a wait.
GRACE = 1.0
#: The first wait, in s.
FIRST = 1.0
ACCOUNTS = 60_000

#: An address and an id; for an account of the one alone the other is None.
type _Key = tuple[str | None, str | None]


@dataclass(slots=True)
class _Account:
    failures: int = 0
    until: float = 0.0
    last: float = 0.0
    graced: float = float("-inf")


class BackOff:
    """The accounts. `clock` gives seconds; nothing here waits by itself.

    `wrong` logins of an address at an id are free, and `wrong_in_all` over all ids of an address, or over all
    addresses of an id. `longest` is the longest wait, in s.
    """

    def __init__(self, wrong: int, wrong_in_all: int, longest: float, clock: Callable[[], float]) -> None:
        self._free = {True: wrong, False: wrong_in_all}
        self._longest = longest
        self._clock = clock
        self._accounts: OrderedDict[_Key, _Account] = OrderedDict()

    def wait(self, address: str, device_id: str) -> float:
        """Return for how many seconds no password from here is looked at; 0: go on."""
        keys: list[_Key] = [(address, device_id), (address, None)]
        if self._get((address, device_id)) is not None:
            keys.append((None, device_id))
        known = [account.until for key in keys if (account := self._get(key)) is not None]
        return max(0.0, max(known, default=0.0) - self._clock())

    def grace(self, address: str, device_id: str) -> bool:
        """Take the one try a second that a remembered login has during a wait; False where it was taken."""
        account = self._get((address, device_id)) or self._get((address, None))
        if account is None:
            return True
        now = self._clock()
        if now - account.graced < GRACE:
            return False
        account.graced = now
        return True

    def failed(self, address: str, device_id: str) -> None:
        """Learn that a login was wrong."""
        for key in ((address, device_id), (address, None), (None, device_id)):
            self._count(key, self._free[None not in key])

    def succeeded(self, address: str, device_id: str) -> None:
        """Learn that it was right: what this address did wrong with this id is forgotten."""
        self._accounts.pop((address, device_id), None)

    def _count(self, key: _Key, free: int) -> None:
        now = self._clock()
        account = self._get(key) or _Account()
        account.failures += 1
        account.last = now
        over = account.failures - free
        if over >= 0:
            account.until = max(account.until, now + min(self._longest, FIRST * 2 ** min(over, 60)))
        self._accounts[key] = account
        self._accounts.move_to_end(key)
        if len(self._accounts) > ACCOUNTS:  # the one that was used the longest ago makes room
            self._accounts.popitem(last=False)

    def _get(self, key: _Key) -> _Account | None:
        account, now = self._accounts.get(key), self._clock()
        if account is not None and now - account.last > FORGET and now >= account.until:
            del self._accounts[key]
            return None
        return account


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
