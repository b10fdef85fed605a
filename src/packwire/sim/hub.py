"""An imitation of the known VESC TCP hub, with all its silences [vesc_tool tcphub.cpp].

It waits five seconds for one line of three tokens, answers no login, closes without a word what it does not
like, and then hands bytes on, knowing nothing of frames. One client a device: the newest wins. When a device
goes, its client's connection is closed. A second `VESC:<id>` replaces the device, whatever its password.
"""

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self, override

from packwire.errors import BadOptionError
from packwire.sim.faults import Faults
from packwire.sim.local_port import MAX_UNREAD, listen, peer_name
from packwire.vesc.hublogin import LOGIN_TIMEOUT, MAX_LINE, Login, Role, normal_id, parse_login

log = logging.getLogger("packwire.sim")

#: The faults of packwire.sim.faults that a hub can have.
HUB_FAULTS = ("displaced", "one-way")


@dataclass(slots=True, eq=False)
class Pairing:
    """A device that is logged in, and the one client that it serves."""

    device: "HubConnection"
    password: str = field(repr=False)
    client: "HubConnection | None" = None

    def close(self) -> None:
        """Close both ends."""
        self.device.transport.close()
        client, self.client = self.client, None
        if client is not None:
            client.transport.close()


class SimulatedHub:
    """A running hub: `async with SimulatedHub(port=0) as hub: ... hub.port`.

    `swallow`: bytes that follow a login in the same segment are lost, as the known hub loses them. `faults`
    are those of HUB_FAULTS. Raises BadOptionError for a taken port or a fault that a hub cannot have.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        login_timeout: float = LOGIN_TIMEOUT,
        swallow: bool = True,
        faults: Iterable[str] = (),
    ) -> None:
        self.host = host
        self.port = port
        self.login_timeout = login_timeout
        self.swallow = swallow
        self.faults = Faults(faults)
        for fault in self.faults:
            if fault.name not in HUB_FAULTS:
                raise BadOptionError(f"a hub cannot have {fault.name}: it can have {', '.join(HUB_FAULTS)}")
        self.pairings: dict[str, Pairing] = {}
        self.connections: set[HubConnection] = set()
        self.closing = False
        self._changed = asyncio.Event()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await listen(lambda: HubConnection(self), self.host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self.closing = True
            self._server.close()
            for connection in tuple(self.connections):
                connection.transport.abort()
            await self._server.wait_closed()

    async def device_connected(self, device_id: str) -> None:
        """Wait until a device of this id is logged in."""
        while normal_id(device_id) not in self.pairings:
            self._changed.clear()
            await self._changed.wait()

    def add_device(self, device_id: str, password: str, device: "HubConnection") -> None:
        """Take a device in; one of the same id is closed, and its client with it."""
        before = self.pairings.get(device_id)
        self.pairings[device_id] = Pairing(device, password)
        if before is not None:
            before.close()
        self._changed.set()

    def remove_device(self, device: "HubConnection") -> None:
        """Forget a device and close its client."""
        for device_id, pairing in tuple(self.pairings.items()):
            if pairing.device is device:
                del self.pairings[device_id]
                pairing.close()


class HubConnection(asyncio.Protocol):
    """One connection: first a line, then a device, a client, or nothing any more."""

    def __init__(self, hub: SimulatedHub) -> None:
        self.transport: asyncio.Transport
        self._hub = hub
        self._name = ""
        self._line = bytearray()
        self._role: Role | None = None
        self._pairing: Pairing | None = None
        self._timer: asyncio.TimerHandle | None = None

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._name = peer_name(transport)
        self._hub.connections.add(self)
        if self._hub.closing:  # it was accepted at the very last moment
            transport.abort()
            return
        self._close_after(self._hub.login_timeout)
        if "one-way" in self._hub.faults:
            transport.pause_reading()

    @override
    def data_received(self, data: bytes) -> None:
        if self._role is None:
            self._take_login(data)
        elif self._pairing is not None:
            other = self._pairing.device if self._role is Role.CLIENT else self._pairing.client
            if other is not None:
                other.send(data)

    @override
    def connection_lost(self, error: Exception | None) -> None:
        self._hub.connections.discard(self)
        if self._timer is not None:
            self._timer.cancel()
        pairing, self._pairing = self._pairing, None
        if self._role is Role.DEVICE:
            log.info("%s: a device left", self._name)
            self._hub.remove_device(self)
        elif self._role is Role.CLIENT:
            log.info("%s: a client left", self._name)
            if pairing is not None and pairing.client is self:
                pairing.client = None

    def send(self, data: bytes) -> None:
        """Hand on bytes; lost where the other end has not read for long."""
        if not self.transport.is_closing() and self.transport.get_write_buffer_size() < MAX_UNREAD:
            self.transport.write(data)

    def _close_after(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(seconds, self.transport.close)

    def _take_login(self, data: bytes) -> None:
        self._line += data
        line, newline, rest = self._line.partition(b"\n")
        if not newline:
            if len(self._line) > MAX_LINE:
                self._refuse("a line without end")
            return
        if self._timer is not None:
            self._timer.cancel()
        login = parse_login(bytes(line))
        if login is None:
            self._refuse("not a login")
            return
        self._role = login.role
        self._line.clear()
        self._begin(login)
        if rest and not self._hub.swallow and not self.transport.is_closing():
            self.data_received(bytes(rest))

    def _begin(self, login: Login) -> None:
        match login.role:
            case Role.PING:
                known = login.device_id in self._hub.pairings
                self.transport.write(b"PONG\n" if known else b"NULL\n")
                self.transport.close()
            case Role.DEVICE:
                log.info("%s: a device logged in", self._name)
                self._hub.add_device(login.device_id, login.password, self)
                self._pairing = self._hub.pairings[login.device_id]
            case Role.CLIENT:
                self._begin_client(login)

    def _begin_client(self, login: Login) -> None:
        pairing = self._hub.pairings.get(login.device_id)
        if pairing is None or pairing.password != login.password:
            self._refuse("unknown id" if pairing is None else "wrong password")
            return
        log.info("%s: a client logged in", self._name)
        if pairing.client is not None:
            log.info("%s: displaced by the newer client", pairing.client._name)  # noqa: SLF001 - of this class
            pairing.client.transport.close()
        pairing.client = self
        self._pairing = pairing
        displaced = self._hub.faults.get("displaced")
        if displaced:
            self._close_after(displaced[0])

    def _refuse(self, why: str) -> None:
        """Close without a word; the log says why, never with what."""
        log.info("%s: refused (%s)", self._name, why)
        self.transport.close()
