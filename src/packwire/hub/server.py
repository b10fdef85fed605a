"""The hub: its ports, who is let in, and what it says in its log.

    async with Hub(settings) as hub:
        ...
        await hub.reload(new_settings)

The log says of every connection why it ended; the other end is told nothing, as at the known hub.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Self

from packwire.errors import BadOptionError
from packwire.hub.admission import Admission
from packwire.hub.authentication import Authenticator, Refusal
from packwire.hub.counters import HubCounters
from packwire.hub.credentials import PasswordHash, read_credentials
from packwire.hub.departures import Departures
from packwire.hub.events import HubEventLog
from packwire.hub.listening import listen, tls_context
from packwire.hub.login import LoginProtocol
from packwire.hub.registry import HubDevice, Registry
from packwire.hub.relay import ClientRelay, DeviceRelay
from packwire.hub.settings import HubSettings
from packwire.hub.tls_login import TlsLoginProtocol
from packwire.link.sockets import allow_many_files, watch_for_loss
from packwire.share.device import SharedDevice
from packwire.vesc.framing import SENT_MAX_PAYLOAD
from packwire.vesc.hublogin import Login, Role

if TYPE_CHECKING:
    import ssl

_ROLES = {Role.DEVICE: "device", Role.CLIENT: "client", Role.PING: "ping"}
#: How long connections have to end when the hub stops.
STOP_SECONDS = 2.0
#: With fewer open files than this the hub says that the limit is low; 5 000 devices with a client need more.
FEW_CONNECTIONS = 4000


def credentials_of(settings: HubSettings) -> dict[str, PasswordHash]:
    """Read the credentials that the settings name. Raises BadFileError."""
    if settings.credentials is None:
        return {}
    return read_credentials(settings.credentials, may_be_missing=settings.open)


class Hub:
    """A running hub. Raises BadOptionError or BadFileError where it cannot begin."""

    def __init__(self, settings: HubSettings) -> None:
        if settings.credentials is None and not settings.open:
            raise BadOptionError(
                "nobody could log in: name the passwords with --credentials FILE, or let whoever comes first "
                "set them with --open"
            )
        self.settings = settings
        self.events = HubEventLog()
        self.counters = HubCounters()
        self.registry = Registry(lambda device: self.counters.forget(device.shared.stats()))
        self.authenticator: Authenticator
        self.admission: Admission
        self.port = settings.port
        self.tls_port: int | None = None
        self.stopping = False
        self._waiting: dict[LoginProtocol, None] = {}
        """Connections that have not logged in, the oldest first."""
        self._handshakes: dict[TlsLoginProtocol, None] = {}
        self._departures = Departures(self.registry, self.counters, self.events, settings.limits)
        self._servers: list[asyncio.Server] = []
        self._tls: ssl.SSLContext | None = None

    async def __aenter__(self) -> Self:
        settings = self.settings
        most = allow_many_files()
        self._tls = None if settings.tls is None else tls_context(settings.tls)
        clock = asyncio.get_running_loop().time
        self.authenticator = Authenticator(settings, credentials_of(settings), self.events)
        self.admission = Admission(settings.limits, most, clock)
        try:
            await self._listen()
        except BaseException:
            self._close_ports()
            raise
        self.events.say(
            "hub listens",
            host=settings.host,
            port=self.port,
            tls_port=self.tls_port,
            ids=len(self.authenticator.credentials),
            open_registration=settings.open,
            most_connections=most,
        )
        if most is not None and most < FEW_CONNECTIONS:
            self.events.say(
                "few connections",
                level=logging.WARNING,
                most_connections=most,
                reason="the system's limit of open files is low: raise it (`ulimit -n`, LimitNOFILE=)",
            )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stopping = self._departures.stopping = True
        self._close_ports()
        relays = self._departures.relays
        count = len(relays)
        for relay in tuple(relays):
            relay.told_why = True
            relay.transport.close()
        for waiting in tuple(self._waiting):
            waiting.ended = True
            waiting.transport.abort()
        if relays:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(STOP_SECONDS):
                    await self._departures.all_left.wait()
        for relay in tuple(relays):  # what they were sent last, they do not read
            relay.transport.abort()
        for device in tuple(self.registry.devices.values()):
            self.registry.forget(device)
        self.events.say("hub stopped", connections_ended=count)

    async def reload(self, settings: HubSettings) -> None:
        """Take new credentials, limits, permissions and certificates; end only what is not allowed any more.

        Raises BadFileError or BadOptionError, and changes nothing then.
        """
        self.authenticator.reading_begins()
        credentials = await asyncio.to_thread(credentials_of, settings)
        if settings.credentials is None:  # what was registered lives here alone
            credentials = self.authenticator.credentials
        both = self._tls is not None and settings.tls is not None
        tls = tls_context(settings.tls) if both and settings.tls is not None else self._tls
        # From here on nothing can fail: it is taken as a whole, or not at all.
        policies = {
            device_id: (settings.policy(device_id), settings.age(device_id))
            for device_id in self.registry.devices
        }
        self._tls = tls
        fixed = ("host", "port", "http_port")
        restart = [name for name in fixed if getattr(settings, name) != getattr(self.settings, name)]
        if (settings.tls is None) != (self.settings.tls is None):
            restart.append("tls")
        self.settings = settings
        self.admission.limits = self._departures.limits = settings.limits
        self.authenticator.reload(settings, credentials)
        credentials = self.authenticator.credentials
        ended = 0
        for device in tuple(self.registry.devices.values()):
            if credentials.get(device.device_id) != device.credential:
                self.events.say(
                    "device ended", id=device.device_id, reason="its password was changed or removed"
                )
                self.registry.forget(device)
                ended += 1
            else:
                device.shared.policy, device.shared.max_age = policies[device.device_id]
        self.counters.reloads += 1
        self.events.say(
            "reloaded", ids=len(credentials), devices_ended=ended, restart_for=",".join(restart) or None
        )

    def _login(self) -> LoginProtocol:
        limits = self.settings.limits
        return LoginProtocol(self, limits.login_seconds, limits.refusal_seconds)

    def _tls_login(self) -> LoginProtocol:
        assert self._tls is not None
        limits = self.settings.limits
        return TlsLoginProtocol(
            self, limits.login_seconds, limits.refusal_seconds, self._tls, self._handshakes
        )

    async def _listen(self) -> None:
        settings = self.settings
        server = await listen(self._login, settings.host, settings.port, "--port")
        self._servers.append(server)
        self.port = server.sockets[0].getsockname()[1]
        if settings.tls is not None:
            secure = await listen(self._tls_login, settings.host, settings.tls.port, "--tls-port")
            self._servers.append(secure)
            self.tls_port = secure.sockets[0].getsockname()[1]

    def _close_ports(self) -> None:
        for server in self._servers:
            server.close()
        self.authenticator.pool.close()

    # What a login asks for (login.Reception).

    def admit(self, connection: LoginProtocol) -> bool:
        """Let a new connection in, or close it at once."""
        self.counters.accepted += 1
        problem = "the hub is stopping" if self.stopping else self.admission.refusal(connection.network)
        if problem is None and self.admission.full:
            problem = self._make_room()
        if problem is not None:
            self.counters.not_admitted += 1
            self.events.say_seldom(
                "connection refused", connection.network, address=connection.network, reason=problem
            )
            connection.transport.abort()
            return False
        self.admission.arrived(connection.network)
        self._waiting[connection] = None
        watch_for_loss(connection.transport.get_extra_info("socket"), self.settings.limits.lost_link_seconds)
        return True

    def login_ended(self, connection: LoginProtocol) -> None:
        """Count that it has logged in, or left without."""
        if connection in self._waiting:
            del self._waiting[connection]
            self.admission.logged_in(connection.network)

    def left(self, network: str) -> None:
        """Count that a connection has ended."""
        self.admission.left(network)

    def login_refused(self, connection: LoginProtocol, login: Login | None, refusal: Refusal) -> None:
        """Say why somebody is not let in."""
        self.counters.refusals[refusal.kind] += 1
        device_id = None if login is None else login.device_id
        left = refusal.kind == "left"
        self.events.say_seldom(
            "left without login" if left else "login refused",
            connection.network,
            device_id or "",
            refusal.reason,
            level=logging.INFO if left else logging.WARNING,
            role=None if login is None else _ROLES[login.role],
            id=device_id,
            address=connection.name,
            reason=refusal.reason,
        )

    async def begin(self, connection: LoginProtocol, login: Login) -> None:
        """Judge a login."""
        if login.role is Role.PING:
            self.counters.logins["ping"] += 1
            connection.ended = True
            known = self.registry.connected(login.device_id) is not None
            connection.transport.write(b"PONG\n" if known else b"NULL\n")
            connection.transport.close()
            return
        if self._is_away(login):
            connection.refuse(login, Refusal("not-connected", "the device is not connected to this hub"))
            return
        granted = await self.authenticator.grant(login, connection.network)
        if connection.transport.is_closing() or self.stopping:
            return
        if isinstance(granted, Refusal):
            connection.refuse(login, granted)
        elif self.authenticator.credentials.get(login.device_id) != granted:
            connection.refuse(login, Refusal("wrong-password", "its password was changed a moment ago"))
        elif login.role is Role.DEVICE:
            self._begin_device(connection, login.device_id, granted)
        else:
            self._begin_client(connection, login)

    def _is_away(self, login: Login) -> bool:
        """Tell whether it asks for a device that is not there.

        Such a client is refused before its password costs anything: when the hub comes back with thousands of
        devices, theirs are checked, and their clients' are known by then.
        """
        return (
            login.role is Role.CLIENT
            and login.device_id in self.authenticator.credentials
            and login.device_id not in self.registry.devices
        )

    def _begin_device(self, connection: LoginProtocol, device_id: str, credential: PasswordHash) -> None:
        device = self.registry.devices.get(device_id)
        if device is None:
            device = self._new_device(device_id, credential)
        if device.connection is not None:
            self.counters.replaced += 1
            self.events.say_seldom(
                "device replaced",
                device_id,
                id=device_id,
                address=connection.name,
                reason="it logged in again before its connection ended; or two devices have this id",
            )
            before, device.connection = device.connection, None
            device.shared.device_gone()
            before.abort()
        if device.absence is not None:
            device.absence.cancel()
            device.absence = None
        self.counters.logins["device"] += 1
        self.events.say_seldom(
            "device logged in",
            device_id,
            level=logging.INFO,
            id=device_id,
            address=connection.name,
            clients=len(device.clients) or None,
        )
        self._start(connection, device, DeviceRelay)

    def _begin_client(self, connection: LoginProtocol, login: Login) -> None:
        device = self.registry.devices.get(login.device_id)
        if device is None:
            connection.refuse(login, Refusal("not-connected", "the device is not connected to this hub"))
            return
        most = self.settings.limits.clients_per_device
        if len(device.clients) >= most:
            connection.refuse(login, Refusal("clients", f"the device has {most} clients already"))
            return
        self.counters.logins["client"] += 1
        self.events.say(
            "client logged in", id=device.device_id, address=connection.name, others=len(device.clients)
        )
        self._start(connection, device, ClientRelay)

    def _start(
        self, connection: LoginProtocol, device: HubDevice, kind: type[DeviceRelay | ClientRelay]
    ) -> None:
        relay = kind(
            self._departures,
            device,
            connection.transport,
            connection.name,
            self._unread,
            self._ender(connection),
        )
        self._departures.relays.add(relay)
        relay.begin(connection.take_over(relay))

    def _ender(self, connection: LoginProtocol) -> Callable[[], None]:
        network = connection.network
        return lambda: self.left(network)

    @property
    def _unread(self) -> int:
        return self.settings.limits.unread_bytes

    def _new_device(self, device_id: str, credential: PasswordHash) -> HubDevice:
        def tell(line: str) -> None:
            self.events.say_seldom("request refused", device_id, line, id=device_id, reason=line)

        settings = self.settings
        shared = SharedDevice(
            settings.policy(device_id),
            max_age=settings.age(device_id),
            name=device_id,
            tell=tell,
            max_payload=SENT_MAX_PAYLOAD,
        )
        device = HubDevice(device_id, credential, shared)
        self.registry.enter(device)
        return device

    def _make_room(self) -> str | None:
        """End the connection that has not logged in for longest; say why no other can come, or None."""
        oldest = next(iter(self._waiting), None)
        if oldest is None:
            return "no more files can be open (see `ulimit -n`)"
        self.events.say_seldom(
            "connection ended", "room", address=oldest.name, reason="made room: no login yet"
        )
        oldest.ended = True
        self.login_ended(oldest)  # now: the next to come, in a moment, must not count on the same room
        oldest.transport.abort()
        return None
