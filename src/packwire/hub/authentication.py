"""Is this login the right one? Credentials, first-come registration, and what a wrong one costs."""

import asyncio
import logging
from collections import Counter
from dataclasses import dataclass

from packwire.errors import PackwireError
from packwire.hub.credentials import PasswordHash, store_credential, unstorable
from packwire.hub.events import EventLog
from packwire.hub.login_limits import BackOff, LoginLimits
from packwire.hub.settings import HubSettings, Limits
from packwire.hub.verifying import Verifier
from packwire.vesc.hublogin import Login, Role

#: The first wait after too many wrong logins, in s.
FIRST_WAIT = 1.0
#: Ids that one address may register.
REGISTRATIONS_PER_ADDRESS = 1000


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why somebody is not let in: `kind` for the metrics, `reason` for the log."""

    kind: str
    reason: str


class Authenticator:
    """Decides over logins. `credentials`: the hash of each id, of the file or registered since."""

    def __init__(self, settings: HubSettings, credentials: dict[str, PasswordHash], events: EventLog) -> None:
        self.credentials = credentials
        self.verifier = Verifier()
        self.limits = self._limits(settings.limits)
        self._settings = settings
        self._events = events
        self._being_checked: Counter[str] = Counter()
        self._registered_by: Counter[str] = Counter()
        self._registering: dict[str, asyncio.Task[PasswordHash]] = {}
        self._checks: set[asyncio.Task[bool]] = set()
        self._new: dict[str, PasswordHash] = {}
        """Registered since the credentials file began to be read for a reload."""

    def reading_begins(self) -> None:
        """Learn that the credentials are about to be read again: what is registered meanwhile is kept."""
        self._new = {}

    def reload(self, settings: HubSettings, credentials: dict[str, PasswordHash]) -> None:
        """Take new credentials and limits; waits that are under way go on unless the limits changed."""
        credentials = self._new | credentials
        if settings.limits != self._settings.limits:
            self.limits = self._limits(settings.limits)
        for device_id in self.credentials.keys() - credentials.keys():
            self.verifier.forget(device_id)
        self._settings, self.credentials = settings, credentials

    async def grant(self, login: Login, network: str) -> PasswordHash | Refusal:
        """Return the credential that the login was found right against, or why it is refused."""
        device_id = login.device_id
        while (under_way := self._registering.get(device_id)) is not None:
            await asyncio.wait([under_way])
        stored = self.credentials.get(device_id)
        if stored is None:
            if login.role is Role.DEVICE and self._settings.open:
                return await self._register(login, network)
            return Refusal(
                "unknown-id", "no such id" if login.role is Role.CLIENT else "no credential for this id"
            )
        known = self.verifier.remembered(device_id, stored, login.password)
        if known is False:
            return Refusal("wrong-password", "wrong password, the same as before")
        wait = self.limits.wait(network, device_id)
        if wait > 0 and not (known and self.limits.grace(network, device_id)):
            return Refusal("back-off", "too many wrong logins: wait before the next try")
        if known:
            return stored
        return await self._check(login, stored, network)

    async def _check(self, login: Login, stored: PasswordHash, network: str) -> PasswordHash | Refusal:
        device_id, password = login.device_id, login.password
        if self.verifier.is_under_way(device_id, stored, password):
            right = await self.verifier.check(device_id, stored, password)
        elif (busy := self._busy(network)) is not None:
            return busy
        else:
            self.limits.guess(network, device_id)
            self._being_checked[network] += 1
            task = asyncio.ensure_future(self._guess(login, stored, network))
            self._checks.add(task)
            task.add_done_callback(self._checks.discard)
            right = await asyncio.shield(task)
        return stored if right else Refusal("wrong-password", "wrong password")

    async def _guess(self, login: Login, stored: PasswordHash, network: str) -> bool:
        """Check a password, and keep the account: one who hangs up meanwhile is counted as one who waits."""
        try:
            right = await self.verifier.check(login.device_id, stored, login.password)
        finally:
            self._checked(network)
        (self.limits.succeeded if right else self.limits.failed)(network, login.device_id)
        return right

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
        if (busy := self._busy(network)) is not None:
            return busy
        self._being_checked[network] += 1
        self._registered_by[network] += 1
        task = self._registering[login.device_id] = asyncio.ensure_future(self._enter(login, network))
        return await asyncio.shield(task)

    async def _enter(self, login: Login, network: str) -> PasswordHash:
        """Hash and keep a new id's password, also for one who has hung up."""
        try:
            stored = await self.verifier.make(login.password)
            self.credentials[login.device_id] = self._new[login.device_id] = stored
            self.verifier.trust(login.device_id, stored, login.password)
            await self._store(login.device_id, stored)
        finally:
            self._checked(network)
            del self._registering[login.device_id]
        self._events.say("id registered", id=login.device_id, address=network)
        return stored

    async def _store(self, device_id: str, stored: PasswordHash) -> None:
        path = self._settings.credentials
        if path is None:
            return
        try:
            await asyncio.get_running_loop().run_in_executor(None, store_credential, path, device_id, stored)
        except PackwireError as error:
            self._events.say("registration not stored", level=logging.ERROR, id=device_id, reason=str(error))

    def _busy(self, network: str) -> Refusal | None:
        if self._being_checked[network] < self._settings.limits.checks_per_address:
            return None
        return Refusal("busy", "other passwords of this address are being checked: dial again")

    def _checked(self, network: str) -> None:
        self._being_checked[network] -= 1
        if not self._being_checked[network]:
            del self._being_checked[network]

    def _limits(self, limits: Limits) -> LoginLimits:
        longest = limits.longest_wait
        return LoginLimits(
            BackOff(limits.wrong_logins, FIRST_WAIT, longest),
            BackOff(limits.wrong_logins_per_address, FIRST_WAIT, longest),
            BackOff(limits.wrong_logins_per_address, FIRST_WAIT, longest),
            asyncio.get_running_loop().time,
        )
