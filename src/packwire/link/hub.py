"""A VESC behind a TCP hub: log in, then the hub relays bytes both ways [vesc_tool tcphub.cpp].

The hub never says anything of its own. What it means when it closes is found out with its `PING:<id>:0`:
does it know a device of that id at this moment?
"""

import asyncio
from dataclasses import dataclass
from enum import Enum
from typing import override

from packwire.address import HUB_PORT, Address
from packwire.errors import (
    BadAddressError,
    DisplacedError,
    GoneError,
    NotAVescError,
    PackwireError,
    Reason,
    RefusedError,
)
from packwire.link.base import StreamLink
from packwire.link.tcp import CONNECT_TIMEOUT, TcpLink, every_error, unreachable
from packwire.protocol.base import Protocol
from packwire.vesc.hublogin import Login, Role, id_problem, normal_id, password_problem

#: The login is alone in its segment: bytes that follow it at once may be swallowed by the hub.
LOGIN_PAUSE = 0.05
PING_TIMEOUT = 3.0
#: More than a hub says; the first bytes of something else tell what it is.
_MOST_SAID = 160
#: Seconds until what has begun to come is there, line end or not.
_REST_OF_A_WORD = 0.3


class Presence(Enum):
    """What a hub says to PING."""

    THERE = "PONG"
    NOT_THERE = "NULL"
    NO_WORD = ""
    """Nothing: hung, no hub, or an older one that knows no such id and does not say so."""
    FOREIGN = "something else"
    """Something that no hub says."""


@dataclass(frozen=True, slots=True)
class PingAnswer:
    """What came back on a PING: `said` are its first bytes."""

    presence: Presence
    said: bytes = b""


class HubLink(TcpLink):
    """A connection through a hub to the device of one id."""

    preposition = "through"
    shared = True

    def __init__(self, host: str, port: int, device_id: str, password: str) -> None:
        super().__init__(host, port)
        problem = id_problem(device_id) or password_problem(password)
        if problem:
            raise BadAddressError(f"{problem}; set another one in the VESC's and the client's configuration")
        self.device_id = normal_id(device_id)
        self._login = Login(Role.CLIENT, self.device_id, password)
        self.name = f"hub {self.name}"

    @override
    async def connect(self) -> None:
        await super().connect()
        self.write(self._login.line())
        await asyncio.sleep(LOGIN_PAUSE)

    @override
    async def explain_close(self, *, answered: bool, error: Exception | None) -> PackwireError:
        answer = await self._ping()
        match answer.presence:
            case Presence.NOT_THERE:
                return self._not_connected(RefusedError if not answered else GoneError)
            case Presence.THERE if answered:
                return DisplacedError(
                    f"{self.name} closed the connection while {self.device_id} is connected to it: another "
                    "client logged in with this id, and the newest wins, or the device connected anew; "
                    "close other clients (VESC Tool, an app)"
                )
            case Presence.THERE:
                return RefusedError(
                    f"{self.name} knows {self.device_id}, but closed at login: the password is wrong (it is "
                    "case sensitive), or another client took over at that moment"
                )
            case Presence.FOREIGN if not answered:
                return NotAVescError(
                    f"{self.name} is no hub: it answers a hub's PING with {answer.said[:24]!r}; check host "
                    "and port (a hub listens on 65101)"
                )
        return await StreamLink.explain_close(self, answered=answered, error=error)

    @override
    async def explain_silence(self) -> PackwireError | None:
        if (await self._ping()).presence is Presence.NOT_THERE:
            return self._not_connected(GoneError)
        return None

    async def _ping(self) -> PingAnswer:
        try:
            return await ask_hub(self.host, self.port, self.device_id)
        except PackwireError:
            return PingAnswer(Presence.NO_WORD)

    def _not_connected(self, kind: type[PackwireError]) -> PackwireError:
        return kind(
            f"{self.name} has no device {self.device_id} connected to it; check the id, and that the VESC is "
            "on, online and set to this hub",
            reason=Reason.LEFT if issubclass(kind, GoneError) else Reason.UNKNOWN_ID,
        )


async def ping_hub(host: str, port: int = HUB_PORT, device_id: str = "") -> Presence:
    """Ask a hub whether a device of this id is connected to it. Raises UnreachableError."""
    return (await ask_hub(host, port, device_id)).presence


async def ask_hub(host: str, port: int, device_id: str) -> PingAnswer:
    """Return what a hub says to PING, with its bytes. Raises UnreachableError."""
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT):
            reader, writer = await asyncio.open_connection(
                host, port, **every_error(asyncio.get_running_loop())
            )
    except (OSError, UnicodeError, ExceptionGroup) as error:
        raise unreachable(host, port, error) from error
    said = b""
    try:
        async with asyncio.timeout(PING_TIMEOUT) as deadline:
            writer.write(Login(Role.PING, normal_id(device_id), "0").line())
            said = await reader.read(_MOST_SAID)
            deadline.reschedule(asyncio.get_running_loop().time() + _REST_OF_A_WORD)
            while (
                said
                and len(said) < _MOST_SAID
                and b"\n" not in said
                and (data := await reader.read(_MOST_SAID))
            ):
                said += data
    except OSError:  # TimeoutError among them
        pass
    finally:
        writer.transport.abort()
    return PingAnswer(_presence(said), said[:_MOST_SAID])


def _presence(said: bytes) -> Presence:
    word = said.strip(b"\r\n\0")
    for presence in (Presence.THERE, Presence.NOT_THERE):
        if word == presence.value.encode():
            return presence
    return Presence.FOREIGN if said else Presence.NO_WORD


def link_of(address: Address, protocol: Protocol) -> HubLink:  # noqa: ARG001 - every link has it
    """Return the link that an address leads over, not connected yet."""
    return HubLink(address.target, address.port, address.user, address.password or "")
