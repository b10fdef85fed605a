"""Sharing one VESC on a TCP port: clients connect as to a VESC, one connection goes to the device.

When the device goes, the clients stay, and it is dialled again (at first soon, then less often). What each
client may ask and who gets which reply is decided in `packwire.share.device`.
"""

import asyncio
import errno
import ipaddress
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self, cast, override

from packwire.address import place
from packwire.device.follow import retry_delay
from packwire.errors import BadOptionError, PackwireError
from packwire.link.base import Link
from packwire.link.sockets import watch_for_loss
from packwire.share.device import SharedDevice
from packwire.share.permissions import READ_ONLY, Policy
from packwire.share.stats import ClientAccount, SharingStats
from packwire.share.upstream import Upstream
from packwire.vesc.announcement import ANNOUNCING
from packwire.vesc.replies import FwVersion

MAX_CLIENTS = 64
#: So many of them from one address, where it is not this computer.
MAX_OF_ADDRESS = 16
#: Where there are too many, one is ended: first those that never asked anything and came so long ago,
NEVER_ASKED = 2.0
#: then those that asked nothing for so long.
IDLE = 30.0
#: A client that leaves so many bytes unread is cut off: it does not read, and the others shall not wait.
UNREAD = 256 * 1024
#: Seconds after which a client that does not acknowledge is gone.
CLIENT_LOSS = 30.0
#: Of what one client sent, so many bytes are looked at before the others have their turn.
AT_ONCE = 2048


@dataclass(frozen=True, slots=True)
class ClientCame:
    """A client has connected."""

    name: str


@dataclass(frozen=True, slots=True)
class ClientLeft:
    """A client's connection has ended; `reason` is empty where the client closed it."""

    stats: ClientAccount
    reason: str


@dataclass(frozen=True, slots=True)
class DeviceThere:
    """The device answers (again)."""

    name: str
    version: FwVersion


@dataclass(frozen=True, slots=True)
class DeviceAway:
    """The device is gone, or was not there again; the next attempt comes in `retry_in` seconds."""

    error: PackwireError
    retry_in: float


@dataclass(frozen=True, slots=True)
class Refused:
    """A client asked what it may not; told once a client and command."""

    line: str


type ShareEvent = ClientCame | ClientLeft | DeviceThere | DeviceAway | Refused


class Share:
    """Listens for clients and keeps a connection to the device.

    >>> async with Share(lambda: TcpLink("192.0.2.1", 65102), port=65102) as share:    # doctest: +SKIP
    ...     await share.run()

    `link` makes a new Link for each connection. Entering takes the port, connects to the device and begins
    to listen, in this order: a port that is taken costs nobody the device. It raises UnreachableError,
    RefusedError, NoAnswerError or NotAVescError where there is no VESC, and BadOptionError where the port
    cannot be listened on. `port` 0 takes any free one.
    """

    def __init__(
        self,
        link: Callable[[], Link],
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        policy: Policy = READ_ONLY,
        max_age: float = 0.1,
        watch: Callable[[ShareEvent], None] = lambda _: None,
    ) -> None:
        self.host = host
        self.port = port
        self._link = link
        self._policy = policy
        self._max_age = max_age
        self.watch = watch
        self.clients: set[_Client] = set()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self.device = SharedDevice(
            self._policy, max_age=self._max_age, tell=lambda line: self.watch(Refused(line))
        )
        self._upstream = Upstream(self._link(), self.device)
        try:
            self._server = await self._take_port()
            version = await self._upstream.open()
            await self._listen()
        except BaseException:
            if self._server is not None:
                self._server.close()
            await self._upstream.close()
            self.device.close()
            raise
        self.port = self._server.sockets[0].getsockname()[1]
        self._there(version)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for client in tuple(self.clients):
            client.end("")
        await self._upstream.close()
        self.device.close()

    @property
    def where(self) -> str:
        """Where clients connect: `127.0.0.1:65102`."""
        return place(self.host, self.port)

    def stats(self) -> SharingStats:
        """Return the account as it is now."""
        return self.device.stats()

    async def announce(self) -> None:
        """Say in this network where clients connect, as a VESC does, for ever; cancel it to stop."""
        from packwire.link.beacon import broadcast  # noqa: PLC0415 - only for those who ask for it

        await broadcast(ANNOUNCING, self.host, self.port, "255.255.255.255", name="packwire share")

    async def run(self) -> None:
        """Keep the connection to the device, for ever; cancel it to stop."""
        loop = asyncio.get_running_loop()
        attempt = 0
        while True:
            since = loop.time()
            error = await self._upstream.until_gone()
            # A connection that did not outlive the wait before it was no success: two that displace each
            # other at a hub must wait longer and longer.
            if loop.time() - since > 2 * retry_delay(error, attempt):
                attempt = 0
            version = None
            while version is None:
                delay = retry_delay(error, attempt)
                attempt += 1
                self.watch(DeviceAway(error, delay))
                await asyncio.sleep(delay)
                self._upstream = Upstream(self._link(), self.device)
                try:
                    version = await self._upstream.open()
                except PackwireError as again:
                    error = again
            self._there(version)

    def _there(self, version: FwVersion) -> None:
        self.watch(DeviceThere(self._upstream.link.name, version))

    async def _take_port(self) -> asyncio.Server:
        loop = asyncio.get_running_loop()
        try:
            return await loop.create_server(lambda: _Client(self), self.host, self.port, start_serving=False)
        except (OSError, UnicodeError) as error:
            raise self._cannot_listen(error) from None

    async def _listen(self) -> None:
        assert self._server is not None
        try:
            await self._server.start_serving()
        except OSError as error:  # another has begun to listen meanwhile
            raise self._cannot_listen(error) from None

    def _cannot_listen(self, error: OSError | UnicodeError) -> BadOptionError:
        number = error.errno if isinstance(error, OSError) else None
        if (
            number == errno.EADDRNOTAVAIL
            or number is None
            or number <= 0
            or isinstance(error, socket.gaierror)
        ):
            return BadOptionError(
                f"cannot listen on {self.where}: {self.host} is no address of this computer; name one with "
                "--host (127.0.0.1: for this computer alone, 0.0.0.0: for others too)"
            )
        reason = os.strerror(number).lower()
        return BadOptionError(
            f"cannot listen on {self.where}: {reason}; name another port with --listen (0: any free one)"
        )

    def make_room(self, newcomer: "_Client") -> str:
        """See to it that there is room for one more client; say why there is none."""
        others = [client for client in self.clients if client is not newcomer]
        address = newcomer.address
        if not is_loopback(address):
            of_address = sum(client.address == address for client in others)
            if of_address >= MAX_OF_ADDRESS:
                return f"there are {of_address} clients of its address already"
        if len(others) < MAX_CLIENTS:
            return ""
        idlest = min(others, key=lambda client: (client.asked, client.heard))
        idle = asyncio.get_running_loop().time() - idlest.heard
        if idle < (IDLE if idlest.asked else NEVER_ASKED):
            return f"there are {len(others)} clients already"
        idlest.end(f"there are {len(others)} clients, and it asked nothing for {idle:.0f} s")
        return ""


def is_loopback(address: str) -> bool:
    """Tell whether an address (not a name) is this computer's own."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


class _Client(asyncio.Protocol):
    """A client's connection: its place at the device."""

    def __init__(self, share: Share) -> None:
        self._share = share
        self.address = ""
        self.heard = 0.0
        """When it last sent anything, or came."""
        self._now = share.device.now
        self._rest = b""
        self._reason = ""

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        share = self._share
        self.address, port = self._transport.get_extra_info("peername")[:2]
        self.heard = self._now()
        share.clients.add(self)
        self._seat = share.device.join(self._write, place(self.address, port))
        if reason := share.make_room(self):
            self.end(reason)
            return
        watch_for_loss(self._transport.get_extra_info("socket"), CLIENT_LOSS)
        self._transport.set_write_buffer_limits(UNREAD)
        share.watch(ClientCame(self._seat.name))

    @override
    def data_received(self, data: bytes) -> None:
        self.heard = self._now()
        if len(data) <= AT_ONCE:
            self._seat.received(data)
            return
        self._transport.pause_reading()
        self._rest = data
        self._next_piece()

    @override
    def pause_writing(self) -> None:
        self.end(f"cut off: it left {UNREAD // 1024} KiB unread")

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._rest = b""
        self._seat.leave()
        self._share.clients.discard(self)
        self._share.watch(ClientLeft(self._seat.stats(), self._reason or (str(exc) if exc else "")))

    @property
    def asked(self) -> bool:
        """Tell whether it ever asked anything."""
        return self._seat.requests > 0

    def end(self, reason: str) -> None:
        """Close the connection, for a reason that is told; its place is given up at once."""
        self._reason = self._reason or reason
        self._seat.leave()
        self._transport.abort()

    def _write(self, data: bytes) -> None:
        if (
            self._transport.is_closing()
        ):  # it has reset the connection: each write would be one more complaint
            self._seat.leave()
        else:
            self._transport.write(data)

    def _next_piece(self) -> None:
        piece, self._rest = self._rest[:AT_ONCE], self._rest[AT_ONCE:]
        if piece:
            self._seat.received(piece)
        if self._rest:
            asyncio.get_running_loop().call_soon(self._next_piece)
        elif not self._transport.is_closing():
            self._transport.resume_reading()
