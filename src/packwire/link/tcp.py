"""TCP: plain, as a VESC Express's own port and the hub link are, and with the envelope of Modbus TCP."""

import asyncio
import socket
from collections.abc import Callable
from typing import Any, cast, override

from packwire.address import HUB_PORT, Address, place
from packwire.errors import NoAnswerError, PackwireError, Reason, UnreachableError, system_reason
from packwire.link.base import Link, StreamLink
from packwire.protocol.base import Protocol

CONNECT_TIMEOUT = 5.0


#: Bytes that are read at once.
_AT_ONCE = 1 << 14


class TcpLink(StreamLink, asyncio.BufferedProtocol):
    """A plain TCP connection, read into a buffer of its own.

    For each read of any other Protocol, asyncio takes 256 KiB from the system and gives them back, which
    costs as much as all else that reading does (`benchmarks/polling.py`).
    """

    def __init__(self, host: str, port: int) -> None:
        super().__init__()
        self.host = host
        self.port = port
        self.name = place(host, port)
        self._buffer = bytearray(_AT_ONCE)

    @override
    def get_buffer(self, sizehint: int) -> bytearray:
        return self._buffer

    @override
    def buffer_updated(self, nbytes: int) -> None:
        self.data_received(bytes(self._buffer[:nbytes]))

    @override
    async def connect(self) -> None:
        await tcp_connection(lambda: self, self.host, self.port)
        if self._transport:
            keep_alive(self._transport)

    @override
    async def explain_close(self, *, answered: bool, error: Exception | None) -> PackwireError:
        if self.port == HUB_PORT and not answered:
            return NoAnswerError(
                f"{self.name} closed the connection. {self._hub_hint()}", reason=Reason.HUB_PORT
            )
        return await super().explain_close(answered=answered, error=error)

    @override
    async def explain_silence(self) -> PackwireError | None:
        if self.port != HUB_PORT:
            return None
        return NoAnswerError(
            f"{self.name} took the connection, but nothing comes back. {self._hub_hint()}",
            reason=Reason.HUB_PORT,
        )

    def _hub_hint(self) -> str:
        return f"That port is a hub's: a device behind it is read with veschub://ID@{self.host}"


class ModbusTcpLink(TcpLink):
    """A connection to a gateway or a device that speaks Modbus TCP."""

    def __init__(self, host: str, port: int) -> None:
        from packwire.link.modbus_tcp import ModbusEnvelope  # noqa: PLC0415 - few speak it

        super().__init__(host, port)
        self._envelope = ModbusEnvelope()

    @override
    def write(self, data: bytes) -> None:
        super().write(self._envelope.wrapped(data))

    @override
    def data_received(self, data: bytes) -> None:
        for frame in self._envelope.unwrapped(data):
            super().data_received(frame)


async def tcp_connection(protocol: Callable[[], asyncio.Protocol], host: str, port: int) -> asyncio.Transport:
    """Connect within CONNECT_TIMEOUT. Raises UnreachableError."""
    loop: Any = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT):
            transport, _ = await loop.create_connection(protocol, host, port, **every_error(loop))
    except (OSError, UnicodeError, ExceptionGroup) as error:  # TimeoutError and gaierror among them
        raise unreachable(host, port, error) from error
    return cast("asyncio.Transport", transport)


def every_error(loop: asyncio.AbstractEventLoop) -> dict[str, bool]:
    """Return what makes a loop raise the errors of all addresses of a name; uvloop raises one of them."""
    return {"all_errors": True} if isinstance(loop, asyncio.BaseEventLoop) else {}


def unreachable(host: str, port: int, error: Exception) -> UnreachableError:
    """Say in one line why a connection failed and what to look at.

    Of several addresses (an ExceptionGroup) the one counts at which somebody was.
    """
    where = place(host, port)
    errors = list(error.exceptions) if isinstance(error, ExceptionGroup) else [error]
    reasons = [_connect_reason(each) for each in errors]
    reason = min(reasons, key=_TELLING.index)
    if reason is Reason.UNKNOWN_NAME:
        words = f"the name {host} is not known here; check its spelling, or use the address"
    elif reason is Reason.TIMED_OUT:
        words = (
            f"{where} did not take the connection within {CONNECT_TIMEOUT:g} s; "
            "is the device on, and in this network?"
        )
    elif reason is Reason.PORT_REFUSED:
        words = (
            f"{where} refused the connection: something is there, but nothing listens on that port; a VESC "
            "Express listens on 65102 when TCP is enabled in its configuration, a hub on 65101, a bridge "
            "where its own settings say"
        )
    else:
        first = errors[reasons.index(reason)]
        words = f"{where} cannot be reached: {getattr(first, 'strerror', None) or first}"
    return UnreachableError(words, reason=reason)


#: The more telling first: one address that refuses says more than another that has no route.
_TELLING = (
    Reason.PORT_REFUSED, Reason.NOT_ALLOWED, Reason.BUSY, Reason.TIMED_OUT, Reason.NO_ROUTE,
    Reason.NOT_THERE, Reason.UNKNOWN_NAME,
)  # fmt: skip


def _connect_reason(error: Exception) -> Reason:
    if isinstance(error, socket.gaierror | UnicodeError):
        return Reason.UNKNOWN_NAME
    return system_reason(error, Reason.NO_ROUTE)


def not_listening(host: str, port: int, error: OSError) -> UnreachableError:
    """Say in one line why nobody can be listened to there."""
    return UnreachableError(
        f"{place(host, port)} cannot be listened on: {error.strerror or error}; "
        "does something else listen there already?",
        reason=system_reason(error, Reason.NOT_ALLOWED),
    )


def keep_alive(transport: asyncio.BaseTransport) -> None:
    """Let the kernel notice a peer that vanished without closing; does nothing where there is no socket."""
    raw = transport.get_extra_info("socket")
    if raw is None:
        return
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, seconds in (("TCP_KEEPIDLE", 20), ("TCP_KEEPINTVL", 5), ("TCP_KEEPCNT", 3)):
        if hasattr(socket, option):
            raw.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), seconds)


def bare_link_of(address: Address, protocol: Protocol) -> TcpLink:
    """Return the connection alone: nothing is shared, and an echo is heard."""
    if address.enveloped and protocol.modbus:
        return ModbusTcpLink(address.target, address.port)
    return TcpLink(address.target, address.port)


def link_of(address: Address, protocol: Protocol) -> Link:
    """Return the link that an address leads over, not connected yet."""
    if not protocol.on_a_line:
        return bare_link_of(address, protocol)
    from packwire.link.shared import SharedLine, SharedLink  # noqa: PLC0415 - others are nobody else's

    def make() -> TcpLink:
        link = bare_link_of(address, protocol)
        if not isinstance(link, ModbusTcpLink):
            link.remove_echo()
        return link

    words = "Modbus TCP" if address.enveloped else "raw bytes"
    key = ("tcp", address.target, address.port)
    return SharedLink(SharedLine(key, address.enveloped, words), make, listens=address.listens)
