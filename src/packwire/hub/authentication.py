"""Is this login the right one? Credentials, first-come registration, and what a wrong one costs.

A login that was checked is remembered as an HMAC with a key that is made anew in every process: a device that
comes back costs microseconds, and so does one that repeats the same wrong password for ever. The HMAC covers
the stored hash, so that a changed password forgets by itself.
"""

import asyncio
import hmac
import logging
import secrets
from collections import Counter, OrderedDict
from dataclasses import dataclass

from packwire.errors import PackwireError
from packwire.hub.back_off import BackOff
from packwire.hub.credentials import PasswordHash, decoy, store_credential, unstorable
from packwire.hub.events import HubEventLog
from packwire.hub.pool import BusyError, Job, Pool
from packwire.hub.settings import HubSettings, Limits
from packwire.vesc.hublogin import Login, Role

#: Ids that one address may register.
REGISTRATIONS_PER_ADDRESS = 1000
#: So many wrong logins are remembered; the oldest are forgotten first.
WRONG_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why somebody is not let in: `kind` for the metrics, `reason` for the log."""

    kind: str
    reason: str


_WRONG = Refusal("wrong-password", "wrong password")
_WRONG_AGAIN = Refusal("wrong-password", "wrong password, the same as before")
_NO_CREDENTIAL = Refusal("unknown-id", "no credential for this id")


class Authenticator:
    """Decides over logins. `credentials`: the hash of each id, of the file or registered since."""

    def __init__(
        self, settings: HubSettings, credentials: dict[str, PasswordHash], events: HubEventLog
    ) -> None:
        self.credentials = credentials
        self.pool = Pool(settings.limits.checks_per_address)
        self.back_off = _back_off(settings.limits)
        self._settings = settings
        self._events = events
        self._memory = _Memory()
        self._checks: dict[bytes, Job[bool]] = {}
        """Logins that are being checked, by their digests."""
        self._guessing: set[tuple[str, str]] = set()
        """Addresses with the ids whose passwords they have tried and not heard about yet."""
        self._costs = _costs(credentials)
        self._registered_by: Counter[str] = Counter()
        self._registering: dict[str, asyncio.Task[PasswordHash]] = {}
        self._new: dict[str, PasswordHash] = {}
        """Registered since the credentials file began to be read for a reload."""

    def reading_begins(self) -> None:
        """Learn that the credentials are about to be read again: what is registered meanwhile is kept."""
        self._new = {}

    def reload(self, settings: HubSettings, credentials: dict[str, PasswordHash]) -> None:
        """Take new credentials and limits; waits that are under way go on unless the limits changed."""
        credentials = self._new | credentials
        if settings.limits != self._settings.limits:
            self.back_off = _back_off(settings.limits)
            self.pool.per_address = settings.limits.checks_per_address
        for device_id in self.credentials.keys() - credentials.keys():
            self._memory.forget(device_id)
        self._settings, self.credentials, self._costs = settings, credentials, _costs(credentials)

    async def grant(self, login: Login, network: str) -> PasswordHash | Refusal:
        """Return the credential that the login was found right against, or why it is refused.

        Cancel it when the connection is gone: a check that has not begun is spared then.
        """
        while (under_way := self._registering.get(login.device_id)) is not None:
            await asyncio.wait([under_way])
        stored = self.credentials.get(login.device_id)
        try:
            if stored is not None:
                return await self._judge(login, stored, network)
            if login.role is Role.CLIENT:  # as soon as where the id is known and its device away
                return Refusal("unknown-id", "no such id")
            if self._settings.open:
                return await self._register(login, network)
            # As much work as for an id that is known, or the time would tell which ones are.
            nobody = decoy(login.device_id, self._memory.key, self._costs)
            judged = await self._judge(login, nobody, network)
        except BusyError as busy:
            return Refusal("busy", str(busy))
        return judged if isinstance(judged, Refusal) and judged.kind != "wrong-password" else _NO_CREDENTIAL

    async def _judge(self, login: Login, stored: PasswordHash, network: str) -> PasswordHash | Refusal:
        device_id = login.device_id
        digest = self._memory.digest(login, stored)
        known = self._memory.found(device_id, digest)
        if known is False:
            return _WRONG_AGAIN
        if self.back_off.wait(network, device_id) > 0 and not (
            known and self.back_off.grace(network, device_id)
        ):
            return Refusal("back-off", "too many wrong logins: wait before the next try")
        if known:
            return stored
        job = self._checks.get(digest) or self._check(login, stored, network, digest)
        return stored if await job.outcome() else _WRONG

    def _check(self, login: Login, stored: PasswordHash, network: str, digest: bytes) -> Job[bool]:
        """Begin a check, or let it wait; its result counts also where who asked is gone by then."""
        guess = network, login.device_id
        if guess in self._guessing:  # else many guesses at once would all be free
            raise BusyError("another password for this id is being checked: dial again")
        job = self.pool.submit(network, lambda: stored.check(login.password))
        self._guessing.add(guess)
        self._checks[digest] = job

        def judged(done: asyncio.Future[bool]) -> None:
            self._guessing.discard(guess)
            del self._checks[digest]
            if done.cancelled() or done.exception() is not None:
                return
            self._memory.remember(login.device_id, digest, right=done.result())
            (self.back_off.succeeded if done.result() else self.back_off.failed)(network, login.device_id)

        job.done.add_done_callback(judged)
        return job

    async def _register(self, login: Login, network: str) -> PasswordHash | Refusal:
        """Let the first device of an id set its password."""
        most = self._settings.limits.registrations
        known = len(self.credentials) + len(self._registering)
        if known >= most or self._registered_by[network] >= REGISTRATIONS_PER_ADDRESS:
            return Refusal("registrations", "no more ids can be registered")
        if not login.password:
            return Refusal("registrations", "an empty password cannot be registered")
        if problem := unstorable(login.device_id):
            return Refusal("registrations", problem)
        job = self.pool.submit(network, lambda: PasswordHash.of(login.password))
        task = self._registering[login.device_id] = asyncio.ensure_future(self._enter(login, network, job))
        await job.outcome()
        return await asyncio.shield(task)

    async def _enter(self, login: Login, network: str, job: Job[PasswordHash]) -> PasswordHash:
        """Keep a new id's password once it is hashed, also for one who has hung up by then."""
        device_id = login.device_id
        try:
            stored = await job.done
            self.credentials[device_id] = self._new[device_id] = stored
            self._registered_by[network] += 1
            self._memory.remember(device_id, self._memory.digest(login, stored), right=True)
            await self._store(device_id, stored)
        finally:
            del self._registering[device_id]
        self._events.say("id registered", id=device_id, address=network)
        return stored

    async def _store(self, device_id: str, stored: PasswordHash) -> None:
        path = self._settings.credentials
        if path is None:
            return
        try:
            await asyncio.get_running_loop().run_in_executor(None, store_credential, path, device_id, stored)
        except PackwireError as error:
            self._events.say("registration not stored", level=logging.ERROR, id=device_id, reason=str(error))


class _Memory:
    """What checks found of logins, in this process."""

    def __init__(self) -> None:
        self.key = secrets.token_bytes(32)
        self._right: dict[str, bytes] = {}
        self._wrong: OrderedDict[bytes, None] = OrderedDict()

    def digest(self, login: Login, stored: PasswordHash) -> bytes:
        """Return what stands for this very login and the hash that it is checked against."""
        said = f"{login.device_id}\0{stored.text}\0{login.password}".encode(errors="surrogateescape")
        return hmac.digest(self.key, said, "sha256")

    def found(self, device_id: str, digest: bytes) -> bool | None:
        """Tell what the last check of this very login found; None where there was none."""
        right = self._right.get(device_id)
        if right is not None and hmac.compare_digest(right, digest):
            return True
        if digest in self._wrong:
            self._wrong.move_to_end(digest)
            return False
        return None

    def remember(self, device_id: str, digest: bytes, *, right: bool) -> None:
        """Learn what a check found."""
        if right:
            self._right[device_id] = digest
            return
        self._wrong[digest] = None
        if len(self._wrong) > WRONG_REMEMBERED:
            self._wrong.popitem(last=False)

    def forget(self, device_id: str) -> None:
        """Forget the right login of an id that is no more."""
        self._right.pop(device_id, None)


def _costs(credentials: dict[str, PasswordHash]) -> tuple[str, ...]:
    return tuple(stored.cost for stored in credentials.values())


def _back_off(limits: Limits) -> BackOff:
    clock = asyncio.get_running_loop().time
    return BackOff(limits.wrong_logins, limits.wrong_logins_per_address, limits.longest_wait, clock)
